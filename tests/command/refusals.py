# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Bad input: one line saying found and expected, exit 1 (usage 2), nothing written."""

import os
import pathlib
import stat
import struct
import subprocess

from command import *
from tap import Skip, main


def broken(name, content, *says):
    """A .npy file that must be refused."""
    pathlib.Path(name).write_bytes(content)
    refused("apply", "-p", "pruning(p_drop=0)", name, "-o", "out.npy", says=[name, *says])


def words():
    """wrong command lines are usage errors that point at the help"""
    folder("words")
    write("x.npy", (2, 2), [0, 1, 2, 3])
    usage(says="no command")
    usage("aply", says="aply")
    usage("--bogus", says="--bogus")
    usage("apply", says="-p CHAIN")
    usage("apply", "-p", "skew", "x.npy", says="-o FILE")
    usage("apply", "-p", "skew", "-o", "y.npy", says="found 0 operands, expected at least 1")
    usage("apply", "-p", says="-p")
    usage("apply", "-p", "skew", "-p", "cayley", "x.npy", "-o", "y.npy", says="twice")
    usage("apply", "-p", "skew", "x.npy", "-o", "y.npy", "-o", "z.npy", says="twice")
    usage("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--force=1", says="takes no value")
    usage("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--bogus", says="--bogus")
    usage("apply", "-p", "skew", "x.npy", "-o", "y.npy", "-z", says="-z")
    usage("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--dtype", "float32", says="--dtype")
    usage("apply", "-p", "skew", "--", "x.npy", "-o", "y.npy", says="-o FILE")
    usage("vjp", "-p", "skew", "x.npy", "-o", "y.npy", says="--grad FILE")
    usage("jvp", "-p", "skew", "x.npy", "-o", "y.npy", says="--tangent FILE")
    usage("jvp", "-p", "skew", "x.npy", "--tangent", "a.npy", "--tangent", "b.npy", "-o", "y.npy", says="found 2 directions, expected 1")
    usage("logdet", "-p", "skew", "x.npy", "-o", "y.npy", "-o", "z.npy", says="found 2 outputs, expected 1 without --grad")
    usage("logdet", "-p", "skew", "x.npy", "--grad", "x.npy", "-o", "y.npy", says="found 1 output, expected 2")
    usage("vjp", "-p", "skew", "x.npy", "--grad", "x.npy", "-o", "a.npy", "-o", "b.npy", says="found 2 outputs, expected 1")
    usage("invert", "-p", "skew", "x.npy", "x.npy", "-o", "y.npy", says="too many")
    usage("invert", "-p", "pruning", "x.npy", "-o", "a.npy", "-o", "b.npy", says="found 2 outputs, expected 1")
    usage("sample", "-p", "skew", "-o", "y.npy", says="found 0 operands")
    usage("sample", "-p", "skew", "3", "x", "-o", "y.npy", says=["x", "whole number"])
    usage("sample", "-p", "skew", "-3", "-o", "y.npy", says="-3")
    usage("sample", "-p", "skew", "3", "3.0", "-o", "y.npy", says="3.0")
    usage("sample", "-p", "skew", "99999999999999999999", "-o", "y.npy", says="whole number")
    usage("sample", "-p", "skew", *["1"] * 9, "-o", "y.npy", says="too many")
    usage("sample", "-p", "skew", "3", "3", "-o", "y.npy", "--dtype", "int32", says=["int32", "float32 or float64"])
    usage("sample", "-p", "skew", "3", "3", "-o", "y.npy", "--seed", "0", says="from 1 on")
    usage("sample", "-p", "skew", "3", "3", "-o", "y.npy", "--seed", "1e3", says="1e3")
    usage("bench", "-p", "skew", says="-n N")
    usage("bench", "-n", "3", says="-p CHAIN")
    usage("bench", "-p", "skew", "-n", "0", says="from 1 to 2147483647")
    usage("bench", "-p", "skew", "-n", "3", "-b", "x", says=["-b", "whole number"])
    usage("bench", "-p", "skew", "-n", "3", "-n", "3", says="twice")
    usage("bench", "-p", "skew", "-n", "3", "x.npy", says="too many")
    usage("info", says="expected the name of a parametrization")
    usage("info", "skew", "cayley", says="too many")
    usage("list", "x", says="too many")
    usage("doctor", "x", says="too many")
    usage("help", "aply", says="aply")


def chains():
    """unknown parametrizations and options, broken chain text"""
    folder("chains")
    write("x.npy", (2, 2), [0, 1, 2, 3])

    def chain(text, *says):
        refused("apply", "-p", text, "x.npy", "-o", "y.npy", says=says)

    chain("skew,cayly", '"cayly"', '"cayley"', "plugins")
    chain("zzzzzzzzzz", "zzzzzzzzzz", "plugins")
    chain("Skew", "Skew")
    chain("pruning(p_drp=0.2)", "p_drp", "p_drop")
    chain("pruning(p_drop=1.5)", "1.5", "0", "1")
    chain("pruning(p_drop=-0.1)", "-0.1")
    chain("pruning(p_drop=nan)", "nan")
    chain("pruning(p_drop=0,2)")
    chain("pruning(p_drop=x)", "x")
    chain("pruning(seed=1.5)", "1.5")
    chain("cayley(signs=2)", "2")
    chain("skew(lower=1,lower=0)", "twice")
    for text in "", ",", "skew,", ",skew", "skew,,cayley", "skew(", "skew)", "skew cayley", "pruning(p_drop)", "../skew", "skew\n\x1b[31m":
        chain(text)


def arrays():
    """shapes, dtypes and devices that do not fit"""
    folder("arrays")
    write("x.npy", (2, 3), range(6))
    write("s.npy", (2, 2), range(4))
    write("f.npy", (2, 2), range(4), "f")
    write("v.npy", (3,), range(3))
    refused("apply", "-p", "skew", "x.npy", "-o", "y.npy", says=["parametrize: skew: found 2x3", "square"])
    refused("apply", "-p", "skew,cayley", "x.npy", "-o", "y.npy", says=["2x3", "square"])
    refused("apply", "-p", "skew", "v.npy", "-o", "y.npy", says=["1 dimension", "square"])
    refused("apply", "-p", "skew", "s.npy", "s.npy", "-o", "y.npy", says="skew: found 2 originals, expected 1")
    refused("invert", "-p", "skew", "x.npy", "-o", "y.npy", says="square")
    refused("sample", "-p", "skew", "2", "3", "-o", "y.npy", says="square")
    refused("vjp", "-p", "skew", "s.npy", "--grad", "x.npy", "-o", "y.npy", says=["2x3", "2x2"])
    refused("jvp", "-p", "skew", "s.npy", "--tangent", "x.npy", "-o", "y.npy", says=["2x3", "2x2"])
    refused("logdet", "-p", "skew", "s.npy", "--grad", "x.npy", "-o", "y.npy", "-o", "z.npy", says=["2x3"])
    refused("logdet", "-p", "pruning", "s.npy", "-o", "y.npy", says="pruning: has no log |det|")
    refused("logdet", "-p", "skew,cayley,skew", "s.npy", "-o", "y.npy", says=["cayley are the strict triangle of Q^T dQ", "skew reads the strict upper triangle"])
    refused("vjp", "-p", "skew", "s.npy", "--grad", "f.npy", "-o", "y.npy", says=["float32", "float64"])
    refused("apply", "-p", "skew", "s.npy", "-o", "y.npy", "--device", "cup", says=["cup", "cpu"])
    refused("apply", "-p", "skew", "s.npy", "-o", "y.npy", "--device", "cuda", says="cuda")
    refused("apply", "-p", "skew", "s.npy", "-o", "y.npy", "--device", "reference:7", says="reference:7")
    refused("sample", "-p", "skew", *["1000000000"] * 7, "-o", "y.npy", says="2^62")
    refused("info", "cayly", says=['"cayley"'])
    refused("info", "--device", "cup", says="cpu")


def too_large():
    """tensors that no memory holds"""
    if sanitized:
        raise Skip("the allocator of a sanitizer ends the program")
    folder("too_large")
    refused("sample", "-p", "pruning", "1000000000", "1000000000", "-o", "y.npy", says="memory")


def values():
    """values outside the set of the last stage"""
    folder("values")
    write("general.npy", (2, 2), [1, 2, 3, 4])
    write("reflection.npy", (2, 2), [1, 0, 0, -1])
    write("singular.npy", (2, 2), [0, 0, 0, 0])
    write("nan.npy", (2, 2), [0, float("nan"), 0, 0])
    for chain, value in [
        ("skew", "general"),
        ("skew", "nan"),
        ("symmetric", "general"),
        ("skew,cayley", "general"),
        ("skew,cayley", "reflection"),
        ("skew,matrix_exp", "reflection"),
        ("symmetric,matrix_exp", "singular"),
    ]:
        refused("invert", "-p", chain, f"{value}.npy", "-o", "y.npy")
        refused("invert", "-p", chain, f"{value}.npy", "-o", "y.npy", "--state", "s.safetensors")


def inputs():
    """input files that do not exist, or are not files"""
    folder("inputs")
    write("x.npy", (2, 2), range(4))
    os.mkdir("d")
    for name, says in [("none.npy", "No such file"), ("d", "directory"), ("x.npy/y", "Not a directory"), ("", "No such file")]:
        refused("apply", "-p", "skew", name, "-o", "y.npy", says=says)
        refused("vjp", "-p", "skew", "x.npy", "--grad", name, "-o", "y.npy", says=says)
    refused("apply", "-p", "skew", "/dev/null", "-o", "y.npy", says="no .npy header")
    name = "evil\nname\x1b[31m\x9b1mé.npy"  # U+009B is a control character too
    refused("apply", "-p", "skew", name, "-o", "y.npy", says=r"evil\x0aname\x1b[31m\u{9b}1mé.npy")
    os.mkfifo("pipe")
    feeder = subprocess.Popen(["sh", "-c", "head -c -20 x.npy > pipe"])
    refused("apply", "-p", "skew", "pipe", "-o", "y.npy", says="found 12 bytes of elements, expected 32")
    feeder.wait()


def types():
    """other dtypes are refused by name"""
    folder("types")
    names = {
        "<i4": "int32", "<i8": "int64", "|i1": "int8", ">u2": "uint16", "|u1": "uint8", "|b1": "bool",
        "<f2": "float16", "<f16": "float128", "<c8": "complex64", "<c16": "complex128",
        "|O": "object", "|S5": "bytes", "<U7": "str", "<M8[ns]": "datetime64", "<m8[s]": "timedelta64",
        "|V2": "void",
    }  # fmt: skip
    for descr, name in names.items():
        content = header(dictionary(descr, (2, 2))) + bytes(64)
        broken("x.npy", content, f"found {name}, expected float32 or float64")
    broken("x.npy", header(dictionary("bogus", (2, 2))), '"bogus"', "expected float32 or float64")
    mixed = "{'descr': '<f8\", 'fortran_order': False, 'shape': (2, 2)}"
    broken("x.npy", header(mixed) + bytes(32), "expected float32 or float64")
    broken("x.npy", header(dictionary("", (2, 2))), "expected float32 or float64")
    fields = "{'descr': [('a', '<f4'), ('b', '<f8')], 'fortran_order': False, 'shape': (2,), }"
    broken("x.npy", header(fields) + bytes(24), "structured", "expected float32 or float64")


def headers():
    """headers that are no headers"""
    folder("headers")
    data = bytes(32)
    whole = header(dictionary(shape=(2, 2))) + data
    broken("x.npy", b"", "no .npy header")
    broken("x.npy", b"PK\x03\x04 a zip file, say", "no .npy header")
    for n in range(6, len(whole) - len(data)):
        broken("x.npy", whole[:n], "end of the file inside its header")
    broken("x.npy", whole[:6] + b"\x04\x00" + whole[8:], "version 4.0", "1.0, 2.0 or 3.0")
    broken("x.npy", whole[:6] + b"\x01\x01" + whole[8:], "version 1.1")
    broken("x.npy", whole[:6] + b"\x02\x00" + struct.pack("<I", 2**31) + data, "2147483648", "1048576")
    for text in [
        "", "   \n", "[]", "{", "{}", "None", "{'descr'}", "{'descr': '<f8'}", "{'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8' 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': Falsehood, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [2, 2]}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2.0)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, '2')}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1+1, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)} x",
        "{'descr': '\\x3cf8', 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '" + "f" * 100 + "', 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': f8, 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}\0",
    ]:  # fmt: skip
        broken("x.npy", header(text) + data, "broken header")


def sizes():
    """headers that lie about the size, and files that end early"""
    folder("sizes")
    broken("x.npy", header(dictionary(shape=(2, 2))) + bytes(31), "found 31 bytes", "expected 32")
    broken("x.npy", header(dictionary(shape=(2, 2))) + bytes(33), "found 33 bytes", "expected 32")
    broken("x.npy", header(dictionary(shape=(2, 2))), "found 0 bytes", "expected 32")
    broken("x.npy", header(dictionary(shape=(0, 2))) + b"x", "found 1 byte of", "expected 0")
    broken("x.npy", header(dictionary(shape=(2, -2))) + bytes(32), "negative")
    broken("x.npy", header(dictionary(shape=(1,) * 9)) + bytes(8), "found 9 dimensions", "at most 8")
    broken("x.npy", header(dictionary(shape=(2**40, 2**40))) + bytes(32), "2^62")
    broken("x.npy", header(dictionary(shape=(2**63 - 1,))) + bytes(32), "2^62")
    broken("x.npy", header(dictionary(shape=(2**64,))) + bytes(32), "2^63")
    broken("x.npy", header(dictionary(shape=(2**61, 8, 2**61, 4))) + bytes(32), "2^62")
    broken("x.npy", header(dictionary(shape=(2**40,))) + bytes(32), "found 32 bytes")


def memory():
    """memory is bounded by what a pipe delivers, not by what its header says"""
    folder("memory")
    pathlib.Path("x.npy").write_bytes(header(dictionary(shape=(2**40,))) + bytes(4096))
    with open("x.npy", "rb") as file, subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
        refused("apply", "-p", "pruning", "/dev/stdin", "-o", "y.npy", stdin=cat.stdout, says="found 4096 bytes")


def outputs():
    """targets that cannot be written are refused before anything is computed"""
    folder("outputs")
    write("x.npy", (2, 2), range(4))
    write("old.npy", (1,), [7])
    os.mkdir("d")
    os.symlink("old.npy", "link.npy")
    os.symlink("nowhere.npy", "dangling.npy")
    os.mkfifo("pipe")
    for name in "old.npy", "link.npy", "dangling.npy", "x.npy":
        refused("apply", "-p", "skew", "x.npy", "-o", name, says=[name, "--force"])
        # before anything is read
        refused("apply", "-p", "skew", "none.npy", "-o", name, says=[name, "--force"])
    refused("apply", "-p", "skew", "x.npy", "-o", "d", "--force", says="directory")
    refused("apply", "-p", "skew", "x.npy", "-o", "d/", "--force")
    refused("apply", "-p", "skew", "x.npy", "-o", "", "--force")
    for name in "pipe", "/dev/null", "/dev/stdout":
        refused("apply", "-p", "skew", "x.npy", "-o", name, says="expected a regular file")
        refused("apply", "-p", "skew", "x.npy", "-o", name, "--force", says="expected a regular file")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    refused("apply", "-p", "skew", "x.npy", "-o", "missing/y.npy", says="no folder missing/")
    refused("apply", "-p", "skew", "x.npy", "-o", "x.npy/y.npy", says="Not a directory")
    refused("invert", "-p", "skew", "x.npy", "-o", "y.npy", "-o", "./y.npy", says="two outputs")
    refused("sample", "-p", "skew", "2", "2", "-o", "y.npy", "--state", "d/../y.npy", says="two outputs")
    os.symlink("d/../nowhere.npy", "second.npy")
    for first, last in ("nowhere.npy", "dangling.npy"), ("dangling.npy", "nowhere.npy"), ("dangling.npy", "second.npy"):
        refused("invert", "-p", "skew", "x.npy", "-o", first, "-o", last, "--force", says="two outputs")
        refused("sample", "-p", "skew", "2", "2", "-o", first, "--state", last, "--force", says="two outputs")
    refused("sample", "-p", "skew", "2", "2", "-o", "y.npy", "--state", "old.npy", says=["old.npy", "--force"])
    refused("sample", "-p", "skew", "2", "2", "-o", "y.npy", "--state", "missing/s", says="no folder")


def permissions():
    """files that cannot be read, and folders that cannot be written"""
    folder("permissions")
    write("x.npy", (2, 2), [1, 2, 3, 4])
    write("secret.npy", (2, 2), [1, 2, 3, 4])
    os.chmod(".", 0o777)
    os.chmod("secret.npy", 0)
    os.mkdir("locked", 0o555)
    user = without_privileges()
    refused("apply", "-p", "skew", "secret.npy", "-o", "y.npy", says="Permission denied", **user)
    refused("apply", "-p", "skew", "x.npy", "-o", "locked/y.npy", says="Permission denied", **user)


def states():
    """state files that are not of this chain"""
    folder("states")
    write("x.npy", (2, 2), [0, 1, -1, 0])
    good("sample", "-p", "pruning", "2", "2", "-o", "p.npy", "--state", "p.safetensors")
    good("sample", "-p", "pruning", "3", "3", "-o", "q.npy", "--state", "q.safetensors")

    def state(chain, name, *says):
        refused("apply", "-p", chain, "x.npy", "-o", "y.npy", "--state", name, says=says)

    state("pruning", "none.safetensors", "parametrize: none.safetensors: No such file")
    state("pruning", "x.npy", "x.npy")
    state("pruning", "p.safetensors")  # float32
    state("pruning", "q.safetensors")
    state("skew,cayley", "p.safetensors")
    state("skew,pruning", "p.safetensors")
    state("pruning", ".")
    whole = pathlib.Path("p.safetensors").read_bytes()
    for n in 0, 7, 8, 20, len(whole) - 1:
        pathlib.Path("t.safetensors").write_bytes(whole[:n])
        state("pruning", "t.safetensors", "t.safetensors")
    pathlib.Path("t.safetensors").write_bytes(whole + b"\0")
    state("pruning", "t.safetensors")


main([words, chains, arrays, values, inputs, types, headers, sizes, memory, too_large, outputs, permissions, states])
