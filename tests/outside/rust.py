# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The crate of bindings/rust: its declarations, its tests and its examples, without a network.
usage: rust.py SOURCE_DIR BUILD_DIR"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Skip, main, run

source, build = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
crate = source / "bindings" / "rust"
environment = {
    **os.environ,
    "CARGO_TARGET_DIR": str(build / "rust"),
    "LD_LIBRARY_PATH": str(build / "core"),  # for the examples in comments, which cargo links without an rpath
    "PKG_CONFIG_PATH": str(build / "meson-uninstalled"),
}
if os.environ.get("TEST_SANITIZE", "none") != "none":
    print("1..0 # SKIP the build is instrumented")
    sys.exit(0)

EXPECTED = {
    ("read",): r"a rotation \[3, 3\]: 0.677 -0.581 0.452\nParametrizedLinear\((.|\n)*cayley(.|\n)*",
    ("train",): r"step 0: loss 8.000e-1\n(.*\n){3}0.6000 -0.8000\n",
    ("train", "reference"): r"step 0: loss 8.000e-1\n(.*\n){3}0.6000 -0.8000\n",
    ("save",): r"(.*)\nstep 1000\n\1\n\1\n",
    ("errors",): 'beginning anew, without absent.safetensors\nOutside: "gains": positive: found .* by 2, .*\n',
}


def needs(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def declarations():
    """src/ffi.rs is what bindgen makes of the headers"""
    needs("bindgen")
    version = run(["bindgen", "--version"]).split()[1]
    if not version.startswith("0.60."):
        raise Skip(f"bindgen {version} writes otherwise than 0.60")

    def words(path):
        return re.sub(r"[\s,]+", "", path.read_text())  # with or without rustfmt

    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, "ffi.rs")
        run(["sh", str(crate / "bindgen.sh"), str(made)])
        assert words(made) == words(crate / "src" / "ffi.rs"), "run bindings/rust/bindgen.sh"


def cargo(*arguments):
    needs("cargo")
    return run(["cargo", *arguments, "--offline", "--locked", "--manifest-path", str(crate / "Cargo.toml")], env=environment)


def tests():
    """cargo test: answers, statuses, threads, and borrows that do not compile"""
    out = cargo("test")
    counts = [int(n) for n in re.findall(r"^test result: ok\. (\d+) passed", out, re.M)]
    assert len(counts) == 3 and counts[1] >= 10 and counts[2] == 2, out


def examples():
    """the examples print what they should"""
    cargo("build", "--examples")
    with tempfile.TemporaryDirectory() as folder:
        for (name, *arguments), expected in EXPECTED.items():
            text = run([str(build / "rust" / "debug" / "examples" / name), *arguments], cwd=folder)
            assert re.fullmatch(expected, text), (name, text)


def no_library():
    """without the library, the build says what pkg-config said"""
    needs("cargo")
    with tempfile.TemporaryDirectory() as folder:
        alone = {**environment, "PKG_CONFIG_PATH": folder, "PKG_CONFIG_LIBDIR": folder, "CARGO_TARGET_DIR": folder}
        command = ["cargo", "build", "--offline", "--locked", "--manifest-path", str(crate / "Cargo.toml")]
        done = subprocess.run(command, env=alone, capture_output=True, text=True)
        assert done.returncode != 0 and "parametrize-1" in done.stderr and "pkg-config" in done.stderr, done.stderr


main([declarations, tests, examples, no_library])
