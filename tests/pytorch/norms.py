# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""weight_norm and spectral_norm against torch.nn.utils.parametrizations: values and gradients
of the same originals and buffers, and the steps of the power method, in float64, to 1e-10."""

import torch_python  # first: chooses the interpreter

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

import library
from command import *
from tap import Skip, main
from tensors import compare, save, save_state

torch.manual_seed(seed)
shapes = [(4, 4), (5, 3), (3, 5), (1, 1), (6, 1), (7,), (2, 3, 4), (4, 3, 3, 2)]


def plain(shape):
    m = nn.Module()
    m.weight = nn.Parameter(torch.randn(shape, dtype=torch.float64))
    return m


def devices():
    return ["reference"] + (["cpu"] if "cpu" in good("list") else [])


def check(m, chain, originals, what, *state):
    """Value and gradients of the module's weight by the command."""
    for x in originals:
        x.grad = None
    value = m.weight
    g = torch.randn(value.shape, dtype=torch.float64)
    value.backward(g)
    inputs = [save(f"x{k}.npy", x) for k, x in enumerate(originals)]
    outputs = [word for k in range(len(originals)) for word in ("-o", f"gx{k}.npy")]
    save("g.npy", g)
    for device in devices():
        rest = ["--device", device, "--force", *state]
        good("apply", "-p", chain, *inputs, "-o", "y.npy", *rest)
        good("vjp", "-p", chain, *inputs, "--grad", "g.npy", *outputs, *rest)
        compare(np.load("y.npy"), value, f"{what} on {device}")
        for k, x in enumerate(originals):
            compare(np.load(f"gx{k}.npy"), x.grad, f"{what} on {device}: gradient {k}")


def weights():
    """weight_norm over every dimension and over all"""
    folder("weights")
    for shape in shapes:
        for dim in [None, -1, *range(len(shape))]:
            m = plain(shape)
            weight_norm(m, "weight", dim)
            p = m.parametrizations.weight
            chain = f"weight_norm(dim={'all' if dim is None else dim})"
            with torch.no_grad():
                p.original0.mul_(torch.randn_like(p.original0))
                p.original1.add_(torch.randn_like(p.original1))
            check(m, chain, [p.original0, p.original1], f"{chain} {shape}")


def weights_of_a_tensor():
    """the originals of weight_norm when a tensor is assigned"""
    folder("assigned")
    for shape in shapes:
        for dim in [None, *range(len(shape))]:
            m = plain(shape)
            save("w.npy", m.weight)
            weight_norm(m, "weight", dim)
            p = m.parametrizations.weight
            good("invert", "-p", f"weight_norm(dim={'all' if dim is None else dim})", "w.npy", "-o", "g.npy", "-o",
                 "v.npy", "--force")
            compare(np.load("g.npy"), p.original0, f"{dim} {shape}")
            compare(np.load("v.npy"), p.original1, f"{dim} {shape}")


def spectral(shape, dim, **options):
    m = plain(shape)
    spectral_norm(m, "weight", dim=dim, **options)
    with torch.no_grad():
        m.parametrizations.weight.original.add_(0.5 * torch.randn(shape, dtype=torch.float64))
    return m, m.parametrizations.weight


def state_of(p):
    return ["--state", save_state("state.safetensors", **{"0._u": p[0]._u, "0._v": p[0]._v})] if p[0].state_dict() else []


def spectra():
    """spectral_norm in evaluation mode, flattened along every dimension"""
    folder("spectra")
    for shape in shapes:
        for dim in range(-len(shape), len(shape)):
            m, p = spectral(shape, dim)
            m.eval()
            check(m, f"spectral_norm(dim={dim})", [p.original], f"dim={dim} {shape}", *state_of(p))


def vectors():
    """the norm of a vector below eps"""
    folder("vectors")
    for eps in 1e-12, 0.5:
        m, p = spectral((5,), 0, eps=eps)
        with torch.no_grad():
            p.original.mul_(0.01)
        check(m, f"spectral_norm(eps={eps})", [p.original], f"eps={eps}")


def batches():
    """spectral_norm(batched=1) is PyTorch's of each matrix"""
    folder("batches")
    matrices = [spectral((4, 3), 0) for _ in range(5)]
    for m, _ in matrices:
        m.eval()
    u, v = (torch.stack([getattr(p[0], name) for _, p in matrices]) for name in ("_u", "_v"))
    x = torch.stack([p.original.detach() for _, p in matrices])
    value = torch.stack([m.weight for m, _ in matrices])
    g = torch.randn_like(value)
    value.backward(g)
    save("x.npy", x), save("g.npy", g)
    rest = ["--force", "--state", save_state("state.safetensors", **{"0._u": u, "0._v": v})]
    good("apply", "-p", "spectral_norm(batched=1)", "x.npy", "-o", "y.npy", *rest)
    good("vjp", "-p", "spectral_norm(batched=1)", "x.npy", "--grad", "g.npy", "-o", "gx.npy", *rest)
    compare(np.load("y.npy"), value, "batch")
    compare(np.load("gx.npy"), torch.stack([p.original.grad for _, p in matrices]), "batch: gradient")


def steps():
    """an update and a read are PyTorch's read in training mode"""
    if sanitized:
        raise Skip("the build is instrumented: Python cannot load it")
    if "cpu" not in good("list"):
        raise Skip("there is no backend cpu")
    ours = library.Library(pathlib.Path(command).parents[1])
    for shape in shapes:
        if len(shape) == 1:
            continue
        for dim in range(len(shape)):
            m, p = spectral(shape, dim, n_power_iterations=2)
            chain = ours.chain(f"spectral_norm(dim={dim},n_power_iterations=2)", p.original.detach().numpy())
            for k, name in enumerate(("_u", "_v")):
                chain.tensor(library.STATE_BUFFER, k)[...] = getattr(p[0], name).numpy()
            for step in range(3):
                p.original.grad = None
                value = m.weight
                g = torch.randn_like(value)
                value.backward(g)
                ours.check(ours.call.pz_eval_update(chain.eval, chain.state))
                compare(library.array(chain.forward()), value, f"step {step} dim={dim} {shape}")
                chain.vjp(g.numpy())
                compare(chain.gradient, p.original.grad, f"step {step} dim={dim} {shape}: gradient")
                for k, name in enumerate(("_u", "_v")):
                    compare(chain.tensor(library.STATE_BUFFER, k), getattr(p[0], name), f"step {step} dim={dim} {shape}: {name}")


main([weights, weights_of_a_tensor, spectra, vectors, batches, steps])
