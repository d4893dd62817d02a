/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The tensors are those of the modules. Each setting and each number of the progress is a text in
   the metadata of the file. */

#include "checkpoint.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_SETTINGS = 8, TEXT_SIZE = 32 };

/* The settings that change the losses, as texts. */
typedef struct texts {
  const char* key[N_SETTINGS];
  const char* text[N_SETTINGS];
  char space[N_SETTINGS][TEXT_SIZE];
} texts;

static void
put_text(texts* const t, const int i, const char* const key, const char* const text)
{
  t->key[i] = key;
  t->text[i] = text;
}

static void
put_integer(texts* const t, const int i, const char* const key, const uint64_t value)
{
  snprintf(t->space[i], TEXT_SIZE, "%llu", (unsigned long long)value);
  put_text(t, i, key, t->space[i]);
}

static void
put_real(texts* const t, const int i, const char* const key, const double value)
{
  snprintf(t->space[i], TEXT_SIZE, "%.15g", value);
  put_text(t, i, key, t->space[i]);
}

static void
settings_of(const options* const o, texts* const t)
{
  put_text(t, 0, "problem", options_problem_name(o->kind));
  put_integer(t, 1, "length", (uint64_t)o->length);
  put_integer(t, 2, "hidden", (uint64_t)o->hidden);
  put_integer(t, 3, "batch", (uint64_t)o->batch);
  put_text(t, 4, "map", o->chain);
  put_integer(t, 5, "seed", o->seed);
  put_real(t, 6, "rate", o->rate);
  put_real(t, 7, "kernel-rate", o->kernel_rate);
}

pz_status
checkpoint_save(const options* const o, const model* const m, const progress* const now,
                const char* const path)
{
  texts t;
  char step[TEXT_SIZE];
  char smoothed[TEXT_SIZE];
  char crossed[TEXT_SIZE];
  pz_metadata all[N_SETTINGS + 3];
  settings_of(o, &t);
  for (int i = 0; i < N_SETTINGS; ++i) {
    all[i] = (pz_metadata){.key = t.key[i], .text = t.text[i]};
  }
  snprintf(step, sizeof(step), "%d", now->step);
  snprintf(smoothed, sizeof(smoothed), "%.17g", now->smoothed);
  snprintf(crossed, sizeof(crossed), "%d", now->crossed);
  all[N_SETTINGS] = (pz_metadata){.key = "step", .text = step};
  all[N_SETTINGS + 1] = (pz_metadata){.key = "smoothed", .text = smoothed};
  all[N_SETTINGS + 2] = (pz_metadata){.key = "crossed", .text = crossed};
  const pz_save_settings settings = {
      .size = sizeof(settings),
      .metadata = all,
      .n_metadata = N_SETTINGS + 3,
  };
  return pz_module_save(m->root, path, &settings);
}

static bool
same_settings(const options* const o, const pz_file* const file, const char* const path)
{
  texts here;
  settings_of(o, &here);
  for (int i = 0; i < N_SETTINGS; ++i) {
    const char* const there = pz_file_text(file, here.key[i]);
    if (!there) {
      fprintf(stderr, "copying_memory: %s: expected a checkpoint of this program\n", path);
      return false;
    }
    if (strcmp(there, here.text[i]) != 0) {
      fprintf(stderr, "copying_memory: %s was made with --%s %s, not %s\n", path, here.key[i],
              there, here.text[i]);
      return false;
    }
  }
  return true;
}

/* Reads a whole number from 0 to INT_MAX. */
static bool
read_count(const char* const text, int* const out)
{
  char* end = NULL;
  const long value = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
  *out = (int)value;
  return value >= 0 && value <= INT_MAX && *end == '\0';
}

static bool
read_progress(const pz_file* const file, const char* const path, progress* const now)
{
  const char* const step = pz_file_text(file, "step");
  const char* const smoothed = pz_file_text(file, "smoothed");
  const char* const crossed = pz_file_text(file, "crossed");
  char* end = NULL;
  now->smoothed = smoothed ? strtod(smoothed, &end) : 0.0;
  if (!step || !read_count(step, &now->step) || !crossed || !read_count(crossed, &now->crossed) ||
      !smoothed || end == smoothed || *end || !isfinite(now->smoothed)) {
    fprintf(stderr, "copying_memory: %s: expected a checkpoint of this program\n", path);
    return false;
  }
  return true;
}

bool
checkpoint_load(const options* const o, const model* const m, const char* const path,
                progress* const now)
{
  pz_file* file = NULL;
  bool good = pz_file_open(path, &file) == PZ_OK;
  if (!good) {
    fprintf(stderr, "copying_memory: %s\n", pz_error_message());
    return false;
  }
  good = same_settings(o, file, path) && read_progress(file, path, now);
  if (good && pz_module_load(m->root, file, NULL) != PZ_OK) {
    fprintf(stderr, "copying_memory: %s: %s\n", path, pz_error_message());
    good = false;
  }
  pz_file_close(file);
  return good;
}

pz_status
checkpoint_bake(const options* const o, const model* const m, const char* const path)
{
  texts t;
  settings_of(o, &t);
  const pz_metadata about[] = {{.key = t.key[0], .text = t.text[0]},
                               {.key = t.key[1], .text = t.text[1]}};
  const pz_save_settings settings = {
      .size = sizeof(settings),
      .metadata = about,
      .n_metadata = 2,
  };
  PZ_TRY(pz_module_bake(m->module));
  const pz_status status = pz_module_save(m->module, path, &settings);
  const pz_status restored = pz_module_unbake(m->module);
  return status != PZ_OK ? status : restored;
}
