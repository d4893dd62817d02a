# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""constrain: originals of plain tensors, and that bake gives the tensors back.

usage: constraining.py COMMAND
"""

import re

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


def orthogonal(n, dtype=np.float32):
    q, r = np.linalg.qr(generator.standard_normal((n, n)))
    q *= np.sign(np.diag(r))
    q[0] *= np.sign(np.linalg.det(q))
    return q.astype(dtype)


def maps_of(rules):
    return [word for rule in rules for word in ("--map", rule)]


def both(tensors, rules, *arguments, metadata=None):
    """Constrains and bakes again: (constrained tensors, baked ones, {tensor: distance}, metadata)."""
    write_tensors("m.safetensors", tensors, metadata)
    out = good("constrain", "m.safetensors", *maps_of(rules), "-o", "c.safetensors", "--force", *arguments)
    made, texts = read_tensors("c.safetensors")
    good("bake", "c.safetensors", *maps_of(rules), "-o", "p.safetensors", "--force")
    moved = {name: float(x) for name, x in re.findall(r"^(\S+) .* moved (\S+)$", out, re.M)}
    return made, read_tensors("p.safetensors")[0], moved, texts, out


def back():
    """tensors of the set come back to rounding, in every dtype; others stay as they are"""
    folder("back")
    for dtype, bound in (np.float64, 1e-13), (np.float32, 1e-5):
        s = normal(5, 5, dtype=dtype)
        file = {
            "a.rot": orthogonal(6, dtype), "conv.weight": normal(6, 4, 3, dtype=dtype), "sym": s + s.T, "skew": s - s.T,
            "pos": np.exp(normal(7, dtype=dtype)), "step": np.int64([3]), "half": np.float16([1, 2]), "other": normal(2, 2, dtype=dtype),
        }  # fmt: skip
        rules = ["a.rot=skew,cayley", "conv.*=weight_norm", "sym=symmetric", "skew=skew", "pos=positive"]
        made, found, moved, _, out = both(file, rules)
        names = {
            "a.parametrizations.rot.original", "conv.parametrizations.weight.original0", "conv.parametrizations.weight.original1",
            "parametrizations.sym.original", "parametrizations.skew.original", "parametrizations.pos.original", "step", "half", "other",
        }  # fmt: skip
        assert set(made) == names and sorted(found) == sorted(file), (made.keys(), found.keys())
        assert all(tensor.dtype == dtype for name, tensor in made.items() if "parametrizations" in name)
        assert sorted(moved) == sorted(["a.rot", "conv.weight", "sym", "skew", "pos"]) and max(moved.values()) < bound, moved
        for name, x in file.items():
            assert found[name].dtype == x.dtype and found[name].shape == x.shape
            off = np.linalg.norm(found[name].astype(float) - x) / np.linalg.norm(x.astype(float))
            assert off <= (bound if name in moved else 0), (name, off)
        assert out.endswith("constrained 5 tensors, 3 copied\n"), out
    v = made["conv.parametrizations.weight.original1"]
    g = made["conv.parametrizations.weight.original0"]
    assert g.shape == (6, 1, 1) and np.allclose(g.ravel(), np.sqrt((v.astype(float) ** 2).sum((1, 2))), rtol=1e-6)
    # named as PyTorch names them, so that bake needs no --map
    good("bake", "c.safetensors", *maps_of(rules[:1] + rules[2:]), "-o", "q.safetensors")


def moves():
    """a tensor outside of the set moves into it, by the distance that is printed"""
    folder("moves")
    x, q = normal(5, 5), normal(8, 8)
    made, found, moved, _, _ = both({"s": x, "k": x, "q": q, "z": np.zeros((3, 3), np.float32)}, ["s=symmetric", "k=skew", "q=orthogonal", "z=symmetric"], "--seed", 3)
    for name, before in ("s", x), ("k", x), ("q", q):
        off = np.linalg.norm(found[name].astype(float) - before) / np.linalg.norm(before.astype(float))
        assert abs(moved[name] - off) <= 0.06 * off and off > 1e-3, (name, moved[name], off)
    assert np.abs(found["q"] @ found["q"].T - np.eye(8)).max() < 1e-5 and moved["z"] == 0


def halves():
    """originals of half precision are rounded, and the distance is that of the rounded ones"""
    folder("halves")
    w = normal(20, 30)
    for tensor, eps in (w.astype(np.float16), 2.0**-10), (to_bfloat(w), 2.0**-7):
        made, found, moved, _, _ = both({"w": tensor}, ["w=weight_norm"])

        def number(x):
            return (from_bfloat(x) if isinstance(x, tuple) else x).astype(float)

        assert all(isinstance(x, tuple) or x.dtype == np.float16 for x in made.values())
        assert (number(made["parametrizations.w.original1"]) == number(tensor)).all()
        assert 0 < moved["w"] <= eps and np.linalg.norm(number(found["w"]) - number(tensor)) <= 2 * eps * np.linalg.norm(number(tensor))


def states():
    """buffers and own parameters are written too"""
    folder("states")
    w = normal(6, 4)
    made, found, moved, _, _ = both({"l.w": w, "l.m": w}, ["l.w=spectral_norm", "l.m=pruning(p_drop=0.5)"], "--seed", 7)
    assert set(made) == {"l.parametrizations.w.original", "l.parametrizations.w.0._u", "l.parametrizations.w.0._v", "l.parametrizations.m.original", "l.parametrizations.m.0.mask"}
    assert np.allclose(found["l.w"], w / np.linalg.norm(w, 2), rtol=1e-2, atol=1e-3)
    mask = made["l.parametrizations.m.0.mask"]
    assert (found["l.m"] == mask * w).all() and 0 < mask.sum() < mask.size
    again = both({"l.w": w, "l.m": w}, ["l.w=spectral_norm", "l.m=pruning(p_drop=0.5)"], "--seed", 7)[0]
    assert all((again[name] == made[name]).all() for name in made)


def many():
    """ties, metadata, several files, and tensors of more dimensions than chains take"""
    folder("many")
    x, deep = normal(4, 4), normal(*(9 * [1]), 2)
    made, found, _, texts, out = both({"a": x, "b": x + 1, "deep": deep}, ["a=symmetric"], metadata={"format": "pt", "c": "b"})
    assert set(made) == {"parametrizations.a.original", "b", "deep"} and texts == {"format": "pt", "c": "b"} and out.endswith("1 tensor, 2 copied\n"), (made.keys(), texts, out)
    made, found, _, texts, _ = both({"a": x}, ["*=symmetric"], metadata={"c": "a"})
    assert set(found) == {"a", "c"} and texts is None and (found["a"] == found["c"]).all()
    good("constrain", "m.safetensors", "--map", "a=skew", "-o", "folder", "--shard-size", "100")
    good("bake", "folder", "--map", "a=skew", "-o", "back.safetensors")
    assert set(read_tensors("back.safetensors")[0]) == {"a", "c"}


def refusals():
    """what cannot be constrained leaves nothing behind"""
    folder("refusals")
    x = normal(3, 3)
    write_tensors("m.safetensors", {"w": x, "i": np.int64([1]), "v": normal(3), "t": normal(4, 2), "bad": np.full((3, 3), np.nan, np.float32), "deep": normal(*(9 * [1])), "p_g": x, "parametrizations.q.original": x})

    def refuse(*rules, says, extra=()):
        refused("constrain", "m.safetensors", *maps_of(rules), "-o", "c.safetensors", *extra, says=says)

    usage("constrain", "m.safetensors", "-o", "c", says="--map GLOB=CHAIN")
    usage("constrain", "m.safetensors", "--map", "w=skew", says="-o FILE")
    refuse("none=skew", says=['"none=skew"', "no plain tensor"])
    refuse("w=skew", "w=symmetric", says='"w=symmetric"')
    refuse("q=skew", says="no plain tensor")
    refuse("i=positive", says=["i:", "I64"])
    refuse("deep=positive", says=["deep", "9 dimensions"])
    refuse("t=skew", says=["t:", "4x2"])
    refuse("w=nothing", says="nothing")
    refuse("bad=symmetric", says=["bad", "NaN"])
    refuse("w=skew", says="cup", extra=["--device", "cup"])
    write_tensors("n.safetensors", {"w": x, "parametrizations.w.original": x})
    refused("constrain", "n.safetensors", "--map", "w=skew", "-o", "c", says="appears twice")
    refused("constrain", "gone.safetensors", "--map", "w=skew", "-o", "c", says="gone")
    refused("constrain", "m.safetensors", "--map", "w=skew", "-o", "m.safetensors", says="--force")


main([back, moves, halves, states, many, refusals])
