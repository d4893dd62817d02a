# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Non-normal matrices on which exponentials lose digits.

From the literature, by name: Ward 1977; Moler, Van Loan 2003; Kenney, Laub 1998; Dieci, Papini 2000;
Najfeld, Havel 1995; Al-Mohy, Higham 2009; the ones of Burkardt's collection in SciPy's
test_matfuncs.py. From Higham's Matrix Computation Toolbox (MATLAB's gallery): the families of
`gallery`. From practice: zero-order holds, rigid motions, HiPPO (Gu et al. 2020). Random: Schur
forms, eigenvectors of large condition, gradings."""

import math

import numpy as np


def named():
    e = np.finfo(float).eps
    ward4 = np.diag(np.ones(9), 1)
    ward4[-1, 0] = 1e-10
    companion = np.diag(np.ones(3), 1)
    companion[3] = [-0.05, -1.1e9, -9e18, 1e-12]
    found = {
        "companion, graded": companion,
        "companion, graded, transposed": companion.T,
        "burkardt 1": [[1, 0], [0, 2]],
        "burkardt 2": [[1, 3], [3, 2]],
        "burkardt 3": [[0, 1], [-39, -40]],
        "moler van loan": [[-49, 24], [-64, 31]],
        "burkardt 5": np.diag(np.full(3, 6.0), 1),
        "burkardt 6": [[1, 1], [0, 1]],
        "burkardt 7": [[1 + e, 1], [0, 1 - e]],
        "burkardt 8": [[21, 17, 6], [-5, -1, -6], [4, 4, 16]],
        "burkardt 9": [[1, 2, 2, 2], [3, 1, 1, 2], [3, 2, 1, 2], [3, 3, 3, 1]],
        "ward 1": [[4, 2, 0], [1, 4, 1], [1, 1, 4]],
        "ward 2": [
            [29.87942128909879, 0.7815750847907159, -2.289519314033932],
            [0.7815750847907159, 25.72656945571064, 8.680737820540137],
            [-2.289519314033932, 8.680737820540137, 34.39400925519054],
        ],
        "ward 3": [[-131, 19, 18], [-390, 56, 54], [-387, 57, 52]],
        "ward 4": ward4,
        "burkardt 14": [[0, 1e-8, 0], [-(2e10 + 4e8 / 6), -3, 2e10], [200 / 3, 0, -200 / 3]],
        "kenney laub": [[48, -49, 50, 49], [0, -2, 100, 0], [0, -1, -2, 1], [-50, 50, 50, -52]],
        "dieci papini 1": [[1, 1e6], [0, -1]],
        "dieci papini 2": [[-0.1, 1e6], [0, -0.1]],
        "najfeld havel": [[1, 1e7], [0, -1]],
        "al-mohy higham": [[0, 2e4, 0], [0, -1, 1], [0, 0, -1]],
        "spread, lower": [[-60, 0], [500, 1]],
        "spread, upper": [[-60, 1], [0, 1]],
    }
    for b in 1e2, 1e4, 1e6, 1e8, 1e15:
        found[f"[1 {b:g}; 0 -1]"] = [[1, b], [0, -1]]
    return {name: np.array(x, float) for name, x in found.items()}


def hippo(n):
    i = np.arange(n)
    root = np.sqrt(2.0 * i + 1)
    return -np.tril(np.outer(root, root), -1) - np.diag(i + 1.0)


def gallery(n):
    i = np.arange(1, n + 1.0)
    row, col = np.meshgrid(i, i, indexing="ij")
    ones = np.ones((n, n))
    shift = np.diag(np.ones(n - 1), 1)
    forsythe = shift.copy()
    forsythe[-1, 0] = 1e-8
    smoke = np.diag(np.cos(2 * np.pi * i / n)) + shift
    smoke[-1, 0] = 1
    s, c = 0.3, math.sqrt(1 - 0.09)
    companion = shift.T.copy()
    companion[0] = -np.cumprod(i)
    node = np.cos(np.pi * np.arange(n) / (n - 1))
    weight = np.where(np.isin(i, (1, n)), 2, 1) * (-1.0) ** np.arange(n)
    cheb = np.outer(weight, 1 / weight) / (node[:, None] - node + np.eye(n))
    lotkin = 1 / (row + col - 1)
    lotkin[0] = 1
    return {
        "jordbloc": 0.5 * np.eye(n) + shift,
        "forsythe": forsythe,
        "frank": np.where(col >= row - 1, n + 1 - np.maximum(row, col), 0.0),
        "grcar": np.triu(np.tril(ones, 3)) - shift.T,
        "kahan": np.diag(s ** np.arange(n)) @ (np.eye(n) - c * np.triu(ones, 1)),
        "lesp": np.diag(-(2 * i + 3)) + np.diag(i[1:], 1) + np.diag(1 / i[1:], -1),
        "triw": np.eye(n) - np.triu(ones, 1),
        "triw, 20, nilpotent": -20 * np.triu(ones, 1),
        "chow": np.tril(ones, 1),
        "clement": np.diag(np.arange(n - 1.0, 0, -1), 1) + np.diag(np.arange(1.0, n), -1),
        "lotkin": lotkin,
        "parter": 1 / (row - col + 0.5),
        "redheff": 1.0 * ((col % row == 0) | (col == 1)),
        "riemann": np.where((col + 1) % (row + 1) == 0, row, -1.0),
        "smoke": smoke,
        "toeppen": shift.T * -10 + shift * 10 + np.diag(np.ones(n - 2), 2) + np.diag(np.ones(n - 2), -2),
        "companion": companion,
        "vander": (i[:, None] / n) ** (n - i),
        "pascal": np.array([[math.comb(a, b) for b in range(n)] for a in range(n)], float),
        "chebspec": cheb - np.diag(cheb.sum(1)),
        "hippo": hippo(n),
    }


def zero_order_hold(rng, n, inputs, size):
    x = np.zeros((n + inputs, n + inputs))
    x[:n, :n] = rng.standard_normal((n, n)) - np.eye(n)
    x[:n, n:] = rng.standard_normal((n, inputs)) * size
    return x


def rigid_motion(rng, size):
    a, b, c = rng.standard_normal(3)
    x = np.zeros((4, 4))
    x[:3] = [[0, -c, b, 0], [c, 0, -a, 0], [-b, a, 0, 0]]
    x[:3, 3] = rng.standard_normal(3) * size
    return x


def random(rng, n, k):
    """Of order n; what is large is of size k."""
    dense = rng.standard_normal
    strict = np.triu(dense((n, n)), 1) * k
    q = np.linalg.qr(dense((n, n)))[0]
    v = dense((n, n)) * np.logspace(0, np.log10(k), n)
    grade = np.logspace(0, np.log10(k), n)
    schur = np.triu(dense((n, n))) + strict
    half = n // 2
    block = dense((n, n))
    block[half:, :half] = 0
    block[:half, half:] *= k
    return {
        "schur": q @ schur @ q.T,
        "vectors": v @ np.diag(dense(n)) @ np.linalg.inv(v),
        "graded": dense((n, n)) * np.outer(grade, 1 / grade),
        "triangle and noise": schur + np.tril(dense((n, n)) * 1e-16, -1),
        "triangle": schur,
        "lower triangle": schur.T,
        "block triangle": block,
    }


def collection(rng):
    """Pairs of a name and a matrix, and of zero-order holds the order of the first block."""
    found = [(name, x, 0) for name, x in named().items()]
    for n in 3, 4, 5, 6, 8, 10:
        for name, x in gallery(n).items():
            found += [(f"{name}, n = {n}, t = {t}", x * t, 0) for t in (1, 10)]
    for n, inputs in (1, 1), (2, 1), (4, 2), (6, 2):
        for size in 1, 3e4, 1e8:
            found.append((f"zero-order hold {n} + {inputs}, {size:g}", zero_order_hold(rng, n, inputs, size), n))
    found += [(f"rigid motion {size:g}", rigid_motion(rng, size), 3) for size in (1, 1e4, 1e7)]
    for n in 2, 3, 4, 6, 8:
        for k in 1, 1e2, 1e4, 1e6:
            found += [(f"{name}, n = {n}, k = {k:g}", x, 0) for name, x in random(rng, n, k).items()]
    found.append(("hippo, n = 32, t = 10", 10 * hippo(32), 0))
    return found
