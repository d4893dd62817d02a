# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What a chain computes, by its text.

A chain is planned once for each shape and dtype. Threads use planned chains side by side. A chain
with own parameters or buffers is initialized anew in every call: `Chain` keeps them.
"""

import ctypes as C
import threading
from typing import Any, Optional

import numpy as np

from ._abi import check, lib
from ._arrays import identity, readable, spec_of, tensor_of
from ._chain import FROM_INPUT, FROM_TENSOR, Arrays, Chain, Plan
from .errors import InvalidError

_MOST_PLANS = 64  # then all are planned again
_SMALL = 2048  # bytes that are copied faster than described

# Without conversions and an own call for the status, which would take as long as a small chain.
_forward = lib["pz_eval_forward"]
_touch = lib["pz_state_touch"]
_touch.restype = None

_lock = threading.Lock()
_pools = {}
_small = {}
_array = np.ndarray


class _Pool:
    """Idle chains of one plan."""

    def __init__(self, plan):
        self.plan = plan
        self.fresh = bool(plan.own or plan.buffers)
        self.idle = []

    def take(self, first):
        try:
            return self.idle.pop()
        except IndexError:
            return Chain._of(self.plan, first)

    def put(self, chain):
        chain._bound = None
        if not self.fresh:
            self.idle.append(chain)


def _pool(text, arrays, direction, device) -> _Pool:
    key = (text, direction, device, *((a.shape, a.dtype) for a in arrays))
    pool = _pools.get(key)
    if pool is None:
        pool = _Pool(Plan(text, direction, [spec_of(a) for a in arrays], device))
        with _lock:
            if len(_pools) >= _MOST_PLANS:
                _pools.clear()
                _small.clear()
            pool = _pools.setdefault(key, pool)
    return pool


class _Small:
    """A chain of small arrays with everything in place for the one call of C."""

    def __init__(self, chain):
        self.chain = chain
        original, value = chain.originals[0], chain.value
        self.x = np.zeros(original.shape, original.dtype)
        self.y = np.empty(value.shape, value.dtype)
        chain._set([self.x])
        self.into = tensor_of(self.y)
        state = chain._state._as_parameter_
        self.touch = (state,)
        self.forward = (chain._eval._as_parameter_, state, 0, C.byref(self.into), None)


def _make_small(text, x) -> None:
    """Later calls with an array like x find everything in place."""
    pool = _pool(text, [x], FROM_INPUT, None)
    if not pool.fresh and pool.plan.on_host and x.nbytes <= _SMALL:
        _small.setdefault((text, x.shape, x.dtype), [])


def _with_originals(text, x, device, work):
    arrays = tuple(readable(a, "the originals") for a in (x if isinstance(x, tuple) else (x,)))
    pool = _pool(text, arrays, FROM_INPUT, device)
    chain = pool.take(arrays[0])
    try:
        return work(chain, arrays)
    finally:
        pool.put(chain)


def apply(chain: str, x: Arrays, *, out: Optional[np.ndarray] = None, device: Optional[str] = None) -> np.ndarray:
    """The value of `chain` at its originals.

    chain   "skew,cayley", as on the command line, with options: "pruning(p_drop=0.2,seed=7)"
    x       (..., m, n) float32 or float64, or a tuple of arrays if the chain has several originals.
            Any strides. Objects with `__dlpack__` or the buffer protocol are read in place.
    out     where to write the value, of its shape and dtype; otherwise a new array
    device  "cpu" (default), "reference", "opencl:0", "cuda:0", "auto"

    Returns an array of the value's shape, for most chains that of x.
    """
    if out is None and device is None and type(x) is _array:
        idle = _small.get((chain, x.shape, x.dtype))
        if idle is not None:
            try:
                small = idle.pop()
            except IndexError:
                small = _Small(_pool(chain, [x], FROM_INPUT, None).take(x))
            small.x[...] = x
            _touch(*small.touch)
            status = _forward(*small.forward)
            if status:
                check(status)
            y = small.y.copy()
            idle.append(small)
            return y
        if x.nbytes <= _SMALL and x.dtype.isnative:
            _make_small(chain, x)
    return _with_originals(chain, x, device, lambda c, a: c._apply(a, out))


def invert(chain: str, y: np.ndarray, *, device: Optional[str] = None) -> Arrays:
    """Originals of which y is the value.

    y  (..., m, n), a member of the set of the last stage: OutsideError says how far it is from it

    Returns an array, or a tuple of them if the chain has several originals. InvalidError if the
    value needs other buffers than those the chain begins with: `Chain.invert` keeps them.
    """
    y = readable(y, "the value")
    pool = _pool(chain, (y,), FROM_TENSOR, device)
    c = pool.take(y)
    try:
        before = c.state
        x = c._invert(y)
        for name, after in c.state.items():
            if not np.array_equal(before[name], after, equal_nan=True):
                raise InvalidError(f"{name}: found a value that changes it, expected a Chain, which keeps it")
        return x
    finally:
        pool.put(c)


def vjp(chain: str, x: Arrays, grad: np.ndarray, *, device: Optional[str] = None) -> Arrays:
    """The gradient of a loss with respect to the originals.

    x     the originals, as in `apply`
    grad  the loss's gradient with respect to the value, of the value's shape and dtype

    Returns an array like x, or a tuple of them.
    """
    return _with_originals(chain, x, device, lambda c, a: c._vjp(a, grad))


def jvp(chain: str, x: Arrays, tangent: Arrays, *, device: Optional[str] = None) -> np.ndarray:
    """The derivative of the value along a direction.

    x        the originals, as in `apply`
    tangent  a direction: an array like x, or a tuple of them

    Returns an array like the value.
    """
    return _with_originals(chain, x, device, lambda c, a: c._jvp(a, tangent))


def log_abs_det(chain: str, x: Arrays, *, device: Optional[str] = None) -> np.ndarray:
    """log |det| of the derivative of the value, in the coordinates of docs/densities.md.

    x  the originals, as in `apply`

    Returns one number for each determinant: for matrices (..., m, n) an array (...).
    """
    return _with_originals(chain, x, device, lambda c, a: c.log_abs_det(a))


def sample(chain: str, shape, dtype: Any = "float32", *, device: Optional[str] = None) -> np.ndarray:
    """A random value of `chain`, of shape `shape`: of `"skew,cayley"` a uniform rotation.

    It comes from the random stream that `seed` restarts.
    """
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    plan = Plan(chain, FROM_TENSOR, [spec_of((shape, dtype))], device)
    return Chain._of(plan, identity(shape, dtype)).sample()


def residual(chain: str, y: np.ndarray, *, device: Optional[str] = None) -> float:
    """The distance of y from the set of the last stage, in that stage's measure: for `cayley` the
    largest entry of |Q^T Q - I|."""
    y = readable(y, "the value")
    pool = _pool(chain, (y,), FROM_TENSOR, device)
    c = pool.take(y)
    try:
        return c.residual(y)
    finally:
        pool.put(c)
