/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checkpoints: weights, originals, the optimizer's state, the step and the settings in one
   safetensors file, which is written completely or not at all. */

#ifndef COPYING_MEMORY_CHECKPOINT_H
#define COPYING_MEMORY_CHECKPOINT_H

#include "model.h"
#include "options.h"

#include <stdbool.h>

/* The state of the training loop, besides the tensors of the modules. */
typedef struct progress {
  int step;        /* steps done */
  double smoothed; /* loss, see report.h */
  int crossed;     /* the first step with `smoothed` below the baseline; 0: none yet */
} progress;

/* Writes the tree to `path`. */
pz_status checkpoint_save(const options* o, const model* m, const progress* now, const char* path);

/* Reads the tree from `path`. False after a line on stderr: the file is damaged or has other
   settings. */
bool checkpoint_load(const options* o, const model* m, const char* path, progress* now);

/* Writes only the network to `path`, with the problem and the length. Its kernel is a plain tensor
   under its plain name. */
pz_status checkpoint_bake(const options* o, const model* m, const char* path);

#endif /* COPYING_MEMORY_CHECKPOINT_H */
