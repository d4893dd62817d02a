/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = U diag(f) V^T, f = f(s):

     gU = g V diag(f),  gV = g^T U diag(f),  gs = f' * diag(U^T g V)
     dy = (dU diag(f) + U diag(f' ds)) V^T + U diag(f) dV^T

   and then the derivatives of `orthogonal`. No singular value decomposition is differentiated, so singular
   values may agree. Many originals have the same value, so there is no log |det|.

   The right inverse is in spectrum_inverse.c. */

#include "spectrum.h"

// clang-format off

PZ_ROW_KERNEL(centre, 1, 1, 0, 0,
  PZ_ROW_IN(0, s);
  PZ_ROW_OUT(0, out);
  PZ_ROW_SUM(sum, j, n, s[j][r]);
  PZ_ROW_EACH(j, n) {
    out[j][r] = s[j][r] - sum[r] / (real)n;
  }
)

// clang-format on

enum { U, V, F, SLOPE, OWN_SAVED }; /* tensors that forward saves before those of the frames */

const char* const spectrum_frames[4] = {"auto", "matrix_exp", "cayley", "householder"};

/* What forward saves on the host before the frames: how much U saved. */
typedef struct record {
  uint32_t n_tensors;
  uint32_t n_records;
} record;

static bool
has_buffer(pz_call* const c, part* const p, const int64_t n, const int64_t r)
{
  (void)part_enter(c, p);
  const bool has = orth_has_base(c) || orth_has_signs(c, n, r);
  (void)part_leave(c, p, PZ_OK);
  return has;
}

void
spectrum_open_frames(pz_call* const c, const spectrum* const map, const int64_t n, const int64_t m,
                     const int64_t r, frames* const f)
{
  f->options[ORTH_MAP].as.integer = c->options[FRAMES].as.integer;
  f->options[ORTH_TRIVIALIZATION].as.integer = c->options[TRIVIALIZATION].as.integer;
  f->options[ORTH_NEAREST].as.integer = 1;
  f->options[ORTH_SIGNS].as.integer = map->square ? 0 : c->options[SIGNS].as.integer;
  f->options[ORTH_BASE].as.integer = ORTH_BASE_AUTO;
  f->options[ORTH_REBASE].as.integer = 0;
  f->left =
      (part){.name = "left", .options = f->options, .first_tensor = OWN_SAVED, .first_record = 1};
  f->right = (part){.name = "right", .options = f->options};
  f->left.n_buffer = has_buffer(c, &f->left, n, r);
  f->right.first_buffer = f->left.n_buffer;
  f->right.n_buffer = has_buffer(c, &f->right, m, r);
}

/* After forward: where V's saved memory begins. */
static pz_status
open_saved(pz_call* const c, const spectrum* const map, const pz_tensor* const x, frames* const f)
{
  const void* memory = NULL;
  spectrum_open_frames(c, map, pz_rows(&x[LEFT]), pz_rows(&x[RIGHT]), pz_cols(&x[LEFT]), f);
  PZ_TRY(pz_saved_host(c, 0, &memory));
  f->right.first_tensor = OWN_SAVED + ((const record*)memory)->n_tensors;
  f->right.first_record = 1 + ((const record*)memory)->n_records;
  return PZ_OK;
}

/* ---- plan and value --------------------------------------------------------------------- */

/* r <- the rank of n x m values, as asked for or as the originals have it. */
static pz_status
rank_of(pz_call* const c, const spectrum* const map, const int64_t n, const int64_t m,
        int64_t* const r)
{
  const int64_t most = n < m ? n : m;
  const int64_t asked = map->ranked ? c->options[OWN_OPTIONS].as.integer : 0;
  if (map->square && n != m) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected square ones", (long long)n,
                   (long long)m);
  }
  if (asked > most && most > 0) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices and rank %lld, expected at most %lld",
                   (long long)n, (long long)m, (long long)asked, (long long)most);
  }
  *r = asked == 0 || most == 0 ? most : asked;
  return PZ_OK;
}

pz_status
spectrum_plan(pz_call* const c, const spectrum* const map, const pz_spec* const given)
{
  const bool from_value = c->direction == PZ_FROM_TENSOR;
  const pz_spec* const last = &given[from_value ? 0 : RIGHT];
  int64_t r = 0;
  frames f;
  PZ_TRY(pz_expect_dims(c, &given[0], 2, "matrices"));
  PZ_TRY(pz_expect_dims(c, last, 2, "matrices"));
  const int32_t ndim = given->ndim;
  const int64_t n = given->shape[ndim - 2];
  const int64_t m = last->shape[last->ndim - (from_value ? 1 : 2)];
  PZ_TRY(rank_of(c, map, n, m, &r));
  pz_spec left = *given;
  left.structure = PZ_GENERAL;
  left.shape[ndim - 2] = n;
  left.shape[ndim - 1] = r;
  pz_spec right = left;
  right.shape[ndim - 2] = m;
  pz_spec s = pz_spec_make(given->dtype, ndim - 1, left.shape);
  s.shape[ndim - 2] = r;
  pz_spec y = left;
  y.shape[ndim - 1] = m;
  spectrum_open_frames(c, map, n, m, r, &f);
  PZ_TRY(part_leave(c, &f.left, orth_table.plan(part_enter(c, &f.left), &left)));
  PZ_TRY(pz_declare_original(c, NULL, &s));
  PZ_TRY(part_leave(c, &f.right, orth_table.plan(part_enter(c, &f.right), &right)));
  return pz_declare_value(c, &y, PZ_GENERAL);
}

pz_status
spectrum_init(pz_call* const c, const spectrum* const map, const pz_tensor* const tensor)
{
  const int64_t n = pz_rows(tensor);
  const int64_t m = pz_cols(tensor);
  int64_t r = 0;
  frames f;
  PZ_TRY(rank_of(c, map, n, m, &r));
  spectrum_open_frames(c, map, n, m, r, &f);
  const struct {
    part* p;
    int64_t rows;
  } both[] = {{&f.left, n}, {&f.right, m}};
  for (int k = 0; k < 2; ++k) {
    if (both[k].p->n_buffer > 0) {
      pz_tensor* const state = &c->new_buffer[both[k].p->first_buffer];
      PZ_TRY(part_leave(c, both[k].p,
                        orth_identity_state(part_enter(c, both[k].p), both[k].rows, r, state)));
    }
  }
  return PZ_OK;
}

/* out <- s, or s minus the mean of each row. */
static pz_status
centred(pz_call* const c, const spectrum* const map, const pz_tensor* const s, pz_tensor* const out)
{
  *out = *s;
  if (!map->centred) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, s, out));
  return pz_launch_rows(c, &centre, PZ_ALONG_DIM, -1, PZ_TENSORS(s), PZ_OUTPUTS(out), NULL, NULL);
}

/* out, in scratch, <- U with its columns multiplied by d */
static pz_status
scaled(pz_call* const c, const pz_tensor* const u, const pz_tensor* const d, pz_tensor* const out)
{
  PZ_TRY(pz_work_like(c, u, out));
  return pz_scale_by(c, PZ_OVER_ROWS, d, u, out);
}

pz_status
spectrum_forward(pz_call* const c, const spectrum* const map, const pz_tensor* const x,
                 pz_tensor* const y)
{
  const double parameter = map->parameter ? map->parameter(c) : 0.0;
  void* memory = NULL;
  pz_tensor own[OWN_SAVED];
  pz_tensor s;
  pz_tensor uf;
  frames f;
  PZ_TRY(pz_save_like(c, &x[LEFT], &own[U]));
  PZ_TRY(pz_save_like(c, &x[RIGHT], &own[V]));
  PZ_TRY(pz_save_like(c, &x[SPECTRUM], &own[F]));
  PZ_TRY(pz_save_like(c, &x[SPECTRUM], &own[SLOPE]));
  PZ_TRY(pz_save_host(c, sizeof(record), &memory));
  PZ_TRY(centred(c, map, &x[SPECTRUM], &s));
  PZ_TRY(pz_launch(c, map->value, pz_count(&s), PZ_TENSORS(&s, &own[F], &own[SLOPE]), &parameter,
                   NULL));
  spectrum_open_frames(c, map, pz_rows(y), pz_cols(y), pz_cols(&x[LEFT]), &f);
  PZ_TRY(part_leave(c, &f.left, orth_table.forward(part_enter(c, &f.left), &x[LEFT], &own[U])));
  *(record*)memory = (record){f.left.n_tensors, f.left.n_records};
  PZ_TRY(part_leave(c, &f.right, orth_table.forward(part_enter(c, &f.right), &x[RIGHT], &own[V])));
  PZ_TRY(scaled(c, &own[U], &own[F], &uf));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &uf, &own[V], 0.0, y);
}

static pz_status
own_saved(pz_call* const c, pz_tensor* const own)
{
  for (uint32_t k = 0; k < OWN_SAVED; ++k) {
    PZ_TRY(pz_saved(c, k, &own[k]));
  }
  return PZ_OK;
}

pz_status
spectrum_vjp(pz_call* const c, const spectrum* const map, const pz_tensor* const x,
             const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor own[OWN_SAVED];
  pz_tensor gv;
  pz_tensor gf;
  frames f;
  PZ_TRY(own_saved(c, own));
  PZ_TRY(open_saved(c, map, x, &f));
  if (pz_wants(c, LEFT) || pz_wants(c, SPECTRUM)) {
    PZ_TRY(pz_work_like(c, &own[U], &gv));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, g, &own[V], 0.0, &gv));
  }
  if (pz_wants(c, SPECTRUM)) {
    PZ_TRY(pz_work_like(c, &own[F], &gf));
    PZ_TRY(pz_dot(c, PZ_OVER_ROWS, &own[U], &gv, &gf));
    PZ_TRY(pz_hadamard(c, 1.0, &own[SLOPE], &gf, 0.0, &gf));
    pz_tensor all;
    PZ_TRY(centred(c, map, &gf, &all));
    PZ_TRY(pz_copy(c, &all, &gx[SPECTRUM]));
  }
  if (pz_wants(c, LEFT)) {
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &own[F], &gv, &gv));
    PZ_TRY(part_leave(c, &f.left,
                      orth_table.vjp(part_enter(c, &f.left), &x[LEFT], &own[U], &gv, &gx[LEFT])));
  }
  if (pz_wants(c, RIGHT)) {
    PZ_TRY(pz_work_like(c, &own[V], &gv));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, g, &own[U], 0.0, &gv));
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &own[F], &gv, &gv));
    PZ_TRY(part_leave(
        c, &f.right, orth_table.vjp(part_enter(c, &f.right), &x[RIGHT], &own[V], &gv, &gx[RIGHT])));
  }
  return PZ_OK;
}

pz_status
spectrum_jvp(pz_call* const c, const spectrum* const map, const pz_tensor* const x,
             const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor own[OWN_SAVED];
  pz_tensor factor;
  pz_tensor d;
  frames f;
  PZ_TRY(own_saved(c, own));
  PZ_TRY(open_saved(c, map, x, &f));
  PZ_TRY(pz_fill(c, 0.0, dy));
  if (dx[LEFT].data) {
    PZ_TRY(pz_work_like(c, &own[U], &d));
    PZ_TRY(part_leave(c, &f.left,
                      orth_table.jvp(part_enter(c, &f.left), &x[LEFT], &own[U], &dx[LEFT], &d)));
    PZ_TRY(scaled(c, &d, &own[F], &factor));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &factor, &own[V], 1.0, dy));
  }
  if (dx[SPECTRUM].data) {
    pz_tensor ds;
    PZ_TRY(centred(c, map, &dx[SPECTRUM], &ds));
    PZ_TRY(pz_work_like(c, &own[F], &d));
    PZ_TRY(pz_hadamard(c, 1.0, &own[SLOPE], &ds, 0.0, &d));
    PZ_TRY(scaled(c, &own[U], &d, &factor));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &factor, &own[V], 1.0, dy));
  }
  if (dx[RIGHT].data) {
    PZ_TRY(pz_work_like(c, &own[V], &d));
    PZ_TRY(part_leave(c, &f.right,
                      orth_table.jvp(part_enter(c, &f.right), &x[RIGHT], &own[V], &dx[RIGHT], &d)));
    PZ_TRY(scaled(c, &own[U], &own[F], &factor));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &factor, &d, 1.0, dy));
  }
  return PZ_OK;
}
