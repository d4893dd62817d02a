# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""`parametrize check` of a plugin on a device, or of a backend. usage: on_device.py COMMAND FILE.so [DEVICE]"""

import json
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


main([check])
