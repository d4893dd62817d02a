# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""`parametrize check` of a plugin on a device. usage: on_device.py COMMAND PLUGIN.so DEVICE"""

import json
import subprocess
import sys

from tap import Skip, main

command, plugin, device = sys.argv[1:]


def check():
    """the plugin keeps every rule"""
    if subprocess.run([command, "info", "--device", device], capture_output=True).returncode != 0:
        raise Skip(f"no device {device}")
    done = subprocess.run([command, "check", plugin, "--device", device, "--json"], capture_output=True, text=True)
    broken = [one for one in json.loads(done.stdout)["checks"] if one["verdict"] in ("error", "warning")]
    assert done.returncode == 0 and not broken, (broken, done.stderr)


main([check])
