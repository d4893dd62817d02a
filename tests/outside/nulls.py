# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""No call of the public API crashes on NULL: every function of the headers, with every pointer
missing in turn, and with all missing.
usage: nulls.py LIBRARY INCLUDE_DIR

The prototypes are read from the headers, so a new function is tested without being named here."""

import ctypes
import os
import pathlib
import re
import sys
import tempfile

from tap import Skip, main

if os.environ.get("TEST_SANITIZE", "none") != "none":
    print("1..0 # SKIP a sanitized library does not load into Python")
    sys.exit(0)

library = ctypes.CDLL(sys.argv[1])
text = "".join(f.read_text() for f in sorted(pathlib.Path(sys.argv[2], "parametrize").glob("*.h")))
text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
functions = {}
for result, name, arguments in re.findall(r"\bPZ_API\s+([\w\s]+\**)\s*(pz_\w+)\(([^)]*)\);", text):
    parts = [] if arguments.strip() == "void" else [" ".join(part.split()) for part in arguments.split(",")]
    functions[name] = (result.strip(), [re.fullmatch(r"(.*?[ *])(\w+)", part).groups() for part in parts])


class Spec(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_uint32), ("structure", ctypes.c_uint32), ("ndim", ctypes.c_int32), ("reserved", ctypes.c_int32), ("shape", ctypes.c_int64 * 8)]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("type", ctypes.c_int32), ("id", ctypes.c_int32), ("ndim", ctypes.c_int32), ("dtype", ctypes.c_uint32),
        ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64),
    ]  # fmt: skip


float32 = 2 | 32 << 8 | 1 << 16 if sys.byteorder == "little" else 2 << 24 | 32 << 16 | 1
shape = (ctypes.c_int64 * 2)(3, 3)
data = (ctypes.c_float * 9)(*range(9))
spec = Spec(float32, 0, 2, 0, (3, 3))
tensor = Tensor(ctypes.addressof(data), 1, 0, 2, float32, ctypes.addressof(shape), None, 0)


def call(name, *arguments):
    f = getattr(library, name)
    f.restype = {"pz_status": ctypes.c_int, "void": None, "bool": ctypes.c_bool}.get(functions[name][0], ctypes.c_size_t)
    return f(*arguments)


def made(name, *arguments):
    """The object that a function gives in its last argument."""
    out = ctypes.c_void_p()
    status = call(name, *arguments, ctypes.byref(out))
    library.pz_error_message.restype = ctypes.c_char_p
    assert status == 0, (name, library.pz_error_message())
    return out


def sized(bytes_):
    room = ctypes.create_string_buffer(bytes_)
    ctypes.memmove(room, bytes_.to_bytes(4, sys.byteorder), 4)
    return room


context = made("pz_context_new", None)
queue = made("pz_queue_open", context, b"reference", None)
chain = made("pz_chain_new", context, b"skew", None, 0, 1, ctypes.byref(spec), 1)
state = made("pz_state_new", chain, queue)
evaluation = made("pz_eval_new", chain, queue)
module = made("pz_module_new", context, queue, None)
assert call("pz_module_add", module, b"weight", 1, ctypes.byref(tensor)) == 0
assert call("pz_register_parametrization", module, b"weight", b"skew", None) == 0
slot = made("pz_module_slot", module, b"weight")
event = made("pz_queue_record", queue)
folder = tempfile.TemporaryDirectory()  # calls write files of names such as "weight"
os.chdir(folder.name)
path = os.fsencode(folder.name) + b"/model.safetensors"
assert call("pz_module_save", module, path, None) == 0
file = made("pz_file_open", path)

# A writer is consumed by commit, so each call makes its own.
objects = {
    "pz_context": context, "pz_queue": queue, "pz_chain": chain, "pz_state": state, "pz_eval": evaluation, "pz_module": module,
    "pz_slot": slot, "pz_event": event, "pz_file": file,
}  # fmt: skip


def value(kind, name):
    """A valid argument of a type; None for a pointer that may or must be missing here."""
    kind = kind.replace("const ", "").strip()
    if not kind.endswith("*"):
        return ctypes.c_uint64(1 if name.startswith("n_") or "direction" in kind or "role" in kind else 0)
    if kind.endswith("**"):
        return ctypes.byref(ctypes.c_void_p())
    base = kind[:-1].strip()
    if base in objects:
        return objects[base]
    if base == "pz_tensor":
        return ctypes.byref(tensor)
    if base == "pz_spec":
        return ctypes.byref(spec)
    if base == "char":
        return ctypes.create_string_buffer(64) if name == "buffer" else b"weight"
    if base == "pz_writer":
        return made("pz_writer_open", path, 0, None, 0, None, 0)
    if base in ("pz_plugin", "struct DLManagedTensor", "void"):
        return None
    if re.search(r"(info|report|settings|usage)$", base):
        return sized(512)
    return ctypes.create_string_buffer(512)  # elements of arrays, all zero; places for results


def survives(name, missing):
    """Calls a function in a child with the arguments of these numbers missing. Returns its status."""
    child = os.fork()
    if child == 0:
        arguments = [None if k in missing else value(*part) for k, part in enumerate(functions[name][1])]
        result = call(name, *arguments)
        os._exit(result & 0x7F if functions[name][0] == "pz_status" else 0)
    _, how = os.waitpid(child, 0)
    assert not os.WIFSIGNALED(how), f"{name}({', '.join(part[1] for part in functions[name][1])}) without {missing}: signal {os.WTERMSIG(how)}"
    return os.WEXITSTATUS(how)


def each():
    """one pointer missing"""
    assert len(functions) > 100, len(functions)
    for name, (_, parts) in functions.items():
        for k, (kind, _) in enumerate(parts):
            if kind.strip().endswith("*"):
                survives(name, {k})


def nothing():
    """all pointers missing: a status that says so"""
    for name, (result, parts) in functions.items():
        pointers = {k for k, (kind, _) in enumerate(parts) if kind.strip().endswith("*")}
        status = survives(name, pointers)
        assert status != 0 or result != "pz_status", name


def everything():
    """no pointer missing, but for those that have no value here"""
    for name in functions:
        survives(name, set())


main([each, nothing, everything])
