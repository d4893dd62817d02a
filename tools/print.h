/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Prints texts that plugins, backends, files and command lines supply. Nothing in them reaches a
   terminal as a command, as a line of its own, or out of order: a character that is not printable
   becomes an escape such as \x1b or \u{202e}, and so does a byte that is not UTF-8, \xff. */

#ifndef TOOLS_PRINT_H
#define TOOLS_PRINT_H

#include <stddef.h>
#include <stdio.h>

/* Prints the first `length` bytes of a text on the standard output. */
void print_part(const char* text, size_t length);

/* Prints texts one after the other, and then a newline: print_line("file ", path). */
#define print_line(...) print_pieces((const char* const[]){__VA_ARGS__, NULL})
void print_pieces(const char* const* pieces);

/* Prints a text of UTF-8 as a JSON string, on the standard output or elsewhere. */
void print_quoted(const char* text);
void print_quoted_to(FILE* to, const char* text);

/* The columns that a text takes, one for each character. */
size_t print_width(const char* text);

/* Writes a text to `out` instead, as far as whole characters fit into its `size` > 0 bytes. */
void print_into(char* out, size_t size, const char* text);

#endif /* TOOLS_PRINT_H */
