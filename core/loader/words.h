/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The words of chains that are no parametrizations: no plugin has them, and none may have their
   ids. They say how the parametrizations of a chain read the tensor. */

#ifndef PZI_WORDS_H
#define PZI_WORDS_H

#include "lookup.h"

#include <stdbool.h>

/* The word with this id, or NULL. It has texts but no functions. [any thread] */
const pzi_parametrization* pzi_words_find(const char* id);

/* Is this a word, not a parametrization of a plugin? */
bool pzi_words_has(const pzi_parametrization* parametrization);

#endif /* PZI_WORDS_H */
