/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "rig.h"

void
rig_open(rig* const r, const char* const device)
{
  *r = (rig){.random = test_seed()};
  if (device) {
    r->context = test_context();
  } else {
    const pz_context_settings settings = {
        .size = sizeof(settings), .flags = PZ_ONLY_GIVEN_FOLDERS, .seed = test_seed() | 1U};
    ck_assert_ok(pz_context_new(&settings, &r->context));
  }
  ck_assert_ok(pz_context_add_plugin(r->context, &pz_plugin_v1_test_maps));
  ck_assert_ok(pz_queue_open(r->context, device ? device : "reference", &r->queue));
}

static void
drop_chain(rig* const r)
{
  pz_eval_free(r->eval);
  pz_state_free(r->state);
  pz_chain_free(r->chain);
  r->eval = NULL;
  r->state = NULL;
  r->chain = NULL;
}

void
rig_close(rig* const r)
{
  drop_chain(r);
  pz_queue_close(r->queue);
  pz_context_free(r->context);
}

void
rig_chain(rig* const r, const char* const text, const pz_option_setting* const settings,
          const uint32_t n_settings, const pz_direction direction, const pz_spec* const given,
          const uint32_t n_given)
{
  drop_chain(r);
  ck_assert_ok(
      pz_chain_new(r->context, text, settings, n_settings, direction, given, n_given, &r->chain));
  ck_assert_ok(pz_state_new(r->chain, r->queue, &r->state));
  ck_assert_ok(pz_eval_new(r->chain, r->queue, &r->eval));
}

void
rig_from_tensor(rig* const r, const char* const text, const uint32_t dtype, const int32_t ndim,
                const int64_t* const shape)
{
  const pz_spec spec = pz_spec_make(dtype, ndim, shape);
  rig_chain(r, text, NULL, 0, PZ_FROM_TENSOR, &spec, 1);
}

pz_tensor
rig_tensor(const rig* const r, const pz_role role, const uint32_t index)
{
  pz_tensor tensor;
  ck_assert_ok(pz_state_tensor(r->state, role, index, &tensor));
  return tensor;
}

uint32_t
rig_trained(const rig* const r)
{
  return pz_chain_count(r->chain, PZ_ORIGINAL) + pz_chain_count(r->chain, PZ_OWN_PARAMETER);
}

pz_tensor
rig_trained_tensor(const rig* const r, const uint32_t k)
{
  const uint32_t n = pz_chain_count(r->chain, PZ_ORIGINAL);
  return k < n ? rig_tensor(r, PZ_ORIGINAL, k) : rig_tensor(r, PZ_OWN_PARAMETER, k - n);
}

void
rig_fill(rig* const r, const double scale)
{
  for (uint32_t k = 0; k < rig_trained(r); ++k) {
    const pz_tensor t = rig_trained_tensor(r, k);
    test_fill_normal(&r->random, t.dtype, pz_count(&t), scale, t.data);
  }
  pz_state_touch(r->state);
}

size_t
rig_bytes(const pz_tensor* const tensor)
{
  return (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
}

pz_tensor
rig_host(const pz_spec* const spec)
{
  const size_t bytes = (size_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype);
  int64_t* const block = calloc(1, sizeof(spec->shape) + bytes);
  ck_assert_ptr_nonnull(block);
  memcpy(block, spec->shape, sizeof(spec->shape));
  return pz_host_tensor(spec->dtype, block + PZ_MAX_DIMS, spec->ndim, block);
}

pz_tensor
rig_host_normal(rig* const r, const pz_spec* const spec, const double scale)
{
  const pz_tensor tensor = rig_host(spec);
  test_fill_normal(&r->random, spec->dtype, pz_spec_count(spec), scale, tensor.data);
  return tensor;
}

pz_tensor
rig_host_skew(rig* const r, const pz_spec* const spec)
{
  const pz_tensor tensor = rig_host_normal(r, spec, 1.0);
  const int64_t n = spec->shape[1];
  for (int64_t b = 0; b < spec->shape[0]; ++b) {
    double* const v = (double*)tensor.data + b * n * n;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        v[i * n + j] = i == j ? 0.0 : -v[j * n + i];
      }
    }
  }
  return tensor;
}

void
rig_host_free(pz_tensor* const tensor)
{
  free((void*)(uintptr_t)tensor->shape);
  tensor->shape = NULL;
}

double
rig_dot(const pz_tensor* const a, const pz_tensor* const b)
{
  double sum = 0.0;
  for (int64_t k = 0; k < pz_count(a); ++k) {
    sum += test_at(a->dtype, a->data, k) * test_at(b->dtype, b->data, k);
  }
  return sum;
}
