# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Does what README.md and docs/*.md say, command by command.

A ```c block that begins with /* NAME.c */ becomes that file; one that begins with
/* from PATH */ (in C++ and Rust // from PATH) must stand in that file of the tree, line for line. Every ```sh block is run
in order, in one folder, against a fresh installation. With TEST_THOROUGH=1 it is the release,
and the demonstration runs; else it is built without optimization, and its backends come from
BUILD_DIR.

A ```python block runs with the package of the tree and the library of that installation, where
there are NumPy and, if it imports torch, PyTorch.

Then builds.py tries the installation with other build systems and in other places.

usage: readme.py BUILD_DIR SOURCE_DIR CC
"""

import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import sys
import tempfile

import builds
from tap import Skip, main, run

build = pathlib.Path(sys.argv[1])
source = pathlib.Path(sys.argv[2])
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-readme-"))
prefix = work / "prefix"
block_pattern = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
environment = {
    **os.environ,
    "PREFIX": str(prefix),
    "XDG_DATA_HOME": str(work / "data"),
    "BUILD_DIR": str(build),
    "SOURCE": str(source),
}
for name in ("PARAMETRIZE_PLUGIN_PATH", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH"):
    environment.pop(name, None)
thorough = os.environ.get("TEST_THOROUGH") == "1"
light = ["--buildtype=debug", *(f"-D{name}=disabled" for name in ("cpu", "cuda", "examples", "opencl"))]
sanitized = os.environ.get("TEST_SANITIZE", "none") != "none"


def blocks(path):
    return block_pattern.findall(path.read_text())


def shell(text):
    """One block, in one shell, its exports kept for the next."""
    keep = work / "environment"
    script = f"set -euo pipefail\n{text}\nexport -p | grep -v PWD= > '{keep}'\n"
    if keep.exists():
        script = f". '{keep}'\n" + script
    if "meson setup" not in text:
        run(["bash", "-c", script], cwd=work, env=environment)
        return
    # in the source tree, into a build folder of its own
    script = script.replace("build-release", str(work / "release"))
    script = script.replace("meson setup", "meson setup -Ddefault_library=both")
    if not thorough:
        script = script.replace("--buildtype=release", " ".join(light))
    run(["bash", "-c", script], cwd=source, env=environment)
    if not thorough:
        to = prefix / "lib" / "parametrize-1" / "backends"
        to.mkdir(parents=True, exist_ok=True)
        for module in (build / "core" / "parametrize-1" / "backends").glob("*.so"):
            shutil.copy(module, to)


def snippet(text):
    """A ```python block, in a process of its own."""
    needs = ["numpy"] + ["torch"] * ("torch" in text)
    if all(importlib.util.find_spec(name) for name in needs):
        library = prefix / "lib" / "libparametrize-1.so"
        package = {"PARAMETRIZE_LIBRARY": str(library), "PYTHONPATH": str(source / "python")}
        run([sys.executable, "-c", text], cwd=work, env={**environment, **package})


def readme():
    """README.md: every command and snippet"""
    if sanitized:
        raise Skip("the build is instrumented")
    for language, text in blocks(source / "README.md"):
        name = re.match(r"/\* (\S+\.c) \*/", text)
        if language == "c":
            assert name, f"a C block without a file name:\n{text}"
            (work / name.group(1)).write_text(text)
        elif "./dev" in text:
            assert text.split() == ["./dev", "demo", "./dev", "test"], text
            if thorough:  # the other runs this
                run([str(source / "dev"), "demo"], cwd=work, env=environment)
        elif language == "python":
            snippet(text)
        else:
            assert language == "sh", language
            shell(text)


def guide():
    """docs: every command"""
    if sanitized:
        raise Skip("the build is instrumented")
    for path in sorted((source / "docs").rglob("*.md")):
        for language, text in blocks(path):
            if language == "sh":
                shell(text)
            elif language == "python":
                snippet(text)


def excerpts():
    """docs: code is what stands in the tree"""
    seen = 0
    for path in sorted((source / "docs").rglob("*.md")):
        for language, text in blocks(path):
            origin = re.match(r"(?:/\*|//) from (\S+)(?: \*/)?\n", text)
            if language in ("c", "cpp", "rust"):
                assert origin, f"{path.name}: a block without its origin:\n{text}"
                body = text[origin.end():].strip("\n")
                assert body in (source / origin.group(1)).read_text(), f"{path.name}: not in {origin.group(1)}:\n{body}"
                seen += 1
    assert seen > 0


def whole_build(step):
    def test():
        if sanitized:
            raise Skip("the build is instrumented")
        step()

    test.__doc__ = step.__doc__
    return test


def clean():
    """leaves nothing behind"""
    shutil.rmtree(work)


others = builds.steps(prefix, source, shlex.split(sys.argv[3]), work, environment)
main([readme, guide, excerpts, *map(whole_build, others), clean])
