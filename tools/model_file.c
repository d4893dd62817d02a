/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Two things stand between the names in a file and those of the model:

   Ties. The writers of safetensors keep one of several names for a tensor, and note the others in the
   metadata, as "other name": "name". A parametrized tensor may be tied as a whole or in part, so all
   names become tensors here.

   Wrappers. DataParallel puts "module." before every name, torch.compile puts "_orig_mod." wherever
   a module was compiled. */

#include "model_file.h"

#include "say.h"

#include <stdlib.h>
#include <string.h>

static const char data_parallel[] = "module.";
static const char compiled[] = "_orig_mod.";

const char*
model_file_segment(const char* const name, const char* const word)
{
  const char* place = name;
  while ((place = strstr(place, word)) != NULL) {
    if (place == name || place[-1] == '.') {
      return place;
    }
    ++place;
  }
  return NULL;
}

const pz_file*
model_file_last(const model_file* const f)
{
  return f->open[f->n_open - 1];
}

bool
model_file_is_mapped(const model_file* const f, const void* const data)
{
  const char* const map = f->torch.map;
  return map == NULL || ((const char*)data >= map && (const char*)data < map + f->torch.size);
}

bool
model_file_push(model_file* const f, const char* const path,
                const pz_file_tensor_info* const tensors, const uint32_t n)
{
  const pz_status status =
      pz_file_from_tensors(tensors, n, f->metadata, f->n_metadata, &f->open[f->n_open]);
  if (status != PZ_OK) {
    say_library(path, status);
    return false;
  }
  ++f->n_open;
  return true;
}

/* Divides the metadata into ties and texts. */
static bool
read_metadata(model_file* const f)
{
  const pz_file* const file = f->open[0];
  pz_file_tensor_info tensor = {.size = sizeof(tensor)};
  pz_metadata one;
  uint32_t n = 0;
  while (pz_file_metadata(file, n, &one) == PZ_OK) {
    ++n;
  }
  f->metadata = calloc((size_t)n + 1, sizeof(*f->metadata));
  f->ties = calloc((size_t)n + 1, sizeof(*f->ties));
  if (f->metadata == NULL || f->ties == NULL) {
    return false;
  }
  for (uint32_t k = 0; k < n; ++k) {
    (void)pz_file_metadata(file, k, &one);
    if (pz_file_find(file, one.text, &tensor) == PZ_OK &&
        pz_file_find(file, one.key, &tensor) == PZ_NOT_FOUND) {
      f->ties[f->n_ties++] = (model_tie){one.key, one.text};
    } else {
      f->metadata[f->n_metadata++] = one;
    }
  }
  return true;
}

static bool
begins_with(const char* const name, const char* const prefix)
{
  return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Finds the wrappers that the names show: a compiled model anywhere, and one of several devices that
   has all of the model, within a compiled one or around it. */
static void
find_wrappers(model_file* const f, const pz_file_tensor_info* const tensors, const uint32_t n)
{
  bool is_compiled = false;
  f->parallel = n > 0;
  for (uint32_t k = 0; k < n; ++k) {
    const char* const name = tensors[k].name;
    const char* const inner = name + (begins_with(name, compiled) ? strlen(compiled) : 0);
    is_compiled = is_compiled || model_file_segment(name, compiled) != NULL;
    f->parallel = f->parallel && begins_with(inner, data_parallel);
  }
  f->prefix = is_compiled ? compiled : f->parallel ? data_parallel : NULL;
}

/* The name without wrappers. */
static const char*
strip_name(model_file* const f, const char* name)
{
  const char* place;
  while ((place = model_file_segment(name, compiled)) != NULL) {
    name = texts_add(&f->texts, "%.*s%s", (int)(place - name), name, place + sizeof(compiled) - 1);
  }
  return name + (f->parallel && begins_with(name, data_parallel) ? strlen(data_parallel) : 0);
}

static bool
read_tensors(model_file* const f, const char* const path, const bool strip)
{
  const pz_file* const file = f->open[0];
  pz_file_tensor_info one = {.size = sizeof(one)};
  while (pz_file_tensor(file, f->n_real, &one) == PZ_OK) {
    ++f->n_real;
  }
  const uint32_t n = f->n_real + f->n_ties;
  pz_file_tensor_info* const tensors = calloc((size_t)n + 1, sizeof(*tensors));
  if (tensors == NULL) {
    say_no_memory(path);
    return false;
  }
  for (uint32_t k = 0; k < n; ++k) {
    tensors[k].size = sizeof(one);
    if (k < f->n_real) {
      (void)pz_file_tensor(file, k, &tensors[k]);
    } else {
      (void)pz_file_find(file, f->ties[k - f->n_real].target, &tensors[k]);
      tensors[k].name = f->ties[k - f->n_real].name;
    }
  }
  find_wrappers(f, tensors, f->n_real);
  bool good = true;
  if ((strip && f->prefix != NULL) || f->n_ties > 0) {
    for (uint32_t k = 0; k < n && strip; ++k) {
      tensors[k].name = strip_name(f, tensors[k].name);
    }
    for (uint32_t k = 0; k < f->n_ties && strip; ++k) {
      f->ties[k].name = tensors[f->n_real + k].name;
      f->ties[k].target = strip_name(f, f->ties[k].target);
    }
    good = model_file_push(f, path, tensors, n);
  }
  free(tensors);
  return good;
}

bool
model_file_open(model_file* const f, const char* const path, const char* const key,
                const bool strip)
{
  memset(f, 0, sizeof(*f));
  const bool of_torch = torch_file_is(path);
  if (key != NULL && !of_torch) {
    say(path, "found no file of torch.save, expected one with --key");
    return false;
  }
  if (of_torch && !torch_file_open(&f->torch, path, key)) {
    return false;
  }
  const pz_status status =
      of_torch ? pz_file_from_tensors(f->torch.tensors, f->torch.n, NULL, 0, &f->open[0])
               : pz_file_open(path, &f->open[0]);
  if (status != PZ_OK) {
    say_library(path, status);
    return false;
  }
  f->n_open = 1;
  if (!read_metadata(f)) {
    say_no_memory(path);
    return false;
  }
  return read_tensors(f, path, strip);
}

void
model_file_close(model_file* const f)
{
  while (f->n_open > 0) {
    pz_file_close(f->open[--f->n_open]);
  }
  torch_file_close(&f->torch);
  free(f->metadata);
  free(f->ties);
  texts_cleanup(&f->texts);
  memset(f, 0, sizeof(*f));
}
