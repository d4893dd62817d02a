# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Parametrizations as modules, for torch.nn.utils.parametrize."""

import torch
from torch import nn
from torch.nn.utils import parametrize

from ..errors import UnsupportedError
from . import _evaluate
from ._evaluate import plan_of
from ._operators import value


class Stage(nn.Module):
    """The own tensors of one stage of a chain, under the names that PyTorch and the library's files give
    them: "parametrizations.weight.1.signs". The first stage of the chain computes."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def forward(self, x):
        return x

    def right_inverse(self, x):
        return x

    def extra_repr(self):
        return self.text


class Parametrization(Stage):
    """A chain as a parametrization of PyTorch, for a tensor of this shape and dtype.

    `Parametrization("skew,cayley", (8, 8))` can be registered by
    torch.nn.utils.parametrize.register_parametrization. A chain whose later stages have own tensors needs
    `parametrize.torch.register_parametrization`, which also registers these.
    """

    def __init__(self, chain: str, shape, dtype=torch.float32):
        plan = plan_of(chain, shape, dtype)
        super().__init__(plan.plan.stage(0))
        self.chain = plan.text
        self.shape = tuple(shape)
        self.n_trained = plan.n_trained
        self.fresh = True
        self.stages = tuple(Stage(plan.plan.stage(k)) for k in range(1, plan.plan.length))
        self.names = []  # of own parameters, then of buffers: (stage, name)
        for k in range(plan.n_originals, len(plan.specs)):
            stage, _, name = plan.specs[k].name.partition(".")
            tensor = torch.zeros(plan.shapes[k], dtype=dtype)
            if k < plan.n_trained:
                self._stage(int(stage)).register_parameter(name, nn.Parameter(tensor))
            else:
                self._stage(int(stage)).register_buffer(name, tensor)
            self.names.append((int(stage), name))

    def _stage(self, k):
        return self.stages[k - 1] if k else self

    def _own(self):
        return [getattr(self._stage(k), name) for k, name in self.names]

    def _plan(self, tensor):
        return plan_of(self.chain, self.shape, tensor.dtype)

    def forward(self, *originals):
        own = self._own()
        if own and self._plan(originals[0]).updates:
            if self.training:
                self._update(originals, own)
            # As in PyTorch: backward uses the buffers of its own read, whatever later ones do to them.
            own = [t if isinstance(t, nn.Parameter) else t.clone() for t in own]
        return value(self.chain, self.shape, self.n_trained, [*originals, *own])

    @torch.no_grad()
    def _update(self, originals, own):
        if torch.compiler.is_compiling():
            raise UnsupportedError(f"{self.chain}: found torch.compile in training, expected a value read outside of it")
        new = _evaluate.update(self._plan(originals[0]), [t.detach() for t in (*originals, *own)])
        for x, moved in zip((*originals, *own), new):
            if not torch.equal(x, moved):
                x.copy_(moved)

    @torch.no_grad()
    def update(self, *originals):
        """The update of every stage at these originals, in either mode."""
        self._update(originals, self._own())

    @torch.no_grad()
    def right_inverse(self, tensor):
        found = _evaluate.assign(self._plan(tensor), tensor, self._own(), self.fresh)
        self.fresh = False
        n = len(found) - len(self.names)
        for (k, name), new in zip(self.names, found[n:]):
            stage = self._stage(k)
            old = getattr(stage, name)
            if isinstance(old, nn.Parameter):
                old.copy_(new)
            else:  # earlier evaluations keep the old one
                setattr(stage, name, new.to(old.dtype))
        originals = [t.to(tensor.dtype) for t in found[:n]]
        return originals[0] if n == 1 else tuple(originals)


def register_parametrization(module: nn.Module, name: str, chain: str, *, unsafe: bool = False) -> nn.Module:
    """Registers the stages of `chain` on a parameter or buffer of `module`, which is returned.

    module  any module of PyTorch
    name    "weight": a tensor (..., m, n) of float64, float32, float16 or bfloat16 on the CPU
    chain   "skew,cayley", as on the command line, also with plugins of your own
    unsafe  the value may have another shape than the tensor

    All of torch.nn.utils.parametrize works on the result: is_parametrized, cached,
    remove_parametrizations, assignment. Names in its state dict are those of the library's files.
    """
    tensor = getattr(module, name, None)
    if not isinstance(tensor, torch.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return register(module, name, Parametrization(chain, tensor.shape, tensor.dtype), unsafe)


def register(module, name, parametrization, unsafe):
    if parametrize.is_parametrized(module, name):
        # Own tensors begin at the value so far.
        parametrization.right_inverse(getattr(module, name).detach())
    parametrize.register_parametrization(module, name, parametrization, unsafe=unsafe)
    for stage in parametrization.stages:  # after it, so that names are those of the stages
        module.parametrizations[name].append(stage.train(module.training))
    return module


def update(module: nn.Module) -> None:
    """Runs the updates of all parametrizations in `module` that wait for a step of the optimizer, as
    `orthogonal(rebase=K)` does. Those of `spectral_norm` run at every read in training mode."""
    for lists in module.modules():
        if isinstance(lists, parametrize.ParametrizationList) and isinstance(lists[0], Parametrization):
            if lists.is_tensor:
                originals = [lists.original]
            else:
                originals = [getattr(lists, f"original{k}") for k in range(lists.ntensors)]
            if not lists[0]._plan(originals[0]).updates:
                lists[0].update(*originals)
