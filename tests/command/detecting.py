# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Models as PyTorch leaves them: maps told by names and shapes, what is left, dtypes, ties, odd headers.

usage: detecting.py COMMAND
"""

import json

from command import *
from tap import main

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)

from model_files import *

generator = np.random.default_rng(seed)


def normal(*shape, dtype=np.float32):
    return generator.standard_normal(shape).astype(dtype)


def weight_norm(g, v, dim):
    """in double precision; dim None: over all"""
    v = v.astype(float)
    axes = tuple(k for k in range(v.ndim) if k != dim)
    return g.astype(float) * v / np.sqrt((v * v).sum(axes, keepdims=dim is not None))


def magnitudes(v, dim):
    shape = () if dim is None else tuple(v.shape[dim] if k == dim else 1 for k in range(v.ndim))
    return (generator.random(shape) + 0.5).astype(v.dtype)


def matrix(w, dim):
    return np.moveaxis(w, dim, 0).reshape(w.shape[dim], -1)


def power(w, dim, steps=3):
    """u and v as a trained layer has them"""
    m = matrix(w.astype(float), dim)
    u, v = generator.standard_normal(m.shape[0]), generator.standard_normal(m.shape[1])
    for _ in range(steps):
        u = m @ v / np.linalg.norm(m @ v)
        v = m.T @ u / np.linalg.norm(m.T @ u)
    return u.astype(w.dtype), v.astype(w.dtype)


def spectral_norm(w, u, v, dim):
    w = w.astype(float)
    return w / (u.astype(float) @ matrix(w, dim) @ v.astype(float))


def inside(path, **tensors):
    """today's names of the tensors of a value"""
    before, dot, name = path.rpartition(".")
    return {f"{before}{dot}parametrizations.{name}.{k.replace('__', '.')}": x for k, x in tensors.items()}


def close(found, want, bound=2e-7):
    found = np.asarray(found, float)
    assert found.shape == want.shape, (found.shape, want.shape)
    off = np.linalg.norm(found - want) / np.linalg.norm(want)
    assert off <= bound, off


def bake(tensors, *arguments, metadata=None, name="m.safetensors"):
    """Bakes a model: (tensors, metadata, printed text)."""
    write_tensors(name, tensors, metadata)
    out = good("bake", name, *arguments, "-o", "p.safetensors", "--force")
    return *read_tensors("p.safetensors"), out


def model(tensors, *arguments, says, metadata=None):
    """A model that is refused."""
    write_tensors("m.safetensors", tensors, metadata)
    refused("bake", "m.safetensors", *arguments, "-o", "r.safetensors", says=says)


def magnitude_shapes():
    """the shape of the magnitudes tells dim, under names of today and of before"""
    folder("magnitude_shapes")
    shapes = [((6, 4, 5), d) for d in (0, 1, 2, None)] + [((32, 24, 16), 2), ((1, 8, 7), 0), ((3, 4, 2, 5), 3), ((7, 3), None)]
    file, want = {"b": normal(3)}, {}
    for k, (shape, dim) in enumerate(shapes):
        v = normal(*shape)
        g = magnitudes(v, dim)
        for path, tensors in (f"new.{k}.weight", inside(f"new.{k}.weight", original0=g, original1=v)), (f"old.{k}.weight", {f"old.{k}.weight_g": g, f"old.{k}.weight_v": v}):
            file |= tensors
            want[path] = weight_norm(g, v, dim), "weight_norm" + ("" if dim == 0 else f"(dim={'all' if dim is None else dim})")
    v = normal(5)
    file |= {"fc.bias_g": magnitudes(v, 0), "fc.bias_v": v}
    want["fc.bias"] = weight_norm(file["fc.bias_g"], v, 0), "weight_norm"
    found, _, out = bake(file)
    assert sorted(found) == sorted(["b", *want]), found.keys()
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    for path, (value, text) in want.items():
        close(found[path], value)
        assert f"  {text}  " in lines[path] and " beside " in lines[path], (path, lines[path])
    assert out.splitlines()[-1] == f"folded {len(want)} of {len(want)} parametrized tensors, 1 copied", out
    shown = good("inspect", "m.safetensors")
    assert all(text in shown for _, text in want.values()) and "values" not in shown, shown


def other_kinds():
    """spectral norms and masks; lengths of the vectors tell dim, and the vectors where lengths do not"""
    folder("other_kinds")
    file, want = {}, {}
    for k, (shape, dim) in enumerate([((8, 4, 3, 3), 0), ((8, 4, 3, 3), 1), ((6, 6, 3, 3), 0), ((6, 6, 3, 3), 1), ((5, 5), 0), ((5, 5), 1), ((4, 4, 4), 2)]):
        for dtype in np.float32, np.float64:
            w = normal(*shape, dtype=dtype)
            u, v = power(w, dim)
            before = power(w, dim, 1)[1]  # the older hook ends with u, here after one step
            after = matrix(w, dim) @ before
            after /= np.linalg.norm(after)
            w += (1e-3 * generator.standard_normal(shape)).astype(dtype)  # a step of the optimizer
            names = f"{dtype.__name__}.{k}"
            file |= inside(f"{names}.new", original=w, **{"0___u": u, "0___v": v}) | {f"{names}.old_orig": w, f"{names}.old_u": after, f"{names}.old_v": before}
            for which, vectors in ("new", (u, v)), ("old", (after, before)):
                want[f"{names}.{which}"] = spectral_norm(w, *vectors, dim), f"spectral_norm(dim={dim})" if dim else "spectral_norm"
    s = normal(4, 4)
    s += s.T  # both readings give the same
    u, v = power(s, 0)
    file |= {"same_orig": s, "same_u": u, "same_v": v}
    want["same"] = spectral_norm(s, u, v, 0), "spectral_norm"
    x, mask = normal(3, 4), (normal(3, 4) > 0).astype(np.float32)
    file |= {"fc.weight_orig": x, "fc.weight_mask": mask} | inside("fd.weight", original=x, **{"0__mask": mask})
    want |= {"fc.weight": (x * mask, "pruning"), "fd.weight": (x * mask, "pruning")}
    found, _, out = bake(file)
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert sorted(found) == sorted(want)
    for path, (value, text) in want.items():
        close(found[path], value, 1e-13 if found[path].dtype == np.float64 else 4e-7)
        assert f"  {text}  " in lines[path], (path, text, lines[path])


def unsettled():
    """a square tensor whose vectors fit neither reading is refused, with both"""
    folder("unsettled")
    w, u, v = normal(6, 6), normal(6), normal(6)
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    file = {"a.weight_orig": w, "a.weight_u": u, "a.weight_v": v}
    model(file, says=['"a.weight"', "fit neither", "6x6", "--map 'a.weight=CHAIN'"])
    found, _, _ = bake(file, "--map", "a.weight=spectral_norm(dim=1)")
    close(found["a.weight"], spectral_norm(w, u, v, 1), 1e-5)


def left():
    """what has such names and no such shapes is refused, unless it is to be left"""
    folder("left")
    g, v, x = magnitudes(normal(6, 4, 5), 0), normal(6, 4, 5), normal(3)
    kinds = {
        "six": {"six_g": g.ravel(), "six_v": v},
        "one": {"one_g": np.float32([[1.5]]), "one_v": v},
        "whole": {"whole_g": g, "whole_v": v, "whole": v},
        "nov": {"nov_orig": v, "nov_u": normal(6)},
        "mixed": {"mixed_orig": v, "mixed_u": normal(6), "mixed_mask": v},
        "len": {"len_orig": v, "len_u": normal(7), "len_v": normal(20)},
        "small": {"small_orig": v, "small_mask": v[:1]},
        "bool": {"bool_orig": v, "bool_mask": v > 0},
        "mine": inside("mine", original=v),
        "two": inside("two", original0=v, original1=v),
        "half.weight": {"half.weight_g": g},
        "bar.weight": {"bar.weight_bar": v, "bar.weight_u": normal(6), "bar.weight_v": normal(20)},
        "ortho": inside("ortho", original=normal(3, 3), **{"0__base": normal(3, 3)}),
    }
    for path, tensors in kinds.items():
        model({"x": x, **tensors}, says=[f'"{path}"', f"--map '{path}=CHAIN'", "--partial"])
        found, _, out = bake({"x": x, **tensors}, "--partial")
        assert sorted(found) == sorted(["x", *tensors]), (path, found.keys())
        assert all((found[name] == tensors[name]).all() for name in tensors)
        assert "left as it is" in out and out.endswith(f"folded 0 of 1 parametrized tensors, {len(tensors) + 1} copied\n".replace("1 parametrized tensors", "1 parametrized tensor")), out
    everything = {name: tensor for tensors in kinds.values() for name, tensor in tensors.items()}
    model(everything, says=f"and {len(kinds) - 1} more")
    # a direction that is pruned itself is folded first
    file = {"c.weight_g": g, "c.weight_v_orig": v, "c.weight_v_mask": (v > 0).astype(np.float32)}
    model(file, says=['"c.weight"', "parametrized itself"])
    found, _, _ = bake(file, "--partial")
    assert sorted(found) == ["c.weight_g", "c.weight_v"]
    found, _, _ = bake(found)
    close(found["c.weight"], weight_norm(g, v * (v > 0), 0))
    # nothing in common: other tensors of such names
    found, _, out = bake({"gate_g": normal(4), "gate_v": normal(3), "y_orig": x, "z_v": x, "i_g": np.int32([1]), "i_v": np.int32([1, 2]), "loss_g": np.float32(0.3), "loss_v": np.float32(-2)})
    assert len(found) == 8 and out == "folded 0 of 0 parametrized tensors, 8 copied\n", out


def overriding():
    """--map overrides what names tell"""
    folder("overriding")
    w = normal(6, 6)
    u, v = power(w, 0)
    file = {"a_orig": w, "a_u": u, "a_v": v} | inside("b", original=w, **{"0___u": u, "0___v": v})
    found, _, out = bake(file, "--map", "a=spectral_norm(dim=1)", "--map", "b=spectral_norm(dim=1)")
    for path in "a", "b":
        close(found[path], spectral_norm(w, u, v, 1), 1e-5)
    assert out == "folded 2 of 2 parametrized tensors, 0 copied\n", out


def wrappers():
    """names of wrapped modules: folded as they are, and with --strip as those of the module"""
    folder("wrappers")
    v, b = normal(4, 3, 2), normal(4)
    g = magnitudes(v, 0)
    plain = {"c.weight_g": g, "c.weight_v": v, **inside("d.weight", original0=g, original1=v), "c.bias": b}
    for wrap in (lambda n: "module." + n), (lambda n: "_orig_mod." + n), (lambda n: "module._orig_mod." + n), (lambda n: "_orig_mod.module." + n), (lambda n: n.replace("c.", "c._orig_mod.").replace("d.", "d._orig_mod.", 1)):
        wrapped = {wrap(name): tensor for name, tensor in plain.items()}
        found, _, out = bake(wrapped)
        assert sorted(found) == sorted(wrap(n) for n in ("c.weight", "d.weight", "c.bias")), found.keys()
        assert "--strip removes it" in out, out
        found, _, out = bake(wrapped, "--strip")
        assert sorted(found) == ["c.bias", "c.weight", "d.weight"] and "--strip" not in out, (found.keys(), out)
        close(found["c.weight"], weight_norm(g, v, 0))
        assert (found["d.weight"] == found["c.weight"]).all()
        assert sorted(bake(wrapped, "--strip", "--map", "c.weight=weight_norm")[0]) == sorted(found)
    found, _, out = bake({"module.x": b, "y": b}, "--strip")  # a module of this name
    assert sorted(found) == ["module.x", "y"] and "--strip" not in out
    model({"module._orig_mod.x": b, "module.x": b}, "--strip", says='"x" appears twice')


def odd_names():
    """--map for names with = and [; the last = outside of parentheses divides"""
    folder("odd_names")
    x = normal(4, 4)
    for path in "layers[0].w", "a=b.w", "w[a=b]", "w(1)=2", "[!x]", "a*b":
        before, dot, name = path.rpartition(".")
        file = inside(path, original=x)
        for rule in f"{path}=skew", f"{path}=skew(lower=0)":
            found, _, _ = bake(file, "--map", rule)
            assert list(found) == [path] and (found[path] == np.triu(x, 1) - np.triu(x, 1).T).all(), path
        model(file, "--map", "z=skew", says="no parametrized tensor")
    file = inside("l0.w", original=x) | inside("l[01].w", original=x)
    assert len(bake(file, "--map", "l[01].w=skew")[0]) == 2  # the name, and a pattern of another


def mixed():
    """tensors of a value with several dtypes are computed in the widest"""
    folder("mixed")
    v = normal(5, 4, 3)
    g = magnitudes(v, 0)
    for a, b, dtype in (np.float64, np.float32, "F64"), (np.float32, np.float64, "F64"), (np.float16, np.float32, "F32"), (np.float32, np.float16, "F32"):
        file = {"c.weight_g": g.astype(a), "c.weight_v": v.astype(b)} | inside("d.weight", original0=g.astype(a), original1=v.astype(b))
        found, _, _ = bake(file)
        for path in "c.weight", "d.weight":
            assert names[found[path].dtype] == dtype
            close(found[path], weight_norm(g.astype(a), v.astype(b), 0), 1e-15 if dtype == "F64" else 2e-7)
    x, mask = normal(3, 4), (normal(3, 4) > 0).astype(np.float64)
    found, _, _ = bake({"a_orig": x, "a_mask": mask})
    assert found["a"].dtype == np.float32 and (found["a"] == x * mask).all()


def dtypes():
    """--dtype converts all floating-point tensors, each number once; others stay"""
    folder("dtypes")
    v = normal(50, 40, dtype=np.float64) * 2.0 ** generator.integers(-20, 10, (50, 40))
    ties = np.float64([1 + 2.0**-11, 1 + 2.0**-11 + 2.0**-40, 1 + 3 * 2.0**-11, 2.0**-25, 2.0**-25 * (1 + 2.0**-50), 65519.99, -6e-8, 1 + 2.0**-8, 1 + 2.0**-8 + 2.0**-45])
    file = {
        "w_g": magnitudes(v, 0), "w_v": v, "d": ties, "f": ties.astype(np.float32), "h": np.float16([1, 2]), "b": to_bfloat(np.float32([1, 3])),
        "i": np.int64([7]), "none": np.zeros((0, 3), np.float64), "m_orig": v, "m_mask": (v > 0).astype(np.float64),
    }  # fmt: skip
    for word, name, dtype in ("float16", "F16", np.float16), ("bfloat16", "BF16", None), ("float32", "F32", np.float32), ("float64", "F64", np.float64):
        found, _, _ = bake(file, "--dtype", word)

        def number(path):
            return from_bfloat(found[path]) if dtype is None else found[path]

        def rounded(x):
            x = np.asarray(x)
            if dtype is not None:
                return x.astype(dtype)
            # to nearest, ties to even: seven places after the first
            exponent = np.where(x == 0, 0, np.floor(np.log2(np.abs(np.where(x == 0, 1, x)))))
            return (np.round(x * 2.0 ** (7 - exponent)) / 2.0 ** (7 - exponent)).astype(np.float32)

        assert found["i"].dtype == np.int64
        for path in "w", "d", "f", "h", "none", "m":
            assert dtype is None or found[path].dtype == dtype, path
            assert dtype is not None or found[path][0] == name, path
        for path in "d", "f", "h":
            assert (number(path) == rounded(file[path])).all(), (word, path, number(path), rounded(file[path]))
        assert (number("b") == [1, 3]).all() and (number("m") == rounded(v * (v > 0))).all()
        close(number("w"), weight_norm(file["w_g"], v, 0), {"F16": 2e-3, "BF16": 1e-2, "F32": 1e-7, "F64": 1e-15}[name])
    usage("bake", "m.safetensors", "-o", "r", "--dtype", "int8", says=['"int8"', "bfloat16"])


def not_finite():
    """values that are not finite, and numbers beyond a dtype, are refused by name; remarks with --lenient"""
    folder("not_finite")
    v = np.float32([[1, 2], [3, 4]])
    for bad, what in (np.nan, "1 NaN"), (np.inf, "1 infinite"), (-np.inf, "1 infinite"):
        w = v.copy()
        w[0, 1] = bad
        file = {"layer.weight_orig": w, "layer.weight_mask": np.ones_like(w), "plain": np.float32([np.inf, np.nan])}
        model(file, says=['"layer.weight"', what, "--lenient"])
        status, _, err = run("bake", "m.safetensors", "-o", "p.safetensors", "--force", "--lenient")
        assert status == 0 and err.count("\n") == 1 and "remark" in err and what in err, err
        found, _ = read_tensors("p.safetensors")
        assert np.array_equal(found["layer.weight"], w, equal_nan=True) and np.isinf(found["plain"][0])
    for dtype in np.float32, np.float64:
        g = np.array([[90000], [9]], dtype)
        model({"a_g": g, "a_v": np.array([[1, 0], [1, 1]], dtype)}, "--dtype", "float16", says=['"a"', "1 beyond F16"])
    x = np.float16([[300, 1]])
    model({"a_orig": x, "a_mask": x}, says=['"a"', "1 beyond F16"])
    model({"x": np.float64([1e39, 1])}, "--dtype", "float32", says=['"x"', "1 beyond F32"])
    model({"x": np.float32([1, 3.4e38])}, "--dtype", "bfloat16", says=['"x"', "1 beyond BF16"])
    model({"x": to_bfloat(np.float32([1, 1e10]))}, "--dtype", "float16", says=['"x"', "1 beyond F16"])


def tied():
    """ties in the metadata: values that are tied as a whole stay tied, others become tensors"""
    folder("tied")
    v = normal(4, 3)
    g, h = magnitudes(v, 0), magnitudes(v, 0)
    file = {
        "a.weight_g": g, "a.weight_v": v, "c.weight_g": h, "e": v, **inside("n", original0=g, original1=v),
    }  # fmt: skip
    ties = {
        "b.weight_g": "a.weight_g", "b.weight_v": "a.weight_v", "c.weight_v": "a.weight_v", "f": "e",
        "parametrizations.m.original0": "parametrizations.n.original0", "parametrizations.m.original1": "parametrizations.n.original1",
    }  # fmt: skip
    found, metadata, out = bake(file, metadata={"format": "pt", **ties})
    assert sorted(found) == ["a.weight", "c.weight", "e", "n"], found.keys()
    assert metadata == {"format": "pt", "b.weight": "a.weight", "f": "e", "m": "n"}, metadata
    close(found["c.weight"], weight_norm(h, v, 0))
    assert "b.weight  tied to" in out and out.endswith("folded 5 of 5 parametrized tensors, 1 copied\n"), out
    found, metadata, _ = bake({"module." + k: x for k, x in file.items()}, "--strip", metadata={"module." + k: "module." + x for k, x in ties.items()})
    assert sorted(found) == ["a.weight", "c.weight", "e", "n"] and metadata == {"b.weight": "a.weight", "f": "e", "m": "n"}, (found.keys(), metadata)
    # a chain of another kind is a value of its own
    found, metadata, _ = bake({"a_orig": v, "a_mask": v, "b_mask": g * v}, metadata={"b_orig": "a_orig"})
    assert sorted(found) == ["a", "b"] and metadata is None
    close(found["b"], v.astype(float) * (g * v))


def raw(head, data=b""):
    head = head.encode() if isinstance(head, str) else json.dumps(head).encode()
    pathlib.Path("m.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)


def headers():
    """as the reference implementation: null metadata is none, a number with a point is no offset"""
    folder("headers")
    entry = '"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    raw('{"__metadata__":null,' + entry + "}", bytes(8))
    good("bake", "m.safetensors", "-o", "p.safetensors")
    assert read_tensors("p.safetensors")[1] is None
    for old, new in ("[0,8]", "[0,8.0]"), ("[0,8]", "[0,8e0]"), ("[0,8]", "[0,0.8E1]"), ("[0,8]", "[-0,8]"), ("[2]", "[2.0]"), ("[2]", "[2e0]"), ("[2]", "[+2]"):
        raw("{" + entry.replace(old, new) + "}", bytes(8))
        refused("bake", "m.safetensors", "-o", "q.safetensors", says="m.safetensors")
    raw('{"__metadata__":{"a":"8.0e-3"},' + entry.replace('"x"', '"x.e-1.5"') + "}", bytes(8))
    good("bake", "m.safetensors", "-o", "q.safetensors")


def many_dims():
    """a tensor of more dimensions than the library has is copied, with its shape"""
    folder("many_dims")
    x, v = normal(1, 2, 1, 1, 1, 3, 1, 1, 1, 2), normal(3, 2)
    found, _, out = bake({"deep": x, "a_g": magnitudes(v, 0), "a_v": v, "deep16": x.astype(np.float16)})
    assert found["deep"].shape == x.shape and (found["deep"] == x).all() and (found["deep16"] == x.astype(np.float16)).all()
    assert out.endswith("folded 1 of 1 parametrized tensor, 2 copied\n"), out
    assert "1x2x1x1x1x3x1x1x1x2" in good("inspect", "m.safetensors")
    found, _, _ = bake({"deep": x}, "--dtype", "float64")
    assert found["deep"].shape == x.shape and (found["deep"] == x).all()
    model(inside("w", original=x), "--map", "w=pruning", says=["10 dimensions", "at most 8"])
    model({"w_g": x, "w_v": x}, says=['"w"'])
    wide = ("BF16", (1,) * 64, b"ab")
    assert bake({"wide": wide})[0]["wide"] == wide
    write_tensors("n.safetensors", {"wide": ("BF16", (1,) * 65, b"ab")})
    refused("bake", "n.safetensors", "-o", "r", says="more than 64 dimensions")


def dry():
    """--dry-run writes nothing; --json says what was folded and what was left"""
    folder("dry")
    v = normal(4, 3)
    file = {"a_g": magnitudes(v, 0), "a_v": v, "b": v, **inside("s", original=normal(3, 3)), "é\"_orig": v, "é\"_mask": v, "q_g": v[:, 0], "q_v": v}
    write_tensors("m.safetensors", file, {"t": "b"})
    before = snapshot()
    out = good("bake", "m.safetensors", "--map", "s=skew", "--partial", "--dry-run")
    assert out.endswith("would fold 3 of 4 parametrized tensors, 3 copied\n"), out
    found = json.loads(good("bake", "m.safetensors", "--map", "s=skew", "--partial", "--dry-run", "--json"))
    assert snapshot() == before
    folded = {one.pop("name"): one for one in found["folded"]}
    assert folded["a"] == {"chain": "weight_norm", "from": "names", "why": "a_g 4x1 beside a_v 4x3", "dtype": "F32", "shape": [4, 3]}, folded
    assert folded["s"] == {"chain": "skew", "from": "--map", "dtype": "F32", "shape": [3, 3]}
    assert sorted(folded) == ["a", "s", "é\""] and [one["name"] for one in found["left"]] == ["q"] and found["tied"] == {"t": "b"}
    assert (found["parametrized"], found["copied"], found["file"], found["output"]) == (4, 3, "m.safetensors", ""), found
    found = json.loads(good("bake", "m.safetensors", "--map", "s=skew", "--partial", "--json", "-o", "p.safetensors"))
    assert found["output"] == "p.safetensors" and found["bytes"] == sum(x.nbytes for x in read_tensors("p.safetensors")[0].values())
    shown = json.loads(good("inspect", "m.safetensors", "--json", "--values"))
    assert shown["file"] == "m.safetensors" and {"tensor": "a_v", "dtype": "F32", "shape": [4, 3], "bytes": 48} in shown["tensors"], shown
    chains = {one["tensor"]: one for one in shown["chains"]}
    assert chains["a"]["told by"] == "a_g 4x1 beside a_v 4x3" and chains["s"]["chain"] == "unknown" and chains["q"]["chain"] == "unknown", chains
    values = {one["value"]: one for one in shown["values"]}
    assert values["a"]["shape"] == [4, 3] and values["a"]["residual"] == 0 and values["s"]["shape"] is None, values
    model({"q_g": v[:, 0], "q_v": v}, "--dry-run", says='"q"')


main([
    magnitude_shapes, other_kinds, unsettled, left, overriding, wrappers, odd_names, mixed, dtypes, not_finite, tied, headers,
    many_dims, dry,
])  # fmt: skip
