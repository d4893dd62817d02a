/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The recursion of Durbin and Levinson from partial autocorrelations r_1 .. r_n to coefficients a:
   a <- (a - r_k reverse(a), r_k) for k = 1 .. n. Adjoint and tangent, with a before step k:

     gr_k = g_k - <g_(1..k-1), reverse(a)>,  g <- g_(1..k-1) - r_k reverse(g_(1..k-1)), k = n .. 1
     da <- (da - r_k reverse(da) - dr_k reverse(a), dr_k)

   The a of all steps, n^2/2 numbers, are saved. Running the recursion backwards would divide by
   1 - r_k^2, so that digits are lost where that is small, and all of them where tanh rounds to 1.

   The inverse does run it backwards, r_k = a_k and a <- (a + r_k reverse(a)) / (1 - r_k^2). If an |r_k|
   is 1 or more, it takes a_j rho^j for a_j, where rho is the first power of 0.98 with all
   |r_k| <= 1 - sqrt(eps), or 0. It passes over the powers that leave an |a_j| rho^j above the binomial
   coefficient of n and j, the bound of what is stationary: else 4200 of them are tried for an infinite
   entry. */

#include "recursion.h"

#include <math.h>

// clang-format off

/* up, adjoint: gr <- the gradient at r for g at a, and tangent: da <- the derivative along dr. They have an
   item for each block of W rows of n numbers, and compute W rows at once: in `steps` and `work`, number j of
   block i is W numbers from W (i size + j) on. A lane without a row computes what the last row does.
   `steps` has a before step k, k numbers, from number k (k - 1) / 2 on; or, when nothing is saved, from
   number (k % 2) n on. In the adjoint, `twice` is 0 where number m is number j. */
#define KERNELS(up, adjoint, tangent, W)                                                          \
  PZ_KERNEL(up, 3, 0, 3,                                                                          \
    PZ_TENSOR_ARG(0, r);                                                                          \
    PZ_TENSOR_ARG(1, a);                                                                          \
    PZ_TENSOR_ARG(2, steps);                                                                      \
    PZ_INTEGER_ARG(0, n);                                                                         \
    PZ_INTEGER_ARG(1, rows);                                                                      \
    PZ_INTEGER_ARG(2, saving);                                                                    \
    const pz_int block = i * (saving != 0 ? n * (n + 1) / 2 : 2 * n);                             \
    pz_int from = block;                                                                          \
    real rk[W];                                                                                   \
    real u[W];                                                                                    \
    real v[W];                                                                                    \
    for (pz_int k = 0; k < n; ++k) {                                                              \
      const pz_int to = block + (saving != 0 ? k * (k + 1) / 2 : (k + 1) % 2 * n);                \
      for (int l = 0; l < W; ++l) {                                                               \
        rk[l] = r[(W * i + l < rows ? W * i + l : rows - 1) * n + k];                             \
        steps[W * (to + k) + l] = rk[l];                                                          \
      }                                                                                           \
      for (pz_int j = 0; j < k; ++j) {                                                            \
        for (int l = 0; l < W; ++l) {                                                             \
          u[l] = steps[W * (from + j) + l];                                                       \
        }                                                                                         \
        for (int l = 0; l < W; ++l) {                                                             \
          v[l] = steps[W * (from + k - 1 - j) + l];                                               \
        }                                                                                         \
        for (int l = 0; l < W; ++l) {                                                             \
          steps[W * (to + j) + l] = u[l] - rk[l] * v[l];                                          \
        }                                                                                         \
      }                                                                                           \
      from = to;                                                                                  \
    }                                                                                             \
    for (int l = 0; l < W && W * i + l < rows; ++l) {                                             \
      for (pz_int j = 0; j < n; ++j) {                                                            \
        a[(W * i + l) * n + j] = steps[W * (from + j) + l];                                       \
      }                                                                                           \
    }                                                                                             \
  )                                                                                               \
  PZ_KERNEL(adjoint, 5, 0, 2,                                                                     \
    PZ_TENSOR_ARG(0, r);                                                                          \
    PZ_TENSOR_ARG(1, steps);                                                                      \
    PZ_TENSOR_ARG(2, work);                                                                       \
    PZ_TENSOR_ARG(3, g);                                                                          \
    PZ_TENSOR_ARG(4, gr);                                                                         \
    PZ_INTEGER_ARG(0, n);                                                                         \
    PZ_INTEGER_ARG(1, rows);                                                                      \
    real rk[W];                                                                                   \
    real u[W];                                                                                    \
    real v[W];                                                                                    \
    real sum[W];                                                                                  \
    for (pz_int j = 0; j < n; ++j) {                                                              \
      for (int l = 0; l < W; ++l) {                                                               \
        work[W * (i * n + j) + l] = g[(W * i + l < rows ? W * i + l : rows - 1) * n + j];         \
      }                                                                                           \
    }                                                                                             \
    for (pz_int k = n - 1; k >= 0; --k) {                                                         \
      const pz_int from = i * (n * (n + 1) / 2) + k * (k - 1) / 2;                                \
      for (int l = 0; l < W; ++l) {                                                               \
        rk[l] = r[(W * i + l < rows ? W * i + l : rows - 1) * n + k];                             \
        sum[l] = (real)0;                                                                         \
      }                                                                                           \
      for (pz_int j = 0; 2 * j < k; ++j) {                                                        \
        const pz_int m = k - 1 - j;                                                               \
        const real twice = m == j ? (real)0 : (real)1;                                            \
        for (int l = 0; l < W; ++l) {                                                             \
          u[l] = work[W * (i * n + j) + l];                                                       \
        }                                                                                         \
        for (int l = 0; l < W; ++l) {                                                             \
          v[l] = work[W * (i * n + m) + l];                                                       \
        }                                                                                         \
        for (int l = 0; l < W; ++l) {                                                             \
          sum[l] += u[l] * steps[W * (from + m) + l] + twice * v[l] * steps[W * (from + j) + l];  \
        }                                                                                         \
        for (int l = 0; l < W; ++l) {                                                             \
          work[W * (i * n + j) + l] = u[l] - rk[l] * v[l];                                        \
        }                                                                                         \
        for (int l = 0; l < W; ++l) {                                                             \
          work[W * (i * n + m) + l] = v[l] - rk[l] * u[l];                                        \
        }                                                                                         \
      }                                                                                           \
      for (int l = 0; l < W; ++l) {                                                               \
        work[W * (i * n + k) + l] -= sum[l];                                                      \
      }                                                                                           \
    }                                                                                             \
    for (int l = 0; l < W && W * i + l < rows; ++l) {                                             \
      for (pz_int j = 0; j < n; ++j) {                                                            \
        gr[(W * i + l) * n + j] = work[W * (i * n + j) + l];                                      \
      }                                                                                           \
    }                                                                                             \
  )                                                                                               \
  PZ_KERNEL(tangent, 5, 0, 2,                                                                     \
    PZ_TENSOR_ARG(0, r);                                                                          \
    PZ_TENSOR_ARG(1, steps);                                                                      \
    PZ_TENSOR_ARG(2, work);                                                                       \
    PZ_TENSOR_ARG(3, dr);                                                                         \
    PZ_TENSOR_ARG(4, da);                                                                         \
    PZ_INTEGER_ARG(0, n);                                                                         \
    PZ_INTEGER_ARG(1, rows);                                                                      \
    for (pz_int k = 0; k < n; ++k) {                                                              \
      const pz_int from = i * (n * (n + 1) / 2) + k * (k - 1) / 2;                                \
      for (int l = 0; l < W; ++l) {                                                               \
        const pz_int at = (W * i + l < rows ? W * i + l : rows - 1) * n + k;                      \
        for (pz_int j = 0; 2 * j < k; ++j) {                                                      \
          const pz_int m = k - 1 - j;                                                             \
          const real u = work[W * (i * n + j) + l];                                               \
          const real v = work[W * (i * n + m) + l];                                               \
          work[W * (i * n + j) + l] = u - r[at] * v - dr[at] * steps[W * (from + m) + l];         \
          work[W * (i * n + m) + l] = v - r[at] * u - dr[at] * steps[W * (from + j) + l];         \
        }                                                                                         \
        work[W * (i * n + k) + l] = dr[at];                                                       \
      }                                                                                           \
    }                                                                                             \
    for (int l = 0; l < W && W * i + l < rows; ++l) {                                             \
      for (pz_int j = 0; j < n; ++j) {                                                            \
        da[(W * i + l) * n + j] = work[W * (i * n + j) + l];                                      \
      }                                                                                           \
    }                                                                                             \
  )

KERNELS(recursion_step_up, recursion_step_adjoint, recursion_step_tangent, 16)
KERNELS(recursion_row_up, recursion_row_adjoint, recursion_row_tangent, 1)

/* An item per row: r <- the partial autocorrelations of a, shrunk if need be; beyond <- |r_k| - 1 of a itself, where k is
   the largest with |r_k| >= 1, or -1 if there is none. */
PZ_KERNEL(recursion_step_down, 3, 1, 1,
  PZ_TENSOR_ARG(0, a);
  PZ_TENSOR_ARG(1, r);
  PZ_TENSOR_ARG(2, beyond);
  PZ_REAL_ARG(0, limit);
  PZ_INTEGER_ARG(0, n);
  const pz_int at = i * n;
  real rho = (real)1;
  int outside = 1;
  beyond[i] = (real)-1;
  while (outside) {
    real power = (real)1;
    outside = 0;
    for (pz_int j = 0; j < n; ++j) {
      power *= rho;
      r[at + j] = a[at + j] * power;
    }
    for (pz_int k = n - 1; k >= 0 && !outside; --k) {
      const real rk = r[at + k];
      const real s = (1 - rk) * (1 + rk);
      outside = rho < (real)1 ? pz_abs(rk) > limit : pz_abs(rk) >= (real)1;
      if (rho == (real)1 && !(pz_abs(rk) < (real)1)) {
        beyond[i] = pz_abs(rk) - 1;
      }
      for (pz_int j = 0; 2 * j < k && !outside; ++j) {
        const real u = r[at + j];
        const real v = r[at + k - 1 - j];
        r[at + j] = (u + rk * v) / s;
        r[at + k - 1 - j] = (v + rk * u) / s;
      }
    }
    pz_int steps = 1;
    real most = (real)1;
    for (pz_int j = 0; j < n && outside && rho == (real)1; ++j) {
      most *= (real)(n - j) / (real)(j + 1);
      const real over = pz_log(pz_abs(a[at + j]) / most) / ((real)0.0202027073175194 * (real)(j + 1));
      steps = over > (real)(steps + 2) ? (pz_int)pz_min(over, (real)5000) - 2 : steps;
    }
    for (; steps > 0; --steps) {
      rho = rho < (real)1e-37 ? (real)0 : rho * (real)0.98;
    }
  }
)

// clang-format on

/* The rows of a block, and what computes them. */
typedef struct blocks {
  int64_t width;
  const pz_kernel* up;
  const pz_kernel* adjoint;
  const pz_kernel* tangent;
} blocks;

/* Few rows are computed one by one, for a block takes as long as if it were full. */
static const blocks*
blocks_of(const pz_tensor* const x)
{
  enum { FEW = 4 };
  static const blocks rows = {1, &recursion_row_up, &recursion_row_adjoint, &recursion_row_tangent};
  static const blocks wide = {16, &recursion_step_up, &recursion_step_adjoint,
                              &recursion_step_tangent};
  return pz_count(x) / recursion_order(x) <= FEW ? &rows : &wide;
}

/* Room for `count` numbers of each row of x, in blocks. */
static pz_spec
room_for(const pz_tensor* const x, const int64_t count)
{
  const int64_t rows = pz_count(x) / recursion_order(x);
  const int64_t width = blocks_of(x)->width;
  return pz_spec_make(x->dtype, 2, (const int64_t[]){(rows + width - 1) / width, width * count});
}

pz_status
recursion_up(pz_call* const c, const pz_tensor* const r, pz_tensor* const y)
{
  const int64_t n = recursion_order(y);
  const int64_t saving = (c->flags & PZ_CALL_SAVING) != 0;
  const pz_spec spec = room_for(y, saving ? n * (n + 1) / 2 : 2 * n);
  pz_tensor steps;
  PZ_TRY(saving ? pz_save(c, &spec, &steps) : pz_work(c, &spec, &steps));
  return pz_launch(c, blocks_of(y)->up, spec.shape[0], PZ_TENSORS(r, y, &steps), NULL,
                   PZ_INTEGERS(n, pz_count(y) / n, saving));
}

/* out <- what the kernel makes of `in` and of what forward saved. */
static pz_status
launch_saved(pz_call* const c, const pz_kernel* const kernel, const pz_tensor* const in,
             const pz_tensor* const out)
{
  const int64_t n = recursion_order(in);
  const pz_spec spec = room_for(in, n);
  pz_tensor r;
  pz_tensor steps;
  pz_tensor work;
  PZ_TRY(pz_saved(c, 0, &r));
  PZ_TRY(pz_saved(c, 1, &steps));
  PZ_TRY(pz_work(c, &spec, &work));
  return pz_launch(c, kernel, spec.shape[0], PZ_TENSORS(&r, &steps, &work, in, out), NULL,
                   PZ_INTEGERS(n, pz_count(in) / n));
}

pz_status
recursion_adjoint(pz_call* const c, const pz_tensor* const g, pz_tensor* const gr)
{
  return launch_saved(c, blocks_of(g)->adjoint, g, gr);
}

pz_status
recursion_tangent(pz_call* const c, const pz_tensor* const dr, pz_tensor* const da)
{
  return launch_saved(c, blocks_of(dr)->tangent, dr, da);
}

pz_status
recursion_down(pz_call* const c, const pz_tensor* const y, pz_tensor* const r,
               pz_tensor* const beyond)
{
  const double limit = 1.0 - sqrt(pz_dtype_epsilon(y->dtype));
  const int64_t n = recursion_order(y);
  const pz_spec spec = pz_spec_make(y->dtype, y->ndim - 1, y->shape);
  PZ_TRY(pz_work_like(c, y, r));
  PZ_TRY(pz_work(c, &spec, beyond));
  return pz_launch(c, &recursion_step_down, pz_count(y) / n, PZ_TENSORS(y, r, beyond), &limit, &n);
}
