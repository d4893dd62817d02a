/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Batches of small matrices that may go together: every matrix comes out as it should, a
   singular one or a NaN stays in its own, and neither neighbours, nor the place in the batch,
   nor threads change a bit. */

#include "pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum operation { SOLVE, SOLVE_DEFINITE, POTRF, EIGH, TRSM, TRMM, OPERATIONS } operation;

/* What is wrong with one matrix. */
typedef enum defect { NOTHING, ZERO, NOT_A_NUMBER } defect;

/* Well-conditioned matrices, rows of 2 I and at most 1/2 more: positive definite ones, or with rows
   in any order, so that pivots must be looked for. */
static void
make_regular(pair* const r, operand* const a, const bool definite)
{
  const int64_t n = a->mat[0].rows;
  int64_t* const row = malloc((size_t)n * sizeof(*row));
  ck_assert_ptr_nonnull(row);
  for (int64_t k = 0; k < operand_matrices(a); ++k) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t j = definite ? i : pair_pick(r, i + 1);
      row[i] = row[j];
      row[j] = i;
    }
    for (int64_t e = 0; e < n * n; ++e) {
      const int64_t i = e / n;
      const int64_t j = e % n;
      const double any = (test_uniform(&r->random) - 0.5) / (double)n + (i == j ? 2.0 : 0.0);
      operand_put(a, k, row[i], j, definite && j < i ? operand_get(a, BEFORE, k, j, i) : any);
    }
  }
  free(row);
}

static void
spoil(pair* const r, operand* const a, const int64_t place, const defect d)
{
  const int64_t n = a->mat[0].rows;
  const int64_t i = pair_pick(r, n);
  const int64_t j = pair_pick(r, n);
  for (int64_t e = 0; d == ZERO && e < n; ++e) {
    operand_put(a, place, i, e, 0.0);
    operand_put(a, place, e, i, 0.0);
  }
  if (d == NOT_A_NUMBER) {
    operand_put(a, place, i, j, (double)NAN);
    operand_put(a, place, j, i, (double)NAN);
  }
}

/* From a and b, or x itself, to x; w is for eigenvalues. */
typedef struct operands {
  operand* a;
  operand* b;
  operand* x;
  operand* w;
} operands;

/* How to take them. */
typedef struct choice {
  operation op;
  pz_side where;
  pz_triangle triangle;
  pz_diagonal diagonal;
} choice;

static pz_status
apply(const side* const s, const choice* const c, const pz_mat* const a, const pz_mat* const b,
      const pz_mat* const x, const pz_mat* const w)
{
  const pz_backend_ops* const ops = s->ops;
  switch (c->op) {
  case SOLVE:
    return ops->solve ? ops->solve(s->queue, PZ_GENERAL, a, b, x, &s->fault) : PZ_UNSUPPORTED;
  case SOLVE_DEFINITE:
    return ops->solve ? ops->solve(s->queue, PZ_SPD, a, b, x, &s->fault) : PZ_UNSUPPORTED;
  case POTRF:
    return ops->potrf ? ops->potrf(s->queue, c->triangle, a, x, &s->fault) : PZ_UNSUPPORTED;
  case EIGH:
    return ops->eigh ? ops->eigh(s->queue, a, w, x, &s->fault) : PZ_UNSUPPORTED;
  case TRSM:
    return ops->trsm ? ops->trsm(s->queue, c->where, c->triangle, c->diagonal, 1.5, a, x, &s->fault)
                     : PZ_UNSUPPORTED;
  case TRMM:
    return ops->trmm ? ops->trmm(s->queue, c->where, c->triangle, c->diagonal, 1.5, a, x)
                     : PZ_UNSUPPORTED;
  case OPERATIONS:
    break;
  }
  return PZ_INVALID;
}

/* `count` matrices from `first` on. */
static pz_mat
part_of(const pz_mat* const m, const int64_t first, const int64_t count)
{
  pz_mat part = *m;
  part.byte_offset += (uint64_t)(first * m->batch_stride) * pz_dtype_size(m->dtype);
  part.batch = count;
  return part;
}

/* On all matrices but the first and last so many. */
static void
run(pair* const r, const choice* const c, const operands* const o, const int64_t without)
{
  static const char* const names[] = {"solve", "solve", "potrf", "eigh", "trsm", "trmm"};
  const int64_t count = o->x->mat[0].batch - 2 * without;
  r->op = names[c->op];
  while (pair_step(r)) {
    const pz_mat a = part_of(AT(o->a), without, count);
    const pz_mat b = part_of(AT(o->b), without, count);
    const pz_mat x = part_of(AT(o->x), without, count);
    const pz_mat w = part_of(AT(o->w), without, count);
    r->result = apply(&r->sides[r->turn], c, &a, &b, &x, &w);
  }
}

/* Of matrices that half of the batches have. */
static defect
pick_defect(pair* const r, const choice* const c)
{
  switch (c->op) {
  case EIGH: /* eigenvectors are held to account elsewhere, by residual */
    return NOT_A_NUMBER;
  case TRSM:
    return c->diagonal == PZ_NON_UNIT && pair_pick(r, 2) ? ZERO : NOTHING;
  case TRMM:
    return NOTHING;
  default:
    return pair_pick(r, 2) ? NOTHING : (defect)pair_pick(r, 3);
  }
}

START_TEST(test_every_matrix)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 8 * pair_trials(); ++trial) {
    pair_trial(r, 0);
    const choice c = {
        .op = (operation)pair_pick(r, OPERATIONS),
        .where = (pz_side)pair_pick(r, 2),
        .triangle = (pz_triangle)pair_pick(r, 2),
        .diagonal = (pz_diagonal)pair_pick(r, 2),
    };
    const bool updates = c.op == TRSM || c.op == TRMM;
    const int64_t n = pair_small_order(r);
    const int64_t cols = c.op == POTRF || c.op == EIGH ? n : pair_small_order(r);
    const bool turned = updates && c.where == PZ_RIGHT;
    const int64_t batch = pair_small_batch(r);
    const int64_t place = pair_pick(r, batch);
    const defect d = pick_defect(r, &c);
    const operands o = {
        .a = operand_new(r, d == NOTHING ? OPERAND_IN : OPERAND_INOUT, r->dtype, n, n, batch),
        .b = operand_in(r, n, cols, batch),
        .x = operand_new(r, updates ? OPERAND_INOUT : OPERAND_OUT, r->dtype, turned ? cols : n,
                         turned ? n : cols, batch),
        .w = operand_out(r, n, 1, batch),
    };
    const double scale = c.op == POTRF ? 0.0 : 4.0 * operand_norm(updates ? o.x : o.b, BEFORE);
    o.a->role = OPERAND_IN;
    make_regular(r, o.a, c.op != SOLVE);
    spoil(r, o.a, place, d);
    run(r, &c, &o, 0);
    switch (d) {
    case NOTHING:
      expect_close(r, o.x, scale);
      break;
    case ZERO:
      expect_singular(r, o.x, place, scale);
      break;
    case NOT_A_NUMBER:
      expect_ok(r);
      expect_spoiled(r, o.x, place);
      if (c.op == EIGH) {
        expect_spoiled(r, o.w, place);
      }
      break;
    }
  }
  pair_close(r);
}
END_TEST

/* Holds what the tested side's x is without the first and last matrices against what it was with
   them, or puts all of them there. */
static void
compare(const pair* const r, const operand* const x, const int64_t first, double* const kept)
{
  const pz_mat* const m = &x->mat[0];
  const int64_t size = m->rows * m->cols;
  double* const found = reals(size);
  for (int64_t k = first; k < m->batch - first; ++k) {
    operand_matrix(x, TESTED, k, first > 0 ? found : kept + k * size);
    if (first > 0 && memcmp(found, kept + k * size, (size_t)size * sizeof(double)) != 0) {
      pair_fail(r, "matrix %lld comes out otherwise without the first %lld", (long long)k,
                (long long)first);
    }
  }
  free(found);
}

static const int64_t orders[] = {1, 3, 8, 13, 16, 27, 32};
enum { N_ORDERS = sizeof(orders) / sizeof(orders[0]) };

START_TEST(test_neighbours_change_nothing)
{
  pair it;
  pair* const r = &it;
  const int64_t n = orders[_i / 2];
  const int64_t batch = 100000 / (n * n * n) + 203;
  pair_open(r, _i % 2);
  for (int op = 0; op < OPERATIONS; ++op) {
    if (!test_takes(_i + op, OPERATIONS)) {
      continue;
    }
    pair_trial(r, 0);
    const operands o = {
        .a = operand_new(r, OPERAND_INOUT, r->dtype, n, n, batch),
        .b = operand_new(r, OPERAND_INOUT, r->dtype, n, n, batch),
        .x = operand_new(r, op >= TRSM ? OPERAND_INOUT : OPERAND_OUT, r->dtype, n, n, batch),
        .w = operand_out(r, n, 1, batch),
    };
    const choice c = {(operation)op, PZ_LEFT, PZ_LOWER, PZ_NON_UNIT};
    double* const kept = reals(n * (n + 1) * batch);
    o.a->role = OPERAND_IN;
    o.b->role = OPERAND_IN;
    make_regular(r, o.a, op != SOLVE);
    loop_use_threads(1);
    for (int64_t first = 0; first < 80; first += first == 0 ? 1 : 29) {
      run(r, &c, &o, first);
      expect_ok(r);
      if (r->offered) {
        compare(r, o.x, first, kept);
      }
      if (r->offered && op == EIGH) {
        compare(r, o.w, first, kept + n * n * batch);
      }
      loop_use_threads(3);
    }
    loop_use_threads(1);
    free(kept);
  }
  pair_close(r);
}
END_TEST

TCase*
batches_case(void)
{
  TCase* const t = tcase_create("batches");
  tcase_add_loop_test(t, test_every_matrix, 0, 2);
  // elsewhere transfers would take minutes
  if (pair_in_host_memory()) {
    tcase_add_loop_test(t, test_neighbours_change_nothing, 0, 2 * N_ORDERS);
  }
  return t;
}
