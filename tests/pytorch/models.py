# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Small models with the layers, names and maps of well-known ones, baked without --map: the values are
those of PyTorch's own removal, and a plain model that loads them computes the same.

usage: models.py COMMAND
"""

import torch_python  # first: chooses the interpreter

import warnings

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from command import *
from model_files import *
from tap import main

torch.manual_seed(seed)
warnings.simplefilter("ignore")
conv1, conv2, up1, up2, linear = nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.Linear


def norm(dim=0, name="weight"):
    return "weight_norm", dim, name


spectral = "spectral_norm", 0, "weight"
pruned = "pruned", 0.4, "weight"
# {name of the model: [(name of a layer, class, its arguments, maps)]}
layouts = {
    "transformers wav2vec2": [
        ("wav2vec2.feature_extractor.conv_layers.0.conv", conv1, (1, 8, 10), ()),
        ("wav2vec2.encoder.pos_conv_embed.conv", conv1, (16, 16, 8, 1, 4, 1, 4), (norm(2),)),
        ("wav2vec2.encoder.layers.0.attention.k_proj", linear, (16, 16), ()),
        ("lm_head", linear, (16, 5), ()),
    ],
    "transformers hubert": [("hubert.encoder.pos_conv_embed.conv", conv1, (24, 24, 16, 1, 8, 1, 4), (norm(2),)), ("hubert.masked_spec_embed", linear, (3, 2), ())],
    "transformers wavlm": [("wavlm.encoder.pos_conv_embed.conv", conv1, (16, 16, 5, 1, 2, 1, 2), (norm(2),))],
    "transformers sew": [("sew.encoder.pos_conv_embed.conv", conv1, (16, 16, 9, 2, 4, 1, 4), (norm(2),)), ("sew.encoder.pool", linear, (4, 4), ())],
    "torchaudio wav2vec2": [("encoder.transformer.pos_conv_embed.conv", conv1, (16, 16, 8, 1, 4, 1, 4), (norm(2),)), ("aux", linear, (16, 4), ())],
    "HiFi-GAN": [("conv_pre", conv1, (8, 16, 7), (norm(),))]
    + [(f"ups.{k}", up1, (16 >> k, 8 >> k, 4, 2), (norm(),)) for k in range(2)]
    + [(f"resblocks.{k}.convs{i}.{j}", conv1, (8, 8, 3), (norm(),)) for k in range(2) for i in (1, 2) for j in range(3)]
    + [("conv_post", conv1, (4, 1, 7), (norm(),))],
    "BigVGAN": [("conv_pre", conv1, (8, 16, 7), (norm(),)), ("ups.0.0", up1, (16, 8, 8, 4), (norm(),)), ("conv_post", conv1, (8, 1, 7, 1, 3, 1, 1, False), (norm(),))]
    + [(f"resblocks.0.convs{i}.{j}", conv1, (8, 8, 3), (norm(),)) for i in (1, 2) for j in range(3)],
    "multi-period discriminator": [(f"discriminators.0.convs.{k}", conv2, (1 << 2 * k, 4 << 2 * k, (5, 1), (3, 1)), (norm(),)) for k in range(3)],
    "multi-scale discriminator": [("discriminators.0.convs.0", conv1, (1, 16, 15), (spectral,)), ("discriminators.1.convs.0", conv1, (1, 16, 15), (norm(),)), ("discriminators.0.conv_post", conv1, (16, 1, 3), (spectral,))],
    "EnCodec": [("encoder.layers.0.conv", conv1, (1, 8, 7), (norm(),)), ("decoder.layers.3.conv", up1, (16, 8, 4, 2), (norm(),)), ("decoder.lstm_out", linear, (8, 8), ())],
    "DAC": [("encoder.block.0", conv1, (1, 8, 7), (norm(),)), ("decoder.model.1.block.1", up1, (8, 8, 4, 2), (norm(),)), ("quantizer.quantizers.0.in_proj", conv1, (8, 4, 1), (norm(),))],
    "VITS": [("decoder.upsampler.0", up1, (16, 8, 4, 2), (norm(),)), ("flow.flows.0.wavenet.in_layers.0", conv1, (8, 16, 5), (norm(),)), ("flow.flows.0.wavenet.res_skip_layers.0", conv1, (8, 8, 1), (norm(),))],
    "WaveGlow": [("WN.0.in_layers.0", conv1, (8, 16, 3), (norm(),)), ("WN.0.cond_layer", conv1, (4, 16, 1), (norm(),)), ("upsample", up1, (4, 4, 8, 4), ())],
    "TCN": [(f"network.{k}.conv{i}", conv1, (6, 6, 2), (norm(),)) for k in range(3) for i in (1, 2)],
    "SNGAN": [(f"block{k}.c{i}", conv2, (4, 4, 3), (spectral,)) for k in range(3) for i in (1, 2)]
    + [("block0.c_sc", conv2, (4, 4, 1), (spectral,)), ("l_embed", nn.Embedding, (5, 8), (spectral,)), ("l5", linear, (4, 1), (spectral,))],
    "SNGAN generator": [("up.0", up2, (8, 8, 4, 2), (spectral,)), ("up.1", up2, (8, 3, 4, 2), (spectral,)), ("l1", linear, (6, 6), (spectral,))],
    "SAGAN": [("attn.query_conv", conv2, (8, 1, 1), (spectral,)), ("attn.value_conv", conv2, (8, 8, 1), (spectral,)), ("last.0", conv2, (8, 1, 4), (spectral,))],
    "pruned ResNet": [("layer1.0.conv1", conv2, (4, 8, 3), (pruned, ("pruned", 0.2, "bias"))), ("layer1.0.bn1", nn.BatchNorm2d, (8,), ()), ("fc", linear, (8, 5), (pruned,))],
    "fairseq decoder": [("decoder.fc1", linear, (6, 8), (norm(),)), ("decoder.fc2", linear, (8, 6), (norm(None),)), ("decoder.fc3", linear, (6, 6), (norm(1),))],
    "mixed": [("a", conv1, (4, 6, 3), (norm(),)), ("b", linear, (6, 4), (spectral,)), ("c", linear, (4, 4), (pruned,)), ("d", nn.LayerNorm, (4,), ())],
}  # fmt: skip


def apply(layer, maps, today):
    """Applies maps under today's names or older ones."""
    for kind, value, name in maps:
        if kind == "weight_norm":
            (parametrizations if today else nn.utils).weight_norm(layer, name, value)
        elif kind == "spectral_norm":
            (parametrizations if today else nn.utils).spectral_norm(layer, name)
        else:
            prune.random_unstructured(layer, name, value)


def remove(layer, maps, today):
    """PyTorch's own removal; in evaluation mode."""
    for kind, _, name in maps:
        if kind == "pruned":
            prune.remove(layer, name)
        elif today:
            parametrize.remove_parametrizations(layer, name)
        else:
            getattr(nn.utils, "remove_" + kind)(layer, name)


def build(layout, today, parametrized):
    """A model as nested modules; today None: plain."""
    root = nn.Module()
    for path, cls, arguments, maps in layout:
        parent = root
        *folders, last = path.split(".")
        for folder_name in folders:
            if not hasattr(parent, folder_name):
                setattr(parent, folder_name, nn.Module())
            parent = getattr(parent, folder_name)
        layer = cls(*arguments)
        if parametrized:
            apply(layer, maps, today)
        setattr(parent, last, layer)
    return root


def train(root, layout):
    """Steps that change every tensor: vectors of the power method, magnitudes that are not norms."""
    for path, _, _, maps in layout:
        layer = root.get_submodule(path)
        for kind, _, name in maps:
            for _ in range(20 if kind == "spectral_norm" else 0):
                for hook in layer._forward_pre_hooks.values():
                    hook(layer, None)
                getattr(layer, name)
    with torch.no_grad():
        for name, tensor in root.named_parameters():
            tensor.mul_(1 + 0.01 * torch.rand(())).add_(1e-3 * torch.randn_like(tensor) * tensor.abs().max())
            if name.endswith(("_g", "original0")):
                tensor.mul_(0.5 + torch.rand_like(tensor))


def numpy_of(tensor):
    if tensor.dtype == torch.bfloat16:
        return "BF16", tuple(tensor.shape), tensor.contiguous().view(torch.int16).numpy().tobytes()
    return tensor.detach().numpy()


def torch_of(found):
    if isinstance(found, tuple):
        return torch.frombuffer(bytearray(found[2]), dtype=torch.bfloat16).reshape(found[1])
    return torch.from_numpy(found.copy())


def expected(root, layout, today):
    root.eval()
    for path, _, _, maps in layout:
        layer = root.get_submodule(path)
        for hook in layer._forward_pre_hooks.values():
            hook(layer, None)
        remove(layer, maps, today)
    return {name: tensor.detach() for name, tensor in root.state_dict().items()}


def check(name, layout, today, dtype, bound):
    root = build(layout, today, True).to(dtype)
    train(root, layout)
    state = {key: numpy_of(tensor) for key, tensor in root.state_dict().items()}
    write_tensors("m.safetensors", state)
    out = good("bake", "m.safetensors", "-o", "p.safetensors", "--force")
    found = {key: torch_of(tensor) for key, tensor in read_tensors("p.safetensors")[0].items()}
    n = sum(len(maps) for *_, maps in layout)
    assert f"folded {n} of {n} parametrized tensor" in out.splitlines()[-1], (name, out)
    want = expected(root, layout, today)
    assert sorted(found) == sorted(want), (name, sorted(found), sorted(want))
    worst = 0.0
    for key in want:
        a, b = found[key].double(), want[key].double()
        assert found[key].dtype == want[key].dtype and a.shape == b.shape, (name, key)
        if key not in state and b.numel():
            worst = max(worst, float((a - b).norm() / b.norm().clamp_min(1e-300)))
        else:
            assert torch.equal(found[key], want[key]), (name, key)
    assert worst <= bound, (name, today, dtype, worst)
    plain = build(layout, None, False).to(dtype).eval()
    plain.load_state_dict(found, strict=True)
    return worst


def each(dtype, bound):
    for name, layout in layouts.items():
        for today in True, False:
            worst = check(name, layout, today, dtype, bound)
            print(f"# {name}, {'today' if today else 'older'}: {worst:.1e}")


def single():
    """twenty layouts under both names in float32, to 3e-7: the rounding of both sides"""
    folder("single")
    each(torch.float32, 3e-7)


def double():
    """in float64, to 1e-15"""
    folder("double")
    each(torch.float64, 1e-15)


def halves():
    """masks and magnitudes in float16 and bfloat16: those of float32 rounded once"""
    folder("halves")
    for dtype in torch.float16, torch.bfloat16:
        for name, layout in layouts.items():
            for today in True, False:
                root = build(layout, today, True)
                train(root, layout)
                root = root.to(dtype)
                write_tensors("m.safetensors", {key: numpy_of(tensor) for key, tensor in root.state_dict().items()})
                good("bake", "m.safetensors", "-o", "p.safetensors", "--force")
                found = {key: torch_of(tensor) for key, tensor in read_tensors("p.safetensors")[0].items()}
                for key, value in expected(root.float(), layout, today).items():
                    want = value.to(found[key].dtype)
                    ulp = (found[key].float() - want.float()).abs() / (want.float().abs() * torch.finfo(dtype).eps).clamp_min(1e-9)
                    assert found[key].dtype == dtype or not want.is_floating_point()
                    assert not want.is_floating_point() or not want.numel() or float(ulp.max()) <= 1.0, (name, key, float(ulp.max()))


main([single, double, halves])
