# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Shared by the tests of the command: running it, and .npy files without NumPy.

Every script here is called with the command's path as its first argument; those that build
plugins with the compiler and the include folder as its second and third.
"""

import array
import atexit
import os
import pathlib
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Skip

command = os.path.abspath(sys.argv[1])
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-command-"))
atexit.register(shutil.rmtree, work, ignore_errors=True)
environment = {
    name: value
    for name, value in os.environ.items()
    if name not in ("PARAMETRIZE_PLUGIN_PATH", "COLUMNS", "POSIXLY_CORRECT")
}
environment["XDG_DATA_HOME"] = str(work / "data")
environment["HOME"] = str(work)

# Sanitizers have allocators of their own, with words of their own.
sanitized = any(word in os.environ.get("TEST_SANITIZE", "none") for word in ("address", "thread"))

seed = int(os.environ.get("TEST_SEED", 1))
print(f"TEST_SEED={seed}", file=sys.stderr)


def folder(name):
    """Makes a new folder the current one."""
    path = work / name
    path.mkdir()
    os.chdir(path)
    return path


def start(*arguments, **options):
    options.setdefault("env", environment)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(
        [command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def run(*arguments, **options):
    """Runs the command: (exit status, standard output, standard error)."""
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def good(*arguments, **options):
    """Runs a command that must succeed with nothing on standard error; returns its output."""
    status, out, err = run(*arguments, **options)
    assert status == 0 and err == "", f"{arguments}: exit {status}: {err}"
    return out


def without_privileges():
    """Options for a run by a user who is not root; skips the step where that user cannot run the command."""
    nobody = 65534

    def give_up():
        if os.getuid() == 0:
            os.setgid(nobody)
            os.setuid(nobody)

    work.chmod(0o755)
    try:
        able = run("--version", preexec_fn=give_up)[0] == 0
    except PermissionError:
        able = False
    if not able:
        raise Skip("another user than root cannot run the command here")
    return {"preexec_fn": give_up}


def build_maps():
    """Compiles maps.c with plain cc into a new folder of the search path; returns the folder."""
    path = work / "plugins"
    path.mkdir()
    source = pathlib.Path(__file__).with_name("maps.c")
    flags = ["-D_GNU_SOURCE", "-shared", "-fPIC", "-I" + sys.argv[3]]
    subprocess.run([*shlex.split(sys.argv[2]), *flags, str(source), "-o", str(path / "maps.so")], check=True)
    environment["PARAMETRIZE_PLUGIN_PATH"] = str(path)
    return path


def snapshot():
    """The files below this folder with their bytes, where they can be read."""
    files = pathlib.Path.cwd().rglob("*")
    return {f: f.read_bytes() if f.is_file() and os.access(f, os.R_OK) else None for f in files}


def refused(*arguments, status=1, says=(), **options):
    """Runs a command that must fail with one line containing all of `says`, and change no file."""
    before = snapshot()
    code, out, err = run(*arguments, **options)
    shown = f"{arguments}: exit {code}: {err}"
    assert code == status, shown
    assert out == "", shown
    assert err.count("\n") == 1 and err.startswith("parametrize: ") and err.endswith("\n"), shown
    for text in [says] if isinstance(says, str) else says:
        assert text in err, f"{text!r} is not in: {shown}"
    assert snapshot() == before, f"{arguments} changed files"


def usage(*arguments, says=()):
    refused(*arguments, status=2, says=[*([says] if isinstance(says, str) else says), "--help"])


def header(text, version=(1, 0)):
    """Magic, version, length and dictionary."""
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text.encode("latin-1")


def dictionary(descr="<f8", shape=(), order=False):
    return f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {tuple(shape)!r}, }}\n"


def write(path, shape, values, code="d"):
    """A .npy file of native order; code is d or f."""
    kind = {"d": "f8", "f": "f4"}[code]
    data = array.array(code, values).tobytes()
    order = "<" if sys.byteorder == "little" else ">"
    text = dictionary(order + kind, shape)[:-1]
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    pathlib.Path(path).write_bytes(header(text) + data)


def read(path):
    """(shape, values) of a file that the command wrote, which must be in the plain form."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    length = struct.unpack("<H", data[8:10])[0]
    text = data[10 : 10 + length].decode("ascii")
    assert (10 + length) % 64 == 0 and text.endswith("\n"), text
    fields = eval(text)  # the writer is the one under test
    assert sorted(fields) == ["descr", "fortran_order", "shape"] and not fields["fortran_order"], text
    order = "<" if sys.byteorder == "little" else ">"
    code = {order + "f8": "d", order + "f4": "f"}[fields["descr"]]
    values = array.array(code)
    values.frombytes(data[10 + length :])
    count = 1
    for extent in fields["shape"]:
        count *= extent
    assert len(values) == count, path
    return fields["shape"], list(values)
