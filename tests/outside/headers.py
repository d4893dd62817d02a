# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Hosts, plugins and backends compile with every compiler and standard, without warnings.
usage: headers.py SOURCE_DIR

Each file of headers/ expands what its public header offers."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

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


def wrong_index():
    """an argument of a kernel beyond those that it declares does not compile"""
    with tempfile.TemporaryDirectory() as folder:
        for index, compiles_it in ((0, True), (1, False), (-1, False)):
            file = pathlib.Path(folder, "kernel.c")
            file.write_text(
                "#include <parametrize/plugin.h>\n"
                f"PZ_KERNEL(zero, 1, 0, 0, PZ_TENSOR_ARG({index}, x); x[i] = 0;)\n"
                "const pz_kernel* get(void);\nconst pz_kernel* get(void) { return &zero; }\n"
            )
            command = ["gcc", "-std=c11", "-fsyntax-only", f"-I{root}/core/include", str(file)]
            done = subprocess.run(command, capture_output=True, text=True)
            assert (done.returncode == 0) == compiles_it, (index, done.stderr)


cases = [("gcc", "c11"), ("clang", "c11"), ("g++", "c++11"), ("g++", "c++17"), ("clang++", "c++11"), ("clang++", "c++17")]
main([*(compiles(*case) for case in cases), wrong_index])
