# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""NumPy arrays and other holders of memory as tensors of C, without copies where C can read them."""

import ctypes as C

import numpy as np

from ._abi import Spec, Tensor

_KINDS = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6}
_NAMED = {np.dtype(name): 0x10000 | bits << 8 | code for name, bits, code in (("f4", 32, 2), ("f8", 64, 2), ("i8", 64, 0))}
_BY_CODE = {code: dtype for dtype, code in _NAMED.items()}


def dtype_code(dtype):
    """DLPack's word for a dtype, also for those that the library will refuse by name."""
    code = _NAMED.get(dtype)
    if code is not None:
        return code
    if dtype.kind not in _KINDS:
        raise TypeError(f"found an array of {dtype}, expected float32 or float64")
    return 0x10000 | (dtype.itemsize * 8 & 0xFF) << 8 | _KINDS[dtype.kind]


def dtype_of(code):
    return _BY_CODE[code]


def array_of(x, what="the tensor"):
    """The memory of `x` as an array, without a copy.

    `x` is a NumPy array, has `__dlpack__`, or supports the buffer protocol.
    """
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "__dlpack__"):
        return np.from_dlpack(x)
    try:
        return np.asarray(memoryview(x))
    except TypeError:
        raise TypeError(f"{what}: found {type(x).__name__}, expected an array") from None


def readable(x, what="the tensor"):
    """As `array_of`; copied if C cannot read it in place: another byte order, strides of 0 or less."""
    array = array_of(x, what)
    size = array.itemsize
    for extent, stride in zip(array.shape, array.strides):
        if extent > 1 and (stride <= 0 or stride % size):
            break
    else:
        if array.dtype.isnative and array.flags.aligned:
            return array
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C", subok=False)


def tensor_of(array):
    """A tensor of C that looks at `array`, and keeps it alive."""
    n, size = array.ndim, array.itemsize
    strides = [s // size if extent > 1 else 1 for extent, s in zip(array.shape, array.strides)]
    extents = (C.c_int64 * (2 * n))(*array.shape, *strides)
    at = C.addressof(extents)
    tensor = Tensor(
        data=array.__array_interface__["data"][0],
        device_type=1,
        ndim=n,
        dtype=dtype_code(array.dtype),
        shape=at,
        strides=at + 8 * n,
    )
    tensor.keep = array, extents
    return tensor


def tensors_of(arrays, count=None):
    """An array of tensors of C; those beyond `arrays`, up to `count`, are zero."""
    many = (Tensor * (len(arrays) if count is None else count))()
    many.keep = [tensor_of(a) for a in arrays]
    for k, one in enumerate(many.keep):
        many[k] = one
    return many


def writable(out, shape, dtype):
    """The array to write a result to: a new one, or that of the caller."""
    if out is None:
        return np.empty(shape, dtype)
    array = array_of(out, "out")
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"out: found {array.dtype} {array.shape}, expected {dtype} {shape}")
    if not array.flags.writeable:
        raise ValueError("out: found a read-only array, expected one that can be written")
    return array


def spec_of(like):
    """The spec of an array, or of a pair (shape, dtype)."""
    if isinstance(like, tuple) and len(like) == 2 and isinstance(like[0], (tuple, list)):
        shape, dtype = tuple(like[0]), np.dtype(like[1])
    else:
        array = array_of(like)
        shape, dtype = array.shape, array.dtype
    spec = Spec(dtype=dtype_code(dtype), ndim=len(shape))
    spec.extents[: min(len(shape), 8)] = shape[:8]
    return spec


def identity(shape, dtype):
    """Identity matrices, which lie in almost every set; ones for tensors without matrices."""
    if len(shape) < 2:
        return np.ones(shape, dtype)
    return np.broadcast_to(np.eye(shape[-2], shape[-1], dtype=dtype), shape)
