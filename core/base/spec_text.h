/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Specs and their parts as text, for messages. */

#ifndef PZI_SPEC_TEXT_H
#define PZI_SPEC_TEXT_H

#include <parametrize/types.h>

/* Write a spec ("float32 8x5x3x3") or a dtype into `buffer` and return it. */
enum { PZI_SPEC_TEXT = 256 };
const char* pzi_spec_text(const pz_spec* spec, char buffer[PZI_SPEC_TEXT]);
const char* pzi_spec_text_dtype(uint32_t dtype, char buffer[PZI_SPEC_TEXT]);
const char* pzi_spec_text_structure(uint32_t structure); /* "skew" */

#endif /* PZI_SPEC_TEXT_H */
