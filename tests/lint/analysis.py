# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Static analysis. usage: analysis.py SOURCE_DIR BUILD_DIR

The checks of clang-tidy, and the reasons for those left out, are in .clang-tidy."""

import os
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tap import Skip, main

root = pathlib.Path(sys.argv[1]).resolve()
build = pathlib.Path(sys.argv[2]).resolve()
folders = ["core", "plugins", "backends/reference", "backends/opencl", "backends/cuda", "tools", "examples"]

# What cppcheck need not say: bytes of a tensor are cast to its elements; the address of one extent is
# a shape of one dimension; what a function sets only if it returns PZ_OK, and what the first turn of a
# loop sets, counts as unset (sanitizers and valgrind watch the same). Kernels are not C.
suppressed = ["invalidPointerCast", "objectIndex", "missingIncludeSystem"]
suppressed += ["nullPointer", "nullPointerRedundantCheck", "uninitvar", "legacyUninitvar", "*:*.cl"]


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def complain(lines):
    found = sorted({line for line in lines if "warning:" in line or "error:" in line or "portability:" in line})
    assert not found, "\n".join(found)


def tidy():
    """clang-tidy finds nothing"""
    need("clang-tidy")
    files = sorted(f for folder in folders for f in (root / folder).rglob("*.c"))

    def check(file):
        command = ["clang-tidy", "-p", str(build), "--quiet", str(file)]
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complain(line for lines in pool.map(check, files) for line in lines)


def cppcheck():
    """cppcheck finds nothing"""
    need("cppcheck")
    rooms = [f"-I{folder}" for folder in sorted((root / "core").iterdir()) if folder.is_dir()]
    command = ["cppcheck", "-q", "--std=c11", "--enable=warning,performance,portability", "--inline-suppr", *rooms]
    command += [f"--suppress={name}" for name in suppressed] + [f"-j{os.cpu_count()}"]
    done = subprocess.run([*command, *(str(root / folder) for folder in folders)], capture_output=True, text=True)
    complain(done.stderr.splitlines())


main([tidy, cppcheck])
