# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""skew,cayley and skew,matrix_exp on a GPU, this library's and PyTorch's by turns in one run.

usage: gpu.py BUILD [DEVICE [N | BATCHxN ...]]
       (default cuda:0 64 256 1024 4096 4096x32 65536x3)

Both work on one CUDA stream and on the same float32 matrices. First values and gradients must
agree, to 1e-3 of the largest entry. Then prints milliseconds of forward and of forward and vjp,
the original changed before each: the best of 7 rounds, each the mean of several steps between two
synchronizations; and how many times PyTorch's time it is. DEVICE "cpu" tries the program itself on
a machine without a GPU. Needs NumPy and PyTorch.
"""

import ctypes as C
import sys
import time

import numpy as np
import torch

from library import ORIGINAL, Chain, Device, Library, Tensor

ROUNDS = 7
CUDA = 2
SHAPES = "64", "256", "1024", "4096", "4096x32", "65536x3"


class Native(C.Structure):
    _fields_ = [("size", C.c_uint32), ("reserved", C.c_uint32), ("stream", C.c_void_p)]


def view(x):
    """A pz_tensor on the memory of a contiguous float32 tensor, which must outlive it."""
    shape = (C.c_int64 * x.ndim)(*x.shape)
    device = Device(CUDA, x.device.index) if x.is_cuda else Device(1, 0)
    return Tensor(x.data_ptr(), device, x.ndim, 2 | 32 << 8 | 1 << 16, shape, None, 0)


class Ours:
    """A chain on PyTorch's stream; value and gradient in tensors of PyTorch's."""

    def __init__(self, library, text, x):
        self.library = library
        start = torch.eye(x.shape[-1]).expand(x.shape).numpy()  # both chains make it from zero
        self.chain = Chain(library, text, start)
        original = Tensor()
        host = x.cpu().numpy()
        library.check(library.call.pz_state_tensor(self.chain.state, ORIGINAL, 0, C.byref(original)))
        library.check(library.call.pz_queue_upload(library.queue, C.byref(library.view(host)), C.byref(original)))
        self.gradient = torch.empty_like(x)
        self.out = view(self.gradient)

    def forward(self):
        return self.chain.forward()

    def step(self, g):
        self.chain.forward()
        call, chain = self.library.call, self.chain
        self.library.check(call.pz_eval_vjp(chain.eval, chain.state, C.byref(g), 1, C.c_uint64(1), False, C.byref(self.out)))

    def value(self, like):
        out = np.empty(tuple(like.shape), np.float32)
        tensor, host = self.chain.forward(), self.library.view(out)
        self.library.check(self.library.call.pz_queue_download(self.library.queue, C.byref(tensor), C.byref(host)))
        return torch.from_numpy(out)


def theirs(text, x):
    upper = torch.triu(x, 1)
    a = upper - upper.mT
    if text == "skew,matrix_exp":
        return torch.linalg.matrix_exp(a)
    one = torch.eye(x.shape[-1], device=x.device)
    return torch.linalg.solve(one - a, one + a)


def close(what, found, expected):
    off = (found.cpu() - expected.detach().cpu()).abs().max() / expected.detach().abs().max().cpu()
    assert off <= 1e-3, f"{what}: {off:.1e} from PyTorch's"


def timed(body, synchronize, seconds=0.2):
    """Seconds of one call, of as many as fill `seconds`, at most 200."""
    synchronize()
    start = time.perf_counter()
    body()
    synchronize()
    n = max(1, min(200, int(seconds / (time.perf_counter() - start))))
    start = time.perf_counter()
    for _ in range(n):
        body()
    synchronize()
    return (time.perf_counter() - start) / n


def compare(library, device, text, shape):
    batch, _, n = shape.rpartition("x")
    size = (int(batch), int(n), int(n)) if batch else (int(n), int(n))
    torch.manual_seed(1)
    x = torch.randn(size, device=device) / int(n) ** 0.5
    g = torch.randn(size, device=device)
    ours = Ours(library, text, x)
    leaf = x.clone().requires_grad_()

    def synchronize():
        library.check(library.call.pz_queue_synchronize(library.queue))
        if x.is_cuda:
            torch.cuda.synchronize()

    def step():
        leaf.grad = None
        theirs(text, leaf).backward(g)

    def forward():
        with torch.no_grad():
            theirs(text, x)

    gradient = view(g)
    step()
    ours.step(gradient)
    synchronize()
    close(f"{text} {shape} value", ours.value(x), theirs(text, x))
    close(f"{text} {shape} gradient", ours.gradient, leaf.grad)
    for name, mine, their in ("forward", ours.forward, forward), ("forward+vjp", lambda: ours.step(gradient), step):
        pairs = [(timed(mine, synchronize), timed(their, synchronize)) for _ in range(ROUNDS)]
        a, b = (min(times) for times in zip(*pairs))
        print(f"{text:16} {shape:>8} {name:12} {1e3 * a:10.3f} {1e3 * b:10.3f} {a / b:8.2f}", flush=True)


def main(build, name="cuda:0", *shapes):
    device = torch.device(name)
    library = Library(build)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cuda.matmul.allow_tf32 = False
        native = Native(C.sizeof(Native), 0, torch.cuda.current_stream().cuda_stream)
        library.check(library.call.pz_queue_open(library.context, name.encode(), C.byref(native), C.byref(library.queue)))
        hardware = torch.cuda.get_device_name()
    else:
        hardware = "the CPU"
    print(f"{hardware}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}, milliseconds")
    print(f"{'chain':16} {'shape':>8} {'':12} {'this':>10} {'PyTorch':>10} {'ratio':>8}")
    for text in "skew,cayley", "skew,matrix_exp":
        for shape in shapes or SHAPES:
            compare(library, device, text, shape)


main(*sys.argv[1:])
