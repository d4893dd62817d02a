# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""matrix_exp against mpmath and SciPy on non-normal matrices, values and gradients, on every device:

  |error| <= max(10 times SciPy's, 20 n eps cond_exp(X)) in the 1-norm (10 is enough for all but
  a dense Schur form of order 6),
  diagonal blocks of zero-order holds, and diagonals of triangles, to 100 n eps each.

A matrix counts if it determines a digit (20 n eps cond < 1, and SciPy finds one, as cond is computed
in float64 too) and its exponential is in range."""

import scipy_python  # first: chooses the interpreter

import sys
import warnings

import mpmath
import numpy as np
import scipy.linalg

from command import *
from matrices import collection
from tap import Skip, main

EXACT_GRADIENT = 10  # orders up to which gradients are computed exactly: of twice the order
PLAIN = 33           # the order from which the cpu backend has no operation for exponentials


def exact(x):
    with mpmath.workdps(120 + int(8 * np.log10(1 + np.abs(x).sum(0).max()))):
        y = mpmath.expm(mpmath.matrix(x.astype(float).tolist()), method="taylor")
        return np.array([[float(y[i, j]) for j in range(len(x))] for i in range(len(x))])


def exact_both(x, g):
    """exp(X) and L(X^T, G), the gradient at X for G."""
    n = len(x)
    both = exact(np.block([[x.T, g], [np.zeros((n, n)), x.T]]))
    return both[:n, :n].T, both[:n, n:]


class Case:
    def __init__(self, name, x, block, rng):
        self.name, self.x, self.block = name, x, block
        n = len(x)
        self.g = rng.standard_normal((n, n)).astype(x.dtype)
        self.eps = np.finfo(x.dtype).eps
        wide = x.astype(float)
        self.counts = False
        if np.abs(np.linalg.eigvals(wide).real).max() > 80 or not np.isfinite(scipy.linalg.expm(wide)).all():
            return
        try:
            self.cond = scipy.linalg.expm_cond(wide) if n <= EXACT_GRADIENT else 0.0
        except ValueError:  # it overflows
            return
        self.bound = 20 * n * self.eps * self.cond
        if not self.bound < 1:
            return
        self.y, self.gx = exact_both(wide, self.g) if n <= EXACT_GRADIENT else (exact(wide), None)
        largest = np.finfo(x.dtype).max / 1000
        self.counts = np.abs(self.y).max() < largest and (self.gx is None or np.abs(self.gx).max() < largest)
        if self.counts:
            self.scipy = error(scipy.linalg.expm(x), self.y)
            self.counts = self.scipy < 0.1
            if self.gx is not None:
                self.scipy_g = error(scipy.linalg.expm_frechet(x.T, self.g, compute_expm=False), self.gx)

    def complaints(self, y, gx):
        n = len(self.x)
        found = error(y, self.y)
        if not found <= max(10 * self.scipy, self.bound, 10 * n * self.eps):
            yield f"value {found / self.eps:.3g} eps, SciPy {self.scipy / self.eps:.3g}, bound {self.bound / self.eps:.3g}"
        if self.gx is not None:
            found = error(gx, self.gx)
            if not found <= max(10 * self.scipy_g, self.bound, 10 * n * self.eps):
                yield f"gradient {found / self.eps:.3g} eps, SciPy {self.scipy_g / self.eps:.3g}, bound {self.bound / self.eps:.3g}"
        if self.block:
            first, second = slice(0, self.block), slice(self.block, n)
            for part in first, second:
                if not error(y[part, part], self.y[part, part]) <= 100 * n * self.eps:
                    yield f"diagonal block {error(y[part, part], self.y[part, part]) / self.eps:.3g} eps"
        if not np.tril(self.x, -1).any() or not np.triu(self.x, 1).any():
            d = np.diag(self.y)
            normal = np.abs(d) > np.finfo(self.x.dtype).tiny
            each = np.abs(np.diag(y) - d)[normal] / np.abs(d)[normal]
            if normal.any() and not each.max() <= 100 * n * self.eps:
                yield f"diagonal {each.max() / self.eps:.3g} eps"


def error(found, expected):
    return np.linalg.norm(found.astype(float) - expected, 1) / np.linalg.norm(expected, 1)


def padded(x):
    out = np.zeros((PLAIN, PLAIN), x.dtype)
    out[: len(x), : len(x)] = x
    return out


def compute(cases, device, pad):
    """Values and gradients of cases of one order and type: alone, or as the first block of larger matrices."""
    x = np.array([padded(c.x) if pad else c.x for c in cases])
    g = np.array([padded(c.g) if pad else c.g for c in cases])
    np.save("x.npy", x), np.save("g.npy", g)
    good("apply", "-p", "matrix_exp", "x.npy", "-o", "y.npy", "--device", device, "--force")
    good("vjp", "-p", "matrix_exp", "x.npy", "--grad", "g.npy", "-o", "gx.npy", "--device", device, "--force")
    n = len(cases[0].x)
    return np.load("y.npy")[:, :n, :n], np.load("gx.npy")[:, :n, :n]


warnings.simplefilter("ignore")
cases = []


def prepare():
    """at least 300 matrices in each type"""
    rng = np.random.default_rng(seed)
    matrices = collection(rng)
    for dtype in np.float32, np.float64:
        made = [Case(name, x.astype(dtype), block, rng) for name, x, block in matrices]
        counted = [c for c in made if c.counts]
        print(f"# {dtype.__name__}: {len(counted)} of {len(made)} matrices count")
        assert len(counted) >= 300, len(counted)
        cases.extend(counted)


def on(device, pad=False):
    def check():
        folder(device.replace(":", "-") + ("-padded" if pad else ""))
        if device not in devices:
            raise Skip(f"no device {device}")
        bad = 0
        for dtype in np.float32, np.float64:
            for n in sorted({len(c.x) for c in cases}):
                if pad and n > 10:
                    continue
                same = [c for c in cases if len(c.x) == n and c.x.dtype == dtype]
                if not same:
                    continue
                y, gx = compute(same, device, pad)
                single = same[:4]  # one alone takes another way than a batch
                for c in single:
                    y1, gx1 = compute([c], device, pad)
                    y, gx = np.concatenate([y, y1]), np.concatenate([gx, gx1])
                for c, its_y, its_gx in zip(same + single, y, gx):
                    for text in c.complaints(its_y, its_gx):
                        bad += 1
                        print(f"# {c.name}, {dtype.__name__}: {text}")
        assert bad == 0, f"{bad} complaints"

    check.__doc__ = f"errors on {device}" + (f", in matrices of order {PLAIN}" if pad else "")
    return check


devices = [line.split()[0] for line in good("list").splitlines() if line]
main([prepare, on("reference"), on("cpu"), on("cpu", pad=True), on("opencl:0")])
