# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""A dozen exponentials on which digits were lost, for tests that have no mpmath.

usage: known.py > tests/plugin/exponential_known.h"""

import mpmath
import numpy as np

from matrices import hippo, named

found = named()
half = np.array([[-0.5, 2], [-1, -0.25]])
cases = {  # matrix; order of its first diagonal block, 1 for a triangle, 0 for none; amplification
    "[1 1e6; 0 -1]": (found["[1 1e+06; 0 -1]"], 1, 1),
    "[1 1e15; 0 -1]": (found["[1 1e+15; 0 -1]"], 1, 1),
    "graded companion": (found["companion, graded"], 0, 1e8),
    "zero-order hold": ([[-0.5, 2, 3e4], [-1, -0.25, -1e4], [0, 0, 0]], 2, 1),
    "rigid motion": ([[0, -0.75, -1, 1e4], [0.75, 0, -0.5, -2e4], [1, 0.5, 0, 15e3], [0, 0, 0, 0]], 3, 1),
    "spread": ([[1, 0], [512, -60]], 1, 1),
    "two steps": ([[1, 1e4, 0], [0, -2, 1e4], [0, 0, 0.5]], 1, 1),
    "al-mohy higham": (found["al-mohy higham"], 1, 1),
    "moler van loan": (found["moler van loan"], 0, 40),
    "kenney laub": (found["kenney laub"], 0, 100),
    "hippo": (10 * hippo(6), 1, 10),
    "block triangle": (np.block([[half, 1e5 * half.T], [np.zeros((2, 2)), half @ half]]), 2, 1),
}


def exact(x, g):
    n = len(x)
    both = np.block([[x.T, g], [np.zeros((n, n)), x.T]])
    with mpmath.workdps(120 + int(8 * np.log10(1 + np.abs(both).sum(0).max()))):
        y = mpmath.expm(mpmath.matrix(both.tolist()), method="taylor")
        y = np.array([[float(y[i, j]) for j in range(2 * n)] for i in range(2 * n)])
    return y[:n, :n].T, y[:n, n:]


def numbers(x):
    return "{" + ", ".join(repr(float(v)) for v in np.asarray(x).ravel()) + "}"


print("""/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Made by tests/scipy/known.py: exponentials of non-normal matrices X, and their gradients at X for
   g = ((5 i) mod 7) / 2 - 1 in entry i, by mpmath with 120 digits and more. */

#ifndef TEST_PLUGIN_EXPONENTIAL_KNOWN_H
#define TEST_PLUGIN_EXPONENTIAL_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct known_exponential {
  const char* name;
  int64_t n;
  int64_t block;        /* order of the first diagonal block, 1 for a triangle, 0 for none */
  bool narrow;          /* float32 has its entries */
  double amplification; /* errors are at most 100 n eps of this */
  double x[36];
  double y[36];
  double gx[36];
} known_exponential;

static const known_exponential known_exponentials[] = {""")
for name, (x, block, amplification) in cases.items():
    x = np.array(x, float)
    n = len(x)
    g = ((5 * np.arange(n * n)) % 7 / 2 - 1).reshape(n, n)
    y, gx = exact(x, g)
    narrow = (x.astype(np.float32) == x).all() and np.abs(gx).max() < 1e30
    print(f'    {{.name = "{name}", .n = {n}, .block = {block}, .narrow = {str(narrow).lower()}, '
          f".amplification = {float(amplification)!r},")
    print(f"     .x = {numbers(x)},\n     .y = {numbers(y)},\n     .gx = {numbers(gx)}}},")
print("};\n\n#endif /* TEST_PLUGIN_EXPONENTIAL_KNOWN_H */")
