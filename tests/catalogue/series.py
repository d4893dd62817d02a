# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""stationary and stable_diagonal by the command, against NumPy on reference and cpu."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "command"))

from command import *
from tap import Skip, main

try:
    import numpy as np
except ImportError:
    np = None

devices = "reference", "cpu"


def apply(chain, x, device):
    np.save("x.npy", x)
    good("apply", "-p", chain, "x.npy", "-o", "y.npy", "--device", device, "--force")
    return np.load("y.npy")


def constrain(x):
    """constrain_stationary_univariate of statsmodels, on rows"""
    r = x / np.sqrt(1 + x**2)
    y = r[..., :0]
    for k in range(x.shape[-1]):
        y = np.concatenate((y + r[..., k : k + 1] * y[..., ::-1], r[..., k : k + 1]), -1)
    return -y


def definition():
    """stationary of arcsinh(-x) is constrain_stationary_univariate(x) of statsmodels"""
    folder("definition")
    random = np.random.default_rng(seed)
    for device in devices:
        for shape in (3, 1), (2, 5, 2), (33, 7), (1, 100), (0, 3), (4, 0):
            x = random.standard_normal(shape) / 2
            y, expected = apply("stationary", np.arcsinh(-x), device), constrain(x)
            assert y.shape == shape
            assert np.abs(y - expected).max(initial=0) <= 10 * shape[-1] * 2e-16 * np.abs(expected).max(initial=1)


def roots():
    """the roots of 1 - sum of a_j z^j are outside the unit circle"""
    folder("roots")
    random = np.random.default_rng(seed)
    for p in range(1, 8):
        for a in apply("stationary", random.standard_normal((50, p)), "cpu"):
            assert np.abs(np.roots([*-a[::-1], 1])).min() > 1


def extremes():
    """originals of +-1e4 give roots on the circle and gradients of 0; NaN stays in its row"""
    folder("extremes")
    for device in devices:
        for dtype in np.float32, np.float64:
            x = np.array([[1e4, 1e4, 1e4, 1e4], [-1e4, 1e4, -1e4, 1e4], [0, np.nan, 0, 0], [1, 2, 1e-30, 0]], dtype)
            y = apply("stationary", x, device)
            assert (y[0] == [-2, 0, 2, 1]).all() and (y[1] == [2, 0, -2, 1]).all()
            assert np.isnan(y[2]).any() and np.isfinite(y[3]).all()
            good("vjp", "-p", "stationary", "x.npy", "--grad", "y.npy", "-o", "g.npy", "--device", device, "--force")
            g = np.load("g.npy")
            assert (g[:2] == 0).all() and np.isfinite(g[3]).all() and g[3].all()


def uniform():
    """samples are uniform: of order 2 in the triangle with the corners (-2, -1), (2, -1), (0, 1)"""
    folder("uniform")
    n = 100000
    good("sample", "-p", "stationary", n, 2, "-o", "a.npy", "--dtype", "float64", "--seed", seed, "--device", "cpu")
    a, b = np.load("a.npy").T
    assert (b + abs(a) < 1).all() and (b > -1).all()
    for x, mean, variance in (a, 0, 2 / 3), (b, -1 / 3, 2 / 9):
        assert abs(x.mean() - mean) < 5 * (variance / n) ** 0.5
        assert abs(x.var() / variance - 1) < 5 * (2 / n) ** 0.5  # more than of normal numbers: these have bounds


def eigenvalues():
    """stable_diagonal is the exponential of complex numbers, finite for originals of +-1e4"""
    folder("eigenvalues")
    random = np.random.default_rng(seed)
    for device in devices:
        x = random.standard_normal((7, 3, 2)) * 3
        y, expected = apply("stable_diagonal", x, device), np.exp(-np.exp(x[..., 0]) + 1j * x[..., 1])
        assert np.abs(y[..., 0] + 1j * y[..., 1] - expected).max() < 1e-14
        x = np.array([[1e4, 1], [-1e4, 1e4], [1e-30, -1e-30]])
        y = apply("stable_diagonal", x, device)
        good("vjp", "-p", "stable_diagonal", "x.npy", "--grad", "y.npy", "-o", "g.npy", "--device", device, "--force")
        assert (y[0] == 0).all() and np.isfinite(y).all() and np.isfinite(np.load("g.npy")).all()
        y = apply("stable_diagonal(form=s4d)", x / 100, device)
        assert np.allclose(y, -np.exp(x / 100), rtol=1e-14, atol=0)


def refusals():
    """values outside, on the boundary and not finite, and shapes"""
    folder("refusals")
    lru, s4d = "stable_diagonal", "stable_diagonal(form=s4d)"
    for device in devices:
        for chain, a, says in (
            ("stationary", [0.5, 1.4], "found a partial autocorrelation of magnitude 1.4, expected less than 1"),
            ("stationary", [0.5, 1], "found a partial autocorrelation of magnitude 1, which no original reaches"),
            ("stationary", [1.0, 0.5], "found a partial autocorrelation of magnitude 2, expected less than 1"),
            ("stationary", [0.5, float("nan")], "found an entry that is not finite, expected a partial autocorrelation of magnitude less than 1"),
            ("stationary", 0.5, "found 0 dimensions, expected rows of coefficients"),
            (lru, [0.8, 0.9], "found an eigenvalue of modulus 1.20415946, expected less than 1"),
            (lru, [0, -1], "found an eigenvalue of modulus 0 or 1, which no original reaches"),
            (lru, [0, 0], "found an eigenvalue of modulus 0 or 1, which no original reaches"),
            (lru, [0.5, 0, 0], "found 3 numbers in the last dimension, expected 2, nu and theta"),
            (s4d, [-1, 0.25], "found an eigenvalue of 0.25, expected less than 0"),
            (s4d, [-1, 0], "found an eigenvalue of 0, which no original reaches"),
        ):
            np.save("a.npy", np.array(a, float))
            refused("invert", "-p", chain, "a.npy", "-o", "x.npy", "--device", device, says=says)


if np is None:
    print("1..0 # SKIP no NumPy")
else:
    main([definition, roots, extremes, uniform, eigenvalues, refusals])
