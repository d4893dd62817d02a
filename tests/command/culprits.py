# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""list and doctor name files that end the process when they are opened, and go on without them."""

import shlex
import signal
import subprocess

from command import *
from tap import main

# What a constructor does, and what is said of its file.
constructors = {
    "aborts": ("abort();", "opening it ends the process: Aborted"),
    "exits": ("exit(0);", "opening it ends the process with exit status 0"),
    "exits_at_once": ("_exit(7);", "opening it ends the process with exit status 7"),
    "faults": ("*(volatile int*)8 = 1;", "opening it ends the process: Segmentation fault"),
    "hangs": ("for (;;) pause();", "opening it takes more than 1 s"),
    "hides": ("for (int fd = 3; fd < 64; ++fd) close(fd); for (;;) pause();", "opening it takes more than 1 s"),
    "stops": ("raise(SIGSTOP);", "opening it takes more than 1 s"),
}
source = """
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void construct(void) { %s }
"""
resolver = """
static int (*resolve(void))(void) { __builtin_trap(); }
int chosen(void) __attribute__((ifunc("resolve")));
int (*keep)(void) = chosen;
"""


backend = """
#include <parametrize/backend.h>
#include <stdlib.h>
static pz_status probe(const pz_backend_host* host, uint32_t index, pz_device_info* info) { abort(); }
static void stub(void) {}
#define STUB (void*)stub
static const pz_backend table = {
  .size = sizeof(table), .id = "crashing", .summary = "Ends the process when it is asked for devices", .probe = probe,
  .open = STUB, .close = STUB, .alloc = STUB, .free = STUB, .copy = STUB, .fill = STUB, .sync = STUB };
PZ_PLUGIN(crashing, "1.0.0", PZ_BACKEND(&table));
"""


def build(path, text):
    cc = [*shlex.split(sys.argv[2]), "-shared", "-fPIC", "-w", "-I" + sys.argv[3], "-x", "c", "-"]
    return subprocess.run([*cc, "-o", str(path)], input=text, text=True).returncode == 0


def build_all():
    path = folder("culprits")
    environment["PARAMETRIZE_PLUGIN_PATH"] = str(path)
    expected = {}
    for name, (code, says) in constructors.items():
        if name != "faults" or not sanitized:  # which have handlers of their own
            assert build(path / f"{name}.so", source % code)
            expected[path / f"{name}.so"] = says
    if not sanitized and build(path / "resolves.so", resolver):
        expected[path / "resolves.so"] = "opening it ends the process: Illegal instruction"
    return expected


def doctor():
    """doctor gives every such file its reason, and shows everything else"""
    expected = build_all()
    plain = good("doctor", env={**environment, "PARAMETRIZE_PLUGIN_PATH": ""})
    out = good("doctor", "--limit", "1")
    for path, says in expected.items():
        assert f"  not loaded  {path}\n              {says}\n" in out, f"{path} {says}: {out}"
    for line in plain.splitlines():
        assert line in out or line.endswith(" loaded"), line


def listing():
    """list shows the others, then an error for each of them"""
    names = ["aborts", "exits"]
    path = folder("list")
    for name in names:
        assert build(path / f"{name}.so", source % constructors[name][0])
    environment["PARAMETRIZE_PLUGIN_PATH"] = str(path)
    plain = good("list", env={**environment, "PARAMETRIZE_PLUGIN_PATH": ""})
    status, out, err = run("list")
    assert status == 1 and out == plain, f"exit {status}: {out}"
    assert err == "".join(f"parametrize: {path / name}.so: {constructors[name][1]}\n" for name in names), err


def devices():
    """what ends the process later is no file's fault"""
    path = folder("devices")
    assert build(path / "crashing.so", backend)
    environment["PARAMETRIZE_PLUGIN_PATH"] = str(path)
    for name in "list", "doctor":
        status, out, err = run(name)
        assert status == 1, f"{name}: exit {status}: {err}"
        assert err == "parametrize: asking the backends for devices ends the process: Aborted\n", err
        assert "cayley" in out, f"{name}: {out}"
    assert f"  loaded      {path}/crashing.so: crashing\n" in out, out
    environment["PARAMETRIZE_PLUGIN_PATH"] = ""


def closed_pipe():
    """without a reader, the command ends as others do"""
    process = start("list")
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(60) == -signal.SIGPIPE and err == "", f"exit {process.returncode}: {err}"


def limits():
    """the limit is a whole number of seconds"""
    for command_name in "list", "doctor":
        usage(command_name, "--limit", "0", says=["--limit", "whole number from 1"])
        usage(command_name, "--limit", "1", "--limit", "1", says="twice")


main([doctor, listing, devices, closed_pipe, limits])
