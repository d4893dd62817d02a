# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The pictures of README.md and docs are what their program draws. usage: pictures.py PARAMETRIZE SOURCE_DIR"""

import pathlib
import re
import sys
import tempfile

from tap import main, run

command, source = sys.argv[1], pathlib.Path(sys.argv[2])
number = re.compile(r"-?\d+\.\d")


def pictures():
    """the same shapes, within two tenths of a pixel"""
    docs = source / "docs"
    kept = sorted(path.relative_to(docs) for path in docs.rglob("*.svg"))
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, str(docs / "pictures.py"), command, folder])
        drawn = pathlib.Path(folder)
        assert kept == sorted(path.relative_to(drawn) for path in drawn.rglob("*.svg"))
        for path in kept:
            old, new = (docs / path).read_text(), (drawn / path).read_text()
            assert number.sub("", old) == number.sub("", new), path
            for a, b in zip(number.findall(old), number.findall(new)):
                assert abs(float(a) - float(b)) <= 0.21, (path, a, b)


main([pictures])
