# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""`parametrize check` finds each planted mistake by the rule that is about it, and nothing in a right plugin.

usage: defects.py COMMAND CC INCLUDE_DIR PLUGIN.c KERNELS.c BACKEND.c"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

from tap import main

command, cc, include, source, kernels_source, backend_source = sys.argv[1:]

# The flag of the compiler, and the rule that must break with it.
DEFECTS = [
    ("-DDEFECT_PLAN", "plan"),
    ("-DDEFECT_STATE", "determined"),
    ("-DDEFECT_DTYPE", "dtypes"),
    ("-DDEFECT_STRUCTURE", "structure"),
    ("-DDEFECT_OVERWRITE", "pure"),
    ("-DDEFECT_BEYOND", "bounds"),
    ("-DDEFECT_BEFORE", "bounds"),
    ("-DDEFECT_NEIGHBOUR", "bounds"),
    ("-DDEFECT_SCRATCH", "bounds"),
    ("-DDEFECT_ROWS", "waits"),
    ("-DDEFECT_HOST", "waits"),
    ("-DDEFECT_IGNORED", "memory"),
    ("-DDEFECT_TRANSLATED", "memory"),
    ("-DDEFECT_DEVICE", "devices"),
    ("-DDEFECT_POINTER", "devices"),
    ("-DDEFECT_TRACE", "not-finite"),
    ("-DDEFECT_STATIC", "threads"),
    ("-DFACTOR_VJP=1.001", "vjp-differences"),
    ("-DFACTOR_VJP=1.0000001", "vjp-differences"),
    ("-DDEFECT_INSIDE", "vjp-differences"),
    ("-DDEFECT_LONG_ROWS", "vjp-differences"),
    ("-DDEFECT_SAVED", "vjp-repeated"),
    ("-DDEFECT_WANT", "vjp-want"),
    ("-DFACTOR_JVP=1.001", "jvp-differences"),
    ("-DFACTOR_JVP=1.0000001", "jvp-differences"),
    ("-DFACTOR_JVP=1.001", "jvp-adjoint"),
    ("-DFACTOR_INVERSE=1.001", "round-trip"),
    ("-DDEFECT_UNSUPPORTED", "round-trip"),
    ("-DDEFECT_MEMBERS", "members"),
    ("-DDEFECT_RESIDUAL", "outsiders"),
    ("-DDEFECT_BLIND", "outsiders"),
    ("-DDEFECT_FIRST", "outsiders"),
    ("-DDEFECT_ASSIGN", "outsiders"),
    ("-DDEFECT_REGISTER", "registers"),
    ("-DOFF_DENSITY=0.1", "density-jacobian"),
    ("-DFACTOR_DENSITY=1.001", "density-differences"),
    ("-DFACTOR_DENSITY=1.0000001", "density-differences"),
    ("-DDEFECT_DENSITY_BATCH", "density-batches"),
    ("-DDEFECT_EXIT", "determined"),
    ("-DDEFECT_CRASH", "determined"),
    ("-DDEFECT_CONSTRUCTOR", "load"),
    ("-DDEFECT_ENVIRONMENT", "load"),
    ("-DDEFECT_PRINT", "silent"),
    ("-DDEFECT_MALLOC", "file"),
    ("-Wl,-z,execstack", "file"),
]

# The same of a backend.
BACKEND_DEFECTS = [
    ("-DDEFECT_PROBE", "memory"),
    ("-DDEFECT_ALIGNMENT", "memory"),
    ("-DDEFECT_HUGE", "memory"),
    ("-DDEFECT_OFFSET", "memory"),
    ("-DDEFECT_PATTERN", "memory"),
    ("-DDEFECT_EVENTS", "memory"),
    ("-DDEFECT_STRIDES", "elementwise"),
    ("-DDEFECT_OUTSIDE", "elementwise"),
    ("-DDEFECT_UNTRUE", "elementwise"),
    ("-DDEFECT_BATCH", "products"),
    ("-DDEFECT_BETA", "products"),
    ("-DDEFECT_READS", "products"),
    ("-DDEFECT_ODD", "products"),
    ("-DDEFECT_INPUT", "products"),
    ("-DDEFECT_MANY", "extents"),
]

OF_FILES = ("file", "load", "silent")

folder = pathlib.Path(tempfile.mkdtemp())
kernels = folder / "kernels.o"


def compile(out, *arguments):
    subprocess.run([*cc.split(), "-fPIC", "-fvisibility=hidden", "-std=c11", "-D_GNU_SOURCE", f"-I{include}",
                    *arguments, "-o", str(out)], check=True)


def build(flag, source=source):
    out = folder / (pathlib.Path(source).stem + "".join(c if c.isalnum() else "_" for c in flag) + ".so")
    if not out.exists():
        objects = [str(kernels)] if source != backend_source else []
        compile(out, "-shared", *filter(None, [flag]), source, *objects, "-lm")
    return out


def check(path, *arguments):
    done = subprocess.run([command, "check", str(path), *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def verdicts(path, *arguments):
    status, out, err = check(path, "--json", *arguments)
    assert err == "", err
    worst = {}
    for one in json.loads(out)["checks"]:  # of both parametrizations
        if one["rule"] not in worst or one["verdict"] != "ok" and worst[one["rule"]]["verdict"] != "error":
            worst[one["rule"]] = one
    return status, worst


def npy(shape, numbers):
    head = str({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
    head = head.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(numbers)}d", *numbers)


compile(kernels, "-c", kernels_source)
pool = ThreadPoolExecutor(2)
list(pool.map(build, {flag for flag, _ in DEFECTS} | {""}))
list(pool.map(lambda flag: build(flag, backend_source), [flag for flag, _ in BACKEND_DEFECTS] + [""]))


def right():
    """a right plugin keeps every rule"""
    status, found = verdicts(build(""))
    assert status == 0, found
    assert all(one["verdict"] in ("ok", "skipped") for one in found.values()), found
    assert found["vjp-differences"]["trials"] > 20, found


def right_backend():
    """a right backend keeps the rules of its operations, and what it does not offer is skipped"""
    for rule, verdict in {"memory": "ok", "elementwise": "ok", "products": "ok", "extents": "ok", "rows": "skipped"}.items():
        status, found = verdicts(build("", backend_source), "--rule", rule)
        assert status == 0 and found[rule]["verdict"] == verdict, found
        assert all(one["verdict"] in ("ok", verdict) for one in found.values()), found


def text():
    """the report names the rule, the chain, dtype and shape, and what differs"""
    status, out, err = check(build("-DFACTOR_VJP=1.001"), "--seed", "7")
    assert status == 1 and err == "", (status, err)
    lines = out.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("error    vjp-differences"))
    assert "defective, float64" in lines[at + 1] and "vjp gives" in lines[at + 1], out
    assert lines[-1].endswith("0 warnings, 0 notes"), out
    assert check(build("-DFACTOR_VJP=1.001"), "--seed", "7")[1] == out, "the same seed gives another report"


def picture():
    """--plot draws a panel for each parametrization, and overwrites nothing"""
    path = folder / "errors.svg"
    status, out, err = check(build(""), "--rule", "plan", "--plot", str(path))
    assert (status, err) == (0, "") and out.count("ok       errors") == 2, (out, err)
    root = ElementTree.parse(path).getroot()
    panels = root.findall("{http://www.w3.org/2000/svg}g")
    assert root.tag.endswith("svg") and len(panels) == 2, root
    for panel, id, lines in zip(panels, ("defective", "dense"), (3, 2)):  # the second has no right inverse
        assert id in "".join(panel.itertext()), id
        drawn = panel.findall("{http://www.w3.org/2000/svg}polyline")
        assert len(drawn) == lines, (id, len(drawn))
        for one in drawn:
            places = [tuple(map(float, place.split(","))) for place in one.get("points").split()]
            assert len(places) == 13 and places == sorted(places), (id, places)
            assert all(150 < y <= 276 for _, y in places), (id, places)  # errors below 3e-5
    before = path.read_text()
    status, out, err = check(build(""), "--rule", "plan", "--plot", str(path))
    assert (status, out) == (1, "") and err.count("\n") == 1 and "--force" in err, (out, err)
    assert path.read_text() == before
    status, _, err = check(build(""), "--rule", "plan", "--plot", str(folder / "absent" / "errors.svg"))
    assert status == 1 and "No such file" in err, err


def planted(flag, rule, source=source):
    """The test of a defect, whose check begins now."""
    done = pool.submit(verdicts, build(flag, source), "--rule", "plan" if rule in OF_FILES else rule)

    def test():
        status, found = done.result()
        assert found[rule]["verdict"] == ("warning" if rule == "silent" else "error"), found[rule]
        assert status == (0 if rule == "silent" else 1), status
        assert found[rule]["text"], found[rule]

    test.__doc__ = f"{flag} breaks {rule}"
    return test


def in_process():
    """PARAMETRIZE_CHECK=1 names parametrization, callback and mistake in any program; without it they pass"""
    x, t, y = (folder / f"{name}.npy" for name in "xty")
    x.write_bytes(npy((3, 3), [k - 4.0 for k in range(9)]))
    t.write_bytes(npy((), [0.5]))
    for flag, message in {
        "": "",
        "-DDEFECT_BEYOND": "defective: forward: wrote behind a value of 72 bytes",
        "-DDEFECT_BEFORE": "defective: forward: wrote before a value of 72 bytes",
        "-DDEFECT_OVERWRITE": "defective: forward: changed an original, own parameter or input, expected that it is "
        "only read",
        "-DDEFECT_STRUCTURE": "defective: forward: plan promised that values are symmetric, and entry (1, 0) is ",
    }.items():
        for word in ("1",) if "BE" in flag else ("1", "0"):  # what writes around tensors may crash
            plugins = folder / ("plugins" + flag)
            plugins.mkdir(exist_ok=True)
            (plugins / "defective.so").write_bytes(build(flag).read_bytes())
            done = subprocess.run(
                [command, "apply", "-p", "defective", str(x), str(t), "-o", str(y), "--force"],
                capture_output=True, text=True,
                env={**os.environ, "PARAMETRIZE_PLUGIN_PATH": str(plugins), "PARAMETRIZE_CHECK": word})
            found = message if word == "1" else ""
            assert (done.returncode == 1) == bool(found) and found in done.stderr, (flag, word, done)
            assert done.stderr.count("\n") == bool(found), done


def refusals():
    """what is no plugin is one line"""
    status, out, err = check(folder / "absent.so")
    assert (status, out) == (1, "") and err.count("\n") == 1 and "No such file" in err, (out, err)
    (folder / "text.so").write_text("no plugin")
    status, out, err = check(folder / "text.so")
    assert status == 1 and "error    load" in out and err == "", (out, err)
    status, out, err = check(build(""), "--id", "other")
    assert status == 1 and "no parametrization or backend of this id" in err, (out, err)
    status, out, err = check(build(""), "--seed", "x")
    assert status == 2, (out, err)
    status, out, err = check(build(""), "--rule", "other")
    assert (status, out) == (2, "") and "expected a rule" in err, (out, err)


main([right, right_backend, text, picture, *(planted(*defect) for defect in DEFECTS),
      *(planted(*defect, backend_source) for defect in BACKEND_DEFECTS), in_process, refusals])
