/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Scaling and squaring, exp(X) = (T(X / 2^s))^(2^s). The adjoint reverses it with the saved
   tensors, in two products for each product of forward.

   Matrices are sorted by cost, degree 18 with the most squarings first. Each degree is then one
   contiguous batch, and each squaring acts on the first matrices of the batch, so that thousands of
   matrices need as many operations as one matrix of each kind. A sorted batch is not moved.

   For skew X, every squaring doubles the distance of the result from the orthogonal matrices. After
   REPAIR_FROM squarings or more, a last step makes it orthogonal again. The adjoint ignores this
   step, which only changes rounding errors. */

#include "exponential.h"

enum { REPAIR_FROM = 2 };

/* The host record that forward saves for vjp. The saved tensors are: index and scale, if used; then
   for each scheme with matrices, from the last to the first, all its products except the final one,
   and for the last scheme the values before each squaring. */
typedef struct record {
  int64_t count[EXPM_SCHEMES]; /* matrices of each scheme */
  int64_t squarings;           /* the largest number for a matrix */
  bool permuted;               /* matrix i in order is matrix index[i] of the batch */
  bool scaled;                 /* and is multiplied by scale[i] */
  int64_t squared[];           /* [j]: matrices squared more than j times */
} record;

/* The values of a scheme for a range of its matrices. */
typedef struct values {
  pz_view view[EXPM_MOST_VALUES];
  pz_tensor* v[EXPM_MOST_VALUES];
} values;

static void
values_range(values* const part, pz_tensor* const* const v, const int n, const int64_t first,
             const int64_t count)
{
  part->v[0] = NULL;
  for (int j = 1; j < n; ++j) {
    part->v[j] = expm_range(&part->view[j], v[j], first, count);
  }
}

static bool
is_symmetric(const uint32_t in)
{
  return in == PZ_SYMMETRIC || in == PZ_SPD;
}

static pz_spec
batch_spec(const pz_tensor* const t, const int64_t count)
{
  return pz_spec_make(t->dtype, 3, (const int64_t[]){count, pz_rows(t), pz_cols(t)});
}

/* The saved record of a finished plan. */
static pz_status
keep(pz_call* const c, const expm_plan* const p, const record** const out)
{
  const int64_t most = p->count[EXPM_LAST] > 0 ? p->squarings[0] : 0;
  void* memory = NULL;
  PZ_TRY(pz_save_host(c, sizeof(record) + (size_t)most * sizeof(int64_t), &memory));
  record* const r = memory;
  for (int k = 0; k < EXPM_SCHEMES; ++k) {
    r->count[k] = p->count[k];
  }
  r->squarings = most;
  r->permuted = p->permuted;
  r->scaled = most > 0;
  int64_t i = p->count[EXPM_LAST];
  for (int64_t j = 0; j < most; ++j) {
    while (p->squarings[i - 1] <= j) {
      --i;
    }
    r->squared[j] = i;
  }
  *out = r;
  return PZ_OK;
}

/* y <- the values of the last scheme, each matrix with its number of squarings. */
static pz_status
squared_value(pz_call* const c, const expm_plan* const p, const record* const r,
              pz_tensor* const* const v, pz_tensor* const y)
{
  const uint32_t in = p->in;
  const expm_scheme* const scheme = &expm_schemes[EXPM_LAST];
  const bool saving = (c->flags & PZ_CALL_SAVING) != 0;
  int64_t m = r->count[EXPM_LAST];
  pz_tensor pair[2];
  pz_tensor* now = &pair[0];
  pz_tensor* next = &pair[1];
  expm_diagonal diagonal = {.any = false};
  if (r->scaled) {
    PZ_TRY(expm_diagonal_open(c, p, v[1], &diagonal));
  }
  for (int64_t j = 0; j <= r->squarings; ++j) {
    /* `now` has m matrices after j - 1 squarings; `front` of them have more than j */
    const int64_t front = j < r->squarings ? r->squared[j] : 0;
    pz_view from;
    pz_view to;
    if (front > 0) {
      const pz_spec spec = batch_spec(y, front);
      if (saving || j < 2) {
        PZ_TRY(saving ? pz_save(c, &spec, next) : pz_work(c, &spec, next));
      }
    }
    for (int done = 0; done < 2; ++done) {
      const int64_t first = done ? front : 0;
      const int64_t count = done ? m - front : front;
      if (count == 0) {
        continue;
      }
      pz_tensor* const target =
          done ? expm_range(&to, y, first, count) : expm_range(&to, next, first, count);
      if (j == 0) {
        values part;
        values_range(&part, v, scheme->products + 1, first, count);
        PZ_TRY(expm_value(c, in, scheme, part.v, target));
      } else {
        const pz_tensor* const base = expm_range(&from, now, first, count);
        PZ_TRY(is_symmetric(in) ? pz_syrk(c, PZ_N, 1.0, base, 0.0, target)
                                : pz_gemm(c, PZ_N, PZ_N, 1.0, base, base, 0.0, target));
      }
      PZ_TRY(expm_diagonal_set(c, &diagonal, j, first, count, target));
    }
    pz_tensor* const swap = now;
    now = next;
    next = swap;
    m = front;
  }
  return PZ_OK;
}

/* Q <- Q (3 I - Q^T Q) / 2: one Newton-Schulz step towards the nearest orthogonal matrix. */
static pz_status
orthogonalize(pz_call* const c, pz_tensor* const q)
{
  pz_tensor gram;
  pz_tensor factor;
  PZ_TRY(pz_work_like(c, q, &gram));
  PZ_TRY(pz_work_like(c, q, &factor));
  PZ_TRY(pz_syrk(c, PZ_T, 1.0, q, 0.0, &gram));
  const pz_tensor* const terms[1] = {&gram};
  PZ_TRY(pz_combine(c, 1.5, 1, (const double[]){-0.5}, terms, &factor));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, q, &factor, 0.0, &gram));
  return pz_copy(c, &gram, q);
}

pz_status
expm_taylor_chosen(pz_call* const c, expm_plan* const p, const pz_tensor* const x,
                   pz_tensor* const y)
{
  const uint32_t in = p->in;
  const pz_spec index_spec = pz_spec_make(PZ_I64, 1, &p->batch);
  const pz_spec scale_spec = pz_spec_make(x->dtype, 1, &p->batch);
  const bool scales = p->count[EXPM_LAST] > 0 && p->squarings[0] > 0;
  pz_tensor index;
  pz_tensor scale;
  pz_tensor a = *x;
  pz_tensor out = *y;
  PZ_TRY(pz_save(c, &index_spec, &index));
  PZ_TRY(pz_save(c, &scale_spec, &scale));
  if (p->permuted || scales) {
    PZ_TRY(pz_work_like(c, x, &a));
    if (p->permuted) {
      PZ_TRY(expm_write_indices(c, p->batch, p->order, &index));
      PZ_TRY(expm_gather(c, false, &index, x, &a));
    } else {
      PZ_TRY(pz_copy(c, x, &a));
    }
    if (scales) {
      PZ_TRY(expm_write_powers(c, p->batch, p->squarings, -1.0, &scale));
      PZ_TRY(expm_scale(c, &scale, &a));
    }
  }

  const record* r = NULL;
  int64_t first = 0;
  for (int k = EXPM_LAST; k >= 0; --k) {
    const expm_scheme* const scheme = &expm_schemes[k];
    const uint64_t mark = pz_work_mark(c);
    const pz_spec spec = batch_spec(x, p->count[k]);
    pz_tensor saved[EXPM_MOST_VALUES];
    pz_tensor* v[EXPM_MOST_VALUES];
    pz_view x_view;
    pz_view y_view;
    int from = 0;
    if (p->count[k] > 0) {
      v[1] = expm_range(&x_view, &a, first, p->count[k]);
      for (int j = 2; j <= scheme->products; ++j) {
        v[j] = &saved[j];
        PZ_TRY(pz_save(c, &spec, v[j]));
      }
      if (k == EXPM_LAST && scales && (p->n >= EXPM_POWERS_FROM || !expm_structured(in))) {
        from = EXPM_POWERS;
        PZ_TRY(expm_products(c, in, scheme, 0, from, v));
        PZ_TRY(expm_refine(c, p, v));
      }
    }
    if (k == EXPM_LAST) {
      PZ_TRY(keep(c, p, &r));
      if (r->permuted) {
        PZ_TRY(pz_work_like(c, y, &out));
      }
    }
    if (p->count[k] > 0) {
      pz_tensor* const value = expm_range(&y_view, &out, first, p->count[k]);
      PZ_TRY(expm_products(c, in, scheme, from, scheme->products - 1, v));
      PZ_TRY(k == EXPM_LAST ? squared_value(c, p, r, v, value)
                            : expm_value(c, in, scheme, v, value));
      if (k == EXPM_LAST && in == PZ_SKEW && r->squarings > REPAIR_FROM) {
        pz_view far;
        PZ_TRY(orthogonalize(c, expm_range(&far, value, 0, r->squared[REPAIR_FROM])));
      }
    }
    first += p->count[k];
    if (k != EXPM_LAST) { /* `out` was taken under the first mark */
      pz_work_release(c, mark);
    }
  }
  if (r->permuted) {
    PZ_TRY(expm_write_indices(c, p->batch, p->order, &index));
    PZ_TRY(expm_gather(c, true, &index, &out, y));
  }
  if (r->scaled) {
    PZ_TRY(expm_write_powers(c, p->batch, p->squarings, -1.0, &scale));
  }
  return PZ_OK;
}

pz_status
expm_taylor(pz_call* const c, const uint32_t in, const pz_tensor* const x, pz_tensor* const y)
{
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  const pz_status small = expm_small(c, in, x, y);
  if (small != PZ_UNSUPPORTED) {
    return small;
  }
  expm_plan p;
  PZ_TRY(expm_choose(c, in, x, &p));
  return expm_taylor_chosen(c, &p, x, y);
}

/* g <- the gradient before all squarings, from g, the gradient after them: for Y = P P, gP = gY P^T
   + P^T gY. It is symmetric if these matrices are. `room` is like g; `first` is the index of the
   first saved tensor. */
static pz_status
reverse_squarings(pz_call* const c, const uint32_t in, const record* const r, const uint32_t first,
                  pz_tensor* const g, pz_tensor* const room)
{
  const int64_t m = r->count[EXPM_LAST];
  for (int64_t j = r->squarings; j-- > 0;) {
    const int64_t front = r->squared[j];
    pz_tensor base;
    pz_view g_view;
    pz_view room_view;
    PZ_TRY(pz_saved(c, first + (uint32_t)j, &base));
    pz_tensor* const now = expm_range(&g_view, g, 0, front);
    pz_tensor* const next = expm_range(&room_view, room, 0, front);
    if (is_symmetric(in)) { // for symmetric P and gY, M + M^T with M = gY P
      PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, now, &base, 0.0, next));
      PZ_TRY(pz_symmetrize(c, 1.0, 1, next, now));
      continue;
    }
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, now, &base, 0.0, next));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &base, now, 1.0, next));
    if (front == m) {
      const pz_tensor swap = *g;
      *g = *room;
      *room = swap;
    } else {
      PZ_TRY(pz_copy(c, next, now));
    }
  }
  return PZ_OK;
}

pz_status
expm_taylor_vjp(pz_call* const c, const uint32_t in, const uint32_t first_saved,
                const uint32_t first_host, const pz_tensor* const x, const pz_tensor* const gy,
                pz_tensor* const gx)
{
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  const pz_status small = expm_small_vjp(c, in, x, gy, gx);
  if (small != PZ_UNSUPPORTED) {
    return small;
  }
  const void* memory = NULL;
  PZ_TRY(pz_saved_host(c, first_host, &memory));
  const record* const r = memory;
  pz_tensor index;
  pz_tensor scale;
  pz_tensor a = *x;
  pz_tensor g = *gy;
  pz_tensor ga = *gx;
  PZ_TRY(pz_saved(c, first_saved, &index));
  PZ_TRY(pz_saved(c, first_saved + 1, &scale));
  if (r->permuted) {
    PZ_TRY(pz_work_like(c, x, &a));
    PZ_TRY(pz_work_like(c, x, &g));
    PZ_TRY(pz_work_like(c, x, &ga));
    PZ_TRY(expm_gather(c, false, &index, x, &a));
    PZ_TRY(expm_gather(c, false, &index, gy, &g));
  } else if (r->scaled) {
    PZ_TRY(pz_work_like(c, x, &a));
    PZ_TRY(pz_copy(c, x, &a));
  }
  if (r->scaled) {
    PZ_TRY(expm_scale(c, &scale, &a));
  }

  int64_t first = 0;
  uint32_t place = first_saved + 2; /* among the saved tensors */
  for (int k = EXPM_LAST; k >= 0; first += r->count[k], --k) {
    if (r->count[k] == 0) {
      continue;
    }
    const expm_scheme* const scheme = &expm_schemes[k];
    const uint64_t mark = pz_work_mark(c);
    const pz_spec spec = batch_spec(x, r->count[k]);
    pz_tensor saved[EXPM_MOST_VALUES];
    pz_tensor* v[EXPM_MOST_VALUES];
    pz_view x_view;
    pz_view g_view;
    pz_view ga_view;
    v[1] = expm_range(&x_view, &a, first, r->count[k]);
    for (int j = 2; j <= scheme->products; ++j) {
      v[j] = &saved[j];
      PZ_TRY(pz_saved(c, place++, v[j]));
    }
    const pz_tensor* at_value = expm_range(&g_view, &g, first, r->count[k]);
    pz_tensor own;
    if (k == EXPM_LAST && r->squarings > 0) {
      pz_tensor room;
      PZ_TRY(pz_work(c, &spec, &own));
      PZ_TRY(pz_work(c, &spec, &room));
      PZ_TRY(is_symmetric(in) ? pz_symmetrize(c, 0.5, 1, at_value, &own)
                              : pz_copy(c, at_value, &own));
      PZ_TRY(reverse_squarings(c, in, r, place, &own, &room));
      place += (uint32_t)r->squarings;
      at_value = &own;
    }
    PZ_TRY(expm_reverse(c, in, scheme, v, at_value, expm_range(&ga_view, &ga, first, r->count[k])));
    pz_work_release(c, mark);
  }
  // gX <- gA 2^-s, in the order of the batch
  if (r->scaled) {
    PZ_TRY(expm_scale(c, &scale, &ga));
  }
  return r->permuted ? expm_gather(c, true, &index, &ga, gx) : PZ_OK;
}
