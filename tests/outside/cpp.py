# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The interface for C++: a program that uses all of it, with both compilers.
usage: cpp.py SOURCE_DIR LIBRARY_DIR PLUGIN"""

import os
import pathlib
import re
import shutil
import sys
import tempfile

from tap import Skip, main, run

source, library, plugin = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
program = source / "tests" / "outside" / "cpp" / "everything.cpp"
include = source / "core" / "include"
flags = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fno-math-errno"]
if os.environ.get("TEST_SANITIZE", "none") != "none":
    print("1..0 # SKIP the build is instrumented")
    sys.exit(0)


def runs(compiler):
    def test():
        if not shutil.which(compiler):
            raise Skip(f"{compiler} is not installed")
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder, "everything")
            run([compiler, *flags, f"-I{include}", str(program), f"-L{library}", "-lparametrize-1", "-o", str(out)])
            run([str(out), str(plugin)], cwd=folder, env={**os.environ, "LD_LIBRARY_PATH": str(library)})

    test.__doc__ = f"{compiler} compiles and runs it"
    return test


def whole():
    """every public member is used"""
    used = set(re.findall(r"\w+", program.read_text()))
    for header in ("parametrize.hpp", "module.hpp", "chain.hpp"):
        text = re.sub(r"\nprivate:.*?\n};", "", (include / "parametrize" / header).read_text(), flags=re.S)
        members = set(re.findall(r"^  (?! )[^\n;=(/]*?\b([a-z_]+)\(", text, re.M)) - {"for", "if", "pz_spec_make", "throw", "while"}
        assert len(members) > 10, (header, members)
        assert members <= used | {"handle", "tensor_arg"}, (header, members - used)


main([whole, runs("g++"), runs("clang++")])
