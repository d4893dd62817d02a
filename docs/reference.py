# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Writes the public headers as HTML pages, by Doxygen: FOLDER/html/index.html. A function without a
comment is an error.

usage: reference.py FOLDER     exit status 77 where Doxygen is missing
"""

import pathlib
import re
import shutil
import subprocess
import sys

headers = pathlib.Path(__file__).resolve().parents[1] / "core" / "include" / "parametrize"
settings = """
PROJECT_NAME = libparametrize
INPUT = {headers}
OUTPUT_DIRECTORY = {folder}
INPUT_FILTER = "{python} {script} --filter"
FILE_PATTERNS = *.h *.hpp
STRIP_FROM_PATH = {headers}/..
STRIP_FROM_INC_PATH = {headers}/..
EXCLUDE_SYMBOLS = *_f32_ *_f64_ PZ_*_
DISTRIBUTE_GROUP_DOC = YES
EXTRACT_ALL = YES
GENERATE_LATEX = NO
HAVE_DOT = NO
JAVADOC_AUTOBRIEF = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
OPTIMIZE_OUTPUT_FOR_C = YES
PREDEFINED = PZ_API= PZ_BEGIN_DECLS= PZ_END_DECLS=
QUIET = YES
SHOW_INCLUDE_FILES = NO
TYPEDEF_HIDES_STRUCT = YES
WARN_AS_ERROR = FAIL_ON_WARNINGS
"""


def as_doxygen_reads(path):
    """The header with its plain comments marked, each for all functions up to the next empty line."""
    first = True

    def comment(match):
        nonlocal first
        before, body, functions = match.groups()
        if re.match(r" (Copyright|-{4})", body):
            return before + functions
        body = re.sub(r"([\\@<>#&$%])", r"\\\1", body)
        if before.strip():
            return f"{before}/**<{body}*/{functions}"
        if first:
            first = False
            return f"/** @file\n{body}*/{functions}"
        if functions.startswith("\nPZ_API"):
            return f"/** @{{ */\n/**{body}*/{functions}/** @}} */\n"
        return f"{before}/**{body}*/{functions}"

    pattern = r"^([^\n]*?)/\*(.*?)\*/((?:\nPZ_API(?:[^\n]|\n(?!\n))*;\n)?)"
    return re.sub(pattern, comment, path.read_text(), flags=re.M | re.S)


def undocumented():
    """Functions that no comment stands above."""
    for path in sorted(headers.glob("*.h")):
        for function in re.findall(r"\n\n(PZ_API[^;]*;)", path.read_text()):
            yield f"{path.name}: without a comment: {function}"


if sys.argv[1] == "--filter":
    print(as_doxygen_reads(pathlib.Path(sys.argv[2])))
    sys.exit(0)
if not shutil.which("doxygen"):
    print("Doxygen is not installed")
    sys.exit(77)
found = list(undocumented())
print(*found, sep="\n")
text = settings.format(headers=headers, folder=sys.argv[1], python=sys.executable, script=pathlib.Path(__file__).resolve())
pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
sys.exit(subprocess.run(["doxygen", "-"], input=text, text=True).returncode or bool(found))
