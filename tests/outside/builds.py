# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Programs and plugins by CMake and statically, in trees that were moved or copied into another
program's: steps of readme.py, on what it has installed."""

import pathlib
import shlex
import shutil
import subprocess

from tap import Skip, run

CMAKE = """
cmake_minimum_required(VERSION 3.18)
project(stranger C)
set(CMAKE_C_STANDARD 11)
find_package(parametrize 1.0 REQUIRED)
add_executable(host host.c)
target_link_libraries(host PRIVATE parametrize::parametrize)
parametrize_add_plugin(bounded bounded.c)
"""


def steps(prefix, source, cc, work, environment):
    """The steps, for an installation of both libraries under `prefix`."""
    moved = work / "moved tree"
    lib = moved / "lib"
    environment = {**environment, "PKG_CONFIG_PATH": str(lib / "pkgconfig")}

    def move():
        """the installed tree can be moved"""
        shutil.copytree(prefix, moved, symlinks=True)

    def documents():
        """documentation and examples are installed, and nothing else of their folders"""
        doc = moved / "share" / "doc" / "parametrize"
        for name in "README.md", "docs/hosts.md", "docs/house.svg", "docs/maps/vectors.md", "examples/hosts/train.c", "examples/host.c", "bindings/rust/src/ffi.rs":
            assert (doc / name).is_file(), name
        extra = [f for f in doc.rglob("*") if f.name in ("meson.build", "pictures.py")]
        assert not extra, extra

    def configured_is_another():
        """a moved tree takes nothing of the configured folder; so does a library copied by itself"""
        text = run([str(moved / "bin" / "parametrize"), "doctor"], env=environment)
        assert str(prefix) not in text and str(moved) in text, text
        vendored = work / "vendored"
        vendored.mkdir()
        shutil.copy(lib / "libparametrize-1.so.1", vendored)
        alone = {**environment, "LD_LIBRARY_PATH": str(vendored)}
        done = subprocess.run([str(moved / "bin" / "parametrize"), "list"], env=alone, capture_output=True, text=True)
        assert str(prefix) not in done.stdout + done.stderr, done
        (vendored / "parametrize-1").mkdir()
        shutil.copytree(lib / "parametrize-1" / "plugins", vendored / "parametrize-1" / "plugins")
        text = run([str(moved / "bin" / "parametrize"), "list"], env=alone)
        assert str(vendored / "parametrize-1/plugins/cayley.so") in text and str(prefix) not in text, text

    def host(program):
        text = run([str(program)], env=environment)
        assert text.startswith("row 0 of a rotation:"), text

    def cmake():
        """find_package gives a program and a plugin, of the right version"""
        if not shutil.which("cmake"):
            raise Skip("cmake is not installed")
        stranger = work / "stranger"
        stranger.mkdir()
        (stranger / "CMakeLists.txt").write_text(CMAKE)
        shutil.copy(source / "examples" / "host.c", stranger)
        shutil.copy(source / "examples" / "plugin" / "bounded.c", stranger)
        command = ["cmake", "-S", str(stranger), "-B", str(stranger / "build"), f"-DCMAKE_C_COMPILER={cc[-1]}", f"-DCMAKE_PREFIX_PATH={moved}"]
        run(command, env=environment)
        run(["cmake", "--build", str(stranger / "build")], env=environment)
        host(stranger / "build" / "host")
        names = run(["nm", "-D", "--defined-only", str(stranger / "build" / "bounded.so")]).split()
        assert [n for n in names if n.startswith("pz_")] == ["pz_plugin_v1"], names
        checked = {**environment, "PARAMETRIZE_PLUGIN_PATH": str(stranger / "build")}
        assert "tanh" in run([str(moved / "bin" / "parametrize"), "info", "bounded"], env=checked)
        wrong = CMAKE.replace("parametrize 1.0", "parametrize 2.0")
        (stranger / "CMakeLists.txt").write_text(wrong)
        done = subprocess.run([*command[:4], str(stranger / "second"), *command[5:]], env=environment, capture_output=True, text=True)
        assert done.returncode != 0 and "2.0" in done.stderr, done.stderr

    def static():
        """a program with the library in it, by pkg-config --static and by CMake"""
        for shared in lib.glob("libparametrize-1.so*"):
            shared.unlink()
        flags = shlex.split(run(["pkg-config", "--cflags", "--libs", "--static", "parametrize-1"], env=environment))
        run([*cc, str(source / "examples" / "host.c"), *flags, "-o", str(work / "static")])
        assert "libparametrize" not in run(["ldd", str(work / "static")])
        # without plugins beside itself it uses those of the configured prefix, which is this build's own
        host(work / "static")
        if shutil.which("cmake"):
            shutil.rmtree(work / "stranger" / "build")
            (work / "stranger" / "CMakeLists.txt").write_text(CMAKE)
            run(["cmake", "-S", str(work / "stranger"), "-B", str(work / "stranger" / "build"), f"-DCMAKE_C_COMPILER={cc[-1]}",
                 f"-DCMAKE_PREFIX_PATH={moved}"], env=environment)  # fmt: skip
            run(["cmake", "--build", str(work / "stranger" / "build")], env=environment)
            assert "libparametrize" not in run(["ldd", str(work / "stranger" / "build" / "host")])
            host(work / "stranger" / "build" / "host")

    return [move, documents, configured_is_another, cmake, static]
