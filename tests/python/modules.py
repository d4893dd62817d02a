# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Modules from Python: training, files, folding, nesting. usage: modules.py"""

import package_python  # first: skips without NumPy

import pathlib
import tempfile

import numpy as np
import parametrize as pz
from package_python import random, refused
from tap import main

folder = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-python-"))
ORIGINAL = "parametrizations.weight.original"


def layer(w, chain="skew,cayley"):
    module = pz.Module("Linear")
    module.add("weight", w)
    module.add("bias", np.zeros(w.shape[-1]))
    module.register("weight", chain)
    return module


def trains():
    """gradient descent on a rotation reaches a rotation"""
    target = pz.apply("skew,cayley", 0.3 * random.standard_normal((4, 4)))
    module = layer(np.eye(4))
    for _ in range(2000):
        q = module.read("weight")
        module.zero_gradients()
        module.backward("weight", q - target)
        module.assign(ORIGINAL, module.read(ORIGINAL) - 0.1 * module.gradient(ORIGINAL))
    q = module.read("weight")
    assert np.abs(q.T @ q - np.eye(4)).max() <= 1e-13
    assert np.abs(q - target).max() <= 1e-6, np.abs(q - target).max()


def names():
    """names, kinds, texts and prints"""
    module = layer(random.standard_normal((3, 3)))
    module.add("steps", np.zeros(1), buffer=True)
    assert [(t.name, t.shape, t.trained) for t in module.tensors()] == [
        (ORIGINAL, (3, 3), True),
        ("bias", (3,), True),
        ("steps", (1,), False),
    ], module.tensors()
    assert module.is_parametrized() and module.is_parametrized("weight") and not module.is_parametrized("bias")
    assert module.chain("weight") == "skew,cayley" and "Linear" in str(module)
    module.require_grad("weight", False)
    assert not [t for t in module.tensors() if t.name == ORIGINAL][0].trained
    assert set(module.state_dict()) == {"bias", "steps", ORIGINAL}
    q = module.read("weight")
    module.remove("weight")
    assert (module.read("weight") == q).all() and not module.is_parametrized()


def assigns():
    """assignment, sampling and reading into an array of the caller"""
    module = layer(np.eye(3))
    q = pz.sample("skew,cayley", (3, 3), "float64")
    module.assign("weight", q)
    out = np.zeros((3, 6))
    assert np.abs(module.read("weight", out=out[:, ::2]) - q).max() <= 1e-14
    assert (out[:, 1::2] == 0).all()
    module.sample("weight")
    assert module.residual("weight") <= 1e-14 and np.abs(module.read("weight") - q).max() > 1e-6
    refused(pz.OutsideError, "weight", module.assign, "weight", 2 * q)
    refused(pz.MismatchError, "weight", module.assign, "weight", q[:2])
    refused(pz.NotFoundError, '"weigth"', module.read, "weigth")
    refused(pz.ExistsError, "weight", module.add, "weight", q)
    refused(pz.UnsupportedError, "", layer(np.ones((3, 3)), "pruning").log_abs_det, "weight")


def files():
    """save, load and from_file; folding"""
    module, path = layer(random.standard_normal((5, 5))), folder / "layer.safetensors"
    value = module.read("weight")
    module.save(path)
    refused(pz.ExistsError, "", module.save, path, overwrite=False)
    again = pz.Module.from_file(path)
    assert (again.read("weight") == value).all() and again.chain("weight") == "skew,cayley"
    other = layer(np.eye(5))
    other.load(path)
    assert (other.read("weight") == value).all()
    refused(pz.NotFoundError, "nowhere", other.load, folder / "nowhere.safetensors")
    refused(OSError, "", pz.Module.from_file, __file__)
    refused(pz.Error, "", layer(np.eye(4)).load, path)
    other.bake()
    assert other.is_baked and not other.is_parametrized("weight") and (other.read("weight") == value).all()
    plain = folder / "plain.safetensors"
    other.save(plain)
    other.unbake()
    assert other.is_parametrized("weight") and not other.is_baked
    third = layer(np.eye(5))
    third.load(plain, assign=True)
    assert np.abs(third.read("weight") - value).max() <= 1e-12


def nests():
    """children outlive what is closed around them"""
    outer, inner = pz.Module("Outer"), layer(random.standard_normal((3, 3)))
    value = inner.read("weight")
    outer.add_child("first", inner)
    assert (outer.read("first.weight") == value).all()
    outer.close()
    assert (inner.read("weight") == value).all()
    again = pz.Module("Outer")
    refused(pz.InvalidError, "", again.add_child, "first", inner)
    twin = inner.copy()
    twin.sample("weight")
    assert (inner.read("weight") == value).all() and (twin.read("weight") != value).any()
    parent = pz.Module()
    parent.add_child("a", layer(np.eye(2)))
    child = parent.child("a")
    del parent
    assert child.read("weight").shape == (2, 2)


def densities():
    """log |det| and its gradient"""
    module = pz.Module()
    x = random.standard_normal(5)
    module.add("scale", np.exp(x))
    module.register("scale", "positive")
    module.read("scale")
    assert np.abs(module.log_abs_det("scale") - x).max() <= 1e-13
    module.backward_log_abs_det("scale", np.full(5, 2.0))
    assert np.abs(module.gradient("parametrizations.scale.original") - 2).max() <= 1e-13


main([trains, names, assigns, files, nests, densities])
