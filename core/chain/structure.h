/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Whether numbers have the structure that was promised for them. */

#ifndef PZI_STRUCTURE_H
#define PZI_STRUCTURE_H

#include <parametrize/types.h>

enum { PZI_STRUCTURE_TEXT = 128 };

/* Looks at a contiguous tensor of the host, once for each entry. `text` says what was found where a matrix
   breaks the promise, otherwise it is "". Numbers that are not finite break none. Orthogonal and positive
   definite matrices are tried with one vector of signs: what one pass can see. */
void pzi_structure_check(uint32_t structure, const pz_tensor* tensor,
                         char text[PZI_STRUCTURE_TEXT]);

#endif /* PZI_STRUCTURE_H */
