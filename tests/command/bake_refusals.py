# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""bake: what is refused, and that nothing is left of it; interrupts; progress.

usage: bake_refusals.py COMMAND CC INCLUDE_DIR MODELS
"""

import pty
import resource
import select
import signal
import time

from command import *
from tap import main

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)

from model_files import *

x = np.float32([[0, 1, 2], [3, 4, 5], [6, 7, 8]])
eye = np.eye(3, dtype=np.float32)
w = "parametrizations.w."


def model(tensors, *arguments, says, name="m.safetensors"):
    """A model that is refused."""
    write_tensors(name, tensors)
    refused("bake", name, *arguments, "-o", "p.safetensors", says=[*([says] if isinstance(says, str) else says)])


def words():
    """wrong command lines are usage errors"""
    folder("words")
    write_tensors("m.safetensors", {w + "original": x})
    usage("bake", "m.safetensors", says="-o FILE or --dry-run")
    usage("bake", "-o", "p", says="found 0 operands, expected 1")
    usage("bake", "m.safetensors", "n.safetensors", "-o", "p", says="too many")
    usage("bake", "m.safetensors", "-o", "p", "-o", "q", says="twice")
    usage("bake", "m.safetensors", "-o", "p", "--map", says="--map")
    for rule in "skew", "=skew", "w=", "w=a=", "w(a=b)":
        usage("bake", "m.safetensors", "-o", "p", "--map", rule, says=[f'"{rule}"', "GLOB=CHAIN"])
    usage("bake", "m.safetensors", "-o", "p", "--seed", "1", says="--seed")
    usage("inspect", says="found 0 operands")
    usage("inspect", "m.safetensors", "-o", "p", says="-o")
    usage("inspect", "m.safetensors", "--force", says="--force")
    usage("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--map", "w=skew", says="--map")


def rules():
    """values without a chain, rules without a value, chains that do not exist or fit"""
    folder("rules")
    plain = {w + "original": x}
    model(plain, says=["m.safetensors", '"w"', "--map 'w=CHAIN'"])
    model({"a.b." + w + "original": x}, "--map", "w=skew", says=['"w"', "no parametrized tensor"])
    model({"a.b." + w + "original": x, w + "original": x}, "--map", "w=skew", says="--map 'a.b.w=CHAIN'")
    model(plain, "--map", "*=skew", "--map", "w=symmetric", says=['"w"', "earlier"])
    model({"w": x}, "--map", "w=skew", says="no parametrized tensor")
    model(plain, "--map", "w=skw", says=['"skw"', '"skew"'])
    model(plain, "--map", "w=skew,", says="skew,")
    model(plain, "--map", "w=pruning(p_drop=2)", says=["p_drop", "2"])
    model(plain, "--map", "w=skew", "--device", "cup", says=["cup", "cpu"])
    model({w + "original": x[:2]}, "--map", "w=skew", says=['"w"', "2x3", "square"])
    model({w + "original0": x}, "--map", "w=skew", says=w + "original")
    model({w + "original": x, w + "original0": x}, "--map", "w=skew", says=["original"])
    model({w + "original0": x, w + "original1": x[:2], w + "0.scale": np.float32(1)}, "--map", "w=product", says=["2x3", "3x3"])
    model({w + "parametrizations.original.original": x}, "--map", "w=skew", says="parametrizations.w.original")


def tensors():
    """unknown and missing tensors, dtypes, names"""
    folder("tensors")
    model({w + "original": x, w + "0.Id": eye}, "--map", "w=skew", says=w + "0.Id")
    model({w + "original": x}, "--map", "w=pruning", says=w + "0.mask")
    model({w + "original": x, w + "0.mask": x[:2]}, "--map", "w=pruning", says=["2x3", "3x3"])
    model({w + "original": x, "w": x}, "--map", "w=skew", says=['"w"', "both"])
    model({w + "0.mask": x, "b": x}, says="--map 'w=CHAIN'")
    model({w + "original": x, "parametrizations.v.steps": x}, "--map", "w=skew", says=['"parametrizations.v.steps"', "belongs to no chain"])
    for extra in [], ["--lenient"]:
        model({w + "0.mask": x}, "--map", "w=pruning", *extra, says=['"w"', "no original"])
    model({w + "original": x.astype(np.int32)}, "--map", "w=skew", says=["I32"])
    model({w + "original": ("F8_E4M3", (3, 3), bytes(9))}, "--map", "w=skew", says=["F8_E4M3"])
    model({w + "original0": x, w + "0.scale": np.float32(1)}, "--map", "w=product", says=['"w"', "1", "2"])


def values():
    """a value that does not exist is refused after those before it were computed"""
    folder("values")
    file = {"parametrizations.a.original": x, "b": x, w + "original": eye, "z": x}
    says = ["m.safetensors", "w", "cayley", "singular"]
    model(file, "--map", "a=skew", "--map", "w=cayley", says=says)
    write_tensors("p.safetensors", {"old": x})
    refused("bake", "m.safetensors", "--map", "a=skew", "--map", "w=cayley", "-o", "p.safetensors", "--force", says=says)


def files():
    """files that are not there, not models, not to be overwritten"""
    folder("files")
    refused("bake", "m.safetensors", "-o", "p.safetensors", says=["m.safetensors", "o such file"])
    refused("bake", ".", "-o", "p.safetensors", says=".")
    write_tensors("m.safetensors", {"x": x})
    whole = pathlib.Path("m.safetensors").read_bytes()
    for name, content in [
        ("empty", b""), ("text", b"hello, world\n" * 9), ("cut", whole[:-1]), ("longer", whole + b"x"),
        ("huge", struct.pack("<Q", 2**62) + whole[8:]),
    ]:  # fmt: skip
        pathlib.Path(name).write_bytes(content)
        refused("bake", name, "-o", "p.safetensors", says=name)
        refused("inspect", name, says=name)
    refused("bake", "m.safetensors", "-o", "none/p.safetensors", says="none")
    refused("bake", "m.safetensors", "-o", ".", says=".")
    refused("bake", "m.safetensors", "-o", "m.safetensors", says=["m.safetensors", "--force"])
    refused("bake", "m.safetensors", "-o", "text", says=["text", "--force"])


def permissions():
    """a file that cannot be written is kept, even with --force"""
    folder("permissions")
    write_tensors("m.safetensors", {"x": x})
    os.chmod("m.safetensors", 0o644)
    pathlib.Path("text").write_bytes(b"hello, world\n")
    os.chmod(".", 0o777)
    os.chmod("text", 0o444)
    refused("bake", "m.safetensors", "-o", "text", "--force", says="ermission", **without_privileges())


def full():
    """a file that cannot be written to its end leaves nothing"""
    folder("full")
    write_tensors("m.safetensors", {"a": np.zeros(90000), w + "original": x})
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    refused("bake", "m.safetensors", "--map", "w=skew", "-o", "p.safetensors", says=["p.safetensors", "File too large"], preexec_fn=limit)


def race():
    """a file that appears meanwhile is kept"""
    folder("race")
    write_tensors("m.safetensors", {w + "original": x})
    status, out, err = run("bake", "m.safetensors", "--map", "w=intruder", "-o", "p", env={**environment, "INTRUDER": "p"})
    assert status == 1 and "--force" in err and err.count("\n") == 1, err
    assert pathlib.Path("p").read_text() == "mine\n" and sorted(os.listdir()) == ["m.safetensors", "p"]


def interrupts():
    """an interrupt ends a bake at once, also within a computation, and leaves nothing"""
    folder("interrupts")
    write_tensors("m.safetensors", {"a": x, w + "original": x})
    computing = work / "computing"

    def start_held(**options):
        """A bake that is within a computation, which goes on when `computing` is removed."""
        arguments = ["bake", "m.safetensors", "--map", "*=held", "-o", "p.safetensors"]
        process = start(*arguments, env={**environment, "HELD": str(computing)}, **options)
        while not computing.exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        return process

    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1:
        # Who runs the tests may ignore the signal, as nohup does with SIGHUP.
        process = start_held(preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        process.send_signal(number)
        _, err = process.communicate(timeout=60)  # for one that never ends
        assert process.returncode == -number and err == "", (process.returncode, err)
        assert os.listdir() == ["m.safetensors"], os.listdir()
        computing.unlink()
    process = start_held(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    process.send_signal(signal.SIGINT)
    computing.unlink()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "", err
    assert (read_tensors("p.safetensors")[0]["w"] == x).all()


def terminal(arguments):
    """Exit status and what the standard error, a terminal, received."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 4096) if select.select([ours], [], [], 60)[0] else b""
        except OSError:  # the other end is gone
            piece = b""
        if not piece:
            break
        text += piece
    os.close(ours)
    return process.wait(timeout=60), text.decode()


def progress():
    """a terminal shows how far it is after a second, and nothing of it stays"""
    folder("progress")
    write_tensors("m.safetensors", {"a": x, w + "original": x, "parametrizations.v.original": x})
    status, shown = terminal(["bake", "m.safetensors", "--map", "*=slow", "-o", "p.safetensors"])
    assert status == 0 and "\n" not in shown, (status, shown)
    lines = shown.split("\r\033[K")
    assert lines[0].startswith("tensor 2 of 3, 0.0 of 0.0 MiB: w") and lines[-1] == "", lines
    assert any(line.startswith("tensor 3 of 3") and line.endswith(": v") for line in lines), lines
    status, shown = terminal(["inspect", "m.safetensors", "--values", "--map", "v=slow", "--map", "w=skew"])
    assert status == 0 and "tensor 1 of 2: v" in shown and shown.endswith("\r\033[K"), (status, shown)
    status, shown = terminal(["bake", "m.safetensors", "--map", "*=skew", "-o", "r.safetensors"])
    assert (status, shown) == (0, ""), shown
    write_tensors("n.safetensors", {w + "original": eye})
    status, shown = terminal(["bake", "n.safetensors", "--map", "w=slow,cayley", "-o", "s.safetensors"])
    assert status == 1 and shown.split("\r\033[K")[-1].startswith("parametrize: n.safetensors"), shown


build_maps()
main([words, rules, tensors, values, files, permissions, full, race, interrupts, progress])
