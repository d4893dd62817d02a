# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Runs the importing script under the interpreter named by PARAMETRIZE_TEST_PYTHON, which
must have PyTorch; skips it, with the reason, where there is none. Import this first."""

import os
import subprocess
import sys


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


if "PARAMETRIZE_TEST_PYTHON_USED" not in os.environ:
    interpreter = os.environ.get("PARAMETRIZE_TEST_PYTHON")
    if not interpreter:
        skip("PARAMETRIZE_TEST_PYTHON names no interpreter with PyTorch")
    if subprocess.run([interpreter, "-c", "import numpy, torch"], capture_output=True).returncode:
        skip(f"{interpreter} does not import numpy and torch")
    os.environ["PARAMETRIZE_TEST_PYTHON_USED"] = "1"
    os.execv(interpreter, [interpreter, *sys.argv])
