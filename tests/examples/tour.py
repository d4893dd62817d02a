# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The tour through the API. usage: tour.py TOUR PLUGIN"""

import os
import shutil
import sys
import tempfile

from tap import main, run

tour, plugin = (os.path.abspath(path) for path in sys.argv[1:3])


def whole():
    """the tour ends well, with its own plugin and without, and leaves no file"""
    with tempfile.TemporaryDirectory() as folder:
        plugins = os.path.join(folder, "plugins")
        work = os.path.join(folder, "work")
        os.mkdir(plugins)
        os.mkdir(work)
        shutil.copy(plugin, os.path.join(plugins, "bounded.so"))
        out = run([tour, plugins], cwd=work)
        for line in (
            "  first.bias (frozen)",
            "a sampled rotation is orthogonal: yes",
            "a scope computes once: yes",
            "folded: yes",
            "the first layer is plain",
            "skew,cayley,pruning(seed=3) works on original 2.mask",
            "skew,pruning(seed=3) works on original 1.mask",
            "a write gives a new version: yes",
            "value: 0.600 0.800 0.000 ...",
            "the evaluation holds memory: yes",
            "bounded: Entries in (-1, 1), Y = tanh(X)",
            "queues wait for each other: yes",
            "DLPack: 4 elements",
            "tour.safetensors holds weight as F64",
        ):
            assert line in out.splitlines(), (line, out)
        assert run([tour], cwd=work) == out.replace("bounded: Entries in (-1, 1), Y = tanh(X)\n", "")
        assert os.listdir(work) == [], os.listdir(work)


main([whole])
