# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Draws the pictures of README.md and of docs/maps, from what the command lists and computes.

usage: pictures.py PARAMETRIZE FOLDER"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
scratch = tempfile.TemporaryDirectory()
work = pathlib.Path(scratch.name)
BLUE, ORANGE, GREY = "#2266aa", "#dd7722", "#999999"
SIDE = 220  # of a panel, in pixels


def apply(chain, x):
    """The values of a chain for a batch of originals."""
    np.save(work / "x.npy", np.ascontiguousarray(x, dtype=np.float64))
    files = [work / "x.npy", "-o", work / "y.npy"]
    subprocess.run([command, "apply", "-p", chain, *files, "--seed", "1", "--force"], check=True)
    return np.load(work / "y.npy")


def line(points, colour):
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{at}" fill="none" stroke="{colour}"/>'


def dots(points, colour):
    return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points)


def panel(number, title, frame, shapes):
    """Panel `number` of a row, with a title above and a grey frame."""
    text = f'<text x="{SIDE / 2}" y="-8" text-anchor="middle">{title}</text>'
    return f'<g transform="translate({20 + number * (SIDE + 40)},30)">{text}{frame}{"".join(shapes)}</g>'


def write(name, panels, width=None, height=SIDE + 45):
    width = width or len(panels) * (SIDE + 40)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    style = 'font-family="sans-serif" font-size="13"'
    text = f'{head} {style}>\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(panels) + "\n</svg>\n"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def grid(limit):
    """Lines of a grid over [-limit, limit]^2, those along the first coordinate, then the others."""
    along = np.linspace(-limit, limit, 37)
    across = np.linspace(-limit, limit, 13)
    first = np.stack(np.broadcast_arrays(along, across[:, None]), -1)
    return first, first[..., ::-1]


def images(chain, limit, place):
    """What a chain makes of a grid, as lines in a panel."""
    shapes = []
    for lines, colour in zip(grid(limit), (BLUE, ORANGE)):
        shapes += [line(place(y), colour) for y in apply(chain, lines)]
    return shapes


def box(low, high):
    """Maps [low, high] of two coordinates to a panel, upwards."""
    low, high = np.array(low, float), np.array(high, float)
    return lambda points: ((points - low) / (high - low) * [1, -1] + [0, 1]) * SIDE


def simplex():
    corners = np.array([[0, SIDE * 0.93], [SIDE, SIDE * 0.93], [SIDE / 2, SIDE * 0.07]])
    frame = line(corners[[0, 1, 2, 0]], GREY)
    panels = []
    for number, chain in enumerate(("simplex", "simplex(map=stick)")):
        panels.append(panel(number, chain, frame, images(chain, 3, lambda y: y @ corners)))
    lines = [np.concatenate([part, np.zeros_like(part[..., :1])], -1) for part in grid(3)]
    shapes = []
    for part, colour in zip(lines, (BLUE, ORANGE)):
        shapes += [line(y @ corners, colour) for y in apply("simplex(map=softmax)", part)]
    panels.append(panel(2, "simplex(map=softmax), x3 = 0", frame, shapes))
    write("maps/simplex.svg", panels)


def stationary():
    place = box([-2, -1], [2, 1])
    frame = line(place(np.array([[-2, -1], [2, -1], [0, 1], [-2, -1]])), GREY)
    write("maps/stationary.svg", [panel(0, "stationary: (a1, a2)", frame, images("stationary", 2, place))])


def rotations():
    """Where e_3 goes, seen from above, along lines of originals."""
    place = box([-1, -1], [1, 1])
    angle = 2 * np.pi * np.arange(121) / 120
    frame = line(place(np.stack([np.cos(angle), np.sin(angle)], -1)), GREY)
    panels = []
    ways = {
        "rotvec": lambda u, v, one: (u, v, 0 * one),
        "quaternion": lambda u, v, one: (2 * one, u, v, 0 * one),
        "6d": lambda u, v, one: (one, 0 * one, u, 0 * one, one, v),
    }
    for number, (way, numbers) in enumerate(ways.items()):
        shapes = []
        for part, colour in zip(grid(1.5), (BLUE, ORANGE)):
            u, v = part[..., 0], part[..., 1]
            y = apply(f"rotation3(from={way})", np.stack(numbers(u, v, np.ones_like(u)), -1))
            shapes += [line(place(points), colour) for points in y[..., :2, 2]]
        panels.append(panel(number, f"rotation3(from={way})", frame, shapes))
    write("maps/rotations.svg", panels)


def eigenvalues():
    random = np.random.default_rng(1)
    x = random.normal(size=(24, 24)) / 3
    circle = np.exp(2j * np.pi * np.arange(121) / 120)
    panels = []
    for number, (chain, high) in enumerate((("skew,cayley", 1.2), ("skew,matrix_exp", 1.2), ("symmetric,matrix_exp", 9))):
        found = sorted(np.linalg.eigvals(apply(chain, x)), key=lambda z: (round(z.imag, 6), z.real))
        found = np.array(found)
        half = (high + 1.2) / 2
        place = box([-1.2, -half], [high, half])
        frame = line(place(np.stack([circle.real, circle.imag], -1)), GREY)
        shapes = [dots(place(np.stack([found.real, found.imag], -1)), BLUE)]
        panels.append(panel(number, chain, frame, shapes))
    write("maps/eigenvalues.svg", panels)


def singular_values():
    random = np.random.default_rng(2)
    x = random.normal(size=(32, 32)) / 4
    index = np.arange(32)
    place = box([-1, 0], [32, 3])
    frame = line(place(np.array([[-1, 3], [-1, 0], [32, 0]])), GREY) + line(place(np.array([[-1, 1], [32, 1]])), GREY)
    panels = []
    before = np.linalg.svd(x)[1]
    for number, chain in enumerate(("orthogonal", "spectral_norm(n_power_iterations=50)")):
        after = np.linalg.svd(apply(chain, x))[1]
        shapes = [dots(place(np.stack([index, s], -1)), c) for s, c in ((before, GREY), (after, BLUE))]
        panels.append(panel(number, chain, frame, shapes))
    write("maps/singular_values.svg", panels)


def sample(chain, n):
    files = ["-o", work / "y.npy", "--dtype", "float64", "--seed", "1", "--force"]
    subprocess.run([command, "sample", "-p", chain, str(n), str(n), *files], check=True)
    return np.load(work / "y.npy")


def bars(place, n, shapes):
    """A frame over n indices, with a line at 1."""
    low, high = place(np.array([[-1, 0], [n, 0]])), place(np.array([[-1, 1], [n, 1]]))
    top = place(np.array([[-1, 3], [-1, 0]]))
    return line(np.concatenate([top, low]), GREY) + line(high, GREY), shapes


def factors():
    n = 32
    place = box([-1, 0], [n, 3])
    panels = []
    chains = ("low_rank(rank=8)", "general_linear", "special_linear", "almost_orthogonal(radius=0.25)")
    for number, chain in enumerate(chains):
        found = np.linalg.svd(sample(chain, n))[1]
        found, index = found[found <= 3], np.arange(n)[found <= 3]
        panels.append(panel(number, chain, *bars(place, n, [dots(place(np.stack([index, found], -1)), BLUE)])))
    write("maps/factors.svg", panels)


def nearest():
    n = 32
    x = np.random.default_rng(2).normal(size=(n, n)) / 4
    place = box([-1, 0], [n, 3])
    panels = []
    for number, chain in enumerate(("polar", "lipschitz", "doubly_stochastic, sums of rows")):
        if number < 2:
            pairs = (np.linalg.svd(z)[1] for z in (x, apply(chain, x)))
        else:
            wide = np.exp(6 * x)
            pairs = (n * wide.sum(1) / wide.sum(), apply("doubly_stochastic", 6 * x).sum(1))
        shapes = [dots(place(np.stack([np.arange(n), s], -1)), colour) for s, colour in zip(pairs, (GREY, BLUE))]
        panels.append(panel(number, chain, *bars(place, n, shapes)))
    write("maps/nearest.svg", panels)


def stable():
    x = np.random.default_rng(3).normal(size=(24, 24)) / 5
    circle = np.exp(2j * np.pi * np.arange(121) / 120)
    panels = []
    for number, (chain, edge, low, high) in enumerate(
        (("hurwitz", np.array([-6j, 6j]), [-11.4, -6], [0.6, 6]), ("schur_stable", circle, [-1.2, -1.2], [1.2, 1.2]))
    ):
        place = box(low, high)
        found = np.linalg.eigvals(apply(chain, x))
        found = np.array(sorted(found, key=lambda z: (round(z.imag, 6), z.real)))
        parts = [np.stack([z.real, z.imag], -1) for z in (edge, found)]
        panels.append(panel(number, chain, line(place(parts[0]), GREY), [dots(place(parts[1]), BLUE)]))
    write("maps/stable.svg", panels)


def masks():
    """What masks leave of a random original."""
    n = 16
    x = np.random.default_rng(3).normal(size=(n, n))
    side = SIDE / n
    frame = line(np.array([[0, 0], [n, 0], [n, n], [0, n], [0, 0]]) * side, GREY)
    panels = []
    for number, chain in enumerate(("mask", "magnitude", "n_of_m")):
        y = apply(chain, x)
        shapes = []
        for i, j in zip(*np.nonzero(y)):
            size = side * min(abs(y[i, j]), 2) / 2
            corner = f'x="{(j + 0.5) * side - size / 2:.1f}" y="{(i + 0.5) * side - size / 2:.1f}"'
            colour = BLUE if y[i, j] > 0 else ORANGE
            shapes.append(f'<rect {corner} width="{size:.1f}" height="{size:.1f}" fill="{colour}"/>')
        panels.append(panel(number, chain, frame, shapes))
    write("maps/masks.svg", panels)


def house():
    """The parts of the library, from the program down to the devices."""
    listed = subprocess.run([command, "list", "--json"], check=True, capture_output=True, text=True).stdout
    ids = sorted(one["id"] for one in json.loads(listed)["parametrizations"] if one["tags"] != "chain")
    rows = [" ".join(ids[k : k + 8]) for k in range(0, len(ids), 8)]
    floors = [
        ("your program", ["C, C++, or any language with a C interface"], GREY),
        ("module", ["named tensors: values cached, gradients, saved and loaded"], BLUE),
        ("chain", ["stages from originals to value: skew, cayley"], BLUE),
        ("plugins", rows, ORANGE),
        ("operations", ["checked; by the backend itself, from its others, or on the host"], BLUE),
        ("backends", ["reference cpu opencl cuda"], ORANGE),
    ]
    at, parts = 10.0, []
    for number, (name, lines, colour) in enumerate(floors):
        height = 14 + 18 * len(lines)
        if number:
            parts.append(line([(70, at), (70, at + 16)], GREY) + line([(66, at + 11), (70, at + 16), (74, at + 11)], GREY))
            at += 18
        parts.append(f'<rect x="10.0" y="{at}" width="700.0" height="{height}.0" rx="4" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="20.0" y="{at + height / 2 + 4.5}" font-weight="bold" fill="{colour}">{name}</text>')
        parts += [f'<text x="130.0" y="{at + 20 + 18 * k}">{text}</text>' for k, text in enumerate(lines)]
        at += height
    write("house.svg", parts, 720, int(at) + 10)


def signal():
    """How long a signal is after many steps h <- W h."""
    random = np.random.default_rng(3)
    n, steps = 64, 200
    x, h = random.normal(size=(n, n)) / n**0.5, random.normal(size=n)
    place = box([0, -10], [steps, 10])
    frame = line(place(np.array([[0, 10], [0, -10], [steps, -10]])), GREY)
    panels = []
    for number, (title, kernels) in enumerate(
        (("W plain, three scales", (0.8 * x, 1.0 * x, 1.25 * x)), ("W = skew,cayley of the same", [apply("skew,cayley", s * x) for s in (0.8, 1, 1.25)]))
    ):
        shapes = []
        for w in kernels:
            state, sizes = h / np.linalg.norm(h), []
            for step in range(0, steps, 2):
                sizes.append([step, np.log10(np.linalg.norm(state))])
                state = w @ (w @ state)
            sizes = np.array(sizes)
            shapes.append(line(place(sizes[np.abs(sizes[:, 1]) <= 10]), (ORANGE, BLUE)[number]))
        shapes.append(f'<text x="{SIDE}.0" y="{SIDE + 12}.0" text-anchor="end" font-size="11">200 steps</text>')
        shapes += [f'<text x="4.0" y="{y}" font-size="11">{text}</text>' for y, text in ((12.0, "10^10"), (SIDE - 5.0, "10^-10"))]
        panels.append(panel(number, title, frame, shapes))
    write("signal.svg", panels)


for draw in house, signal, simplex, stationary, rotations, eigenvalues, singular_values, factors, nearest, stable, masks:
    draw()
