# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What review would otherwise say of the source tree. usage: lint.py SOURCE_DIR"""

import pathlib
import re
import shutil
import subprocess
import sys

from tap import Skip, main, run

root = pathlib.Path(sys.argv[1])
top = ["bindings", "core", "plugins", "backends", "python", "tools", "examples", "tests", "bench"]


def sources(*suffixes):
    return sorted(f for t in top for f in (root / t).rglob("*") if f.suffix in suffixes)


def complain(found):
    found = list(found)
    assert not found, "\n".join(str(f) for f in found)


def licences():
    """every source file names its licence"""
    files = sources(".c", ".cl", ".h", ".py", ".rs", ".sh") + sorted(root.rglob("meson.build")) + [root / "dev"]
    complain(f for f in files if "SPDX-License-Identifier: MIT" not in f.read_text()[:400])


def lengths():
    """no file of C, kernels or Rust is far beyond 400 lines"""
    complain((f, n) for f in sources(".c", ".cl", ".h", ".rs") if f.name != "ffi.rs" and (n := len(f.read_text().splitlines())) > 450)


def unfinished():
    """nothing is left for later in a comment"""
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
    complain(f for f in sources(".c", ".h", ".py", ".rs") if words.search(f.read_text()))


def layering():
    """plugins and backends include public headers only; core includes neither"""
    include = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)', re.M)
    private = {f.name for f in (root / "core").glob("*/*.h")}
    bad = []
    for f in sources(".c", ".h"):
        area = f.relative_to(root).parts[0]
        for name in include.findall(f.read_text()):
            if area in ("plugins", "backends", "tools", "examples"):
                own = (f.parent / name).exists()
                if not name.startswith("parametrize/") and not own and pathlib.Path(name).name in private:
                    if area != "tools" or name not in ("atomic_file.h", "float_convert.h", "utf8.h"):
                        bad.append((f, name))
            if area == "core" and ("plugins/" in name or "backends/" in name):
                bad.append((f, name))
    complain(bad)


def only_ltdl():
    """one file of the core includes <ltdl.h>"""
    users = [f.name for f in sources(".c", ".h") if "#include <ltdl.h>" in f.read_text()]
    assert users == ["shared_object.c"], users


def formatting():
    """clang-format has nothing to change"""
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not installed")
    version = int(re.search(r"version (\d+)", run(["clang-format", "--version"])).group(1))
    if version != 14:
        raise Skip(f"clang-format {version} formats otherwise than 14")
    files = [str(f) for f in sources(".c", ".h")]
    done = subprocess.run(["clang-format", "--dry-run", *files], capture_output=True, text=True)
    complain(sorted({line.split(":")[0] for line in done.stderr.splitlines() if "warning:" in line}))


main([licences, lengths, unfinished, layering, only_ltdl, formatting])
