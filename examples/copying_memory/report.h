/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a run tells: progress lines, loss.csv and a plot of it. */

#ifndef COPYING_MEMORY_REPORT_H
#define COPYING_MEMORY_REPORT_H

#include <stdbool.h>
#include <stdio.h>

/* One step. */
typedef struct record {
  int step; /* from 1 */
  double loss;
  double baseline;
  double orthogonality;
} record;

/* Opens the table at `path` for the steps after `step`: a new one for 0, else what is there,
   cut after the row of `step` (rows that a killed run wrote beyond its checkpoint, or half,
   go). NULL after a line on stderr. */
FILE* report_open(const char* path, int step);

/* Adds a row, and makes the rows so far last before the checkpoint that counts on them.
   False after a line on stderr. */
bool report_row(FILE* table, const record* r);
bool report_settle(FILE* table, const char* path);

/* Tells a step: in place on a terminal, ten times a second; else in lines every `every`
   steps. `last` ends the line. */
void report_progress(const record* r, double smoothed, double steps_per_second, int every,
                     bool last);

/* Draws loss.csv of folder `out` into its loss.svg through gnuplot, and says so on stdout, or
   why not. */
void report_plot(const char* out, const char* title);

#endif /* COPYING_MEMORY_REPORT_H */
