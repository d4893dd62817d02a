# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Writes small models with the names of real ones, for docs/deploying.md.

usage: small_models.py FOLDER
"""

import json
import math
import pathlib
import random
import struct
import sys

random.seed(1)


def normal(*shape):
    return shape, [random.gauss(0, 1) for _ in range(math.prod(shape))]


def ones(*shape):
    return shape, [1.0 + random.random() for _ in range(math.prod(shape))]


def write(path, tensors):
    """A safetensors file of float32."""
    head, data = {}, b""
    for name, (shape, values) in tensors.items():
        body = struct.pack(f"<{len(values)}f", *values)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def spectral(name, rows, cols):
    """A square transposed convolution after a step of the power method along dimension 1."""
    shape, w = normal(rows, cols)

    def unit(x):
        size = math.sqrt(sum(a * a for a in x))
        return [a / size for a in x]

    u, v = unit(normal(cols)[1]), unit(normal(rows)[1])
    for _ in range(9):
        u = unit([sum(w[i * cols + j] * v[i] for i in range(rows)) for j in range(cols)])
        v = unit([sum(w[i * cols + j] * u[j] for j in range(cols)) for i in range(rows)])
    return {f"{name}.weight_orig": ((rows, cols, 1, 1), w), f"{name}.weight_u": ((cols,), u), f"{name}.weight_v": ((rows,), v)}


folder = pathlib.Path(sys.argv[1])
(folder / "wav2vec2").mkdir(parents=True)
conv = "wav2vec2.encoder.pos_conv_embed.conv"
write(folder / "wav2vec2" / "model.safetensors", {
    f"{conv}.parametrizations.weight.original0": ones(1, 1, 8), f"{conv}.parametrizations.weight.original1": normal(16, 4, 8),
    f"{conv}.bias": normal(16), "lm_head.weight": normal(5, 16),
})  # fmt: skip
hifigan = {}
for name, shape in ("conv_pre", (8, 16, 7)), ("ups.0", (8, 4, 4)), ("resblocks.0.convs1.0", (4, 4, 3)), ("conv_post", (1, 4, 7)):
    hifigan |= {f"module.{name}.weight_g": ones(shape[0], 1, 1), f"module.{name}.weight_v": normal(*shape), f"module.{name}.bias": normal(shape[0])}
write(folder / "hifigan.safetensors", hifigan)
write(folder / "sngan.safetensors", {**spectral("up.0", 6, 6), "up.0.bias": normal(6)})
