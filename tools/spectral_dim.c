/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A tensor whose extent along `dim` divides it into `rows` slices is a matrix M, rows x cols. u has
   `rows` entries and v has `cols`. For a tensor of which two dimensions have the same extent, both
   fit; with the wrong one M^T u has another direction than v, and M v than u, and s = u^T M v another
   value. A step of today's spectral_norm ends with v, one of the older hook with u. */

#include "spectral_dim.h"

#include "floats.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 1024 };

typedef struct reading {
  double sigma;
  double residual;
} reading;

/* Of the direction of x from y. */
static double
distance(const double* const x, const double* const y, const int64_t n)
{
  double squares = 0.0;
  double sum = 0.0;
  for (int64_t j = 0; j < n; ++j) {
    squares += x[j] * x[j];
  }
  const double size = sqrt(squares);
  for (int64_t j = 0; j < n; ++j) {
    const double off = y[j] - (size == 0.0 ? 0.0 : x[j] / size);
    sum += off * off;
  }
  return sqrt(sum);
}

/* `mu` and `mv` are room for M^T u and M v. */
static reading
read_along(const pz_spec* const spec, const double* const w, const double* const u,
           const double* const v, const int32_t dim, double* const mu, double* const mv)
{
  int64_t outer = 1;
  int64_t inner = 1;
  for (int32_t i = 0; i < spec->ndim; ++i) {
    outer *= i < dim ? spec->shape[i] : 1;
    inner *= i > dim ? spec->shape[i] : 1;
  }
  const int64_t rows = spec->shape[dim];
  for (int64_t j = 0; j < outer * inner; ++j) {
    mu[j] = 0.0;
  }
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < inner; ++i) {
        mu[o * inner + i] += u[r] * w[(o * rows + r) * inner + i];
      }
    }
  }
  reading found = {0.0, distance(mu, v, outer * inner)};
  for (int64_t j = 0; j < outer * inner; ++j) {
    found.sigma += mu[j] * v[j];
  }
  for (int64_t r = 0; r < rows; ++r) {
    mv[r] = 0.0;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < inner; ++i) {
        mv[r] += w[(o * rows + r) * inner + i] * v[o * inner + i];
      }
    }
  }
  found.residual = fmin(found.residual, distance(mv, u, rows));
  return found;
}

static double*
read_doubles(const pz_file_tensor_info* const tensor)
{
  const size_t n = (size_t)pz_spec_count(&tensor->spec);
  double* const out = malloc((n + 1) * sizeof(*out));
  if (out != NULL) {
    floats_read(tensor->dtype, tensor->data, n, out);
  }
  return out;
}

/* The step of the power method is exact at the last update; since then the tensor has moved by one
   step of training. */
static bool
is_clear(const reading* const best, const reading* const other)
{
  const bool same_value =
      fabs(best->sigma - other->sigma) <= 1e-6 * fmax(fabs(best->sigma), fabs(other->sigma));
  return same_value || (best->residual <= 0.1 && other->residual >= 4.0 * best->residual);
}

/* Chooses among the dimensions of the set `fits`. */
static bool
choose(const pz_file_tensor_info* const weight, const pz_file_tensor_info* const u,
       const pz_file_tensor_info* const v, const uint32_t fits, spectral_dim* const out)
{
  double* const w = read_doubles(weight);
  double* const left = read_doubles(u);
  double* const right = read_doubles(v);
  double* const mu = malloc(((size_t)v->spec.shape[0] + 1) * sizeof(*mu));
  double* const mv = malloc(((size_t)u->spec.shape[0] + 1) * sizeof(*mv));
  const bool good = w != NULL && left != NULL && right != NULL && mu != NULL && mv != NULL;
  reading best = {0.0, INFINITY};
  reading second = {0.0, INFINITY};
  for (int32_t dim = 0; good && dim < weight->spec.ndim; ++dim) {
    if (fits & (1U << dim)) {
      const reading found = read_along(&weight->spec, w, left, right, dim, mu, mv);
      const bool better = out->dim < 0 || found.residual < best.residual;
      if (better || out->other < 0 || found.residual < second.residual) {
        second = better ? best : found;
        out->other = better ? out->dim : dim;
      }
      best = better ? found : best;
      out->dim = better ? dim : out->dim;
    }
  }
  out->residual = best.residual;
  out->other_residual = second.residual;
  if (good && !is_clear(&best, &second)) {
    out->dim = -1;
  }
  free(mv);
  free(mu);
  free(right);
  free(left);
  free(w);
  return good;
}

bool
spectral_dim_find(const pz_file_tensor_info* const weight, const pz_file_tensor_info* const u,
                  const pz_file_tensor_info* const v, spectral_dim* const out)
{
  const pz_spec* const spec = &weight->spec;
  uint32_t fits = 0;
  int32_t n = 0;
  *out = (spectral_dim){.dim = -1, .other = -1};
  if (u->spec.ndim != 1 || v->spec.ndim != 1 || spec->ndim < 2) {
    return true;
  }
  for (int32_t dim = 0; dim < spec->ndim; ++dim) {
    int64_t cols = 1;
    for (int32_t i = 0; i < spec->ndim; ++i) {
      cols *= i == dim ? 1 : spec->shape[i];
    }
    if (u->spec.shape[0] == spec->shape[dim] && v->spec.shape[0] == cols) {
      fits |= 1U << dim;
      out->dim = n++ == 0 ? dim : out->dim;
    }
  }
  if (n < 2) {
    return true;
  }
  out->dim = -1;
  return choose(weight, u, v, fits, out);
}
