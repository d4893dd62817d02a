# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""parametrize new: what it writes compiles as C and C++ without warnings and passes check."""

import shutil
import sys

from command import *
from tap import Skip, main
from tap import run as tool

compiler, include = sys.argv[2].split(), sys.argv[3]
shared = ["-shared", "-fPIC", f"-I{include}"]


def compile_as(language, standard, name, sources, out):
    program = compiler if language == "c" else [shutil.which("g++") or shutil.which("clang++")]
    if not program[0]:
        raise Skip("no C++ compiler")
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"]
    tool([*program, "-x", language, f"-std={standard}", *warnings, *shared, *sources, "-lm", "-o", out], cwd=name)


def maps():
    """each kind of map, in C and in C++"""
    folder("maps")
    for kind in "entries", "rows", "matrices":
        name = f"my_{kind}"
        status, out, err = run("new", name, "--kind", kind)
        assert (status, out, err) == (0, f"{name} is ready: read {name}/README.md\n", ""), (out, err)
        assert sorted(os.listdir(name)) == ["README.md", "meson.build", f"{name}.c"], os.listdir(name)
        for path in pathlib.Path(name).iterdir():
            text = path.read_text()
            assert name in text and "NAME" not in text and "Copyright" not in text, (path, text)
        compile_as("c", "c11", name, [f"{name}.c"], f"{name}.so")
        status, out, err = run("check", f"./{name}/{name}.so", "--device", "reference")
        assert status == 0 and "0 errors, 0 warnings, 0 notes" in out, (out, err)
        compile_as("c++", "c++20", name, [f"{name}.c"], f"{name}.so")
        status, out, err = run("info", name, env={**environment, "PARAMETRIZE_PLUGIN_PATH": os.path.abspath(name)})
        assert status == 0 and f"{name} 1.0.0" in out, (out, err)


def backend():
    """a backend that computes"""
    folder("backend")
    assert run("new", "mine", "--kind", "backend")[0] == 0
    compile_as("c", "c11", "mine", ["mine.c", "operations.c", "accelerator.c", "-pthread"], "mine.so")
    env = {**environment, "PARAMETRIZE_PLUGIN_PATH": os.path.abspath("mine")}
    for device in "mine", "mine_plus", "reference":
        status, out, err = run(
            "sample", "-p", "skew,cayley", "5", "5", "--seed", "1", "--device", device, "-o", f"{device}.npy", env=env
        )
        assert status == 0, (device, err)
    shape, expected = read("reference.npy")
    for device in "mine", "mine_plus":
        assert read(f"{device}.npy")[0] == shape, device
        assert all(abs(a - b) < 1e-5 for a, b in zip(read(f"{device}.npy")[1], expected)), device


def refusals():
    """one line for a name, a folder or a kind that will not do, and nothing left"""
    where = folder("refusals")
    (where / "there").mkdir()
    name = "expected up to 63 lower-case letters, digits and underscores, a letter first, and no name of the library's own\n"
    for arguments, status, expected in (
        (["Bad"], 1, f'parametrize: new: found the name "Bad", {name}'),
        (["some/9lives"], 1, f'parametrize: new: found the name "9lives", {name}'),
        (["some/"], 1, f'parametrize: new: found the name "", {name}'),
        (["a" * 64], 1, f'parametrize: new: found the name "{"a" * 64}", {name}'),
        (["view"], 1, f'parametrize: new: found the name "view", {name}'),
        (["operations", "--kind", "backend"], 1, f'parametrize: new: found the name "operations", {name}'),
        (["pz_map"], 1, f'parametrize: new: found the name "pz_map", {name}'),
        (["there"], 1, "parametrize: there: exists already\n"),
        (["no/such"], 1, "parametrize: no/such: No such file or directory\n"),
        (["fine", "--kind", "q"], 2, 'parametrize: --kind: found "q", expected entries, rows, matrices or backend; see parametrize new --help\n'),
    ):
        assert run("new", *arguments) == (status, "", expected), (arguments, run("new", *arguments))
    assert os.listdir(where) == ["there"]


main([maps, backend, refusals])
