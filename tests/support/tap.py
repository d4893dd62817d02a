# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Steps that print TAP: a function is a test, an exception its failure."""

import subprocess
import sys
import traceback


class Skip(Exception):
    """Raised by a step that cannot run here; its text is the reason."""


def run(command, **options):
    """Runs a command, returns its standard output; a non-zero exit raises with both outputs."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(
            f"{command} in {options.get('cwd')}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def main(steps):
    """Runs the steps in order and exits non-zero if one failed."""
    print(f"1..{len(steps)}")
    failed = 0
    for number, step in enumerate(steps, 1):
        name = step.__doc__ or step.__name__
        try:
            step()
            print(f"ok {number} - {name}")
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
