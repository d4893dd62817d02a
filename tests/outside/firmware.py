# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The static profile: built, linked into a program of firmware, run and measured; and what meson refuses.
usage: firmware.py native|cross SOURCE_DIR CC

`cross` builds with all maps, for aarch64, to run under qemu-user, and with musl. Where a compiler or qemu is
missing, that is the reason to skip."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from tap import Skip, main, run

source = pathlib.Path(sys.argv[2]).resolve()
cc = shlex.split(sys.argv[3])
work = pathlib.Path(tempfile.mkdtemp(prefix="parametrize-firmware-"))
program = source / "tests" / "outside" / "firmware.c"
MOST = 300000  # bytes of text and data

if os.environ.get("TEST_SANITIZE", "none") != "none":
    print("1..0 # SKIP the build is instrumented")
    sys.exit(0)


def setup(name, *options):
    command = ["meson", "setup", str(work / name), str(source), "-Dprofile=static", "--buildtype=minsize", *options]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CC": shlex.join(cc)})


def cross_file(name, compiler, family, endian="little"):
    """A description of a host for meson."""
    file = work / f"{name}.ini"
    command = ", ".join(f"'{word}'" for word in compiler)
    file.write_text(
        f"[binaries]\nc = [{command}]\nar = 'ar'\nstrip = 'strip'\n"
        f"[properties]\nneeds_exe_wrapper = true\n"
        f"[host_machine]\nsystem = 'linux'\ncpu_family = '{family}'\ncpu = '{family}'\nendian = '{endian}'\n"
    )
    return f"--cross-file={file}"


def program_of(name, compiler, *options, maps="skew,cayley", program=program, link=()):
    """The program with the library in it."""
    done = setup(name, f"-Dmaps={maps}", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    run(["ninja", "-C", str(work / name)])
    out = work / name / "firmware"
    archive = work / name / "core" / "libparametrize-1.a"
    flags = ["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", f"-I{source}/core/include"]
    run([*compiler, *flags, *link, str(program), str(archive), "-lm", "-pthread", "-o", str(out)])
    return out


def native():
    """it is linked, runs, needs no other library, and is small"""
    out = program_of("native", cc)
    assert run([str(out)]) == "ok\n"
    names = set(run(["nm", "-D", "--undefined-only", str(out)]).replace("@", " ").split())
    assert not names & {"dlopen", "open", "fopen", "mmap", "opendir", "stat"}, names
    text, data = (int(n) for n in run(["size", str(out)]).splitlines()[1].split()[:2])
    print(f"# text {text}, data {data}")
    assert text + data < MOST, (text, data)


def maps():
    """a map that is not there is refused with those that are"""
    done = setup("maps", "-Dmaps=skew,cayly")
    assert done.returncode != 0 and 'maps: found "cayly", expected some of bounds, cayley' in done.stdout, done.stdout


def refused():
    """hosts of 32 bits, and big-endian ones where files are needed, are refused in words"""
    done = setup("bits", cross_file("bits", [*cc, "-m32"], "x86"))
    assert done.returncode != 0 and "found a host with pointers of 4 bytes, expected 8" in done.stdout, done.stdout
    done = setup("big", cross_file("big", cc, "s390x", "big"), "-Dprofile=full")
    assert done.returncode != 0 and "found a big-endian host" in done.stdout, done.stdout


def needs(*programs):
    found = [next((name for name in names.split() if shutil.which(name)), None) for names in programs]
    for names, name in zip(programs, found):
        if not name:
            raise Skip(f"{' or '.join(names.split())} is not installed")
    return found


def aarch64():
    """aarch64, under qemu-user"""
    compiler, qemu = needs("aarch64-linux-gnu-gcc", "qemu-aarch64 qemu-aarch64-static")
    out = program_of("aarch64", [compiler], cross_file("aarch64", [compiler], "aarch64"), link=["-static"])
    assert run([qemu, str(out)]) == "ok\n"


def musl():
    """musl, in a program without shared libraries"""
    (compiler,) = needs("musl-gcc")
    out = program_of("musl", [compiler], cross_file("musl", [compiler], "x86_64"), link=["-static"])
    assert run([str(out)]) == "ok\n"


LIST = """
#include <parametrize/parametrize.h>
#include <stdio.h>
int main(void)
{
  pz_context* context;
  pz_parametrization_info info = {.size = sizeof(info)};
  if (pz_context_new(NULL, &context)) return fprintf(stderr, "%s\\n", pz_error_message()), 1;
  for (uint32_t k = 0; pz_context_parametrization(context, k, &info) == PZ_OK; ++k) printf("%s\\n", info.id);
  return pz_context_free(context), 0;
}
"""


def all_maps():
    """every plugin in one program"""
    names = sorted(folder.parent.name for folder in (source / "plugins").glob("*/meson.build") if folder.parent.name != "common")
    ids = set(re.findall(r'\.id = "(\w+)"', "".join(f.read_text() for f in (source / "plugins").rglob("*.c"))))
    (work / "list.c").write_text(LIST)
    out = program_of("all", cc, maps=",".join([*names, names[0]]), program=work / "list.c")
    found = run([str(out)]).split()
    assert len(found) == len(set(found)) and len(ids) > 15 and ids <= set(found), (found, ids)


def clean():
    """leaves nothing behind"""
    shutil.rmtree(work)


main([*{"native": [native, maps, refused], "cross": [all_maps, aarch64, musl]}[sys.argv[1]], clean])
