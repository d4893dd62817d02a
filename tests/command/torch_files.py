# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""State dicts of torch.save: read without PyTorch and without running code; hostile ones refused.

usage: torch_files.py COMMAND
"""

import collections
import io
import pickle
import types
import zipfile
import zlib

from command import *
from tap import main

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)

from model_files import *

generator = np.random.default_rng(seed)
storages = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int", "i2": "Short", "i1": "Char", "u1": "Byte", "b1": "Bool"}

# What a pickle of torch.save names, so that pickle writes the same.
torch = types.ModuleType("torch")
torch._utils = types.ModuleType("torch._utils")
sys.modules |= {"torch": torch, "torch._utils": torch._utils}


def _rebuild_tensor_v2(*arguments):
    raise AssertionError("nothing is read here")


_rebuild_tensor_v2.__module__ = "torch._utils"
torch._utils._rebuild_tensor_v2 = _rebuild_tensor_v2
for name in [*storages.values(), "BFloat16"]:
    setattr(torch, name + "Storage", type(name + "Storage", (), {"__module__": "torch"}))


class Storage:
    def __init__(self, data, kind, n=None):
        self.data, self.kind, self.n = data, kind, n


class Tensor:
    """A tensor as torch.save reduces it."""

    def __init__(self, storage, offset, shape, strides):
        self.arguments = storage, offset, tuple(shape), tuple(strides), False, collections.OrderedDict()

    def __reduce__(self):
        return _rebuild_tensor_v2, self.arguments


def tensor(array, storage=None):
    array = np.asarray(array)
    if storage is None:
        storage = Storage(np.ascontiguousarray(array).tobytes(), storages[array.dtype.str[1:]], array.size)
    strides = [int(np.prod(array.shape[k + 1 :])) for k in range(array.ndim)]
    return Tensor(storage, 0, array.shape, strides)


def save(path, value, folder_name="archive", compression=zipfile.ZIP_STORED, change=None, **entries):
    """A file of torch.save; `change` gives other bytes for the pickle."""
    kept = {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, x):
            if not isinstance(x, Storage):
                return None
            key = kept.setdefault(id(x), (str(len(kept)), x))[0]
            return "storage", getattr(torch, x.kind + "Storage"), key, "cpu", x.n

    text = io.BytesIO()
    Pickler(text, 2).dump(value)
    with zipfile.ZipFile(path, "w", compression) as z:
        z.writestr(f"{folder_name}/data.pkl", change(text.getvalue()) if change else text.getvalue())
        z.writestr(f"{folder_name}/byteorder", entries.pop("byteorder", b"little"))
        for key, storage in kept.values():
            z.writestr(f"{folder_name}/data/{key}", storage.data)
        for name, data in entries.items():
            z.writestr(name, data)
    return text.getvalue()


def state():
    """an OrderedDict with attributes, as state_dict() gives it"""
    x = {name: generator.standard_normal(shape).astype(np.float32) for name, shape in (("c.weight_g", (4, 1, 1)), ("c.weight_v", (4, 3, 2)), ("c.bias", (4,)))}
    made = collections.OrderedDict((name, tensor(a)) for name, a in x.items())
    made._metadata = collections.OrderedDict([("", {"version": 1})])
    return made, x


def reading():
    """tensors of every kind, strided and shared ones, texts and numbers beside them"""
    folder("reading")
    base = np.arange(24, dtype=np.float32)
    storage = Storage(base.tobytes(), "Float", 24)
    file = {f"k.{code}": tensor(np.arange(5).astype(code)) for code in storages} | {
        "bf": Tensor(Storage(to_bfloat(np.float32([1, 2]))[2], "BFloat16", 2), 0, (2,), (1,)),
        "turned": Tensor(storage, 0, (4, 6), (1, 4)), "part": Tensor(storage, 5, (3, 2), (2, 1)), "steps": Tensor(storage, 1, (4,), (5,)),
        "scalar": Tensor(storage, 7, (), ()), "none": Tensor(storage, 0, (0, 3), (3, 1)), "deep": Tensor(storage, 0, 10 * (1,) + (2,), 10 * (2,) + (1,)),
        "one": Tensor(storage, 2, (3, 1), (1, 77)), "é": Tensor(storage, 23, (1,), (1,)),
    }  # fmt: skip
    save("m.pt", file | {"epoch": 3, "note": "text", "big": 2**40, "less": -5, "lr": 1e-3, "no": None, "yes": True, "list": [1, (2, 3), {}], 7: 8})
    good("bake", "m.pt", "-o", "p.safetensors")
    found, _ = read_tensors("p.safetensors")
    assert sorted(found) == sorted(file), (found.keys(), file.keys())
    for code in storages:
        assert found[f"k.{code}"].dtype == np.dtype(code) and (found[f"k.{code}"] == np.arange(5).astype(code)).all()
    assert (from_bfloat(found["bf"]) == [1, 2]).all() and (found["turned"] == base.reshape(6, 4).T).all()
    assert (found["part"] == [[5, 6], [7, 8], [9, 10]]).all() and (found["steps"] == [1, 6, 11, 16]).all() and found["scalar"] == 7
    assert found["none"].shape == (0, 3) and found["deep"].shape == 10 * (1,) + (2,) and (found["one"] == [[2], [3], [4]]).all() and found["é"] == [23]


def folding():
    """what names and shapes tell, in the outermost dict or in its only one with tensors"""
    folder("folding")
    made, x = state()
    v = x["c.weight_v"].astype(float)
    want = x["c.weight_g"] * v / np.sqrt((v * v).sum((1, 2), keepdims=True))
    for k, value in enumerate([made, {"state_dict": made, "epoch": 1}, {"generator": made, "optimizer": {"state": {0: {"m": tensor(v)}}}}]):
        for name in "archive", "g_02500000", "a/b":
            save(f"m{k}.pt", value, folder_name=name)
            assert good("bake", f"m{k}.pt", "-o", "p.safetensors", "--force").endswith("folded 1 of 1 parametrized tensor, 1 copied\n")
            found, _ = read_tensors("p.safetensors")
            assert sorted(found) == ["c.bias", "c.weight"] and np.allclose(found["c.weight"], want, rtol=3e-7, atol=0)
    # originals whose elements do not lie in order, of many pages
    big = generator.standard_normal((96, 128)).astype(np.float32)
    g = np.ones((128, 1), np.float32)
    stored = Tensor(Storage(big.tobytes(), "Float", big.size), 0, (128, 96), (1, 128))
    save("turned.pt", {"w_g": tensor(g), "w_v": stored, "x": stored})
    good("bake", "turned.pt", "-o", "t.safetensors")
    found, _ = read_tensors("t.safetensors")
    wide = big.T.astype(float)
    assert (found["x"] == big.T).all()
    assert np.allclose(found["w"], wide / np.linalg.norm(wide, axis=1, keepdims=True), rtol=5e-7, atol=0)
    save("two.pt", {"mpd": made, "msd": {"x": tensor(v)}, "steps": 9})
    refused("bake", "two.pt", "-o", "q", says=['"mpd" "msd"', "--key"])
    refused("bake", "two.pt", "-o", "q", "--key", "none", says="--key")
    save("beside.pt", {"epoch": tensor(np.int64(3)), "state_dict": made})
    refused("bake", "beside.pt", "-o", "q", says=['"", the outermost, "state_dict"', "--key"])
    good("bake", "beside.pt", "-o", "beside.safetensors", "--key", "state_dict")
    assert sorted(read_tensors("beside.safetensors")[0]) == ["c.bias", "c.weight"]
    assert "1 tensor" in good("inspect", "beside.pt", "--key", "")
    twice = tensor(v)
    twice.arguments = (*twice.arguments, {"neg": True})
    save("negated.pt", {"x": twice})
    refused("bake", "negated.pt", "-o", "q", says="negated or conjugated")
    twice.arguments = (*twice.arguments[:6], {})
    save("plain.pt", {"x": twice})
    assert "1 tensor" in good("inspect", "plain.pt")
    good("bake", "two.pt", "-o", "q.safetensors", "--key", "mpd")
    assert sorted(read_tensors("q.safetensors")[0]) == ["c.bias", "c.weight"]
    good("constrain", "two.pt", "--key", "msd", "--map", "x=weight_norm", "-o", "r.safetensors")
    assert "1 tensor" in good("inspect", "two.pt", "--key", "msd")
    # zip64: numbers that stand elsewhere
    with zipfile.ZipFile("m0.pt") as z, zipfile.ZipFile("big.pt", "w") as to:
        for entry in z.infolist():
            with to.open(entry.filename, "w", force_zip64=True) as f:
                f.write(z.read(entry))
    good("bake", "big.pt", "-o", "s.safetensors")
    assert sorted(read_tensors("s.safetensors")[0]) == ["c.bias", "c.weight"]


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def code():
    """names beyond the list are refused, and nothing runs"""
    folder("code")
    made, _ = state()
    ran = work / "ran"
    for call in (os.system, (f"touch {ran}",)), (eval, (f"open({str(ran)!r}, 'w')",)), (getattr, (1, "x")), (collections.Counter, ()), (types.SimpleNamespace, ()):
        for value in {"a": Evil(*call)}, Evil(*call), collections.OrderedDict(made, evil=Evil(*call)), {"x": {"y": [Evil(*call)]}}:
            save("m.pt", value)
            refused("bake", "m.pt", "-o", "p", says=["m.pt", "could run code", call[0].__name__])
            refused("inspect", "m.pt", says="could run code")
    assert not ran.exists()
    good_pickle = save("m.pt", made)
    for operations, says in [
        (b"\x80\x02ctorch\nFloatStorage\n)R.", "not one of torch.save"), (b"\x80\x02ccollections\nOrderedDict\n)R}b.", "no dict of tensors"),
        (b"\x80\x02]}b.", "builds an object"), (b"\x80\x02)Q.", "persistent id"), (b"\x80\x02K\x05)R.", "calls"), (b"\x80\x04}.", "protocol"),
        (b"\x80\x02(i__main__\nx\n.", "operation 0x69"), (b"\x80\x02\x82\x01.", "operation 0x82"), (b"Pid\n.", "operation 0x50"),
        (b"\x80\x02ccopy_reg\n_reconstructor\n.", "_reconstructor"), (b"\x80\x02c__builtin__\nexec\n.", "exec"),
    ]:  # fmt: skip
        save("m.pt", made, change=lambda text: operations)
        refused("bake", "m.pt", "-o", "p", says=says)
    # every pickle that is cut off, and stacks that are too short
    for n in range(0, len(good_pickle), 7):
        save("m.pt", made, change=lambda text: text[:n])
        refused("inspect", "m.pt", says="pickle")
    for operation in b"tuesab\x85\x86\x87RQhjqr.":
        for before in b"", b"(", b"((", b"}(", b"]", b"}", b"K\x01(", b"}K\x01(":
            save("m.pt", made, change=lambda text: b"\x80\x02" + before + bytes([operation]) + b"\0\0\0\0.")
            refused("inspect", "m.pt", says="m.pt")


def sizes():
    """numbers that reach beyond a storage, memos and nestings without end"""
    folder("sizes")
    base = Storage(np.arange(6, dtype=np.float32).tobytes(), "Float", 6)
    for offset, shape, strides in [
        (1, (6,), (1,)), (0, (7,), (1,)), (0, (2, 4), (4, 1)), (2**62, (1,), (1,)), (-1, (1,), (1,)), (0, (2**40, 2**40), (1, 1)), (0, (2**62,), (0,)),
        (0, (7,), (0,)), (0, (2, 2), (2**62, 1)), (0, (-1,), (1,)), (0, (2,), (-1,)), (0, (2,), (1, 1)), (0, 65 * (1,), 65 * (1,)), (7, (1,), (1,)),
    ]:  # fmt: skip
        save("m.pt", {"x": Tensor(base, offset, shape, strides)})
        refused("bake", "m.pt", "-o", "p", says="m.pt")
    for n in 5, 7, 2**61, -1:
        save("m.pt", {"x": Tensor(Storage(base.data, "Float", n), 0, (1,), (1,))})
        refused("bake", "m.pt", "-o", "p", says="m.pt")
    large = Storage(np.zeros(16384, dtype=np.float32).tobytes(), "Float", 16384)
    for n in 12, 20:  # tensors that share a storage and are turned, each of which is copied
        save("m.pt", {f"x{k}": Tensor(large, 0, (128, 128), (1, 128)) for k in range(n)})
        if n == 12:
            good("bake", "m.pt", "-o", "shared.safetensors")
        else:
            refused("bake", "m.pt", "-o", "p", says=["m.pt", "it is turned", "16 times the bytes of the file"])
    refused("bake", "shared.safetensors", "--key", "model", "-o", "p", says=["torch.save", "--key"])
    save("m.pt", {"x": tensor(np.float32([1])), "y": Tensor(Storage(b"", "Float", 0), 0, (0,), (1,))})
    good("bake", "m.pt", "-o", "p.safetensors")
    for change in (
        lambda text: b"\x80\x02" + 60000 * b"(", lambda text: b"\x80\x02" + 60000 * b"]" + 60000 * b"a" + b".", lambda text: b"\x80\x02]r\xff\xff\xff\x7f.",
        lambda text: b"\x80\x02}q\0h\0K\1h\0s.", lambda text: b"\x80\x02" + b"]" + 40 * b"q\0h\0\x85" + b".", lambda text: b"\x80\x02X\xff\xff\xff\xff.",
        lambda text: b"\x80\x02\x8a\xff" + bytes(255) + b".", lambda text: b"\x80\x02" + b"".join(b"Kr" + bytes([k, k, k, 0]) for k in range(255)) + b".",
    ):  # fmt: skip
        save("m.pt", {}, change=change)
        refused("bake", "m.pt", "-o", "p", says="m.pt")


def archives():
    """archives that are damaged, compressed, or of something else"""
    folder("archives")
    made, _ = state()
    save("m.pt", made)
    whole = pathlib.Path("m.pt").read_bytes()
    for n in [4, 21, 22, 60, *range(100, len(whole), 97), len(whole) - 1]:
        pathlib.Path("cut.pt").write_bytes(whole[:n])
        refused("bake", "cut.pt", "-o", "p", says="cut.pt")
    with zipfile.ZipFile("m.pt") as z:
        places = {entry.filename: entry.header_offset + 30 + len(entry.filename) for entry in z.infolist()}
    for name in "archive/data/0", "archive/data.pkl":
        changed = bytearray(whole)
        changed[places[name] + 3] ^= 1
        pathlib.Path("crc.pt").write_bytes(changed)
        refused("bake", "crc.pt", "-o", "p", says=["crc.pt", "checksum"])
    save("deflated.pt", made, compression=zipfile.ZIP_DEFLATED)
    refused("bake", "deflated.pt", "-o", "p", says="compressed")
    save("big.pt", made, byteorder=b"big")
    refused("bake", "big.pt", "-o", "p", says="big-endian")
    np.savez("arrays.npz", x=np.ones(3))
    refused("bake", "arrays.npz", "-o", "p", says=".npz")
    save("none.pt", {"a": 1})
    refused("bake", "none.pt", "-o", "p", says="no dict of tensors")
    save("number.pt", {3: tensor(np.ones(2))})
    refused("bake", "number.pt", "-o", "p", says="without a name")
    save("zero.pt", {"a\0b": tensor(np.ones(2))})
    refused("bake", "zero.pt", "-o", "p", says="zero byte")
    with zipfile.ZipFile("missing.pt", "w") as z, zipfile.ZipFile("m.pt") as full:
        for name in places:
            if not name.endswith("data/1"):
                z.writestr(name, full.read(name))
    refused("bake", "missing.pt", "-o", "p", says="missing")
    # bytes changed anywhere are refused or make the same model: they are checked, or not used
    good("bake", "m.pt", "-o", "p.safetensors")
    want = pathlib.Path("p.safetensors").read_bytes()
    for k in generator.integers(4, len(whole), 60):
        changed = bytearray(whole)
        changed[k] ^= 1 << int(generator.integers(8))
        pathlib.Path("c.pt").write_bytes(changed)
        status, _, err = run("bake", "c.pt", "-o", "q.safetensors", "--force")
        assert status == 1 and err.count("\n") == 1 or pathlib.Path("q.safetensors").read_bytes() == want, (k, status, err)


main([reading, folding, code, sizes, archives])
