# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The cases of performance.py in one process: BUILD THREADS ROUNDS ONLY. A line of JSON each."""

import ctypes
import json
import os
import sys
import time

import numpy as np

from library import ORIGINAL, Library, aligned, array

try:
    import torch
except ImportError:
    torch = None
try:
    import geotorch
except ImportError:
    geotorch = None

SMALL = [(4096, 3), (1024, 8), (1024, 16), (1024, 32)]
LARGE = [(1, n) for n in (64, 128, 256, 512, 1024)]
CASES = [
    ("skew", SMALL[:1] + [(131072, 3)] + LARGE + [(1, 2048)]),
    ("skew,cayley", SMALL + LARGE),
    ("skew,matrix_exp", [(4096, 2)] + SMALL[:3] + [(1, 64), (1, 256), (1, 1024)]),
    ("symmetric,matrix_exp", [(1024, 8), (1, 64), (1, 256)]),
    ("orthogonal(map=cayley,trivialization=0)", [(1, 64), (1, 256)]),
    ("orthogonal(map=matrix_exp,trivialization=0)", [(1, 64), (1, 256)]),
]


PAUSE = 0.0  # seconds before a measurement: threads of another library spin for some time


def seconds(body, repeat=1):
    time.sleep(PAUSE)
    start = time.perf_counter()
    for _ in range(repeat):
        body()
    return (time.perf_counter() - start) / repeat


def times_of(bodies, rounds):
    """Seconds of each body in each round, the bodies by turns."""
    repeats = [max(1, int(0.02 / max(seconds(body), 1e-7))) for body in bodies]
    return np.array([[seconds(body, repeat) for body, repeat in zip(bodies, repeats)] for _ in range(rounds)])


# ---- the machine's limits ------------------------------------------------------------


def product(dtype, n):
    """OpenBLAS's product of n x n matrices."""
    blas = ctypes.CDLL("libopenblas.so.0")
    real = ctypes.c_float if dtype == "float32" else ctypes.c_double
    gemm = blas.cblas_sgemm if dtype == "float32" else blas.cblas_dgemm
    a, b, c = (aligned(np.ones((n, n), dtype)) for _ in range(3))

    def body():
        gemm(101, 111, 111, n, n, n, real(1), a.ctypes.data_as(ctypes.c_void_p), n, b.ctypes.data_as(ctypes.c_void_p), n,
             real(0), c.ctypes.data_as(ctypes.c_void_p), n)

    return body


def copy(x):
    """A copy of as many bytes, between memory of the same alignment."""
    a, b = aligned(x), aligned(x)
    return lambda: ctypes.memmove(b.ctypes.data, a.ctypes.data, b.nbytes)


# ---- peers ------------------------------------------------------------------------------


def structured(chain, a):
    if chain.startswith("symmetric"):
        upper = a.triu()
        return upper + a.triu(1).transpose(-1, -2)
    upper = a.triu(1)
    return upper - upper.transpose(-1, -2)


def of_pytorch(chain, x, g):
    """Value, and value with gradient, in PyTorch's eager mode."""
    a = torch.from_numpy(x.copy()).requires_grad_()
    gradient = torch.from_numpy(g)
    identity = torch.eye(x.shape[-1], dtype=a.dtype)

    def value():
        s = structured(chain, a)
        if chain.endswith("cayley"):
            return torch.linalg.solve(identity - s, identity + s)
        return torch.linalg.matrix_exp(s) if chain.endswith("matrix_exp") else s

    def forward():
        with torch.no_grad():
            return value()

    def both():
        a.grad = None
        value().backward(gradient)
        return a.grad

    return forward, both


def of_module(parametrize, x, g):
    """A tensor of a module under PyTorch's mechanism, moved away from what it is registered with."""
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(torch.from_numpy(np.eye(g.shape[-1], dtype=g.dtype)))
    parametrize(module)
    gradient = torch.from_numpy(g.reshape(g.shape[-2:]))
    originals = list(module.parameters())
    with torch.no_grad():
        originals[0].add_(torch.from_numpy(np.tril(x[0], -1)))

    def forward():
        with torch.no_grad():
            return module.weight

    def both():
        for original in originals:
            original.grad = None
        module.weight.backward(gradient)

    return forward, both


def with_gesv(x):
    """The value by LAPACK's gesv; NumPy has no gradients."""
    identity = np.eye(x.shape[-1], dtype=x.dtype)

    def forward():
        upper = np.triu(x, 1)
        s = upper - upper.swapaxes(-1, -2)
        return np.linalg.solve(identity - s, identity + s)

    return forward


def peers_of(chain, x, g):
    """Names to (value, value with gradient or None), and those whose results are comparable."""
    peers = {}
    if torch and not chain.startswith("orthogonal"):
        peers["PyTorch"] = of_pytorch(chain, x, g)
    if chain == "skew,cayley":
        peers["gesv"] = with_gesv(x), None
    same = list(peers)
    if chain.startswith("orthogonal"):
        name = "cayley" if "cayley" in chain else "matrix_exp"
        if torch:
            peers["PyTorch"] = of_module(lambda module: torch.nn.utils.parametrizations.orthogonal(
                module, "weight", name, use_trivialization=False), x, g)
        if geotorch:
            peers["GeoTorch"] = of_module(lambda module: geotorch.orthogonal(
                module, "weight", "cayley" if name == "cayley" else "expm"), x, g)
    return peers, same


# ---- ours ----------------------------------------------------------------------------------


def expect_near(what, found, expected):
    distance = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30)
    if not distance < 1e-3:
        sys.exit(f"cases.py: {what} is {distance:.3g} away from the peer's")


def ours(library, chain, x, g):
    if chain.startswith("orthogonal"):
        made = library.chain(chain, np.eye(x.shape[-1], dtype=x.dtype))
        made.tensor(ORIGINAL)[...] += np.tril(x[0], -1)
        g = g.reshape(g.shape[-2:])
    else:
        made = library.bound(chain, x)

    view = library.view(g)

    def both():
        made.forward()
        made.vjp(view)

    return made, made.forward, both


CACHE = os.sysconf("SC_LEVEL3_CACHE_SIZE")


def products_of(chain, what, n, dtype):
    """How many products of order n the chain needs at least: an inverse and the two products of its
    adjoint, or those of a polynomial and of its reversal, unless there is a closed form; None: unknown."""
    if chain == "skew":
        return 0
    if chain == "skew,cayley":
        return 1 if what == "value" else 3
    if chain.endswith(",matrix_exp"):
        polynomial = 0 if chain.startswith("skew") and n <= 3 else 4 if dtype == "float32" else 5
        return polynomial if what == "value" else 3 * polynomial
    return None


def limits_of(chain, what, batch, n, x):
    """What to time beside the case: {what bounds it: (body, how often it would have to run)}: copies of
    the original to the value, and of one gradient to the other; products of 512 x 512."""
    products = products_of(chain, what, n, x.dtype.name)
    if products is None:
        return {}
    copies = 1 if what == "value" else 2
    limits = {"bytes from memory" if 2 * copies * x.nbytes > CACHE > 0 else "bytes from cache": (copy(x), copies)}
    if products:
        limits["products"] = product(x.dtype.name, 512), products * batch * (n / 512) ** 3
    return limits


def measure(library, case, dtype, rounds):
    chain, batch, n = case
    random = np.random.default_rng(n)
    x = aligned((random.standard_normal((batch, n, n)) / n**0.5).astype(dtype))
    g = aligned(random.standard_normal((batch, n, n)).astype(dtype))
    made, forward, both = ours(library, chain, x, g)
    peers, same = peers_of(chain, x, g)
    both()
    for name in same:
        value = peers[name][0]()
        expect_near(f"value of {chain}, {name}", array(made.forward()), np.asarray(value))
        if peers[name][1]:
            both()
            expect_near(f"gradient of {chain}, {name}", made.gradient, np.asarray(peers[name][1]()))
    for what, mine, k in ("value", forward, 0), ("value and gradient", both, 1):
        others = {name: pair[k] for name, pair in peers.items() if pair[k]}
        limits = limits_of(chain, what, batch, n, x)
        times = times_of([mine, *others.values(), *(body for body, _ in limits.values())], rounds)
        middle = np.median(times, axis=0)
        low, high = np.quantile(times[:, 0], (0.25, 0.75))
        last = middle[len(middle) - len(limits) :]
        bounds = {name: limits[name][1] * t / middle[0] for name, t in zip(limits, last)}
        by = max(bounds, key=bounds.get, default="")
        yield {"case": f"{chain}, {batch} of {n} x {n}" if batch > 1 else f"{chain}, {n} x {n}", "chain": chain,
               "batch": batch, "n": n, "what": what, "dtype": dtype, "ms": 1e3 * middle[0],
               "spread": 50 * (high - low) / middle[0], "bound": bounds.get(by, 0), "by": by,
               "peers": {name: 1e3 * t for name, t in zip(others, middle[1:])}}


def main(build, threads, rounds, only):
    global PAUSE
    PAUSE = 0.05 if int(threads) > 1 else 0.0
    if torch:
        torch.set_num_threads(int(threads))
    library = Library(build)
    versions = [f"NumPy {np.__version__}"] + ([f"PyTorch {torch.__version__}"] if torch else [])
    versions += [f"GeoTorch {geotorch.__version__}"] if geotorch else []
    rates = ", ".join(f"{2 * 512**3 / min(seconds(product(dtype, 512), 5) for _ in range(5)) / 1e9:.0f} GFLOP/s in {dtype}"
                      for dtype in ("float32", "float64"))
    print(json.dumps({"versions": f"{', '.join(versions)}; {threads} threads: products at {rates}"}), flush=True)
    for chain, sizes in CASES:
        for batch, n in sizes:
            for dtype in ("float32", "float64"):
                if only in f"{chain} {batch}x{n} {dtype}":
                    for row in measure(library, (chain, batch, n), dtype, int(rounds)):
                        print(json.dumps(row | {"threads": int(threads)}), flush=True)


main(*sys.argv[1:])
