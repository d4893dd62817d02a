# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Runs the script that calls it under the interpreter named by PARAMETRIZE_TEST_PYTHON."""

import os
import subprocess
import sys


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def use(*modules):
    """Skips the script, with the reason, if there is no interpreter that imports these modules."""
    if "PARAMETRIZE_TEST_PYTHON_USED" in os.environ:
        return
    interpreter = os.environ.get("PARAMETRIZE_TEST_PYTHON")
    if not interpreter:
        skip(f"PARAMETRIZE_TEST_PYTHON names no interpreter with {' and '.join(modules)}")
    if subprocess.run([interpreter, "-c", "import " + ", ".join(modules)], capture_output=True).returncode:
        skip(f"{interpreter} does not import {' and '.join(modules)}")
    os.environ["PARAMETRIZE_TEST_PYTHON_USED"] = "1"
    os.execv(interpreter, [interpreter, *sys.argv])
