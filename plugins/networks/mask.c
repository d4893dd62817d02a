/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A given mask: y = M * x, gx = M * g, or g with straight_through. M is the buffer "mask", 1 where the option
   `mask` is not 0, or without that option where the registered tensor is not 0, as in a model that was
   pruned before. It does not change; a value that is not 0 off the mask is refused. */

#include "networks.h"

enum { STRAIGHT = MASKS_STRAIGHT, MASK }; /* options */

// clang-format off

PZ_KERNEL(mask_pattern, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, mask);
  mask[i] = x[i] == (real)0 ? (real)0 : (real)1;
)

// clang-format on

static const pz_tensor*
given_mask(const pz_call* const c)
{
  return c->options[MASK].as.tensor;
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const pz_tensor* const mask = given_mask(c);
  bool same = !mask || mask->ndim == 0 || mask->ndim == given->ndim;
  for (int32_t i = 0; same && mask && i < mask->ndim; ++i) {
    same = mask->shape[i] == given->shape[i];
  }
  return same ? masks_plan(c, given)
              : pz_fail(c, PZ_MISMATCH,
                        "found a mask of %lld entries in %d dimensions, expected the shape of the "
                        "value, %lld entries in %d",
                        (long long)pz_count(mask), (int)mask->ndim, (long long)pz_spec_count(given),
                        (int)given->ndim);
}

/* M from the option, of any dtype, or from the tensor. */
static pz_status
choose(pz_call* const c, const pz_tensor* const tensor, pz_tensor* const mask)
{
  const int64_t n = pz_count(tensor);
  void* memory = NULL;
  if (!given_mask(c)) {
    return pz_launch(c, &mask_pattern, n, PZ_TENSORS(tensor, mask), NULL, NULL);
  }
  const int64_t given = pz_count(given_mask(c));
  PZ_TRY(pz_work_host(c, (size_t)(n + 1) * sizeof(double), &memory));
  double* const numbers = memory;
  PZ_TRY(pz_read(c, given_mask(c), numbers));
  for (int64_t j = n; j-- > 0;) {
    numbers[j] = numbers[given == 1 ? 0 : j] == 0.0 ? 0.0 : 1.0;
  }
  return pz_write(c, numbers, mask);
}

static pz_status
keep(pz_call* const c, const pz_tensor* const y, pz_tensor* const mask)
{
  (void)y;
  return pz_copy(c, &c->buffer[0], mask);
}

static pz_status
init(pz_call* const c, const pz_tensor* const tensor)
{
  return choose(c, tensor, &c->new_buffer[0]);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return masks_right_inverse(c, choose, keep, y, x);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return masks_residual(c, keep, y, distance);
}

static const pz_option options[] = {
    [STRAIGHT] = MASKS_STRAIGHT_THROUGH,
    [MASK] = PZ_OPTION_TENSOR("mask", "0 where entries are zero, of the shape of the value; "
                                      "without it, where the registered tensor is 0"),
};

const pz_parametrization networks_mask = {
    .size = sizeof(networks_mask),
    .option_size = sizeof(pz_option),
    .id = "mask",
    .summary = "Pruning by a given mask, or where the registered tensor is zero",
    .tags = "network mask surrogate",
    .formula =
        "Y = M o X, M given, or 1 where the registered tensor is not 0\n"
        "domain: any shape\n"
        "right inverse: X = Y; assignment refuses entries off M that are not 0, registration "
        "drops them\n"
        "cost: one pass over memory, forward and vjp",
    PZ_OPTIONS(options),
    .plan = plan,
    .init = init,
    .forward = masks_forward,
    .right_inverse = right_inverse,
    .vjp = masks_vjp,
    .residual = residual,
    .jvp = masks_jvp,
    .legacy_names = "original=_orig mask=_mask",
};
