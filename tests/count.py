# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Prints "PASSED FAILED SKIPPED" from a JUnit file that `meson test` wrote.

usage: count.py FILE... STATUS, the exit status of `meson test`, which counts as one
failure when the file shows none.
"""

import sys
import xml.etree.ElementTree as tree


def main():
    passed = failed = skipped = 0
    for path in sys.argv[1:-1]:
        for case in tree.parse(path).iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                failed += 1
            elif "skipped" in kinds:
                skipped += 1
            else:
                passed += 1
    if sys.argv[-1] != "0" and failed == 0:
        failed = 1
    print(passed, failed, skipped)


main()
