# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Hosts, plugins and backends compile with every compiler and standard, without warnings.
usage: headers.py SOURCE_DIR

Each file of headers/ expands what its public header offers."""

import pathlib
import shutil
import sys

from tap import Skip, main, run

root = pathlib.Path(sys.argv[1])
here = root / "tests" / "outside" / "headers"
flags = ["-Wall", "-Wextra", "-Wpedantic", "-pedantic-errors", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only"]


def compiles(compiler, standard):
    """A test of all files with one compiler and standard."""

    def test():
        if not shutil.which(compiler):
            raise Skip(f"{compiler} is not installed")
        language = "c++" if "++" in standard else "c"
        for file in sorted(here.glob("*.c")):
            run([compiler, *flags, f"-std={standard}", f"-I{root}/core/include", "-x", language, str(file)])

    test.__doc__ = f"{compiler} takes them as {standard}"
    return test


cases = [("gcc", "c11"), ("clang", "c11"), ("g++", "c++11"), ("g++", "c++17"), ("clang++", "c++11"), ("clang++", "c++17")]
main([compiles(*case) for case in cases])
