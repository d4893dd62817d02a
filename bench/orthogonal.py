# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Value and gradient of orthogonal, this library's and PyTorch's by turns in one run.

usage: orthogonal.py BUILD [ROWS COLS [ROUNDS]]      (default 1024 16 5)

Prints milliseconds, the best of the rounds, each the mean of 20 steps for this library, and how many times faster. Without PyTorch the
library is measured alone. Needs NumPy.
"""

import resource
import sys
import time

import numpy as np

from library import Library

try:
    import torch
    from torch.nn.utils.parametrizations import orthogonal
except ImportError:
    torch = None

REPEAT = 20


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def averaged(body):
    """Many short steps as one."""

    def steps():
        for _ in range(REPEAT):
            body()

    return steps


def ours(library, map_, base, x, g):
    chain = library.chain(f"orthogonal(map={map_},trivialization={base})", x)

    def step():
        chain.forward()
        chain.vjp(g)

    return step


def theirs(map_, base, x, g):
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(torch.from_numpy(x.copy()))
    orthogonal(module, "weight", map_, use_trivialization=bool(base))
    gradient = torch.from_numpy(g)
    original = module.parametrizations.weight.original

    def step():
        original.grad = None
        module.weight.backward(gradient)

    return step


def main(build, rows=1024, cols=16, rounds=5):
    library = Library(build)
    random = np.random.default_rng(1)
    x = random.standard_normal((rows, cols)).astype(np.float32)
    g = random.standard_normal((rows, cols)).astype(np.float32)
    print(f"{rows} x {cols}, float32, value and gradient, milliseconds, best of {rounds}")
    print(f"{'map':12} {'base':>4} {'this':>10} {'PyTorch':>10} {'times':>8}")
    for map_ in "matrix_exp", "cayley", "householder":
        for base in 1, 0:
            steps = [averaged(ours(library, map_, base, x, g))] + ([theirs(map_, base, x, g)] if torch else [])
            best = [1e9] * len(steps)
            for step in steps:
                step()
            for _ in range(rounds):
                for k, step in enumerate(steps):
                    best[k] = min(best[k], timed(step))
            best[0] /= REPEAT
            other = f"{1e3 * best[1]:10.3f} {best[1] / best[0]:8.0f}" if torch else f"{'-':>10} {'-':>8}"
            print(f"{map_:12} {base:4} {1e3 * best[0]:10.3f} {other}", flush=True)
    print(f"resident set at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


main(sys.argv[1], *map(int, sys.argv[2:]))
