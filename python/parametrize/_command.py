# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The command `parametrize` of the wheel, in place of this process."""

import os
import sys

from . import _abi


def main():
    if _abi.wheel is None:
        sys.exit(f"parametrize: found the library {_abi.path}, expected that of a wheel, which has the command beside it")
    command = _abi.wheel / "bin" / "parametrize"
    try:
        os.execv(command, ["parametrize", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"parametrize: {command}: {error.strerror}")
