# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Counts the instructions of reads, which no other program on the machine changes, and compares them
with those stored for this compiler.

usage: measure.py COUNTS COMPILER CASES [VALGRIND]

COUNTS is the table of stored numbers, a line for each case and a column for each compiler. Fails
where a case takes 3 % more than stored. With INSTRUCTIONS=store in the environment the present
numbers are stored instead. Prints TAP.
"""

import csv
import os
import pathlib
import re
import subprocess
import sys

TIMES = 10
MOST = 1.03  # of what is stored
NOTED = 0.97  # less than this should be stored


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def instructions_of(valgrind, program, case):
    """Instructions of one read in AVX2, without helper threads."""
    command = [
        valgrind,
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "--collect-atstart=no",
        "--toggle-collect=measured",
        program,
        case,
        str(TIMES),
    ]
    env = dict(os.environ, PARAMETRIZE_CPU_ISA="avx2", PARAMETRIZE_DEVICE="cpu", OPENBLAS_NUM_THREADS="1")
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{case}: {done.stderr}")
    return int(found[1]) / TIMES


def read_table(path):
    """{case: {compiler: instructions}}"""
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        return {row.pop("case"): row for row in csv.DictReader(file)}


def write_table(path, table, compiler, counts):
    compilers = sorted({name for row in table.values() for name in row} | {compiler})
    whole = path.with_suffix(".new")
    with open(whole, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["case", *compilers])
        for case, count in counts.items():
            row = dict(table.get(case, {}), **{compiler: round(count)})
            out.writerow([case, *(row.get(name, "") for name in compilers)])
    whole.replace(path)


def compare(table, compiler, counts):
    failed = False
    print(f"1..{len(counts)}")
    for number, (case, count) in enumerate(counts.items(), 1):
        stored = table.get(case, {}).get(compiler)
        if not stored:
            print(f"not ok {number} - {case}: found {count:.0f} instructions, no number stored")
            failed = True
            continue
        share = count / float(stored)
        good = share <= MOST
        failed = failed or not good
        note = " (store the new number)" if share < NOTED else ""
        print(
            f"{'ok' if good else 'not ok'} {number} - {case}: {count:.0f} instructions, "
            f"{100 * (share - 1):+.1f} % of {stored}{note}"
        )
    return failed


def main():
    path, compiler, program = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    table = read_table(path)
    store = os.environ.get("INSTRUCTIONS") == "store"
    if len(sys.argv) < 5:
        skip("no valgrind")
    if "avx2" not in pathlib.Path("/proc/cpuinfo").read_text():
        skip("the processor has no AVX2")
    if not store and not any(row.get(compiler) for row in table.values()):
        skip(f"no numbers for {compiler}; INSTRUCTIONS=store stores them")
    cases = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    counts = {case: instructions_of(sys.argv[4], program, case) for case in cases}
    if store:
        write_table(path, table, compiler, counts)
        print(f"1..1\nok 1 - {len(counts)} numbers stored for {compiler}")
    elif compare(table, compiler, counts):
        sys.exit(1)


main()
