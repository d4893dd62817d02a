/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Errors of float32 as n grows, on n x n matrices, or on vectors of n entries, and their picture. */

#ifndef TOOLS_CHECK_ERRORS_H
#define TOOLS_CHECK_ERRORS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum error_kind {
  ERROR_VALUE,    /* of the value, against float64 */
  ERROR_GRADIENT, /* of the gradient of the originals, against float64 */
  ERROR_ROUND,    /* of a value that is assigned and computed again, against itself */
  ERROR_KINDS,
} error_kind;

enum { ERROR_SIZES = 13 };

typedef struct error_curves {
  int64_t n[ERROR_SIZES];
  double of[ERROR_KINDS][ERROR_SIZES]; /* relative to the largest entry; NaN: none */
} error_curves;

struct bench;

/* Measures in this process. */
void errors_measure(const struct bench* b, error_curves* out);

/* Writes an SVG: its beginning, a panel for each parametrization, and its end. */
void picture_begin(FILE* out, int panels);
void picture_panel(FILE* out, int number, const char* title, const error_curves* e);
void picture_end(FILE* out);

#endif /* TOOLS_CHECK_ERRORS_H */
