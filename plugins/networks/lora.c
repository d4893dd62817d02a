/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Low-rank changes of a matrix (Hu et al. 2021): W = W0 + s B A with a buffer W0 and originals A, r x in,
   and B, out x r; s = alpha / r, or alpha / sqrt r.

     gB = s G A^T,  gA = s B^T G,  dW = s (dB A + B dA)

   Right inverse: W0 = W, B = 0 and A uniform in +-1 / sqrt(in), which gives W back to the bit. With `frozen`,
   an assignment keeps W0: B A is the singular value decomposition of (W - W0) / s, cut after r values. */

#include "networks.h"

#include <math.h>

enum { FROZEN = LORA_OPTIONS };
enum { BASE }; /* buffer */

// clang-format off

/* root <- the roots of the first `rank` of every `all` singular values */
PZ_KERNEL(lora_roots, 2, 0, 2,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, root);
  PZ_INTEGER_ARG(0, rank);
  PZ_INTEGER_ARG(1, all);
  root[i] = pz_sqrt(s[i / rank * all + i % rank]);
)

// clang-format on

static double
factor_of(const pz_call* const c)
{
  const double rank = (double)c->options[LORA_RANK].as.integer;
  return c->options[LORA_ALPHA].as.real /
         (c->options[LORA_STABLE].as.integer != 0 ? sqrt(rank) : rank);
}

pz_status
lora_plan(pz_call* const c, const pz_spec* const given, pz_spec* const value)
{
  const bool from_tensor = c->direction == PZ_FROM_TENSOR;
  const int64_t rank = c->options[LORA_RANK].as.integer;
  pz_spec a = given[0];
  pz_spec b = given[from_tensor ? 0 : LORA_B];
  const int32_t rows = a.ndim - 2;
  PZ_TRY(pz_expect_dims(c, &a, 2, "matrices"));
  PZ_TRY(pz_expect_dims(c, &b, 2, "matrices"));
  const int64_t out = b.shape[b.ndim - 2];
  const int64_t in = a.shape[rows + 1];
  if ((out < rank || in < rank) && out > 0 && in > 0) {
    return pz_fail(c, PZ_MISMATCH,
                   "found %lldx%lld matrices, expected at least rank=%lld rows and columns",
                   (long long)out, (long long)in, (long long)rank);
  }
  *value = a;
  value->shape[rows] = out;
  value->structure = PZ_GENERAL;
  a.structure = b.structure = PZ_GENERAL;
  a.shape[rows] = rank;
  b.shape[b.ndim - 1] = rank;
  PZ_TRY(pz_declare_original(c, NULL, &a));
  PZ_TRY(pz_declare_original(c, NULL, &b));
  return pz_declare_buffer(c, "base", value);
}

pz_status
lora_init(pz_call* const c, const pz_tensor* const tensor)
{
  return pz_copy(c, tensor, &c->new_buffer[BASE]);
}

pz_status
lora_sum(pz_call* const c, const pz_tensor* const x, pz_tensor* const v)
{
  PZ_TRY(pz_copy(c, &c->buffer[BASE], v));
  return pz_gemm(c, PZ_N, PZ_N, factor_of(c), &x[LORA_B], &x[LORA_A], 1.0, v);
}

pz_status
lora_sum_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const gv,
             pz_tensor* const gx)
{
  if (pz_wants(c, LORA_A)) {
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, factor_of(c), &x[LORA_B], gv, 0.0, &gx[LORA_A]));
  }
  return pz_wants(c, LORA_B)
             ? pz_gemm(c, PZ_N, PZ_T, factor_of(c), gv, &x[LORA_A], 0.0, &gx[LORA_B])
             : PZ_OK;
}

pz_status
lora_sum_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const dx,
             pz_tensor* const dv)
{
  PZ_TRY(pz_fill(c, 0.0, dv));
  if (dx[LORA_B].data) {
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, factor_of(c), &dx[LORA_B], &x[LORA_A], 1.0, dv));
  }
  return dx[LORA_A].data ? pz_gemm(c, PZ_N, PZ_N, factor_of(c), &x[LORA_B], &dx[LORA_A], 1.0, dv)
                         : PZ_OK;
}

pz_status
lora_restart(pz_call* const c, const pz_tensor* const v, pz_tensor* const x)
{
  const double bound = 1.0 / sqrt(fmax(1.0, (double)pz_cols(v)));
  PZ_TRY(pz_copy(c, v, &c->new_buffer[BASE]));
  PZ_TRY(pz_fill(c, 0.0, &x[LORA_B]));
  return pz_random(c, PZ_UNIFORM, c->draw, 0, -bound, bound, &x[LORA_A]);
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  pz_spec value;
  PZ_TRY(lora_plan(c, given, &value));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const w)
{
  return lora_sum(c, x, w);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w, const pz_tensor* const g,
    pz_tensor* const gx)
{
  (void)w;
  return lora_sum_vjp(c, x, g, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w, const pz_tensor* const dx,
    pz_tensor* const dw)
{
  (void)w;
  return lora_sum_jvp(c, x, dx, dw);
}

/* The singular value decomposition of W - W0; u and vt may be NULL. *beyond <- the largest singular value of
   those after the first `rank`. */
static pz_status
change(pz_call* const c, const pz_tensor* const w, pz_tensor* const u, pz_tensor* const s,
       pz_tensor* const vt, double* const beyond)
{
  const int64_t rank = c->options[LORA_RANK].as.integer;
  const int64_t rows = pz_rows(w);
  const int64_t cols = pz_cols(w);
  const int64_t all = rows < cols ? rows : cols;
  pz_spec spec = pz_spec_of(w);
  pz_tensor d;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &spec, &d));
  spec.ndim -= 1;
  spec.shape[spec.ndim - 1] = all;
  PZ_TRY(pz_work(c, &spec, s));
  spec.ndim += 1;
  spec.shape[spec.ndim - 2] = rows;
  spec.shape[spec.ndim - 1] = all;
  PZ_TRY(u ? pz_work(c, &spec, u) : PZ_OK);
  spec.shape[spec.ndim - 2] = all;
  spec.shape[spec.ndim - 1] = cols;
  PZ_TRY(vt ? pz_work(c, &spec, vt) : PZ_OK);
  PZ_TRY(pz_copy(c, w, &d));
  PZ_TRY(pz_axpby(c, -1.0, &c->buffer[BASE], 1.0, &d));
  PZ_TRY(pz_svd(c, &d, u, s, vt));
  PZ_TRY(pz_work_host(c, (size_t)(pz_count(s) + 1) * sizeof(double), &memory));
  const double* const numbers = memory;
  PZ_TRY(pz_read(c, s, memory));
  *beyond = 0.0;
  for (int64_t k = 0; k < pz_count(s); ++k) {
    *beyond = k % all >= rank && !(numbers[k] <= *beyond) ? numbers[k] : *beyond;
  }
  return PZ_OK;
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const w, pz_tensor* const x)
{
  const int64_t rank = c->options[LORA_RANK].as.integer;
  pz_tensor u;
  pz_tensor s;
  pz_tensor vt;
  pz_tensor root;
  pz_view first_u;
  pz_view first_vt;
  double beyond = 0.0;
  double sizes[2] = {0.0, 0.0};
  if (c->options[FROZEN].as.integer == 0 || c->intent == PZ_REGISTER || pz_count(w) == 0) {
    return lora_restart(c, w, x);
  }
  PZ_TRY(change(c, w, &u, &s, &vt, &beyond));
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(pz_largest(c, w, &sizes[0]));
    PZ_TRY(pz_largest(c, &c->buffer[BASE], &sizes[1]));
    const double n = (double)(pz_rows(w) < pz_cols(w) ? pz_cols(w) : pz_rows(w));
    const double allowed = 100.0 * n * pz_dtype_epsilon(w->dtype) * fmax(sizes[0], sizes[1]);
    if (!(beyond <= allowed) || !isfinite(sizes[0])) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found a change at distance %.3g from one of rank %lld, expected at most %.3g",
                     beyond, (long long)rank, allowed);
    }
  }
  // B <- U sqrt(S / s), A <- sqrt(S / s) V^T
  pz_spec row = pz_spec_of(&s);
  row.shape[row.ndim - 1] = rank;
  PZ_TRY(pz_work(c, &row, &root));
  PZ_TRY(pz_scale(c, 1.0 / factor_of(c), &s));
  PZ_TRY(pz_launch(c, &lora_roots, pz_count(&root), PZ_TENSORS(&s, &root), NULL,
                   PZ_INTEGERS(rank, s.shape[s.ndim - 1])));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &root, pz_view_block(&first_u, &u, 0, pz_rows(w), 0, rank),
                     &x[LORA_B]));
  return pz_scale_by(c, PZ_OVER_COLS, &root, pz_view_block(&first_vt, &vt, 0, rank, 0, pz_cols(w)),
                     &x[LORA_A]);
}

/* Every matrix is a value, unless W0 is kept. */
static pz_status
residual(pz_call* const c, const pz_tensor* const w, double* const distance)
{
  pz_tensor s;
  *distance = 0.0;
  return c->options[FROZEN].as.integer == 0 || pz_count(w) == 0
             ? PZ_OK
             : change(c, w, NULL, &s, NULL, distance);
}

static const pz_option options[] = {
    LORA_OPTION_LIST,
    [FROZEN] = PZ_OPTION_FLAG("frozen", 0, "assignments keep W0 and change A and B"),
};

const pz_parametrization networks_lora = {
    .size = sizeof(networks_lora),
    .option_size = sizeof(pz_option),
    .id = "lora",
    .summary = "Low-rank changes of a matrix, W = W0 + s B A",
    .tags = "network adapter rank",
    .formula = "W = W0 + s B A, A rank x in, B out x rank, s = alpha / rank, with rslora alpha / "
               "sqrt(rank)\n"
               "domain: any A and B; the rank is at most the smaller extent\n"
               "right inverse: W0 = W, B = 0, A uniform in +-1/sqrt(in); with frozen, assignments "
               "keep W0 and take B A from the singular values of W - W0\n"
               "cost: 2 rank out in operations forward, twice that in vjp",
    PZ_OPTIONS(options),
    .n_originals = LORA_ORIGINALS,
    .plan = plan,
    .init = lora_init,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .jvp = jvp,
};
