# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Completions and the man page have every command and option of --help. usage: generate.py COMMAND ..."""

import re
import shutil
import subprocess
import sys

from tap import main

command = sys.argv[1]


def output(*words):
    done = subprocess.run([command, *words], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", (words, done.stderr)
    return done.stdout


COMMANDS = re.findall(r"^  (\w+) +", output("--help").split("commands:")[1].split("\n\n")[0], re.M)
OPTIONS = {c: re.findall(r"^ +(?:-\w, )?--([a-z-]+)", output(c, "--help").split("options:")[1], re.M)
           for c in COMMANDS if c != "help"}


def complete(*words):
    """What bash offers for the last word."""
    script = ('eval "$(cat)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _parametrize; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], input=output("generate", "bash"),
                          capture_output=True, text=True, check=True)
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def in_bash():
    """bash offers the commands, the options of a command, and the words that an option takes"""
    assert set(complete("parametrize", "")) == {*COMMANDS, "--help", "--version"}, complete("parametrize", "")
    for one, options in OPTIONS.items():
        found = complete("parametrize", one, "-")
        assert {o for o in found if o.startswith("--")} == {"--" + o for o in options}, (one, found, options)
    assert complete("parametrize", "sample", "--dtype", "") == ["float32", "float64"]
    assert complete("parametrize", "sample", "-o", sys.argv[0][:-3]) == [sys.argv[0]]
    assert complete("parametrize", "sample", "--seed", "") == []


def in_others():
    """zsh, fish and man have every option of every command"""
    zsh, fish, man = (output("generate", kind) for kind in ("zsh", "fish", "man"))
    for one, options in OPTIONS.items():
        section = zsh.split(f"\n    {one})\n")[1].split(";;")[0]
        assert f"'{one}:" in zsh and f"-a {one} " in fish, one
        page = man.split(f'.SS "{one} ')[1].split(".SS")[0]
        for option in set(options) - {"help"}:
            assert f"--{option}" in section, (one, option)
            assert f"__fish_seen_subcommand_from {one}' -l {option} " in fish, (one, option)
            assert "\\-\\-" + option.replace("-", "\\-") in page, (one, option)


def well_formed():
    """the programs that read the texts, where there are any, do not complain"""
    for kind, words in {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "-n"],
                        "man": ["groff", "-man", "-ww", "-z"]}.items():
        if shutil.which(words[0]):
            done = subprocess.run(words, input=output("generate", kind), capture_output=True, text=True)
            assert done.returncode == 0 and done.stderr == "", (kind, done.stderr)


def refusals():
    """another word is an error of one line"""
    done = subprocess.run([command, "generate", "tcsh"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1, done
    assert "expected bash, zsh, fish or man" in done.stderr, done.stderr


main([in_bash, in_others, well_formed, refusals])
