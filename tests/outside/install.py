# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The installed tree as a stranger meets it: staged, moved, built against with pkg-config.

usage: install.py BUILD_DIR SOURCE_DIR CC
"""

import os
import pathlib
import re
import shlex
import shutil
import struct
import sys
import tempfile

from tap import Skip, main, run

build = pathlib.Path(sys.argv[1])
source = pathlib.Path(sys.argv[2])
cc = shlex.split(sys.argv[3])
maps = ["cayley", "matrix_exp", "orthogonal", "pruning", "skew", "spectral_norm", "symmetric", "weight_norm"]
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-install-"))
moved = work / "moved tree"
environment = dict(os.environ)
for name in ("PARAMETRIZE_PLUGIN_PATH", "LD_LIBRARY_PATH", "DESTDIR"):
    environment.pop(name, None)
environment["XDG_DATA_HOME"] = str(work / "data")
sanitized = any(flag in os.environ.get("TEST_SANITIZE", "none") for flag in ("address", "thread"))


def needs_plain_build():
    if sanitized:
        raise Skip("the build is instrumented: outside programs cannot load it")


def pkg_config(*arguments):
    return shlex.split(run(["pkg-config", *arguments, "parametrize-1"], env=environment))


def command(*arguments, **options):
    return run([str(moved / "bin" / "parametrize"), *arguments], env=environment, **options)


def stage():
    """installs below a prefix, and nothing outside it"""
    run(
        ["meson", "install", "-C", str(build), "--no-rebuild", "--destdir", str(work / "stage")],
        env=environment,
    )
    files = [f for f in (work / "stage").rglob("*") if not f.is_dir()]
    prefixes = {f.parents[-1] for f in files}
    assert len(prefixes) == 1, prefixes
    root = next(p for p in (work / "stage").rglob("bin") if (p / "parametrize").exists()).parent
    outside = [f for f in files if root not in f.parents]
    assert not outside, outside
    shutil.move(root, moved)
    shutil.rmtree(work / "stage")
    libdir = next(moved.rglob("parametrize-1.pc")).parent
    environment["PKG_CONFIG_PATH"] = str(libdir)


def layout():
    """puts headers, plugins and backends where the documentation says"""
    headers = {h.name for h in (moved / "include" / "parametrize-1" / "parametrize").iterdir()}
    assert {"parametrize.h", "plugin.h", "backend.h", "types.h", "parametrize.hpp", "module.hpp", "chain.hpp"} <= headers, headers
    plugins = pathlib.Path(pkg_config("--variable=plugindir")[0] if " " not in str(moved) else
                           run(["pkg-config", "--variable=plugindir", "parametrize-1"],
                               env=environment).strip().replace("\\ ", " "))
    assert plugins.name == "plugins" and plugins.parent.name == "parametrize-1", plugins
    names = {p.name for p in plugins.iterdir()}
    assert {name + ".so" for name in maps} <= names, names
    assert (plugins.parent / "backends").is_dir()
    alone = environment | {"PKG_CONFIG_LIBDIR": environment["PKG_CONFIG_PATH"]}  # no package of another library
    assert "-lparametrize-1" in run(["pkg-config", "--cflags", "--libs", "parametrize-1"], env=alone)


def symbols():
    """exports pz_ names only, and one data symbol per plugin"""
    needs_plain_build()
    for path in moved.rglob("*.so*"):
        if path.is_symlink():
            continue
        lines = run(["nm", "-D", "--defined-only", str(path)]).splitlines()
        names = {line.split()[-1].split("@")[0] for line in lines} - {"PARAMETRIZE_1.0"}
        if path.parent.name in ("plugins", "backends"):
            assert names == {"pz_plugin_v1"}, (path.name, names)
        else:
            assert names and all(n.startswith("pz_") for n in names), (path.name, names)
            assert not [n for n in names if n.startswith("pz_plugin_v1")], names


def list_moved():
    """the moved command finds the moved plugins"""
    needs_plain_build()
    text = command("list")
    for name in maps:
        assert name in text, text
    assert str(moved) in text and str(build) not in text, text


def own_plugin():
    """a plugin built with one cc line is listed and applied"""
    needs_plain_build()
    folder = work / "mine"
    folder.mkdir()
    run(
        [*cc, "-shared", "-fPIC", "-O3", "-fno-math-errno", *pkg_config("--cflags"),
         str(source / "examples/plugin/bounded.c"), "-o", str(folder / "bounded.so")]
    )
    environment["PARAMETRIZE_PLUGIN_PATH"] = str(folder)
    assert str(folder / "bounded.so") in command("list")
    numbers = struct.pack("<4d", -2.0, 0.0, 0.5, 3.0)
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }"
    header += b" " * (117 - len(header)) + b"\n"
    (work / "in.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + numbers)
    command("apply", "-p", "bounded", "in.npy", "-o", "out.npy", cwd=work)
    out = struct.unpack("<4d", (work / "out.npy").read_bytes()[-32:])
    assert abs(out[3] - 0.9950547536867305) < 1e-15 and out[1] == 0.0, out


def own_backend():
    """a backend built by its own Makefile is installed, shown, and computes the same"""
    needs_plain_build()
    folder = work / "backend"
    shutil.copytree(source / "examples/backend_minimal", folder)
    run(["make", "-C", str(folder), f"CC={shlex.join(cc)}", "install"], env=environment)
    installed = next(moved.rglob("parametrize-1/backends")) / "minimal.so"
    with installed.open("rb") as old:
        # installed again, it is another file, and the old one stays whole for who has it open
        run(["make", "-C", str(folder), f"CC={shlex.join(cc)}", "-W", "minimal.c", "install"], env=environment)
        assert not os.path.samestat(os.fstat(old.fileno()), installed.stat())
        assert old.read() and not [f for f in installed.parent.iterdir() if f.suffix != ".so"]
    assert "minimal.so: minimal minimal_plus\n" in command("doctor"), command("doctor")
    assert re.search(r"^ *minimal:0 +not for auto\b", command("doctor"), re.M), command("doctor")
    for device in "minimal:0", "minimal_plus:0":
        assert f"\n{device} " in command("list"), command("list")
    routes = {
        device: {line.split()[0]: line.split()[1:] for line in command("info", "--device", device).splitlines() if line}
        for device in ("minimal", "minimal_plus")
    }
    for operation, minimal, plus in (
        ("copy", "composed", "composed"),
        ("gemm", "host", "native"),
        ("launch", "host", "native"),
        ("syrk", "host", "composed"),
        ("shifted_inverse", "host", "composed"),
        ("eigh", "host", "host"),
        ("read", "native", "native"),
    ):
        assert routes["minimal"][operation] == [minimal, minimal], (operation, routes["minimal"])
        assert routes["minimal_plus"][operation] == [plus, plus], (operation, routes["minimal_plus"])
    for device in "reference", "minimal", "minimal_plus":
        command("apply", "-p", "skew,cayley", "in.npy", "-o", f"{device}.npy", "--device", device, cwd=work)
    values = [struct.unpack("<4d", (work / f"{d}.npy").read_bytes()[-32:]) for d in ("reference", "minimal", "minimal_plus")]
    assert max(abs(a - b) for other in values[1:] for a, b in zip(values[0], other)) < 1e-14, values


def own_host():
    """a host of a few lines builds with pkg-config and registers skew,cayley"""
    needs_plain_build()
    run([*cc, str(source / "examples/host.c"), *pkg_config("--cflags", "--libs"), "-o", str(work / "host")])
    libdir = run(["pkg-config", "--variable=libdir", "parametrize-1"], env=environment).strip()
    text = run([str(work / "host")], env={**environment, "LD_LIBRARY_PATH": libdir.replace("\\ ", " ")})
    assert text.startswith("row 0 of a rotation:"), text


def clean():
    """leaves nothing behind"""
    shutil.rmtree(work)


main([stage, layout, symbols, list_moved, own_plugin, own_backend, own_host, clean])
