# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""PyTorch's own test/nn/test_parametrization.py, unmodified, with the drop-ins in the place of PyTorch's
orthogonal, weight_norm and spectral_norm. PYTORCH_SOURCE names a checkout of PyTorch, whose wheel does not
have the tests; without one this is skipped. usage: torch_suite.py"""

import torch_python  # first: chooses the interpreter
import package_python  # second: skips where the package cannot be imported

import importlib.util
import io
import os
import pathlib
import sys
import unittest

import torch
from tap import main

import parametrize.torch as pt
from other_python import skip

source = os.environ.get("PYTORCH_SOURCE")
if not source:
    skip("PYTORCH_SOURCE names no checkout of PyTorch")
path = pathlib.Path(source, "test", "nn", "test_parametrization.py")
if not path.exists():
    skip(f"there is no {path}")


def suite():
    """every case passes"""
    for drop_in in (pt.orthogonal, pt.weight_norm, pt.spectral_norm):
        setattr(torch.nn.utils.parametrizations, drop_in.__name__, drop_in)
    del sys.argv[1:]
    spec = importlib.util.spec_from_file_location("test_parametrization", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    text = io.StringIO()
    done = unittest.TextTestRunner(text).run(unittest.defaultTestLoader.loadTestsFromModule(module))
    print(f"# {done.testsRun} cases, {len(done.skipped)} skipped")
    assert done.testsRun > 40 and done.wasSuccessful(), text.getvalue()


main([suite])
