# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Time of a training step of examples/copying_memory, beside the same network in PyTorch.

Both train on the same batches from the same weights with the same optimizer and number of
threads. First the losses of some steps are compared, from a checkpoint of ours on, with each
other and with PyTorch in float64: rounding of the kernel is raised to the power of the number
of steps, so float32 losses agree to 16 (length + 20) eps, not to eps. Then the two are timed
in turns, and the least time of each is taken. PyTorch evaluates the kernel
once for a step (parametrize.cached), projects the inputs of all steps in one product, and
the outputs in another.

usage: copying_memory.py BUILD_DIR [--length 1000] [--map skew,matrix_exp] [--threads 2]
                         [--rounds 3] [--steps 5]
"""

import argparse
import csv
import json
import pathlib
import re
import subprocess
import tempfile
import time

import numpy
import torch
from torch.nn.utils import parametrize

HIDDEN, BATCH, SYMBOLS, SEED = 190, 128, 10, 1


def mix(z):
    """splitmix64, as in problem.c."""
    with numpy.errstate(over="ignore"):
        z = z + numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


def draw(length, number):
    """Inputs and targets of batch `number`, steps x batch."""
    index = numpy.arange(BATCH * SYMBOLS, dtype=numpy.uint64)
    bits = mix(mix(mix(numpy.array([SEED], numpy.uint64)) ^ numpy.uint64(number)) ^ index)
    symbols = 1 + (bits >> numpy.uint64(61)).astype(numpy.int64).reshape(BATCH, SYMBOLS).T
    x = numpy.zeros((length + 2 * SYMBOLS, BATCH), numpy.int64)
    y = numpy.zeros_like(x)
    x[:SYMBOLS] = symbols
    x[length + SYMBOLS] = 9
    y[length + SYMBOLS :] = symbols
    return torch.from_numpy(x), torch.from_numpy(y)


class Skew(torch.nn.Module):
    def forward(self, x):
        a = x.triu(1)
        return a - a.T


class MatrixExp(torch.nn.Module):
    def forward(self, x):
        return torch.linalg.matrix_exp(x)


class Cayley(torch.nn.Module):
    def forward(self, x):
        i = torch.eye(x.shape[0], dtype=x.dtype)
        return torch.linalg.solve(i - x, i + x)


class Network(torch.nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.zeros(HIDDEN, HIDDEN))
        self.input = torch.nn.Parameter(torch.zeros(HIDDEN, SYMBOLS))
        self.bias = torch.nn.Parameter(torch.zeros(HIDDEN))
        self.out = torch.nn.Linear(HIDDEN, 9)
        for name in maps.split(","):
            map_type = {"skew": Skew, "matrix_exp": MatrixExp, "cayley": Cayley}[name]
            parametrize.register_parametrization(self, "kernel", map_type())

    def forward(self, x):
        z = torch.nn.functional.embedding(x, self.input.T)
        h = torch.zeros(x.shape[1], HIDDEN, dtype=z.dtype)
        states = []
        for step in z.unbind():  # not z[t], whose backward fills a gradient of all steps
            u = torch.addmm(step, h, self.kernel.T)
            h = torch.sign(u) * torch.relu(u.abs() + self.bias)
            states.append(h)
        return self.out(torch.stack(states))


def train_step(net, optimizer, length, number):
    x, y = draw(length, number)
    optimizer.zero_grad()
    with parametrize.cached():
        logits = net(x)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
        loss.backward()
    optimizer.step()
    return loss.item()


def tensors_of(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    types = {"F32": numpy.float32, "F64": numpy.float64}
    out = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = numpy.frombuffer(data[8 + size + begin : 8 + size + end], types[entry["dtype"]])
            out[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return out


def ours(options, out, steps):
    """Runs copying_memory until `steps`; returns ms a step, percent in the maps."""
    program = options.build / "examples" / "copying_memory" / "copying_memory"
    command = [program, "--length", options.length, "--map", options.map, "--seed", SEED]
    command += ["--steps", steps, "--threads", options.threads, "--out", out]
    text = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
    return [float(word) for word in re.search(r"steps of ([\d.]+) ms, ([\d.]+) %", text).groups()]


def make(maps, dtype):
    """The network and its optimizer."""
    net = Network(maps).to(dtype)
    rates = [
        {"params": [p for n, p in net.named_parameters() if "kernel" in n], "lr": 2e-5},
        {"params": [p for n, p in net.named_parameters() if "kernel" not in n], "lr": 2e-4},
    ]
    return net, torch.optim.RMSprop(rates, alpha=0.99, eps=1e-8)


def load(net, optimizer, checkpoint):
    """Weights and squares of our checkpoint; names are PyTorch's."""
    dtype = net.bias.dtype
    tensors = {name: tensor.to(dtype) for name, tensor in tensors_of(checkpoint).items()}
    net.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    for name, parameter in net.named_parameters():
        square = tensors["optimizer." + name.replace(".", ":")]
        optimizer.state[parameter] = {"step": torch.tensor(1.0), "square_avg": square}


def map_time(net):
    """The maps alone, forward and backward, in ms."""
    gradient = torch.randn(HIDDEN, HIDDEN)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        net.kernel.backward(gradient)
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--length", type=int, default=1000)
    parser.add_argument("--map", default="skew,matrix_exp")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    net, optimizer = make(options.map, torch.float32)
    exact = make(options.map, torch.float64)

    bound = 16 * (options.length + 2 * SYMBOLS) * numpy.finfo(numpy.float32).eps
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        ours(options, out, 1)
        load(net, optimizer, out / "checkpoint.safetensors")
        load(*exact, out / "checkpoint.safetensors")
        ours(options, out, 4)
        with open(out / "loss.csv", newline="") as table:
            losses = [float(row["loss"]) for row in csv.DictReader(table)]
        for number in (2, 3, 4):
            here = losses[number - 1]
            theirs = train_step(net, optimizer, options.length, number)
            truth = train_step(*exact, options.length, number)
            print(
                f"step {number}: loss {here:.7f} here ({abs(here / truth - 1):.0e} off), "
                f"{theirs:.7f} in PyTorch ({abs(theirs / truth - 1):.0e}), {truth:.7f} in float64"
            )
            for loss in (here, theirs):
                assert abs(loss / truth - 1) < bound, "the two do not compute the same"

        done, times, pytorch_times = 4, [], []
        for _ in range(options.rounds):
            done += options.steps
            times.append(ours(options, out, done))
            start = time.perf_counter()
            for number in range(options.steps):
                train_step(net, optimizer, options.length, 5 + number)
            pytorch_times.append(1e3 * (time.perf_counter() - start) / options.steps)
        here, share = min(times)
        theirs = min(pytorch_times)
        maps = map_time(net)
        print(f"length {options.length}, {options.map}, {options.threads} threads, ms a step:")
        print(f"  copying_memory   {here:8.1f}  ({share:.1f} % in the maps: {here * share / 100:.1f} ms)")
        print(f"  PyTorch {torch.__version__:9}{theirs:8.1f}  ({100 * maps / theirs:.1f} % in the maps: {maps:.1f} ms)")
        print(f"  ratio            {theirs / here:8.1f}")


main()
