# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The program that trains on any device. usage: train.py TRAIN MINIMAL_BACKEND COUNTER_OF_COPIES"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy
from tap import Skip, main, run

train, minimal, copies = (path if path == "none" else os.path.abspath(path) for path in sys.argv[1:4])
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-train-"))
(work / "plugins").mkdir()
shutil.copy(minimal, work / "plugins")
environment = {**os.environ, "PARAMETRIZE_PLUGIN_PATH": str(work / "plugins")}

N = 8
k = numpy.arange(N * N, dtype=float)
target = numpy.sin(numpy.float32(k * k)).reshape(N, N) + 3 * numpy.eye(N)
u, s, vt = numpy.linalg.svd(target)
best = 0.5 * numpy.sum((u @ vt - target) ** 2)


def losses(device, **options):
    out = run([train, device, "300"], cwd=work, env=environment, **options)
    return [float(line.split()[1]) for line in out.splitlines()]


def needs(device):
    done = subprocess.run([train, device, "1"], cwd=work, env=environment, capture_output=True, text=True)
    if device.startswith(("opencl", "cuda")) and "cannot be used" in done.stderr:
        raise Skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def trained(device):
    """One device: the loss of the reference at every step printed, to rounding."""
    needs(device)
    found = losses(device)
    expected = losses("reference")
    assert len(found) == 6 and max(abs(a - b) for a, b in zip(found, expected)) < 2e-4, (found, expected)


def reference():
    """reference: the loss falls to that of the nearest rotation"""
    found = losses("reference")
    assert found == sorted(found, reverse=True) and abs(found[-1] - best) < 2e-4, (found, best)


def cpu():
    """cpu: the same loss"""
    trained("cpu")


def opencl():
    """opencl: the same loss"""
    trained("opencl")


def minimal_backend():
    """a backend with the mandatory functions only, and one with launches: the same loss"""
    trained("minimal")
    trained("minimal_plus")


def no_copies():
    """a step on a device copies nothing to or from the host"""
    needs("opencl")
    if copies == "none" or os.environ.get("TEST_SANITIZE", "none") != "none":
        raise Skip("the program cannot be preloaded")
    counts = []
    for steps in "10", "40":
        done = subprocess.run([train, "opencl", steps], cwd=work, env={**environment, "LD_PRELOAD": copies},
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        counts.append(done.stderr)
    assert counts[0] == counts[1] != "0 copies\n", counts


def saved():
    """the file holds the trained rotation"""
    losses("cpu")
    raw = (work / "trained.safetensors").read_bytes()
    assert b"parametrizations.weight.original" in raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]]


def clean():
    """leaves nothing behind"""
    shutil.rmtree(work)


main([reference, cpu, opencl, minimal_backend, no_copies, saved, clean])
