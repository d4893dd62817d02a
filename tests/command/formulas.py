# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The formulas of the parametrizations in NumPy, for real and complex numbers."""

import numpy as np


def transposed(x):
    return np.swapaxes(x, -1, -2)


def skew(x):
    return np.triu(x, 1) - transposed(np.triu(x, 1))


def symmetric(x):
    return np.triu(x) + transposed(np.triu(x, 1))


def cayley(x):
    one = np.eye(x.shape[-1])
    return np.linalg.solve(transposed(one - x), transposed(one + x)).swapaxes(-1, -2)


def matrix_exp(x):
    """Scaling and squaring in double precision: 18 terms at norm 1/16 and less."""
    norm = np.abs(x).sum(axis=-2).max(initial=1e-300)
    squarings = max(0, int(np.ceil(np.log2(norm))) + 4)
    x = x / 2.0**squarings
    y = term = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, 19):
        term = term @ x / k
        y = y + term
    for _ in range(squarings):
        y = y @ y
    return y


chains = {
    "skew,cayley": lambda x: cayley(skew(x)),
    "skew,matrix_exp": lambda x: matrix_exp(skew(x)),
    "symmetric,matrix_exp": lambda x: matrix_exp(symmetric(x)),
    "cayley": cayley,
    "matrix_exp": matrix_exp,
}


def defect(q):
    return np.abs(transposed(q) @ q - np.eye(q.shape[-1])).max(axis=(-1, -2), initial=0)


def relative(a, b):
    return np.linalg.norm((a - b).ravel()) / max(np.linalg.norm(b.ravel()), 1e-300)
