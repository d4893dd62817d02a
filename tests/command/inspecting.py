# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""inspect: the contents of a model file, and its values.

usage: inspecting.py COMMAND CC INCLUDE_DIR MODELS
"""

import json
import re

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
w = "parametrizations.w."


def sections(out):
    """{heading: {first cell: the other cells}}; cells are two blanks apart."""
    found = {}
    for part in out.split("\n\n"):
        lines = part.splitlines()
        name = lines.pop(0) if not lines[0].startswith("tensor ") else "tensors"
        rows = [re.split(r"  +", line.strip()) for line in lines]
        found[name] = {row[0]: row[1:] for row in rows}
    return found


def own():
    """a file of the library: tensors, metadata, chains with their versions, values"""
    folder("own")
    subprocess.run([models], check=True, env=environment)
    file, _ = read_tensors("model.safetensors")
    out = good("inspect", "model.safetensors", "--values")
    shown = sections(out)
    assert list(shown) == ["tensors", "metadata", "chains", "values"], out
    for name, x in file.items():
        shape = "x".join(map(str, x.shape)) or "scalar"
        assert shown["tensors"][name] == [names[x.dtype], shape, str(x.nbytes)], (name, out)
    assert f"\n{len(file)} tensors, {sum(x.nbytes for x in file.values())} bytes\n" in out, out
    assert shown["metadata"]["epoch"] == ["12"] and "parametrize" not in shown["metadata"], out
    version = r"(\d+\.\d+\.\d+)"
    text, saved, here, told_by = shown["chains"]["weight"]
    assert told_by == "file", out
    assert text == "skew,cayley" and re.fullmatch(f"skew {version}, cayley {version}", saved) and saved == here, out
    assert shown["chains"]["layer.mask"][0] == "pruning(p_drop=0.4,seed=3)", out
    assert "layer.parametrizations.deep.original" in shown["chains"], out
    same = json.loads(good("inspect", "model.safetensors", "--values", "--json"))
    assert {one["tensor"]: one["shape"] for one in same["tensors"]} == {k: list(x.shape) for k, x in file.items()}, same
    assert {"key": "epoch", "text": "12"} in same["metadata"], same["metadata"]
    assert {one["tensor"]: one["chain"] for one in same["chains"]} == {k: v[0] for k, v in shown["chains"].items() if k != "tensor"}, same
    for one in same["values"]:
        cells = shown["values"][one["value"]]
        assert cells[0] == ("-" if one["shape"] is None else "x".join(map(str, one["shape"])) or "scalar"), one
        assert (cells[1] == "-") if one["residual"] is None else f"{one['residual']:.3g}" == cells[1], (one, cells)
    assert len(same["values"]) == len(shown["values"]) - ("value" in shown["values"]), same["values"]
    values, _ = read_tensors("values.safetensors")
    assert sorted(shown["values"]) == ["layer.deep", "layer.mask", "layer.weight", "value", "weight"], out
    for name in "weight", "layer.weight", "layer.mask":
        shape, residual, condition = shown["values"][name][:3]
        assert shape == "x".join(map(str, values[name].shape)), out
        want = np.linalg.cond(values[name].astype(float)).max()
        assert abs(float(condition) - want) <= 1e-2 * want, (name, condition, want)
    assert float(shown["values"]["weight"][1]) < 1e-5, out
    assert float(shown["values"]["layer.deep"][1]) == 0, out


def foreign():
    """a file without chains: rules as in bake; without one, the reason"""
    folder("foreign")
    x, y = generator.standard_normal((2, 5, 5)), generator.standard_normal((4,)).astype(np.float32)
    write_tensors("m.safetensors", {w + "original": x, "c.parametrizations.v.original": y, "c.parametrizations.v.0.mask": y, "b": y})
    shown = sections(good("inspect", "m.safetensors", "--values"))
    assert shown["chains"]["w"] == ["unknown", "unknown"], shown
    assert shown["chains"]["c.v"][0] == "pruning" and shown["chains"]["c.v"][3] == "original 4 times mask 4", shown
    assert shown["values"]["w"][:3] == ["-", "-", "-"] and shown["values"]["w"][3], shown
    shown = sections(good("inspect", "m.safetensors", "--values", "--map", "w=skew,matrix_exp", "--map", "*=pruning"))
    assert shown["chains"]["w"][:2] == ["skew,matrix_exp", "unknown"], shown
    shape, residual, condition = shown["values"]["w"][:3]
    assert shape == "2x5x5" and float(residual) < 1e-12 and abs(float(condition) - 1) < 1e-3, shown
    assert shown["values"]["c.v"][0] == "4" and shown["values"]["c.v"][2] == "no matrix", shown
    shown = sections(good("inspect", "m.safetensors", "--values", "--map", "w=skew", "--map", "c.v=pruning", "--device", "reference"))
    assert shown["values"]["w"][1:3] == ["0", shown["values"]["w"][2]], shown
    skewed = skew(x)  # of odd size, so singular
    assert shown["values"]["w"][2] == "inf" or float(shown["values"]["w"][2]) > 1e14, (shown, np.linalg.cond(skewed))


def reasons():
    """the row of a value that cannot be computed has the reason"""
    folder("reasons")
    eye = np.eye(3, dtype=np.float32)
    write_tensors("m.safetensors", {
        w + "original": eye, "parametrizations.u.original": eye, "parametrizations.v.original": eye,
        "parametrizations.v.0.Id": eye, "parametrizations.t.original": np.full((2, 2), np.nan, np.float32),
    })  # fmt: skip
    rules = ["--values", "--map", "w=cayley", "--map", "u=elsewhere,skew", "--map", "v=skew", "--map", "t=symmetric"]
    out = good("inspect", "m.safetensors", *rules)
    shown = sections(out)
    assert shown["chains"]["u"][0] == "elsewhere,skew" and shown["chains"]["u"][2].startswith("elsewhere missing, skew "), out
    assert shown["values"]["w"][:3] == ["-"] * 3 and "singular" in shown["values"]["w"][3], out
    assert "elsewhere" in shown["values"]["u"][3] and "v.0.Id" in shown["values"]["v"][3], out
    assert shown["values"]["t"][2] == "-" and "finite" in shown["values"]["t"][3], out
    status, out, err = run("inspect", "m.safetensors", *rules, "--lenient")
    assert status == 0 and err.count("\n") == 1 and "v.0.Id" in err, err
    assert sections(out)["values"]["v"][0] == "3x3", out
    refused("inspect", "m.safetensors", "--map", "x=skew", says="no parametrized tensor")
    refused("inspect", "none.safetensors", says="none.safetensors")


def plain():
    """a plain model has tensors alone, and needs no plugins"""
    folder("plain")
    write_tensors("m.safetensors", {"a": np.float32([1, 2]), "b": ("F8_E5M2", (2, 1), b"ab"), "c": np.zeros((), "?")})
    out = good("inspect", "m.safetensors")
    shown = sections(out)
    assert list(shown) == ["tensors"] and shown["tensors"]["b"] == ["F8_E5M2", "2x1", "2"], out
    assert "3 tensors, 11 bytes" in out, out
    write_tensors("n.safetensors", {"a\x1b[1m\x9b1m\x85é": np.float32([1])})
    assert list(sections(good("inspect", "n.safetensors"))["tensors"]) == ["tensor", r"a\x1b[1m\u{9b}1m\u{85}é", "1 tensor, 4 bytes"]


build_maps()
main([own, foreign, reasons, plain])
