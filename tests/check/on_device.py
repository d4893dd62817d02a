# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""`parametrize check` of a plugin on a device, or of a backend. usage: on_device.py COMMAND FILE.so [DEVICE]"""

import json
import os
import subprocess
import sys

from tap import Skip, main

command, plugin, *device = sys.argv[1:]


def check():
    """the plugin keeps every rule"""
    options = ["--device", *device] if device else []
    if device and subprocess.run([command, "info", *options], capture_output=True).returncode != 0:
        raise Skip(f"no device {device[0]}")
    done = subprocess.run([command, "check", plugin, *options, "--json"], capture_output=True, text=True)
    broken = [one for one in json.loads(done.stdout)["checks"] if one["verdict"] in ("error", "warning")]
    assert done.returncode == 0 and not broken, (broken, done.stderr)


def verified():
    """PARAMETRIZE_CHECK=1 finds nothing in the callbacks either"""
    if device not in (["cpu"], ["reference"]):
        raise Skip("plugins are verified in host memory")
    for rule in "pure", "round-trip":
        done = subprocess.run([command, "check", plugin, "--device", *device, "--rule", rule], capture_output=True,
                              text=True, env={**os.environ, "PARAMETRIZE_CHECK": "1"})
        assert done.returncode == 0 and "error" not in done.stdout.split("0 errors")[0], done


main([check, verified])
