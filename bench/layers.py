# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The maps of networks, single entries, vectors, covariances, matrices and time series on one thread, this library's and
PyTorch's by turns in one run.

usage: layers.py BUILD [ROUNDS [MAP ...]]      (default 7, all)

First values and gradients of the same originals must agree, to 1e-4. Then prints milliseconds of
processor time for the value and for value with gradient, the best of the rounds, float32; how many
times faster; the time of a copy that moves as many bytes as a share of it; and, for maps of single
entries, the share of the bound: the longer of that copy and of the same work on a tensor that stays
in the cache. Needs NumPy and PyTorch."""

import os
import sys
import time

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import torch
from torch.distributions import transforms
from torch.nn.utils import parametrizations, prune

from library import ORIGINAL, STATE_BUFFER, Library, aligned, array

CASES = [
    ("weight_norm(dim=0)", (512, 512, 3)),
    ("weight_norm(dim=0)", (2048, 512)),
    ("weight_norm(dim=2)", (1024, 64, 128)),
    ("spectral_norm", (512, 512, 3)),
    ("spectral_norm", (2048, 512)),
    ("pruning", (512, 512, 3)),
    ("pruning", (2048, 512)),
    ("magnitude", (2048, 512)),
    ("n_of_m", (2048, 512)),
    ("mask", (2048, 512)),
    ("lora", (2048, 512)),
    ("dora", (2048, 512)),
    ("oft(block=32,across=512)", (2048, 512)),
    ("positive", (2048, 512)),
    ("positive(map=softplus)", (2048, 512)),
    ("interval(lower=-1,upper=3)", (2048, 512)),
    ("positive", (10, 10)),
    ("stationary", (10000, 4)),
    ("stationary", (100, 100)),
    ("stationary", (1, 10)),
    ("stable_diagonal", (10000, 2)),
    ("stable_diagonal(form=s4d)", (2048, 512)),
    ("toeplitz", (512, 512)),
    ("rotation3", (10000, 3, 3)),
    ("rotation3(from=quaternion)", (10000, 3, 3)),
    ("rotation3(from=6d)", (10000, 3, 3)),
    ("pose3", (10000, 4, 4)),
    ("pseudo_inertia", (10000, 4, 4)),
    ("cholesky", (10000, 4, 4)),
    ("cholesky", (256, 256)),
    ("cholesky(of=covariance)", (10000, 4, 4)),
    ("cholesky(of=covariance)", (256, 256)),
    ("correlation", (10000, 4, 4)),
    ("correlation", (256, 256)),
    ("correlation(of=matrix)", (10000, 4, 4)),
    ("correlation(of=matrix)", (256, 256)),
]
RANKED = [f"{map_}(rank=3,frames=cayley,trivialization=0)" for map_ in ("low_rank", "fixed_rank")]
SQUARE = [f"{map_}(frames=cayley)" for map_ in ("general_linear", "special_linear", "almost_orthogonal")]
MATRICES = [*RANKED, *SQUARE, "lu", "polar", "lipschitz", "doubly_stochastic", "hurwitz", "schur_stable"]
CASES += [(map_, shape) for map_ in MATRICES for shape in ((10000, 4, 4), (128, 128))]
CASES += [("grassmannian", (10000, 6, 2)), ("grassmannian", (512, 32))]
VECTORS = ["simplex", "simplex(map=stick)", "simplex(map=softmax)", "ordered", "positive_ordered", "sphere",
           "sum_to_zero"]
CASES += [(map_, shape) for map_ in VECTORS for shape in ((2048, 512), (10000, 10))]


def stationary(x):
    r = torch.tanh(x)
    a = r[..., :0]
    for k in range(x.shape[-1]):
        rk = r[..., k : k + 1]
        a = torch.cat((a - rk * a.flip(-1), rk), -1)
    return a


def eigenvalues(x):
    size, angle = torch.exp(-torch.exp(x[..., 0])), x[..., 1]
    return torch.stack((size * torch.cos(angle), size * torch.sin(angle)), -1)


def correlation(x):
    factor = transforms.CorrCholeskyTransform()(x)
    return factor @ factor.mT


def toeplitz(x):
    n = (x.shape[-1] + 1) // 2
    return x[..., torch.arange(n)[:, None] - torch.arange(n) + n - 1]


def hat(w):
    zero = torch.zeros_like(w[..., 0])
    a, b, c = w.unbind(-1)
    return torch.stack((zero, -c, b, c, zero, -a, -b, a, zero), -1).unflatten(-1, (3, 3))


def rotation(w):
    """Rodrigues' formula."""
    t = torch.linalg.vector_norm(w, dim=-1)[..., None, None]
    k = hat(w)
    return torch.eye(3) + torch.sin(t) / t * k + (1 - torch.cos(t)) / (t * t) * (k @ k)


def of_quaternion(q):
    q = torch.nn.functional.normalize(q, dim=-1)
    w, v = q[..., :1, None], q[..., 1:]
    outer = v[..., :, None] * v[..., None, :]
    return (w * w - (v * v).sum(-1)[..., None, None]) * torch.eye(3) + 2 * outer + 2 * w * hat(v)


def of_columns(x):
    first = torch.nn.functional.normalize(x[..., :3], dim=-1)
    rest = x[..., 3:] - (first * x[..., 3:]).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(rest, dim=-1)
    return torch.stack((first, second, torch.linalg.cross(first, second)), -1)


def pose(x):
    t = torch.linalg.vector_norm(x[..., :3], dim=-1)[..., None, None]
    k = hat(x[..., :3])
    b, c = (1 - torch.cos(t)) / (t * t), (t - torch.sin(t)) / (t * t * t)
    move = (torch.eye(3) + b * k + c * (k @ k)) @ x[..., 3:, None]
    last = torch.eye(4)[3].expand(*x.shape[:-1], 1, 4)
    return torch.cat((torch.cat((rotation(x[..., :3]), move), -1), last), -2)


def pseudo_inertia(x):
    alpha, d1, d2, d3, s12, s23, s13, t1, t2, t3 = x.unbind(-1)
    zero, one = torch.zeros_like(alpha), torch.ones_like(alpha)
    rows = (d1.exp(), s12, s13, t1, zero, d2.exp(), s23, t2, zero, zero, d3.exp(), t3, zero, zero, zero, one)
    u = alpha.exp()[..., None, None] * torch.stack(rows, -1).unflatten(-1, (4, 4))
    return u @ u.mT


def helmert(x):
    """V x in O(n): torch has no such map."""
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    q = x / torch.sqrt(k * (k + 1))
    sums = q.flip(-1).cumsum(-1).flip(-1)
    return torch.nn.functional.pad(sums, (0, 1)) - torch.nn.functional.pad(k * q, (1, 0))


def increments(x):
    return torch.cat((x[..., :1], torch.exp(x[..., 1:])), -1)


def frame(x):
    """The first columns of a Cayley transform."""
    n, k = x.shape[-2:]
    lower = torch.nn.functional.pad(torch.tril(x, -1), (0, n - k))
    a, one = (lower - lower.mT) / 2, torch.eye(n)
    return torch.linalg.solve(one - a, (one + a)[..., :k])


def framed(f):
    return lambda left, s, right: (frame(left) * f(s)[..., None, :]) @ frame(right).mT


def plane(b):
    one = torch.eye(b.shape[-1])
    y = torch.linalg.inv(one + b.mT @ b / 4)
    return torch.cat((2 * y - one, b @ y), -2)


def triangular(x):
    """L U, and L with the exponential of the diagonal."""
    diagonal = torch.diag_embed(torch.exp(torch.diagonal(x, 0, -2, -1)))
    return torch.tril(x, -1), torch.triu(x, 1), diagonal


def lu(x):
    lower, upper, diagonal = triangular(x)
    return (lower + torch.eye(x.shape[-1])) @ (upper + diagonal)


def singular(f):
    def value(x):
        u, s, vt = torch.linalg.svd(x, full_matrices=False)
        return (u * f(s)[..., None, :]) @ vt

    return value


def sinkhorn(x):
    for _ in range(64):
        x = x - torch.logsumexp(x, -1, keepdim=True)
        x = x - torch.logsumexp(x, -2, keepdim=True)
    return torch.exp(x)


def hurwitz(x):
    lower, upper, diagonal = triangular(x)
    factor = lower + diagonal
    return (upper - upper.mT - torch.eye(x.shape[-1])) @ factor @ factor.mT


def schur_stable(x):
    one = torch.eye(x.shape[-1])
    return 2 * torch.linalg.inv(one - hurwitz(x) / 2) - one


# What PyTorch computes for maps of which it has no module.
FUNCTIONS = {
    "positive": torch.exp,
    "positive(map=softplus)": torch.nn.functional.softplus,
    "interval(lower=-1,upper=3)": lambda x: -1 + 4 * torch.sigmoid(x),
    "cholesky": transforms.LowerCholeskyTransform(),
    "cholesky(of=covariance)": transforms.PositiveDefiniteTransform(),
    "correlation": transforms.CorrCholeskyTransform(),
    "correlation(of=matrix)": correlation,
    "stationary": stationary,
    "stable_diagonal": eigenvalues,
    "stable_diagonal(form=s4d)": lambda x: -torch.exp(x),
    "toeplitz": toeplitz,
    "rotation3": rotation,
    "rotation3(from=quaternion)": of_quaternion,
    "rotation3(from=6d)": of_columns,
    "pose3": pose,
    "pseudo_inertia": pseudo_inertia,
    "simplex": lambda x: torch.softmax(helmert(x), -1),
    "simplex(map=stick)": torch.distributions.transforms.StickBreakingTransform(),
    "simplex(map=softmax)": lambda x: torch.softmax(x, -1),
    "ordered": lambda x: increments(x).cumsum(-1),
    "positive_ordered": lambda x: torch.exp(x).cumsum(-1),
    "sphere": lambda x: torch.nn.functional.normalize(x, dim=-1),
    "sum_to_zero": helmert,
    RANKED[0]: framed(lambda s: s),
    RANKED[1]: framed(torch.nn.functional.softplus),
    SQUARE[0]: framed(torch.nn.functional.softplus),
    SQUARE[1]: framed(lambda s: torch.exp(s - s.mean(-1, keepdim=True))),
    SQUARE[2]: framed(lambda s: 1 + 0.5 * torch.sin(s)),
    "grassmannian": plane,
    "lu": lu,
    "polar": singular(torch.ones_like),
    "lipschitz": singular(lambda s: s.clamp(max=1)),
    "doubly_stochastic": sinkhorn,
    "hurwitz": hurwitz,
    "schur_stable": schur_stable,
}
ENTRIES = ("positive", "positive(map=softplus)", "interval(lower=-1,upper=3)", "stable_diagonal(form=s4d)")
# Tensors that are read and written for a value, and for value and gradient.
MOVED = {"pruning": (3, 6), "magnitude": (3, 6), "n_of_m": (3, 6), "mask": (3, 6), "sum_to_zero": (2, 4)}
FEWER = ("simplex", "simplex(map=stick)", "sum_to_zero")  # entries of vectors of originals
# Originals are so many numbers for each matrix.
NUMBERS = {"toeplitz": 1023, "rotation3": 3, "rotation3(from=quaternion)": 4, "rotation3(from=6d)": 6, "pose3": 6,
           "pseudo_inertia": 10}


MASKS = ("magnitude", "n_of_m", "mask")


def dora(w, a, b, m):
    v = w + b @ a
    return m[:, None] * torch.nn.functional.normalize(v, dim=1)


def oft(w, x):
    s = x.triu(1) - x.triu(1).mT
    turn = torch.linalg.solve(torch.eye(32) - s, torch.eye(32) + s)
    return (turn @ w.unflatten(0, (-1, 32))).flatten(0, 1)


# Shapes of the originals, and the value for the registered tensor and them.
CHANGES = {
    "lora": (((8, 512), (2048, 8)), lambda w, a, b: w + b @ a),
    "dora": (((8, 512), (2048, 8), (2048,)), dora),
    "oft(block=32,across=512)": (((64, 32, 32),), oft),
}


def place_of(map_, shape):
    """Where an original of PyTorch's is in this library's: it takes correlations from vectors."""
    return (..., *np.tril_indices(shape[-1], -1)) if map_.startswith("correlation") else ...


def seconds(body):
    repeat, taken = 1, 0.0
    while taken < 0.02:
        repeat *= 2
        start = time.process_time()
        for _ in range(repeat):
            body()
        taken = time.process_time() - start
    return taken / repeat


def parts_of(map_, x):
    """Numbers of the originals of a map, for a value of x's shape."""
    if map_ in RANKED + SQUARE:
        r = 3 if map_ in RANKED else x.shape[-1]
        return [x[..., :r], x[..., 0, :r], x.swapaxes(-1, -2)[..., :r]]
    if map_ == "grassmannian":
        return [x[..., x.shape[-1] :, :]]
    if map_ in NUMBERS:
        return [x.reshape(*x.shape[:-2], -1)[..., : NUMBERS[map_]]]
    return [x[..., :-1] if map_ in FEWER else x[place_of(map_, x.shape)]]


def module_of(map_, x):
    """PyTorch's own layer of the same map, and its originals in this library's order."""
    module = torch.nn.Module()
    if map_ in MATRICES:
        x = x / x.shape[-1] ** 0.5  # so that float32 shows the same values
    originals = [torch.nn.Parameter(torch.from_numpy(part.copy())) for part in parts_of(map_, x)]
    module.weight = originals[0]
    if map_ in FUNCTIONS:
        return module, originals, lambda: FUNCTIONS[map_](*originals)
    if map_.startswith("weight_norm"):
        parametrizations.weight_norm(module, "weight", int(map_[-2]))
        originals = [module.parametrizations.weight.original0, module.parametrizations.weight.original1]
        return module, originals, lambda: module.weight
    if map_ in MASKS:
        module.mask = torch.from_numpy((np.random.default_rng(1).random(x.shape) < 0.5).astype(np.float32))
        return module, [module.weight], lambda: module.weight * module.mask
    if map_ in CHANGES:
        originals = [torch.nn.Parameter(torch.randn(shape) / 4) for shape in CHANGES[map_][0]]
        return module, originals, lambda: CHANGES[map_][1](torch.from_numpy(x), *originals)
    if map_ == "spectral_norm":
        parametrizations.spectral_norm(module, "weight")
        module.eval()  # no step of the power method in either
        return module, [module.parametrizations.weight.original], lambda: module.weight
    prune.random_unstructured(module, "weight", 0.5)
    return module, [module.weight_orig], lambda: module.weight_orig * module.weight_mask


def ours_of(library, map_, x, module):
    chain = library.chain(map_, x)
    if map_ == "spectral_norm":
        weight = module.parametrizations.weight[0]
        for k, vector in enumerate((weight._u, weight._v)):
            chain.tensor(STATE_BUFFER, k)[...] = vector.numpy()
    elif map_ in MASKS:
        chain.tensor(STATE_BUFFER)[...] = module.mask.numpy()
    elif map_ == "pruning":
        chain.tensor(STATE_BUFFER)[...] = module.weight_mask.numpy()
    elif map_ in RANKED + SQUARE:  # no signs, or the identity as base
        for k in range(2):
            chain.tensor(STATE_BUFFER, k)[...] = 1 if map_ in RANKED else np.eye(x.shape[-1])
    elif map_ == "lu":
        chain.tensor(STATE_BUFFER, 0)[...] = np.arange(x.shape[-1])
        chain.tensor(STATE_BUFFER, 1)[...] = 1
    elif map_ == "grassmannian":
        chain.tensor(STATE_BUFFER)[...] = np.eye(x.shape[-1])
    return chain


def calls_of(library, chain, g, n):
    """What computes a value, and a value with the gradients of n originals; and those gradients."""
    gradient = library.view(g)
    outputs = [aligned(np.zeros_like(chain.tensor(ORIGINAL, k))) for k in range(n)]
    views = library.views(outputs)

    def both():
        chain.forward()
        chain.vjp(gradient, views)

    return chain.forward, both, outputs


def in_cache(library, map_):
    """Seconds for each entry, value and value with gradient, without what a call itself takes."""
    taken = []
    for shape in ((1, 1), (32, 512)):
        x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
        g = aligned(np.ones_like(x))
        chain = library.chain(map_, x)
        chain.tensor(ORIGINAL)[...] = x
        forward, both, outputs = calls_of(library, chain, g, 1)  # outputs are used while they have a name
        taken.append([seconds(forward), seconds(both)])
    return [(large - small) / (32 * 512) for small, large in zip(*taken)]


def near(found, expected):
    return np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def main(build, rounds=7, *maps):
    torch.set_num_threads(1)
    library = Library(build)
    random = np.random.default_rng(1)
    print(f"float32, milliseconds, best of {rounds}; PyTorch {torch.__version__}")
    print(f"{'map':26} {'shape':16} {'':14} {'this':>8} {'PyTorch':>8} {'times':>6} {'of a copy':>9} {'of bound':>9}")
    for map_, shape in [case for case in CASES if not maps or case[0] in maps]:
        x, g = (aligned(random.standard_normal(shape).astype(np.float32)) for _ in range(2))
        module, originals, read = module_of(map_, x)
        chain = ours_of(library, map_, x, module)
        place = place_of(map_, shape)
        for k, original in enumerate(originals):
            with torch.no_grad():
                original.add_(0.1)
            chain.tensor(ORIGINAL, k)[place] = original.detach().numpy()
        gradient = torch.from_numpy(g)
        forward, both, outputs = calls_of(library, chain, g, len(originals))

        def their_value():
            with torch.no_grad():
                return read()

        def their_both():
            for original in originals:
                original.grad = None
            read().backward(gradient)

        both()
        their_both()
        pairs = [(array(chain.forward()), their_value().numpy())]
        pairs += [(mine[place], original.grad.numpy()) for mine, original in zip(outputs, originals)]
        for found, expected in pairs:
            assert near(found, expected), f"{map_} of {shape} differs from PyTorch's"
        source, target = aligned(x), aligned(x)
        bodies = (forward, their_value, both, their_both, lambda: np.copyto(target, source))
        best, cached = np.array([np.inf] * len(bodies)), np.array([np.inf] * 2)
        for _ in range(rounds):
            best = np.minimum(best, [seconds(body) * 1e3 for body in bodies])
            if map_ in ENTRIES and x.size > 10000:
                cached = np.minimum(cached, [t * x.size * 1e3 for t in in_cache(library, map_)])
        size = "x".join(map(str, shape))
        for k, what in enumerate(("value", "and gradient")):
            ours, theirs = best[2 * k], best[2 * k + 1]
            copy = best[4] * MOVED.get(map_, (2, 5))[k] / 2
            bound = f"{100 * max(copy, cached[k]) / ours:8.0f}%" if np.isfinite(cached[k]) else ""
            print(f"{map_:26} {size:16} {what:14} {ours:8.3f} {theirs:8.3f} {theirs / ours:6.2f}"
                  f" {100 * copy / ours:8.0f}% {bound}", flush=True)


main(sys.argv[1], *map(int, sys.argv[2:3]), *sys.argv[3:])
