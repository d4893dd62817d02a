# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Evaluations of chains on the memory of tensors.

The tensors of a chain are its originals, then its own parameters, then its buffers. Derivatives are those
of the first two.
"""

import ctypes as C
import threading

import numpy as np
import torch

from .. import _abi, _context
from .._abi import Owner, Tensor, check, lib
from .._arrays import dtype_code, spec_of
from .._chain import ASSIGN, BUFFER, FROM_TENSOR, ORIGINAL, OWN, REGISTER, SAVING, Plan
from ..errors import MismatchError, UnsupportedError

_HAS_UPDATE = 1 << 4
_NUMPY = {torch.float32: np.dtype("f4"), torch.float64: np.dtype("f8")}
_COMPUTED = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
_MOST_PLANS = 64

# Without conversions: a call then takes half of the time.
_bind = lib["pz_state_bind"]
_touch = lib["pz_state_touch"]
_forward = lib["pz_eval_forward"]
_vjp = lib["pz_eval_vjp"]
_jvp = lib["pz_eval_jvp"]
_touch.restype = None

_plans = {}
_lock = threading.Lock()


class TorchPlan:
    """A chain, planned for a value, and its idle evaluations."""

    def __init__(self, text, shape, dtype):
        if dtype not in _NUMPY:
            raise UnsupportedError(f"{text}: found a tensor of {dtype}, expected float64, float32, float16 or bfloat16")
        plan = Plan(text, FROM_TENSOR, [spec_of((shape, _NUMPY[dtype]))])
        self.plan = plan
        self.text = plan.text
        self.shape = tuple(shape)
        self.dtype = dtype
        self.specs = plan.originals + plan.own + plan.buffers
        self.shapes = [s.shape for s in self.specs]
        self.n_originals = len(plan.originals)
        self.n_trained = self.n_originals + len(plan.own)
        self.updates = any(self._has_update(k) for k in range(plan.length))
        self.idle = []

    def _has_update(self, stage):
        info, about = _abi.StageInfo(), _abi.MapInfo()
        lib.pz_chain_stage(self.plan.handle, stage, info)
        lib.pz_context_find(_context.context(), info.id, about)
        # What orthogonal(rebase=K) does belongs after a step of the optimizer: it moves the original.
        return bool(about.flags & _HAS_UPDATE) and info.id != b"orthogonal"

    def take(self):
        try:
            return self.idle.pop()
        except IndexError:
            return _Evaluation(self)


def plan_of(text, shape, dtype) -> TorchPlan:
    """The plan of a chain with this value; float16 and bfloat16 are computed in float32."""
    key = (text, tuple(shape), dtype)
    plan = _plans.get(key)
    if plan is None:
        plan = TorchPlan(text, key[1], _COMPUTED.get(dtype, dtype))
        with _lock:
            if len(_plans) >= _MOST_PLANS:
                _plans.clear()
            plan = _plans.setdefault(key, plan)
    return plan


def _described(shape, dtype):
    """A C-contiguous tensor of C without memory."""
    strides, step = [0] * len(shape), 1
    for k in reversed(range(len(shape))):
        strides[k] = step
        step *= shape[k]
    extents = (C.c_int64 * (2 * len(shape)))(*shape, *strides)
    at = C.addressof(extents)
    tensor = Tensor(device_type=1, ndim=len(shape), dtype=dtype_code(dtype), shape=at, strides=at + 8 * len(shape))
    tensor.keep = extents
    return tensor


class _Evaluation:
    """State and evaluation of one plan; the state looks at the tensors of one call."""

    def __init__(self, owner):
        plan = owner.plan
        keep = (plan.handle, plan.queue)
        self.owners = (
            Owner(lib.pz_state_free, lib.pz_state_new, plan.handle, plan.queue, keep=keep),
            Owner(lib.pz_eval_free, lib.pz_eval_new, plan.handle, plan.queue, keep=keep),
        )
        self.state, self.eval = (o._as_parameter_ for o in self.owners)
        dtype = _NUMPY[owner.dtype]
        roles = [(ORIGINAL, k) for k in range(len(plan.originals))]
        roles += [(OWN, k) for k in range(len(plan.own))] + [(BUFFER, k) for k in range(len(plan.buffers))]
        self.slots = []
        for (role, k), spec in zip(roles, owner.specs):
            tensor = _described(spec.shape, spec.dtype)
            self.slots.append((tensor, (self.state, role, k, C.byref(tensor))))
        self.value = _described(owner.shape, dtype)
        self.value_at = C.byref(self.value)
        n = owner.n_trained
        self.gradients = (Tensor * n)()
        for k in range(n):
            self.gradients[k] = self.slots[k][0]

    def bind(self, tensors):
        for (slot, arguments), tensor in zip(self.slots, tensors):
            slot.data = tensor.data_ptr()
            status = _bind(*arguments)
            if status:
                check(status)
        _touch(self.state)

    def forward(self, flags, out):
        self.value.data = out.data_ptr()
        status = _forward(self.eval, self.state, flags, self.value_at, None)
        if status:
            check(status)

    def vjp(self, grad, want, out):
        self.value.data = grad.data_ptr()
        for k, tensor in enumerate(out):
            self.gradients[k].data = tensor.data_ptr() if tensor is not None else None
        status = _vjp(self.eval, self.state, self.value_at, 1, C.c_uint64(want), False, self.gradients)
        if status:
            check(status)

    def jvp(self, tangents, out):
        self.value.data = out.data_ptr()
        for k, tensor in enumerate(tangents):
            self.gradients[k].data = tensor.data_ptr() if tensor is not None else None
        status = _jvp(self.eval, self.state, self.gradients, 1, self.value_at)
        if status:
            check(status)


def _ready(tensor, shape, dtype, what):
    """The tensor as C reads it: on the CPU, contiguous, of the computed dtype."""
    if tensor.is_cpu and tensor.dtype is dtype and tensor.shape == shape and tensor.is_contiguous() and not tensor.is_neg():
        return tensor
    if tensor.device.type != "cpu":
        raise UnsupportedError(f"{what}: found a tensor on {tensor.device}, expected one on cpu")
    if tensor.layout is not torch.strided:
        raise UnsupportedError(f"{what}: found a tensor of layout {tensor.layout}, expected torch.strided")
    if tensor.shape != shape:
        raise MismatchError(f"{what}: found shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.dtype is not dtype:
        if _COMPUTED.get(tensor.dtype) is not dtype:
            raise MismatchError(f"{what}: found {tensor.dtype}, expected {dtype}")
        tensor = tensor.to(dtype)
    return tensor.contiguous().resolve_neg()


class Call:
    """One evaluation at given tensors. It goes back to its plan with the last reference."""

    __slots__ = ("__weakref__", "evaluation", "plan", "tensors", "dtypes")

    def __init__(self, plan, tensors, evaluation=None):
        self.plan = plan
        self.evaluation = None
        if len(tensors) != len(plan.shapes):
            raise MismatchError(f"{plan.text}: found {len(tensors)} tensors, expected {len(plan.shapes)}")
        self.dtypes = [t.dtype for t in tensors]
        self.tensors = [_ready(t, s, plan.dtype, plan.text) for t, s in zip(tensors, plan.shapes)]
        self.evaluation = evaluation or plan.take()
        self.evaluation.bind(self.tensors)

    def __del__(self):
        if self.evaluation is not None:
            self.plan.idle.append(self.evaluation)

    def value(self, saving):
        out = torch.empty(self.plan.shape, dtype=self.plan.dtype)
        self.evaluation.forward(SAVING if saving else 0, out)
        return out if self.dtypes[0] is self.plan.dtype else out.to(self.dtypes[0])

    def vjp(self, grad, needed):
        """Gradients of the tensors whose `needed` is true, None for others."""
        plan = self.plan
        grad = _ready(grad, plan.shape, plan.dtype, "gradient")
        out, want = [None] * len(plan.specs), 0
        for k in range(plan.n_trained):
            if needed[k]:
                out[k] = torch.empty(plan.shapes[k], dtype=plan.dtype)
                want |= 1 << k
        if want:
            self.evaluation.vjp(grad, want, out[: plan.n_trained])
        return [g if g is None or d is plan.dtype else g.to(d) for g, d in zip(out, self.dtypes)]

    def jvp(self, tangents):
        plan = self.plan
        ready = [None if t is None else _ready(t, s, plan.dtype, "tangent") for t, s in zip(tangents, plan.shapes)]
        out = torch.empty(plan.shape, dtype=plan.dtype)
        self.evaluation.jvp(ready[: plan.n_trained], out)
        return out if self.dtypes[0] is plan.dtype else out.to(self.dtypes[0])


def update(plan, tensors):
    """The tensors after the update of every stage."""
    copies = [t.clone() for t in tensors]
    call = Call(plan, copies)
    lib.pz_eval_update(call.evaluation.eval, call.evaluation.state)
    return [t.to(d) for t, d in zip(call.tensors, call.dtypes)]


def assign(plan, value, own, first):
    """Originals whose value is `value`, then own parameters and buffers, which begin as `own`.

    With `first`, they begin as the parametrizations initialize them, and values outside the set are taken
    to it where that is possible.
    """
    value = _ready(value.detach(), plan.shape, plan.dtype, plan.text)
    originals = [torch.zeros(s, dtype=plan.dtype) for s in plan.shapes[: plan.n_originals]]
    fresh = None
    if first and own:  # torch.manual_seed determines what a new state draws
        _context.seed(int(torch.randint(1, 2**62, ())))
        fresh = _Evaluation(plan)
    call = Call(plan, originals + [t.detach().to(plan.dtype, copy=True) for t in own], fresh)
    e = call.evaluation
    e.value.data = value.data_ptr()
    if first:
        lib.pz_eval_initialize(e.eval, e.state, 0, e.value)
    lib.pz_eval_assign(e.eval, e.state, REGISTER if first else ASSIGN, e.value)
    return call.tensors
