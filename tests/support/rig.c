/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "rig.h"

#include "dense.h"

#include <stdlib.h>
#include <string.h>

/* ---- contexts and queues -------------------------------------------------------- */

void
rig_open(rig* const r, const pz_plugin* const plugin, const char* const device)
{
  *r = (rig){.random = test_seed()};
  if (device) {
    r->context = test_context();
  } else {
    const pz_context_settings settings = {.size = sizeof(settings),
                                          .flags = PZ_ONLY_GIVEN_FOLDERS | PZ_DEVICE_TENSORS,
                                          .seed = test_seed() | 1U};
    ck_assert_ok(pz_context_new(&settings, &r->context));
  }
  if (plugin) {
    ck_assert_ok(pz_context_add_plugin(r->context, plugin));
  }
  rig_device(r, device ? device : "reference");
}

void
rig_device(rig* const r, const char* const device)
{
  pz_queue_close(r->queue);
  r->queue = NULL;
  ck_assert_ok(pz_queue_open(r->context, device, NULL, &r->queue));
}

void
rig_share(rig* const r, const rig* const owner)
{
  *r = (rig){
      .context = owner->context, .queue = owner->queue, .borrows = true, .random = test_seed()};
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
  if (!r->borrows) {
    host_free();
    pz_queue_close(r->queue);
    pz_context_free(r->context);
  }
}

/* ---- chains ------------------------------------------------------------------------ */

pz_status
rig_try_chain(rig* const r, const char* const text, const pz_option_setting* const settings,
              const uint32_t n_settings, const pz_direction direction, const pz_spec* const given,
              const uint32_t n_given)
{
  drop_chain(r);
  PZ_TRY(
      pz_chain_new(r->context, text, settings, n_settings, direction, given, n_given, &r->chain));
  ck_assert_ok(pz_state_new(r->chain, r->queue, &r->state));
  ck_assert_ok(pz_eval_new(r->chain, r->queue, &r->eval));
  r->x = rig_trained_spec(r, 0);
  r->y = *pz_chain_value(r->chain);
  r->n_x = 0;
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    const pz_spec spec = rig_trained_spec(r, k);
    r->n_x += pz_spec_count(&spec);
  }
  r->n_y = pz_spec_count(&r->y);
  r->n_tensors = pz_chain_count(r->chain, PZ_ORIGINAL) + pz_chain_count(r->chain, PZ_OWN_PARAMETER);
  return PZ_OK;
}

void
rig_chain(rig* const r, const char* const text, const pz_option_setting* const settings,
          const uint32_t n_settings, const pz_direction direction, const pz_spec* const given,
          const uint32_t n_given)
{
  ck_assert_ok(rig_try_chain(r, text, settings, n_settings, direction, given, n_given));
}

void
rig_from_tensor(rig* const r, const char* const text, const uint32_t dtype, const int32_t ndim,
                const int64_t* const shape)
{
  const pz_spec spec = pz_spec_make(dtype, ndim, shape);
  rig_chain(r, text, NULL, 0, PZ_FROM_TENSOR, &spec, 1);
}

/* ---- tensors of the state ------------------------------------------------------------- */

pz_tensor
rig_tensor(const rig* const r, const pz_role role, const uint32_t index)
{
  pz_tensor tensor;
  ck_assert_ok(pz_state_tensor(r->state, role, index, &tensor));
  return tensor;
}

pz_tensor
rig_trained(const rig* const r, const uint32_t k)
{
  const uint32_t n = pz_chain_count(r->chain, PZ_ORIGINAL);
  return k < n ? rig_tensor(r, PZ_ORIGINAL, k) : rig_tensor(r, PZ_OWN_PARAMETER, k - n);
}

pz_spec
rig_trained_spec(const rig* const r, const uint32_t k)
{
  const uint32_t n = pz_chain_count(r->chain, PZ_ORIGINAL);
  pz_chain_tensor_info info = {.size = sizeof(info)};
  ck_assert_ok(k < n ? pz_chain_tensor(r->chain, PZ_ORIGINAL, k, &info)
                     : pz_chain_tensor(r->chain, PZ_OWN_PARAMETER, k - n, &info));
  return info.spec;
}

void
rig_fill(rig* const r, const double scale)
{
  for (uint32_t k = 0; k < r->n_tensors; ++k) {
    const pz_tensor t = rig_trained(r, k);
    test_fill_normal(&r->random, t.dtype, pz_count(&t), scale, t.data);
  }
  pz_state_touch(r->state);
}

void
rig_look(const rig* const r, rig_snapshot* const s)
{
  s->bytes = 0;
  s->version = pz_state_version(r->state);
  for (pz_role role = PZ_ORIGINAL; role <= PZ_STATE_BUFFER; ++role) {
    for (uint32_t k = 0; k < pz_chain_count(r->chain, role); ++k) {
      const pz_tensor t = rig_tensor(r, role, k);
      ck_assert_uint_le(s->bytes + host_bytes(&t), sizeof(s->data));
      memcpy(s->data + s->bytes, t.data, host_bytes(&t));
      s->bytes += host_bytes(&t);
    }
  }
}

void
rig_assert_unchanged(const rig* const r, const rig_snapshot* const before)
{
  static rig_snapshot now;
  rig_look(r, &now);
  ck_assert_uint_eq(now.version, before->version);
  ck_assert_uint_eq(now.bytes, before->bytes);
  ck_assert_mem_eq(now.data, before->data, before->bytes);
}

/* ---- arrays of double --------------------------------------------------------------- */

/* A host tensor of that spec whose elements are `values`, or zeros. */
static pz_tensor
packed(const pz_spec* const spec, const double* const values)
{
  const int64_t n = pz_spec_count(spec);
  void* const data = calloc((size_t)(n > 0 ? n : 1), pz_dtype_size(spec->dtype));
  ck_assert_ptr_nonnull(data);
  for (int64_t k = 0; values && k < n; ++k) {
    test_put(spec->dtype, data, k, values[k]);
  }
  return pz_host_tensor(spec->dtype, data, spec->ndim, spec->shape);
}

/* Its elements; its memory is given up. */
static double*
unpacked(const pz_tensor* const tensor)
{
  double* const out = reals(pz_count(tensor));
  for (int64_t k = 0; k < pz_count(tensor); ++k) {
    out[k] = host_at(tensor, k);
  }
  free(tensor->data);
  return out;
}

double*
rig_download(const rig* const r, const pz_tensor* const tensor)
{
  const pz_spec spec = pz_spec_of(tensor);
  const pz_tensor host = packed(&spec, NULL);
  ck_assert_ok(pz_queue_download(r->queue, tensor, &host));
  return unpacked(&host);
}

double*
rig_read(const rig* const r, const pz_role role, const uint32_t index)
{
  const pz_tensor tensor = rig_tensor(r, role, index);
  return rig_download(r, &tensor);
}

void
rig_write(rig* const r, const pz_role role, const uint32_t index, const double* const values)
{
  const pz_tensor tensor = rig_tensor(r, role, index);
  const pz_spec spec = pz_spec_of(&tensor);
  const pz_tensor host = packed(&spec, values);
  ck_assert_ok(pz_queue_upload(r->queue, &host, &tensor));
  pz_state_touch(r->state);
  free(host.data);
}

static int64_t
count_of(const rig* const r, const uint32_t k)
{
  const pz_spec spec = rig_trained_spec(r, k);
  return pz_spec_count(&spec);
}

/* Moves the n numbers of `one`; returns the place after them. */
static double*
append(double* const to, double* const one, const int64_t n)
{
  memcpy(to, one, (size_t)n * sizeof(double));
  free(one);
  return to + n;
}

double*
rig_read_originals(const rig* const r)
{
  double* const out = reals(r->n_x);
  double* to = out;
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    to = append(to, rig_read(r, PZ_ORIGINAL, k), count_of(r, k));
  }
  return out;
}

void
rig_write_originals(rig* const r, const double* values)
{
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    rig_write(r, PZ_ORIGINAL, k, values);
    values += count_of(r, k);
  }
}

double*
rig_forward(rig* const r)
{
  pz_tensor value;
  ck_assert_ok(pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value));
  return rig_download(r, &value);
}

double*
rig_vjp(rig* const r, const double* const gradient, const uint32_t k)
{
  const pz_spec spec = rig_trained_spec(r, k);
  const pz_tensor g = packed(&r->y, gradient);
  pz_tensor gradients[64] = {{0}};
  gradients[k] = packed(&spec, NULL);
  ck_assert_ok(pz_eval_vjp(r->eval, r->state, &g, 1, (uint64_t)1 << k, false, gradients));
  free(g.data);
  return unpacked(&gradients[k]);
}

double*
rig_gradients(rig* const r, const double* const gradient)
{
  double* const out = reals(r->n_x);
  double* to = out;
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    to = append(to, rig_vjp(r, gradient, k), count_of(r, k));
  }
  return out;
}

/* NULL for a call that is unsupported, else the numbers of its result, which is freed. */
static double*
supported(const pz_status status, const pz_tensor* const out)
{
  double* const numbers = unpacked(out);
  ck_assert_msg(status == PZ_OK || (status == PZ_UNSUPPORTED && pz_error_message()[0] != '\0'),
                "%s: %s", pz_status_text(status), pz_error_message());
  if (status != PZ_OK) {
    free(numbers);
    return NULL;
  }
  return numbers;
}

double*
rig_jvp(rig* const r, const double* const dx)
{
  pz_spec specs[64];
  pz_tensor tangents[64] = {{0}};
  const uint32_t n = pz_chain_count(r->chain, PZ_ORIGINAL);
  const double* from = dx;
  for (uint32_t k = 0; k < n; ++k) {
    specs[k] = rig_trained_spec(r, k);
    tangents[k] = packed(&specs[k], from);
    from += pz_spec_count(&specs[k]);
  }
  const pz_tensor out = packed(&r->y, NULL);
  const pz_status status = pz_eval_jvp(r->eval, r->state, tangents, 1, &out);
  for (uint32_t k = 0; k < n; ++k) {
    free(tangents[k].data);
  }
  return supported(status, &out);
}

double*
rig_log_abs_det(rig* const r, pz_spec* const spec)
{
  const pz_status status = pz_chain_density(r->chain, spec);
  if (status == PZ_UNSUPPORTED) {
    return NULL;
  }
  ck_assert_ok(status);
  const pz_tensor out = packed(spec, NULL);
  return supported(pz_eval_log_abs_det(r->eval, r->state, &out), &out);
}

double*
rig_log_abs_det_gradients(rig* const r, const double* const g_out)
{
  pz_spec spec;
  ck_assert_ok(pz_chain_density(r->chain, &spec));
  double* const out = reals(r->n_x);
  double* to = out;
  const pz_tensor g = packed(&spec, g_out);
  for (uint32_t k = 0; k < pz_chain_count(r->chain, PZ_ORIGINAL); ++k) {
    const pz_spec x = rig_trained_spec(r, k);
    pz_tensor gradients[64] = {{0}};
    gradients[k] = packed(&x, NULL);
    const pz_status status =
        pz_eval_log_abs_det_vjp(r->eval, r->state, &g, (uint64_t)1 << k, false, gradients);
    double* const numbers = supported(status, &gradients[k]);
    if (!numbers) {
      free(g.data);
      free(out);
      return NULL;
    }
    to = append(to, numbers, count_of(r, k));
  }
  free(g.data);
  return out;
}

void
rig_initialize(rig* const r, const double* const values)
{
  const pz_tensor y = packed(&r->y, values);
  ck_assert_ok(pz_eval_initialize(r->eval, r->state, 0, &y));
  free(y.data);
}

pz_status
rig_assign(rig* const r, const pz_intent intent, const double* const value)
{
  const pz_tensor y = packed(&r->y, value);
  const pz_status status = pz_eval_assign(r->eval, r->state, intent, &y);
  free(y.data);
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
  const pz_tensor y = packed(&r->y, value);
  const pz_status status =
      pz_eval_residual(r->eval, r->state, pz_chain_length(r->chain) - 1, &y, distance);
  free(y.data);
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

double
rig_unit(const rig* const r)
{
  const int64_t n = r->y.ndim > 0 ? r->y.shape[r->y.ndim - 1] : 1;
  return (double)(n > 0 ? n : 1) * pz_dtype_epsilon(r->y.dtype);
}
