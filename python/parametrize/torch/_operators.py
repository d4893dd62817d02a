# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The value of a chain as a differentiable function of tensors.

Plain tensors take the short way: one autograd function that keeps its evaluation for backward. Under
torch.func the functions have rules for vmap and forward mode. Under torch.compile, and for fake tensors,
there are the operators torch.ops.parametrize.value, vjp and jvp; backward evaluates again there. pull and
push are one derivative of one call, for the older batches of torch.autograd, which know no lists.
"""

import weakref
from typing import List, Sequence

import torch
from torch.autograd import forward_ad

from ._evaluate import Call, plan_of

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_transforming = torch._C._are_functorch_transforms_active
_dispatching = torch.utils._python_dispatch.is_in_torch_dispatch_mode
_is_batched = torch._C._functorch.is_legacy_batchedtensor  # with is_grads_batched of torch.autograd.grad
_calls = weakref.WeakValueDictionary()  # those that pull and push find


def _no_second(*_):
    raise NotImplementedError(
        "found a derivative of a derivative of a parametrization, expected first derivatives: the library has no others"
    )


class _First(torch.autograd.Function):
    """What a derivative computed, so that its own derivative is refused."""

    @staticmethod
    def forward(ctx, compute, *tensors):
        return compute()

    backward = staticmethod(_no_second)
    jvp = staticmethod(_no_second)


class _Value(torch.autograd.Function):
    """The short way."""

    @staticmethod
    def forward(ctx, plan, *tensors):
        ctx.call = Call(plan, tensors)
        ctx.save_for_backward(*tensors)
        if forward_ad._current_level >= 0:
            ctx.save_for_forward(*tensors)
        return ctx.call.value(True)

    @staticmethod
    def backward(ctx, grad):
        tensors = ctx.saved_tensors  # which says if one was changed since
        call, needed = ctx.call, ctx.needs_input_grad[1:]
        if _transforming():
            n = call.plan.n_trained
            gradients = _FuncVjp.apply(call.plan.text, call.plan.shape, n, grad, *tensors)
            return (None, *gradients, *(None,) * (len(tensors) - n))
        if _is_batched(grad):
            _calls[id(call)] = call
            pull = torch.ops.parametrize.pull
            return (None, *(pull(grad, id(call), k) if n else None for k, n in enumerate(needed)))
        if torch.is_grad_enabled():  # with create_graph
            return (None, *_First.apply(lambda: tuple(call.vjp(grad, needed)), grad, *tensors))
        return (None, *call.vjp(grad, needed))

    @staticmethod
    def jvp(ctx, _, *tangents):
        call = ctx.call
        if any(t is not None and _is_batched(t) for t in tangents):
            _calls[id(call)] = call
            push = torch.ops.parametrize.push
            return sum(push(t, id(call), k) for k, t in enumerate(tangents) if t is not None)
        graph = [t for t in (*ctx.saved_tensors, *tangents) if t is not None and t.requires_grad]
        if graph and torch.is_grad_enabled():
            return _First.apply(lambda: call.jvp(tangents), *graph)
        return call.jvp(tangents)


def _looped(function):
    """The rule of vmap: one after the other, because a batch may mean something else to a chain."""

    def vmap(info, in_dims, *arguments):
        results = [
            function.apply(*(a.select(d, b) if isinstance(d, int) else a for a, d in zip(arguments, in_dims)))
            for b in range(info.batch_size)
        ]
        if isinstance(results[0], tuple):
            return tuple(torch.stack(parts) for parts in zip(*results)), (0,) * len(results[0])
        return torch.stack(results), 0

    return staticmethod(vmap)


class _FuncValue(torch.autograd.Function):
    """The value under torch.func. n is the number of originals and own parameters."""

    @staticmethod
    def forward(text, shape, n, *tensors):
        return torch.ops.parametrize.value(tensors, text, shape, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.text, ctx.shape, ctx.n, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx, grad):
        tensors = ctx.saved_tensors
        gradients = _FuncVjp.apply(ctx.text, ctx.shape, ctx.n, grad, *tensors)
        return (None, None, None, *gradients, *(None,) * (len(tensors) - ctx.n))

    @staticmethod
    def jvp(ctx, _text, _shape, _n, *tangents):
        tensors = ctx.saved_tensors
        filled = [torch.zeros_like(x) if t is None else t for t, x in zip(tangents[: ctx.n], tensors)]
        return _FuncJvp.apply(ctx.text, ctx.shape, ctx.n, *filled, *tensors)


class _FuncVjp(torch.autograd.Function):
    @staticmethod
    def forward(text, shape, n, grad, *tensors):
        return tuple(torch.ops.parametrize.vjp(grad, tensors, text, shape, n))

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    backward = staticmethod(_no_second)
    jvp = staticmethod(_no_second)


class _FuncJvp(torch.autograd.Function):
    @staticmethod
    def forward(text, shape, n, *tensors):
        return torch.ops.parametrize.jvp(tensors[:n], tensors[n:], text, shape, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    backward = staticmethod(_no_second)
    jvp = staticmethod(_no_second)


for _function in (_FuncValue, _FuncVjp, _FuncJvp):
    _function.vmap = _looped(_function)


# ---- operators ----


@torch.library.custom_op("parametrize::value", mutates_args=(), device_types="cpu")
def _value(tensors: Sequence[torch.Tensor], text: str, shape: Sequence[int], n: int) -> torch.Tensor:
    return Call(plan_of(text, shape, tensors[0].dtype), tensors).value(False)


@torch.library.custom_op("parametrize::vjp", mutates_args=(), device_types="cpu")
def _vjp(grad: torch.Tensor, tensors: Sequence[torch.Tensor], text: str, shape: Sequence[int], n: int) -> List[torch.Tensor]:
    call = Call(plan_of(text, shape, tensors[0].dtype), tensors)
    call.value(True)
    return call.vjp(grad, [True] * n)[:n]


@torch.library.custom_op("parametrize::jvp", mutates_args=(), device_types="cpu")
def _jvp(tangents: Sequence[torch.Tensor], tensors: Sequence[torch.Tensor], text: str, shape: Sequence[int], n: int) -> torch.Tensor:
    call = Call(plan_of(text, shape, tensors[0].dtype), tensors)
    call.value(True)
    return call.jvp(tangents)


@torch.library.custom_op("parametrize::pull", mutates_args=(), device_types="cpu")
def _pull(grad: torch.Tensor, call: int, k: int) -> torch.Tensor:
    alive = _calls[call]
    return alive.vjp(grad, [j == k for j in range(len(alive.tensors))])[k]


@torch.library.custom_op("parametrize::push", mutates_args=(), device_types="cpu")
def _push(tangent: torch.Tensor, call: int, k: int) -> torch.Tensor:
    alive = _calls[call]
    return alive.jvp([tangent if j == k else None for j in range(len(alive.tensors))])


@_value.register_fake
def _(tensors, text, shape, n):
    return tensors[0].new_empty(tuple(shape))


@_vjp.register_fake
def _(grad, tensors, text, shape, n):
    return [t.new_empty(t.shape) for t in tensors[:n]]


@_jvp.register_fake
def _(tangents, tensors, text, shape, n):
    return tensors[0].new_empty(tuple(shape))


def _remember(ctx, inputs, output):
    tensors, ctx.text, ctx.shape, ctx.n = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx, grad):
    tensors = ctx.saved_tensors
    gradients = torch.ops.parametrize.vjp(grad, tensors, ctx.text, ctx.shape, ctx.n)
    return gradients + [None] * (len(tensors) - ctx.n), None, None, None


_value.register_autograd(_backward, setup_context=_remember)
_vjp.register_autograd(_no_second)
_jvp.register_autograd(_no_second)


def _batched(operator):
    def vmap(info, in_dims, *arguments):
        def one(argument, dims, b):
            if isinstance(argument, (list, tuple)) and isinstance(dims, (list, tuple)):
                return [one(a, d, b) for a, d in zip(argument, dims)]
            return argument if dims is None else argument.select(dims, b)

        results = [operator(*(one(a, d, b) for a, d in zip(arguments, in_dims))) for b in range(info.batch_size)]
        if isinstance(results[0], list):
            return [torch.stack(parts) for parts in zip(*results)], [0] * len(results[0])
        return torch.stack(results), 0

    operator.register_vmap(vmap)


for _operator in (_value, _vjp, _jvp):
    _batched(_operator)


def value(text, shape, n, tensors):
    """The value of a chain at its tensors, differentiable in the first n."""
    if torch.compiler.is_compiling():
        return torch.ops.parametrize.value(tensors, text, shape, n)
    if _transforming():
        return _FuncValue.apply(text, shape, n, *tensors)
    if _dispatching() or not all(type(t) in _PLAIN for t in tensors):
        return torch.ops.parametrize.value(tensors, text, shape, n)
    plan = plan_of(text, shape, tensors[0].dtype)
    if forward_ad._current_level >= 0 or (torch.is_grad_enabled() and any(t.requires_grad for t in tensors)):
        return _Value.apply(plan, *tensors)
    return Call(plan, tensors).value(False)
