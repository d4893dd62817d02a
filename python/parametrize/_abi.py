# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The C library: its structs, its functions and where it lies.

ctypes releases the GIL during every call. Functions that return a status raise it as an exception.
"""

import ctypes as C
import os
import pathlib

from .errors import BY_STATUS, Error

MAX_DIMS = 8


class Spec(C.Structure):
    """pz_spec: dtype, structure and shape."""

    _fields_ = [
        ("dtype", C.c_uint32),
        ("structure", C.c_uint32),
        ("ndim", C.c_int32),
        ("reserved", C.c_int32),
        ("extents", C.c_int64 * MAX_DIMS),
    ]

    @property
    def shape(self):
        return tuple(self.extents[: self.ndim])


class Tensor(C.Structure):
    """pz_tensor. Whoever fills it keeps alive what it points to."""

    _fields_ = [
        ("data", C.c_void_p),
        ("device_type", C.c_int32),
        ("device_id", C.c_int32),
        ("ndim", C.c_int32),
        ("dtype", C.c_uint32),
        ("shape", C.c_void_p),
        ("strides", C.c_void_p),
        ("byte_offset", C.c_uint64),
    ]


class Sized(C.Structure):
    """A struct that begins with its size."""

    def __init__(self, **fields):
        super().__init__(size=C.sizeof(self), **fields)


class ContextSettings(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("flags", C.c_uint32),
        ("folders", C.c_void_p),
        ("n_folders", C.c_uint32),
        ("reserved", C.c_uint32),
        ("seed", C.c_uint64),
        ("devices", C.c_char_p),
        ("refuse", C.c_void_p),
        ("refuse_data", C.c_void_p),
    ]


class MapInfo(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("flags", C.c_uint32),
        ("id", C.c_char_p),
        ("summary", C.c_char_p),
        ("formula", C.c_char_p),
        ("version", C.c_char_p),
        ("path", C.c_char_p),
        ("n_options", C.c_uint32),
        ("reserved", C.c_uint32),
        ("tags", C.c_char_p),
    ]


class OptionInfo(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("type", C.c_uint32),
        ("name", C.c_char_p),
        ("doc", C.c_char_p),
        ("fallback", C.c_char_p),
        ("range", C.c_char_p),
    ]


class DeviceReport(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("usable", C.c_uint32),
        ("device_type", C.c_int32),
        ("device_id", C.c_int32),
        ("f64", C.c_uint32),
        ("priority", C.c_int32),
        ("name", C.c_char_p),
        ("summary", C.c_char_p),
        ("hardware", C.c_char_p),
        ("detail", C.c_char_p),
        ("reason", C.c_char_p),
        ("path", C.c_char_p),
        ("rank", C.c_char_p),
    ]


class ChainTensorInfo(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("role", C.c_uint32),
        ("stage", C.c_uint32),
        ("reserved", C.c_uint32),
        ("name", C.c_char_p),
        ("spec", Spec),
    ]


class StageInfo(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("reserved", C.c_uint32),
        ("text", C.c_char_p),
        ("id", C.c_char_p),
        ("value", Spec),
        ("has_density", C.c_uint32),
        ("density_dims", C.c_uint32),
        ("density_in", C.c_uint32),
        ("density_out", C.c_uint32),
    ]


class TensorInfo(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("kind", C.c_uint32),
        ("requires_grad", C.c_uint32),
        ("reserved", C.c_uint32),
        ("name", C.c_char_p),
        ("spec", Spec),
    ]


class RegisterSettings(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("flags", C.c_uint32),
        ("options", C.c_void_p),
        ("n_options", C.c_uint32),
        ("reserved", C.c_uint32),
    ]


class SaveSettings(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("flags", C.c_uint32),
        ("metadata", C.c_void_p),
        ("n_metadata", C.c_uint32),
        ("reserved", C.c_uint32),
    ]


class ChainRule(C.Structure):
    _fields_ = [("pattern", C.c_char_p), ("text", C.c_char_p), ("reserved", C.c_uint64 * 2)]


class LoadSettings(Sized):
    _fields_ = [
        ("size", C.c_uint32),
        ("flags", C.c_uint32),
        ("rules", C.POINTER(ChainRule)),
        ("n_rules", C.c_uint32),
        ("reserved", C.c_uint32),
        ("report", C.c_void_p),
        ("user", C.c_void_p),
    ]


def _find():
    """The library that PARAMETRIZE_LIBRARY names, the one of the wheel, or the system's."""
    folder = pathlib.Path(__file__).resolve().parents[1] / ".parametrize.mesonpy.libs"
    named = os.environ.get("PARAMETRIZE_LIBRARY")
    if named or not folder.exists():
        return None, named or "libparametrize-1.so.1"
    return folder, str(folder / "libparametrize-1.so")


wheel, path = _find()
try:
    lib = C.CDLL(path)
except OSError as _error:
    raise ImportError(f"cannot load libparametrize: {_error}") from None

lib.pz_error_message.restype = C.c_char_p
lib.pz_status_text.restype = C.c_char_p


def check(status, *_):
    """Raises a status that is not 0, with the library's message."""
    if status:
        kind = BY_STATUS.get(status, Error)
        text = lib.pz_error_message() or lib.pz_status_text(status)
        raise kind(text.decode("utf-8", "replace"))
    return status


def text(data):
    """A text that the library lends, as str."""
    return (data or b"").decode("utf-8", "replace")


def _declare(names, *arguments, result=None):
    for name in names.split():
        function = getattr(lib, name)
        function.argtypes = arguments
        if result is None:
            function.errcheck = check
        else:
            function.restype = result


_P, _S, _U, _T = C.c_void_p, C.c_char_p, C.c_uint32, C.POINTER(Tensor)
_OUT = C.POINTER(C.c_void_p)

_declare("pz_version", result=C.c_char_p)
_declare("pz_chain_text", _P, result=C.c_char_p)
_declare("pz_chain_value", _P, result=C.POINTER(Spec))
_declare("pz_chain_length", _P, result=_U)
_declare("pz_chain_count", _P, C.c_int, result=_U)
_declare("pz_queue_device", _P, _P, result=C.c_char_p)
_declare("pz_is_parametrized", _P, _S, result=C.c_bool)
_declare("pz_module_is_baked", _P, result=C.c_bool)
_declare("pz_module_print", _P, _P, C.c_size_t, result=C.c_size_t)

_declare("pz_context_new", C.POINTER(ContextSettings), _OUT)
_declare("pz_context_add_file pz_context_add_folder", _P, _S)
_declare("pz_context_parametrization", _P, _U, C.POINTER(MapInfo))
_declare("pz_context_find", _P, _S, C.POINTER(MapInfo))
_declare("pz_context_option", _P, _S, _U, C.POINTER(OptionInfo))
_declare("pz_context_device", _P, _U, C.POINTER(DeviceReport))
_declare("pz_queue_open", _P, _S, _P, _OUT)
_declare("pz_queue_upload pz_queue_download", _P, _T, _T)

_declare("pz_chain_new", _P, _S, _P, _U, C.c_int, C.POINTER(Spec), _U, _OUT)
_declare("pz_chain_tensor", _P, C.c_int, _U, C.POINTER(ChainTensorInfo))
_declare("pz_chain_stage", _P, _U, C.POINTER(StageInfo))
_declare("pz_chain_density", _P, C.POINTER(Spec))
_declare("pz_state_new pz_eval_new", _P, _P, _OUT)
_declare("pz_state_tensor", _P, C.c_int, _U, _T)
_declare("pz_state_bind", _P, C.c_int, _U, _T)
_declare("pz_state_save", _P, _S, _U)
_declare("pz_state_load", _P, _S)
_declare("pz_eval_forward", _P, _P, _U, _T, _P)
_declare("pz_eval_vjp", _P, _P, _T, _U, C.c_uint64, C.c_bool, _T)
_declare("pz_eval_jvp", _P, _P, _T, _U, _T)
_declare("pz_eval_log_abs_det", _P, _P, _T)
_declare("pz_eval_initialize", _P, _P, _U, _T)
_declare("pz_eval_assign", _P, _P, C.c_int, _T)
_declare("pz_eval_update pz_eval_sample", _P, _P)
_declare("pz_eval_residual", _P, _P, _U, _T, C.POINTER(C.c_double))

_declare("pz_module_new", _P, _P, _S, _OUT)
_declare("pz_module_add_child", _P, _S, _P)
_declare("pz_module_child", _P, _S, _OUT)
_declare("pz_module_chain", _P, _S, _OUT)
_declare("pz_module_add", _P, _S, C.c_int, _T)
_declare("pz_module_require_grad", _P, _S, C.c_bool)
_declare("pz_module_train", _P, C.c_bool)
_declare("pz_register_parametrization", _P, _S, _S, C.POINTER(RegisterSettings))
_declare("pz_remove_parametrizations", _P, _S, C.c_int)
_declare("pz_module_tensor", _P, _U, C.POINTER(TensorInfo))
_declare(
    "pz_module_read pz_module_set pz_module_backward pz_module_read_gradient "
    "pz_module_log_abs_det pz_module_backward_log_abs_det",
    _P,
    _S,
    _T,
)
_declare("pz_module_residual", _P, _S, C.POINTER(C.c_double))
_declare("pz_module_sample pz_module_update", _P, _S)
_declare("pz_module_refresh", _P, _U)
_declare("pz_module_zero_gradients pz_module_bake pz_module_unbake", _P)
_declare("pz_module_copy", _P, _OUT)
_declare("pz_module_save", _P, _S, C.POINTER(SaveSettings))
_declare("pz_module_load", _P, _P, C.POINTER(LoadSettings))
_declare("pz_module_from_file", _P, _P, _P, _S, C.POINTER(LoadSettings), _OUT)
_declare("pz_file_open", _S, _OUT)
for _name in ("context_free", "queue_close", "chain_free", "state_free", "eval_free", "module_free", "file_close"):
    getattr(lib, "pz_" + _name).argtypes = (_P,)
    getattr(lib, "pz_" + _name).restype = None
lib.pz_state_touch.argtypes = (_P,)
lib.pz_state_touch.restype = None
lib.pz_context_seed.argtypes = (_P, C.c_uint64)
lib.pz_context_seed.restype = None


class Owner:
    """Owns a C object, and frees it with the last reference: a call keeps one until it returns.

    `keep` are owners of what the object uses.
    """

    __slots__ = ("_as_parameter_", "_free", "keep")

    def __init__(self, free, create, *arguments, keep=()):
        self._as_parameter_ = None
        self._free = free
        self.keep = keep
        out = C.c_void_p()
        create(*arguments, C.byref(out))
        self._as_parameter_ = out

    def lend(self):
        """From now on somebody else frees the object."""
        self._free = None

    def __del__(self):
        if self._free is not None and self._as_parameter_ is not None:
            self._free(self._as_parameter_)
