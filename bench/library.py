# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""One chain of libparametrize in this process, on NumPy arrays, for the benchmarks."""

import ctypes as C
import pathlib

import numpy as np

SAVING = 1
ORIGINAL, STATE_BUFFER = 1, 3
FROM_TENSOR = 1
REGISTER = 1


class Device(C.Structure):
    _fields_ = [("type", C.c_int32), ("id", C.c_int32)]


class Tensor(C.Structure):
    _fields_ = [("data", C.c_void_p), ("device", Device), ("ndim", C.c_int32), ("dtype", C.c_uint32),
                ("shape", C.POINTER(C.c_int64)), ("strides", C.POINTER(C.c_int64)), ("offset", C.c_uint64)]


class Spec(C.Structure):
    _fields_ = [("dtype", C.c_uint32), ("structure", C.c_uint32), ("ndim", C.c_int32), ("reserved", C.c_int32),
                ("shape", C.c_int64 * 8)]


class Settings(C.Structure):
    _fields_ = [("size", C.c_uint32), ("flags", C.c_uint32), ("folders", C.POINTER(C.c_char_p)),
                ("n_folders", C.c_uint32), ("reserved", C.c_uint32), ("seed", C.c_uint64), ("rest", C.c_uint64 * 8)]


def aligned(x):
    """A copy whose memory begins at a multiple of 64 bytes, as the library uses without copying."""
    room = np.empty(x.nbytes + 64, np.uint8)
    begin = -room.ctypes.data % 64
    y = room[begin : begin + x.nbytes].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def array(tensor):
    """Of contiguous host memory that stays the library's."""
    kind = C.c_float if (tensor.dtype >> 8 & 0xFF) == 32 else C.c_double
    return np.ctypeslib.as_array(C.cast(tensor.data, C.POINTER(kind)), tuple(tensor.shape[: tensor.ndim]))


class Library:
    """`build` is a build folder; its plugins and backends are found there."""

    def __init__(self, build):
        core = pathlib.Path(build).resolve() / "core"  # relative folders of plugins are refused
        self.call = C.CDLL(str(next(core.glob("libparametrize*.so"))))
        self.call.pz_error_message.restype = C.c_char_p
        folders = (C.c_char_p * 2)(*(str(core / "parametrize-1" / name).encode() for name in ("plugins", "backends")))
        settings = Settings(size=C.sizeof(Settings) - 64, flags=3, folders=folders, n_folders=2, seed=1)
        self.context = C.c_void_p()
        self.queue = C.c_void_p()
        self.check(self.call.pz_context_new(C.byref(settings), C.byref(self.context)))
        self.check(self.call.pz_queue_open(self.context, b"cpu", None, C.byref(self.queue)))

    def check(self, status):
        if status:
            raise RuntimeError(self.call.pz_error_message().decode())

    def view(self, x):
        """A pz_tensor on the memory of a contiguous array, which must outlive it."""
        code = 2 | (8 * x.itemsize) << 8 | 1 << 16
        shape = (C.c_int64 * x.ndim)(*x.shape)
        return Tensor(x.ctypes.data, Device(1, 0), x.ndim, code, shape, None, 0)

    def views(self, arrays):
        return (Tensor * len(arrays))(*map(self.view, arrays))

    def chain(self, text, x):
        return Chain(self, text, x)

    def bound(self, text, x):
        return Chain(self, text, x, bound=True)


class Chain:
    """A chain with state and evaluation, registered on x; or, bound, with x itself as its original."""

    def __init__(self, library, text, x, bound=False):
        self.library = library
        self.x = aligned(x)
        call, tensor = library.call, library.view(self.x)
        spec = Spec(tensor.dtype, 0, x.ndim, 0, (C.c_int64 * 8)(*x.shape))
        self.state, self.eval, self.chain = C.c_void_p(), C.c_void_p(), C.c_void_p()
        library.check(call.pz_chain_new(library.context, text.encode(), None, 0, FROM_TENSOR, C.byref(spec), 1,
                                        C.byref(self.chain)))
        library.check(call.pz_state_new(self.chain, library.queue, C.byref(self.state)))
        library.check(call.pz_eval_new(self.chain, library.queue, C.byref(self.eval)))
        library.check(call.pz_eval_initialize(self.eval, self.state, C.c_uint32(0), C.byref(tensor)))
        if bound:
            library.check(call.pz_state_bind(self.state, ORIGINAL, C.c_uint32(0), C.byref(tensor)))
        else:
            library.check(call.pz_eval_assign(self.eval, self.state, REGISTER, C.byref(tensor)))
        self.gradient = aligned(np.zeros_like(self.x))
        self.out = library.view(self.gradient)

    def __del__(self):
        for free, what in ("eval", self.eval), ("state", self.state), ("chain", self.chain):
            getattr(self.library.call, f"pz_{free}_free")(what)

    def forward(self):
        value = Tensor()
        self.library.call.pz_state_touch(self.state)
        self.library.check(self.library.call.pz_eval_forward(self.eval, self.state, SAVING, None, C.byref(value)))
        return value

    def tensor(self, role, index=0):
        """An original or a buffer as an array on its memory; pz_state_touch is the caller's."""
        tensor = Tensor()
        self.library.check(self.library.call.pz_state_tensor(self.state, role, index, C.byref(tensor)))
        return array(tensor)

    def vjp(self, g, outputs=None):
        """Of an array, or of a view made beforehand; into self.gradient, or views of all originals."""
        tensor = g if isinstance(g, Tensor) else self.library.view(g)
        want = C.c_uint64((1 << len(outputs)) - 1 if outputs else 1)
        out = outputs if outputs else C.byref(self.out)
        self.library.check(self.library.call.pz_eval_vjp(self.eval, self.state, C.byref(tensor), 1, want, False, out))
