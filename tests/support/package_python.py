# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Skips the script where the Python package cannot be imported. Import this first."""

import os

from other_python import skip

if os.environ.get("TEST_SANITIZE", "none") != "none":
    skip("a sanitized library does not load into Python")
try:
    import numpy
except ImportError:
    skip("this Python has no NumPy")
if tuple(int(n) for n in numpy.__version__.split(".")[:2]) < (1, 23):
    skip(f"NumPy is {numpy.__version__}, expected 1.23 or newer")

seed = int(os.environ.get("TEST_SEED", "1"))
random = numpy.random.default_rng(seed)
print(f"# TEST_SEED={seed}")


def refused(kind, text, function, *arguments, **options):
    """The call raises `kind`, with `text` in the message."""
    try:
        result = function(*arguments, **options)
    except kind as error:
        assert text in str(error), f"{kind.__name__}: {error}"
        return
    raise AssertionError(f"expected {kind.__name__}, found {result!r}")
