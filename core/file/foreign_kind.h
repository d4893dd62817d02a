/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files that people take for safetensors files. */

#ifndef PZI_FOREIGN_KIND_H
#define PZI_FOREIGN_KIND_H

#include <stddef.h>

/* What a file is by its first bytes, and what to do with it, as the end of a message; NULL: unknown. */
const char* pzi_foreign_kind(const char* bytes, size_t size);

#endif /* PZI_FOREIGN_KIND_H */
