/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random pruning: a fixed random mask sets entries of a tensor of any shape to zero.

     Y = M o X,  M_i ~ Bernoulli(1 - p_drop), drawn once, at registration

   The mask is the buffer "mask", so it is moved, saved and copied with the tensor. The function is
   a linear projection and its own adjoint: gX = M o G. Assignment projects: the assigned value
   becomes the original, and its pruned entries read as zero. A pruned NaN or Inf gives NaN. The
   same seed gives the same mask on every device and for every dtype. */

#include <parametrize/plugin.h>

enum { P_DROP, SEED };
enum { MASK };

static pz_status
pruning_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_buffer(c, "mask", given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
pruning_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  const int64_t seed = c->options[SEED].as.integer;
  const uint64_t key = seed != 0 ? (uint64_t)seed : c->draw;
  return pz_random(c, PZ_BERNOULLI, key, 0, 1.0 - c->options[P_DROP].as.real, 0.0,
                   &c->new_buffer[MASK]);
}

static pz_status
pruning_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, 1.0, &c->buffer[MASK], x, 0.0, y);
}

static pz_status
pruning_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_hadamard(c, 1.0, &c->buffer[MASK], gy, 0.0, gx);
}

static pz_status
pruning_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  (void)y;
  return pz_hadamard(c, 1.0, &c->buffer[MASK], dx, 0.0, dy);
}

/* The largest magnitude where the mask is zero. */
static pz_status
pruning_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  pz_tensor pruned;
  PZ_TRY(pz_work_like(c, y, &pruned));

  // pruned <- Y - M o Y
  PZ_TRY(pz_copy(c, y, &pruned));
  PZ_TRY(pz_hadamard(c, -1.0, &c->buffer[MASK], y, 1.0, &pruned));
  return pz_largest(c, &pruned, distance);
}

/* Independent standard normal entries where the mask is one. */
static pz_status
pruning_sample(pz_call* const c, pz_tensor* const y)
{
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, y));
  return pz_hadamard(c, 1.0, &c->buffer[MASK], y, 0.0, y);
}

static const pz_option pruning_options[] = {
    [P_DROP] = PZ_OPTION_REAL("p_drop", 0.5, 0.0, 1.0, "probability that an entry is pruned"),
    [SEED] = PZ_OPTION_INTEGER("seed", 0, 0, INT64_MAX,
                               "seed of the mask; 0: drawn from the random stream of the context"),
};

static const pz_parametrization pruning = {
    .size = sizeof(pruning),
    .option_size = sizeof(pz_option),
    .id = "pruning",
    .summary = "Random pruning: a fixed mask sets entries to zero",
    .tags = "network mask projects",
    .formula = "Y = M o X, M ~ Bernoulli(1 - p_drop), drawn once\n"
               "domain: any shape\n"
               "right inverse: X = Y; assignment projects, pruned entries read as zero\n"
               "cost: one pass over memory, forward and vjp",
    PZ_OPTIONS(pruning_options),
    .plan = pruning_plan,
    .init = pruning_init,
    .forward = pruning_forward,
    .right_inverse = pz_copy_right_inverse,
    .vjp = pruning_vjp,
    .residual = pruning_residual,
    .sample = pruning_sample,
    .jvp = pruning_jvp,
    .legacy_names = "original=_orig mask=_mask",
};

PZ_PLUGIN(pruning, "1.0.0", PZ_PARAMETRIZATION(&pruning));
