# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""An orthogonal recurrent network in PyTorch, with the map of PyTorch and with those of this library.

The network sees ten symbols, then LENGTH blanks, and has to repeat the symbols. Its recurrent kernel is an
orthogonal matrix. Every way starts from the same kernel and sees the same batches. For each the loss is
printed, the time of a step, and what of it the map takes, forward and backward.

usage: copying_memory.py [--length 200] [--hidden 190] [--batch 128] [--steps 20] [--csv losses.csv]
"""

import argparse
import time

import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal

import parametrize.torch as pt

SYMBOLS, BLANK, MARK = 8, 8, 9

WAYS = {
    "PyTorch, matrix_exp": lambda cell: orthogonal(cell, "kernel", "matrix_exp"),
    "this library, matrix_exp": lambda cell: pt.orthogonal(cell, "kernel", "matrix_exp"),
    "PyTorch, cayley": lambda cell: orthogonal(cell, "kernel", "cayley"),
    "this library, cayley": lambda cell: pt.orthogonal(cell, "kernel", "cayley"),
    "this library, skew,cayley": lambda cell: pt.register_parametrization(cell, "kernel", "skew,cayley"),
}


class Network(nn.Module):
    """h <- modrelu(h kernel + U x), y = V h, x one-hot."""

    def __init__(self, hidden):
        super().__init__()
        a = torch.randn(hidden, hidden).triu(1) / hidden**0.5
        self.kernel = nn.Parameter(torch.linalg.matrix_exp(a - a.T))
        self.input = nn.Embedding(MARK + 1, hidden)
        nn.init.normal_(self.input.weight, std=hidden**-0.5)
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output = nn.Linear(hidden, SYMBOLS + 1)

    def forward(self, symbols):
        kernel = self.kernel  # computed once a step
        h = torch.zeros(symbols.shape[1], kernel.shape[0])
        outputs = []
        for x in self.input(symbols):
            z = torch.addmm(x, h, kernel)
            h = torch.sign(z) * torch.relu(z.abs() + self.bias)
            outputs.append(h)
        return self.output(torch.stack(outputs[-10:]))


def batch(length, size, generator):
    """Symbols (length + 20, size) and the ten to repeat (10, size)."""
    wanted = torch.randint(SYMBOLS, (10, size), generator=generator)
    blanks = torch.full((length + 10, size), BLANK)
    blanks[length - 1] = MARK
    return torch.cat([wanted, blanks]), wanted


def train(register, options):
    torch.manual_seed(1)
    network = register(Network(options.hidden))
    optimizer = torch.optim.RMSprop(network.parameters(), lr=1e-3, alpha=0.9)
    generator = torch.Generator().manual_seed(2)
    losses, times, maps = [], [], []
    for _ in range(options.steps):
        symbols, wanted = batch(options.length, options.batch, generator)
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(symbols).flatten(0, 1), wanted.flatten())
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
        losses.append(loss.item())
        # The map once more, by itself.
        gradient = torch.randn(options.hidden, options.hidden)
        begin = time.perf_counter()
        torch.autograd.grad(network.kernel, list(network.parametrizations.kernel.parameters()), gradient)
        maps.append(time.perf_counter() - begin)
    return losses, min(times), min(maps)


def main():
    parser = argparse.ArgumentParser(description="Trains an orthogonal recurrent network in several ways.")
    for name, default in (("length", 200), ("hidden", 190), ("batch", 128), ("steps", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--csv", help="writes all losses to this file")
    options = parser.parse_args()
    found = {}
    print(f"{'':26} first loss  last loss  step [ms]  map [ms]  share")
    for way, register in WAYS.items():
        losses, step, share = found[way] = train(register, options)
        print(f"{way:26} {losses[0]:10.4f} {losses[-1]:10.4f} {step * 1e3:10.1f} {share * 1e3:9.2f} {share / step:6.1%}")
    if options.csv:
        with open(options.csv, "w") as file:
            print("step", *(way.replace(",", "") for way in found), sep=",", file=file)
            for k in range(options.steps):
                print(k, *(losses[k] for losses, _, _ in found.values()), sep=",", file=file)


if __name__ == "__main__":
    main()
