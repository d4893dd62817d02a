# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Tensors of PyTorch as the command's files, and what it made of them."""

import json
import pathlib
import struct

import numpy as np


def save(name, x):
    np.save(name, x.detach().numpy())
    return name


def save_state(name, **tensors):
    """A safetensors file."""
    header, data = {}, b""
    for key, x in tensors.items():
        body = np.ascontiguousarray(x.detach().numpy()).tobytes()
        header[key] = {"dtype": "F64", "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(name).write_bytes(struct.pack("<Q", len(text)) + text + data)
    return name


def compare(found, expected, what):
    expected = expected.detach().numpy()
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    size = max(1.0, float(np.abs(expected).max()))
    difference = float(np.abs(found - expected).max())
    assert difference <= 1e-10 * size, f"{what}: {difference} of {size}"
