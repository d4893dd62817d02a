/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The output of a run: progress lines, loss.csv and its plot. */

#ifndef COPYING_MEMORY_REPORT_H
#define COPYING_MEMORY_REPORT_H

#include <stdbool.h>
#include <stdio.h>

/* The row of one step. */
typedef struct record {
  int step; /* from 1 */
  double loss;
  double baseline;
  double orthogonality;
} record;

/* Opens the table at `path` for the steps after `step`. If `step` is 0 it is a new table; otherwise
   the existing one is cut after the row of `step`, which removes rows (also incomplete ones) that a
   killed run wrote after its checkpoint. NULL after a line on stderr. */
FILE* report_open(const char* path, int step);

/* Add a row; write all rows to disk, before a checkpoint that refers to them. False after a line on
   stderr. */
bool report_row(FILE* table, const record* r);
bool report_sync(FILE* table, const char* path);

/* Shows the progress: on a terminal one line, redrawn ten times a second; otherwise a line every
   `every` steps. `last` ends the line. */
void report_progress(const record* r, double smoothed, double steps_per_second, int every,
                     bool last);

/* Plots loss.csv of folder `out` as loss.svg with gnuplot; prints its name, or an error, on
   stdout. */
void report_plot(const char* out, const char* title);

#endif /* COPYING_MEMORY_REPORT_H */
