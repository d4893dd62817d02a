/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checks UTF-8. */

#ifndef PZI_UTF8_H
#define PZI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Is the text valid UTF-8? Zero bytes are valid. */
bool pzi_utf8_is_valid(const char* text, size_t length);

#endif /* PZI_UTF8_H */
