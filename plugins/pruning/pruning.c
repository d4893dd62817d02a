/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tensors of any shape with entries pruned to zero by a fixed random mask.

     Y = M o X,  M_i ~ Bernoulli(1 - p_drop), drawn once when the map joins a chain

   The mask is state (buffer "mask"), so it moves, is saved and is copied with the tensor.
   The map is a linear projection and its own adjoint: gX = M o G. Assigning projects: the
   value itself becomes the original, and its pruned entries come back as zero. A pruned
   NaN or Inf stays NaN. With the same seed the mask is the same on every device and for
   every dtype. */

#include <parametrize/plugin.h>

enum { P_DROP, SEED };
enum { MASK };

static pz_status
pruning_plan(pz_call* const c, const pz_spec* const given)
{
  if (c->n_given != 1) {
    return pz_fail(c, PZ_MISMATCH, "found %u inputs, expected one", (unsigned)c->n_given);
  }
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
  return c->ops->random(c, PZ_BERNOULLI, key, 0, 1.0 - c->options[P_DROP].as.real, 0.0,
                        &c->new_buffer[MASK]);
}

static pz_status
pruning_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, &c->buffer[MASK], x, y);
}

static pz_status
pruning_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return pz_copy(c, y, x);
}

static pz_status
pruning_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_hadamard(c, &c->buffer[MASK], gy, gx);
}

/* The largest magnitude where the mask is zero. */
static pz_status
pruning_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const int64_t count = pz_count(y);
  const pz_spec one = pz_spec_make(y->dtype, 0, NULL);
  pz_tensor pruned;
  pz_tensor largest;
  PZ_TRY(pz_work_like(c, y, &pruned));
  PZ_TRY(pz_work(c, &one, &largest));

  // pruned <- Y - M o Y
  PZ_TRY(pz_copy(c, y, &pruned));
  PZ_TRY(c->ops->hadamard(c, -1.0, &c->buffer[MASK], y, 1.0, &pruned));
  pz_view row;
  const pz_tensor* const entries = pz_view_reshaped(&row, &pruned, 2, (const int64_t[]){1, count});
  PZ_TRY(c->ops->norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, entries, &largest));
  return c->ops->read(c, &largest, distance);
}

/* Independent standard normal entries where the mask is one. */
static pz_status
pruning_sample(pz_call* const c, pz_tensor* const y)
{
  PZ_TRY(c->ops->random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, y));
  return pz_hadamard(c, &c->buffer[MASK], y, y);
}

static const pz_option pruning_options[] = {
    [P_DROP] = PZ_OPTION_REAL("p_drop", 0.5, 0.0, 1.0, "probability that an entry is pruned"),
    [SEED] = PZ_OPTION_INTEGER("seed", 0, 0, INT64_MAX,
                               "of the mask; 0 draws from the context's random stream"),
};

static const pz_parametrization pruning = {
    .size = sizeof(pruning),
    .option_size = sizeof(pz_option),
    .id = "pruning",
    .summary = "Tensors with entries pruned to zero by a fixed random mask",
    .formula = "Y = M o X, M ~ Bernoulli(1 - p_drop), drawn once\n"
               "domain: any shape\n"
               "right inverse: the value itself; assigning projects, pruned entries come back "
               "as zero\n"
               "cost: one pass over memory, forward and vjp",
    .options = pruning_options,
    .n_options = sizeof(pruning_options) / sizeof(pruning_options[0]),
    .plan = pruning_plan,
    .init = pruning_init,
    .forward = pruning_forward,
    .right_inverse = pruning_right_inverse,
    .vjp = pruning_vjp,
    .residual = pruning_residual,
    .sample = pruning_sample,
};

PZ_PLUGIN(pruning, "1.0.0", PZ_PARAMETRIZATION(&pruning));
