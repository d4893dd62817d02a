/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tables of text with aligned columns. */

#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS = 8 };

/* Cells are borrowed and must live until the table is printed. */
typedef struct table {
  size_t n_columns;
  size_t n_rows;
  size_t room;
  const char* (*rows)[TABLE_COLUMNS];
  bool failed; /* a row is missing: there was not enough memory */
} table;

void table_init(table* t, size_t n_columns);
void table_cleanup(table* t);

/* Adds a row of n_columns cells; the first one is the heading. */
void table_row(table* t, const char* const* cells);

/* Sorts the rows after the heading by the texts of a column; equal ones stay in their order. */
void table_sort(table* t, size_t column);

/* Prints the rows, each after `indent` spaces. If a line would be wider than the terminal, the last
   column of every row is on a line of its own; no text is cut. False if a row is missing. */
bool table_print(const table* t, size_t indent);

/* The width of standard output: from COLUMNS, or of the terminal; 0: not limited. */
size_t table_width(void);

#endif /* TOOLS_TABLE_H */
