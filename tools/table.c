/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A column is as wide as its widest cell. Widths count characters, after escapes (print.h). */

#include "table.h"

#include "arguments.h"
#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GAP = 2 };

void
table_init(table* const t, const size_t n_columns)
{
  memset(t, 0, sizeof(*t));
  t->n_columns = n_columns;
}

void
table_cleanup(table* const t)
{
  free(t->rows);
  memset(t, 0, sizeof(*t));
}

void
table_row(table* const t, const char* const* const cells)
{
  if (t->n_rows == t->room) {
    const size_t room = t->room ? 2 * t->room : 16;
    void* const grown = realloc(t->rows, room * sizeof(*t->rows));
    if (grown == NULL) {
      t->failed = true;
      return;
    }
    t->rows = grown;
    t->room = room;
  }
  for (size_t k = 0; k < t->n_columns; ++k) {
    t->rows[t->n_rows][k] = cells[k] ? cells[k] : "";
  }
  ++t->n_rows;
}

void
table_sort(table* const t, const size_t column)
{
  for (size_t i = 2; i < t->n_rows; ++i) {
    for (size_t k = i; k > 1 && strcmp(t->rows[k - 1][column], t->rows[k][column]) > 0; --k) {
      const char* above[TABLE_COLUMNS];
      memcpy(above, t->rows[k - 1], sizeof(above));
      memcpy(t->rows[k - 1], t->rows[k], sizeof(above));
      memcpy(t->rows[k], above, sizeof(above));
    }
  }
}

static void
print_cell(const char* const text, const size_t width)
{
  print_part(text, strlen(text));
  for (size_t n = print_width(text); n < width; ++n) {
    putchar(' ');
  }
}

size_t
table_width(void)
{
  const char* const given = getenv("COLUMNS");
  struct winsize size;
  uint64_t width = 0;
  if (given != NULL && read_number(given, 1, 100000, &width)) {
    return (size_t)width;
  }
  return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool
table_print(const table* const t, const size_t indent)
{
  const size_t last = t->n_columns - 1;
  const size_t bound = table_width();
  size_t width[TABLE_COLUMNS] = {0};
  size_t total = indent;
  for (size_t k = 0; k <= last; ++k) {
    for (size_t i = 0; i < t->n_rows; ++i) {
      const size_t n = print_width(t->rows[i][k]);
      width[k] = n > width[k] ? n : width[k];
    }
    total += width[k] + (k < last ? GAP : 0);
  }
  const bool fits = bound == 0 || total <= bound || last == 0;
  for (size_t i = 0; i < t->n_rows; ++i) {
    const char* const* const row = t->rows[i];
    size_t end = last + 1; /* no blanks after the last cell of a line */
    while (end > 1 && (row[end - 1][0] == '\0' || (!fits && end == last + 1))) {
      --end;
    }
    print_cell("", indent);
    for (size_t k = 0; k < end; ++k) {
      print_cell(row[k], k + 1 < end ? width[k] + GAP : 0);
    }
    putchar('\n');
    if (!fits && row[last][0] != '\0') {
      print_cell("", indent + 2 * GAP);
      print_cell(row[last], 0);
      putchar('\n');
    }
  }
  return !t->failed;
}
