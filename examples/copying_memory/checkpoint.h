/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checkpoints: weights, originals, the optimizer's state, the step and the settings in one
   safetensors file that appears whole or not at all. */

#ifndef COPYING_MEMORY_CHECKPOINT_H
#define COPYING_MEMORY_CHECKPOINT_H

#include "model.h"
#include "options.h"

#include <stdbool.h>

/* What the loop remembers beside the modules' tensors. */
typedef struct progress {
  int step;        /* steps done */
  double smoothed; /* loss, see report.h */
  int crossed;     /* the first step with `smoothed` below the baseline, 0: none yet */
} progress;

/* Writes the tree to `path`. */
pz_status checkpoint_save(const options* o, const model* m, const progress* now, const char* path);

/* Reads it back. False after a line on stderr: it is damaged, or was made with other
   settings. */
bool checkpoint_load(const options* o, const model* m, const char* path, progress* now);

/* Writes the network alone to `path`, its kernel a plain matrix under its plain name, with the
   problem and the length. */
pz_status checkpoint_bake(const options* o, const model* m, const char* path);

#endif /* COPYING_MEMORY_CHECKPOINT_H */
