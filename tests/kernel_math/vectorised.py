# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The loops in each.c use the vectors of their instruction set, and no fused operations.

usage: vectorised.py OBJECT_OR_PROGRAM [NAME ...]: functions that need not be vectorised
"""

import re
import sys

from tap import main, run

excepted = set(sys.argv[2:])
registers = {"baseline": r"%xmm", "avx2": r"%ymm", "avx512": r"%zmm"}
packed = r"\bv?(add|sub|mul|sqrt|max|min|cmp|and|andn|or|xor|blendv|unpckl)\w*p[sd]\b|\bvp?(and|or|ternlog)[dq]?\b|\bv?p(sub|srl|sll)[dq]\b"


def functions():
    text = run(["objdump", "-d", "--no-show-raw-insn", sys.argv[1]])
    for block in re.split(r"\n\n", text):
        head = re.match(r"[0-9a-f]+ <(each_\w+)_(float|double)_(baseline|avx2|avx512)_>:", block)
        if head:
            yield (*head.groups(), block)


def vectors():
    """every loop works on whole vectors"""
    count = 0
    for name, dtype, isa, block in functions():
        count += 1
        if name[len("each_"):] not in excepted:
            lines = [l for l in block.splitlines() if re.search(packed, l) and re.search(registers[isa], l)]
            assert lines, f"{name} {dtype} {isa}"
    assert count > 0


def uncontracted():
    """no product and sum is fused"""
    fused = [(n, d, i) for n, d, i, block in functions() if re.search(r"\bvfn?m(add|sub)", block)]
    assert not fused, fused


main([vectors, uncontracted])
