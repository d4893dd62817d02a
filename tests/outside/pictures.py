# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The pictures of docs/maps are what its program draws. usage: pictures.py PARAMETRIZE SOURCE_DIR"""

import pathlib
import re
import sys
import tempfile

from tap import main, run

command, source = sys.argv[1], pathlib.Path(sys.argv[2])
number = re.compile(r"-?\d+\.\d")


def pictures():
    """the same shapes, within two tenths of a pixel"""
    kept = sorted((source / "docs" / "maps").glob("*.svg"))
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, str(source / "docs" / "maps" / "pictures.py"), command, folder])
        assert [path.name for path in kept] == sorted(path.name for path in pathlib.Path(folder).iterdir())
        for path in kept:
            old, new = path.read_text(), (pathlib.Path(folder) / path.name).read_text()
            assert number.sub("", old) == number.sub("", new), path
            for a, b in zip(number.findall(old), number.findall(new)):
                assert abs(float(a) - float(b)) <= 0.21, (path, a, b)


main([pictures])
