/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* UTF-8, and which characters of a foreign text can be shown. No other file of the library is
   needed, so the command compiles this one too. */

#ifndef PZI_UTF8_H
#define PZI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the first character of `length` > 0 bytes. Returns its bytes, or 0 if they are not UTF-8
   (overlong forms, surrogates and anything beyond U+10FFFF included). A zero byte is valid. */
size_t pzi_utf8_decode(const char* text, size_t length, uint32_t* code);

/* Are all bytes UTF-8? */
bool pzi_utf8_check(const char* text, size_t length);

/* A control character: C0, DEL or C1. */
bool pzi_utf8_is_control(uint32_t code);

/* Can a character be shown as it is? Neither a control character nor one that separates lines,
   changes the direction of what surrounds it, or is invisible (but for the joiners U+200C and
   U+200D, which scripts and emoji need). */
bool pzi_utf8_is_printable(uint32_t code);

/* Makes a text one printable line, in place: a space for a C0 control character, a question mark
   for each other character that is not printable and each byte that is not UTF-8. */
void pzi_utf8_clean(char* text);

#endif /* PZI_UTF8_H */
