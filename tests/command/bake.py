# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""bake: values against NumPy, and everything else unchanged.

usage: bake.py COMMAND CC INCLUDE_DIR MODELS
"""

import json

from command import *
from tap import main

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)

from formulas import *
from model_files import *

generator = np.random.default_rng(seed)
models = os.path.abspath(sys.argv[4])


def normal(*shape, dtype=np.float32):
    return (generator.standard_normal(shape) / max(1, *shape[-1:]) ** 0.5).astype(dtype)


def bake(*arguments, source="m.safetensors", target="p.safetensors"):
    """Bakes and reads the result."""
    good("bake", source, *arguments, "-o", target, "--force")
    return read_tensors(target)


def maps_of(rules):
    return [word for rule in rules for word in ("--map", rule)]


def close(a, b, bound):
    a, b = np.asarray(a, float), np.asarray(b, float)
    assert a.shape == b.shape, (a.shape, b.shape)
    assert relative(a, b) <= bound, relative(a, b)


def original(path):
    """PyTorch's name of the only original of a value."""
    before, dot, tensor = path.rpartition(".")
    return f"{before}{dot}parametrizations.{tensor}.original"


def values():
    """files with PyTorch's names: values are NumPy's to 1e-6, f64 to 1e-13"""
    folder("values")
    for dtype, bound in (np.float32, 1e-6), (np.float64, 1e-13):
        x = {
            "s": normal(8, 5, 3, 3, dtype=dtype),
            "rnn.weight_hh_l0": normal(33, 33, dtype=dtype),
            "rnn.weight_ih_l0": normal(6, 6, dtype=dtype),
            "a.b.c.w": normal(2, 4, 4, dtype=dtype) / 2,
            "one": normal(1, 1, dtype=dtype),
            "none": normal(3, 0, 0, dtype=dtype),
        }
        text = {
            "s": "skew", "rnn.weight_hh_l0": "skew,matrix_exp", "rnn.weight_ih_l0": "skew,cayley",
            "a.b.c.w": "symmetric,matrix_exp", "one": "symmetric", "none": "skew,cayley",
        }  # fmt: skip
        file = {"first": np.arange(3, dtype=np.int64)}
        file |= {original(path): tensor for path, tensor in x.items()}
        write_tensors("m.safetensors", file)
        for device in [], ["--device", "reference"]:
            found, metadata = bake(*maps_of(f"{path}={chain}" for path, chain in text.items()), *device)
            assert metadata is None and sorted(found) == sorted(["first", *x]), found
            assert (found["first"] == [0, 1, 2]).all()
            for path, tensor in x.items():
                assert found[path].dtype == dtype
                y = tensor.astype(float)
                for word in text[path].split(","):
                    y = globals()[word](y)
                close(found[path], y, bound)


def masks():
    """pruning reads its mask from the file, also as the last of several stages"""
    folder("masks")
    x, y = normal(5, 7), normal(4, 4)
    m, n = (generator.random(x.shape) < 0.6).astype(np.float32), (generator.random(y.shape) < 0.5).astype(np.float32)
    write_tensors("m.safetensors", {
        "parametrizations.w.original": x, "parametrizations.w.0.mask": m,
        "parametrizations.v.original": y, "parametrizations.v.2.mask": n,
    })  # fmt: skip
    found, _ = bake("--map", "w=pruning", "--map", "v=skew,cayley,pruning(p_drop=0.5)")
    assert (found["w"] == m * x).all() and (found["w"][m == 0] == 0).all()
    close(found["v"], n * cayley(skew(y.astype(float))), 1e-6)


def several():
    """several originals and an own parameter give one value, of their dtype"""
    folder("several")
    a, b = normal(3, 4), normal(3, 4)
    scale = np.float32(0.25)
    write_tensors("m.safetensors", {
        "m.parametrizations.w.original1": b, "x": a, "m.parametrizations.w.0.scale": scale,
        "m.parametrizations.w.original0": a,
    })  # fmt: skip
    found, _ = bake("--map", "m.w=product")
    assert sorted(found) == ["m.w", "x"]
    close(found["m.w"], 0.25 * a.astype(float) * b, 1e-6)


def rules():
    """the first rule that matches counts; * matches dots"""
    folder("rules")
    x = {name: normal(4, 4) for name in ("a.w", "a.b.w", "c.v", "w")}
    write_tensors("m.safetensors", {original(path): tensor for path, tensor in x.items()})
    found, _ = bake("--map", "a.*=skew", "--map", "[cw]*=symmetric")
    for path in "a.w", "a.b.w":
        assert (found[path] == skew(x[path])).all()
    for path in "c.v", "w":
        assert (found[path] == symmetric(x[path])).all()
    found, _ = bake("--map", "a.b.?=symmetric", "--map", "*=skew")
    assert (found["a.b.w"] == symmetric(x["a.b.w"])).all() and (found["a.w"] == skew(x["a.w"])).all()


def untouched():
    """tensors of every dtype and the metadata are copied byte for byte"""
    folder("untouched")
    sized = [
        ("BOOL", 1), ("U8", 1), ("I8", 1), ("F8_E4M3", 1), ("F8_E5M2", 1), ("I16", 2), ("U16", 2), ("F16", 2),
        ("BF16", 2), ("I32", 4), ("U32", 4), ("F32", 4), ("F64", 8), ("I64", 8), ("U64", 8),
    ]  # fmt: skip
    file = {"parametrizations.w.original": normal(3, 3)}
    for dtype, size in sized:
        shape = (3, 1, 1 + generator.integers(5))
        bits = generator.bytes(int(np.prod(shape)) * size)
        file[f"x.{dtype}"] = dtype, shape, bits if dtype != "BOOL" else bytes(b & 1 for b in bits)
    file["scalar"] = "F32", (), generator.bytes(4)
    file["empty"] = "I32", (2, 0), b""
    file["é \U0001f600 \"quoted\\\n"] = "U8", (2,), b"ab"
    texts = {"format": "pt", "é": "\U0001f600\n\"", "empty": ""}
    write_tensors("m.safetensors", file, texts)
    found, metadata = bake("--map", "*=skew")
    assert metadata == texts and sorted(found) == sorted(["w", *list(file)[1:]]), found.keys()
    for name, (dtype, shape, body) in list(file.items())[1:]:
        tensor = found[name] if isinstance(found[name], tuple) else ("", found[name].shape, found[name].tobytes())
        assert tensor[1:] == (shape, body) and tensor[0] in ("", dtype), name
        assert isinstance(found[name], tuple) or names[found[name].dtype] == dtype, name
    write_tensors("plain.safetensors", {"x": normal(2)}, {"format": "pt"})
    assert bake(source="plain.safetensors")[1] == {"format": "pt"}
    write_tensors("nothing.safetensors", {})
    assert bake(source="nothing.safetensors") == ({}, None)


def halves():
    """F16 and BF16 are computed in float32 and rounded once, to nearest even"""
    folder("halves")
    # Every kind of number; products of two are exact in float32.
    special = [0, -0.0, 1, -1, 65504, 1e-7, 6e-8, 6.1e-5, 6.09e-5, 2.0**-14, 2.0**-24, 3e4, 256, 1.0009765625, float("inf"), float("nan")]
    a = np.concatenate([np.float32(special), generator.standard_normal(20000) * 2.0 ** generator.integers(-13, 9, 20000)])
    b = np.concatenate([np.float32(special[::-1]), generator.standard_normal(20000) * 2.0 ** generator.integers(-13, 9, 20000)])
    c = normal(6, 6)
    with np.errstate(all="ignore"):
        a16, b16, one = a.astype(np.float16), b.astype(np.float16), np.float16(1)
        write_tensors("m.safetensors", {
            "parametrizations.w.original0": a16, "parametrizations.w.original1": b16, "parametrizations.w.0.scale": one,
            "parametrizations.v.original": c.astype(np.float16),
        })  # fmt: skip
        rules = "--map", "w=product", "--map", "v=skew,cayley"
        refused("bake", "m.safetensors", *rules, "-o", "q.safetensors", says=['"w"', "beyond F16", "--lenient"])
        status, _, err = run("bake", "m.safetensors", *rules, "-o", "p.safetensors", "--lenient")
        assert status == 0 and err.count("\n") == 1 and "remark" in err and '"w"' in err, err
        found, _ = read_tensors("p.safetensors")
        want = (a16.astype(np.float32) * b16.astype(np.float32)).astype(np.float16)
        assert found["w"].dtype == np.float16
        same = (found["w"].view(np.uint16) == want.view(np.uint16)) | (np.isnan(want) & np.isnan(found["w"]))
        assert same.all(), (a16[~same], b16[~same], found["w"][~same], want[~same])
        assert np.isinf(want).any() and (np.abs(want[want != 0]) < 2.0**-14).any()
        close(found["v"], cayley(skew(c.astype(np.float16).astype(float))), 2.0**-11)
        ab, bb = to_bfloat(a), to_bfloat(b)
        write_tensors("m.safetensors", {
            "parametrizations.w.original0": ab, "parametrizations.w.original1": bb,
            "parametrizations.w.0.scale": to_bfloat(np.float32(1)), "parametrizations.v.original": to_bfloat(c),
        })  # fmt: skip
        assert run("bake", "m.safetensors", *rules, "-o", "p.safetensors", "--lenient", "--force")[0] == 0
        found, _ = read_tensors("p.safetensors")
        want = to_bfloat(from_bfloat(ab) * from_bfloat(bb))
        assert found["w"][:2] == ("BF16", a.shape)
        w, want = np.frombuffer(found["w"][2], "<u2"), np.frombuffer(want[2], "<u2")
        same = (w == want) | np.isnan(from_bfloat(found["w"]))
        assert same.all() and same.mean() == 1 and np.isnan(from_bfloat(found["w"])).sum() < 10, (w[~same], want[~same])
        close(from_bfloat(found["v"]), cayley(skew(from_bfloat(to_bfloat(c)).astype(float))), 2.0**-8)


def own():
    """files of the library need no --map; values are those that the host reads, to the bit"""
    folder("own")
    subprocess.run([models], check=True, env=environment)
    found, metadata = bake(source="model.safetensors")
    want, _ = read_tensors("values.safetensors")
    assert sorted(found) == sorted(want) and len(found) == 7
    for name in want:
        assert found[name].dtype == want[name].dtype and found[name].tobytes() == want[name].tobytes(), name
    # the description is that of a host which folds and saves, and stays when there are no more chains
    _, folded = read_tensors("folded.safetensors")
    for texts in metadata, folded, bake(source="p.safetensors", target="again.safetensors")[1]:
        description = json.loads(texts.pop("parametrize"))
        assert description["buffers"] == ["running"] and description["lists"] == {}, description
        assert sorted(description["frozen"]) == ["bias", "layer.deep", "layer.weight"], description
        assert [(m["path"], m["type"]) for m in description["modules"]] == [("", "Model"), ("layer", "Layer")], description
        assert texts == {"epoch": "12", "note": "a host's \"own\" words"}, texts
    good("bake", "model.safetensors", "--shard-size", "1KB", "-o", "shards")
    shards = [read_tensors(path) for path in pathlib.Path("shards").glob("*.safetensors")]
    assert shards and all(texts.keys() == {"epoch", "note"} for _, texts in shards), shards


def overrule():
    """--map overrides the chains of the file"""
    folder("overrule")
    subprocess.run([models], check=True, env=environment)
    file, _ = read_tensors("model.safetensors")
    found, _ = bake("--map", "layer.weight=skew", "--map", "weight=symmetric", source="model.safetensors")
    want, _ = read_tensors("values.safetensors")
    assert (found["weight"] == symmetric(file["parametrizations.weight.original"])).all()
    assert (found["layer.weight"] == skew(file["layer.parametrizations.weight.original"])).all()
    for name in "layer.mask", "layer.deep", "layer.plain", "bias":
        assert (found[name] == want[name]).all()


def in_place():
    """with --force the input itself, by any of its names, is replaced"""
    folder("place")
    x, y = normal(40, 40), normal(300, 300)
    for name in "m.safetensors", "./m.safetensors", "soft", "hard":
        for path in pathlib.Path.cwd().iterdir():
            path.unlink()
        write_tensors("m.safetensors", {"z": y, "parametrizations.w.original": x, "a": y.astype(np.float64)})
        os.symlink("m.safetensors", "soft")
        os.link("m.safetensors", "hard")
        os.chmod("m.safetensors", 0o640)
        good("bake", "m.safetensors", "--map", "w=skew", "-o", name, "--force")
        found, _ = read_tensors(name)
        assert (found["w"] == skew(x)).all() and (found["z"] == y).all() and (found["a"] == y).all()
        assert os.stat(name).st_mode & 0o777 == 0o640 and sorted(os.listdir()) == ["hard", "m.safetensors", "soft"]


def lenient():
    """--lenient ignores unknown tensors, initializes missing ones, and prints a remark for each"""
    folder("lenient")
    x, y = normal(4, 4), normal(5, 5)
    write_tensors("m.safetensors", {
        "parametrizations.w.original": x, "parametrizations.w.0.Id": np.eye(4, dtype=np.float32),
        "parametrizations.w.0.steps": np.int64(3), "parametrizations.v.original": y,
        "parametrizations.gone.mask": x,
    })  # fmt: skip
    rules = maps_of(["w=skew", "v=pruning(p_drop=0.5)"])
    status, out, err = run("bake", "m.safetensors", *rules, "-o", "p.safetensors", "--lenient")
    assert status == 0 and out == "folded 2 of 2 parametrized tensors, 0 copied\n", (out, err)
    lines = err.splitlines()
    assert all(line.startswith("parametrize: m.safetensors: remark: ") for line in lines) and len(lines) == 4, err
    for name in "w.0.Id", "w.0.steps", "gone.mask":
        assert sum(line.endswith(f'unknown tensor "parametrizations.{name}" is ignored') for line in lines) == 1, err
    assert sum(line.endswith('missing tensor "parametrizations.v.0.mask" is initialized') for line in lines) == 1, err
    found, _ = read_tensors("p.safetensors")
    assert sorted(found) == ["v", "w"] and (found["w"] == skew(x)).all()
    assert ((found["v"] == 0) | (found["v"] == y)).all() and (found["v"] == y).any()
    write_tensors("plain.safetensors", {"x": y})
    good("bake", "plain.safetensors", "--lenient", "-o", "q.safetensors")


def older():
    """legacy names of torch.nn.utils.weight_norm and spectral_norm, where --map defines the chain"""
    folder("older")
    g, v, w = normal(4, 1), normal(4, 3, 2), normal(4, 3)
    # u^T W v is the norm of W, as in a trained model, and so is far from zero
    u1, v1 = (vectors.astype(np.float32) for vectors in (np.linalg.svd(w)[0][:, 0], np.linalg.svd(w)[2][0]))
    file = {
        "a.conv.weight_g": g.reshape(4, 1, 1), "a.conv.weight_v": v, "a.conv.bias": g[:, 0],
        "weight_orig": w, "weight_u": u1, "weight_v": v1, "x_g": u1, "x_v": v1,
    }  # fmt: skip
    write_tensors("m.safetensors", file)
    found, _ = bake("--map", "a.*=weight_norm", "--map", "*=spectral_norm")
    assert sorted(found) == sorted(["a.conv.weight", "a.conv.bias", "weight", "x_g", "x_v"]), found.keys()
    v = v.astype(float)
    close(found["a.conv.weight"], g.reshape(4, 1, 1) * v / np.sqrt((v * v).sum((1, 2), keepdims=True)), 1e-6)
    close(found["weight"], w / (u1.astype(float) @ w.astype(float) @ v1.astype(float)), 1e-6)
    assert (found["x_g"] == u1).all() and (found["x_v"] == v1).all() and (found["a.conv.bias"] == g[:, 0]).all()
    # without --map their names and shapes tell the same
    again, _ = bake()
    assert sorted(again) == sorted(found) and all((again[name] == found[name]).all() for name in found)
    refused("bake", "m.safetensors", "--map", "*=skew", "-o", "q.safetensors", says=['"a.conv.weight"', "skew: found 2 originals, expected 1"])
    # a plain tensor of the same name
    write_tensors("m.safetensors", file | {"weight": w})
    refused("bake", "m.safetensors", "--map", "weight=spectral_norm", "-o", "q.safetensors", says="no parametrized tensor")
    refused("bake", "m.safetensors", "-o", "q.safetensors", says=['"weight"', "beside weight itself"])


def views():
    """arrays and plain files give a value under a view the shape that the text says, to the bit, or are refused"""
    folder("views")
    cases = [
        ("view(cols=*{}),simplex", (4, 3), 1, True), ("view(cols=*{}),simplex", (12,), 1, True),
        ("view(rows=1,cols=0+2{}),sum_to_zero", (2, 3, 2), 1, True), ("view(cols=0{}),simplex", (4, 3), 1, False),
        ("view{},weight_norm", (4, 3, 2, 2), 2, False), ("view(rows=1{}),orthogonal(trivialization=0)", (3, 5, 2), 1, False),
        ("view(split=0:2,rows=1,cols=2{}),weight_norm(dim=1)", (4, 3), 2, False),
        ("view(split=0:4,rows=1+0,cols=*{}),simplex", (4, 2, 3), 1, True),
        ("view(cols=*{}),simplex,back,positive(map=square)", (2, 2, 3), 1, True),
    ]  # fmt: skip
    for text, shape, n, many in cases:
        chain, extents = text.format(""), "x".join(map(str, shape))
        known = text.format(f"(tensor={extents})" if "(" not in text.split(",")[0] else f",tensor={extents}")
        x = [f"x{k}.npy" for k in range(n)]
        good("sample", "-p", chain, *shape, "--seed", 1 + int(generator.integers(99)), "-o", "y.npy", "--force")
        outputs = [word for name in x for word in ("-o", name)]
        good("invert", "-p", chain, "y.npy", *outputs, "--state", "s.safetensors", "--force")
        good("apply", "-p", known, *x, "--state", "s.safetensors", "-o", "z.npy", "--force")
        z = np.load("z.npy")
        assert z.shape == shape and np.abs(z - np.load("y.npy")).max() < 1e-4, (known, z)
        names = ["original"] if n == 1 else [f"original{k}" for k in range(n)]
        file = {f"parametrizations.w.{name}": np.load(path) for name, path in zip(names, x)}
        file |= {f"parametrizations.w.{name}": tensor for name, tensor in read_tensors("s.safetensors")[0].items()}
        write_tensors("m.safetensors", file)
        found = bake("--map", f"w={known}")[0]["w"]
        assert found.shape == shape and (found == z).all(), known
        if many:
            says = "expected the tensor's shape in the text, as in view(tensor="
            refused("apply", "-p", chain, *x, "-o", "q.npy", says=says)
            refused("bake", "m.safetensors", "--map", f"w={chain}", "-o", "q.safetensors", says=says)
        else:
            good("apply", "-p", chain, *x, "--state", "s.safetensors", "-o", "q.npy")
            assert (np.load("q.npy") == z).all() and np.load("q.npy").shape == shape, chain
            assert (bake("--map", f"w={chain}")[0]["w"] == z).all(), chain
            os.unlink("q.npy")


build_maps()
main([values, masks, several, rules, untouched, halves, own, overrule, in_place, lenient, older, views])
