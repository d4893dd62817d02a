# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""orthogonal, weight_norm and spectral_norm with the signatures, the names and the state dicts of
torch.nn.utils.parametrizations."""

from typing import Optional

import torch
from torch import nn
from torch.nn.utils import parametrizations

from ._modules import Parametrization, register

_MAPS = ("matrix_exp", "cayley", "householder")
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

# As imported, so that the drop-ins may be put in their place.
_complex_orthogonal = parametrizations.orthogonal
_complex_spectral_norm = parametrizations.spectral_norm


def _tensor(module, name):
    tensor = getattr(module, name, None)
    if not isinstance(tensor, torch.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


def _register(module, name, chain, tensor, unsafe=False, kind=Parametrization):
    return register(module, name, kind(chain, tensor.shape, tensor.dtype), unsafe)


class _Orthogonal(Parametrization):
    def right_inverse(self, tensor):
        if tensor.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {tuple(tensor.shape)}."
            )
        return super().right_inverse(tensor)


class _WithoutBase(_Orthogonal):
    """As PyTorch's: registration takes the tensor itself as the original."""

    def right_inverse(self, tensor):
        raise NotImplementedError(
            "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
            "use_trivialization=False. The chain orthogonal(trivialization=0) allows it."
        )


def orthogonal(module: nn.Module, name: str = "weight", orthogonal_map: Optional[str] = None, *,
               use_trivialization: bool = True) -> nn.Module:  # fmt: skip
    """As torch.nn.utils.parametrizations.orthogonal: a tensor (..., m, n) gets orthonormal columns, or rows
    if it is wide. Complex tensors are left to PyTorch."""
    weight = _tensor(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if weight.is_complex():
        return _complex_orthogonal(module, name, orthogonal_map, use_trivialization=use_trivialization)
    square = weight.size(-2) == weight.size(-1)
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". ' f"Got: {orthogonal_map}"
        )
    rest = "base=dense" if use_trivialization else "trivialization=0,signs=0"
    kind = _Orthogonal if use_trivialization or orthogonal_map == "householder" else _WithoutBase
    return _register(module, name, f"orthogonal(map={orthogonal_map},{rest})", weight, unsafe=True, kind=kind)


def weight_norm(module: nn.Module, name: str = "weight", dim: Optional[int] = 0) -> nn.Module:
    """As torch.nn.utils.parametrizations.weight_norm: magnitudes `original0` and directions `original1` of
    a tensor, along `dim`, or over all dimensions for None. State dicts with weight_g and weight_v load."""
    _register(module, name, f"weight_norm(dim={'all' if dim is None else dim})", _tensor(module, name), unsafe=True)

    def rename(state_dict, prefix, *_):
        if f"{prefix}{name}_g" in state_dict and f"{prefix}{name}_v" in state_dict:
            for k, suffix in enumerate("gv"):
                state_dict[f"{prefix}parametrizations.{name}.original{k}"] = state_dict.pop(f"{prefix}{name}_{suffix}")

    module._register_load_state_dict_pre_hook(rename)
    return module


def spectral_norm(module: nn.Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: Optional[int] = None) -> nn.Module:  # fmt: skip
    """As torch.nn.utils.parametrizations.spectral_norm: a tensor divided by its largest singular value, as the
    power method estimates it, with steps at every read in training mode. Complex tensors are left to
    PyTorch."""
    weight = _tensor(module, name)
    if weight.is_complex():
        return _complex_spectral_norm(module, name, n_power_iterations, eps, dim)
    if dim is None:
        dim = 1 if isinstance(module, _TRANSPOSED) else 0
    if not -weight.ndim <= dim < weight.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
        )
    if n_power_iterations <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
    options = f"n_power_iterations={n_power_iterations},eps={eps!r},dim={dim}"
    return _register(module, name, f"spectral_norm({options})", weight)
