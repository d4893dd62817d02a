# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""skew,cayley and skew alone, this library's and PyTorch's eager ones by turns in one run.

usage: cayley.py BUILD [--threads N] [--dtype float32|float64] [--rounds N] [CASE ...]

A case is BATCHxN ("4096x3"), by default batches of small matrices and single large ones. PyTorch
computes torch.linalg.solve(I - X, I + X) on X = triu(A, 1) - triu(A, 1)^T, its gradient by autograd.
Values and gradients are compared (to 1e-3 of their size) before anything is timed. Prints milliseconds,
the median over rounds and the spread (quartiles, in percent of it), and how many times faster, by the
medians and by the best rounds. Needs NumPy and PyTorch.
"""

import argparse
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("cases", nargs="*")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
parser.add_argument("--rounds", type=int, default=9)
arguments = parser.parse_intermixed_args()
os.environ["OPENBLAS_NUM_THREADS"] = str(arguments.threads)

import numpy as np  # noqa: E402: after the number of threads is known
import torch  # noqa: E402

from library import Library, aligned, array  # noqa: E402

CASES = "4096x3 1024x8 1024x16 1024x32 1x64 1x128 1x256 1x512 1x1024".split()


def seconds(body, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        body()
    return (time.perf_counter() - start) / repeat


def theirs(x, g):
    a = torch.from_numpy(x.copy()).requires_grad_()
    gradient = torch.from_numpy(g)
    identity = torch.eye(x.shape[-1], dtype=a.dtype)

    def skew():
        upper = a.triu(1)
        return upper - upper.transpose(-1, -2)

    def value():
        s = skew()
        return torch.linalg.solve(identity - s, identity + s)

    def fold():
        with torch.no_grad():
            return skew()

    def forward():
        with torch.no_grad():
            return value()

    def both():
        a.grad = None
        value().backward(gradient)
        return a.grad

    return fold, forward, both


def ours(library, x, g):
    alone = library.bound("skew", x)
    chain = library.bound("skew,cayley", x)

    def both():
        chain.forward()
        chain.vjp(g)

    return chain, (alone.forward, chain.forward, both)


def expect_near(what, found, expected):
    distance = np.abs(found - expected).max() / np.abs(expected).max()
    if not distance < 1e-3:
        raise SystemExit(f"{what} is {distance:.3g} away from PyTorch's")


def measure(library, case):
    batch, n = map(int, case.split("x"))
    random = np.random.default_rng(n)
    x = (random.standard_normal((batch, n, n)) / n**0.5).astype(arguments.dtype)
    g = aligned(random.standard_normal((batch, n, n)).astype(arguments.dtype))
    chain, mine = ours(library, x, g)
    other = theirs(x, g)
    mine[2]()
    expect_near("value", array(chain.forward()), other[1]().numpy())
    expect_near("gradient", chain.gradient, other[2]().numpy())
    for k, what in enumerate(("skew", "forward", "forward+vjp")):
        pair = mine[k], other[k]
        repeats = [max(1, int(0.02 / max(seconds(f, 1), 1e-7))) for f in pair]
        times = np.array([[seconds(f, r) for f, r in zip(pair, repeats)] for _ in range(arguments.rounds)]) * 1e3
        middle = np.median(times, axis=0)
        best = np.min(times, axis=0)
        low, high = np.quantile(times, (0.25, 0.75), axis=0)
        spread = 100 * (high - low) / middle
        print(f"{case:>9} {what:12} {middle[0]:10.4f} {spread[0]:4.0f}% {middle[1]:10.4f} {spread[1]:4.0f}% "
              f"{middle[1] / middle[0]:8.1f} {best[1] / best[0]:8.1f}", flush=True)


torch.set_num_threads(arguments.threads)
print(f"{arguments.dtype}, {arguments.threads} threads, torch {torch.__version__}, {arguments.rounds} rounds, milliseconds")
print(f"{'case':>9} {'what':12} {'this':>10} {'':5} {'PyTorch':>10} {'':5} {'times':>8} {'best':>8}")
for name in arguments.cases or CASES:
    measure(Library(arguments.build), name)
