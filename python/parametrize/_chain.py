# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Chains of parametrizations on arrays.

A `Plan` is what C works out once for a chain and its shapes. It is immutable. A `Chain` has in
addition its own tensors, and memory to compute in.
"""

import ctypes as C
import threading
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from . import _abi, _context
from ._abi import Owner, Spec, lib, text
from ._arrays import array_of, dtype_of, identity, readable, spec_of, tensor_of, tensors_of, writable
from .errors import MismatchError

ORIGINAL, OWN, BUFFER = 1, 2, 3
SAVING = 1
REGISTER, ASSIGN = 1, 2
FROM_TENSOR, FROM_INPUT = 1, 2

Arrays = Union[np.ndarray, Tuple[np.ndarray, ...]]


class TensorSpec(NamedTuple):
    """A tensor of a chain."""

    name: str
    shape: Tuple[int, ...]
    dtype: np.dtype


class _Setting(C.Structure):
    """pz_option_setting, with a tensor."""

    _fields_ = [
        ("name", C.c_char_p),
        ("type", C.c_uint32),
        ("reserved", C.c_uint32),
        ("tensor", C.c_void_p),
        ("stage", C.c_uint32),
        ("reserved2", C.c_uint32 * 5),
    ]


def _settings(options):
    """Tensors as options: {"lower": array} of the first stage, {"1.lower": array} of the second."""
    settings = (_Setting * len(options))()
    settings.keep = []
    for k, (key, value) in enumerate(options.items()):
        stage, _, option = key.rpartition(".")
        tensor = tensor_of(readable(value, key))
        settings.keep.append(tensor)
        at = C.cast(C.pointer(tensor), C.c_void_p)
        settings[k] = _Setting(_context.name(option), 5, 0, at, int(stage or 0))
    return settings


class Plan:
    """A chain of C: its stages, planned for the specs of its originals or of its value."""

    def __init__(self, text_: str, direction: int, given, device=None, options=None):
        specs = (Spec * len(given))(*given)
        settings = _settings(options or {})
        self.queue = _context.queue(device)
        self.handle = Owner(
            lib.pz_chain_free,
            lib.pz_chain_new,
            _context.context(),
            _context.name(text_, "the chain"),
            settings,
            len(settings),
            direction,
            specs,
            len(given),
            keep=(_context.context(), self.queue),
        )
        self.text = text(lib.pz_chain_text(self.handle))
        self.length = lib.pz_chain_length(self.handle)
        self.value = self._spec("value", lib.pz_chain_value(self.handle).contents)
        self.originals, self.own, self.buffers = (self._tensors(role) for role in (ORIGINAL, OWN, BUFFER))
        device_ = (C.c_int32 * 2)()
        lib.pz_queue_device(self.queue, device_)
        self.on_host = device_[0] == 1

    @staticmethod
    def _spec(name, spec):
        return TensorSpec(name, spec.shape, dtype_of(spec.dtype))

    def _tensors(self, role) -> List[TensorSpec]:
        infos = [_abi.ChainTensorInfo() for _ in range(lib.pz_chain_count(self.handle, role))]
        for k, info in enumerate(infos):
            lib.pz_chain_tensor(self.handle, role, k, info)
        return [self._spec(text(info.name), info.spec) for info in infos]

    def density(self) -> TensorSpec:
        """The spec of log |det|."""
        spec = Spec()
        lib.pz_chain_density(self.handle, spec)
        return self._spec("log_abs_det", spec)

    def stage(self, index) -> str:
        """The text of one stage."""
        info = _abi.StageInfo()
        lib.pz_chain_stage(self.handle, index, info)
        return text(info.text)


class Chain:
    """Parametrizations on one tensor, with their own tensors.

    `Chain("skew,cayley", X)` is planned for originals like X, several of them as a tuple;
    `Chain("skew,cayley", value=Y)` for a value like Y. Each may be an array or a pair
    `(shape, dtype)`. Own parameters and buffers (a mask, signs) are initialized by the array, or by
    identity matrices. `options` holds tensors: `{"lower": array}`, `{"1.lower": array}` for stage 1.

    Any thread may call, one after the other; for threads side by side take a chain for each.
    """

    def __init__(self, text: str, originals=None, *, value=None, device: Optional[str] = None,
                 options: Optional[Dict[str, Any]] = None):  # fmt: skip
        if (originals is None) == (value is None):
            raise TypeError("found both or neither of originals and value, expected one of them")
        if value is not None:
            like, direction = (value,), FROM_TENSOR
        else:
            like, direction = (originals if _are_many(originals) else (originals,)), FROM_INPUT
        plan = Plan(text, direction, [spec_of(one) for one in like], device, options)
        first = like[0]
        if isinstance(first, tuple):
            first = identity(tuple(first[0]), np.dtype(first[1]))
        self._open(plan, first)

    @classmethod
    def _of(cls, plan: Plan, first):
        self = cls.__new__(cls)
        self._open(plan, first)
        return self

    def _open(self, plan, first):
        self._plan = plan
        self._lock = threading.Lock()
        keep = (plan.handle, plan.queue)
        self._state = Owner(lib.pz_state_free, lib.pz_state_new, plan.handle, plan.queue, keep=keep)
        self._eval = Owner(lib.pz_eval_free, lib.pz_eval_new, plan.handle, plan.queue, keep=keep)
        self._bound = None
        if plan.own or plan.buffers:
            lib.pz_eval_initialize(self._eval, self._state, 0, tensor_of(readable(first)))

    # ---- what it is ----

    @property
    def text(self) -> str:
        """The canonical text, with every option that differs from its default."""
        return self._plan.text

    @property
    def originals(self) -> List[TensorSpec]:
        """Names, shapes and dtypes of the originals."""
        return list(self._plan.originals)

    @property
    def value(self) -> TensorSpec:
        """Shape and dtype of the value."""
        return self._plan.value

    def __repr__(self):
        return f"Chain({self.text!r}, value={self.value.shape})"

    # ---- its own tensors ----

    @property
    def state(self) -> Dict[str, np.ndarray]:
        """Copies of own parameters and buffers, by name ("0.mask"). Assign a dict to replace them."""
        with self._lock:
            return {s.name: self._fetch(role, k, s) for role, k, s in self._own_tensors()}

    @state.setter
    def state(self, tensors):
        with self._lock:
            known = {s.name: (role, k, s) for role, k, s in self._own_tensors()}
            if set(known) != set(tensors):
                raise MismatchError(f"found tensors {sorted(tensors)}, expected {sorted(known)}")
            arrays = {name: readable(x, name) for name, x in tensors.items()}
            for name, array in arrays.items():
                if array.shape != known[name][2].shape or array.dtype != known[name][2].dtype:
                    raise MismatchError(f"{name}: found {array.dtype} {array.shape}, expected {known[name][2]}")
            for name, array in arrays.items():
                self._store(*known[name][:2], array)
            lib.pz_state_touch(self._state)

    def save(self, file) -> None:
        """Writes own parameters and buffers to a safetensors file."""
        with self._lock:
            lib.pz_state_save(self._state, _context.path(file), 0)

    def load(self, file) -> None:
        """Reads them back."""
        with self._lock:
            lib.pz_state_load(self._state, _context.path(file))

    def update(self, x: Arrays) -> Arrays:
        """Runs the update of every stage that has one (a step of the power method) at originals x.

        Returns the originals: `orthogonal(rebase=1)` moves them, other stages leave them.
        """
        with self._lock:
            self._take(tuple(np.array(array_of(a)) for a in _tuple(x, len(self._plan.originals), "originals")))
            lib.pz_eval_update(self._eval, self._state)
            return self._originals()

    def _own_tensors(self):
        for role, specs in ((OWN, self._plan.own), (BUFFER, self._plan.buffers)):
            for k, spec in enumerate(specs):
                yield role, k, spec

    def _tensor(self, role, k):
        tensor = _abi.Tensor()
        lib.pz_state_tensor(self._state, role, k, tensor)
        return tensor

    def _fetch(self, role, k, spec):
        array = np.empty(spec.shape, spec.dtype)
        lib.pz_queue_download(self._plan.queue, self._tensor(role, k), tensor_of(array))
        return array

    def _store(self, role, k, array):
        lib.pz_queue_upload(self._plan.queue, tensor_of(array), self._tensor(role, k))

    # ---- computing ----

    def apply(self, x: Arrays, *, out: Optional[np.ndarray] = None) -> np.ndarray:
        """The value of originals x. See `parametrize.apply`."""
        with self._lock:
            return self._apply(x, out)

    def invert(self, y: np.ndarray) -> Arrays:
        """Originals whose value is y. Own tensors that a right inverse replaces change too."""
        with self._lock:
            return self._invert(y)

    def vjp(self, x: Arrays, grad: np.ndarray) -> Arrays:
        """The gradient at the originals x of a loss with gradient `grad` at the value."""
        with self._lock:
            return self._vjp(x, grad)

    def jvp(self, x: Arrays, tangent: Arrays) -> np.ndarray:
        """The derivative of the value at x along `tangent`."""
        with self._lock:
            return self._jvp(x, tangent)

    def log_abs_det(self, x: Arrays) -> np.ndarray:
        """log |det| of the derivative at x, one number for each determinant."""
        with self._lock:
            out = self._result(self._plan.density(), x)
            lib.pz_eval_log_abs_det(self._eval, self._state, tensor_of(out))
            return out

    def sample(self) -> np.ndarray:
        """A random value, of the set of the last stage."""
        with self._lock:
            self._bind_new()
            lib.pz_eval_sample(self._eval, self._state)
            return self._value(0)

    def residual(self, y: np.ndarray) -> float:
        """The distance of y from the set of the last stage, in that stage's measure."""
        distance = C.c_double()
        with self._lock:
            tensor = tensor_of(readable(y, "the value"))
            lib.pz_eval_residual(self._eval, self._state, self._plan.length - 1, tensor, distance)
        return distance.value

    def _apply(self, x, out=None):
        if out is not None:
            value = self._plan.value
            out = writable(out, value.shape, value.dtype)
            if self._take(x, out):
                np.copyto(out, self._value(0))
                return out
        else:
            self._take(x)
        return self._value(0, out=out)

    def _invert(self, y):
        y = readable(y, "the value")
        self._bind_new()
        lib.pz_eval_assign(self._eval, self._state, ASSIGN, tensor_of(y))
        return self._originals()

    def _vjp(self, x, grad):
        grad = readable(grad, "the gradient")
        arrays = self._take_saving(x)
        out = [np.empty(a.shape, a.dtype) for a in arrays]
        tensors = tensors_of(out, len(out) + len(self._plan.own))
        want = (1 << len(out)) - 1
        lib.pz_eval_vjp(self._eval, self._state, tensor_of(grad), 1, want, False, tensors)
        return _one(out)

    def _jvp(self, x, tangent):
        tangents = [readable(t, "the tangent") for t in _tuple(tangent, len(self._plan.originals), "tangents")]
        out = self._result(self._plan.value, x)
        # Zero where own parameters stand: they do not move.
        tensors = tensors_of(tangents, len(tangents) + len(self._plan.own))
        lib.pz_eval_jvp(self._eval, self._state, tensors, 1, tensor_of(out))
        return out

    # ---- steps ----

    def _take(self, x, out=None):
        """Makes x the originals, in place where that is possible. Returns whether `out` overlaps them."""
        specs = self._plan.originals
        arrays = [readable(a, "the originals") for a in _tuple(x, len(specs), "originals")]
        self._set(arrays)
        return out is not None and any(np.may_share_memory(out, a) for a in arrays)

    def _set(self, arrays):
        self._bound = arrays
        for k, array in enumerate(arrays):
            if self._plan.on_host:
                lib.pz_state_bind(self._state, ORIGINAL, k, tensor_of(array))
            else:
                self._store(ORIGINAL, k, array)
        lib.pz_state_touch(self._state)

    def _bind_new(self):
        """Makes new arrays the originals, where C writes to them."""
        self._set([np.zeros(s.shape, s.dtype) for s in self._plan.originals])
        return self._bound

    def _take_saving(self, x):
        self._take(x)
        lib.pz_eval_forward(self._eval, self._state, SAVING, None, None)
        return self._bound

    def _result(self, spec, x):
        self._take_saving(x)
        return np.empty(spec.shape, spec.dtype)

    def _value(self, flags, out=None):
        if out is None:
            out = np.empty(self._plan.value.shape, self._plan.value.dtype)
        lib.pz_eval_forward(self._eval, self._state, flags, tensor_of(out), None)
        return out

    def _originals(self):
        if self._plan.on_host:
            return _one(self._bound)
        return _one([self._fetch(ORIGINAL, k, s) for k, s in enumerate(self._plan.originals)])


def _are_many(x):
    return isinstance(x, tuple) and not (len(x) == 2 and isinstance(x[0], (tuple, list)) and not isinstance(x[1], tuple))


def _tuple(x, count, what):
    many = x if isinstance(x, tuple) else (x,)
    if len(many) != count:
        raise MismatchError(f"found {len(many)} {what}, expected {count}")
    return many


def _one(arrays):
    return arrays[0] if len(arrays) == 1 else tuple(arrays)
