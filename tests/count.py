# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Counts the tests of one run of `meson test`, or names the slowest of all runs.

usage: count.py STATUS LOG TIMES LABEL
       count.py TIMES

LOG is the folder of the run's logs, STATUS the exit status of `meson test`, which counts as one
failure when the logs show none. Prints "PASSED FAILED SKIPPED", and adds a line "SECONDS NAME" for
each test to the file TIMES, LABEL before its name. TIMES alone: prints the ten slowest of them.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as tree


def count(log, status):
    passed = failed = skipped = 0
    for path in log.glob("testlog*.junit.xml"):
        for case in tree.parse(path).iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                failed += 1
            elif "skipped" in kinds:
                skipped += 1
            else:
                passed += 1
    if status != 0 and failed == 0:
        failed = 1
    print(passed, failed, skipped)


def keep_times(log, times, label):
    with open(times, "a") as out:
        for path in log.glob("testlog*.json"):
            for line in path.read_text().splitlines():
                test = json.loads(line)
                name = test["name"].split(":", 1)[-1]
                print(f"{test['duration']:.1f} {label}{name}", file=out)


def print_slowest(times):
    lines = [line.rstrip("\n").split(" ", 1) for line in open(times)]
    for seconds, name in sorted(lines, key=lambda line: -float(line[0]))[:10]:
        print(f"{seconds:>7} s  {name}")


if len(sys.argv) == 2:
    print_slowest(sys.argv[1])
else:
    count(pathlib.Path(sys.argv[2]), int(sys.argv[1]))
    keep_times(pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4])
