# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""orthogonal against torch.nn.utils.parametrizations.orthogonal: values and gradients of the
same originals and base, in float64, to 1e-10."""

import torch_python  # first: chooses the interpreter

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal

from command import *
from tap import main
from tensors import compare, save, save_state

torch.manual_seed(seed)
shapes = [(4, 4), (5, 3), (3, 5), (1, 1), (1, 4), (12, 5), (40, 7), (2, 5, 3), (3, 2, 4, 4), (2, 3, 8)]
maps = ["matrix_exp", "cayley", "householder"]


def module(shape, map_, base):
    """A module with its tensor parametrized, moved away from where registration left it."""
    m = nn.Module()
    m.weight = nn.Parameter(torch.randn(shape, dtype=torch.float64))
    orthogonal(m, "weight", map_, use_trivialization=base)
    original = m.parametrizations.weight.original
    step = 0.5 * torch.randn(shape, dtype=torch.float64)
    if map_ != "cayley":  # the diagonal of householder holds signs
        step.diagonal(dim1=-2, dim2=-1).zero_()
    with torch.no_grad():
        original.add_(step)
    return m, original


def check(shape, map_, base, device):
    m, original = module(shape, map_, base)
    what = f"{map_} {shape} base={base} {device}"
    chain = f"orthogonal(map={map_},trivialization={int(base)}" + (",base=dense)" if base else ",signs=0)")
    state = []
    if base:
        state = ["--state", save_state("state.safetensors", **{"0.base": m.parametrizations.weight[0].base})]
    value = m.weight
    g = torch.randn(shape, dtype=torch.float64)
    value.backward(g)
    save("x.npy", original), save("g.npy", g)
    rest = ["--device", device, "--force", *state]
    good("apply", "-p", chain, "x.npy", "-o", "y.npy", *rest)
    good("vjp", "-p", chain, "x.npy", "--grad", "g.npy", "-o", "gx.npy", *rest)
    compare(np.load("y.npy"), value, what)
    compare(np.load("gx.npy"), original.grad, what + ": gradient")


def values():
    """values and gradients of every map and shape, with a base and without"""
    folder("values")
    for device in "reference", "cpu":
        if device == "cpu" and "cpu" not in good("list"):
            continue
        for map_ in maps:
            for shape in shapes:
                for base in False, True:
                    check(shape, map_, base, device)


def defaults():
    """the map that is chosen where none is named"""
    folder("defaults")
    for shape in (4, 4), (5, 3), (3, 5):
        m, original = module(shape, None, True)
        state = save_state("state.safetensors", **{"0.base": m.parametrizations.weight[0].base})
        base = "dense" if shape[0] != shape[1] else "auto"
        save("x.npy", original)
        good("apply", "-p", f"orthogonal(base={base})", "x.npy", "-o", "y.npy", "--state", state, "--force")
        compare(np.load("y.npy"), m.weight, shape)


def assigned():
    """originals of an assigned matrix: PyTorch's value of them is the matrix"""
    folder("assigned")
    for shape in shapes:
        q = torch.randn(shape, dtype=torch.float64)
        m, original = module(shape, "householder", False)
        good("invert", "-p", "orthogonal(map=householder,trivialization=0,signs=0)", save("q.npy", q), "-o", "x.npy",
             "--force")
        with torch.no_grad():
            original.copy_(torch.from_numpy(np.load("x.npy")))
        tall = q if shape[-2] >= shape[-1] else q.mT
        factor, r = torch.linalg.qr(tall)
        factor = factor * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
        compare(m.weight.detach().numpy(), factor if shape[-2] >= shape[-1] else factor.mT, shape)


main([values, defaults, assigned])
