# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Includes and calls in core/ run down only. usage: rooms.py SOURCE_DIR NM ARCHIVE...

The table `rooms` of core/meson.build says what each room may use. The archives are those of
the rooms, libcore-ROOM.a. Function pointers that an upper room hands down at run time are no
calls here. A planted violation of every rule shows that the rule works."""

import ast
import pathlib
import re
import shutil
import sys
import tempfile

from tap import main, run

root = pathlib.Path(sys.argv[1])
nm, *archives = sys.argv[2:]

# The one call that runs up: a context registers the built-in backend by its descriptor.
built_in = ("loader", "reference", "pz_plugin_v1_reference")

# Files of one room (without .c) that may call each other both ways.
circles_allowed = [
    # A composition runs operations, which may be composed themselves: recursion by design.
    (
        "ops",
        "compose compose_elementwise compose_inverse compose_matrix compose_product dispatch dispatch_host mat_ops",
    ),
]

standard_headers = set(
    # C11
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign "
    "stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar "
    "wchar wctype "
    # POSIX.1-2017
    "aio cpio dirent dlfcn fcntl fmtmsg fnmatch ftw glob grp iconv langinfo libgen monetary mqueue "
    "ndbm netdb nl_types poll pthread pwd regex sched search semaphore spawn strings stropts syslog "
    "tar termios trace ulimit unistd utime utmpx wordexp".split()
)


def read_rooms(core):
    """What each room may use, lowest room first."""
    text = (core / "meson.build").read_text()
    return ast.literal_eval(re.search(r"^rooms = (\{.*?^\})", text, re.M | re.S).group(1))


# ---- includes ---------------------------------------------------------------------------


def wrong_table(rooms):
    """Rooms that may use a room which does not lie below them."""
    names = list(rooms)
    return [
        f"{room} may use {other}, which is not below it"
        for i, room in enumerate(names)
        for other in rooms[room]
        if other not in names[:i]
    ]


def wrong_files(core, rooms):
    """Files in the wrong place or of a wrong name."""
    room = re.compile(rf"({'|'.join(rooms)})/([a-z0-9_]+\.[ch]|meson\.build)")
    top = re.compile(r"README\.md|meson\.build|parametrize\.map|cmake/\w+\.cmake\.in|include/parametrize/[a-z0-9_]+\.h(pp)?")
    files = sorted(f.relative_to(core).as_posix() for f in core.rglob("*") if not f.is_dir())
    found = [f"{f} lies in no room" for f in files if not room.fullmatch(f) and not top.fullmatch(f)]
    rooms_of = {}
    for f in files:
        if room.fullmatch(f) and f.endswith(".h"):
            rooms_of.setdefault(f.split("/")[1], []).append(f.split("/")[0])
    for name, places in rooms_of.items():
        if len(places) > 1:
            found.append(f"{name} lies in {' and '.join(places)}")
        if name[:-2] in standard_headers:
            found.append(f"{places[0]}/{name} has the name of a system header")
    return found


def read_includes(text):
    """What the include directives of a file name, macros unexpanded."""
    text = re.sub(r"\\\n", "", text)
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    directive = re.compile(r"^[ \t]*(?:#|%:|\?\?=)[ \t]*(?:include|include_next|import)\b[ \t]*(.*?)[ \t]*$", re.M)
    return directive.findall(text)


def wrong_includes(core, rooms):
    """Includes that are not "NAME.h" of a room that the including one may use, <parametrize/NAME.h>
    or <NAME> of a system header."""
    room_of = {header.name: header.parent.name for header in core.glob("*/*.h")}
    public = {f"<parametrize/{header.name}>" for header in core.glob("include/parametrize/*.h")}
    system = re.compile(r"<(?!parametrize/)((?:[a-z0-9_]+/)*([A-Za-z0-9_]+\.h)|initializer_list)>")
    found = []
    for file in sorted([*core.glob("*/*.[ch]"), *core.glob("include/parametrize/*.h")]):
        room = file.parent.name
        for name in read_includes(file.read_text()):
            target = room_of.get(name[1:-1]) if name[:1] == '"' else None
            of_system = system.fullmatch(name)
            if target and target != room and target not in rooms.get(room, []):
                found.append(f"{room}/{file.name} includes {target}/{name[1:-1]}")
            elif not target and name not in public and not (of_system and of_system.group(2) not in room_of):
                found.append(f"{room}/{file.name} includes {name}, no header of a room, of the API or of the system")
    return found


# ---- calls ------------------------------------------------------------------------------


def read_symbols(texts):
    """From the output of nm for each room: its files' defined and undefined symbols."""
    line = re.compile(r"^.*?\[(?:[^\]]*/)?([^/\]]+)\.o\]: (\S+) (\S)", re.M)
    symbols = {}
    for room, text in texts.items():
        for file, name, kind in line.findall(text):
            name_in_room = re.sub(rf"^(\.\._backends_)?{room}_", "", file)
            defined, undefined = symbols.setdefault((room, name_in_room), (set(), set()))
            if kind in "TDBRCGSWVi":
                defined.add(name)
            elif kind in "Uwv":
                undefined.add(name)
    return symbols


def read_calls(symbols):
    """Triples of a caller, a callee (each a room and a file) and the symbol between them."""
    owner = {name: file for file, (defined, _) in symbols.items() for name in defined}
    return [
        (file, owner[name], name)
        for file, (_, undefined) in symbols.items()
        for name in sorted(undefined & owner.keys())
        if owner[name] != file
    ]


def wrong_calls(calls, rooms):
    """Uses of a symbol of a room that the using one may not use."""
    return [
        f"{room}/{file} uses {name} of {target}/{target_file}"
        for (room, file), (target, target_file), name in calls
        if target != room and target not in rooms.get(room, []) and (room, target, name) != built_in
    ]


def circles(arrows):
    """The sets of nodes that reach each other, of more than one node."""
    after = {}
    for a, b in arrows:
        after.setdefault(a, set()).add(b)

    def reached(start):
        seen, todo = set(), [start]
        while todo:
            new = after.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return seen

    reach = {node: reached(node) for node in after}
    found = {frozenset({b for b in reach[a] if a in reach.get(b, ())}) for a in after}
    return sorted(sorted(circle) for circle in found if len(circle) > 1)


def wrong_circles(calls, allowed):
    """Circles of rooms, and circles of one room's files that are not allowed."""
    between = {(a[0], b[0]) for a, b, name in calls if a[0] != b[0] and (a[0], b[0], name) != built_in}
    found = [f"circle of rooms: {' '.join(circle)}" for circle in circles(between)]
    for circle in circles({(a, b) for a, b, _ in calls if a[0] == b[0]}):
        room, files = circle[0][0], [file.removesuffix(".c") for _, file in circle]
        if not any(room == r and set(files) <= set(names.split()) for r, names in allowed):
            found.append(f"circle in {room}: {' '.join(files)}")
    return found


# ---- tests ------------------------------------------------------------------------------


def complain(found):
    assert not found, "\n".join(found)


def archive_calls():
    texts = {}
    for archive in archives:
        room = re.fullmatch(r"libcore-(\w+)\.a", pathlib.Path(archive).name).group(1)
        texts[room] = run([nm, "-A", "-P", archive])
    symbols = read_symbols(texts)
    rooms = read_rooms(root / "core")
    assert {room for room, _ in symbols} == {*rooms, "reference"}, "an archive is missing or empty"
    found = read_calls(symbols)
    assert built_in in {(a[0], b[0], name) for a, b, name in found}, f"{built_in} is not called any more"
    return found


def files():
    """every file lies in a room, and no header shares its name with another"""
    complain(wrong_files(root / "core", read_rooms(root / "core")))


def includes():
    """includes run down only"""
    rooms = read_rooms(root / "core")
    complain(wrong_table(rooms) + wrong_includes(root / "core", rooms))


def calls():
    """calls run down only"""
    complain(wrong_calls(archive_calls(), read_rooms(root / "core")))


def no_circles():
    """no rooms, and no files of one room, call each other both ways"""
    complain(wrong_circles(archive_calls(), circles_allowed))


def planted_files():
    """a file in the wrong place, a wrong name and a wrong include are found"""
    with tempfile.TemporaryDirectory() as folder:
        core = pathlib.Path(folder) / "core"
        shutil.copytree(root / "core", core)
        rooms = read_rooms(core)
        top = list(rooms)[-1]
        (core / "base" / "twin.h").write_text("")
        (core / top / "twin.h").write_text("")
        (core / "base" / "string.h").write_text("")
        strays = ["attic/old.h", "base/part.inc", "base/sub/deep.c", "include/deep.h", "stray.c"]
        for name in strays:
            (core / name).parent.mkdir(exist_ok=True)
            (core / name).write_text("")
        expected = [f"{name} lies in no room" for name in strays]
        expected += [f"twin.h lies in base and {top}", "base/string.h has the name of a system header"]
        assert sorted(wrong_files(core, rooms)) == sorted(expected), wrong_files(core, rooms)

        (core / "base" / "string.h").unlink()
        (core / top / "lid.h").write_text("")
        (core / "base" / "up.c").write_text('#include "lid.h"\n# /* */ include "lid.h"\n#inc\\\nlude "lid.h"\n')
        others = ["<lid.h>", '"../file/json.h"', "<../file/json.h>", "LID", '"/lid.h"', "<parametrize/lid.h>", "<lid.c>"]
        lines = [f"%: include_next {name}" for name in others]
        (core / "base" / "wrong.h").write_text("\n".join(lines))
        (core / "include" / "parametrize" / "wrong.h").write_text('#include "lid.h"')
        expected = [f"base/up.c includes {top}/lid.h"] * 3 + [f"parametrize/wrong.h includes {top}/lid.h"]
        expected += [f"base/wrong.h includes {name}, no header of a room, of the API or of the system" for name in others]
        assert sorted(wrong_includes(core, rooms)) == sorted(expected), wrong_includes(core, rooms)
    assert wrong_table({"a": ["b"], "b": []}) == ["a may use b, which is not below it"]


def planted_calls():
    """a call upward, a circle of rooms and one of files are found, in archives of both kinds"""
    rooms = {"base": [], "loader": ["base"]}
    texts = {
        "base": "x.a[x.a.p/base_text.c.o]: text T 0 1\nx.a[x.a.p/base_text.c.o]: open U         \n",
        "loader": "y.a[loader_open.c.o]: open T 0 1\ny.a[loader_open.c.o]: text U         \n"
        "y.a[loader_open.c.o]: close U         \ny.a[loader_open.c.o]: pz_plugin_v1_reference U\n"
        "y.a[loader_close.c.o]: close T 0 1\ny.a[loader_close.c.o]: open U         \n",
        "reference": "z.a[.._backends_reference_r.c.o]: pz_plugin_v1_reference D 0 1\n",
    }
    found = read_calls(read_symbols(texts))
    assert wrong_calls(found, rooms) == ["base/text.c uses open of loader/open.c"], found
    circle = "circle in loader: close open"
    assert wrong_circles(found, []) == ["circle of rooms: base loader", circle], found
    assert circle not in wrong_circles(found, [("loader", "close open other")])
    assert circle in wrong_circles(found, [("base", "close open"), ("loader", "close")])


main([files, includes, calls, no_circles, planted_files, planted_calls])
