/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char* subject_plugin;
const char* subject_device;
const char* subject_file;

static pz_context* context;
static pz_queue* queue;

void
rig_start(void)
{
  context = test_context();
  if (subject_file) {
    ck_assert_ok(pz_context_add_file(context, subject_file));
  }
  ck_assert_ok(pz_queue_open(context, subject_device, &queue));
}

void
rig_finish(void)
{
  pz_queue_close(queue);
  pz_context_free(context);
}

void
rig_offer(const pz_plugin* const plugin)
{
  ck_assert_ok(pz_context_add_plugin(context, plugin));
}

void
rig_forbid_host(const bool forbid)
{
  pz_queue_forbid_host_fallback(queue, forbid);
}

/* `values` in memory of the tensor's dtype, to be freed. */
static void*
packed(const uint32_t dtype, const int64_t n, const double* const values)
{
  void* const out = calloc((size_t)(n > 0 ? n : 1), pz_dtype_size(dtype));
  ck_assert_ptr_nonnull(out);
  for (int64_t k = 0; values && k < n; ++k) {
    test_put(dtype, out, k, values[k]);
  }
  return out;
}

static double*
unpacked(const uint32_t dtype, const int64_t n, void* const data)
{
  double* const out = reals(n);
  for (int64_t k = 0; k < n; ++k) {
    out[k] = test_at(dtype, data, k);
  }
  free(data);
  return out;
}

static int64_t
count_of_original(const rig* const r, const uint32_t index)
{
  pz_chain_tensor info = {.size = sizeof(info)};
  ck_assert_ok(pz_chain_tensor_info(r->chain, PZ_ORIGINAL, index, &info));
  return pz_spec_count(&info.spec);
}

static pz_status
open_chain(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  const pz_spec given = pz_spec_make(dtype, shape.ndim, shape.shape);
  pz_chain_tensor info = {.size = sizeof(info)};
  const pz_status status =
      pz_chain_new(context, chain, NULL, 0, PZ_FROM_TENSOR, &given, 1, &r->chain);
  if (status != PZ_OK) {
    return status;
  }
  ck_assert_ok(pz_state_new(r->chain, queue, &r->state));
  ck_assert_ok(pz_eval_new(r->chain, queue, &r->eval));
  ck_assert_ok(pz_chain_tensor_info(r->chain, PZ_ORIGINAL, 0, &info));
  r->x = info.spec;
  r->y = *pz_chain_value(r->chain);
  r->n_x = 0;
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    r->n_x += count_of_original(r, k);
  }
  r->n_y = pz_spec_count(&r->y);
  r->n_tensors = pz_chain_count(r->chain, PZ_ORIGINAL) + pz_chain_count(r->chain, PZ_OWN_PARAMETER);
  double* const start = rig_normal(r, dtype, r->n_y, 1.0);
  void* const data = packed(dtype, r->n_y, start);
  const pz_tensor tensor = pz_host_tensor(dtype, data, r->y.ndim, r->y.shape);
  ck_assert_ok(pz_eval_initialize(r->eval, r->state, 0, &tensor));
  free(start);
  free(data);
  return PZ_OK;
}

void
rig_close(rig* const r)
{
  pz_eval_free(r->eval);
  pz_state_free(r->state);
  pz_chain_free(r->chain);
  r->eval = NULL;
  r->state = NULL;
  r->chain = NULL;
}

pz_status
rig_try(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  *r = (rig){.random = test_seed()};
  return open_chain(r, chain, dtype, shape);
}

void
rig_open(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  ck_assert_ok(rig_try(r, chain, dtype, shape));
}

void
rig_change(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  rig_close(r);
  ck_assert_ok(open_chain(r, chain, dtype, shape));
}

double*
rig_read(const rig* const r, const pz_role role, const uint32_t index)
{
  pz_tensor tensor;
  ck_assert_ok(pz_state_tensor(r->state, role, index, &tensor));
  const int64_t n = pz_count(&tensor);
  void* const data = packed(tensor.dtype, n, NULL);
  const pz_tensor host = pz_host_tensor(tensor.dtype, data, tensor.ndim, tensor.shape);
  ck_assert_ok(pz_queue_download(queue, &tensor, &host));
  return unpacked(tensor.dtype, n, data);
}

void
rig_write(rig* const r, const pz_role role, const uint32_t index, const double* const values)
{
  pz_tensor tensor;
  ck_assert_ok(pz_state_tensor(r->state, role, index, &tensor));
  void* const data = packed(tensor.dtype, pz_count(&tensor), values);
  const pz_tensor host = pz_host_tensor(tensor.dtype, data, tensor.ndim, tensor.shape);
  ck_assert_ok(pz_queue_upload(queue, &host, &tensor));
  pz_state_touch(r->state);
  free(data);
}

double*
rig_read_originals(const rig* const r)
{
  double* const out = reals(r->n_x);
  double* to = out;
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    const int64_t n = count_of_original(r, k);
    double* const one = rig_read(r, PZ_ORIGINAL, k);
    memcpy(to, one, (size_t)n * sizeof(double));
    to += n;
    free(one);
  }
  return out;
}

void
rig_write_originals(rig* const r, const double* values)
{
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    rig_write(r, PZ_ORIGINAL, k, values);
    values += count_of_original(r, k);
  }
}

double*
rig_forward(rig* const r)
{
  pz_tensor value;
  ck_assert_ok(pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, &value));
  void* const data = packed(value.dtype, r->n_y, NULL);
  const pz_tensor host = pz_host_tensor(value.dtype, data, value.ndim, value.shape);
  ck_assert_ok(pz_queue_download(queue, &value, &host));
  return unpacked(value.dtype, r->n_y, data);
}

double*
rig_vjp(rig* const r, const double* const gradient, const uint32_t index)
{
  const uint32_t n_original = pz_chain_count(r->chain, PZ_ORIGINAL);
  pz_chain_tensor info = {.size = sizeof(info)};
  ck_assert_ok(index < n_original
                   ? pz_chain_tensor_info(r->chain, PZ_ORIGINAL, index, &info)
                   : pz_chain_tensor_info(r->chain, PZ_OWN_PARAMETER, index - n_original, &info));
  const int64_t n = pz_spec_count(&info.spec);
  void* const from = packed(r->y.dtype, r->n_y, gradient);
  void* const to = packed(info.spec.dtype, n, NULL);
  const pz_tensor g = pz_host_tensor(r->y.dtype, from, r->y.ndim, r->y.shape);
  pz_tensor gradients[64] = {{0}};
  gradients[index] = pz_host_tensor(info.spec.dtype, to, info.spec.ndim, info.spec.shape);
  ck_assert_ok(pz_eval_vjp(r->eval, r->state, &g, (uint64_t)1 << index, false, gradients));
  free(from);
  return unpacked(info.spec.dtype, n, to);
}

double*
rig_gradients(rig* const r, const double* const gradient)
{
  double* const out = reals(r->n_x);
  double* to = out;
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    const int64_t n = count_of_original(r, k);
    double* const one = rig_vjp(r, gradient, k);
    memcpy(to, one, (size_t)n * sizeof(double));
    to += n;
    free(one);
  }
  return out;
}

void
rig_update(rig* const r)
{
  ck_assert_ok(pz_eval_update(r->eval, r->state));
}

pz_status
rig_assign(rig* const r, const pz_intent intent, const double* const value)
{
  void* const data = packed(r->y.dtype, r->n_y, value);
  const pz_tensor y = pz_host_tensor(r->y.dtype, data, r->y.ndim, r->y.shape);
  const pz_status status = pz_eval_assign(r->eval, r->state, intent, &y);
  free(data);
  return status;
}

double*
rig_assigned(rig* const r, const double* const value)
{
  ck_assert_ok(rig_assign(r, PZ_ASSIGN, value));
  return rig_forward(r);
}

pz_status
rig_residual(rig* const r, const double* const value, double* const distance)
{
  void* const data = packed(r->y.dtype, r->n_y, value);
  const pz_tensor y = pz_host_tensor(r->y.dtype, data, r->y.ndim, r->y.shape);
  const pz_status status =
      pz_eval_residual(r->eval, r->state, pz_chain_length(r->chain) - 1, &y, distance);
  free(data);
  return status;
}

double*
rig_normal(rig* const r, const uint32_t dtype, const int64_t n, const double scale)
{
  double* const out = reals(n);
  for (int64_t k = 0; k < n; ++k) {
    const double x = scale * test_normal(&r->random);
    out[k] = dtype == PZ_F32 ? (double)(float)x : x;
  }
  return out;
}

pz_structure
rig_structure(const rig* const r)
{
  return (pz_structure)r->y.structure;
}

double
rig_unit(const rig* const r)
{
  const int64_t n = r->y.ndim > 0 ? r->y.shape[r->y.ndim - 1] : 1;
  return (double)(n > 0 ? n : 1) * pz_dtype_epsilon(r->y.dtype);
}
