/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a run must have come to. */

#include "pair.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
expect_status(const pair* const r, const pz_status status)
{
  for (int k = r->offered ? TESTED : REFERENCE; k < 2; ++k) {
    const side* const s = &r->sides[k];
    if (s->status != status) {
      pair_fail(r, "%s answered %d (%s), expected %d", s->backend->id, (int)s->status, s->message,
                (int)status);
    }
    if (status != PZ_OK && s->fault_place < 0 && s->message[0] == '\0') {
      pair_fail(r, "%s refused without a word", s->backend->id);
    }
  }
}

void
expect_ok(pair* const r)
{
  expect_status(r, PZ_OK);
}

void
expect_refused(pair* const r, const pz_status status)
{
  expect_status(r, status);
}

void
expect_exact(pair* const r, const operand* const o)
{
  const pz_mat* const m = &o->mat[0];
  expect_ok(r);
  for (int64_t k = 0; r->offered && k < m->batch; ++k) {
    for (int64_t i = 0; i < m->rows; ++i) {
      for (int64_t j = 0; j < m->cols; ++j) {
        const double a = operand_get(o, TESTED, k, i, j);
        const double b = operand_get(o, REFERENCE, k, i, j);
        if (a != b && !(isnan(a) && isnan(b))) {
          pair_fail(r, "entry (%lld, %lld, %lld) is %.17g, expected exactly %.17g", (long long)k,
                    (long long)i, (long long)j, a, b);
        }
      }
    }
  }
}

/* Squared distance and squared norm of matrix k over finite entries; the others must be
   the same on both sides. */
static void
compare_matrix(const pair* const r, const operand* const o, const int64_t k,
               double* const difference, double* const norm)
{
  const pz_mat* const m = &o->mat[0];
  for (int64_t i = 0; i < m->rows; ++i) {
    for (int64_t j = 0; j < m->cols; ++j) {
      const double a = operand_get(o, TESTED, k, i, j);
      const double b = operand_get(o, REFERENCE, k, i, j);
      const bool alike = isnan(b) ? isnan(a) : isinf(b) ? a == b : isfinite(a);
      if (!alike) {
        pair_fail(r, "entry (%lld, %lld, %lld) is %.17g, expected %.17g", (long long)k,
                  (long long)i, (long long)j, a, b);
      }
      if (isfinite(b)) {
        *difference += (a - b) * (a - b);
        *norm += b * b;
      }
    }
  }
}

static void
compare(const pair* const r, const operand* const o, const int64_t left_out, const double scale)
{
  double difference = 0.0;
  double norm = 0.0;
  for (int64_t k = 0; k < o->mat[0].batch; ++k) {
    if (k != left_out) {
      compare_matrix(r, o, k, &difference, &norm);
    }
  }
  const double limit = 50.0 * (double)r->extent * r->epsilon * fmax(sqrt(norm), scale);
  if (!(sqrt(difference) <= limit)) {
    pair_fail(r, "error %.3g, limit %.3g, norm %.3g", sqrt(difference), limit, sqrt(norm));
  }
}

void
expect_close(pair* const r, const operand* const o, const double scale)
{
  expect_ok(r);
  if (r->offered) {
    compare(r, o, -1, scale);
  }
}

void
expect_singular(pair* const r, const operand* const o, const int64_t place, const double scale)
{
  char words[32];
  expect_status(r, PZ_SINGULAR);
  snprintf(words, sizeof(words), "matrix %lld ", (long long)place);
  for (int k = r->offered ? TESTED : REFERENCE; k < 2; ++k) {
    const side* const s = &r->sides[k];
    if (s->fault_place != place && !strstr(s->message, words)) {
      pair_fail(r, "%s does not name %s: \"%s\"", s->backend->id, words, s->message);
    }
    for (int64_t i = 0; i < o->mat[0].rows; ++i) {
      for (int64_t j = 0; j < o->mat[0].cols; ++j) {
        if (!isnan(operand_get(o, k, place, i, j))) {
          pair_fail(r, "%s: entry (%lld, %lld) of the singular matrix's result is no NaN",
                    s->backend->id, (long long)i, (long long)j);
        }
      }
    }
  }
  if (r->offered) {
    compare(r, o, place, scale);
  }
}

void
expect_spoiled(const pair* const r, const operand* const o, const int64_t place)
{
  const pz_mat* const m = &o->mat[0];
  for (int64_t k = 0; r->offered && k < m->batch; ++k) {
    bool odd = false;
    for (int64_t e = 0; e < m->rows * m->cols; ++e) {
      odd = odd || isnan(operand_get(o, TESTED, k, e / m->cols, e % m->cols));
    }
    if (odd != (place < 0 || k == place)) {
      pair_fail(r, "matrix %lld holds %s NaN", (long long)k, odd ? "a" : "no");
    }
  }
}
