# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Parametrizations of this library, and plugins of your own, in PyTorch.

    >>> import torch, parametrize.torch as pt
    >>> layer = pt.register_parametrization(torch.nn.Linear(8, 8), "weight", "skew,cayley")
    >>> layer.weight.sum().backward()

`orthogonal`, `weight_norm` and `spectral_norm` take the place of those of
torch.nn.utils.parametrizations. Tensors are on the CPU; float16 and bfloat16 are computed in float32.
"""

import torch as _torch

from ._dropins import orthogonal, spectral_norm, weight_norm
from ._evaluate import plan_of as _plan_of
from ._modules import Parametrization, Stage, register_parametrization, update
from ._operators import value as _value

__all__ = [
    "Parametrization",
    "Stage",
    "apply",
    "orthogonal",
    "register_parametrization",
    "spectral_norm",
    "update",
    "weight_norm",
]


def apply(chain: str, *originals: _torch.Tensor, shape=None) -> _torch.Tensor:
    """The value of `chain` at its originals, with derivatives: backward, forward mode, torch.func.

    chain      without own tensors: those of others are kept by `register_parametrization`
    originals  one tensor, or more if the chain has several originals
    shape      of the value, if it is not that of the last original
    """
    shape = tuple(originals[-1].shape if shape is None else shape)
    return _value(chain, shape, len(_plan_of(chain, shape, originals[0].dtype).plan.originals), list(originals))
