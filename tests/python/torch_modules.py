# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""parametrize.torch in torch.nn.utils.parametrize, and the drop-ins beside PyTorch's own. usage: torch_modules.py"""

import torch_python  # first: chooses the interpreter
import package_python  # second: skips where the package cannot be imported

import copy
import pathlib
import tempfile

import torch
from tap import main
from torch import nn
from torch.nn.utils import parametrizations as theirs
from torch.nn.utils import parametrize

import parametrize as pz
import parametrize.torch as pt
from package_python import refused, seed

torch.manual_seed(seed)
folder = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-torch-"))


def layer(chain="skew,cayley", n=4, **options):
    return pt.register_parametrization(nn.Linear(n, n, dtype=torch.float64), "weight", chain, **options)


def near(a, b, tolerance=1e-10):
    assert a.shape == b.shape and a.dtype == b.dtype and (a - b).abs().max() <= tolerance, (a - b).abs().max()


def registers():
    """is_parametrized, cached, assignment, removal, names"""
    m = layer()
    assert parametrize.is_parametrized(m, "weight") and list(m.state_dict()) == ["bias", "parametrizations.weight.original"]
    near(m.weight.mT @ m.weight, torch.eye(4, dtype=torch.float64), 1e-13)
    assert m.weight is not m.weight
    with parametrize.cached():
        assert m.weight is m.weight
    q = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))[0]
    q[:, 0] *= torch.linalg.det(q).sign()
    m.weight = q
    near(m.weight, q)
    refused(pz.OutsideError, "from the identity", setattr, m, "weight", 2 * q)
    near(m.weight, q)
    original = m.parametrizations.weight.original
    parametrize.remove_parametrizations(m, "weight")
    assert m.weight is original and type(m) is nn.Linear
    near(m.weight, q)
    refused(pz.NotFoundError, 'nearest is "cayley"', layer, "cayly")
    refused(ValueError, "no parameter or buffer", pt.register_parametrization, nn.Linear(2, 2), "wieght", "skew")
    refused(pz.MismatchError, "", pt.register_parametrization, nn.Linear(2, 3), "weight", "skew")
    m = nn.Module()
    m.p = nn.Parameter(torch.full((5,), 0.2, dtype=torch.float64))
    pt.register_parametrization(m, "p", "simplex")
    assert m.parametrizations.p.original.shape == (4,) and abs(m.p.sum() - 1) <= 1e-14


def stages():
    """own tensors of stages have the names of the library's files; files of either side load into the other"""
    m = layer("symmetric,pruning(p_drop=0.5)", 8)
    assert list(m.state_dict()) == ["bias", "parametrizations.weight.original", "parametrizations.weight.1.mask"], list(m.state_dict())
    assert len(m.parametrizations.weight) == 2
    module = pz.Module("Linear")
    module.add("weight", torch.zeros(8, 8, dtype=torch.float64))
    module.add("bias", torch.zeros(8, dtype=torch.float64))
    module.register("weight", "symmetric,pruning(p_drop=0.5)")
    for name, tensor in m.state_dict().items():
        module.assign(name, tensor)
    near(torch.from_numpy(module.read("weight")), m.weight.detach(), 0.0)
    path = folder / "layer.safetensors"
    module.sample("weight")
    module.save(path)
    read = pz.Module.from_file(path).state_dict()
    m.load_state_dict({name: torch.from_numpy(x) for name, x in read.items()})
    near(torch.from_numpy(module.read("weight")), m.weight.detach(), 0.0)


def lives():
    """deepcopy, to, two chains on one tensor, buffers, evaluation, optimizers"""
    for make in (layer, lambda: pt.orthogonal(nn.Linear(5, 3, dtype=torch.float64)), lambda: layer("cayley(signs=1)"),
                 lambda: pt.spectral_norm(nn.Linear(5, 3, dtype=torch.float64)), lambda: layer("symmetric,pruning")):  # fmt: skip
        m = make().eval()
        twin = copy.deepcopy(m)
        near(twin.weight, m.weight, 0.0)
        with torch.no_grad():
            for p in twin.parameters():
                p.add_(0.1)
        assert (twin.weight - m.weight).abs().max() > 1e-4
        half = copy.deepcopy(m).to(torch.float32)
        near(half.weight.double(), m.weight, 1e-5)
        assert half.weight.dtype == torch.float32
        optimizer = torch.optim.SGD(m.parameters(), 0.01)
        before = m.weight.detach().clone()
        m(torch.randn(3, m.in_features, dtype=torch.float64)).square().sum().backward()
        optimizer.step()
        assert (m.weight - before).abs().max() > 0
    m = layer("skew")
    pt.register_parametrization(m, "weight", "cayley")
    near(m.weight.mT @ m.weight, torch.eye(4, dtype=torch.float64), 1e-13)
    m = nn.Module()
    m.register_buffer("table", torch.rand(3, 3, dtype=torch.float64))
    pt.register_parametrization(m, "table", "positive")
    assert not m.table.requires_grad and (m.table > 0).all() and list(m.state_dict()) == ["parametrizations.table.original"]
    for dtype in (torch.float16, torch.bfloat16):
        m = pt.orthogonal(nn.Linear(8, 8, dtype=dtype))
        m(torch.randn(2, 8, dtype=dtype)).sum().backward()
        assert m.weight.dtype == dtype and m.parametrizations.weight.original.grad.dtype == dtype


def functional():
    """torch.func.functional_call"""
    m = layer()
    q = torch.zeros(4, 4, dtype=torch.float64)
    x = torch.randn(2, 4, dtype=torch.float64)
    out = torch.func.functional_call(m, {"parametrizations.weight.original": q}, (x,))
    near(out, x + m.bias)
    g = torch.func.grad(lambda p: torch.func.functional_call(m, p, (x,)).sum())(dict(m.named_parameters()))
    assert g["parametrizations.weight.original"].isfinite().all()


def beside(ours, their, make, step):
    """Two modules from the same one: equal values, gradients and state dicts, through steps of SGD."""
    m = make()
    a, b = their(copy.deepcopy(m)), ours(copy.deepcopy(m))
    assert {k: v.shape for k, v in a.state_dict().items()} == {k: v.shape for k, v in b.state_dict().items()}
    b.load_state_dict(a.state_dict())
    a.load_state_dict(b.state_dict())
    for _ in range(3):
        for module in (a, b):
            module.zero_grad()
            (module.weight * torch.linspace(-1, 1, module.weight.numel(), dtype=torch.float64).view_as(module.weight)).sum().backward()
            with torch.no_grad():
                for p in module.parameters():
                    if p.grad is not None:
                        p.sub_(step * p.grad)
        for p, q in zip(a.parameters(), b.parameters()):
            near(p, q, 1e-9)
    a.eval(), b.eval()
    near(a.weight, b.weight, 1e-9)
    near(a.parametrizations.weight(), b.parametrizations.weight(), 1e-9)


def linear(m, n):
    return lambda: nn.Linear(n, m, dtype=torch.float64)


def orthogonals():
    """orthogonal: every map, with a base and without, square, tall and wide"""
    for map_ in (None, "matrix_exp", "cayley", "householder"):
        for base in (True, False):
            for shape in ((4, 4), (5, 3), (3, 5)):
                on = {"orthogonal_map": map_, "use_trivialization": base}
                beside(lambda m: pt.orthogonal(m, **on), lambda m: theirs.orthogonal(m, **on), linear(*shape), 0.05)
    m = pt.orthogonal(nn.Linear(4, 4, dtype=torch.float64))
    m.weight = torch.randn(4, 4, dtype=torch.float64)
    near(m.weight.mT @ m.weight, torch.eye(4, dtype=torch.float64), 1e-13)
    refused(ValueError, "matrices of shape", setattr, m, "weight", torch.randn(5, 5))
    refused(ValueError, "has to be one of", pt.orthogonal, nn.Linear(3, 3), "weight", "foo")
    refused(ValueError, "Expected a matrix", pt.orthogonal, nn.Linear(3, 3), "bias")
    m = pt.orthogonal(nn.Linear(3, 3), "weight", "cayley", use_trivialization=False)
    refused(NotImplementedError, "assign to the matrix exponential or the Cayley", setattr, m, "weight", torch.eye(3))
    assert pt.orthogonal(nn.Linear(3, 3, dtype=torch.complex64)).weight.is_complex()


def weight_norms():
    """weight_norm: every dim, state dicts of torch.nn.utils.weight_norm"""
    for dim in (0, 1, -1, None):
        beside(lambda m: pt.weight_norm(m, dim=dim), lambda m: theirs.weight_norm(m, dim=dim), linear(4, 6), 0.1)
    conv = lambda: nn.Conv2d(2, 3, 3, dtype=torch.float64)  # noqa: E731
    beside(lambda m: pt.weight_norm(m), lambda m: theirs.weight_norm(m), conv, 0.1)
    old = torch.nn.utils.weight_norm(nn.Linear(4, 5))
    new = pt.weight_norm(nn.Linear(4, 5))
    new.load_state_dict(old.state_dict())
    near(new.weight, old.weight, 1e-6)


def spectral_norms():
    """spectral_norm: steps at reads in training mode, transposed convolutions, vectors, GANs"""
    for make in (linear(4, 6), lambda: nn.ConvTranspose2d(2, 3, 3, dtype=torch.float64)):
        for n in (1, 3):
            beside(lambda m: pt.spectral_norm(m, n_power_iterations=n), lambda m: theirs.spectral_norm(m, n_power_iterations=n), make, 0.1)
    m = pt.spectral_norm(nn.Linear(5, 7, dtype=torch.float64))
    u = m.parametrizations.weight[0]._u
    before = u.clone()
    a = m(torch.randn(2, 5, dtype=torch.float64)).sum()
    assert u is m.parametrizations.weight[0]._u and not torch.equal(u, before)
    (a - m(torch.randn(2, 5, dtype=torch.float64)).sum()).backward()
    m.eval()
    before = u.clone()
    m.weight
    assert torch.equal(u, before)
    pt.spectral_norm(m, "weight"), pt.spectral_norm(m, "bias")
    assert abs(m.bias.norm() - 1) <= 1e-12
    parametrize.remove_parametrizations(m, "bias"), parametrize.remove_parametrizations(m, "weight")
    assert type(m) is nn.Linear
    refused(IndexError, "Dimension out of range", pt.spectral_norm, nn.Linear(2, 2), dim=2)
    refused(ValueError, "to be positive", pt.spectral_norm, nn.Linear(2, 2), n_power_iterations=0)


def random():
    """torch.manual_seed determines what parametrizations draw"""
    masks = []
    for number in (1, 1, 2):
        torch.manual_seed(number)
        masks.append(layer("pruning(p_drop=0.5)", 16).parametrizations.weight[0].mask)
    assert torch.equal(masks[0], masks[1]) and not torch.equal(masks[0], masks[2])


def rebases():
    """orthogonal(rebase=1): the base moves with update(), the value stays"""
    m = layer("orthogonal(rebase=1)")
    with torch.no_grad():
        m.parametrizations.weight.original.add_(0.3 * torch.randn(4, 4, dtype=torch.float64))
    value, base = m.weight.detach().clone(), m.parametrizations.weight[0].base.clone()
    near(m.weight, value, 0.0)
    pt.update(m)
    near(m.weight, value)
    near(m.parametrizations.weight[0].base, value)
    assert (base - value).abs().max() > 1e-3


main([registers, stages, lives, functional, orthogonals, weight_norms, spectral_norms, random, rebases])
