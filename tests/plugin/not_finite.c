/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What is not finite stays visible, on every device: a NaN or an Inf in an entry that a map reads
   makes its value not finite, or is refused, and so does registering a tensor with one. */

#include "subject.h"
#include "suites.h"
#include "variants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double bad[] = {NAN, INFINITY, -INFINITY}; /* only NaN where the value has limits */

/* The value at originals x, or after registering x; NULL if that is refused. */
typedef double* measure(rig* r, const double* x);

static double*
value_at(rig* const r, const double* const x)
{
  pz_tensor value;
  rig_write_originals(r, x);
  const pz_status status = pz_eval_forward(r->eval, r->state, 0, NULL, &value);
  return status == PZ_OK && pz_eval_check(r->eval) == PZ_OK ? rig_download(r, &value) : NULL;
}

static double*
registered(rig* const r, const double* const x)
{
  pz_tensor value;
  if (rig_assign(r, PZ_REGISTER, x) != PZ_OK) {
    return NULL;
  }
  const pz_status status = pz_eval_forward(r->eval, r->state, 0, NULL, &value);
  return status == PZ_OK && pz_eval_check(r->eval) == PZ_OK ? rig_download(r, &value) : NULL;
}

static bool
is_finite(const int64_t n, const double* const y)
{
  for (int64_t k = 0; k < n; ++k) {
    if (!isfinite(y[k])) {
      return false;
    }
  }
  return true;
}

/* Does entry k count? */
static bool
counts(rig* const r, measure* const at, const double* const y, double* const x, const int64_t k)
{
  static const double factor[] = {1.0, -1.0};
  static const double more[] = {0.5, 0.0};
  const double before = x[k];
  bool found = false;
  for (int j = 0; j < 2; ++j) {
    x[k] = before * factor[j] + more[j];
    double* const moved = at(r, x);
    found = found || !moved || memcmp(moved, y, (size_t)r->n_y * sizeof(double)) != 0;
    free(moved);
  }
  x[k] = before;
  return found;
}

static void
each_entry(rig* const r, measure* const at, double* const x, const int64_t n_x,
           const char* const chain)
{
  enum { MOST = 25, TRIED = 7 };
  if (n_x == 0 || n_x > MOST) {
    return;
  }
  double* const y = at(r, x);
  if (!y) { /* a tensor outside the set */
    return;
  }
  const int64_t step = test_thorough() ? 1 : (n_x + TRIED - 1) / TRIED;
  for (int64_t k = (int64_t)(r->random % (uint64_t)step); k < n_x; k += step) {
    const double before = x[k];
    const bool read = counts(r, at, y, x, k);
    for (int b = 0; b < (contract_saturates(chain) ? 1 : 3); ++b) {
      x[k] = bad[b];
      double* const found = at(r, x);
      ck_assert_msg(!found || !read || !is_finite(r->n_y, found),
                    "%s, float%d: %g in entry %d of %d does not show", chain,
                    r->y.dtype == PZ_F32 ? 32 : 64, bad[b], (int)k, (int)n_x);
      free(found);
    }
    x[k] = before;
  }
  free(y);
}

static void
originals_show(rig* const r, const extents shape, const char* const chain)
{
  (void)shape;
  double* const x = rig_normal(r, r->x.dtype, r->n_x, 0.7);
  each_entry(r, value_at, x, r->n_x, chain);
  free(x);
}

static void
tensors_show(rig* const r, const extents shape, const char* const chain)
{
  (void)shape;
  if (contract_saturates(chain)) {
    return; /* what is registered is judged as a whole, entries that a stage before drops included */
  }
  double* const x = rig_normal(r, r->y.dtype, r->n_y, 0.7);
  each_entry(r, registered, x, r->n_y, chain);
  free(x);
}

START_TEST(in_originals)
{
  on_every_chain(originals_show, true);
}
END_TEST

START_TEST(in_registered_tensors)
{
  on_every_chain(tensors_show, true);
}
END_TEST

TCase*
tests_not_finite(void)
{
  TCase* const tests = subject_case("not finite");
  tcase_add_test(tests, in_originals);
  tcase_add_test(tests, in_registered_tensors);
  return tests;
}
