# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Foreign texts: whatever plugins, devices, files and command lines have in their texts, the command
prints printable lines of UTF-8.

usage: foreign.py COMMAND CC INCLUDE_DIR
"""

import json
import struct
import unicodedata

from command import *
from tap import main

# ESC, BEL, C1 as a byte and as a character, CR, BS, DEL, a byte that is no UTF-8, a newline, U+202E,
# U+2066, U+200B, U+2028
evil = b"\x1b]0;x\x07\x9b31m\xc2\x9b1m\r\x08\x7f\xff\n\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xe2\x80\xa8"
shown = r"\x1b]0;x\x07\x9b31m\u{9b}1m\x0d\x08\x7f\xff\x0a\u{202e}\u{2066}\u{200b}\u{2028}"
odd = r"\u{202e}\u{2066}\u{200b}\u{2028}"  # what is left in the texts of a descriptor
text = "\x1b]0;x\x07\x9b1m\r\x08\x7f\n\u202e\u2066\u200b\u2028"  # as UTF-8
text_shown = r"\x1b]0;x\x07\u{9b}1m\x0d\x08\x7f\x0a\u{202e}\u{2066}\u{200b}\u{2028}"


def printed(*arguments, says=(), env=environment):
    """Runs the command; both of its streams together, which must be printable and say all of `says`."""
    line = [command, *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    process = subprocess.run(line, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert process.returncode in (0, 1, 2), (line, process)
    out = process.stdout.decode() + process.stderr.decode()  # strict
    bad = [c for c in out if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    assert not bad, (line, bad, out)
    if process.returncode != 0:
        assert process.stderr.count(b"\n") == 1, (line, process.stderr)
    for word in [says] if isinstance(says, str) else says:
        assert word in out, (line, word, out)
    return out


def build():
    path = work / "plugins"
    path.mkdir()
    source = pathlib.Path(__file__).with_name("hostile.c")
    flags = ["-D_GNU_SOURCE", "-shared", "-fPIC", "-I" + sys.argv[3]]
    subprocess.run([*shlex.split(sys.argv[2]), *flags, str(source), "-o", str(path / "hostile.so")], check=True)
    environment["PARAMETRIZE_PLUGIN_PATH"] = str(path)


def descriptions():
    """list, info and doctor: texts of descriptors and of devices"""
    printed("list", says=["Summary " + odd, "1.0 " + odd, "hostile.so", "detail", "reason"])
    printed("info", "hostile", says=["Summary " + odd, "Y = X " + odd, "anywhere " + odd, "a real " + odd, "one" + odd])
    printed("info", "--device", "hostile_device:0", says=["Device " + odd, "name", "detail", "gemm"])
    printed("info", "--device", "hostile_device:1", says="reason")
    printed("info", "--device", "hostile_device:2", says="open")
    printed("doctor", says=["hostile", "hostile_device:1", "reason"])
    for word in evil, text.encode():
        printed("list", "--tag", word, says=r"\x1b]0;x\x07")
        for arguments in (["info", word], ["info", "--device", word], [word], ["help", word], ["list", word], ["list", b"--" + word]):
            printed(*arguments)
        printed("list", env={**environment, "PARAMETRIZE_DEVICE": os.fsdecode(word)})


def places():
    """doctor and list: names of folders and of files"""
    path = os.fsencode(work) + b"/" + evil
    os.mkdir(path)
    shutil.copy(work / "plugins/hostile.so", path + b"/hostile.so")
    shutil.copy(work / "plugins/hostile.so", path + b"/" + evil + b".so")
    for name, content in ((b"text" + evil + b".so", b"no object"), (b"short" + evil + b".so", b"\x7fELF")):
        with open(path + b"/" + name, "wb") as f:
            f.write(content)
    os.symlink(b"nowhere" + evil, path + b"/link" + evil + b".so")
    both = os.fsdecode(path) + ":" + str(work / "plugins") + ":" + os.fsdecode(path + b"-none")
    for mine in both, os.fsdecode(b"relative" + evil):
        out = printed("doctor", env={**environment, "PARAMETRIZE_PLUGIN_PATH": mine}, says=shown)
        assert not any(line.startswith(("x", "31m", "no ")) for line in out.splitlines()), out
        printed("list", env={**environment, "PARAMETRIZE_PLUGIN_PATH": mine})
        printed("info", "hostile", env={**environment, "PARAMETRIZE_PLUGIN_PATH": mine})
        printed("info", "nothing", env={**environment, "PARAMETRIZE_PLUGIN_PATH": mine})


def arrays():
    """the commands on arrays: every operand, option and message"""
    folder("arrays")
    write("x.npy", (3, 3), range(9))
    write("v.npy", (3,), range(3))
    write("t.npy", (2, 2), range(4))
    pathlib.Path("d.npy").write_bytes(header("{'descr': '\x1b[1m\x9b', 'fortran_order': False, 'shape': (1,), }\n"))
    pathlib.Path("h.npy").write_bytes(header("\x1b[1m\r\x08\n"))
    commands = {
        "apply": ["x.npy", "-o", "y.npy"],
        "invert": ["x.npy", "-o", "y.npy"],
        "vjp": ["x.npy", "--grad", "x.npy", "-o", "y.npy"],
        "jvp": ["x.npy", "--tangent", "x.npy", "-o", "y.npy"],
        "logdet": ["x.npy", "-o", "y.npy"],
        "sample": ["3", "3", "-o", "y.npy"],
        "bench": ["-n", "3"],
    }
    for name, rest in commands.items():
        printed(name, "-p", "hostile", *rest, "--device", "hostile_device" if name == "apply" else "cpu")
        for word in evil, text.encode():
            printed(name, "-p", word, *rest)
            printed(name, "-p", b"hostile(word=" + word + b")", *rest)
            printed(name, "-p", "skew", *rest, "--device", word)
            printed(name, "-p", "skew", *rest, b"--seed=" + word)
            printed(name, "-p", "skew", *rest, b"--" + word)
            for k, part in enumerate(rest):
                if not part.startswith("-"):
                    printed(name, "-p", "skew", *rest[:k], word, *rest[k + 1 :], "--force")
            if name not in ("bench", "sample"):
                printed(name, "-p", "skew", *rest, "--state", word, "--force")
                printed(name, "-p", "skew", *rest, "--state", b"none/" + word)
        printed(name, "--help")
    printed("apply", "-p", "hostile", "v.npy", "-o", "n.npy", says="plan")
    printed("apply", "-p", "hostile", "t.npy", "-o", "n.npy", says="forward")
    for file in "d.npy", "h.npy":
        printed("apply", "-p", "skew", file, "-o", "n.npy", says=file)
    printed("apply", "-p", "skew", "x.npy", "-o", b"none" + evil + b"/y.npy", says=shown)
    printed("sample", "-p", "skew", "3", "3", "--dtype", evil, "-o", "n.npy", says=shown)


def models():
    """inspect and bake: names, metadata, chains and versions in a file"""
    folder("models")

    def save(path, tensors, metadata):
        head, data = {"__metadata__": metadata}, b""
        for name, shape in tensors.items():
            size = 4 * shape[0] * shape[1]
            head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + size]}
            data += bytes(size)
        head = json.dumps(head).encode()
        pathlib.Path(path).write_bytes(struct.pack("<Q", len(head)) + head + data)

    name = "w\x9b1m\u202e\u2066\u200b\u2028"  # what a module's name may have
    tensors = {f"parametrizations.{name}.original": [3, 3], "plain" + text: [1, 1], "parametrizations.v.original": [2, 2]}

    def described(version, stage):
        """the metadata of a file of the library"""
        spec = {"dtype": "F32", "shape": [3, 3]}
        chain = {
            "direction": "tensor",
            "maps": [{"map": stage, "id": stage, "version": version, "draw": "00f1e2d3c4b5a697", "options": []}],
            "tensors": [{"name": "original", "role": "original", **spec}],
            "value": {**spec, "structure": "skew"},
        }
        modules = [{"path": "", "type": "T" + text, "tensors": [name]}]
        return {"parametrize": json.dumps({"format": 1, "modules": modules, "buffers": [], "frozen": [], "lists": {name: chain}})}

    save("own.safetensors", {f"parametrizations.{name}.original": [3, 3]}, described("1" + text, "skew"))
    row = r"w\u{9b}1m" + odd
    printed("inspect", "own.safetensors", "--values", says=["chains", row, "skew 1" + text_shown, "values"])
    printed("bake", "own.safetensors", "-o", "o.safetensors", "--force")
    for metadata in {"key" + text: text}, described("1", "skew"), described("1", "x" + text), {"parametrize": text}:
        save("m.safetensors", tensors, metadata)
        printed("inspect", "m.safetensors", says=text_shown if "parametrize" not in metadata else ())
        for rule in name + "=hostile", "v=hostile", "*=skew", "*" + text + "=skew", "*=" + text:
            for more in [], ["--lenient"]:
                printed("inspect", "m.safetensors", "--values", "--map", rule.encode(), *more)
                printed("inspect", "m.safetensors", "--json", "--map", rule.encode(), *more)
                printed("bake", "m.safetensors", "--map", rule.encode(), "-o", "o.safetensors", "--force", *more)
    for word in evil, text.encode():
        printed("inspect", word, says=r"\x1b")
        printed("bake", word, "-o", "o.safetensors", "--force", says=r"\x1b")
        printed("bake", "m.safetensors", "-o", b"none/" + word, says=r"\x1b")
        shutil.copy(b"m.safetensors", word)
        printed("inspect", word)
        printed("bake", word, "--map", "*=skew", "-o", b"out" + word, "--force")


build()
main([descriptions, places, arrays, models])
