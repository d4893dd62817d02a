# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Modules: named tensors that can be parametrized, differentiated, saved and folded."""

import ctypes as C
import threading
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from . import _abi, _context
from ._abi import Owner, Spec, lib, text
from ._arrays import dtype_of, readable, tensor_of, writable
from .errors import NotFoundError

_PARAMETER, _BUFFER = 1, 2
_UNSAFE, _KEEP_EXISTING = 1, 1
_LENIENT, _ASSIGN, _WIDEN = 1, 2, 4


class ModuleTensor(NamedTuple):
    """A tensor that a module stores."""

    name: str
    shape: Tuple[int, ...]
    dtype: np.dtype
    trained: bool


class _Tree:
    """The modules that are nested in each other have one lock. It keeps what C lends until the next
    change: chains and names."""

    def __init__(self):
        self.above = None
        self._lock = threading.RLock()

    @property
    def lock(self):
        tree = self
        while tree.above is not None:
            tree = tree.above
        return tree._lock


class Module:
    """Named tensors, some of them parametrized, as docs/semantics.md describes.

    Names are paths: "weight" is the value, "parametrizations.weight.original" what is trained.
    Reads may run on any number of threads, changes one after the other. A change beside a read raises
    InvalidError. Arrays are copied in and out.
    """

    def __init__(self, type: str = "Module", device: Optional[str] = None):
        queue = _context.queue(device)
        context = _context.context()
        self._owner: Optional[Owner] = Owner(
            lib.pz_module_free,
            lib.pz_module_new,
            context,
            queue,
            _context.name(type, "the type"),
            keep=(context, queue),
        )
        self._tree = _Tree()

    @classmethod
    def _of(cls, owner, tree=None) -> "Module":
        self = cls.__new__(cls)
        self._owner = owner
        self._tree = tree or _Tree()
        return self

    def close(self) -> None:
        """Frees the module, as soon as no other thread uses it. Later calls raise InvalidError."""
        self._owner = None

    def __enter__(self) -> "Module":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # ---- building ----

    def add(self, name: str, tensor: np.ndarray, *, buffer: bool = False) -> None:
        """Adds a parameter, or a buffer, with a copy of `tensor` (float32 or float64, any shape)."""
        self._change("pz_module_add", name, _BUFFER if buffer else _PARAMETER, tensor_of(readable(tensor, name)))

    def add_child(self, name: str, child: "Module") -> None:
        """Nests `child`, whose tensors are then called "NAME.weight"."""
        owner, inner = self._owner, child._owner
        with self._tree.lock, child._tree.lock:
            lib.pz_module_add_child(owner, _context.name(name), inner)
            inner.lend()
            inner.keep = (*inner.keep, owner)
            child._tree.above = self._tree

    def child(self, path: str) -> "Module":
        """The nested module "a.b"."""
        owner = self._owner
        return Module._of(Owner(None, lib.pz_module_child, owner, _context.name(path), keep=(owner,)), self._tree)

    def train(self, training: bool = True) -> None:
        """Sets training mode or evaluation mode, for nested modules too."""
        with self._tree.lock:
            lib.pz_module_train(self._owner, training)

    def require_grad(self, name: str, require: bool = True) -> None:
        """Freezes a parameter, or the originals of a parametrized one, or trains it again."""
        self._change("pz_module_require_grad", name, require)

    # ---- parametrizing ----

    def register(self, name: str, chain: str, *, unsafe: bool = False) -> None:
        """Registers the stages of `chain` on a tensor, all or none.

        With `unsafe` the value may have another shape than the tensor.
        """
        settings = _abi.RegisterSettings(flags=_UNSAFE if unsafe else 0)
        self._change("pz_register_parametrization", name, _context.name(chain, "the chain"), settings)

    def remove(self, name: str, *, leave_parametrized: bool = True) -> None:
        """Removes the chain of a tensor, which becomes its value, or else its original."""
        self._change("pz_remove_parametrizations", name, 1 if leave_parametrized else 0)

    def is_parametrized(self, name: Optional[str] = None) -> bool:
        """Whether a tensor is parametrized; without a name, whether any of this module is."""
        return lib.pz_is_parametrized(self._owner, _context.name(name))

    def chain(self, name: str) -> str:
        """The text of the chain of a tensor."""
        out = C.c_void_p()
        with self._tree.lock:
            self._call("pz_module_chain", name, out)
            return text(lib.pz_chain_text(out))

    # ---- reading and writing ----

    def read(self, name: str, *, out: Optional[np.ndarray] = None) -> np.ndarray:
        """A copy of the tensor `name`; a value is computed if something changed since the last read.

        `out` takes the copy, if given: an array of the same shape and dtype, any strides.
        """
        shape, dtype = self._spec(name)
        out = writable(out, shape, dtype)
        self._call("pz_module_read", name, tensor_of(out))
        return out

    def assign(self, name: str, value: np.ndarray) -> None:
        """Assigns a value, of the same shape and dtype. A parametrized tensor runs its right inverses;
        one named by its full path ("parametrizations.weight.original") receives a copy."""
        self._change("pz_module_set", name, tensor_of(readable(value, name)))

    def sample(self, name: str) -> None:
        """Draws a value of a parametrized tensor and assigns it."""
        self._change("pz_module_sample", name)

    def update(self, name: Optional[str] = None) -> None:
        """Updates the own state of the stages on `name`, or on every tensor: once a training step."""
        self._change("pz_module_update", name)

    def refresh(self, threads: int = 0) -> None:
        """Computes all values that changed, on several threads."""
        with self._tree.lock:
            lib.pz_module_refresh(self._owner, threads)

    def residual(self, name: str) -> float:
        """The distance of the value from the set of its last stage."""
        distance = C.c_double()
        self._change("pz_module_residual", name, distance)
        return distance.value

    def tensors(self) -> List[ModuleTensor]:
        """All stored tensors, in a stable order, children included."""
        with self._tree.lock:
            return list(self._tensors())

    def state_dict(self) -> Dict[str, np.ndarray]:
        """Copies of all stored tensors by name, as PyTorch names them."""
        return {t.name: self.read(t.name) for t in self.tensors()}

    def _tensors(self) -> Iterator[ModuleTensor]:
        index = 0
        while True:
            info = _abi.TensorInfo()
            try:
                lib.pz_module_tensor(self._owner, index, info)
            except NotFoundError:
                return
            yield ModuleTensor(text(info.name), info.spec.shape, dtype_of(info.spec.dtype), bool(info.requires_grad))
            index += 1

    def _spec(self, name):
        out = C.c_void_p()
        with self._tree.lock:
            try:
                self._call("pz_module_chain", name, out)
            except NotFoundError:
                for t in self._tensors():
                    if t.name == name:
                        return t.shape, t.dtype
                raise
            spec = lib.pz_chain_value(out).contents
            return spec.shape, dtype_of(spec.dtype)

    # ---- gradients ----

    def backward(self, name: str, grad: np.ndarray) -> None:
        """Adds to the gradients of what `name` depends on. `grad` has the value's shape and dtype."""
        self._change("pz_module_backward", name, tensor_of(readable(grad, "the gradient")))

    def gradient(self, name: str) -> np.ndarray:
        """A copy of the gradient of a stored tensor ("parametrizations.weight.original")."""
        stored = {t.name: t for t in self.tensors()}.get(name)
        # Where there is none, the library says what is wrong with the name.
        out = np.empty(stored.shape, stored.dtype) if stored else np.empty((), np.float64)
        self._change("pz_module_read_gradient", name, tensor_of(out))
        return out

    def zero_gradients(self) -> None:
        """Sets every gradient to zero, children included."""
        with self._tree.lock:
            lib.pz_module_zero_gradients(self._owner)

    def log_abs_det(self, name: str) -> np.ndarray:
        """log |det| of the value last read, one number for each determinant."""
        chain, spec = C.c_void_p(), Spec()
        with self._tree.lock:
            self._call("pz_module_chain", name, chain)
            lib.pz_chain_density(chain, spec)
        out = np.empty(spec.shape, dtype_of(spec.dtype))
        self._change("pz_module_log_abs_det", name, tensor_of(out))
        return out

    def backward_log_abs_det(self, name: str, grad: np.ndarray) -> None:
        """Adds `grad` times the gradient of `log_abs_det` to the gradients."""
        self._change("pz_module_backward_log_abs_det", name, tensor_of(readable(grad, "the gradient")))

    # ---- files, copies, folding ----

    def save(self, file, *, overwrite: bool = True) -> None:
        """Writes every stored tensor and the chains to a safetensors file, whole or not at all."""
        settings = _abi.SaveSettings(flags=0 if overwrite else _KEEP_EXISTING)
        lib.pz_module_save(self._owner, _context.path(file), settings)

    def load(self, file, *, lenient: bool = False, assign: bool = False, widen: bool = False,
             chains: Optional[Mapping[str, str]] = None) -> None:  # fmt: skip
        """Copies the tensors of a file to those of the same names, all or nothing.

        lenient  ignores unknown tensors and keeps those that the file lacks
        assign   a plain tensor of the file is assigned to a parametrized one
        widen    float16 and bfloat16 may become float32, float32 float64
        chains   {pattern of names: chain} for files that do not say
        """
        opened = Owner(lib.pz_file_close, lib.pz_file_open, _context.path(file))
        with self._tree.lock:
            lib.pz_module_load(self._owner, opened, _load_settings(lenient, assign, widen, chains))

    @classmethod
    def from_file(cls, file, *, device: Optional[str] = None, only: Optional[str] = None, lenient: bool = False,
                  widen: bool = False, chains: Optional[Mapping[str, str]] = None) -> "Module":  # fmt: skip
        """The module that a file describes. `only` is the path of the one tensor to load."""
        context, queue = _context.context(), _context.queue(device)
        opened = Owner(lib.pz_file_close, lib.pz_file_open, _context.path(file))
        settings = _load_settings(lenient, False, widen, chains)
        return cls._of(
            Owner(
                lib.pz_module_free,
                lib.pz_module_from_file,
                context,
                queue,
                opened,
                _context.name(only),
                settings,
                keep=(context, queue),
            )
        )

    def copy(self) -> "Module":
        """A copy with its children that shares plugins and queues only."""
        owner = self._owner
        keep = owner.keep if owner else ()
        return Module._of(Owner(lib.pz_module_free, lib.pz_module_copy, owner, keep=keep))

    def bake(self) -> None:
        """Replaces every parametrized tensor by a plain one with its value, until `unbake`."""
        with self._tree.lock:
            lib.pz_module_bake(self._owner)

    def unbake(self) -> None:
        """Restores what `bake` replaced, bit for bit."""
        with self._tree.lock:
            lib.pz_module_unbake(self._owner)

    @property
    def is_baked(self) -> bool:
        """Whether the module is folded."""
        return lib.pz_module_is_baked(self._owner)

    def __str__(self) -> str:
        size = lib.pz_module_print(self._owner, None, 0) + 1
        buffer = C.create_string_buffer(size)
        lib.pz_module_print(self._owner, buffer, size)
        return text(buffer.value).rstrip("\n")

    def __repr__(self) -> str:
        return str(self) if self._owner else "Module (closed)"

    def _call(self, function, name, *arguments):
        getattr(lib, function)(self._owner, _context.name(name), *arguments)

    def _change(self, function, name, *arguments):
        with self._tree.lock:
            self._call(function, name, *arguments)


def _load_settings(lenient, assign, widen, chains):
    rules = (_abi.ChainRule * len(chains or {}))()
    for rule, (pattern, chain) in zip(rules, (chains or {}).items()):
        rule.pattern, rule.text = _context.name(pattern), _context.name(chain)
    flags = (_LENIENT if lenient else 0) | (_ASSIGN if assign else 0) | (_WIDEN if widen else 0)
    settings = _abi.LoadSettings(flags=flags, rules=rules, n_rules=len(rules))
    settings.keep = rules
    return settings
