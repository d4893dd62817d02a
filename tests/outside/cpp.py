# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The interface for C++: the example, and a program that uses all of it, with both compilers.
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
example = source / "examples" / "host.cpp"
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
            for file, argument, expected in ((example, [], "row 0 of a rotation: 0.677 -0.581 0.452\n"), (program, [str(plugin)], "")):
                out = pathlib.Path(folder, "out")
                run([compiler, *flags, f"-I{include}", str(file), f"-L{library}", "-lparametrize-1", "-o", str(out)])
                text = run([str(out), *argument], cwd=folder, env={**os.environ, "LD_LIBRARY_PATH": str(library)})
                assert text == expected, text

    test.__doc__ = f"{compiler} compiles and runs them"
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
