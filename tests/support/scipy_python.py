# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Runs the importing script under an interpreter with SciPy and mpmath, or skips it. Import this first."""

from other_python import skip, use

use("mpmath", "numpy", "scipy")
