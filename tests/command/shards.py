# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Models in several files: an index, a folder, parts of a value in different files; and files that are
no models.

usage: shards.py COMMAND
"""

import json
import signal
import time

from command import *
from tap import main

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)

from model_files import *

generator = np.random.default_rng(seed)
index = "model.safetensors.index.json"


def normal(*shape):
    return generator.standard_normal(shape).astype(np.float32)


def write_model(path, shards, metadata={"total_size": 12.5}, texts=None, **changes):
    """A folder of files with an index; changes are entries of its map."""
    path = pathlib.Path(path)
    path.mkdir()
    weights = {}
    for name, tensors in shards.items():
        write_tensors(path / name, tensors, texts)
        weights |= dict.fromkeys(tensors, name)
    weights |= changes
    (path / index).write_text(json.dumps({"metadata": metadata, "weight_map": weights}))
    return path


def model():
    """{file: tensors} whose values have tensors in different files, and the baked tensors"""
    g, v, x, m = np.abs(normal(4, 1, 1)), normal(4, 3, 2), normal(5, 5), (normal(5, 5) > 0).astype(np.float32)
    shards = {
        "model-00002-of-00003.safetensors": {"c.weight_g": g, "p.weight_orig": x, "é \"w\"": normal(3)},
        "model-00001-of-00003.safetensors": {"c.weight_v": v, "step": np.int64(7), "n.parametrizations.weight.original0": g},
        "model-00003-of-00003.safetensors": {"p.weight_mask": m, "n.parametrizations.weight.original1": v, "empty": normal(0, 3)},
    }
    w = (g * v.astype(float) / np.sqrt((v.astype(float) ** 2).sum((1, 2), keepdims=True))).astype(np.float32)
    plain = {"c.weight": w, "p.weight": x * m, "n.weight": w, "é \"w\"": shards["model-00002-of-00003.safetensors"]["é \"w\""], "step": np.int64(7), "empty": normal(0, 3)}
    return shards, plain


def same(found, want):
    assert sorted(found) == sorted(want), (found.keys(), want.keys())
    for name, x in want.items():
        assert found[name].shape == np.shape(x) and np.allclose(found[name], x, rtol=3e-7, atol=0), name


def read_folder(path, limit=None):
    """All tensors of a folder as the command writes it."""
    path = pathlib.Path(path)
    text = json.loads((path / index).read_text())
    found, total = {}, 0
    files = sorted(set(text["weight_map"].values()))
    assert sorted(p.name for p in path.iterdir()) == sorted([index, *files])
    assert files == [f"model-{k + 1:05}-of-{len(files):05}.safetensors" for k in range(len(files))], files
    for name in files:
        tensors, metadata = read_tensors(path / name)
        assert all(text["weight_map"][key] == name for key in tensors)
        bytes_here = sum(x.nbytes for x in tensors.values())
        assert limit is None or bytes_here <= limit or sum(x.nbytes > 0 for x in tensors.values()) == 1, (name, bytes_here)
        found |= tensors
        total += bytes_here
    assert text["metadata"] == {"total_size": total} and sorted(text["weight_map"]) == sorted(found)
    return found, metadata, files


def reading():
    """an index or its folder is one model"""
    folder("reading")
    shards, plain = model()
    path = write_model("m", shards, texts={"format": "pt"})
    (path / "config.json").write_text("{}")
    (path / "tokenizer.json").write_text("{}")
    for name in "m", "m/", f"m/{index}", str(path.resolve()):
        out = good("bake", name, "-o", "p.safetensors", "--force")
        found, metadata = read_tensors("p.safetensors")
        same(found, plain)
        assert metadata == {"format": "pt"} and out.endswith("folded 3 of 3 parametrized tensors, 3 copied\n"), (metadata, out)
    assert "9 tensors" in good("inspect", "m", "--values")
    os.chdir("m")
    for name in ".", index:
        good("bake", name, "-o", "../p.safetensors", "--force")
        same(read_tensors("../p.safetensors")[0], plain)
    # as the cache of a hub keeps them: links to files elsewhere
    os.chdir("..")
    os.mkdir("blobs")
    for k, file in enumerate(path.glob("*.safetensors")):
        os.rename(file, f"blobs/{k}")
        os.symlink(f"../blobs/{k}", file)
    good("bake", "m", "-o", "p.safetensors", "--force")
    same(read_tensors("p.safetensors")[0], plain)
    # a folder with one file
    os.mkdir("one")
    (pathlib.Path("one") / "config.json").write_text("{}")
    write_tensors("one/diffusion_pytorch_model.safetensors", {name: x for tensors in shards.values() for name, x in tensors.items()})
    good("bake", "one", "-o", "p.safetensors", "--force")
    same(read_tensors("p.safetensors")[0], plain)


def writing():
    """--shard-size writes a folder that appears whole"""
    folder("writing")
    shards, plain = model()
    write_model("m", shards, texts={"format": "pt"})
    for size, limit, n in ("100", 100, 4), ("150B", 150, 2), ("1KB", 1000, 1), ("5GB", 5 * 10**9, 1), ("1", 1, 5):
        good("bake", "m", "-o", f"out-{size}", "--shard-size", size)
        found, metadata, files = read_folder(f"out-{size}", limit)
        same(found, plain)
        assert metadata == {"format": "pt"} and len(files) >= n, (size, files)
        good("bake", f"out-{size}", "-o", f"one-{size}.safetensors")
        same(read_tensors(f"one-{size}.safetensors")[0], plain)
    assert not [name for name in os.listdir() if name.startswith(".")]
    os.mkdir("new")
    good("bake", "m", "-o", "new/", "--shard-size", "1KB")
    read_folder("new")
    os.mkdir("full")
    pathlib.Path("full/mine").write_text("mine")
    for name, says in ("full", "folder with files"), ("one-1.safetensors", "no folder"), ("none/out", "No such file"):
        for extra in [], ["--force"]:
            refused("bake", "m", "-o", name, "--shard-size", "1KB", *extra, says=says)
    for size in "", "0", "5TB", "-1", "1.5GB", "99999999999999GB", "GB":
        usage("bake", "m", "-o", "x", "--shard-size", size, says="5GB")
    shards["model-00003-of-00003.safetensors"]["p.weight_mask"][:] = np.nan
    write_model("nan", shards)
    refused("bake", "nan", "-o", "x", "--shard-size", "100", says="p.weight")


def refusals():
    """indices that do not fit their files, or leave their folder"""
    folder("refusals")
    x = normal(2)
    two = {"a.safetensors": {"x": x}, "b.safetensors": {"y": x}}
    pathlib.Path("outside.safetensors").write_bytes(b"")
    for k, bad in enumerate(["../../etc/passwd", "../outside.safetensors", "/etc/passwd", "..", ".", "", "sub/a.safetensors"]):
        write_model(f"leaves{k}", two, x=bad)
        refused("bake", f"leaves{k}", "-o", "p", says=['"x"', "in the folder of the index"])
    write_model("gone", two, z="c.safetensors")
    refused("bake", "gone", "-o", "p", says=["c.safetensors", "o such file"])
    write_model("twice", {"a.safetensors": {"z": x, "x": x}, "b.safetensors": {"y": x, "x": x}})
    refused("bake", "twice", "-o", "p", says='"x" appears twice')
    write_model("elsewhere", two, x="b.safetensors")
    refused("bake", "elsewhere", "-o", "p", says=['"x" is not in "b.safetensors"'])
    write_model("missing", two, w="b.safetensors")
    refused("bake", "missing", "-o", "p", says=['"w" is not in'])
    write_model("number", two, w=3)
    refused("bake", "number", "-o", "p", says=['"w"', "name of a file"])
    write_model("cut", two)
    pathlib.Path("cut/b.safetensors").write_bytes(pathlib.Path("cut/b.safetensors").read_bytes()[:-1])
    refused("inspect", "cut", says="b.safetensors")
    for k, text in enumerate([b"", b"[]", b"{}", b'{"weight_map":[]}', b'{"weight_map":{}}', b'{"weight_map":', b"\xff", b'{"weight_map":{"x":"a.safetensors","x":"a.safetensors"}}', b"[" * 100000, b'{"a":' * 100]):
        path = write_model(f"text{k}", two)
        (path / index).write_bytes(text)
        refused("bake", f"text{k}", "-o", "p", says=index)
    os.mkdir("empty")
    refused("bake", "empty", "-o", "p", says=["empty", "0 files"])
    for name in "a", "b":
        write_tensors(f"empty/{name}.safetensors", {name: x})
    refused("bake", "empty", "-o", "p", says="2 files")
    os.mkdir("loop")
    os.symlink(index, f"loop/{index}")
    refused("bake", "loop", "-o", "p", says="loop")


def foreign():
    """what is no safetensors file is called what it is"""
    folder("foreign")
    kinds = {
        "git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "HTML": b"<!DOCTYPE html><html></html>", "zip archive": b"PK\3\4" + bytes(60), "pickle": b"\x80\2}q\0." + bytes(9),
        "GGUF": b"GGUF\3\0\0\0" + bytes(20), "NumPy": header(dictionary(shape=(1,))) + bytes(8), "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(9),
    }  # fmt: skip
    for kind, content in kinds.items():
        pathlib.Path("m.safetensors").write_bytes(content)
        for subcommand in ["bake", "m.safetensors", "-o", "p"], ["inspect", "m.safetensors"]:
            refused(*subcommand, says=["m.safetensors", kind])
    # a header of a length that begins like one of them is still a header
    tensors = {"x" * 1: normal(2)}
    head = json.dumps({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    length = int.from_bytes(b"GG", "little")
    pathlib.Path("m.safetensors").write_bytes(struct.pack("<Q", length) + head.ljust(length) + tensors["x"].tobytes())
    good("inspect", "m.safetensors")


def interrupts():
    """an interrupt leaves no folder, or the whole one where it came after all was written"""
    folder("interrupts")
    tensors = {f"x{k}": np.full(1 << 20, k, np.float32) for k in range(12)}
    write_tensors("m.safetensors", tensors)
    for pause in 0.03, 0.1, 0.2:
        process = start("bake", "m.safetensors", "-o", "out", "--shard-size", "10MB", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGINT), process.returncode
        if os.path.exists("out"):
            same(read_folder("out", 10**7)[0], tensors)
            break  # it was faster
        assert process.returncode != 0 and os.listdir() == ["m.safetensors"], (process.returncode, os.listdir())


main([reading, writing, refusals, foreign, interrupts])
