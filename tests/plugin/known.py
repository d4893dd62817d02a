# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What NumPy computes of orthogonal, weight_norm and spectral_norm in float64, for the headers
that the tests of these maps read: straight from the definitions, with dense matrices, and
gradients by complex steps.

usage: known.py norms|orthogonal            prints norms_known.h or orthogonal_known.h
       known.py norms|orthogonal HEADER     tests that a header says so, to 1e-12
"""

import re
import sys

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)

tables = {}


def wave(f, shape, step=1.0):
    """f(step), f(2 step) ... in C order."""
    return f(step * np.arange(1.0, np.prod(shape) + 1)).reshape(shape)


def gradient(value, x, g):
    """Of <g, value(x)>, exact to rounding: value takes complex numbers and does not conjugate."""
    out = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[k] += 1e-30j
        out[k] = (g * value(moved)).sum().imag / 1e-30
    return out


# ---- weight_norm and spectral_norm, of 2 x 2 x 3 tensors


def root(square):
    return np.sqrt(square)


def weight(dim, v, g):
    axes = tuple(k for k in range(v.ndim) if k != dim)
    return g * v / root((v * v).sum(axes, keepdims=True))


def weight_norms():
    v, gw = wave(np.sin, (2, 2, 3)), wave(np.cos, (2, 2, 3), 2.0)
    for dim in 0, 1, 2, None:
        n = 1 if dim is None else v.shape[dim]
        g = 1 + np.arange(n) / 2.0
        g = g.reshape([n if k == dim else 1 for k in range(3)])
        name = "all" if dim is None else dim
        tables[f"weight_value_{name}"] = weight(dim, v, g)
        tables[f"weight_gg_{name}"] = gradient(lambda x: weight(dim, v, x), g, gw)
        tables[f"weight_gv_{name}"] = gradient(lambda x: weight(dim, x, g), v, gw)


def power(m, v, eps, steps):
    for _ in range(steps):
        u = m @ v
        u = u / max(np.linalg.norm(u), eps)
        v = m.T @ u
        v = v / max(np.linalg.norm(v), eps)
    return u, v


def spectral_norms():
    w, g = wave(np.sin, (2, 2, 3)), wave(np.cos, (2, 2, 3), 2.0)
    for name, dim, eps in (0, 0, 1e-12), (1, 1, 1e-12), (2, 2, 1e-12), ("eps", 0, 2.5):
        m = np.moveaxis(w, dim, 0).reshape(w.shape[dim], -1)
        v = np.arange(1.0, m.shape[1] + 1)
        u, v = power(m, v / np.linalg.norm(v), eps, 2)
        value = lambda x: x / (u @ np.moveaxis(x, dim, 0).reshape(m.shape) @ v)
        tables[f"spectral_u_{name}"], tables[f"spectral_v_{name}"] = u, v
        tables[f"spectral_value_{name}"], tables[f"spectral_gw_{name}"] = value(w), gradient(value, w, g)
    start = np.arange(1.0, 4.0)
    pairs = [power(m, start / np.linalg.norm(start), 1e-12, 2) for m in w]
    u, v = (np.array(x) for x in zip(*pairs))
    value = lambda x: x / np.einsum("bi,bij,bj->b", u, x, v)[:, None, None]
    tables["spectral_u_batched"], tables["spectral_v_batched"] = u, v
    tables["spectral_value_batched"], tables["spectral_gw_batched"] = value(w), gradient(value, w, g)
    vector, along = w.ravel(), g.ravel()
    for name, eps in ("vector", 1e-12), ("short", 4.0):
        divisor = lambda x: root((x * x).sum()) if np.linalg.norm(vector) > eps else eps
        tables[f"spectral_value_{name}"] = vector / divisor(vector)
        tables[f"spectral_gw_{name}"] = gradient(lambda x: x / divisor(x), vector, along)


# ---- orthogonal: tall (4, 3), wide (3, 4) and square (3, 3)


def skew(x, n):
    """The n x n matrix whose columns begin with those of tril(x, -1)."""
    a = np.zeros((n, n), x.dtype)
    a[:, : x.shape[1]] = np.tril(x, -1)
    return a - a.T


def exponential(x, n):
    a = skew(x, n) / 64.0
    term = total = np.eye(n, dtype=a.dtype)
    for k in range(1, 25):
        term = term @ a / k
        total = total + term
    for _ in range(6):
        total = total @ total
    return total


def cayley(x, n):
    a, one = skew(x, n) / 2.0, np.eye(n)
    return np.linalg.solve(one - a, one + a)


def householder(x, n):
    product = np.eye(n, dtype=x.dtype)
    for j in range(x.shape[1]):
        u = np.zeros(n, x.dtype)
        u[j], u[j + 1 :] = 1.0, x[j + 1 :, j]
        product = product @ (np.eye(n) - 2.0 * np.outer(u, u) / (u @ u))
    return product


def diagonal_signs(x, threshold, fallback):
    d = np.diag(x).real
    return np.where(d > threshold, 1.0, np.where(d < -threshold, -1.0, fallback))


maps = {"exp": exponential, "cayley": cayley, "householder": householder}
diagonal = np.array([0.9, -0.8, 0.2])  # of originals: clear, clear, decayed
signs = np.array([-1.0, 1.0, -1.0])  # the buffer


def orthogonals():
    for name, shape in ("tall", (4, 3)), ("wide", (3, 4)), ("square", (3, 3)):
        n, k = max(shape), min(shape)
        turn = (lambda y: y.T) if shape[0] < shape[1] else (lambda y: y)
        x, g = wave(np.sin, shape, 0.7), wave(np.cos, shape, 2.0)
        np.fill_diagonal(x, diagonal)
        r = wave(np.cos, (n, k), 1.3)
        base = householder(r, n)
        base[:, :k] *= np.array([1.0, -1.0, 1.0])  # the diagonal of the reflectors
        tables[f"base_{name}"] = base
        a = turn(wave(lambda t: np.cos(t * t), shape, 1.3))
        q, upper = np.linalg.qr(a)
        tables[f"nearest_{name}"] = turn(q * np.sign(np.diag(upper)))
        for map_, q in maps.items():
            reflects = map_ == "householder"
            columns = {
                "plain": diagonal_signs(x, 0.0, -1.0) if reflects else np.ones(k),
                "signs": diagonal_signs(x, 0.5, signs) if reflects else signs,
                "base": diagonal_signs(x, 0.5, -1.0) if reflects else np.ones(k),
            }
            for state, d in columns.items():
                if map_ == "exp" and state == "signs":
                    continue
                p = base if state == "base" else np.eye(n)
                value = lambda x: turn(p @ (q(turn(x), n)[:, :k] * d))
                tables[f"{map_}_{state}_{name}"] = value(x)
                tables[f"{map_}_{state}_{name}_gx"] = gradient(value, x, g)


# ---- headers

heads = {
    "norms": """2 x 2 x 3
   tensors: weights sin(1) ... sin(12), gradients cos(2) ... cos(24), magnitudes 1, 1.5, 2 ...;
   for the power method two steps from v = (1, 2, 3 ...) / norm, with eps = 2.5 where the name
   says so; and of the same numbers as a vector, with eps = 4 where it is short.""",
    "orthogonal": """4 x 3, 3 x 4
   and 3 x 3 tensors: originals sin(0.7), sin(1.4) ... but 0.9, -0.8, 0.2 on the diagonal,
   gradients cos(2), cos(4) ...; the buffer of signs -1, 1, -1; the base of reflectors cos(1.3),
   cos(2.6) ... with 1, -1, 1 on the diagonal; and the factor Q of cos(1.3^2), cos(2.6^2)
   ... with a positive diagonal of R.""",
}


def header(which):
    guard = f"TEST_PLUGIN_{which.upper()}_KNOWN_H"
    lines = ["/* Copyright (c) 2026 the libparametrize authors", "   SPDX-License-Identifier: MIT */", ""]
    lines += [f"/* Made by known.py: what NumPy computed in double precision of {heads[which]} */", ""]
    lines += [f"#ifndef {guard}", f"#define {guard}", ""]
    for name, table in tables.items():
        lines.append(f"static const double {name}[] = {{{', '.join(repr(float(x)) for x in table.ravel())}}};")
    print("\n".join([*lines, "", f"#endif /* {guard} */"]))


def check(path):
    text = open(path, encoding="utf-8").read()
    found = dict(re.findall(r"static const double (\w+)\[\] = \{([^}]*)\}", text))
    assert sorted(found) == sorted(tables), sorted(set(found) ^ set(tables))
    for name, table in tables.items():
        numbers = np.array([float(x) for x in found[name].split(",")])
        assert numbers.shape == (table.size,) and np.abs(numbers - table.ravel()).max() <= 1e-12, name
    print(f"1..1\nok 1 - {len(tables)} tables of {path} are what NumPy computes")


if sys.argv[1] == "norms":
    weight_norms()
    spectral_norms()
else:
    orthogonals()
check(sys.argv[2]) if len(sys.argv) > 2 else header(sys.argv[1])
