# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Moments of the sampler's posterior by NumPyro, for sampler.py: its model written once more.

usage: diet_moments.py examples/sampler/diet.c [DRAWS]"""

import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import effective_sample_size
from numpyro.infer import MCMC, NUTS

numpyro.enable_x64()
source = open(sys.argv[1]).read()
draws = int(sys.argv[2]) if len(sys.argv) > 2 else 50000


def table(name):
    """The numbers of a table in the C source."""
    text = re.search(re.escape(name) + r".*?= \{\n(.*?)\n\};", source, re.S).group(1)
    return np.array([[float(x) for x in row.split(",")] for row in re.findall(r"\{([-0-9., ]+)\}", text)])


foods, tissue = table("foods[FOODS]"), table("tissue[ANIMALS]")
names = re.findall(r'"((?:theta|s|R) [-\w]+)"', source)


def model():
    theta = numpyro.sample("theta", dist.Dirichlet(jnp.ones(4)))
    s = numpyro.sample("s", dist.HalfNormal(2.0 * jnp.ones(3)).to_event(1))
    factor = numpyro.sample("L", dist.LKJCholesky(3, 2.0))
    numpyro.sample("y", dist.MultivariateNormal(theta @ foods, scale_tril=s[:, None] * factor), obs=tissue)


mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=draws, num_chains=4, chain_method="vectorized", progress_bar=False)
mcmc.run(jax.random.PRNGKey(1))
found = mcmc.get_samples(group_by_chain=True)
r = jnp.einsum("...ik,...jk->...ij", found["L"], found["L"])
quantities = [found["theta"][..., k] for k in range(4)] + [found["s"][..., k] for k in range(3)]
quantities += [r[..., i, j] for i in range(3) for j in range(i)]
assert len(names) == len(quantities)
print(f"# NumPyro {numpyro.__version__}, 4 chains of {draws}")
for name, x in zip(names, map(np.asarray, quantities)):
    moments = []
    for part in x, (x - x.mean()) ** 2:
        moments += [part.mean(), part.std() / np.sqrt(effective_sample_size(part))]
    print(f'    "{name}": ({", ".join(f"{m:.7f}" for m in moments)}),')
