# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The programs of docs/hosts.md, against answers computed here. usage: hosts.py FOLDER SOURCES"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy
from tap import main, run

folder, sources = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-hosts-"))


def program(name, *arguments):
    return run([str(folder / f"host-{name}"), *arguments], cwd=work)


def numbers(text):
    return numpy.array([float(word) for word in text.split()])


def short():
    """at most 60 lines below the comment at the top, lines of the house's width"""
    files = sorted(sources.glob("*.c"))
    assert {f.stem for f in files} == {f.name[5:] for f in folder.glob("host-*") if f.is_file()} and len(files) == 10
    for f in files:
        body = f.read_text().split("*/\n\n", 2)[2]
        assert len(body.splitlines()) <= 60, f


def read():
    """read: the rotation (I + A)(I - A)^-1, twice, and the tree"""
    lines = program("read").splitlines()
    a = numpy.triu(numpy.arange(9.0).reshape(3, 3), 1)
    a = a - a.T
    q = (numpy.eye(3) + a) @ numpy.linalg.inv(numpy.eye(3) - a)
    for line in lines[:2]:
        assert numpy.allclose(numbers(line), q[0], atol=1e-4), (line, q)
    assert "ParametrizedLinear(" in lines[2] and any("(0): skew()" in line for line in lines), lines


def devices():
    yield from ("reference", "cpu")
    done = subprocess.run([folder / "host-train", "opencl"], cwd=work, capture_output=True, text=True)
    if done.returncode == 0:
        yield "opencl"


def train():
    """train: the nearest rotation, on every device"""
    for device in devices():
        found = numbers(program("train", device))
        assert numpy.allclose(found, [0.6, -0.8], atol=1e-3), (device, found)


def device():
    """device: ten steps of gradient descent on the originals, on every device"""
    x = numpy.log(numpy.arange(1.0, 5))
    for _ in range(10):
        x -= 0.01 * numpy.exp(2 * x)
    for device in devices():
        found = numbers(program("device", device))
        assert numpy.allclose(found, numpy.exp(x), atol=2e-5), (device, found, numpy.exp(x))


def save():
    """save: three times the same rotation, and the host's own text"""
    first, step, second, third = program("save").splitlines()
    assert first == second == third and step == "step 1000", (first, second, third)
    assert abs(numpy.linalg.norm(numbers(first)) - 1) < 1e-5, first


def deploy():
    """deploy: the trained module as a plain file"""
    assert program("deploy", "layer.safetensors", "plain.safetensors") == "weight F32, 2 dimensions\n"
    done = subprocess.run([folder / "host-deploy", "missing", "plain"], cwd=work, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "missing" in done.stderr, done


def own_map():
    """own_map: tanh"""
    assert numpy.allclose(numbers(program("own_map")), numpy.tanh([-1, 0, 2]), atol=1e-6)


def threads():
    """threads: every thread reads a rotation of order 64"""
    assert program("threads") == "64.000000\n" * 8


def originals():
    """originals: halved magnitudes, the same directions"""
    assert program("originals").splitlines() == [
        "parametrizations.weight.original0",
        "parametrizations.weight.original1 (frozen)",
        "rows of norm 5 and 13",
        "1.5 2 0",
        "0 2.5 6",
    ]


def density():
    """density: the means of the Dirichlet distribution"""
    found = numbers(program("density"))
    # 60000 draws, of which some thousand are independent; standard deviations are below 0.15
    assert numpy.allclose(found, [0.2, 0.3, 0.5], atol=4 * 0.15 / 3000**0.5), found


def least_squares():
    """least_squares: the coefficients of the data"""
    assert program("least_squares") == "a 2.500000, b 0.700000\n"


def clean():
    """leaves nothing behind"""
    assert {f.name for f in work.iterdir()} == {"layer.safetensors", "plain.safetensors"}
    shutil.rmtree(work)


main([short, read, train, device, save, deploy, own_map, threads, originals, density, least_squares, clean])
