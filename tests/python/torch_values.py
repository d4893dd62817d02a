# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""parametrize.torch: derivatives of every kind, dtypes, layouts, wrong tensors. usage: torch_values.py PLUGIN"""

import torch_python  # first: chooses the interpreter
import package_python  # second: skips where the package cannot be imported

import gc
import sys
import threading

import torch
from tap import main

import parametrize as pz
import parametrize.torch as pt
from package_python import refused, seed

torch.manual_seed(seed)
chain = "skew,cayley"


def draw(*shape, dtype=torch.float64, grad=False):
    return torch.randn(shape, dtype=dtype).requires_grad_(grad)


def cayley(x):
    a = x.triu(1)
    a = a - a.mT
    one = torch.eye(x.shape[-1], dtype=x.dtype)
    return (one + a) @ torch.linalg.inv(one - a)


def near(found, expected, tolerance=1e-12):
    assert found.shape == expected.shape and found.dtype == expected.dtype, (found.dtype, expected.dtype)
    error = (found.double() - expected.double()).abs().max() if found.numel() else 0.0
    assert error <= tolerance, error


def derivatives():
    """gradcheck of chains, batches, several originals, in both modes"""
    for text, shapes in ((chain, [(4, 4)]), ("symmetric,matrix_exp", [(2, 3, 3)]), ("weight_norm", [(3, 1), (3, 5)]),
                         ("positive", [(7,)]), ("orthogonal(trivialization=0,signs=0)", [(5, 3)])):  # fmt: skip
        originals = [draw(*s, grad=True) for s in shapes]
        assert torch.autograd.gradcheck(lambda *x: pt.apply(text, *x), originals, check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True)


def second_derivatives():
    """they are refused: backward of backward, of forward mode, forward mode of backward"""
    x = draw(3, 3, grad=True)
    (g,) = torch.autograd.grad(pt.apply(chain, x).square().sum(), x, create_graph=True)
    refused(NotImplementedError, "first derivatives", torch.autograd.grad, g.sum(), x)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        tangent = torch.autograd.forward_ad.unpack_dual(pt.apply(chain, dual)).tangent
        refused(NotImplementedError, "first derivatives", torch.autograd.grad, tangent.sum(), x)
    loss = lambda x: pt.apply(chain, x).square().sum()  # noqa: E731
    refused(NotImplementedError, "first derivatives", torch.func.hessian(lambda x: (pt.apply(chain, x) ** 3).sum()), x.detach())
    assert torch.func.grad(loss)(x.detach()).shape == (3, 3)


def transforms():
    """torch.func: vmap, grad, jacrev, jacfwd, and one in the other"""
    x = draw(5, 4, 4)
    f = lambda x: pt.apply(chain, x)  # noqa: E731
    near(torch.func.vmap(f)(x), cayley(x))
    near(torch.func.vmap(f, in_dims=2)(x.permute(1, 2, 0)), cayley(x))
    near(torch.func.vmap(torch.func.vmap(f))(x[None]), cayley(x)[None])
    near(torch.func.jacrev(f)(x[0]), torch.func.jacrev(cayley)(x[0]), 1e-11)
    near(torch.func.jacfwd(f)(x[0]), torch.func.jacrev(cayley)(x[0]), 1e-11)
    gradient = lambda f: torch.func.vmap(torch.func.grad(lambda x: f(x)[0, 0]))(x)  # noqa: E731
    near(gradient(f), gradient(cayley), 1e-11)
    g, v = draw(6, 3, 1), draw(3, 5)
    near(torch.func.vmap(lambda g, v: pt.apply("weight_norm", g, v), in_dims=(0, None))(g, v), g * v / v.norm(dim=1, keepdim=True))


def operators():
    """opcheck of the operators"""
    x, g, v = draw(4, 4, grad=True), draw(3, 1, grad=True), draw(3, 5, grad=True)
    for operator, arguments in (
        ("value", ([x], chain, [4, 4], 1)),
        ("value", ([g, v], "weight_norm", [3, 5], 2)),
        ("vjp", (draw(4, 4), [x.detach()], chain, [4, 4], 1)),
        ("jvp", ([draw(4, 4)], [x.detach()], chain, [4, 4], 1)),
    ):
        done = torch.library.opcheck(getattr(torch.ops.parametrize, operator).default, arguments)
        assert set(done.values()) == {"SUCCESS"}, done


def traced():
    """fake tensors and make_fx see the operator; a graph computes what the function does"""
    from torch.fx.experimental.proxy_tensor import make_fx

    x = draw(4, 4)
    graph = make_fx(lambda x: pt.apply(chain, x))(x)
    assert "parametrize.value" in graph.code
    near(graph(x), cayley(x))
    compiled = torch.compile(lambda x: pt.apply(chain, x) * 2, backend="aot_eager", fullgraph=True)
    y = draw(4, 4, grad=True)
    compiled(y).sum().backward()
    again = y.detach().requires_grad_()
    (cayley(again) * 2).sum().backward()
    near(y.grad, again.grad, 1e-11)


def dtypes():
    """float16 and bfloat16 are computed in float32, and come back"""
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        x = draw(6, 6, dtype=dtype, grad=True)
        y = pt.apply(chain, x)
        near(y, cayley(x.detach().float()).to(dtype), 8 * torch.finfo(dtype).eps)
        y.sum().backward()
        assert x.grad.dtype == dtype and x.grad.isfinite().all()


def layouts():
    """strides of every kind, no entries, no dimensions"""
    x = draw(4, 4)
    expected = cayley(x)
    near(pt.apply(chain, x.mT.contiguous().mT), expected)
    near(pt.apply(chain, torch.stack([x, x], -1)[..., 1]), expected)
    near(pt.apply(chain, x.expand(3, 4, 4)), expected.expand(3, 4, 4))
    empty = draw(0, 4, 4, grad=True)
    pt.apply(chain, empty).sum().backward()
    assert empty.grad.shape == (0, 4, 4)
    y = draw(4, 4, grad=True)
    pt.apply(chain, y).backward(torch.ones(()).double().expand(4, 4))
    again = y.detach().requires_grad_()
    cayley(again).sum().backward()
    near(y.grad, again.grad, 1e-11)
    zero = draw(grad=True)
    pt.apply("positive", zero).backward()
    near(zero.grad, zero.detach().exp())


def graphs():
    """values side by side, backward twice, and originals that change before backward"""
    x, w = draw(3, 3, grad=True), draw(3, 3, grad=True)
    a, b, c = pt.apply(chain, x), pt.apply(chain, w), pt.apply(chain, x)
    (a @ b @ c).sum().backward(retain_graph=True)
    first = x.grad.clone()
    (a @ b @ c).sum().backward()
    near(x.grad, 2 * first)
    again, other = x.detach().requires_grad_(), w.detach()
    (cayley(again) @ cayley(other) @ cayley(again)).sum().backward()
    near(first, again.grad, 1e-11)
    y = pt.apply(chain, x)
    with torch.no_grad():
        x.add_(1)
    refused(RuntimeError, "modified by an inplace operation", y.sum().backward)
    with torch.no_grad():
        assert not pt.apply(chain, x).requires_grad
    del a, b, c, y
    gc.collect()


def wrong():
    """tensors that the library does not take, and names that it does not know"""
    x = draw(3, 3)
    refused(pz.UnsupportedError, "on meta, expected one on cpu", pt.apply, chain, x.to("meta"))
    refused(pz.UnsupportedError, "torch.complex128", pt.apply, chain, x.to(torch.complex128))
    refused(pz.UnsupportedError, "torch.int64", pt.apply, chain, x.long())
    refused(pz.NotFoundError, 'nearest is "cayley"', pt.apply, "cayly", x)
    refused(pz.MismatchError, "found shape (2, 3), expected (3, 1)", pt.apply, "weight_norm", draw(2, 3), draw(3, 5))
    refused(pz.MismatchError, "found 1 tensors, expected 2", pt.apply, "weight_norm", x)
    refused(pz.MismatchError, "found torch.float32", pt.apply, "weight_norm", draw(3, 1), draw(3, 5, dtype=torch.float32))
    refused(BufferError, "detach", pz.apply, chain, draw(3, 3, grad=True))


def arrays():
    """the functions of the package take tensors, and write to their memory"""
    x = draw(3, 3)
    near(torch.from_numpy(pz.apply(chain, x)), cayley(x))
    near(torch.from_dlpack(pz.apply(chain, x)), cayley(x))


def threads():
    """8 threads, forward and backward"""
    inputs = [draw(n, n) for n in (3, 17) * 4]
    expected = [torch.func.grad(lambda x: cayley(x)[0, 0])(x) for x in inputs]
    failed = []

    def work(k):
        try:
            for _ in range(30):
                x = inputs[k].clone().requires_grad_()
                pt.apply(chain, x)[0, 0].backward()
                near(x.grad, expected[k], 1e-10)
        except BaseException as error:
            failed.append(error)

    many = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    [t.start() for t in many], [t.join() for t in many]
    if failed:
        raise failed[0]


def large():
    """large matrices, which use LAPACK and threads, beside the libraries that PyTorch brought"""
    x = draw(200, 200)
    a = x.triu() + x.triu(1).mT
    near(pt.apply("symmetric,matrix_exp", x / 20), torch.linalg.matrix_exp(a / 20), 1e-10)
    near(pt.apply(chain, x / 10), cayley(x / 10), 1e-10)
    with torch.inference_mode():
        near(pt.apply(chain, x / 10), cayley(x / 10), 1e-10)
    near(x @ x, torch.from_numpy(x.numpy() @ x.numpy()), 1e-10)


def own_plugin():
    """a plugin of one's own in training"""
    pz.add_plugin(sys.argv[1])
    x = draw(4, grad=True)
    assert torch.autograd.gradcheck(lambda x: pt.apply("bounded", x), (x,))


main([derivatives, second_derivatives, transforms, operators, traced, dtypes, layouts, graphs, wrong, arrays, threads, large, own_plugin])
