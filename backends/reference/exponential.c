/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of small matrices by Taylor polynomials, scaling and squaring, and
   its adjoint by reversing every product: C = L R sends gC R^T to L and L^T gC to R. */

#include "reference.h"

#include <exponential_schemes.h>

#include <math.h>
#include <string.h>

enum { PRODUCTS = EXPM_MOST_PRODUCTS, MOST_SQUARINGS = 1022, REPAIR_FROM = 2 };

/* What one matrix takes: scratch of n x n each. */
typedef struct evaluation {
  int64_t n;
  const expm_scheme* p;
  int squarings;
  bool triangular;         /* and to be squared */
  double* v[PRODUCTS + 2]; /* values of the polynomial, v[0] the identity */
  double* g[PRODUCTS + 2]; /* gradients at them */
  double* left;
  double* right;
  double* power; /* p(x) squared again and again */
  double* between;
  double* first; /* p(x) */
  double* at;    /* gradient at the value */
} evaluation;

enum { MATRICES = 2 * (PRODUCTS + 2) + 6 };

/* c <- op(a) op(b) + beta c. */
static void
multiply(const int64_t n, const bool ta, const double* const a, const bool tb,
         const double* const b, const double beta, double* const c)
{
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = beta == 0.0 ? 0.0 : beta * c[i * n + j];
      for (int64_t l = 0; l < n; ++l) {
        sum += a[ta ? l * n + i : i * n + l] * b[tb ? j * n + l : l * n + j];
      }
      c[i * n + j] = sum;
    }
  }
}

/* y <- sum of coefficient[j] v[j], j < count. */
static void
combine(const evaluation* const e, const int32_t count, const double* const coefficient,
        double* const y)
{
  for (int64_t i = 0; i < e->n * e->n; ++i) {
    y[i] = 0.0;
    for (int32_t j = 0; j < count; ++j) {
      y[i] += coefficient[j] == 0.0 ? 0.0 : coefficient[j] * e->v[j][i];
    }
  }
}

/* The factors of product k. */
static void
factors(const evaluation* const e, const int32_t k)
{
  combine(e, k + 2, e->p->left[k], e->left);
  combine(e, k + 2, e->p->right[k], e->right);
}

static bool
is_symmetric(const uint32_t in)
{
  return in == PZ_SYMMETRIC || in == PZ_SPD;
}

/* The smaller of the 1-norm and the Frobenius norm, over sqrt 2 for skew x. */
static double
norm_of(const int64_t n, const uint32_t in, const double* const x)
{
  double one = 0.0;
  double squares = 0.0;
  for (int64_t j = 0; j < n; ++j) {
    double column = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      column += fabs(x[i * n + j]);
      squares += x[i * n + j] * x[i * n + j];
    }
    one = column > one || isnan(column) ? column : one;
  }
  return fmin(one, sqrt(in == PZ_SKEW ? squares / 2.0 : squares));
}

/* The growth of the powers of x. v and w are n numbers each. */
static double
growth_of(const int64_t n, const double bound, const double* const x, double* const v,
          double* const w)
{
  double size[EXPM_GROWTH_STEPS + 1];
  double ratio[EXPM_GROWTH_STEPS + 1] = {0.0};
  for (int64_t i = 0; i < n; ++i) {
    v[i] = 1.0;
  }
  for (int j = 0; j <= EXPM_GROWTH_STEPS; ++j) {
    size[j] = 0.0;
    for (int64_t l = 0; l < n; ++l) {
      w[l] = 0.0;
      for (int64_t i = 0; i < n; ++i) {
        w[l] += v[i] * fabs(x[i * n + l]);
      }
      size[j] = fmax(size[j], w[l]);
      ratio[j] = w[l] > 0.0 ? fmax(ratio[j], w[l] / v[l]) : ratio[j];
    }
    for (int64_t i = 0; i < n; ++i) {
      v[i] = size[j] > 0.0 ? w[i] / size[j] : 0.0;
    }
  }
  return expm_growth(bound, EXPM_GROWTH_STEPS, size, ratio);
}

/* Are all entries on one side of the diagonal zero? */
static bool
is_triangular(const int64_t n, const double* const x)
{
  bool upper = true;
  bool lower = true;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      upper = upper && x[i * n + j] == 0.0;
      lower = lower && x[j * n + i] == 0.0;
    }
  }
  return upper || lower;
}

/* The diagonal of y <- exp(2^times of that of x), if x, of which the former is a power, is
   triangular: squarings would spend its digits. */
static void
exact_diagonal(const evaluation* const e, const int times, double* const y)
{
  for (int64_t i = 0; e->triangular && i < e->n; ++i) {
    y[i * (e->n + 1)] = exp(ldexp(e->v[1][i * (e->n + 1)], times));
  }
}

/* Fewer squarings, if the powers of v[1], which has this norm, need fewer. */
static void
spare_squarings(evaluation* const e, const double norm)
{
  double norms[EXPM_POWERS];
  for (int j = 0; j < EXPM_POWERS; ++j) {
    norms[j] = norm_of(e->n, PZ_GENERAL, e->v[j + 2]);
  }
  int spared = expm_spared(e->p->bound[1], false, norm, norm, norms);
  spared = spared < e->squarings ? spared : e->squarings;
  e->squarings -= spared;
  for (int j = 1; j <= EXPM_POWERS + 1; ++j) {
    for (int64_t i = 0; i < e->n * e->n; ++i) {
      e->v[j][i] = ldexp(e->v[j][i], (j <= EXPM_POWERS ? j : 6) * spared);
    }
  }
}

/* Polynomial and squarings by the bounds of float64, in which this is done, the values of the
   former, and p(x) in `power`. */
static void
evaluate(evaluation* const e, const uint32_t in)
{
  double norm = norm_of(e->n, in, e->v[1]);
  uint32_t k = 0;
  while (k < EXPM_LAST && !(norm <= expm_schemes[k].bound[1])) {
    ++k;
  }
  e->p = &expm_schemes[k];
  e->squarings = 0;
  e->triangular = false;
  if (isfinite(norm) && norm > e->p->bound[1] && in != PZ_SKEW && !is_symmetric(in)) {
    norm = fmin(norm, growth_of(e->n, e->p->bound[1], e->v[1], e->left, e->right));
    e->triangular = is_triangular(e->n, e->v[1]);
  }
  if (isfinite(norm) && norm > e->p->bound[1]) {
    (void)frexp(norm / e->p->bound[1], &e->squarings);
    e->squarings = e->squarings < MOST_SQUARINGS ? e->squarings : MOST_SQUARINGS;
  }
  for (int64_t i = 0; i < e->n * e->n; ++i) {
    e->v[0][i] = i % (e->n + 1) == 0 ? 1.0 : 0.0;
    e->v[1][i] = ldexp(e->v[1][i], -e->squarings);
  }
  for (int32_t j = 0; j < e->p->products; ++j) {
    factors(e, j);
    multiply(e->n, false, e->left, false, e->right, 0.0, e->v[j + 2]);
    if (j + 1 == EXPM_POWERS && e->squarings > 0 && in != PZ_SKEW && !is_symmetric(in)) {
      spare_squarings(e, ldexp(norm, -e->squarings));
    }
  }
  combine(e, e->p->products > 0 ? e->p->products + 1 : 2, e->p->last, e->power);
  for (int64_t i = 0; e->p->products > 0 && i < e->n * e->n; ++i) {
    e->power[i] += e->v[e->p->products + 1][i];
  }
  exact_diagonal(e, 0, e->power);
}

/* power <- itself squared, `times` times. */
static void
square(evaluation* const e, const int times)
{
  for (int j = 0; j < times; ++j) {
    double* const from = e->power;
    multiply(e->n, false, from, false, from, 0.0, e->between);
    exact_diagonal(e, j + 1, e->between);
    e->power = e->between;
    e->between = from;
  }
}

/* power <- power (3 I - power^T power) / 2, one Newton-Schulz step: every squaring has doubled
   the distance from orthogonality. */
static void
repair(evaluation* const e)
{
  multiply(e->n, true, e->power, false, e->power, 0.0, e->left);
  for (int64_t i = 0; i < e->n * e->n; ++i) {
    e->left[i] = (i % (e->n + 1) == 0 ? 1.5 : 0.0) - 0.5 * e->left[i];
  }
  multiply(e->n, false, e->power, false, e->left, 0.0, e->between);
  memcpy(e->power, e->between, (size_t)(e->n * e->n) * sizeof(double));
}

/* at <- the gradient at p(x) in `power` for the one at its last square. Every power P is made
   again from the first: gP <- gY P^T + P^T gY. */
static void
reverse_squarings(evaluation* const e)
{
  const size_t bytes = (size_t)(e->n * e->n) * sizeof(double);
  memcpy(e->first, e->power, bytes);
  for (int j = e->squarings; j-- > 0;) {
    memcpy(e->power, e->first, bytes);
    square(e, j);
    multiply(e->n, false, e->at, true, e->power, 0.0, e->left);
    multiply(e->n, true, e->power, false, e->at, 1.0, e->left);
    memcpy(e->at, e->left, bytes);
  }
}

/* g[1] <- the gradient at v[1] for the gradient at the value in `at`. */
static void
reverse(const evaluation* const e, const double* const at)
{
  const int64_t size = e->n * e->n;
  const int32_t products = e->p->products;
  double* const gl = e->between;
  double* const gr = e->power;
  for (int32_t j = 1; j < products + 2; ++j) {
    const double last = j == products + 1 && products > 0 ? 1.0 : e->p->last[j];
    for (int64_t i = 0; i < size; ++i) {
      e->g[j][i] = last * at[i];
    }
  }
  for (int32_t k = products; k-- > 0;) {
    factors(e, k);
    multiply(e->n, false, e->g[k + 2], true, e->right, 0.0, gl);
    multiply(e->n, true, e->left, false, e->g[k + 2], 0.0, gr);
    for (int32_t j = 1; j < k + 2; ++j) {
      for (int64_t i = 0; i < size; ++i) {
        e->g[j][i] += e->p->left[k][j] * gl[i] + e->p->right[k][j] * gr[i];
      }
    }
  }
}

static pz_status
evaluation_init(pz_backend_queue* const q, const int64_t n, evaluation* const e)
{
  double* memory;
  PZ_TRY(pzi_reference_scratch(q, MATRICES * n * n, &memory));
  e->n = n;
  for (int j = 0; j < PRODUCTS + 2; ++j) {
    e->v[j] = memory + j * n * n;
    e->g[j] = memory + (PRODUCTS + 2 + j) * n * n;
  }
  e->left = memory + 2 * (PRODUCTS + 2) * n * n;
  e->right = e->left + n * n;
  e->power = e->right + n * n;
  e->between = e->power + n * n;
  e->first = e->between + n * n;
  e->at = e->first + n * n;
  return PZ_OK;
}

pz_status
pzi_reference_exponential(pz_backend_queue* const q, const uint32_t in, const pz_mat* const x,
                          const pz_mat* const y)
{
  evaluation e;
  PZ_TRY(evaluation_init(q, x->rows, &e));
  for (int64_t k = 0; k < y->batch; ++k) {
    pzi_reference_load(x, k, e.v[1]);
    evaluate(&e, in);
    square(&e, e.squarings);
    if (in == PZ_SKEW && e.squarings > REPAIR_FROM) {
      repair(&e);
    }
    for (int64_t i = 0; is_symmetric(in) && i < e.n; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        const double mean = 0.5 * (e.power[i * e.n + j] + e.power[j * e.n + i]);
        e.power[i * e.n + j] = mean;
        e.power[j * e.n + i] = mean;
      }
    }
    pzi_reference_store(e.power, y, k);
  }
  return PZ_OK;
}

pz_status
pzi_reference_exponential_adjoint(pz_backend_queue* const q, const uint32_t in,
                                  const pz_mat* const x, const pz_mat* const gy,
                                  const pz_mat* const gx)
{
  evaluation e;
  PZ_TRY(evaluation_init(q, x->rows, &e));
  for (int64_t k = 0; k < gx->batch; ++k) {
    pzi_reference_load(x, k, e.v[1]);
    evaluate(&e, in);
    pzi_reference_load(gy, k, e.at);
    reverse_squarings(&e);
    reverse(&e, e.at);
    for (int64_t i = 0; i < e.n * e.n; ++i) {
      e.g[1][i] = ldexp(e.g[1][i], -e.squarings);
    }
    pzi_reference_store(e.g[1], gx, k);
  }
  return PZ_OK;
}
