# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Kernel files as C arrays. usage: embed.py OUT.c FILE.cl ..."""

import pathlib
import sys


def bytes_of(text):
    numbers = [str(b) for b in text.encode()] + ["0"]
    return "\n".join("    " + ", ".join(numbers[k : k + 24]) + "," for k in range(0, len(numbers), 24))


out, *files = map(pathlib.Path, sys.argv[1:])
parts = ['#include "gpu.h"\n']
for file in files:
    parts.append(f"const char gpu_text_{file.stem}[] = {{\n{bytes_of(file.read_text())}\n}};\n")
out.write_text("\n".join(parts))
