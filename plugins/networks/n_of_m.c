/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structured sparsity: of every m neighbours along the last dimension the n of largest magnitude stay, as
   hardware for 2:4 expects. y = M * x with a buffer M, gx = M * g, or g with straight_through. Of equal
   magnitudes the first stays; NaN is larger than any number. */

#include "networks.h"

enum { STRAIGHT = MASKS_STRAIGHT, N, M }; /* options */

// clang-format off

/* An item is an entry, which stays if fewer than `keep` of its group come before it. */
PZ_KERNEL(n_of_m_rule, 2, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, mask);
  PZ_INTEGER_ARG(0, keep);
  PZ_INTEGER_ARG(1, group);
  const real own = pz_abs(x[i]);
  pz_int before = 0;
  for (pz_int j = i - i % group; j < i - i % group + group; ++j) {
    const real other = pz_abs(x[j]);
    const int same = other == own || (other != other && own != own);
    before += same ? j < i : !(other <= own) && own == own;
  }
  mask[i] = before < keep ? (real)1 : (real)0;
)

// clang-format on

static pz_status
rule(pz_call* const c, const pz_tensor* const x, pz_tensor* const mask)
{
  return pz_launch(c, &n_of_m_rule, pz_count(x), PZ_TENSORS(x, mask), NULL,
                   PZ_INTEGERS(c->options[N].as.integer, c->options[M].as.integer));
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const long long n = (long long)c->options[N].as.integer;
  const long long m = (long long)c->options[M].as.integer;
  PZ_TRY(pz_expect_dims(c, given, 1, "rows"));
  const long long last = (long long)given->shape[given->ndim - 1];
  if (n > m) {
    return pz_fail(c, PZ_MISMATCH, "found n=%lld, expected at most m=%lld", n, m);
  }
  if (last % m != 0) {
    return pz_fail(c, PZ_MISMATCH,
                   "found %lld entries in the last dimension, expected a multiple of m=%lld", last,
                   m);
  }
  return masks_plan(c, given);
}

static pz_status
init(pz_call* const c, const pz_tensor* const tensor)
{
  return rule(c, tensor, &c->new_buffer[0]);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return masks_right_inverse(c, rule, rule, y, x);
}

static pz_status
update(pz_call* const c, const pz_tensor* const x)
{
  return masks_update(c, rule, x);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return masks_residual(c, rule, y, distance);
}

static const pz_option options[] = {
    [STRAIGHT] = MASKS_STRAIGHT_THROUGH,
    [N] = PZ_OPTION_INTEGER("n", 2, 1, 1024, "entries of each group that stay"),
    [M] = PZ_OPTION_INTEGER("m", 4, 1, 1024, "entries of a group"),
};

const pz_parametrization networks_n_of_m = {
    .size = sizeof(networks_n_of_m),
    .option_size = sizeof(pz_option),
    .id = "n_of_m",
    .summary = "Structured sparsity: the n largest of every m entries stay",
    .tags = "network mask surrogate",
    .formula = "Y = M o X, M of the n largest |X| of every m neighbours along the last dimension\n"
               "domain: the last extent is a multiple of m\n"
               "right inverse: X = Y; registration chooses M from Y, and so does assignment, which "
               "refuses entries off M that are not 0\n"
               "update: with straight_through, M from X anew; without it pruned entries have no "
               "gradient and M stays\n"
               "cost: one pass over memory, forward and vjp; m comparisons for each entry of M",
    PZ_OPTIONS(options),
    .plan = plan,
    .init = init,
    .forward = masks_forward,
    .right_inverse = right_inverse,
    .vjp = masks_vjp,
    .update = update,
    .residual = residual,
    .jvp = masks_jvp,
    .legacy_names = "original=_orig mask=_mask",
};
