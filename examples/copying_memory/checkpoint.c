/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Numbers of the loop are float64 buffers of the tree beside the model's, so that the file
   needs nothing but what a module can save. The map is compared as the characters of its
   text. */

#include "checkpoint.h"

#include <stdio.h>
#include <string.h>

enum { N_NUMBERS = 7, N_TEXT = 256, N_PROGRESS = 3 };

static const char* const number_names[N_NUMBERS] = {
    "--problem", "--length", "--hidden", "--batch", "--seed", "--rate", "--kernel-rate"};

static void
numbers_of(const options* const o, double* const out)
{
  out[0] = o->kind;
  out[1] = o->length;
  out[2] = o->hidden;
  out[3] = o->batch;
  out[4] = (double)o->seed;
  out[5] = o->rate;
  out[6] = o->kernel_rate;
}

static void
text_of(const options* const o, double* const out)
{
  for (size_t i = 0; i < N_TEXT; ++i) {
    out[i] = i < strlen(o->map) ? (unsigned char)o->map[i] : 0;
  }
}

/* Adds or sets the vector `name` of the tree's child `of`, or reads it. */
typedef enum access_kind { ADD, SET, READ } access_kind;

static pz_status
access_vector(const access_kind kind, const model* const m, const char* const of,
              const char* const name, double* const data, const int n)
{
  const int64_t shape[] = {n};
  const pz_tensor tensor = pz_host_tensor(PZ_F64, data, 1, shape);
  pz_module* child = NULL;
  PZ_TRY(pz_module_child(m->root, of, &child));
  return kind == ADD   ? pz_module_add(child, name, PZ_BUFFER, &tensor)
         : kind == SET ? pz_module_set(child, name, &tensor)
                       : pz_module_read(child, name, &tensor);
}

pz_status
checkpoint_init(const options* const o, const model* const m)
{
  static const char* const children[] = {"progress", "settings"};
  double values[N_TEXT] = {0};
  for (int i = 0; i < 2; ++i) {
    pz_module* child = NULL;
    PZ_TRY(pz_module_new(m->context, o->device, "Numbers", &child));
    const pz_status status = pz_module_add_child(m->root, children[i], child);
    if (status != PZ_OK) {
      pz_module_free(child);
      return status;
    }
  }
  PZ_TRY(access_vector(ADD, m, "progress", "numbers", values, N_PROGRESS));
  numbers_of(o, values);
  PZ_TRY(access_vector(ADD, m, "settings", "numbers", values, N_NUMBERS));
  text_of(o, values);
  return access_vector(ADD, m, "settings", "map", values, N_TEXT);
}

pz_status
checkpoint_save(const model* const m, const progress* const now, const char* const path)
{
  double values[N_PROGRESS] = {now->step, now->smoothed, now->crossed};
  PZ_TRY(access_vector(SET, m, "progress", "numbers", values, N_PROGRESS));
  return pz_module_save(m->root, path);
}

static bool
same_settings(const options* const o, const model* const m, const char* const path)
{
  double here[N_TEXT] = {0};
  double there[N_TEXT] = {0};
  numbers_of(o, here);
  if (access_vector(READ, m, "settings", "numbers", there, N_NUMBERS) != PZ_OK) {
    fprintf(stderr, "copying_memory: %s: %s\n", path, pz_error_message());
    return false;
  }
  for (int i = 0; i < N_NUMBERS; ++i) {
    if (here[i] != there[i] && i == 0) {
      fprintf(stderr, "copying_memory: %s was made with another --problem\n", path);
      return false;
    }
    if (here[i] != there[i]) {
      fprintf(stderr, "copying_memory: %s was made with %s %.10g, not %.10g\n", path,
              number_names[i], there[i], here[i]);
      return false;
    }
  }
  text_of(o, here);
  if (access_vector(READ, m, "settings", "map", there, N_TEXT) != PZ_OK ||
      memcmp(here, there, sizeof(here)) != 0) {
    fprintf(stderr, "copying_memory: %s was made with another --map\n", path);
    return false;
  }
  return true;
}

bool
checkpoint_load(const options* const o, const model* const m, const char* const path,
                progress* const now)
{
  double values[N_PROGRESS];
  if (pz_module_load(m->root, path) != PZ_OK) {
    fprintf(stderr, "copying_memory: %s: %s (made with other settings?)\n", path,
            pz_error_message());
    return false;
  }
  if (!same_settings(o, m, path)) {
    return false;
  }
  if (access_vector(READ, m, "progress", "numbers", values, N_PROGRESS) != PZ_OK) {
    fprintf(stderr, "copying_memory: %s: %s\n", path, pz_error_message());
    return false;
  }
  *now = (progress){.step = (int)values[0], .smoothed = values[1], .crossed = (int)values[2]};
  return true;
}
