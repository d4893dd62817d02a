# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Every form of input files, and outputs that are written completely or not at all.

usage: files.py COMMAND CC INCLUDE_DIR
"""

import glob
import os
import pathlib
import random
import resource
import signal
import struct
import subprocess
import sys
import time

from command import *
from tap import Skip, main

identity = "pruning(p_drop=0)"


def plugins():
    """a plugin of plain cc and an include path, dropped into a folder, is listed and works"""
    path = build_maps()
    folder("several")
    listed = good("list")
    assert any(line.split()[0] == "product" and str(path / "maps.so") in line for line in listed.splitlines()), listed
    assert str(path / "maps.so") in good("doctor")
    write("a.npy", (2, 3), [1, 2, 3, 4, 5, 6])
    write("b.npy", (2, 3), [7, 8, 9, 1, 2, 3])
    good("apply", "-p", "product", "a.npy", "b.npy", "-o", "y.npy")
    assert read("y.npy") == ((2, 3), [7, 16, 27, 4, 10, 18])


def several():
    """several originals: one input and one output each, one gradient each"""
    write("g.npy", (2, 3), [1, 1, 1, 2, 2, 2])
    good("vjp", "-p", "product", "a.npy", "b.npy", "--grad", "g.npy", "-o", "ga.npy", "-o", "gb.npy")
    assert read("ga.npy")[1] == [7, 8, 9, 2, 4, 6] and read("gb.npy")[1] == [1, 2, 3, 8, 10, 12]
    good("invert", "-p", "product", "a.npy", "-o", "a0.npy", "-o", "b0.npy", "--state", "s.safetensors")
    assert read("a0.npy") == read("a.npy") and read("b0.npy") == ((2, 3), [1.0] * 6)
    good("apply", "-p", "product", "a0.npy", "b0.npy", "-o", "y0.npy", "--state", "s.safetensors")
    assert read("y0.npy") == read("a.npy")
    usage("invert", "-p", "product", "a.npy", "-o", "c.npy", says="found 1 output, expected 2")
    refused("apply", "-p", "product", "a.npy", "-o", "c.npy", says=["1", "2"])
    write("c.npy", (3, 2), range(6))
    refused("apply", "-p", "product", "a.npy", "c.npy", "-o", "d.npy", says=["2x3", "3x2"])
    write("c.npy", (2, 3), range(6), "f")
    refused("apply", "-p", "product", "a.npy", "c.npy", "-o", "d.npy", says=["float32", "float64"])


def together():
    """either all of several outputs are written, or none"""
    folder("together")
    write("y.npy", (2, 2), [1, 2, 3, 4])
    write("b.npy", (1,), [7])
    refused("invert", "-p", "product", "y.npy", "-o", "a.npy", "-o", "b.npy", says=["b.npy", "--force"])
    refused("invert", "-p", "product", "y.npy", "-o", "a.npy", "-o", "none/b.npy", says="none")
    refused("invert", "-p", "product", "y.npy", "-o", "a.npy", "-o", "c.npy", "--state", "b.npy", says="b.npy")
    good("invert", "-p", "product", "y.npy", "-o", "a.npy", "-o", "b.npy", "--force")
    assert read("b.npy") == ((2, 2), [1.0] * 4)


def races():
    """a file that another process creates meanwhile is kept, and outputs renamed so far are removed"""
    folder("races")
    write("y.npy", (2, 2), [1, 2, 3, 4])
    for arguments, target, outputs in [
        (("apply", "-p", "intruder", "y.npy"), "a.npy", ["-o", "a.npy"]),
        (("sample", "-p", "intruder", "2", "2"), "a.npy", ["-o", "a.npy", "--state", "s"]),
        (("sample", "-p", "intruder", "2", "2"), "s", ["-o", "a.npy", "--state", "s"]),
        (("invert", "-p", "product,intruder", "y.npy"), "b.npy", ["-o", "a.npy", "-o", "b.npy"]),
    ]:
        mine = {**environment, "INTRUDER": target}
        status, out, err = run(*arguments, *outputs, env=mine)
        assert status == 1 and out == "" and err.count("\n") == 1, err
        assert target in err and "--force" in err, err
        assert sorted(os.listdir()) == sorted(["y.npy", target]), os.listdir()
        assert pathlib.Path(target).read_text() == "mine\n"
        good(*arguments, *outputs, "--force", env=mine)
        for name in outputs[1::2]:
            assert pathlib.Path(name).stat().st_size > 16
            os.unlink(name)


def conversions():
    """versions 1 to 3, both byte orders, both element orders"""
    folder("conversions")
    generator = random.Random(seed)
    for shape in [(), (1,), (5,), (2, 3), (3, 1), (40, 70), (2, 3, 4), (2, 1, 3, 5), (2,) * 8, (0,), (3, 0, 2), (0, 0)]:
        count = 1
        for extent in shape:
            count *= extent
        values = [generator.randrange(-1000, 1000) / 8 for _ in range(count)]
        step = [1] * len(shape)  # of each index in Fortran order
        for i in range(1, len(shape)):
            step[i] = step[i - 1] * shape[i - 1]
        for fortran in False, True:
            stored = list(values)
            if fortran:
                for place, value in enumerate(values):
                    rest, at = place, 0
                    for i in reversed(range(len(shape))):
                        rest, index = divmod(rest, shape[i])
                        at += index * step[i]
                    stored[at] = value
            for order, code in generator.sample([("<", "d"), (">", "d"), ("<", "f"), (">", "f")], 2):
                version = generator.choice([(1, 0), (2, 0), (3, 0)])
                descr = order + {"d": "f8", "f": "f4"}[code]
                content = header(dictionary(descr, shape, fortran), version)
                content += struct.pack(f"{order}{count}{code}", *stored)
                pathlib.Path("x.npy").write_bytes(content)
                good("apply", "-p", identity, "x.npy", "-o", "y.npy", "--force")
                assert read("y.npy") == (shape, values), (shape, fortran, descr, version)


def spellings():
    """every form of a header's dictionary that Python reads"""
    folder("spellings")
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    native = "=" if generator_bit() else "<" if sys.byteorder == "little" else ">"
    data = struct.pack("=6d", *values)
    for text in [
        "{'shape':(2,3),'fortran_order':False,'descr':'%sf8'}" % native,
        '{"descr": "%sf8", "fortran_order": False, "shape": (2, 3), }   \n' % native,
        "{ 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , 'descr' : '|f8' , } \n\n",
        "\n{\t'descr'\n:\t'f8',\r\n'fortran_order': False,\n'shape': (2L, 3L)}",
        "{'descr': '=f8', 'fortran_order': False, 'shape': (2, 3)}" + " " * 70 + "\n",
    ]:
        for version in (1, 0), (2, 0), (3, 0):
            pathlib.Path("x.npy").write_bytes(header(text, version) + data)
            good("apply", "-p", identity, "x.npy", "-o", "y.npy", "--force")
            assert read("y.npy") == ((2, 3), values), text
    long = "{'descr': '=f8', 'fortran_order': False, 'shape': (2, 3)}" + " " * 70000 + "\n"
    pathlib.Path("x.npy").write_bytes(header(long, (2, 0)) + data)
    good("apply", "-p", identity, "x.npy", "-o", "y.npy", "--force")
    assert read("y.npy") == ((2, 3), values)


def generator_bit():
    return random.Random(seed).random() < 0.5


def pipes():
    """an input may be a pipe, of any length"""
    folder("pipes")
    count = 300000
    values = [float(k) for k in range(count)]
    write("x.npy", (count,), values)
    with open("x.npy", "rb") as file, subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
        good("apply", "-p", identity, "/dev/stdin", "-o", "y.npy", stdin=cat.stdout)
    assert read("y.npy") == ((count,), values)


def words():
    """options stand anywhere, in either form, and "--" ends them"""
    folder("words")
    write("-x.npy", (2, 2), [0, 1, 2, 3])
    value = ((2, 2), [0, 1, -1, 0])
    for k, arguments in enumerate([
        ("apply", "-p", "skew", "-o", "0", "--", "-x.npy"),
        ("apply", "./-x.npy", "-o1", "-pskew"),
        ("apply", "--output=2", "./-x.npy", "--parametrization=skew"),
        ("apply", "--output", "3", "--parametrization", " skew ", "--device", "reference", "--", "-x.npy"),
    ]):  # fmt: skip
        good(*arguments, env={**environment, "POSIXLY_CORRECT": "1"})
        assert read(str(k)) == value


def force():
    """--force replaces: an input, what a link points to, keeping permissions"""
    folder("force")
    write("x.npy", (2, 2), [0, 1, 2, 3])
    write("old.npy", (1,), [7])
    os.chmod("old.npy", 0o640)
    os.symlink("old.npy", "link.npy")
    good("apply", "-p", "skew", "x.npy", "-o", "link.npy", "--force")
    assert os.path.islink("link.npy") and os.stat("old.npy").st_mode & 0o777 == 0o640
    assert read("old.npy") == ((2, 2), [0, 1, -1, 0])
    good("apply", "-p", "skew", "x.npy", "-o", "x.npy", "--force")
    assert read("x.npy") == ((2, 2), [0, 1, -1, 0])
    assert sorted(os.listdir()) == ["link.npy", "old.npy", "x.npy"]


def owners():
    """a file that root replaces stays its owner's; who may not give it away gives it to no group"""
    folder("owners")
    write("x.npy", (2, 2), [0, 1, 2, 3])
    if os.getuid() != 0:
        raise Skip("only root can give files to others")
    for name, arguments in {
        "y.npy": ["apply", "-p", "skew", "x.npy", "-o", "y.npy"],
        "s.safetensors": ["sample", "-p", "pruning", "2", "2", "-o", "z.npy", "--state", "s.safetensors"],
    }.items():
        pathlib.Path(name).touch()
        os.chown(name, 12345, 54321)
        os.chmod(name, 0o640)
        good(*arguments, "--force")
        about = os.stat(name)
        assert (about.st_uid, about.st_gid, about.st_mode & 0o777) == (12345, 54321, 0o640), about
        assert about.st_size > 0
    os.chmod(".", 0o777)
    os.chmod("y.npy", 0o666)
    good("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--force", **without_privileges())
    about = os.stat("y.npy")
    assert (about.st_uid, about.st_gid, about.st_mode & 0o777) == (65534, 65534, 0o666), about
    os.chown("y.npy", 65534, 54321)
    os.chmod("y.npy", 0o660)
    good("apply", "-p", "skew", "x.npy", "-o", "y.npy", "--force", **without_privileges())
    about = os.stat("y.npy")
    assert (about.st_gid, about.st_mode & 0o777) == (65534, 0o600), about


def leaving():
    """a plugin that ends the program does not end it with success"""
    folder("leaving")
    write("x.npy", (2, 2), [0, 1, 2, 3])
    for arguments in (
        ["apply", "-p", "leaver", "x.npy", "-o", "y.npy"],
        ["jvp", "-p", "leaver", "x.npy", "--tangent", "x.npy", "-o", "y.npy"],
        ["bench", "-p", "leaver", "-n", "2"],
    ):
        refused(*arguments, says="a plugin or a library ended the program")
        for way in ("_exit", "_Exit", "quick_exit"):
            says = ["a plugin or a library ended the program", *(["/maps.so"] if way != "quick_exit" else [])]
            refused(*arguments, says=says, env={**environment, "LEAVER": way})


def few_processes():
    """where the system starts no thread, arrays are computed by one, and bake says what it lacks"""
    path = folder("processes")
    write("x.npy", (100, 100), [k % 7 - 3 for k in range(10000)])
    good("apply", "-p", "skew,cayley", "x.npy", "-o", "y.npy")
    os.chmod(".", 0o777)
    give_up = without_privileges()["preexec_fn"]
    options = {"preexec_fn": lambda: (give_up(), resource.setrlimit(resource.RLIMIT_NPROC, (0, 0)))}
    good("apply", "-p", "skew,cayley", "x.npy", "-o", "z.npy", **options)
    assert pathlib.Path("y.npy").read_bytes() == pathlib.Path("z.npy").read_bytes()
    head = b'{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  '
    (path / "m.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + bytes(4))
    refused("bake", "m.safetensors", "-o", "p.safetensors", says="a thread that waits for interrupts", **options)


def permissions():
    """a new file has the permissions that the umask leaves"""
    folder("permissions")
    write("x.npy", (2, 2), [0, 1, 2, 3])
    good("apply", "-p", "skew", "x.npy", "-o", "y.npy", preexec_fn=lambda: os.umask(0o027))
    assert os.stat("y.npy").st_mode & 0o777 == 0o640


def full():
    """a file that cannot be written completely leaves nothing behind"""
    folder("full")
    write("x.npy", (300, 300), range(90000))
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    refused("apply", "-p", identity, "x.npy", "-o", "y.npy", says=["y.npy", "File too large"], preexec_fn=limit)
    refused(
        "invert", "-p", "product", "x.npy", "-o", "y.npy", "-o", "z.npy", "--state", "s.safetensors",
        says="File too large", preexec_fn=limit,
    )  # fmt: skip


def streams():
    """an error of standard output is an error; closed streams do not damage files"""
    folder("streams")
    for arguments in ["list"], ["info", "skew"], ["doctor"], ["--help"], ["apply", "--help"], ["--version"]:
        with open("/dev/full", "w") as sink:
            done = subprocess.run([command, *arguments], stdout=sink, stderr=subprocess.PIPE, text=True, env=environment)
        assert done.returncode == 1, (arguments, done)
        assert done.stderr == "parametrize: standard output: No space left on device\n", done
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [command, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, env=environment,
            preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN), restore_signals=False,
        )  # fmt: skip
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, "parametrize: standard output: Broken pipe\n"), done
    write("x.npy", (2, 2), [0, 1, 2, 3])
    script = '"$0" apply -p skew x.npy -o y.npy <&- >&- 2>&-; "$0" apply -p skew x.npy -o y.npy <&- >&- 2>&-; "$0" list >&-'
    done = subprocess.run(["sh", "-c", script, command], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "Bad file descriptor" in done.stderr, done
    assert read("y.npy") == ((2, 2), [0, 1, -1, 0])


def concurrent():
    """of concurrent runs with one target exactly one succeeds, with --force all do"""
    folder("concurrent")
    write("x.npy", (64, 64), range(4096))
    for extra in [], ["--force"]:
        processes = [start("apply", "-p", identity, "x.npy", "-o", "y.npy", *extra) for _ in range(6)]
        codes = []
        for process in processes:
            _, err = process.communicate(timeout=120)
            codes.append(process.returncode)
            assert process.returncode == 0 or (process.returncode == 1 and "--force" in err), err
        assert codes.count(0) == (6 if extra else 1), codes
        assert sorted(os.listdir()) == ["x.npy", "y.npy"], os.listdir()
        assert pathlib.Path("y.npy").read_bytes().endswith(pathlib.Path("x.npy").read_bytes()[-32768:])


def interrupts():
    """an interrupt leaves no temporary file: the output is complete, or does not exist"""
    folder("interrupts")
    n = 2000
    pathlib.Path("x.npy").write_bytes(header(dictionary(shape=(n, n))) + bytes(8 * n * n))
    began = time.monotonic()
    good("apply", "-p", identity, "x.npy", "-o", "y.npy")
    takes = time.monotonic() - began
    whole = os.path.getsize("y.npy")
    os.unlink("y.npy")
    seen = 0
    for k in range(9):
        process = start("apply", "-p", identity, "x.npy", "-o", "y.npy")
        time.sleep(takes * k / 8)
        seen += process.poll() is None
        process.send_signal([signal.SIGINT, signal.SIGTERM, signal.SIGHUP][k % 3])
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP), (process.returncode, err)
        assert err == "" and not glob.glob(".parametrize-*"), (err, os.listdir())
        if os.path.exists("y.npy"):
            assert os.path.getsize("y.npy") == whole > 8 * n * n
            os.unlink("y.npy")
        else:
            assert process.returncode != 0
    assert seen > 0
    print(f"# interrupted {seen} of 9")


main([
    plugins, several, together, races, conversions, spellings, pipes, words, force, owners, leaving, permissions, full,
    streams, concurrent, interrupts, few_processes,
])  # fmt: skip
