/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Text in aligned columns. */

#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS = 8 };

/* Cells are borrowed and must stay until the table is printed. */
typedef struct table {
  size_t n_columns;
  size_t n_rows;
  size_t room;
  const char* (*rows)[TABLE_COLUMNS];
  bool failed; /* a row is missing for want of memory */
} table;

void table_init(table* t, size_t n_columns);
void table_cleanup(table* t);

/* Adds a row of n_columns cells; the first one is the heading. */
void table_row(table* t, const char* const* cells);

/* Prints the rows, each after `indent` spaces. Where a line would be wider than the
   terminal, the last column of every row stands on a line of its own; nothing is ever cut.
   False where a row is missing. */
bool table_print(const table* t, size_t indent);

/* Columns of the terminal that the standard output is, or as COLUMNS says; 0 for no bound. */
size_t table_width(void);

#endif /* TOOLS_TABLE_H */
