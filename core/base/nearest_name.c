/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* "cayle" -> "cayley". The edit distance counts letters that are inserted, deleted, replaced or
   swapped with a neighbour (Damerau and Levenshtein, restricted), ignoring case. With d(i, j) the
   distance of the first i letters of a and the first j letters of b,

     d(i, j) = min( d(i-1, j) + 1, d(i, j-1) + 1, d(i-1, j-1) + [a_i != b_j],
                    d(i-2, j-2) + 1 if a_i a_(i-1) = b_(j-1) b_j ). */

#include "nearest_name.h"

#include <stdbool.h>
#include <string.h>

enum { LONGEST = 64 };

static int
lower(const char c)
{
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t
least(const size_t a, const size_t b)
{
  return a < b ? a : b;
}

/* The edit distance of two words of at most LONGEST letters. */
static size_t
distance(const char* const a, const size_t n_a, const char* const b, const size_t n_b)
{
  size_t rows[3][LONGEST + 1]; /* of i - 2, i - 1 and i, in turn */
  for (size_t j = 0; j <= n_b; ++j) {
    rows[0][j] = j;
  }
  for (size_t i = 1; i <= n_a; ++i) {
    size_t* const d = rows[i % 3];
    const size_t* const above = rows[(i + 2) % 3];
    const size_t* const two_above = rows[(i + 1) % 3];
    d[0] = i;
    for (size_t j = 1; j <= n_b; ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      d[j] = least(least(above[j], d[j - 1]) + 1, above[j - 1] + !same);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        d[j] = least(d[j], two_above[j - 2] + 1);
      }
    }
  }
  return rows[n_a % 3][n_b];
}

const char*
pzi_nearest_name(const char* const name, const char* const* const candidates, const size_t n)
{
  const size_t length = strlen(name);
  const char* best = NULL;
  size_t best_distance = length < 6 ? 2 : length / 3 + 1; /* exclusive bound */
  if (length > LONGEST) {
    return NULL;
  }
  for (size_t k = 0; k < n; ++k) {
    const size_t other = strlen(candidates[k]);
    if (other > LONGEST) {
      continue;
    }
    const size_t d = distance(name, length, candidates[k], other);
    if (d < best_distance && d < length) {
      best = candidates[k];
      best_distance = d;
    }
  }
  return best;
}
