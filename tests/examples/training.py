# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""examples/copying_memory from outside: it learns, goes on where it was killed, refuses.

TEST_KILLS in the environment: how often a run is killed (10), after a random number of steps.

usage: training.py COPYING_MEMORY INFER
"""

import csv
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from tap import Skip, main, run

program, infer = [os.path.abspath(path) for path in sys.argv[1:3]]
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-training-"))
small = ["--length", "10", "--hidden", "16", "--batch", "70", "--threads", "2"]


def train(out, *arguments):
    return run([program, *small, "--out", str(work / out), *arguments])


def losses(out):
    with open(work / out / "loss.csv", newline="") as table:
        return [float(row["loss"]) for row in csv.DictReader(table)]


def learns():
    """crosses the baseline of the copying problem"""
    text = train("learns", "--rate", "1e-2", "--kernel-rate", "1e-3", "--steps", "400", "--hidden", "32")
    assert "below the baseline 0.693147" in text, text
    assert sum(losses("learns")[-20:]) / 20 < 0.6, losses("learns")[-20:]
    assert text.count("\nstep ") + text.startswith("step ") == 40, text


def learns_adding():
    """crosses the baseline of the adding problem, with cayley"""
    arguments = ["--problem", "adding", "--map", "skew,cayley", "--rate", "1e-2", "--kernel-rate", "1e-3"]
    text = train("adding", *arguments, "--steps", "600", "--hidden", "32")
    assert sum(losses("adding")[-50:]) / 50 < 0.12, losses("adding")[-50:]
    assert "below the baseline 0.166667" in text, text


def steps_are_printed(child, n):
    """Waits until a run has printed n steps, or ended: it is between two steps, or at the start."""
    for line in child.stdout if n > 0 else []:
        n -= line.startswith("step ")
        if n == 0:
            break


def rows_appear(child, n):
    """Waits until a run has added n rows to its table, after which it saves a checkpoint, or ended."""
    table = work / "killed" / "loss.csv"
    first = rows = table.read_bytes().count(b"\n") if table.exists() else 0
    while rows < first + n and child.poll() is None:
        rows = table.read_bytes().count(b"\n") if table.exists() else 0


def resumes():
    """kill -9 at any moment: the losses of an uninterrupted run, bit for bit"""
    kills = int(os.environ.get("TEST_KILLS", "10"))
    steps = 40 * kills
    settings = ["--hidden", "64", "--length", "20", "--checkpoint-every", "3", "--print-every", "1"]
    settings += ["--steps", str(steps)]
    train("whole", *settings)
    expected = (work / "whole" / "loss.csv").read_bytes()
    dice = random.Random(4)
    killed = 0
    for attempt in range(kills):
        threads = ["--threads", str(1 + attempt // 2 % 2)]
        child = subprocess.Popen(
            [program, *small, "--out", str(work / "killed"), *settings, *threads],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        wait = rows_appear if attempt % 2 else steps_are_printed
        wait(child, dice.randrange(60))
        child.kill()
        _, errors = child.communicate()
        assert child.returncode in (0, -signal.SIGKILL), errors
        killed += child.returncode != 0
    assert killed > 0, "no run was killed"
    train("killed", *settings)
    found = (work / "killed" / "loss.csv").read_bytes()
    assert found == expected, (len(found), len(expected))


def torn():
    """a table that was cut short or runs ahead"""
    train("torn", "--steps", "20", "--checkpoint-every", "10")
    table = work / "torn" / "loss.csv"
    whole = table.read_bytes()
    table.write_bytes(whole + b"21,0.5,0.6")
    train("torn", "--steps", "20")
    assert table.read_bytes() == whole
    table.write_bytes(whole[:-3])
    refused("torn/loss.csv has 19 steps, the checkpoint 20", "--out", str(work / "torn"))


def begins():
    """no steps: a checkpoint of the beginning, from which training goes on"""
    train("begins", "--steps", "0")
    assert (work / "begins" / "checkpoint.safetensors").exists()
    train("begins", "--steps", "2")
    train("straight", "--steps", "2")
    assert (work / "begins" / "loss.csv").read_bytes() == (work / "straight" / "loss.csv").read_bytes()


def infers():
    """the baked models run without plugins, on data that were not trained on"""
    text = run([infer, str(work / "learns" / "model.safetensors")])
    loss, right = re.search(r"loss ([\d.]+), .* ([\d.]+) % of the symbols right", text).groups()
    assert float(loss) < 0.6 and float(right) > 40, text
    assert "parametrizations loaded: none" in text, text
    text = run([infer, str(work / "adding" / "model.safetensors")])
    assert float(re.search(r"squared error ([\d.]+)", text).group(1)) < 0.15, text
    text = run([infer, str(work / "learns" / "model.safetensors"), "20"])
    assert text.startswith("copying over 20 blanks"), text
    train("one", "--length", "1", "--steps", "1")  # the shortest, which only copying has
    assert run([infer, str(work / "one" / "model.safetensors")]).startswith("copying over 1 blanks")
    assert run([infer, "--help"]).startswith("usage: infer MODEL")
    for path, part in [("learns/checkpoint.safetensors", 'no parametrization "skew"'), ("none", "No such file")]:
        done = subprocess.run([infer, str(work / path)], capture_output=True, text=True)
        assert done.returncode == 1 and part in done.stderr and done.stderr.count("\n") == 1, done


def refused(part, *arguments):
    done = subprocess.run(
        [program, *small, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 1, (arguments, done)
    assert part in done.stderr, (part, done.stderr)
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("copying_memory: "), done.stderr


def refuses():
    """one line for what it cannot do"""
    train("small", "--steps", "1")
    out = ["--out", str(work / "small")]
    refused("--lenght: no such option", "--lenght", "10")
    refused("--hidden: expected a value", "--hidden")
    refused("--hidden 0: expected a whole number from 1", "--hidden", "0")
    refused("--hidden 1e3: expected a whole number", "--hidden", "1e3")
    refused("--rate nan: expected a number", "--rate", "nan")
    refused("--seed -1: expected a whole number below 2^53", "--seed", "-1")
    refused("--problem sorting: expected copying or adding", "--problem", "sorting")
    refused("adding needs two pairs", "--problem", "adding", "--length", "1")
    refused("skwe", "--map", "skwe,cayley", "--out", str(work / "none"))
    refused("tpu", "--device", "tpu", "--out", str(work / "none"))
    refused("was made with --hidden 16, not 8", "--hidden", "8", *out)
    refused("was made with --map skew,matrix_exp, not skew", "--map", "skew", *out)
    refused("was made with --rate 0.0002, not 0.5", "--rate", "0.5", *out)
    refused("No such file", "--out", str(work / "no" / "such"))
    (work / "blocked" / "model.safetensors").mkdir(parents=True)
    blocked = str(work / "blocked")
    refused(f"copying_memory: {blocked}/model.safetensors: Is a directory", "--steps", "1", "--out", blocked)
    checkpoint = work / "small" / "checkpoint.safetensors"
    whole = checkpoint.read_bytes()
    for text in b"x", b"-", b" ", b"":
        if text:
            damaged = whole.replace(b'"step":"1"', b'"step":"' + text + b'"')
        else:
            damaged = whole.replace(b'"crossed":"0"', b'"crossed":"y"')
        assert damaged != whole
        checkpoint.write_bytes(damaged)
        refused("checkpoint.safetensors: expected a checkpoint of this program", *out)
    checkpoint.write_bytes(b"something else")
    refused("checkpoint.safetensors", *out)


def helps():
    """--help names every option"""
    text = run([program, "--help"])
    for name in ("problem", "length", "hidden", "batch", "map", "seed", "steps", "threads", "device", "out"):
        assert f"--{name} " in text, text


def other_chains():
    """no chain, and chains without rotations"""
    train("free", "--map", "", "--steps", "3")
    train("symmetric", "--map", "symmetric", "--steps", "3")
    train("pruned", "--map", "skew,cayley,pruning(p_drop=0.1,seed=3)", "--steps", "3")
    assert len(losses("pruned")) == 3


def plots():
    """the plot, where gnuplot is"""
    if not shutil.which("gnuplot"):
        raise Skip("gnuplot is not installed")
    text = train("it's", "--steps", "5")
    assert "<svg" in (work / "it's" / "loss.svg").read_text(), text


def clean():
    """leaves nothing behind"""
    shutil.rmtree(work)


main([learns, learns_adding, begins, infers, resumes, torn, refuses, helps, other_chains, plots, clean])
