# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Value and gradient beside every peer there is, and beside the machine's limits, in one run.

usage: performance.py BUILD [--out DIR] [--threads N,M] [--rounds R] [--only TEXT]

For each number of threads (by default one, and all) a process of its own measures the cases of
cases.py whose name holds TEXT: this library, PyTorch eager, GeoTorch, and LAPACK's gesv by way of
NumPy, by turns, each where it is installed and has the operation. What they compute is compared
before it is timed. Prints a table of medians with quartiles, how many times faster than each peer,
what bounds the case, and the share of that bound: a copy of as many bytes, from cache or from memory, or
as many operations in products of 512 x 512, whichever takes longer, timed in the same turns. Writes performance.csv, and
performance.svg with matplotlib. Tells times only: it never fails by the clock.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys


def arguments_of(words):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("build")
    parser.add_argument("--out", default=".", type=pathlib.Path)
    parser.add_argument("--threads", default=f"1,{len(os.sched_getaffinity(0))}")
    parser.add_argument("--rounds", default=9, type=int)
    parser.add_argument("--only", default="")
    return parser.parse_args(words)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def measured(arguments, threads):
    """The rows of one process with so many threads, as it measures them."""
    variables = {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, pathlib.Path(__file__).with_name("cases.py"), arguments.build, str(threads),
               str(arguments.rounds), arguments.only]
    with subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            yield json.loads(line)
    if child.returncode != 0:
        sys.exit(f"performance.py: with {threads} threads it ended with {child.returncode}")


SMALL = {"slot": "unchanged value by slot", "name": "unchanged value by name", "forward": "3 x 3, value",
         "forward+vjp": "3 x 3, value and gradient", "refresh": "200 of 3 x 3, one call"}


def tiny(arguments, threads, *words, under=()):
    """What the C program for small reads prints: a call from Python takes longer than they do."""
    program = pathlib.Path(arguments.build, "bench", "tiny")
    return subprocess.run([*under, program, str(threads), *words], check=True, capture_output=True, text=True,
                          env=os.environ | {"OPENBLAS_NUM_THREADS": str(threads)})


def instructions(arguments, threads, name):
    """Instructions of one of them, from what callgrind counts for few and for more; "" without it."""
    if threads > 1 or not shutil.which("valgrind"):
        return ""
    few, more = 20, 120
    counts = []
    for times in few, more:
        run = tiny(arguments, threads, name, str(times),
                   under=["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])
        counts.append(int(re.search(r"Collected : (\d+)", run.stderr).group(1)))
    return f"{(counts[1] - counts[0]) // (more - few):,}"


def small(arguments, threads):
    for line in tiny(arguments, threads).stdout.splitlines():
        name, value = line.split()
        yield f"| {SMALL[name]} | {threads} | {float(value):,.1f} ns | {instructions(arguments, threads, name)} |"


def show(row):
    """A line of the table, in Markdown."""
    peers = ", ".join(f"{name} {ms:.4g} ms ({ms / row['ms']:.3g}x)" for name, ms in row["peers"].items())
    bound = f"{100 * row['bound']:.0f} %, {row['by']}" if row["bound"] else ""
    return (f"| {row['case']} | {row['what']} | {row['dtype']} | {row['threads']} | {row['ms']:.4g} ms "
            f"(± {row['spread']:.0f} %) | {peers} | {bound} |")


def plot(rows, path):
    try:
        import matplotlib
    except ImportError:
        return print("no plot: matplotlib is not installed", file=sys.stderr)
    matplotlib.use("svg")
    from matplotlib import pyplot

    rows = [row for row in rows if row["batch"] == 1 and row["threads"] == 1 and row["dtype"] == "float32"]
    kinds = sorted({(row["chain"], row["what"]) for row in rows})
    kinds = [kind for kind in kinds if sum((row["chain"], row["what"]) == kind for row in rows) > 1]
    if not kinds:
        return None
    figure, axes = pyplot.subplots(1, len(kinds), figsize=(4.2 * len(kinds), 4), squeeze=False)
    for axis, kind in zip(axes[0], kinds):
        some = sorted((row for row in rows if (row["chain"], row["what"]) == kind), key=lambda row: row["n"])
        axis.loglog([row["n"] for row in some], [row["ms"] for row in some], "o-", label="libparametrize")
        for name in sorted({name for row in some for name in row["peers"]}):
            points = [(row["n"], row["peers"][name]) for row in some if name in row["peers"]]
            axis.loglog(*zip(*points), "s--", label=name)
        points = [(row["n"], row["ms"] * row["bound"]) for row in some if row["bound"]]
        if points:
            axis.loglog(*zip(*points), "k:", label="bound")
        axis.set(title=f"{kind[0]}, {kind[1]}", xlabel="n", ylabel="ms")
        axis.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path)
    return print(f"wrote {path}", file=sys.stderr)


def main(words):
    arguments = arguments_of(words)
    arguments.out.mkdir(parents=True, exist_ok=True)
    counts = [int(word) for word in dict.fromkeys(arguments.threads.split(","))]
    rows = []
    print(f"{processor()}, {len(os.sched_getaffinity(0))} processors")
    for threads in counts:
        for row in measured(arguments, threads):
            if "versions" in row:
                print(row["versions"], "\n\n| case | what | dtype | threads | this library | peers | of the bound |"
                      "\n|---|---|---|---|---|---|---|" if threads == counts[0] else "")
                continue
            rows.append(row)
            print(show(row), flush=True)
    if not arguments.only:
        print("\n| small reads | threads | | instructions |\n|---|---|---|---|")
        for threads in counts:
            print("\n".join(small(arguments, threads)))
    with open(arguments.out / "performance.csv", "w", newline="", encoding="utf-8") as file:
        names = list(dict.fromkeys(name for row in rows for name in row["peers"]))
        writer = csv.writer(file)
        writer.writerow(["case", "what", "dtype", "threads", "ms", "spread", "bound", "by", *names])
        for row in rows:
            writer.writerow([row["case"], row["what"], row["dtype"], row["threads"], row["ms"], row["spread"],
                             row["bound"], row["by"], *(row["peers"].get(name, "") for name in names)])
    plot(rows, arguments.out / "performance.svg")


main(sys.argv[1:])
