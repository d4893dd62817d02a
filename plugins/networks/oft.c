/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Orthogonal changes of a matrix (Qiu et al. 2023): W = R W0 or W0 R with a buffer W0 and R of blocks on the
   diagonal, each the Cayley transform of a skew matrix S, of which an original X_k is the strict upper triangle:

     C = (I + S)(I - S)^-1 = 2 (I - S)^-1 - I
     left:  gC_k = G_k W0_k^T       right:  gC_k = W0_k^T G_k,   then the adjoint of cayley
     dC = (I + C) dS (I + C) / 2

   W_k, W0_k are the rows, or columns, that block k turns. Right inverse: W0 = W, X = 0, which gives W back to
   the bit. With `frozen`, an assignment keeps W0: C_k is the rotation nearest to W_k W0_k^T, in directions that
   W0 leaves open the one nearest to I, and S = I - 2 (I + C)^-1. */

#include "networks.h"

#include "rotation.h"

#include <math.h>

enum { BLOCK, SIDE, ACROSS, FROZEN }; /* options */
enum { LEFT, RIGHT };
enum { BASE }; /* buffer */
static const char* const sides[] = {"left", "right"};

static const uint32_t stored = (uint32_t)PZ_SKEW | (uint32_t)PZ_BY_UPPER;

// clang-format off

/* keep <- 1 for singular values that are not rounding of the largest, else 0 */
PZ_ROW_KERNEL(oft_directions, 1, 1, 1, 0,
  PZ_ROW_IN(0, s);
  PZ_ROW_OUT(0, keep);
  PZ_REAL_ARG(0, share);
  PZ_ROW_EACH(j, n) {
    keep[j][r] = s[j][r] > share * s[0][r] ? (real)1 : (real)0;
  }
)

// clang-format on

static bool
is_left(const pz_call* const c)
{
  return c->options[SIDE].as.integer == LEFT;
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const bool from_tensor = c->direction == PZ_FROM_TENSOR;
  const int64_t block = c->options[BLOCK].as.integer;
  const int64_t across = c->options[ACROSS].as.integer;
  const int32_t batch = given->ndim - (from_tensor ? 2 : 3);
  PZ_TRY(pz_expect_dims(c, given, from_tensor ? 2 : 3, from_tensor ? "matrices" : "blocks"));
  if (batch + 3 > PZ_MAX_DIMS) {
    return pz_fail(c, PZ_MISMATCH, "found %d dimensions, expected fewer", (int)given->ndim);
  }
  const int64_t* const last = given->shape + batch;
  const int64_t extent = from_tensor ? last[is_left(c) ? 0 : 1] : last[0] * last[1];
  const int64_t other = across > 0 ? across : extent;
  const int64_t b = block > 0 ? block : extent;
  if (from_tensor && last[is_left(c) ? 1 : 0] != other) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected %lld %s as across=%lld says",
                   (long long)last[0], (long long)last[1], (long long)other,
                   is_left(c) ? "columns" : "rows", (long long)across);
  }
  if (b > 0 && extent % b != 0) {
    return pz_fail(c, PZ_MISMATCH, "found %lld %s, expected a multiple of block=%lld",
                   (long long)extent, is_left(c) ? "rows" : "columns", (long long)block);
  }
  if (!from_tensor && (last[1] != b || last[2] != b)) {
    return pz_fail(c, PZ_MISMATCH, "found blocks of %lldx%lld, expected %lldx%lld",
                   (long long)last[1], (long long)last[2], (long long)b, (long long)b);
  }
  pz_spec x = pz_spec_make(given->dtype, batch + 3, given->shape);
  pz_spec w = pz_spec_make(given->dtype, batch + 2, given->shape);
  x.shape[batch] = b > 0 ? extent / b : 1;
  x.shape[batch + 1] = x.shape[batch + 2] = b;
  w.shape[batch] = is_left(c) ? extent : other;
  w.shape[batch + 1] = is_left(c) ? other : extent;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  PZ_TRY(pz_declare_buffer(c, "base", &w));
  return pz_declare_value(c, &w, PZ_GENERAL);
}

static pz_status
init(pz_call* const c, const pz_tensor* const tensor)
{
  if (tensor->ndim == c->new_buffer[BASE].ndim) {
    return pz_copy(c, tensor, &c->new_buffer[BASE]);
  }
  // of a later stage, `tensor` is what the blocks come from: I, until a value is registered
  return pz_add_identity(c, 1.0, &c->new_buffer[BASE]);
}

/* The rows or columns that each block of x turns, as a batch of matrices. */
static pz_tensor*
parts(const pz_call* const c, pz_view* const view, const pz_tensor* const x,
      const pz_tensor* const w)
{
  const int32_t batch = w->ndim - 2;
  const int64_t blocks = x->shape[batch];
  const int64_t b = x->shape[batch + 1];
  int64_t shape[PZ_MAX_DIMS];
  for (int32_t i = 0; i < batch; ++i) {
    shape[i] = w->shape[i];
  }
  shape[batch] = is_left(c) ? blocks : pz_rows(w);
  shape[batch + 1] = is_left(c) ? b : blocks;
  shape[batch + 2] = is_left(c) ? pz_cols(w) : b;
  pz_tensor* const out = pz_view_reshaped(view, w, batch + 3, shape);
  if (!is_left(c)) {
    const int64_t stride = view->strides[batch];
    view->shape[batch] = blocks;
    view->shape[batch + 1] = pz_rows(w);
    view->strides[batch] = view->strides[batch + 1];
    view->strides[batch + 1] = stride;
  }
  return out;
}

/* w <- W0 turned by the blocks r. */
static pz_status
turn(pz_call* const c, const pz_tensor* const r, pz_tensor* const w)
{
  pz_view from;
  pz_view to;
  const pz_tensor* const base = parts(c, &from, r, &c->buffer[BASE]);
  pz_tensor* const out = parts(c, &to, r, w);
  return is_left(c) ? pz_gemm(c, PZ_N, PZ_N, 1.0, r, base, 0.0, out)
                    : pz_gemm(c, PZ_N, PZ_N, 1.0, base, r, 0.0, out);
}

/* out <- w_k W0_k^T or W0_k^T w_k, for blocks like those of x. */
static pz_status
against_base(pz_call* const c, const pz_tensor* const w, pz_tensor* const out)
{
  pz_view from;
  pz_view of;
  const pz_tensor* const base = parts(c, &from, out, &c->buffer[BASE]);
  const pz_tensor* const part = parts(c, &of, out, w);
  return is_left(c) ? pz_gemm(c, PZ_N, PZ_T, 1.0, part, base, 0.0, out)
                    : pz_gemm(c, PZ_T, PZ_N, 1.0, base, part, 0.0, out);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const w)
{
  pz_tensor r;
  PZ_TRY(pz_save_like(c, x, &r));
  PZ_TRY(pz_shifted_inverse(c, stored, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, x, &r));
  return turn(c, &r, w);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w, const pz_tensor* const g,
    pz_tensor* const gx)
{
  pz_tensor r;
  pz_tensor gr;
  (void)w;
  PZ_TRY(pz_saved(c, 0, &r));
  PZ_TRY(pz_work_like(c, x, &gr));
  PZ_TRY(against_base(c, g, &gr));
  return pz_shifted_inverse_adjoint(c, stored, &(pz_shift){-1.0, 2.0, 0.0, -1.0}, &r, &gr, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w, const pz_tensor* const dx,
    pz_tensor* const dw)
{
  pz_tensor r;
  pz_tensor n;
  pz_tensor ds;
  pz_tensor half;
  (void)w;
  PZ_TRY(pz_saved(c, 0, &r));
  PZ_TRY(pz_work_like(c, x, &n));
  PZ_TRY(pz_work_like(c, x, &ds));
  PZ_TRY(pz_work_like(c, x, &half));
  PZ_TRY(pz_copy(c, &r, &n));
  PZ_TRY(pz_add_identity(c, 1.0, &n));
  PZ_TRY(pz_fold(c, PZ_UPPER, -1, dx, &ds));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 0.5, &n, &ds, 0.0, &half));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &half, &n, 0.0, &ds));
  return turn(c, &ds, dw);
}

/* r <- the blocks that turn W0 into the nearest to w. With m = U S V^T, and U1, V1 the vectors of values that
   are not rounding: the rotation nearest to U1 V1^T + (I - U1 U1^T)(I - V1 V1^T). */
static pz_status
nearest(pz_call* const c, const pz_tensor* const w, pz_tensor* const r)
{
  const pz_spec row = pz_spec_make(r->dtype, r->ndim - 1, r->shape);
  const double share = 4.0 * (double)pz_rows(r) * pz_dtype_epsilon(r->dtype);
  pz_tensor m;
  pz_tensor u;
  pz_tensor s;
  pz_tensor vt;
  pz_tensor e;
  pz_tensor f;
  PZ_TRY(pz_work_like(c, r, &m));
  PZ_TRY(pz_work_like(c, r, &u));
  PZ_TRY(pz_work_like(c, r, &vt));
  PZ_TRY(pz_work_like(c, r, &e));
  PZ_TRY(pz_work_like(c, r, &f));
  PZ_TRY(pz_work(c, &row, &s));
  PZ_TRY(against_base(c, w, &m));
  PZ_TRY(pz_svd(c, &m, &u, &s, &vt));
  pz_tensor keep;
  PZ_TRY(pz_work(c, &row, &keep));
  PZ_TRY(pz_launch_rows(c, &oft_directions, PZ_ALONG_DIM, -1, PZ_TENSORS(&s), PZ_OUTPUTS(&keep),
                        &share, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &keep, &u, &u));
  PZ_TRY(pz_scale_by(c, PZ_OVER_COLS, &keep, &vt, &vt));
  PZ_TRY(pz_syrk(c, PZ_N, -1.0, &u, 0.0, &e));
  PZ_TRY(pz_syrk(c, PZ_T, -1.0, &vt, 0.0, &f));
  PZ_TRY(pz_add_identity(c, 1.0, &e));
  PZ_TRY(pz_add_identity(c, 1.0, &f));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &e, &f, 0.0, &m));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &vt, 1.0, &m));
  return rotation_nearest(c, true, &m, r);
}

/* The largest difference of w from W0 turned by r. */
static pz_status
difference(pz_call* const c, const pz_tensor* const r, const pz_tensor* const w,
           double* const distance)
{
  pz_tensor off;
  PZ_TRY(pz_work_like(c, w, &off));
  PZ_TRY(turn(c, r, &off));
  PZ_TRY(pz_axpby(c, 1.0, w, -1.0, &off));
  return pz_largest(c, &off, distance);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const w, pz_tensor* const x)
{
  const double rounding = (double)(pz_rows(w) + pz_cols(w)) * pz_dtype_epsilon(w->dtype);
  double distance = 0.0;
  double size = 0.0;
  pz_tensor r;
  pz_tensor s;
  if (c->options[FROZEN].as.integer == 0 || c->intent == PZ_REGISTER || pz_count(w) == 0) {
    PZ_TRY(pz_fill(c, 0.0, x));
    return pz_copy(c, w, &c->new_buffer[BASE]);
  }
  PZ_TRY(pz_work_like(c, x, &r));
  PZ_TRY(pz_work_like(c, x, &s));
  PZ_TRY(nearest(c, w, &r));
  PZ_TRY(difference(c, &r, w, &distance));
  PZ_TRY(pz_largest(c, w, &size));
  if (c->intent == PZ_ASSIGN && !(distance <= 100.0 * rounding * size)) {
    return pz_fail(c, PZ_OUTSIDE,
                   "found a matrix at distance %.3g from W0 turned, expected at most %.3g",
                   distance, 100.0 * rounding * size);
  }
  // S <- I - 2 (I + R)^-1
  const pz_status status =
      pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){1.0, -2.0, 1.0, 1.0}, &r, &s);
  if (status != PZ_SINGULAR) {
    PZ_TRY(status);
    PZ_TRY(pz_symmetrize(c, 0.5, -1, &s, &r));
    PZ_TRY(pz_largest(c, &r, &size));
  }
  return status == PZ_SINGULAR || !(rounding * size <= 0.1)
             ? pz_fail(c, PZ_SINGULAR,
                       "found a rotation with an eigenvalue close to -1, which no Cayley "
                       "transform has")
             : pz_triangle(c, PZ_UPPER, 1, &r, x);
}

/* Every matrix is a value, unless W0 is kept. */
static pz_status
residual(pz_call* const c, const pz_tensor* const w, double* const distance)
{
  const int64_t block = c->options[BLOCK].as.integer;
  const int64_t extent = is_left(c) ? pz_rows(w) : pz_cols(w);
  pz_spec spec = pz_spec_make(w->dtype, w->ndim + 1, w->shape);
  pz_tensor r;
  *distance = 0.0;
  if (c->options[FROZEN].as.integer == 0 || pz_count(w) == 0) {
    return PZ_OK;
  }
  spec.shape[w->ndim] = spec.shape[w->ndim - 1] = block > 0 ? block : extent;
  spec.shape[w->ndim - 2] = extent / spec.shape[w->ndim];
  PZ_TRY(pz_work(c, &spec, &r));
  PZ_TRY(nearest(c, w, &r));
  return difference(c, &r, w, distance);
}

static const pz_option options[] = {
    [BLOCK] = PZ_OPTION_INTEGER("block", 0, 0, INT32_MAX, "order of the blocks; 0: one block"),
    [SIDE] =
        PZ_OPTION_CHOICE("side", LEFT, sides, "side of W0 that is turned: its rows or columns"),
    [ACROSS] = PZ_OPTION_INTEGER("across", 0, 0, INT32_MAX,
                                 "extent of the other side; 0: the same, for square matrices"),
    [FROZEN] = PZ_OPTION_FLAG("frozen", 0, "assignments keep W0 and change the blocks"),
};

const pz_parametrization networks_oft = {
    .size = sizeof(networks_oft),
    .option_size = sizeof(pz_option),
    .id = "oft",
    .summary = "Orthogonal changes of a matrix by blocks, W = R W0 or W0 R",
    .tags = "network adapter orthogonal",
    .formula = "W = R W0 or W0 R, R = diag(C_1, C_2, ..), C = (I + S)(I - S)^-1, S skew from the "
               "strict upper triangle of a block of X\n"
               "domain: any X; the block divides the extent that is turned\n"
               "right inverse: W0 = W, X = 0; with frozen, assignments keep W0 and take the "
               "rotations nearest to W W0^T, without eigenvalue -1\n"
               "cost: an inversion of each block and 2 block in out operations, twice that in vjp",
    PZ_OPTIONS(options),
    .plan = plan,
    .init = init,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .jvp = jvp,
};
