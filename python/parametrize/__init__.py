# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Constrained parameters: orthogonal, positive definite, sparse ... arrays from unconstrained ones.

    >>> import numpy as np, parametrize as pz
    >>> Q = pz.apply("skew,cayley", np.arange(9.0).reshape(3, 3))
    >>> np.allclose(Q.T @ Q, np.eye(3))
    True

`apply`, `invert`, `vjp`, `jvp`, `log_abs_det`, `sample` and `residual` take a chain by its text.
`Chain` keeps the own tensors of a chain, `Module` many tensors with names. `parametrize.torch` is for
PyTorch. Failures are exceptions below `Error`.
"""

import pathlib as _pathlib

from ._chain import Chain, TensorSpec
from ._context import (
    Device,
    Map,
    Option,
    add_folder,
    add_plugin,
    find_map,
    list_devices,
    list_maps,
    seed,
    version,
)
from ._functions import apply, invert, jvp, log_abs_det, residual, sample, vjp
from ._module import Module, ModuleTensor
from .errors import *
from .errors import __all__ as _errors

__version__ = version()
__all__ = [
    "Chain",
    "Device",
    "Map",
    "Module",
    "ModuleTensor",
    "Option",
    "TensorSpec",
    "add_folder",
    "add_plugin",
    "apply",
    "find_map",
    "include_folder",
    "invert",
    "jvp",
    "list_devices",
    "list_maps",
    "log_abs_det",
    "residual",
    "sample",
    "seed",
    "version",
    "vjp",
    *_errors,
]


def include_folder() -> str:
    """Where the headers are, to compile a plugin: cc -shared -fPIC -I FOLDER map.c -o map.so"""
    return str(_pathlib.Path(__file__).resolve().parent / "include")
