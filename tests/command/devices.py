# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""--device in every command: an accelerator gives the same numbers as the reference."""

import random

from command import *
from tap import Skip, main

device = "opencl"
models_program = os.path.abspath(sys.argv[4])


random.seed(seed)


def needs_device():
    status, _, error = run("info", "--device", device)
    if status != 0:
        raise Skip(error.strip())


def close(a, b, tolerance):
    assert len(a) == len(b)
    size = max(map(abs, b))
    worst = max(abs(x - y) for x, y in zip(a, b))
    assert worst <= tolerance * size, (worst, tolerance * size)


def both(name, tolerance, *arguments):
    """Runs a command on both devices and compares the outputs."""
    for where in "reference", device:
        good(*arguments, "-o", f"{name}-{where}.npy", "--device", where, "--force")
    close(read(f"{name}-{device}.npy")[1], read(f"{name}-reference.npy")[1], tolerance)
    return f"{name}-reference.npy"


def arrays():
    """apply, vjp and invert"""
    needs_device()
    folder("arrays")
    n = 20
    for letter, size in ("f", 2**-23), ("d", 2**-52):
        # 50 n eps cond, with cond(I - X) below 10
        tolerance = 50 * n * size * 10
        write("x.npy", (3, n, n), [random.gauss(0, n**-0.5) for _ in range(3 * n * n)], letter)
        write("g.npy", (3, n, n), [random.gauss(0, 1) for _ in range(3 * n * n)], letter)
        for chain in "skew,cayley", "skew,matrix_exp", "symmetric,matrix_exp":
            both("v", tolerance, "vjp", "-p", chain, "x.npy", "--grad", "g.npy")
            both("y", tolerance, "apply", "-p", chain, "x.npy")
        y = both("q", tolerance, "apply", "-p", "skew,cayley", "x.npy")
        both("i", 10 * tolerance, "invert", "-p", "skew,cayley", y)


def singular():
    """a matrix without an inverse is an error on every device, and nothing is written"""
    needs_device()
    folder("singular")
    write("x.npy", (2, 2, 2), [0, 1, -1, 0, 1, 0, 0, 1])
    for where in "reference", "cpu", device:
        refused("apply", "-p", "cayley", "x.npy", "-o", "y.npy", "--device", where, says="matrix 1 of the batch is singular")


def samples():
    """sample draws the same bits on every device"""
    needs_device()
    folder("samples")
    both("s", 50 * 12 * 2**-23 * 10, "sample", "-p", "pruning(p_drop=0.4)", "5", "12", "--seed", "4")


def models():
    """inspect and bake"""
    needs_device()
    folder("models")
    subprocess.run([models_program], check=True, env=environment)
    there = good("inspect", "model.safetensors", "--device", device)
    here = good("inspect", "model.safetensors", "--device", "reference")
    assert there.count("\n") == here.count("\n")
    good("bake", "model.safetensors", "-o", "plain.safetensors", "--device", device)
    good("inspect", "plain.safetensors")


def names():
    """a missing device is an error of one line"""
    needs_device()
    folder("names")
    write("x.npy", (2, 2), [1.0, 2.0, 3.0, 4.0], "f")
    for name in "opencl:77", "opencl:0:77", "opencl:", "openc":
        status, out, error = run("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--device", name)
        assert status == 1 and out == "" and error.count("\n") == 1 and name in error, (status, out, error)
    assert not os.path.exists("y.npy")
    routes = good("info", "--device", device)
    ways = [line.split()[:2] for line in routes.splitlines()]
    assert ["gemm", "native"] in ways and ["eigh", "host"] in ways, routes


main([arrays, singular, samples, models, names])
