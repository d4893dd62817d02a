/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Initial weights. The kernel is a rotation of 2 x 2 blocks with angles U(-pi, pi) (Henaff,
   Szlam, LeCun 2016). Assigning it computes the originals: blocks of +-theta for
   skew,matrix_exp, of +-tan(theta/2) for skew,cayley. Angles are at least 2e-3 away from +-pi,
   where neither has a right inverse. U and V are normal with variance 2 / fan-in (Kaiming),
   b is U(-0.01, 0.01), c zero. */

#include "model.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Random streams, different from those of the batches, whose numbers start at 1. */
static const uint64_t stream_of_weights = UINT64_C(1) << 63;

static double
uniform(const uint64_t seed, const uint64_t tensor, const uint64_t index)
{
  return problem_uniform(seed, stream_of_weights + tensor, index);
}

/* A standard normal number, by the method of Box and Muller. */
static double
normal(const uint64_t seed, const uint64_t tensor, const uint64_t index)
{
  const double pi = 3.14159265358979323846;
  const double radius = sqrt(-2 * log(uniform(seed, tensor, 2 * index)));
  return radius * cos(2 * pi * uniform(seed, tensor, 2 * index + 1));
}

static void
fill_rotation(const uint64_t seed, const int n, real* const w)
{
  memset(w, 0, (size_t)n * (size_t)n * sizeof(real));
  for (int i = 0; i + 1 < n; i += 2) {
    const double angle = 3.14 * (2 * uniform(seed, 0, (uint64_t)i) - 1);
    real* const row = w + (size_t)i * (size_t)n + i;
    row[0] = row[n + 1] = (real)cos(angle);
    row[1] = (real)sin(angle);
    row[n] = -row[1];
  }
  if (n % 2) {
    w[(size_t)n * (size_t)n - 1] = 1;
  }
}

static void
fill_normal(const uint64_t seed, const uint64_t tensor, const int rows, const int fan_in,
            real* const w)
{
  for (int i = 0; i < rows * fan_in; ++i) {
    w[i] = (real)(sqrt(2.0 / fan_in) * normal(seed, tensor, (uint64_t)i));
  }
}

static void
fill_bias(const uint64_t seed, const int n, real* const b)
{
  for (int i = 0; i < n; ++i) {
    b[i] = (real)(0.01 * (2 * uniform(seed, 2, (uint64_t)i) - 1));
  }
}

/* A view of an array of the model; cols is 0 for a vector. `shape` must live as long as the
   view. */
static pz_tensor
view(real* const data, const int rows, const int cols, int64_t* const shape)
{
  shape[0] = rows;
  shape[1] = cols;
  return pz_host_tensor(REAL_DTYPE, data, cols ? 2 : 1, shape);
}

static pz_status
add(pz_module* const module, const char* const name, real* const data, const int rows,
    const int cols)
{
  int64_t shape[2];
  const pz_tensor tensor = view(data, rows, cols, shape);
  return pz_module_add(module, name, PZ_PARAMETER, &tensor);
}

/* Creates a child of `parent`, which owns it, on the same device. */
static pz_status
add_child(const model* const m, pz_module* const parent, const char* const name,
          const char* const type, pz_module** const out)
{
  pz_module* child = NULL;
  PZ_TRY(pz_module_new(m->context, m->queue, type, &child));
  const pz_status status = pz_module_add_child(parent, name, child);
  if (status != PZ_OK) {
    pz_module_free(child);
    return status;
  }
  *out = child;
  return PZ_OK;
}

/* Registers the chain on the kernel, then assigns the rotation: registration alone runs only the
   right inverse of the first stage. If the rotation is not a value of the chain, the kernel keeps
   the value from registration. */
static pz_status
parametrize(const options* const o, const model* const m)
{
  int64_t shape[2];
  const pz_tensor rotation = view(m->gradients.kernel, m->hidden, m->hidden, shape);
  PZ_TRY(pz_register_parametrization(m->module, "kernel", o->chain, NULL));
  const pz_status status = pz_module_set(m->module, "kernel", &rotation);
  return status == PZ_OUTSIDE || status == PZ_SINGULAR || status == PZ_UNSUPPORTED ? PZ_OK : status;
}

/* Adds the initial weights; the arrays of the gradients are their temporary memory. */
static pz_status
add_weights(const options* const o, model* const m)
{
  const network_gradients* const w = &m->gradients;
  const int n = m->hidden;
  pz_module* out = NULL;
  PZ_TRY(add_child(m, m->root, "model", "ModReluRNN", &m->module));
  PZ_TRY(add_child(m, m->module, "out", "Linear", &out));
  fill_rotation(o->seed, n, w->kernel);
  fill_normal(o->seed, 1, n, m->n_inputs, w->input);
  fill_bias(o->seed, n, w->bias);
  fill_normal(o->seed, 3, m->n_outputs, n, w->out);
  memset(w->out_bias, 0, (size_t)m->n_outputs * sizeof(real));
  PZ_TRY(add(m->module, "kernel", w->kernel, n, n));
  PZ_TRY(add(m->module, "input", w->input, n, m->n_inputs));
  PZ_TRY(add(m->module, "bias", w->bias, n, 0));
  PZ_TRY(add(out, "weight", w->out, m->n_outputs, n));
  PZ_TRY(add(out, "bias", w->out_bias, m->n_outputs, 0));
  return *o->chain ? parametrize(o, m) : PZ_OK;
}

pz_status
model_init(const options* const o, const problem* const p, model* const m)
{
  const size_t n = (size_t)o->hidden;
  const size_t inputs = (size_t)p->n_inputs;
  const size_t outputs = (size_t)p->n_outputs;
  const pz_context_settings settings = {.size = sizeof(settings), .seed = o->seed + 1};
  *m = (model){.hidden = o->hidden, .n_inputs = p->n_inputs, .n_outputs = p->n_outputs};
  m->memory = calloc(2 * n * n + n * inputs + n + outputs * n + outputs, sizeof(real));
  if (!m->memory) {
    return PZ_NO_MEMORY;
  }
  m->scratch = m->memory;
  m->gradients.kernel = m->scratch + n * n;
  m->gradients.input = m->gradients.kernel + n * n;
  m->gradients.bias = m->gradients.input + n * inputs;
  m->gradients.out = m->gradients.bias + n;
  m->gradients.out_bias = m->gradients.out + outputs * n;
  PZ_TRY(pz_context_new(&settings, &m->context));
  PZ_TRY(pz_queue_open(m->context, o->device, NULL, &m->queue));
  PZ_TRY(pz_module_new(m->context, m->queue, "Training", &m->root));
  return add_weights(o, m);
}

void
model_cleanup(model* const m)
{
  pz_module_free(m->root);
  pz_queue_close(m->queue);
  pz_context_free(m->context);
  free(m->memory);
  *m = (model){0};
}

static pz_status
get(const model* const m, const char* const name, const real** const out)
{
  pz_tensor tensor;
  PZ_TRY(pz_module_get(m->module, name, &tensor));
  *out = (const real*)((const char*)tensor.data + tensor.byte_offset);
  return PZ_OK;
}

pz_status
model_read(model* const m)
{
  PZ_TRY(get(m, "kernel", &m->weights.kernel));
  PZ_TRY(get(m, "input", &m->weights.input));
  PZ_TRY(get(m, "bias", &m->weights.bias));
  PZ_TRY(get(m, "out.weight", &m->weights.out));
  return get(m, "out.bias", &m->weights.out_bias);
}

static pz_status
backward(const model* const m, const char* const name, real* const gradient, const int rows,
         const int cols)
{
  int64_t shape[2];
  const pz_tensor tensor = view(gradient, rows, cols, shape);
  return pz_module_backward(m->module, name, &tensor);
}

pz_status
model_backward_others(model* const m)
{
  const network_gradients* const g = &m->gradients;
  PZ_TRY(pz_module_zero_gradients(m->module));
  PZ_TRY(backward(m, "input", g->input, m->hidden, m->n_inputs));
  PZ_TRY(backward(m, "bias", g->bias, m->hidden, 0));
  PZ_TRY(backward(m, "out.weight", g->out, m->n_outputs, m->hidden));
  return backward(m, "out.bias", g->out_bias, m->n_outputs, 0);
}

pz_status
model_backward_kernel(model* const m)
{
  return backward(m, "kernel", m->gradients.kernel, m->hidden, m->hidden);
}

double
model_orthogonality(model* const m)
{
  const int n = m->hidden;
  const real* const w = m->weights.kernel;
  double worst = 0;
  real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, n, 1, w, n, w, n, 0, m->scratch, n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const double entry = m->scratch[(size_t)i * (size_t)n + (size_t)j];
      worst = fmax(worst, fabs(entry - (i == j)));
    }
  }
  return worst;
}
