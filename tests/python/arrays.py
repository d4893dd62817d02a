# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What the package computes on arrays, against NumPy. usage: arrays.py PLUGIN"""

import package_python  # first: skips without NumPy

import array
import sys

import numpy as np
import parametrize as pz
from package_python import random
from tap import main

eps = np.finfo(np.float64).eps


def cayley(x):
    """The rotation of the strict upper triangle of x."""
    a = np.triu(x, 1)
    a = a - a.swapaxes(-1, -2)
    one = np.eye(x.shape[-1])
    return (one + a) @ np.linalg.inv(one - a)


def near(found, expected, factor=100):
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    eps_ = np.finfo(found.dtype).eps
    assert found.shape == expected.shape, (found.shape, expected.shape)
    error = np.abs(found - expected).max(initial=0.0)
    assert error <= factor * found.shape[-1] * eps_ * scale, error


def values():
    """apply: every size, batch, layout and dtype, small ones again and again"""
    for shape in ((1, 1), (3, 3), (20, 20), (40, 40), (4, 3, 3), (2, 3, 5, 5), (0, 3, 3)):
        x = random.standard_normal(shape)
        expected = cayley(x)
        for _ in range(3):
            near(pz.apply("skew,cayley", x), expected)
        near(pz.apply("skew,cayley", x.astype(np.float32)), cayley(x.astype(np.float32).astype(np.float64)).astype(np.float32))
        near(pz.apply("skew,cayley", np.asfortranarray(x)), expected)
        near(pz.apply("skew,cayley", np.repeat(x, 2, axis=-1)[..., ::2]), expected)
        near(pz.apply("skew,cayley", x[..., ::-1]), cayley(x[..., ::-1]))
        near(pz.apply("skew,cayley", x.astype(">f8")), expected)
        near(pz.apply("skew,cayley", x, device="reference"), expected)
    wide = np.broadcast_to(random.standard_normal((3, 3)), (4, 3, 3))
    near(pz.apply("skew,cayley", wide), cayley(wide))
    odd = np.zeros(9 * 8 + 1, np.uint8)[1:].view(np.float64).reshape(3, 3)
    odd[...] = random.standard_normal((3, 3))
    near(pz.apply("skew,cayley", odd), cayley(np.array(odd)))


def results_are_kept():
    """a value is not overwritten by the next call"""
    x = random.standard_normal((3, 3))
    first, second = pz.apply("skew,cayley", x), pz.apply("skew,cayley", 2 * x)
    third = pz.apply("skew,cayley", 3 * x)
    near(first, cayley(x)), near(second, cayley(2 * x)), near(third, cayley(3 * x))
    big = random.standard_normal((64, 64))
    first, second = pz.apply("skew,cayley", big), pz.apply("skew,cayley", 2 * big)
    near(first, cayley(big)), near(second, cayley(2 * big))


def into_out():
    """apply into an array of the caller, also over its own input"""
    for n in (3, 40):
        x = random.standard_normal((n, n))
        expected = cayley(x)
        out = np.zeros((n, 2 * n))
        got = pz.apply("skew,cayley", x, out=out[:, ::2])
        near(got, expected), near(out[:, ::2], expected)
        assert not out[:, 1::2].any()
        pz.apply("skew,cayley", x, out=x)
        near(x, expected)


def other_holders():
    """DLPack and the buffer protocol, both ways, without a copy"""
    data = array.array("d", random.standard_normal(9))
    square = memoryview(data).cast("B").cast("d", (3, 3))
    near(pz.apply("skew,cayley", square), cayley(np.asarray(square)))
    x = random.standard_normal((3, 3))

    class Other:
        def __dlpack__(self, **options):
            return x.__dlpack__(**options)

        def __dlpack_device__(self):
            return x.__dlpack_device__()

    near(pz.apply("skew,cayley", Other()), cayley(x))
    value = pz.apply("skew,cayley", x)
    again = np.from_dlpack(value)
    assert again.__array_interface__["data"][0] == value.__array_interface__["data"][0]
    bound = pz.Chain("skew,cayley", x)
    bound.apply(x)
    assert bound._bound[0] is x


def derivatives():
    """vjp and jvp against differences, and against each other"""
    for chain, shape in (("skew,cayley", (5, 5)), ("symmetric,matrix_exp", (2, 4, 4)), ("positive", (7,))):
        x, dx = random.standard_normal(shape), random.standard_normal(shape)
        y = pz.apply(chain, x)
        gy = random.standard_normal(y.shape)
        gx, dy = pz.vjp(chain, x, gy), pz.jvp(chain, x, dx)
        h = 1e-6
        difference = (pz.apply(chain, x + h * dx) - pz.apply(chain, x - h * dx)) / (2 * h)
        assert np.abs(dy - difference).max() <= 1e-6 * np.abs(dy).max()
        assert abs((gx * dx).sum() - (gy * dy).sum()) <= 1e-11 * np.abs(gy).sum() * np.abs(dy).max()


def several_originals():
    """weight_norm: a magnitude and a direction"""
    g, v = random.standard_normal((4, 1)), random.standard_normal((4, 3))
    norm = np.linalg.norm(v, axis=1, keepdims=True)
    near(pz.apply("weight_norm", (g, v)), g * v / norm)
    gy = random.standard_normal((4, 3))
    gg, gv = pz.vjp("weight_norm", (g, v), gy)
    near(gg, (gy * v / norm).sum(1, keepdims=True))
    assert gv.shape == v.shape
    back = pz.invert("weight_norm", v)
    near(back[0], norm), near(back[1], v)
    chain = pz.Chain("weight_norm", value=v)
    assert [s.shape for s in chain.originals] == [(4, 1), (4, 3)] and chain.value.shape == (4, 3)
    pair = pz.Chain("weight_norm", (((4, 1), "f8"), ((4, 3), "f8")))
    near(pair.apply((g, v)), g * v / norm)


def inverses():
    """invert, residual and sample"""
    q = pz.sample("skew,cayley", (6, 6), "float64")
    near(q.T @ q, np.eye(6))
    near(pz.apply("skew,cayley", pz.invert("skew,cayley", q)), q)
    assert pz.residual("skew,cayley", q) <= 100 * eps
    assert abs(pz.residual("skew,cayley", 2 * q) - 3) <= 1e-12
    pz.seed(5)
    first = pz.sample("skew,cayley", (3, 3))
    assert first.dtype == np.float32
    pz.seed(5)
    assert (pz.sample("skew,cayley", (3, 3)) == first).all()
    assert (pz.sample("skew,cayley", (3, 3)) != first).any()


def densities():
    """log_abs_det of exp and of the Cayley transform"""
    x = random.standard_normal((7,))
    near(np.atleast_1d(pz.log_abs_det("positive", x).sum()), np.atleast_1d(x.sum()))
    x = random.standard_normal((4, 3, 3))
    assert pz.log_abs_det("skew,cayley", x).shape == (4,)


def own_tensors():
    """a chain with a state keeps it, and gives and takes it"""
    q = np.linalg.qr(random.standard_normal((5, 5)))[0]
    if np.linalg.det(q) > 0:
        q[:, 0] *= -1
    chain = pz.Chain("cayley(signs=1)", value=q)
    x = chain.invert(q)
    near(chain.apply(x), q)
    (name, signs), = chain.state.items()
    assert name == "0.signs" and (signs == -1).sum() % 2 == 1
    other = pz.Chain("cayley(signs=1)", x)
    other.state = chain.state
    near(other.apply(x), q)
    w = random.standard_normal((6, 4))
    chain = pz.Chain("spectral_norm", w)
    for _ in range(200):
        assert chain.update(w) is not w
    assert abs(np.linalg.norm(chain.apply(w), 2) - 1) <= 1e-6
    masked = pz.Chain("pruning(p_drop=0.5,seed=7)", ((20, 20), "f8"))
    ones = np.ones((20, 20))
    assert (masked.apply(ones) == masked.apply(ones)).all() and 0 < masked.apply(ones).sum() < 400


def tensor_options():
    """a tensor as an option"""
    low = np.array([1.0, 2.0, 3.0])
    x = random.standard_normal((5, 3))
    near(pz.Chain("lower_bound", x, options={"bound": low}).apply(x), low + np.exp(x))


def found():
    """maps, devices, plugins of one's own, headers"""
    ids = [m.id for m in pz.list_maps()]
    assert ids == sorted(ids) and {"skew", "cayley", "orthogonal"} <= set(ids)
    assert "cayley" in [m.id for m in pz.list_maps("orthogonal")] and "positive" not in [m.id for m in pz.list_maps("orthogonal")]
    assert [o.name for o in pz.find_map("pruning").options] == ["p_drop", "seed"], pz.find_map("pruning").options
    pz.add_plugin(sys.argv[1])
    assert "bounded" in [m.id for m in pz.list_maps()]
    x = random.standard_normal((4,))
    assert np.isfinite(pz.apply("bounded", x)).all()
    assert pz.version() == pz.__version__


main([values, results_are_kept, into_out, other_holders, derivatives, several_originals, inverses, densities, own_tensors, tensor_options, found])
