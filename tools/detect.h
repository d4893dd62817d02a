/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Parametrized tensors that the names and shapes of a file's tensors tell: those of PyTorch's
   weight_norm, spectral_norm and pruning, under today's names and under older ones. */

#ifndef TOOLS_DETECT_H
#define TOOLS_DETECT_H

#include "texts.h"

#include <parametrize/parametrize.h>

typedef struct finding {
  const char* path; /* of the value */
  const char* text; /* its chain; NULL: it is parametrized, but the file does not say how */
  const char* why;  /* the tensors that tell, or why they do not */
} finding;

/* All zero bytes: nothing was looked for. */
typedef struct findings {
  finding* all; /* sorted by path */
  size_t n;
  pz_file_tensor_info* tensors; /* of the file, in its order, with today's names */
  uint32_t n_tensors;
  bool renamed; /* some of them had older names */
  bool failed;  /* there was not enough memory */
  texts texts;  /* owns the texts */
} findings;

/* Looks at all tensors that are not of a chain which the file describes. Returns false if there is
   not enough memory. Clean up in either case. */
bool detect(const pz_file* file, findings* out);
void findings_cleanup(findings* f);

/* The finding on the value of a path, or NULL. */
const finding* findings_on(const findings* f, const char* path);

#endif /* TOOLS_DETECT_H */
