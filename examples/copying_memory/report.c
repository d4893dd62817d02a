/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every start cuts loss.csv back to the step of the checkpoint, and its rows are on disk before
   that checkpoint is written. So it is always the table of an uninterrupted run, even after a
   kill. */

#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static const char header[] = "step,loss,baseline,orthogonality\n";

/* Copies the rows of `from` up to `step` to `to`; returns the last step copied. */
static int
copy_rows(FILE* const from, FILE* const to, const int step)
{
  char* line = NULL;
  size_t size = 0;
  int last = 0;
  ssize_t n = getline(&line, &size, from);
  if (n >= 0 && strcmp(line, header) == 0) {
    while (last < step && (n = getline(&line, &size, from)) > 0 && line[n - 1] == '\n' &&
           strtol(line, NULL, 10) == last + 1) {
      fputs(line, to);
      ++last;
    }
  }
  free(line);
  return last;
}

/* Copies the rows up to `step` to the new table. */
static bool
keep_rows(const char* const path, FILE* const to, const int step)
{
  FILE* const old = step > 0 ? fopen(path, "r") : NULL;
  const int last = old ? copy_rows(old, to, step) : 0;
  if (old) {
    fclose(old);
  }
  if (last < step) {
    fprintf(stderr,
            "copying_memory: %s has %d steps, the checkpoint %d; remove both to start again\n",
            path, last, step);
    return false;
  }
  return true;
}

FILE*
report_open(const char* const path, const int step)
{
  const size_t size = strlen(path) + sizeof(".new");
  char* const fresh = malloc(size);
  FILE* table = NULL;
  if (!fresh) {
    fprintf(stderr, "copying_memory: out of memory\n");
    return NULL;
  }
  snprintf(fresh, size, "%s.new", path);
  table = fopen(fresh, "w");
  if (!table) {
    fprintf(stderr, "copying_memory: %s: %s\n", fresh, strerror(errno));
    free(fresh);
    return NULL;
  }
  fputs(header, table);
  if (!keep_rows(path, table, step) || !report_sync(table, fresh)) {
    fclose(table);
    unlink(fresh);
    free(fresh);
    return NULL;
  }
  if (rename(fresh, path) != 0) {
    fprintf(stderr, "copying_memory: %s: %s\n", path, strerror(errno));
    fclose(table);
    table = NULL;
  }
  free(fresh);
  return table;
}

bool
report_row(FILE* const table, const record* const r)
{
  if (fprintf(table, "%d,%.9g,%.9g,%.3g\n", r->step, r->loss, r->baseline, r->orthogonality) < 0) {
    fprintf(stderr, "copying_memory: loss.csv: %s\n", strerror(errno));
    return false;
  }
  return true;
}

bool
report_sync(FILE* const table, const char* const path)
{
  if (fflush(table) != 0 || fsync(fileno(table)) != 0) {
    fprintf(stderr, "copying_memory: %s: %s\n", path, strerror(errno));
    return false;
  }
  return true;
}

static double
now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void
report_progress(const record* const r, const double smoothed, const double steps_per_second,
                const int every, const bool last)
{
  static double shown = 0;
  const bool terminal = isatty(STDOUT_FILENO);
  const double time = now();
  if (!last && (terminal ? time - shown < 0.1 : r->step % every != 0)) {
    return;
  }
  shown = time;
  printf("%sstep %d  loss %.6f (%.6f)  baseline %.6f  |W^T W - I| %.1e  %.2f steps/s%s",
         terminal ? "\r" : "", r->step, r->loss, smoothed, r->baseline, r->orthogonality,
         steps_per_second, terminal && !last ? "\033[K" : "\n");
  fflush(stdout);
}

/* Writes `text` as a string of gnuplot. */
static void
put_quoted(FILE* const to, const char* text)
{
  fputc('\'', to);
  for (; *text; ++text) {
    fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, to);
  }
  fputc('\'', to);
}

static void
put_script(FILE* const to, const char* const out, const char* const title)
{
  fputs("cd ", to);
  put_quoted(to, out);
  fputs("\nset title ", to);
  put_quoted(to, title);
  fputs("\n"
        "set terminal svg size 800,500 noenhanced background 'white'\n"
        "set output 'loss.svg.new'\n"
        "set datafile separator ','\n"
        "set logscale y\n"
        "set format y '%g'\n"
        "set xlabel 'step'\n"
        "set ylabel 'loss'\n"
        "set grid\n"
        "mean = NaN\n"
        "smooth(x) = (mean = mean == mean ? 0.9 * mean + 0.1 * x : x)\n"
        "plot 'loss.csv' skip 1 using 1:2 with lines lc rgb '#b0c4de' title 'of a batch',"
        " '' skip 1 using 1:(smooth($2)) with lines lw 2 lc rgb '#1f4e9c' title 'smoothed',"
        " '' skip 1 using 1:3 with lines dt 2 lc rgb '#c0392b' title 'baseline, no memory'\n",
        to);
}

void
report_plot(const char* const out, const char* const title)
{
  const size_t size = 2 * strlen(out) + 64;
  char* const names = malloc(size);
  FILE* const gnuplot = names ? popen("gnuplot 2>/dev/null", "w") : NULL;
  if (!gnuplot) {
    printf("plot       none: gnuplot cannot be started\n");
    free(names);
    return;
  }
  put_script(gnuplot, out, title);
  const int status = pclose(gnuplot);
  char* const fresh = names;
  char* const path = names + snprintf(fresh, size, "%s/loss.svg.new", out) + 1;
  snprintf(path, strlen(fresh) - 3, "%s/loss.svg", out);
  if (status != 0 || rename(fresh, path) != 0) {
    unlink(fresh);
    printf("plot       none: gnuplot (Debian: gnuplot-nox) is missing or failed\n");
  } else {
    printf("plot       %s\n", path);
  }
  free(names);
}
