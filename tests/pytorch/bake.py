# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Files between PyTorch and the library: what torch.nn.utils.parametrize saved is baked to
PyTorch's own values, and files of the library open in the safetensors package.

usage: bake.py COMMAND MODELS
"""

import torch_python  # first: chooses the interpreter

import warnings

try:
    import safetensors
    from safetensors.torch import load_file, save_file
except ImportError:
    torch_python.skip("the interpreter with PyTorch does not import safetensors")

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from command import *
from tap import main

torch.manual_seed(seed)
models = os.path.abspath(sys.argv[2])

# The modules of PyTorch's tutorial on parametrizations.


class Symmetric(nn.Module):
    def forward(self, X):
        return X.triu() + X.triu(1).transpose(-1, -2)


class Skew(nn.Module):
    def forward(self, X):
        A = X.triu(1)
        return A - A.transpose(-1, -2)


class MatrixExponential(nn.Module):
    def forward(self, X):
        return torch.matrix_exp(X)


class CayleyMap(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("Id", torch.eye(n))

    def forward(self, X):
        return torch.linalg.solve(self.Id - X, self.Id + X)


class Pruning(nn.Module):
    def __init__(self, X, p_drop=0.2):
        super().__init__()
        self.register_buffer("mask", torch.bernoulli(torch.full_like(X, 1.0 - p_drop)))

    def forward(self, X):
        return X * self.mask


class Net(nn.Module):
    """Every layer of the tutorial, a recurrent kernel, and PyTorch's own parametrizations."""

    def __init__(self, parametrized):
        super().__init__()
        self.symmetric = nn.Linear(3, 3)
        self.cnn = nn.Conv2d(3, 8, 5)
        self.blocks = nn.ModuleList([nn.Linear(48, 48), nn.Linear(32, 32), nn.Linear(20, 20)])
        self.rnn = nn.RNN(6, 64)
        self.pruned = nn.Linear(7, 5)
        self.norm = nn.BatchNorm1d(5)
        self.normed = nn.Conv1d(4, 6, 3)
        self.bounded = nn.Linear(9, 8)
        self.tall = nn.Linear(6, 10)
        if not parametrized:
            return
        register = parametrize.register_parametrization
        register(self.symmetric, "weight", Symmetric())
        register(self.cnn, "weight", Skew())
        register(self.blocks[0], "weight", Skew())
        register(self.blocks[0], "weight", CayleyMap(48))
        register(self.blocks[1], "weight", Symmetric())
        register(self.blocks[1], "weight", MatrixExponential())
        register(self.blocks[2], "weight", Skew())
        register(self.blocks[2], "weight", CayleyMap(20))
        register(self.blocks[2], "weight", Pruning(self.blocks[2].weight))
        register(self.rnn, "weight_hh_l0", Skew())
        register(self.rnn, "weight_hh_l0", MatrixExponential())
        register(self.pruned, "weight", Pruning(self.pruned.weight, 0.4))
        parametrizations.weight_norm(self.normed)
        parametrizations.spectral_norm(self.bounded)
        parametrizations.orthogonal(self.tall)


chains = {
    "symmetric.weight": "symmetric",
    "cnn.*": "skew",
    "blocks.0.weight": "skew,cayley",
    "blocks.1.*": "symmetric,matrix_exp",
    "blocks.2.weight": "skew,cayley,pruning",
    "rnn.weight_hh_l0": "skew,matrix_exp",
    "pruned.weight": "pruning",
    "normed.weight": "weight_norm",
    "bounded.weight": "spectral_norm",
    "tall.weight": "orthogonal(base=dense)",
}
maps = "matrix_exp", "cayley", "householder"  # of orthogonal
rules = [word for pattern, chain in chains.items() for word in ("--map", f"{pattern}={chain}")]


def difference(a, b):
    return float((a.double() - b.double()).norm() / b.double().norm().clamp_min(1e-300))


def state_dict(dtype, bound):
    net = Net(True).to(dtype).eval()
    state = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    save_file(state, "net.safetensors", metadata={"format": "pt"})
    status, out, err = run("bake", "net.safetensors", *rules, "-o", "plain.safetensors", "--force", "--lenient")
    ids = [name for name in state if name.endswith(".Id")]
    assert status == 0 and out.startswith("folded ") and err.count("\n") == len(ids) == 2, err
    assert all(any(f'"{name}"' in line for line in err.splitlines()) for name in ids), err
    plain = Net(False).to(dtype).eval()
    loaded = load_file("plain.safetensors")
    plain.load_state_dict(loaded, strict=True)
    with safetensors.safe_open("plain.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}
    for path, layer in net.named_modules():
        for name in getattr(layer, "parametrizations", {}):
            key = f"{path}.{name}"
            want, found = getattr(layer, name).detach(), loaded[key]
            assert found.dtype == want.dtype == dtype and found.shape == want.shape
            off = difference(found, want)
            print(f"# {key}: {off:.1e}")
            assert off <= bound, (key, off)
    for key in loaded:
        if key in state:
            assert torch.equal(loaded[key], state[key]), key
    refused("bake", "net.safetensors", *rules, "-o", "strict.safetensors", says=".Id")


def single():
    """a float32 state dict bakes to PyTorch's values within 1e-6"""
    folder("single")
    state_dict(torch.float32, 1e-6)


def double():
    """a float64 state dict bakes to PyTorch's values within 1e-14"""
    folder("double")
    state_dict(torch.float64, 1e-14)


def halves():
    """half precision is float32 rounded once, as PyTorch rounds"""
    folder("halves")
    for dtype in torch.float16, torch.bfloat16:
        x = (torch.randn(30, 30) * 3).to(dtype)
        m = torch.bernoulli(torch.full_like(x, 0.5))
        save_file({
            "parametrizations.s.original": x, "parametrizations.p.original": x.clone(),
            "parametrizations.p.0.mask": m, "parametrizations.e.original": x.clone(),
        }, "h.safetensors")  # fmt: skip
        good("bake", "h.safetensors", "--map", "s=skew", "--map", "p=pruning", "--map", "e=skew,matrix_exp", "-o", "p.safetensors", "--force")
        found = load_file("p.safetensors")
        assert all(tensor.dtype == dtype for tensor in found.values())
        assert torch.equal(found["s"], Skew()(x)) and torch.equal(found["p"], x * m)
        want = torch.matrix_exp(Skew()(x.float())).to(dtype)
        # computed otherwise, a number may round to the neighbour
        assert (found["e"] != want).float().mean() < 0.05
        assert torch.allclose(found["e"].float(), want.float(), rtol=2 * torch.finfo(dtype).eps, atol=1e-5)


def opens():
    """files of the library open in the package: same names, same numbers"""
    folder("opens")
    subprocess.run([models], check=True, env=environment)
    loaded = load_file("model.safetensors")
    names = {
        "parametrizations.weight.original", "bias", "running", "layer.plain", "layer.parametrizations.weight.original",
        "layer.parametrizations.mask.original", "layer.parametrizations.mask.0.mask",
        "layer.parametrizations.deep.parametrizations.original.original",
        "layer.parametrizations.deep.parametrizations.original.0.mask",
    }  # fmt: skip
    assert set(loaded) == names, sorted(loaded)
    values = load_file("values.safetensors")
    assert torch.equal(loaded["bias"], values["bias"]) and torch.equal(loaded["running"], values["running"])
    mask = loaded["layer.parametrizations.mask.0.mask"]
    assert torch.equal(values["layer.mask"], mask * loaded["layer.parametrizations.mask.original"])
    assert torch.equal(values["layer.weight"].triu(), values["layer.weight"].transpose(-1, -2).triu())
    weight = CayleyMap(4)(Skew()(loaded["parametrizations.weight.original"]))
    assert difference(values["weight"], weight) <= 1e-6
    with safetensors.safe_open("model.safetensors", "pt") as file:
        assert file.metadata()["epoch"] == "12" and "parametrize" in file.metadata()
    good("bake", "model.safetensors", "-o", "plain.safetensors")
    baked = load_file("plain.safetensors")
    assert set(baked) == set(values) and all(torch.equal(baked[name], values[name]) for name in values)


def bases():
    """PyTorch's n x n base is taken as it is, by every map, tall, wide and square, after steps"""
    folder("bases")
    for dtype, bound in (torch.float32, 1e-6), (torch.float64, 1e-14):
        net = nn.ModuleDict({f"{map_}_{m}_{n}": nn.Linear(n, m) for map_ in maps for m, n in ((9, 4), (4, 9), (6, 6))}).to(dtype)
        for name, layer in net.items():
            parametrizations.orthogonal(layer, "weight", name.rsplit("_", 2)[0])
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            sum((layer.weight * torch.randn_like(layer.weight)).sum() for layer in net.values()).backward()
            optimizer.step()
        save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, "net.safetensors")
        words = (word for map_ in maps for word in ("--map", f"{map_}_*=orthogonal(map={map_},base=dense)"))
        good("bake", "net.safetensors", *words, "-o", "plain.safetensors", "--force")
        loaded = load_file("plain.safetensors")
        for name, layer in net.items():
            assert layer.parametrizations.weight.original.any()
            off = difference(loaded[f"{name}.weight"], layer.weight.detach())
            print(f"# {name}: {off:.1e}")
            assert off <= bound, (name, dtype, off)


def older():
    """state dicts of torch.nn.utils.weight_norm and spectral_norm, of before parametrizations"""
    folder("older")
    for dtype, bound in (torch.float32, 1e-6), (torch.float64, 1e-14):
        net = nn.Sequential(nn.Conv1d(4, 6, 3), nn.Linear(6, 5), nn.Linear(5, 4), nn.ConvTranspose1d(4, 3, 2), nn.Linear(3, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            nn.utils.weight_norm(net[0])
            nn.utils.weight_norm(net[1], dim=None)
            nn.utils.weight_norm(net[4], "bias")
        nn.utils.spectral_norm(net[2])
        nn.utils.spectral_norm(net[3])
        net = net.to(dtype)
        for layer in 10 * [net[2], net[3]]:  # steps of the power method: of random vectors sigma may be next to nothing
            next(iter(layer._forward_pre_hooks.values()))(layer, None)
        net.eval()
        with torch.no_grad():
            net[0].weight_g.mul_(3)
            net[1].weight_v.add_(1)
        state = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
        assert "0.weight_g" in state and "2.weight_orig" in state and "3.weight_u" in state, sorted(state)
        save_file(state, "old.safetensors")
        lists = {"0.*": "weight_norm", "1.*": "weight_norm(dim=all)", "4.bias": "weight_norm", "2.*": "spectral_norm", "3.*": "spectral_norm(dim=1)"}
        good("bake", "old.safetensors", *(w for k, v in lists.items() for w in ("--map", f"{k}={v}")), "-o", "plain.safetensors", "--force")
        loaded = load_file("plain.safetensors")
        expected = {f"{k}.{name}" for k in range(5) for name in ("weight", "bias")}
        assert set(loaded) == expected, sorted(loaded)
        for k in range(5):
            for hook in net[k]._forward_pre_hooks.values():
                hook(net[k], None)  # makes the value of what the module holds
            for name in "weight", "bias":
                found, want = loaded[f"{k}.{name}"], getattr(net[k], name).detach()
                assert found.dtype == dtype and difference(found, want) <= bound, (k, name, difference(found, want))


main([single, double, halves, opens, bases, older])
