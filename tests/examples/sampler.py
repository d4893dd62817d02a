# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The sampler against moments of NumPyro's NUTS. usage: sampler.py SAMPLER"""

import math
import subprocess
import sys

from tap import main, run

sampler = sys.argv[1]

# mean, its standard error, variance, its standard error: from diet_moments.py
MOMENTS = {
    # NumPyro 0.22.0, 4 chains of 50000
    "theta grass": (0.4579224, 0.0000451, 0.0002162, 0.0000010),
    "theta shrubs": (0.2232122, 0.0000422, 0.0002566, 0.0000011),
    "theta algae": (0.0656625, 0.0001385, 0.0018196, 0.0000083),
    "theta fish": (0.2532029, 0.0000763, 0.0009605, 0.0000040),
    "s carbon": (0.9420441, 0.0003532, 0.0157674, 0.0000831),
    "s nitrogen": (0.9058527, 0.0003451, 0.0145077, 0.0000722),
    "s sulphur": (1.5166555, 0.0005593, 0.0421698, 0.0002140),
    "R N-C": (0.5676061, 0.0003398, 0.0145863, 0.0000658),
    "R S-C": (-0.2474604, 0.0004262, 0.0252879, 0.0001033),
    "R S-N": (0.3054600, 0.0003906, 0.0237785, 0.0000986),
}


def moments():
    """means and variances within 4 standard errors, chains that agree"""
    out = run([sampler, "--chains", "4", "--draws", "1000", "--seed", "1"])
    found = {}
    for line in out.splitlines()[1:]:
        *name, mean, mean_error, variance, variance_error, r_hat = line.split()
        found[" ".join(name)] = [float(x) for x in (mean, mean_error, variance, variance_error)]
        assert float(r_hat) < 1.01, line
    assert found.keys() == MOMENTS.keys(), out
    for name, expected in MOMENTS.items():
        for k in 0, 2:
            error = math.hypot(found[name][k + 1], expected[k + 1])
            off = abs(found[name][k] - expected[k]) / error
            assert off < 4, (name, found[name], expected, off)
            # standard errors that say something, too
            assert error < 0.1 * math.sqrt(expected[2]), (name, error)


def repeated():
    """the same seed gives the same draws, another one others"""
    first, again, other = (run([sampler, "--chains", "1", "--draws", "40", "--seed", seed]) for seed in "112")
    assert first == again != other


def bad_input():
    """one line for what cannot be read"""
    for arguments, expected in (
        (["--draws", "0"], "sampler: --draws: found 0, expected a number from 1 to 1000000\n"),
        (["--draws", "1"], "sampler: --draws: found 1, expected a multiple of 20, the batches of a chain\n"),
        (["--seed"], "sampler: --seed: found nothing, expected a number from 1 to 1000000\n"),
    ):
        done = subprocess.run([sampler, *arguments], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (2, expected), done


main([moments, repeated, bad_input])
