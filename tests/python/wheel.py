# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What a wheel would have, by the plan of meson: nothing is built. usage: wheel.py SOURCE_DIR

Each file has the place where the package looks for it, and none of the package is forgotten."""

import json
import pathlib
import sys
import tempfile

from tap import main, run

source = pathlib.Path(sys.argv[1])
package = source / "python" / "parametrize"


def plan():
    """the library without a version, plugins and the command beside it, all of the package, the headers"""
    with tempfile.TemporaryDirectory(prefix="parametrize-wheel-") as build:
        options = [f"-D{name}=disabled" for name in ("cuda", "examples", "opencl", "tests")]
        run(["meson", "setup", build, "-Dpython=enabled", *options], cwd=source)
        groups = json.loads(pathlib.Path(build, "meson-info", "intro-install_plan.json").read_text())
    tags = ("runtime", "python-runtime")
    found = {t["destination"] for group in groups.values() for t in group.values() if t["tag"] in tags}
    native = {place.split("}/")[1] for place in found if place.startswith("{libdir")}
    assert {"libparametrize-1.so", "bin/parametrize", "parametrize-1/backends/cpu.so"} <= native, native
    plugins = {p.parent.name for p in (source / "plugins").glob("*/meson.build")} - {"common"}
    assert {f"parametrize-1/plugins/{name}.so" for name in plugins} <= native, native
    files = [f.relative_to(package.parent) for f in package.rglob("*") if f.suffix == ".py" or f.name == "py.typed"]
    headers = [f"parametrize/include/parametrize/{f.name}" for f in (source / "core/include/parametrize").glob("*.h")]
    expected = {f"{{py_purelib}}/{f}" for f in [*files, *headers]}
    assert len(files) > 10 and len(headers) > 10
    assert {place for place in found if place.startswith("{py_")} == expected, found ^ expected
    code = (package / "_abi.py").read_text()
    assert '".parametrize.mesonpy.libs"' in code and '"libparametrize-1.so"' in code


main([plan])
