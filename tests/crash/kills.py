# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Kills a process that saves, at random moments, and looks at what it leaves.

usage: kills.py WRITER KILLS
"""

import atexit
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tap import Skip, main

writer = os.path.abspath(sys.argv[1])
kills = int(sys.argv[2])
steps = 60  # of a training run
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-crash-"))
atexit.register(shutil.rmtree, work, ignore_errors=True)
seed = int(os.environ.get("TEST_SEED", 1))
chance = random.Random(seed)
print(f"TEST_SEED={seed}", file=sys.stderr)


def environment(named=False):
    names = {name: value for name, value in os.environ.items() if name != "TEST_NAMED"}
    return {**names, "TEST_SEED": "1", **({"TEST_NAMED": "1"} if named else {})}


def start(*arguments, named=False):
    return subprocess.Popen(
        [writer, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(named),
    )


def run(*arguments, **options):
    """Runs the writer: (exit status, standard output, lines of standard error)."""
    done = subprocess.run(
        [writer, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(),
        **options,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("TEST_SEED=")]
    return done.returncode, done.stdout, lines


def version(path):
    """The version of a file, every element of which is looked at."""
    status, out, err = run("check", path)
    assert status == 0, err
    return int(out)


def leftovers(folder, path):
    """What is in a folder beside the file: nothing that could be taken for one."""
    rest = [name for name in os.listdir(folder) if name != path.name]
    assert all(name.startswith(".parametrize-") and len(name) == 29 for name in rest), rest
    return rest


def pace(*arguments, named, lines=6):
    """Seconds from one save to the next."""
    with start(*arguments, named=named) as process:
        process.stdout.readline()
        begin = time.monotonic()
        for _ in range(lines):
            assert process.stdout.readline()
        seconds = (time.monotonic() - begin) / lines
        process.kill()
    return seconds


def kill_at_random(seconds, *arguments, named):
    """Kills the writer within four saves after its first; returns the last line it wrote, or
    None where it was done before."""
    with start(*arguments, named=named) as process:
        last = process.stdout.readline()
        until = time.monotonic() + chance.uniform(0, 4 * seconds)
        while time.monotonic() < until:
            pass
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines()
        ended = process.wait()
    assert ended in (0, -signal.SIGKILL), ended
    return None if ended == 0 else int(rest[-1] if rest else last)


def saving(named):
    def step():
        folder = pathlib.Path(tempfile.mkdtemp(dir=work))
        path = folder / "model.safetensors"
        seconds = pace("save", path, named=named)
        old = new = 0
        unnamed_left = len(leftovers(folder, path))
        for _ in range(kills // 4):
            last = kill_at_random(seconds, "save", path, named=named)
            found = version(path)
            assert found in (last, last + 1), f"found version {found}, {last} was saved last"
            old, new = old + (found == last), new + (found == last + 1)
        left = leftovers(folder, path)
        print(f"# {seconds * 1000:.1f} ms a save, {kills // 4} kills: {old} before, {new} after the")
        print(f"# file appeared; {len(left)} temporary files left")
        assert len(left) <= kills // 4 + 1
        if not named and has_unnamed(folder):
            assert len(left) - unnamed_left <= 1 + kills // 20, left

    step.__doc__ = f"a killed save leaves a whole file{' (with temporary names)' * named}"
    return step


def training(named):
    def step():
        folder = pathlib.Path(tempfile.mkdtemp(dir=work))
        path = folder / "model.safetensors"
        whole = folder / "whole.safetensors"
        assert run("train", whole, steps)[0] == 0
        expected = whole.read_bytes()
        whole.unlink()
        seconds = pace("train", path, steps, named=named)
        done = finished = 0
        while done < kills // 4:
            last = kill_at_random(seconds, "train", path, steps, named=named)
            if last is None:
                assert path.read_bytes() == expected, "resumed otherwise than run at once"
                path.unlink()
                finished += 1
            done += last is not None
        assert run("train", path, steps)[0] == 0
        assert path.read_bytes() == expected, "resumed otherwise than run at once"
        left = leftovers(folder, path)
        print(f"# {seconds * 1000:.1f} ms a step, {done} kills, {finished + 1} runs finished;")
        print(f"# {len(left)} temporary files left")

    step.__doc__ = f"a killed training run goes on bit for bit{' (with temporary names)' * named}"
    return step


def has_unnamed(folder):
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True


# ---- disks that say no -----------------------------------------------------------


def refused(path, **options):
    """A save that fails in one line and leaves everything as it was."""
    before = path.read_bytes()
    status, out, err = run("once", path, **options)
    assert status != 0 and out == "", (status, out)
    assert len(err) == 1 and err[0].startswith("save: "), err
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
    return err[0]


def fresh():
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    path = folder / "model.safetensors"
    assert run("once", path)[0] == 0
    return path


def limited():
    """a limit on the size of files refuses, and leaves the old one"""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    assert "File too large" in refused(fresh(), preexec_fn=limit)


def full():
    """a full disk refuses, and leaves the old file"""
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    size = 400  # KiB, less than two files
    script = f"""
        mount -t tmpfs -o size={size}k none {folder} || exit 77
        {writer} once {folder}/x && {{ {writer} once {folder}/x 2>{work}/said && exit 3; }}
        test "$(ls -A {folder})" = x && {writer} check {folder}/x"""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, env=environment()
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        raise Skip("cannot mount a small disk: " + done.stderr.strip())
    assert done.returncode == 0 and done.stdout.split() == ["1", "1"], (done.stdout, done.stderr)
    said = [line for line in (work / "said").read_text().splitlines() if "TEST_SEED" not in line]
    assert len(said) == 1 and "No space left on device" in said[0], said


def unwritable():
    """a folder that cannot be written refuses, and leaves the old file"""
    path = fresh()
    nobody = 65534

    def give_up():
        if os.getuid() == 0:
            os.setgid(nobody)
            os.setuid(nobody)

    path.chmod(0o666)
    path.parent.chmod(0o555)
    work.chmod(0o755)
    try:
        if run("check", path, preexec_fn=give_up)[0] != 0:
            raise Skip("another user cannot run programs of this folder")
        assert "Permission denied" in refused(path, preexec_fn=give_up)
    finally:
        path.parent.chmod(0o755)


main(
    [saving(False), saving(True), training(False), training(True), limited, full, unwritable]
)
