# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""list, info, doctor and the help texts."""

import json
import os
import pathlib
import re

from command import *
from tap import main

# Files of several parametrizations; the others have a file of their own.
groups = {
    "bounds": ["interval", "lower_bound", "positive", "upper_bound"],
    "covariance": ["cholesky", "correlation", "psd", "pseudo_inertia"],
    "factors": ["almost_orthogonal", "fixed_rank", "general_linear", "grassmannian", "low_rank", "lu", "special_linear"],
    "nearest": ["doubly_stochastic", "lipschitz", "polar"],
    "networks": ["dora", "lora", "magnitude", "mask", "n_of_m", "oft"],
    "rotations": ["pose3", "rotation3"],
    "series": ["stable_diagonal", "stationary", "toeplitz"],
    "stable": ["hurwitz", "schur_stable"],
    "vectors": ["ordered", "positive_ordered", "simplex", "sphere", "sum_to_zero"],
}
file_of = {id: file for file, ids in groups.items() for id in ids}
parametrizations = sorted(
    ["cayley", "matrix_exp", "orthogonal", "pruning", "skew", "spectral_norm", "symmetric", "weight_norm", *file_of]
)


def listing():
    """list shows parametrizations, kin together, then devices, each with its file, in aligned columns"""
    out = good("list")
    first, second = out.split("\n\n")
    rows = first.splitlines()
    assert rows[0].split() == ["parametrization", "tags", "version", "summary", "file"], rows[0]
    kin = [re.split(r" {2,}", row)[1] for row in rows[1:]]
    assert kin == sorted(kin), kin
    words, rows[1:3] = rows[1:3], []
    assert [row.split()[:2] for row in words] == [["view", "chain"], ["back", "chain"]], words
    assert all(row.endswith("  (part of the library)") for row in words), words
    assert sorted(row.split()[0] for row in rows[1:]) == parametrizations, first
    for row in rows[1:]:
        assert re.fullmatch(r"\S+ +\S.* +\d+\.\d+\.\d+ +\S.* {2,}/\S.*\.so", row), row
        assert os.path.isfile(row.split()[-1]), row
        assert row.index("/") == rows[0].index("file") or row.rindex(" /") + 1 == rows[0].index("file"), row
    rows = second.splitlines()
    assert rows[0].split() == ["device", "hardware", "libraries", "file"], rows[0]
    assert "reference" in [row.split()[0] for row in rows[1:]], second
    assert not any(row != row.rstrip() for row in out.splitlines())


def tags():
    """list --tag shows the parametrizations with this tag alone"""
    out = good("list", "--tag", "norm")
    for name in parametrizations:
        assert (f"\n{name} " in out) == (name in ("lipschitz", "weight_norm", "spectral_norm")), out
    assert 'has the tag "nor"' in good("list", "--tag", "nor")
    rows = good("list", "--tag", "chain").split("\n\n")[0].splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["view", "back"], rows
    assert 'has the tag ""' in good("list", "--tag", "")


def narrow():
    """on a narrow terminal the last column is on lines of its own, nothing is cut"""
    out = good("list", env={**environment, "COLUMNS": "100"})
    plain = good("list")
    assert out.split() == plain.split()
    assert any(re.fullmatch(r" +/\S+", line) for line in out.splitlines()), out
    for bad in "0", "-1", "x", "":
        assert good("list", env={**environment, "COLUMNS": bad}) == plain


def information():
    """info shows summary, formula, options, abilities and file of every parametrization"""
    for name in parametrizations:
        out = good("info", name)
        assert re.match(rf"{name} \d+\.\d+\.\d+\n  \S", out), out
        for heading in "options", "offers", "file":
            assert f"\n\n{heading}\n  " in out, out
        assert "vjp" in out and f"/{file_of.get(name, name)}.so\n" in out, out
        assert out.endswith("\n") and not out.endswith("\n\n")
    out = good("info", "pruning")
    assert re.search(r"^  name +type +default +range +meaning$", out, re.M), out
    assert re.search(r"^  p_drop +real +\S+ +0 \.\. 1 +\S", out, re.M), out
    assert re.search(r"^  seed +integer +0 +", out, re.M), out
    assert re.search(r"^  signs +flag +0 ", good("info", "cayley"), re.M)
    for word in "view", "back":
        out = good("info", word)
        assert re.match(rf"{word} \d+\.\d+\.\d+\n  \S", out), out
        assert out.endswith("\n\nfile\n  (part of the library)\n"), out
        assert "options\n" not in out and "offers" not in out, out
    assert "rows=0, cols=*" in good("info", "view")


def operations():
    """info --device shows how each operation is computed"""
    out = good("info", "--device", "reference")
    rows = {line.split()[0]: line.split()[1:] for line in out.split("\n\n")[1].splitlines()}
    assert rows["operation"] == ["float32", "float64"], out
    assert rows["gemm"] == ["native", "native"], out
    assert {word for key, row in rows.items() if key != "operation" for word in row} <= {
        "native", "composed", "host", "unsupported",
    }, out  # fmt: skip
    assert len(rows) > 25, out
    both = good("info", "skew", "--device", "reference")
    assert both.startswith("skew ") and "\ngemm " in both, both


def doctor():
    """doctor names every file and folder, loaded or why not, and exits 0"""
    path = work / "plugins"
    path.mkdir()
    (path / "text.so").write_text("no shared object\n")
    (path / "folder.so").mkdir()
    (path / "notes.txt").write_text("not searched\n")
    gone = work / "gone"
    mine = {**environment, "PARAMETRIZE_PLUGIN_PATH": f"{path}:relative:{gone}"}
    out = good("doctor", env=mine)
    for name in parametrizations:
        assert re.search(rf"^  loaded      /\S*/{file_of.get(name, name)}\.so: .*\b{name}\b", out, re.M), out
    for name in "text.so", "folder.so":
        assert re.search(rf"^  not loaded  {path}/{name}\n {{14}}\S", out, re.M), out
    for text in "PARAMETRIZE_PLUGIN_PATH", "relative", str(gone):
        assert text in out, out
    assert "notes.txt" not in out
    loaded = len(re.findall(r"^  loaded      ", out, re.M))
    assert re.search(rf"^\d+ searched, {loaded} loaded$", out, re.M), out
    assert good("list", env=mine) == good("list")
    order = out.split("devices, in the order in which auto tries them\n")[1].splitlines()
    ranks = [line.split()[:3] for line in order]
    assert ["cpu", "priority", "100"] in ranks and ["reference", "priority", "1"] in ranks, order
    assert re.search(r"^  cpu +priority 100 +\w+ loops; ", out, re.M), order
    assert out.startswith(f"parametrize {good('--version').split()[-1]}, "), out
    out = good("doctor", env={**environment, "PARAMETRIZE_DEVICE": "reference,nothing", "LD_PRELOAD": "", "OPENBLAS_NUM_THREADS": "1\n2"})
    assert re.search(r"tries them\n  reference +PARAMETRIZE_DEVICE", out, re.M), out
    for line in "  PARAMETRIZE_DEVICE=reference,nothing", "  OPENBLAS_NUM_THREADS=1\\x0a2", "  LD_PRELOAD=":
        assert line in out.splitlines(), (line, out)
    folder("elsewhere")
    refused("info", "nothing", env=mine, says=["nothing", str(path)])


def helps():
    """every help goes to the standard output, and names every option"""
    whole = good("--help")
    assert whole == good("help") == good("-h") == good("help", "--help")
    assert re.fullmatch(r"parametrize \d+\.\d+\.\d+\n", good("--version"))
    names = re.findall(r"^  (\w+) +\S", whole, re.M)
    assert names == ["list", "info", "doctor", "apply", "invert", "vjp", "jvp", "logdet", "sample", "bake", "constrain", "inspect", "new", "check", "bench", "generate", "help"], names
    for name in names[:-1]:
        out = good(name, "--help")
        assert out == good("help", name) == good(name, "-h") == good(name, "x", "--help", "--bogus")
        assert out.startswith(f"usage: parametrize {name}"), out
    for line in whole.splitlines() + good("apply", "--help").splitlines() + good("bake", "--help").splitlines():
        assert len(line) <= 90, line
    for name in "apply", "invert", "vjp", "sample":
        out = good(name, "--help")
        for option in "-p, --parametrization", "-o, --output", "--state", "--seed", "--device", "--force":
            assert option in out, (name, option)
    for option in "--map", "--lenient", "--device", "-o, --output", "--force":
        assert option in good("bake", "--help"), option
        assert (option in good("inspect", "--help")) == (option[2:3] in "mld"), option
    assert "--grad" in good("vjp", "--help") and "--dtype" in good("sample", "--help")


def times():
    """bench prints the time of a chain, and of the yardsticks"""
    folder("times")
    out = good("bench", "-p", "skew,cayley", "-n", "5", "-b", "33", "--device", "reference")
    assert out.startswith("skew,cayley, float32, 33 of 5 x 5 on reference\n"), out
    lines = {line.split()[0]: line for line in out.splitlines()[2:]}
    assert sorted(lines) == ["copy", "forward", "forward+vjp", "product"], out
    ends = {
        "copy": r"GB/s at best",
        "product": r"GFLOP/s at best, the peak, of 256 x 256",
        "forward": r"% of the bound, (products at the peak|bytes( from (cache|memory))?)",
        "forward+vjp": r"% of the bound, (products at the peak|bytes( from (cache|memory))?); vjp [\d.-]+ times forward",
    }
    for name, end in ends.items():
        numbers = [float(number) for number in re.findall(r"([\d.]+) us", lines[name])]
        assert len(numbers) == 3 and 0 < numbers[1] <= numbers[0] <= numbers[2], lines[name]
        assert re.search(end + "$", lines[name]), lines[name]
    out = good("bench", "-p", "weight_norm", "-n", "4", "--dtype", "float64")
    assert "1 of 4 x 4" in out and "which leaves out the arithmetic" in out, out
    refused("bench", "-p", "bench_copy", "-n", "3", says="no vjp")


def for_programs():
    """--json prints what list, info, doctor and bench print"""
    folder("for_programs")
    everything = json.loads(good("list", "--json"))
    assert sorted(one["id"] for one in everything["parametrizations"]) == sorted(parametrizations + ["back", "view"]), everything
    assert all(os.path.isfile(one["path"]) or one["tags"] == "chain" for one in everything["parametrizations"]), everything
    devices = {one["name"]: one for one in everything["devices"]}
    assert devices["reference"]["usable"] is True and devices["reference"]["float64"] is True, devices
    assert all(one["usable"] or one["reason"] for one in devices.values()), devices
    assert [one["id"] for one in json.loads(good("list", "--json", "--tag", "skew"))["parametrizations"]] == ["skew"]
    info = json.loads(good("info", "pruning", "--device", "reference", "--json"))
    options = {one["name"]: one for one in info["parametrization"]["options"]}
    assert (options["p_drop"]["type"], options["p_drop"]["default"], options["p_drop"]["range"]) == ("real", "0.5", "0 .. 1")
    assert "residual" in info["parametrization"]["offers"] and "log_abs_det" not in info["parametrization"]["offers"], info
    operations = {one["name"]: one for one in info["device"]["operations"]}
    assert operations["gemm"]["float64"] == "native" and info["device"]["name"] == "reference", info
    path = work / "for_programs" / 'quote"s'
    path.mkdir()
    bad = path / "bad.so"
    bad.write_text("no plugin")
    report = json.loads(good("doctor", "--json", env={**environment, "PARAMETRIZE_PLUGIN_PATH": str(path)}))
    files = {one["path"]: one for one in report["files"]}
    assert files[str(bad)]["loaded"] is False and files[str(bad)]["reason"], files
    assert report["environment"]["PARAMETRIZE_PLUGIN_PATH"] == str(path), report["environment"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", report["version"]) and report["devices"], report
    times = json.loads(good("bench", "-p", "skew", "-n", "5", "--device", "reference", "--json"))
    assert (times["chain"], times["dtype"], times["shape"]) == ("skew", "float32", [1, 5, 5]), times
    for one in times["seconds"]:
        assert 0 < one["quartile1"] <= one["median"] <= one["quartile3"] < 1, one
        assert (one["of"] in ("forward", "forward+vjp")) == ("bound" in one), one


main([for_programs, listing, tags, narrow, information, operations, doctor, helps, times])
