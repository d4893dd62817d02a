/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Correlation matrices and their Cholesky factors, from the strict lower triangle of x (Lewandowski,
   Kurowicka and Joe 2009: z are partial correlations):

     z = tanh x,  c = sech x,  s_ij = product over k < j of c_ik
     L_ij = z_ij s_ij,  L_ii = s_ii
     y = L                                     of=factor
     y = L L^T                                 of=matrix

   The rest s of a row is a product, not the root of 1 minus a sum of squares, and c is computed from x, not
   from z: both are right to rounding where z rounds to 1. Let g be the gradient of L, which is (g + g^T) L
   for a matrix. In each row,

     b = g_ii; j from i - 1 down:  gx_ij = s_ij c_ij (g_ij c_ij - b z_ij),  b <- g_ij z_ij + b c_ij
     r = 0; j up:  dL_ij = s_ij (c_ij^2 dx_ij + z_ij r),  r <- r - z_ij dx_ij;  then dL_ii = s_ii r

   In the coordinates of strict lower triangles, log |det dL/dx| = sum of (i - j + 1) log c_ij and
   log |det d(L L^T)/dx| = sum of (n - j + 1) log c_ij. Right inverse: x_ij = asinh(L_ij / |(L_i,j+1 .. L_ii)|),
   which does not depend on the scale of a row.

   z and c are stored packed, row after row of the strict triangle, so that all their functions are computed in
   one vectorised loop. A work item of the other kernels takes `span` rows: a whole small matrix, or one row. */

#include "log_det.h"
#include "matrices.h"

enum { OF };
enum { FACTOR, MATRIX };
enum { Z, C, L }; /* saved */
static const char* const ofs[] = {"factor", "matrix"};

static const matrices sets[] = {
    [FACTOR] = {"a lower triangular matrix with rows of norm 1 and positive diagonal", false, false,
                true},
    [MATRIX] = {"a symmetric matrix with diagonal 1", true, true, true},
};

// clang-format off

/* packed <- the strict triangle of x */
PZ_KERNEL(correlation_pack, 2, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, packed);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, span);
  pz_int r = span == n ? 0 : i % n;
  pz_int row = i * span * n;
  pz_int at = (i * span - r) * (n - 1) / 2 + r * (r - 1) / 2;
  for (const pz_int end = r + span; r < end; ++r) {
    for (pz_int j = 0; j < r; ++j) {
      packed[at + j] = x[row + j];
    }
    row += n;
    at += r;
  }
)

PZ_KERNEL(correlation_parts, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, z);
  PZ_TENSOR_ARG(2, c);
  const real e = pz_exp(-pz_abs(x[i]));
  z[i] = pz_tanh(x[i]);
  c[i] = 2 * e / (1 + e * e);
)

PZ_KERNEL(correlation_value, 3, 0, 2,
  PZ_TENSOR_ARG(0, z);
  PZ_TENSOR_ARG(1, c);
  PZ_TENSOR_ARG(2, l);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, span);
  pz_int r = span == n ? 0 : i % n;
  pz_int row = i * span * n;
  pz_int at = (i * span - r) * (n - 1) / 2 + r * (r - 1) / 2;
  for (const pz_int end = r + span; r < end; ++r) {
    real s = (real)1;
    for (pz_int j = 0; j < r; ++j) {
      l[row + j] = z[at + j] * s;
      s *= c[at + j];
    }
    l[row + r] = s;
    for (pz_int j = r + 1; j < n; ++j) {
      l[row + j] = (real)0;
    }
    row += n;
    at += r;
  }
)

PZ_KERNEL(correlation_adjoint, 4, 0, 2,
  PZ_TENSOR_ARG(0, z);
  PZ_TENSOR_ARG(1, c);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, gx);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, span);
  pz_int r = span == n ? 0 : i % n;
  pz_int row = i * span * n;
  pz_int at = (i * span - r) * (n - 1) / 2 + r * (r - 1) / 2;
  for (const pz_int end = r + span; r < end; ++r) {
    real s = (real)1;
    real b = g[row + r];
    for (pz_int j = 0; j < r; ++j) {
      s *= c[at + j];
      gx[row + j] = s;
    }
    for (pz_int j = r - 1; j >= 0; --j) {
      gx[row + j] *= g[row + j] * c[at + j] - b * z[at + j];
      b = g[row + j] * z[at + j] + b * c[at + j];
    }
    for (pz_int j = r; j < n; ++j) {
      gx[row + j] = (real)0;
    }
    row += n;
    at += r;
  }
)

PZ_KERNEL(correlation_tangent, 4, 0, 2,
  PZ_TENSOR_ARG(0, z);
  PZ_TENSOR_ARG(1, c);
  PZ_TENSOR_ARG(2, dx);
  PZ_TENSOR_ARG(3, dl);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, span);
  pz_int r = span == n ? 0 : i % n;
  pz_int row = i * span * n;
  pz_int at = (i * span - r) * (n - 1) / 2 + r * (r - 1) / 2;
  for (const pz_int end = r + span; r < end; ++r) {
    real s = (real)1;
    real rest = (real)0;
    for (pz_int j = 0; j < r; ++j) {
      const real zj = z[at + j];
      const real cj = c[at + j];
      dl[row + j] = s * (cj * cj * dx[row + j] + zj * rest);
      rest -= zj * dx[row + j];
      s *= cj;
    }
    dl[row + r] = s * rest;
    for (pz_int j = r + 1; j < n; ++j) {
      dl[row + j] = (real)0;
    }
    row += n;
    at += r;
  }
)

/* x <- log sech x */
PZ_KERNEL(correlation_log, 1, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_REAL_ARG(0, log_two);
  const real size = pz_abs(x[i]);
  x[i] = log_two - size - pz_log1p(pz_exp(-2 * size));
)

/* out <- the weighted sum of an item's log sech x */
PZ_KERNEL(correlation_density, 2, 0, 3,
  PZ_TENSOR_ARG(0, logs);
  PZ_TENSOR_ARG(1, out);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, span);
  PZ_INTEGER_ARG(2, of_matrix);
  pz_int r = span == n ? 0 : i % n;
  pz_int at = (i * span - r) * (n - 1) / 2 + r * (r - 1) / 2;
  real sum = (real)0;
  for (const pz_int end = r + span; r < end; ++r) {
    const pz_int most = of_matrix != 0 ? n : r + 1;
    for (pz_int j = 0; j < r; ++j) {
      sum += (real)(most - j) * logs[at + j];
    }
    at += r;
  }
  out[i] = sum;
)

PZ_KERNEL(correlation_density_slope, 3, 0, 3,
  PZ_TENSOR_ARG(0, z);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, gx);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, span);
  PZ_INTEGER_ARG(2, of_matrix);
  pz_int r = span == n ? 0 : i % n;
  pz_int row = i * span * n;
  pz_int at = (i * span - r) * (n - 1) / 2 + r * (r - 1) / 2;
  const real weight = g[i * span / n];
  for (const pz_int end = r + span; r < end; ++r) {
    const pz_int most = of_matrix != 0 ? n : r + 1;
    for (pz_int j = 0; j < n; ++j) {
      gx[row + j] = j < r ? -weight * (real)(most - j) * z[at + j] : (real)0;
    }
    row += n;
    at += r;
  }
)

/* An item is a row of l, and norms are added up from its end. asinh t is log 2 t from 1e9 on. */
PZ_KERNEL(correlation_inverse, 2, 1, 1,
  PZ_TENSOR_ARG(0, l);
  PZ_TENSOR_ARG(1, x);
  PZ_REAL_ARG(0, log_two);
  PZ_INTEGER_ARG(0, n);
  const pz_int row = i * n;
  const pz_int r = i % n;
  real rest = l[row + r];
  for (pz_int j = r; j < n; ++j) {
    x[row + j] = (real)0;
  }
  for (pz_int j = r - 1; j >= 0; --j) {
    const real size = pz_abs(l[row + j]);
    const real t = size / rest;
    const real u = t < (real)1e9 ? pz_log1p(t + t * t / (1 + pz_sqrt(1 + t * t)))
                                 : pz_log(size) - pz_log(rest) + log_two;
    x[row + j] = l[row + j] < (real)0 ? -u : u;
    rest = pz_hypot(rest, size);
  }
)

/* An item is a row: n + 1 normal numbers divided by their norm, of which those from the diagonal on are
   replaced by their norm. This is the onion of Lewandowski, Kurowicka and Joe. */
PZ_KERNEL(correlation_onion, 2, 0, 1,
  PZ_TENSOR_ARG(0, g);
  PZ_TENSOR_ARG(1, l);
  PZ_INTEGER_ARG(0, n);
  const pz_int r = i % n;
  const pz_int from = i * (n + 1);
  real before = (real)0;
  real after = (real)0;
  for (pz_int j = 0; j < r; ++j) {
    before += g[from + j] * g[from + j];
  }
  for (pz_int j = r; j <= n; ++j) {
    after += g[from + j] * g[from + j];
  }
  const real norm = pz_sqrt(before + after);
  for (pz_int j = 0; j < n; ++j) {
    l[i * n + j] = j < r ? g[from + j] / norm : j > r ? (real)0 : pz_sqrt(after) / norm;
  }
)

// clang-format on

static const double log_two = 0.69314718055994530942;

static bool
is_matrix(const pz_call* const c)
{
  return c->options[OF].as.integer == MATRIX;
}

/* The entries of a small matrix are too few to be shared. */
static int64_t
span_of(const int64_t n)
{
  return n > 16 ? 1 : n;
}

/* The items of a kernel over triangles. */
static int64_t
items_of(const pz_tensor* const x)
{
  const int64_t n = pz_cols(x);
  return n == 0 ? 0 : pz_batch(x) * n / span_of(n);
}

/* A kernel over the triangles of matrices like x. */
static pz_status
launch(pz_call* const c, const pz_kernel* const kernel, const pz_tensor* const x,
       const pz_tensor* const* const tensors)
{
  const int64_t n = pz_cols(x);
  return pz_launch(c, kernel, items_of(x), tensors, NULL, PZ_INTEGERS(n, span_of(n), is_matrix(c)));
}

static pz_spec
packed_spec(const pz_tensor* const x)
{
  const int64_t n = pz_cols(x);
  return pz_spec_make(x->dtype, 1, (const int64_t[]){pz_batch(x) * (n * (n - 1) / 2)});
}

static pz_status
correlation_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_density(c, 2, PZ_STRICT_LOWER, PZ_STRICT_LOWER));
  return pz_declare_value(c, given, is_matrix(c) ? PZ_SPD : PZ_LOWER_TRIANGULAR);
}

static pz_status
correlation_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec spec = packed_spec(x);
  pz_tensor packed;
  pz_tensor saved[3];
  PZ_TRY(pz_work(c, &spec, &packed));
  PZ_TRY(pz_save(c, &spec, &saved[Z]));
  PZ_TRY(pz_save(c, &spec, &saved[C]));
  PZ_TRY(launch(c, &correlation_pack, x, PZ_TENSORS(x, &packed)));
  PZ_TRY(pz_launch(c, &correlation_parts, pz_count(&packed),
                   PZ_TENSORS(&packed, &saved[Z], &saved[C]), NULL, NULL));
  if (!is_matrix(c)) {
    return launch(c, &correlation_value, x, PZ_TENSORS(&saved[Z], &saved[C], y));
  }
  PZ_TRY(pz_save_like(c, x, &saved[L]));
  PZ_TRY(launch(c, &correlation_value, x, PZ_TENSORS(&saved[Z], &saved[C], &saved[L])));
  return pz_syrk(c, PZ_N, 1.0, &saved[L], 0.0, y);
}

static pz_status
correlation_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor saved[3];
  pz_tensor gl = *g;
  (void)y;
  PZ_TRY(pz_saved(c, Z, &saved[Z]));
  PZ_TRY(pz_saved(c, C, &saved[C]));
  if (is_matrix(c)) {
    PZ_TRY(pz_saved(c, L, &saved[L]));
    PZ_TRY(matrices_square_vjp(c, &saved[L], g, &gl));
  }
  return launch(c, &correlation_adjoint, x, PZ_TENSORS(&saved[Z], &saved[C], &gl, gx));
}

static pz_status
correlation_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor saved[3];
  pz_tensor dl;
  (void)y;
  PZ_TRY(pz_saved(c, Z, &saved[Z]));
  PZ_TRY(pz_saved(c, C, &saved[C]));
  if (!is_matrix(c)) {
    return launch(c, &correlation_tangent, x, PZ_TENSORS(&saved[Z], &saved[C], dx, dy));
  }
  PZ_TRY(pz_saved(c, L, &saved[L]));
  PZ_TRY(pz_work_like(c, x, &dl));
  PZ_TRY(launch(c, &correlation_tangent, x, PZ_TENSORS(&saved[Z], &saved[C], dx, &dl)));
  return matrices_square_jvp(c, &saved[L], &dl, dy);
}

static pz_status
correlation_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor l;
  PZ_TRY(pz_work_like(c, y, &l));
  PZ_TRY(matrices_inverse(c, &sets[c->options[OF].as.integer], y, &l));
  return pz_launch(c, &correlation_inverse, pz_batch(y) * pz_cols(y), PZ_TENSORS(&l, x), &log_two,
                   PZ_INTEGERS(pz_cols(y)));
}

static pz_status
correlation_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                        pz_tensor* const out)
{
  const pz_spec spec = packed_spec(x);
  const int64_t shape[] = {pz_batch(x), pz_batch(x) == 0 ? 0 : items_of(x) / pz_batch(x)};
  const pz_spec rows = pz_spec_make(x->dtype, 2, shape);
  pz_tensor logs;
  pz_tensor sums;
  (void)y;
  PZ_TRY(pz_work(c, &spec, &logs));
  PZ_TRY(pz_work(c, &rows, &sums));
  PZ_TRY(launch(c, &correlation_pack, x, PZ_TENSORS(x, &logs)));
  PZ_TRY(pz_launch(c, &correlation_log, pz_count(&logs), PZ_TENSORS(&logs), &log_two, NULL));
  PZ_TRY(launch(c, &correlation_density, x, PZ_TENSORS(&logs, &sums)));
  return log_det_sum(c, &sums, out);
}

static pz_status
correlation_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                            const pz_tensor* const g_out, pz_tensor* const gx)
{
  pz_tensor z;
  (void)y;
  PZ_TRY(pz_saved(c, Z, &z));
  return launch(c, &correlation_density_slope, x, PZ_TENSORS(&z, g_out, gx));
}

static pz_status
correlation_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return matrices_residual(c, &sets[c->options[OF].as.integer], y, distance);
}

/* Uniform over correlation matrices, LKJ(1). */
static pz_status
correlation_sample(pz_call* const c, pz_tensor* const y)
{
  const int64_t rows = pz_batch(y) * pz_rows(y);
  const pz_spec spec = pz_spec_make(y->dtype, 2, (const int64_t[]){rows, pz_cols(y) + 1});
  pz_tensor g;
  pz_tensor l;
  PZ_TRY(pz_work(c, &spec, &g));
  PZ_TRY(pz_work_like(c, y, &l));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &g));
  PZ_TRY(pz_launch(c, &correlation_onion, rows, PZ_TENSORS(&g, is_matrix(c) ? &l : y), NULL,
                   PZ_INTEGERS(pz_cols(y))));
  return is_matrix(c) ? pz_syrk(c, PZ_N, 1.0, &l, 0.0, y) : PZ_OK;
}

static const pz_option correlation_options[] = {
    [OF] = PZ_OPTION_CHOICE("of", FACTOR, ofs, "the Cholesky factor L, or the matrix L L^T"),
};

const pz_parametrization matrices_correlation = {
    .size = sizeof(matrices_correlation),
    .option_size = sizeof(pz_option),
    .id = "correlation",
    .summary = "Correlation matrices and their Cholesky factors",
    .tags = "statistics covariance correlation triangular",
    .formula =
        "L_ij = tanh X_ij * product over k < j of sech X_ik, L_ii = product over k < i; Y = L, or "
        "Y = "
        "L L^T with of=matrix\n"
        "domain: any square X, of which the strict lower triangle is read\n"
        "right inverse: X_ij = asinh(L_ij / |L_i,j+1 .. L_ii|); registered matrices may have any "
        "diagonal; where one has no Cholesky factor, eigenvalues below sqrt(eps) times the largest "
        "become that\n"
        "log |det|: sum of (i - j + 1) log sech X_ij in strict lower triangles; of=matrix (n - j + "
        "1)\n"
        "cost: n^2 / 2 of tanh and exp; of=matrix and n^3 / 2 multiply-adds forward, as many in "
        "vjp",
    PZ_OPTIONS(correlation_options),
    .plan = correlation_plan,
    .forward = correlation_forward,
    .right_inverse = correlation_right_inverse,
    .vjp = correlation_vjp,
    .residual = correlation_residual,
    .sample = correlation_sample,
    .log_abs_det = correlation_log_abs_det,
    .log_abs_det_vjp = correlation_log_abs_det_vjp,
    .jvp = correlation_jvp,
};
