# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Value and gradient of orthogonal, this library's and PyTorch's by turns in one run.

usage: orthogonal.py BUILD [ROWS COLS [ROUNDS]]      (default 1024 16 5)

First the values and gradients of the same original and base must agree, to 1e-3. Then prints
milliseconds of a step (value and gradient, the original changed before it), the best of the
rounds, each the mean of 20 steps for this library; how many times faster; and the least and the
largest ratio of neighbouring rounds. Without PyTorch the library is measured alone, with its
peak memory. Needs NumPy.
"""

import resource
import sys
import time

import numpy as np

from library import ORIGINAL, STATE_BUFFER, Library, array

try:
    import torch
    from torch.nn.utils.parametrizations import orthogonal
except ImportError:
    torch = None

REPEAT = 20


def timed(body, repeat=1):
    start = time.perf_counter()
    for _ in range(repeat):
        body()
    return (time.perf_counter() - start) / repeat


def ours(library, map_, base, x, g):
    """A chain moved away from where registration left it, and a step on it."""
    chain = library.chain(f"orthogonal(map={map_},trivialization={base})", x)
    chain.tensor(ORIGINAL)[...] += np.tril(x, -1) / 10

    def step():
        chain.forward()
        chain.vjp(g)

    return step


def module_of(map_, base, x):
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(torch.from_numpy(x.copy()))
    orthogonal(module, "weight", map_, use_trivialization=bool(base))
    with torch.no_grad():
        module.parametrizations.weight.original.add_(torch.from_numpy(np.tril(x, -1) / 10))
    return module


def theirs(module, g):
    gradient = torch.from_numpy(g)
    original = module.parametrizations.weight.original

    def step():
        original.grad = None
        module.weight.backward(gradient)

    return step


def compare(library, map_, base, x, g, module):
    """Both on the same original, and on PyTorch's base."""
    chain = library.chain(f"orthogonal(map={map_},trivialization={base}{',base=dense' if base else ',signs=0'})", x)
    weight = module.parametrizations.weight
    chain.tensor(ORIGINAL)[...] = weight.original.detach().numpy()
    if base:
        chain.tensor(STATE_BUFFER)[...] = weight[0].base.numpy()
    value = module.weight
    weight.original.grad = None
    value.backward(torch.from_numpy(g))
    for found, expected in (array(chain.forward()), value.detach()), (chain.gradient, weight.original.grad):
        chain.vjp(g)
        off = np.abs(found - expected.numpy()).max() / expected.abs().max().item()
        assert off <= 1e-3, f"{map_}, base {base}: {off:.1e} from PyTorch's"


def main(build, rows=1024, cols=16, rounds=5):
    library = Library(build)
    random = np.random.default_rng(1)
    x = random.standard_normal((rows, cols)).astype(np.float32)
    g = random.standard_normal((rows, cols)).astype(np.float32)
    print(f"{rows} x {cols}, float32, value and gradient, milliseconds, best of {rounds}")
    print(f"{'map':12} {'base':>4} {'this':>10} {'PyTorch':>10} {'times':>8}   of each round")
    for map_ in "matrix_exp", "cayley", "householder":
        for base in 1, 0:
            step = ours(library, map_, base, x, g)
            module = module_of(map_, base, x) if torch else None
            other = theirs(module, g) if torch else None
            if torch:
                compare(library, map_, base, x, g, module)
            pairs = []
            timed(step, REPEAT)
            for _ in range(rounds):
                pairs.append((timed(step, REPEAT), timed(other) if torch else 0.0))
            mine, their = (min(times) for times in zip(*pairs))
            ratios = [b / a for a, b in pairs]
            line = f"{1e3 * their:10.3f} {their / mine:8.0f}   {min(ratios):.0f} .. {max(ratios):.0f}" if torch else ""
            print(f"{map_:12} {base:4} {1e3 * mine:10.3f} {line}", flush=True)
    if not torch:
        print(f"resident set at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


main(sys.argv[1], *map(int, sys.argv[2:]))
