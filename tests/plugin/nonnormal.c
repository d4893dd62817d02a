/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Exponentials of matrices whose norm overstates their powers: known answers, alone, in a batch with
   others, and as a block of a matrix too large for the device's own operation. */

#include "exponential_known.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>

enum { KNOWN = sizeof(known_exponentials) / sizeof(known_exponentials[0]), BATCH = 21, LARGE = 33 };

typedef struct place {
  int64_t batch;
  int64_t at;    /* in the batch */
  int64_t order; /* 0: of the matrix itself */
} place;

static const place places[] = {
    {1, 0, 0}, {BATCH, 0, 0}, {BATCH, BATCH - 2, 0}, {1, 0, LARGE}, {3, 1, LARGE}};

/* Others of a batch are multiples of the matrix; a larger one has zeros around it. */
static double*
placed(const rig* const r, const place p, const int64_t n, const double* const x)
{
  const int64_t order = p.order > 0 ? p.order : n;
  double* const out = reals(r->n_x);
  for (int64_t m = 0; m < p.batch; ++m) {
    for (int64_t i = 0; i < n * n; ++i) {
      out[(m * order + i / n) * order + i % n] = ldexp(x[i], (int)((p.at - m) % 6));
    }
  }
  return out;
}

/* The 1-norm of rows and columns `first` to `end` - 1 of y - expected, over that of expected; y has
   rows of `step`. */
static double
error(const int64_t n, const int64_t first, const int64_t end, const int64_t step,
      const double* const y, const double* const expected)
{
  double most = 0.0;
  double size = 0.0;
  for (int64_t j = first; j < end; ++j) {
    double off = 0.0;
    double column = 0.0;
    for (int64_t i = first; i < end; ++i) {
      off += fabs(y[i * step + j] - expected[i * n + j]);
      column += fabs(expected[i * n + j]);
    }
    most = !(off <= most) ? off : most;
    size = fmax(size, column);
  }
  return most / size;
}

static void
check(const known_exponential* const k, const uint32_t dtype, const place p)
{
  const int64_t n = k->n;
  const int64_t order = p.order > 0 ? p.order : n;
  const double unit = 100.0 * (double)n * pz_dtype_epsilon(dtype);
  double g[36];
  rig r;
  subject_open(&r, "matrix_exp", dtype, (extents){3, {p.batch, order, order}});
  for (int64_t i = 0; i < n * n; ++i) {
    g[i] = (double)(5 * i % 7) / 2.0 - 1.0;
  }
  double* const x = placed(&r, p, n, k->x);
  double* const gy = placed(&r, p, n, g);
  rig_write(&r, PZ_ORIGINAL, 0, x);
  double* const y = rig_forward(&r);
  double* const gx = rig_vjp(&r, gy, 0);
  const int64_t offset = p.at * order * order;
  const double value = error(n, 0, n, order, y + offset, k->y);
  const double gradient = error(n, 0, n, order, gx + offset, k->gx);
  ck_assert_msg(value <= unit * k->amplification && gradient <= unit * k->amplification,
                "%s, float%d, %d of %d, order %d: value off by %g, gradient by %g, of %g", k->name,
                dtype == PZ_F32 ? 32 : 64, (int)p.at, (int)p.batch, (int)order, value, gradient,
                unit * k->amplification);
  const int64_t parts = k->block == 1 ? n : k->block > 0 ? 2 : 0;
  for (int64_t b = 0; b < parts; ++b) {
    const int64_t first = b * k->block;
    const int64_t end = k->block == 1 ? b + 1 : b == 0 ? k->block : n;
    const double block = error(n, first, end, order, y + offset, k->y);
    ck_assert_msg(block <= unit, "%s, float%d, %d of %d, order %d: block %d off by %g of %g",
                  k->name, dtype == PZ_F32 ? 32 : 64, (int)p.at, (int)p.batch, (int)order, (int)b,
                  block, unit);
  }
  free(x);
  free(gy);
  free(y);
  free(gx);
  rig_close(&r);
}

START_TEST(known_exponentials_are_met)
{
  for (int k = 0; k < KNOWN; ++k) {
    for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); ++p) {
      check(&known_exponentials[k], PZ_F64, places[p]);
      if (known_exponentials[k].narrow) {
        check(&known_exponentials[k], PZ_F32, places[p]);
      }
    }
  }
}
END_TEST

TCase*
tests_nonnormal(void)
{
  TCase* const tests = subject_case("non-normal");
  tcase_add_test(tests, known_exponentials_are_met);
  return tests;
}
