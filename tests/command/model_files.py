# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""safetensors files without the package of that name. Arrays are NumPy's; dtypes that NumPy
lacks are given as (dtype, shape, bytes)."""

import json
import pathlib
import struct

import numpy as np

names = {
    np.dtype(code): name
    for code, name in [
        ("<f2", "F16"), ("<f4", "F32"), ("<f8", "F64"), ("?", "BOOL"), ("i1", "I8"), ("u1", "U8"), ("<i2", "I16"),
        ("<u2", "U16"), ("<i4", "I32"), ("<u4", "U32"), ("<i8", "I64"), ("<u8", "U64"),
    ]
}  # fmt: skip
sizes = {"BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, **{name: dtype.itemsize for dtype, name in names.items()}}


def write_tensors(path, tensors, metadata=None):
    """A file of these tensors in their order."""
    text, data = ({"__metadata__": metadata} if metadata is not None else {}), b""
    for name, tensor in tensors.items():
        if not isinstance(tensor, tuple):
            array = np.asarray(tensor)
            tensor = names[array.dtype], array.shape, array.tobytes()
        dtype, shape, body = tensor
        text[name] = {"dtype": dtype, "shape": [int(extent) for extent in shape], "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    head = json.dumps(text).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(head)) + head + data)
    return path


def read_tensors(path):
    """({name: array or (dtype, shape, bytes)}, metadata) of a file whose tensors must be aligned
    and lie without gaps."""
    raw = pathlib.Path(path).read_bytes()
    begin = 8 + struct.unpack("<Q", raw[:8])[0]
    text = json.loads(raw[8:begin])
    metadata = text.pop("__metadata__", None)
    tensors, end = {}, 0
    for name, entry in sorted(text.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        assert first == end, f"{path}: a gap before {name}"
        assert (begin + first) % sizes[entry["dtype"]] == 0, f"{path}: {name} is not aligned"
        end = last
        body = raw[begin + first : begin + last]
        known = [dtype for dtype, known in names.items() if known == entry["dtype"]]
        tensor = entry["dtype"], tuple(entry["shape"]), body
        tensors[name] = np.frombuffer(body, known[0]).reshape(entry["shape"]) if known else tensor
    assert begin + end == len(raw), f"{path}: bytes after the last tensor"
    return tensors, metadata


def to_bfloat(x):
    """float32 rounded to BF16, nearest and ties to even."""
    bits = np.array(x, np.float32, ndmin=1).view(np.uint32)
    return "BF16", np.shape(x), ((bits + np.uint32(0x7FFF) + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()


def from_bfloat(tensor):
    dtype, shape, body = tensor
    assert dtype == "BF16"
    return (np.frombuffer(body, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
