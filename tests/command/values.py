# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""What the command computes, against NumPy: the same formulas for complex numbers, so
that gradients are compared with the complex step, exact to rounding."""

from command import *
from tap import Skip, main

try:
    import numpy as np

    from formulas import *
except ImportError:
    np = None

devices = ["reference"]


def inverts(chain, device, n):
    """A rotation's logarithm takes a Schur form from order 4 on, which the reference does without."""
    return device != "reference" or chain != "skew,matrix_exp" or n < 4


def save(name, x):
    np.save(name, x)
    return name


def normal(*shape):
    return generator.standard_normal(shape)


def orthogonal():
    """skew,cayley and skew,matrix_exp are orthogonal within 10 n eps (1 + |X|_1)"""
    folder("orthogonal")
    for device in devices:
        for shape in [(8, 5, 3, 3), (64, 64), (1000, 3, 3), (1, 1), (4, 0, 0), (0, 3, 3)]:
            for dtype in np.float32, np.float64:
                x = (normal(*shape) / max(shape[-1], 1) ** 0.5).astype(dtype)
                n, eps = shape[-1], np.finfo(dtype).eps
                norm = np.abs(skew(x.astype(float))).sum(axis=-2).max(axis=-1, initial=0)
                for chain in "skew,cayley", "skew,matrix_exp":
                    good("apply", "-p", chain, save("x.npy", x), "-o", "q.npy", "--device", device, "--force")
                    q = np.load("q.npy")
                    assert q.shape == x.shape and q.dtype == x.dtype
                    q = q.astype(float)
                    assert (defect(q) <= 10 * n * eps * (1 + norm)).all(), (chain, shape, dtype, defect(q).max())
                    want = chains[chain](x.astype(float))
                    # cond(I - X) <= 1 + |X|
                    assert relative(q, want) <= 50 * max(n, 1) * eps * (1 + norm.max(initial=0)), (chain, shape, dtype)


def rounding():
    """apply says when rounding leaves a value far from orthogonal, and writes it"""
    folder("rounding")
    for device in devices:
        for size, far in (1e3, False), (1e6, device != "reference"):  # which computes in float64
            x = np.zeros((4, 4), np.float32)  # orders 2 and 3 have closed forms
            x[:3, :3] = size * np.array([[0, 0.6, 0.5], [0, 0, -0.7], [0, 0, 0]])
            arguments = "-p", "skew,matrix_exp", save("x.npy", x), "-o", "q.npy", "--device", device, "--force"
            status, out, err = run("apply", *arguments)
            assert status == 0 and out == "" and np.load("q.npy").shape == x.shape
            assert err.count("\n") == far and ("at distance" in err) == far, (device, size, err)
        for n in 2, 3:
            for dtype, size in (np.float32, 1e6), (np.float32, 1e30), (np.float64, 1e200):
                good("apply", "-p", "skew,matrix_exp", save("x.npy", (size * normal(4, n, n)).astype(dtype)), *arguments[3:])
                assert defect(np.load("q.npy").astype(float)).max() <= 10 * np.finfo(dtype).eps, (device, n, size)


def definite():
    """symmetric,matrix_exp is positive definite"""
    folder("definite")
    for device in devices:
        for shape in [(8, 5, 3, 3), (64, 64), (1000, 3, 3)]:
            for dtype in np.float32, np.float64:
                x = (normal(*shape) / shape[-1] ** 0.5).astype(dtype)
                n, eps = shape[-1], np.finfo(dtype).eps
                good("apply", "-p", "symmetric,matrix_exp", save("x.npy", x), "-o", "y.npy", "--device", device, "--force")
                y = np.load("y.npy").astype(float)
                assert (y == transposed(y)).all()
                w = np.linalg.eigvalsh(y)
                assert (w[..., 0] >= -10 * n * eps * w[..., -1]).all()
                narrow = w[..., -1] < w[..., 0] / (100 * n * eps)
                assert (w[..., 0][narrow] > 0).all() and narrow.any()
                # |Y - exp X| <= c n eps cond, where cond of exp at symmetric X is |X|_2
                cond = 1 + np.abs(np.log(w[w > 0])).max()
                assert relative(y, matrix_exp(symmetric(x.astype(float)))) <= 50 * n * eps * cond


def gradients():
    """vjp equals the complex-step Jacobian to 1e-9"""
    folder("gradients")
    step = 1e-30
    for device in devices:
        for chain, function in chains.items():
            for shape in [(1, 1), (2, 2), (3, 3), (2, 4, 4), (7, 7)]:
                x, g = normal(*shape) / 2, normal(*shape)
                save("x.npy", x), save("g.npy", g)
                good("vjp", "-p", chain, "x.npy", "--grad", "g.npy", "-o", "gx.npy", "--device", device, "--force")
                gx = np.load("gx.npy")
                want = np.empty_like(x)
                for at in np.ndindex(*shape):
                    z = x.astype(complex)
                    z[at] += 1j * step
                    want[at] = (g * function(z).imag).sum() / step
                assert np.abs(gx - want).max() <= 1e-9 * max(1, np.abs(want).max()), (chain, shape, np.abs(gx - want).max())


def directions():
    """jvp equals the complex step along a direction to 1e-9"""
    folder("directions")
    step = 1e-30
    for device in devices:
        for chain, function in chains.items():
            for shape in [(1, 1), (3, 3), (2, 4, 4), (0, 2, 2)]:
                x, dx = normal(*shape) / 2, normal(*shape)
                save("x.npy", x), save("dx.npy", dx)
                good("jvp", "-p", chain, "x.npy", "--tangent", "dx.npy", "-o", "dy.npy", "--device", device, "--force")
                dy, want = np.load("dy.npy"), function(x + 1j * step * dx).imag / step
                assert dy.shape == want.shape
                assert np.abs(dy - want).max(initial=0) <= 1e-9 * max(1, np.abs(want).max(initial=0)), (chain, shape)


def strict_upper(a):
    return a[np.triu_indices(len(a), 1)]


def upper(a):
    return a[np.triu_indices(len(a))]


# Coordinates of x, and of dy at y.
densities_of = {
    "skew": (strict_upper, lambda y, dy: strict_upper(dy)),
    "symmetric": (upper, lambda y, dy: upper(dy)),
    "skew,cayley": (strict_upper, lambda y, dy: strict_upper(y.T @ dy)),
    "skew,matrix_exp": (strict_upper, lambda y, dy: strict_upper(y.T @ dy)),
    "symmetric,matrix_exp": (upper, lambda y, dy: upper(dy)),
}


def jacobian(chain, x):
    """log |det| by the complex step"""
    function = {**chains, "skew": skew, "symmetric": symmetric}[chain]
    counted, measured = densities_of[chain]
    columns = []
    for at in counted(np.arange(x.size).reshape(x.shape)):
        z = x.astype(complex)
        z.flat[at] += 1e-30j
        columns.append(measured(function(x.astype(complex)).real, function(z).imag / 1e-30))
    return np.linalg.slogdet(np.array(columns).T)[1] if columns else 0.0


def densities():
    """logdet equals log |det| of the complex-step Jacobian to 1e-9, its gradient differences"""
    folder("densities")
    for device in devices:
        for chain in densities_of:
            for n in 1, 2, 3, 4:
                x, g = normal(2, n, n) / 2, normal(2)
                save("x.npy", x), save("g.npy", g)
                common = "logdet", "-p", chain, "x.npy", "--device", device, "--force"
                good(*common, "-o", "l.npy", "--grad", "g.npy", "-o", "gx.npy")
                l, gx = np.load("l.npy"), np.load("gx.npy")
                want = [jacobian(chain, one) for one in x]
                assert l.shape == (2,) and np.abs(l - want).max() <= 1e-9, (chain, n, l, want)
                dx, h = normal(2, n, n), 1e-5
                slope = [(jacobian(chain, a + h * d) - jacobian(chain, a - h * d)) / (2 * h) for a, d in zip(x, dx)]
                assert abs((gx * dx).sum() - (g * slope).sum()) <= 1e-6, (chain, n)
                good(*common, "-o", "m.npy")
                assert (np.load("m.npy") == l).all()


def round_trips():
    """invert, then apply, returns the value"""
    folder("round")
    for device in devices:
        for dtype in np.float32, np.float64:
            eps = np.finfo(dtype).eps
            for n in 1, 2, 3, 8, 33:
                for chain in "skew,cayley", "skew,matrix_exp", "skew", "symmetric", "symmetric,matrix_exp":
                    common = "-p", chain, "--device", device, "--force"
                    if not inverts(chain, device, n):
                        continue
                    x = (normal(4, n, n) / 2 / n**0.5).astype(dtype)
                    good("apply", save("x.npy", x), "-o", "y.npy", *common)
                    good("invert", "y.npy", "-o", "z.npy", *common)
                    good("apply", "z.npy", "-o", "w.npy", *common)
                    y, w = np.load("y.npy").astype(float), np.load("w.npy").astype(float)
                    cond = 1.0
                    if chain.endswith("cayley"):
                        cond = np.linalg.cond(np.eye(n) + y).max()
                    elif chain.endswith("exp"):
                        cond = np.linalg.cond(y).max()
                    assert relative(w, y) <= 100 * n * eps * cond, (chain, n, dtype, relative(w, y), cond)


def samples():
    """sample draws members of the set, the same for the same seed"""
    folder("samples")
    for device in devices:
        for chain, set_ in [("skew,cayley", "rotation"), ("skew,matrix_exp", "rotation"), ("skew", "skew")]:
            for dtype in ["float32", "float64"] if inverts(chain, device, 6) else []:
                common = "sample", "-p", chain, 3, 6, 6, "--dtype", dtype, "--device", device, "--force"
                good(*common, "-o", "a.npy", "--seed", "5")
                good(*common, "-o", "b.npy", "--seed", "5")
                good(*common, "-o", "c.npy", "--seed", "6")
                good(*common, "-o", "d.npy")
                a, b, c, d = (np.load(f"{name}.npy") for name in "abcd")
                assert a.shape == (3, 6, 6) and a.dtype == dtype
                assert (a == b).all() and (a != c).any() and (a != d).any(), chain
                assert np.isfinite(a).all() and np.abs(a[0] - a[1]).max() > 1e-3
                eps = np.finfo(dtype).eps
                a = a.astype(float)
                if set_ == "skew":
                    assert (a == -transposed(a)).all()
                else:
                    # X of a rotation near the eigenvalue -1 is large: |X| <= 1 + 2 |(I + Q)^-1|
                    norm = 1 + 2 * np.abs(np.linalg.inv(np.eye(6) + a)).sum(axis=-2).max(axis=-1)
                    assert (defect(a) <= 10 * 6 * eps * (1 + norm)).all()
                    assert (np.linalg.det(a) > 0).all()
    good("sample", "-p", "pruning(p_drop=0.5)", 7, "-o", "v.npy")
    assert np.load("v.npy").shape == (7,) and np.load("v.npy").dtype == np.float32


def pruned():
    """skew,cayley,pruning keeps its zeros: by its seed, --seed or --state"""
    folder("pruned")
    for device in devices:
        x, g = normal(20, 20), normal(20, 20)
        save("x.npy", x), save("g.npy", g)
        q = chains["skew,cayley"](x)
        common = "-p", "skew,cayley,pruning(p_drop=0.3,seed=7)", "--device", device, "--force"
        good("apply", "x.npy", "-o", "a.npy", *common)
        good("apply", "x.npy", "-o", "b.npy", *common)
        a = np.load("a.npy")
        mask = a != 0
        assert (a == np.load("b.npy")).all() and 60 < (~mask).sum() < 180, (~mask).sum()
        assert relative(a, q * mask) <= 50 * 20 * np.finfo(float).eps * (1 + np.abs(x).sum(axis=0).max())

        common = "-p", "skew,cayley,pruning(p_drop=0.3)", "--device", device, "--force"
        good("sample", 20, 20, "-o", "s.npy", "--dtype", "float64", "--state", "s.safetensors", *common)
        zeros = np.load("s.npy") == 0
        assert 60 < zeros.sum() < 180, zeros.sum()
        for name in "a.npy", "b.npy":
            good("apply", "x.npy", "-o", name, "--state", "s.safetensors", *common)
            assert ((np.load(name) == 0) == zeros).all()
        good("vjp", "x.npy", "--grad", "g.npy", "-o", "ga.npy", "--state", "s.safetensors", *common)
        save("g.npy", g * ~zeros)
        good("vjp", "x.npy", "--grad", "g.npy", "-o", "gb.npy", "-p", "skew,cayley", "--device", device, "--force")
        assert relative(np.load("ga.npy"), np.load("gb.npy")) <= 1e-12

        good("apply", "x.npy", "-o", "a.npy", "--seed", "3", *common)
        good("apply", "x.npy", "-o", "b.npy", "--seed", "3", *common)
        good("apply", "x.npy", "-o", "c.npy", "--seed", "4", *common)
        a, b, c = (np.load(f"{name}.npy") == 0 for name in "abc")
        assert (a == b).all() and (a != c).any()


def reflections():
    """cayley(signs=1) takes any orthogonal matrix, its signs in --state"""
    folder("reflections")
    for device in devices:
        for chain in "cayley(signs=1)", "skew,cayley(signs=1)":
            for dtype in np.float32, np.float64:
                n, eps = 5, np.finfo(dtype).eps
                q = np.linalg.qr(normal(6, n, n))[0]
                q[0] = -np.eye(n)
                q[1] = np.diag([1.0, -1, 1, 1, 1])
                q[2:4] *= np.linalg.det(q[2:4])[:, None, None]
                q[4:, 0] *= -np.linalg.det(q[4:])[:, None]
                q = q.astype(dtype)
                save("q.npy", q)
                common = "-p", chain, "--device", device, "--force", "--state", "s.safetensors"
                good("invert", "q.npy", "-o", "x.npy", *common)
                good("apply", "x.npy", "-o", "r.npy", *common)
                refused("invert", "q.npy", "-o", "lost.npy", *common[:-2], says="--state")
                x, r = np.load("x.npy").astype(float), np.load("r.npy").astype(float)
                assert np.abs(x).max() <= 1e6
                # cond(I + Q D) <= 2 |(I + Q D)^-1| = |I - X|
                cond = np.linalg.norm(np.eye(n) - x, 2, axis=(-1, -2)).max()
                assert relative(r, q.astype(float)) <= 100 * n * eps * cond, (chain, dtype)
        refused("invert", "-p", "skew,cayley", "q.npy", "-o", "z.npy", "--device", device)
    q = save("p.npy", np.eye(4))
    refused("invert", "-p", "skew,matrix_exp", q, "-o", "z.npy", "--device", "reference", says="schur")


def updated():
    """--updates runs steps of the power method; value and gradient are of the state after them"""
    folder("updated")
    w = 3 * np.linalg.qr(normal(8, 6))[0] @ np.diag([1, 0.97, 0.9, 0.5, 0.2, 0.1]) @ np.linalg.qr(normal(6, 6))[0]
    save("w.npy", w)
    save("g.npy", normal(8, 6))

    def norm(*updates):
        good("apply", "-p", "spectral_norm", "w.npy", "-o", "y.npy", "--seed", 5, "--force", *updates)
        return np.linalg.norm(np.load("y.npy"), 2)

    sizes = [norm(), *(norm("--updates", k) for k in (1, 10, 1000))]
    assert all(a >= b - 1e-12 for a, b in zip(sizes, sizes[1:])) and sizes[0] - 1 > 1e-6 > 1e-12 > sizes[3] - 1, sizes
    good("vjp", "-p", "spectral_norm", "w.npy", "--grad", "g.npy", "-o", "x.npy", "--seed", 5, "--updates", 1000)
    u, s, v = np.linalg.svd(w)
    y, g = w / s[0], np.load("g.npy")
    want = (g - (g * y).sum() * np.outer(u[:, 0], v[0])) / s[0]
    assert np.abs(np.load("x.npy") - want).max() < 1e-10 * np.abs(want).max()
    refused("apply", "-p", "pruning", "w.npy", "-o", "z.npy", "--device", "cup", "--updates", 3, says="cup")
    for bad in "0", "-1", "x", "":
        usage("apply", "-p", "skew", "w.npy", "-o", "z.npy", "--updates", bad, says="--updates")
    good("apply", "-p", "pruning", "w.npy", "-o", "z.npy", "--seed", 3, "--updates", 3)  # has none
    usage("sample", "-p", "skew", "3", "3", "-o", "z.npy", "--updates", 3, says="--updates")


def started():
    """NumPy is here, and the devices to test on"""
    global generator
    if np is None:
        raise Skip("NumPy is not installed")
    generator = np.random.default_rng(seed)
    if any(line.startswith("cpu ") for line in good("list").splitlines()):
        devices.append("cpu")
    print("# devices", *devices)


main([started] + ([orthogonal, rounding, definite, gradients, directions, densities, round_trips, samples, pruned, reflections, updated] if np else []))
