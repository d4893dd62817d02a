/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* s = alpha s + (1 - alpha) g^2, x = x - rate g / (sqrt(s) + eps), alpha 0.99, eps 1e-8
   (Tieleman and Hinton 2012, with eps outside the root as in PyTorch). */

#include "optimizer.h"

#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

static const char of_kernel[] = "parametrizations.kernel.";

/* A buffer has the name of its parameter with ":" for ".", which a name must not contain. */
static char*
buffer_name(const char* const parameter)
{
  char* const name = strdup(parameter);
  for (char* at = name; at && (at = strchr(at, '.'));) {
    *at = ':';
  }
  return name;
}

static pz_status
add_buffer(optimizer* const opt, const pz_tensor_info* const tensor)
{
  char** const names = realloc(opt->names, (opt->n + 1) * sizeof(*names));
  if (!names) {
    return PZ_NO_MEMORY;
  }
  opt->names = names;
  char** const buffers = realloc(opt->buffers, (opt->n + 1) * sizeof(*buffers));
  if (!buffers) {
    return PZ_NO_MEMORY;
  }
  opt->buffers = buffers;
  names[opt->n] = strdup(tensor->name);
  buffers[opt->n] = buffer_name(tensor->name);
  ++opt->n;
  void* const zeros = calloc((size_t)pz_spec_count(&tensor->spec) + 1, sizeof(real));
  pz_status status = PZ_NO_MEMORY;
  if (zeros && names[opt->n - 1] && buffers[opt->n - 1]) {
    const pz_tensor t = pz_host_tensor(REAL_DTYPE, zeros, tensor->spec.ndim, tensor->spec.shape);
    status = pz_module_add(opt->squares, buffers[opt->n - 1], PZ_BUFFER, &t);
  }
  free(zeros);
  return status;
}

pz_status
optimizer_init(const model* const m, optimizer* const opt)
{
  pz_tensor_info tensor = {.size = sizeof(tensor)};
  *opt = (optimizer){0};
  PZ_TRY(pz_module_new(m->context, m->queue, "RMSprop", &opt->squares));
  const pz_status status = pz_module_add_child(m->root, "optimizer", opt->squares);
  if (status != PZ_OK) {
    pz_module_free(opt->squares);
    return status;
  }
  for (uint32_t i = 0; pz_module_tensor(m->module, i, &tensor) == PZ_OK; ++i) {
    if (tensor.kind == PZ_PARAMETER && tensor.requires_grad) {
      PZ_TRY(add_buffer(opt, &tensor));
    }
  }
  return PZ_OK;
}

void
optimizer_cleanup(optimizer* const opt)
{
  for (uint32_t i = 0; i < opt->n; ++i) {
    free(opt->names[i]);
    free(opt->buffers[i]);
  }
  free(opt->names);
  free(opt->buffers);
  *opt = (optimizer){0};
}

static real*
elements(const pz_tensor* const t)
{
  return (real*)((char*)t->data + t->byte_offset);
}

static void
descend(const int64_t n, const double rate, const real* restrict const g, real* restrict const s,
        real* restrict const x)
{
  const real alpha = (real)0.99;
  const real keep = 1 - alpha;
  const real eps = (real)1e-8;
  for (int64_t i = 0; i < n; ++i) {
    s[i] = alpha * s[i] + keep * g[i] * g[i];
    x[i] -= (real)rate * g[i] / (sqrt(s[i]) + eps);
  }
}

pz_status
optimizer_step(const optimizer* const opt, const model* const m, const double rate,
               const double kernel_rate)
{
  for (uint32_t i = 0; i < opt->n; ++i) {
    const char* const name = opt->names[i];
    const bool kernel =
        strcmp(name, "kernel") == 0 || strncmp(name, of_kernel, sizeof(of_kernel) - 1) == 0;
    pz_tensor gradient;
    pz_tensor square;
    pz_tensor weight;
    PZ_TRY(pz_module_gradient(m->module, name, &gradient));
    PZ_TRY(pz_module_edit(opt->squares, opt->buffers[i], &square));
    PZ_TRY(pz_module_edit(m->module, name, &weight));
    descend(pz_count(&weight), kernel ? kernel_rate : rate, elements(&gradient), elements(&square),
            elements(&weight));
    PZ_TRY(pz_module_commit(m->module, name));
    PZ_TRY(pz_module_commit(opt->squares, opt->buffers[i]));
  }
  return PZ_OK;
}
