# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What bindings in other languages call instead of macros and inline functions.
usage: bindings.py LIBRARY INCLUDE_DIR

The functions are found in types.h, so that a new one is not forgotten."""

import ctypes as C
import os
import pathlib
import re
import sys

from tap import main

if os.environ.get("TEST_SANITIZE", "none") != "none":
    print("1..0 # SKIP a sanitized library does not load into Python")
    sys.exit(0)

library = C.CDLL(sys.argv[1])
types = pathlib.Path(sys.argv[2], "parametrize", "types.h").read_text()


class Spec(C.Structure):
    _fields_ = [("dtype", C.c_uint32), ("structure", C.c_uint32), ("ndim", C.c_int32), ("reserved", C.c_int32), ("shape", C.c_int64 * 8)]


class Tensor(C.Structure):
    _fields_ = [
        ("data", C.c_void_p), ("type", C.c_int32), ("id", C.c_int32), ("ndim", C.c_int32), ("dtype", C.c_uint32),
        ("shape", C.POINTER(C.c_int64)), ("strides", C.POINTER(C.c_int64)), ("byte_offset", C.c_uint64),
    ]  # fmt: skip


def call(name, result, *arguments):
    function = getattr(library, name)
    function.restype = result
    return function(*arguments)


def whole():
    """every inline function of types.h is exported"""
    names = re.findall(r"^static inline [^\n]+\n(pz_\w+)\(", types, re.M)
    assert len(names) == 12, names
    for name in names:
        getattr(library, name)


def dtypes():
    """dtypes by name, their sizes and epsilons"""
    for name, size, epsilon in (("float32", 4, 2.0**-23), ("float64", 8, 2.0**-52), ("int64", 8, 0.0)):
        dtype = call("pz_dtype_named", C.c_uint32, name.encode())
        assert dtype != 0 and call("pz_dtype_size", C.c_size_t, C.c_uint32(dtype)) == size, name
        assert call("pz_dtype_epsilon", C.c_double, C.c_uint32(dtype)) == epsilon, name
    for name in (b"float16", b"", None):
        assert call("pz_dtype_named", C.c_uint32, name) == 0
    assert call("pz_error_message", C.c_char_p) == b'dtype "", expected float32, float64 or int64'


def tensors():
    """a host tensor, its counts and its spec"""
    float64 = call("pz_dtype_named", C.c_uint32, b"float64")
    data = (C.c_double * 24)()
    shape = (C.c_int64 * 3)(2, 3, 4)
    t = call("pz_host_tensor", Tensor, C.c_uint32(float64), data, C.c_int32(3), shape)
    assert (t.data, t.type, t.id, t.ndim, t.dtype, t.byte_offset) == (C.addressof(data), 1, 0, 3, float64, 0)
    assert not t.strides and [t.shape[k] for k in range(3)] == [2, 3, 4]
    counts = [call(f"pz_{name}", C.c_int64, C.byref(t)) for name in ("count", "batch", "rows", "cols")]
    assert counts == [24, 2, 3, 4], counts
    assert call("pz_shape_count", C.c_int64, C.c_int32(3), shape) == 24
    spec = call("pz_spec_of", Spec, C.byref(t))
    made = call("pz_spec_make", Spec, C.c_uint32(float64), C.c_int32(3), shape)
    assert bytes(spec) == bytes(made) and list(spec.shape) == [2, 3, 4, 0, 0, 0, 0, 0]
    assert call("pz_spec_count", C.c_int64, C.byref(spec)) == 24
    assert call("pz_spec_equal", C.c_bool, C.byref(spec), C.byref(made))
    made.shape[2] = 5
    assert not call("pz_spec_equal", C.c_bool, C.byref(spec), C.byref(made))


main([whole, dtypes, tensors])
