# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Wrong calls raise exceptions with the library's message; threads and forks are none. usage: misuse.py"""

import package_python  # first: skips without NumPy

import os
import threading

import numpy as np
import parametrize as pz
from package_python import random, refused
from tap import main

x = random.standard_normal((3, 3))


def names():
    """unknown maps, options and devices, and what is no text"""
    refused(pz.NotFoundError, 'nearest is "cayley"', pz.apply, "cayly", x)
    refused(LookupError, 'nearest is "cayley"', pz.find_map, "cayly")
    refused(pz.NotFoundError, "signs", pz.apply, "cayley(sign=1)", x)
    refused(pz.Error, "", pz.apply, "skew,,cayley", x)
    refused(pz.Error, "", pz.apply, "", x)
    refused(pz.NotFoundError, "nowhere", pz.apply, "skew", x, device="nowhere")
    refused(TypeError, "found int, expected str", pz.apply, 3, x)
    refused(ValueError, "null character", pz.apply, "skew\0", x)
    refused(pz.Error, "", pz.add_plugin, "/dev/null")


def arrays():
    """wrong dtypes, shapes and types"""
    for dtype in (np.float16, np.int32, np.complex128, np.bool_):
        refused(pz.MismatchError, "expected float32 or float64", pz.apply, "skew", np.zeros((3, 3), dtype))
    refused(TypeError, "expected float32", pz.apply, "skew", np.array([["a"]]))
    for bad in ([[1.0, 2.0], [3.0, 4.0]], None, 1.5, "text", {}):
        refused(TypeError, "expected an array", pz.apply, "skew", bad)
        refused(TypeError, "expected an array", pz.vjp, "skew", x, bad)
        refused(TypeError, "expected an array", pz.invert, "skew", bad)
    refused(pz.MismatchError, "", pz.apply, "skew", x[:2])
    refused(pz.MismatchError, "", pz.apply, "skew", x[0])
    refused(pz.Error, "", pz.apply, "positive", np.zeros((1,) * 9))
    refused(pz.MismatchError, "", pz.vjp, "skew", x, np.zeros((2, 2)))
    refused(pz.MismatchError, "", pz.vjp, "skew", x, x.astype(np.float32))
    refused(pz.MismatchError, "expected 2", pz.apply, "weight_norm", x)
    refused(pz.MismatchError, "found 2 tangents, expected 1", pz.jvp, "skew", x, (x, x))
    refused(ValueError, "expected float64 (3, 3)", pz.apply, "skew", x, out=np.zeros((3, 4)))
    refused(ValueError, "expected float64 (3, 3)", pz.apply, "skew", x, out=np.zeros((3, 3), np.float32))
    frozen = np.zeros((3, 3))
    frozen.flags.writeable = False
    refused(ValueError, "read-only", pz.apply, "skew", x, out=frozen)
    refused(TypeError, "expected an array", pz.apply, "skew", x, out=[0.0] * 9)
    refused(TypeError, "expected one of them", pz.Chain, "skew")
    chain = pz.Chain("skew", x)
    refused(pz.MismatchError, "", chain.apply, random.standard_normal((4, 4)))
    refused(pz.MismatchError, "", chain.apply, x.astype(np.float32))
    refused(pz.MismatchError, "", setattr, chain, "state", {"0.mask": x})


def values():
    """values outside the set, matrices without an inverse, and a value that only a Chain can keep"""
    refused(pz.OutsideError, "from the identity", pz.invert, "skew,cayley", 2 * np.eye(3))
    refused(ValueError, "from the identity", pz.invert, "skew,cayley", 2 * np.eye(3))
    refused(pz.SingularError, "", pz.invert, "skew,cayley", np.diag([-1.0, -1.0, 1.0]))
    refused(pz.InvalidError, "expected a Chain", pz.invert, "cayley(signs=1)", np.diag([-1.0, 1.0, 1.0]))
    refused(pz.UnsupportedError, "", pz.log_abs_det, "pruning", x)
    # and the next call works
    assert np.abs(pz.apply("skew,cayley", x)).max() <= 1 + 1e-12


def threads():
    """8 threads at once: the values of one, each error to its own thread"""
    inputs = [random.standard_normal((n, n)) for n in (3, 3, 17, 40) * 2]
    expected = [pz.apply("skew,cayley", a) for a in inputs]
    shared = pz.Chain("skew,cayley", inputs[0])
    wrong = []

    def work(k):
        try:
            for _ in range(50):
                assert (pz.apply("skew,cayley", inputs[k]) == expected[k]).all()
                assert (shared.apply(inputs[0]) == expected[0]).all()
                assert (pz.vjp("skew,cayley", inputs[k], expected[k]) == pz.vjp("skew,cayley", inputs[k], expected[k])).all()
                refused(pz.NotFoundError, f'"map{k}"', pz.apply, f"map{k}", inputs[k])
        except BaseException as error:
            wrong.append(error)

    many = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    [t.start() for t in many], [t.join() for t in many]
    if wrong:
        raise wrong[0]


def closing():
    """modules that other threads close"""
    for _ in range(100):
        module = pz.Module()
        module.add("weight", x)
        module.register("weight", "skew,cayley")
        seen = []

        def read():
            try:
                for _ in range(20):
                    module.read("weight")
            except pz.InvalidError as error:
                seen.append(error)

        many = [threading.Thread(target=read) for _ in range(3)]
        [t.start() for t in many]
        module.close()
        [t.join() for t in many]
        refused(pz.InvalidError, "module", module.read, "weight")


def changing():
    """a module that threads read, and register and remove at the same time"""
    module = pz.Module()
    module.add("weight", x)
    wrong = []

    def work(step):
        for _ in range(200):
            try:
                step()
            except pz.Error:
                pass  # refused, by one that came first
            except BaseException as error:
                wrong.append(error)

    def change():
        module.register("weight", "skew,cayley")
        module.remove("weight")

    steps = [change, change, lambda: module.read("weight"), lambda: module.chain("weight"), module.tensors, lambda: str(module)]
    many = [threading.Thread(target=work, args=(step,)) for step in steps]
    [t.start() for t in many], [t.join() for t in many]
    assert not wrong, wrong[0]
    assert np.isfinite(module.read("weight")).all()


def forks():
    """a child of fork computes, and makes more modules"""
    expected = pz.apply("skew,cayley", x)
    big = random.standard_normal((100, 100))
    value = pz.apply("skew,cayley", big)
    child = os.fork()
    if child == 0:
        same = (pz.apply("skew,cayley", x) == expected).all() and (pz.apply("skew,cayley", big) == value).all()
        module = pz.Module()
        module.add("weight", x)
        os._exit(0 if same and (module.read("weight") == x).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


main([names, arrays, values, threads, closing, changing, forks])
