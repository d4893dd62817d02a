/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The description lists the chains of a file. Without one they follow from the names of the
   tensors (tensor_names.h). A chain whose tensors all have chains of their own has no tensor
   in the file; it follows from the names of the inner ones. */

#include "file_chains.h"

#include "array.h"
#include "status.h"
#include "tensor_names.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* More deeply nested names belong to plain tensors: the time per name must be bounded. */
enum { NESTED_MAX = 16 };

static pz_status
push(pz_file* const file, const pzi_file_chain* const chain)
{
  PZ_TRY(pzi_array_reserve(&file->chains, file->n_chains, 1, sizeof(*chain)));
  file->chains[file->n_chains++] = *chain;
  return PZ_OK;
}

/* Adds the chain of a tensor and the chains around it, as its name implies. */
static pz_status
push_by_name(pz_file* const file, const char* const name, char* const path, char* const rest)
{
  strcpy(rest, name);
  for (int nested = 0; nested < NESTED_MAX; ++nested, strcpy(rest, path)) {
    const size_t length = pzi_tensor_names_split(rest, path);
    if (length == 0) {
      break;
    }
    pzi_file_chain* const before = file->n_chains > 0 ? &file->chains[file->n_chains - 1] : NULL;
    if (before && strcmp(before->path, path) == 0) {
      ++before->n_tensors; /* neighbours often share a chain */
      continue;
    }
    const pzi_file_chain chain = {.path = pzi_alloc_list_text(&file->allocs, path, strlen(path)),
                                  .prefix = pzi_alloc_list_text(&file->allocs, rest, length),
                                  .n_tensors = 1};
    if (!chain.path || !chain.prefix) {
      return pzi_no_memory(length);
    }
    PZ_TRY(push(file, &chain));
  }
  return PZ_OK;
}

/* Sets the texts of a chain that the file describes. */
static pz_status
describe(pz_file* const file, pzi_file_chain* const chain)
{
  const pzi_saved_chain* const saved = chain->saved;
  for (int plugins = 0; plugins <= 1; ++plugins) {
    pzi_text text = {0};
    char* made = NULL;
    for (uint32_t k = 0; k < saved->n_stages; ++k) {
      const pzi_saved_stage* const stage = &saved->stages[k];
      pzi_text_add(&text, k == 0 ? "" : plugins ? ", " : ",");
      pzi_text_add(&text, plugins ? stage->id : stage->text);
      pzi_text_add(&text, plugins ? " " : "");
      pzi_text_add(&text, plugins ? stage->version : "");
    }
    PZ_TRY(pzi_text_finish(&text, &made));
    char** const place = plugins ? &chain->plugins : &chain->text;
    *place = pzi_alloc_list_text(&file->allocs, made, strlen(made));
    free(made);
    if (!*place) {
      return pzi_no_memory(1);
    }
  }
  return PZ_OK;
}

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const pzi_file_chain*)a)->path, ((const pzi_file_chain*)b)->path);
}

/* Sorts the chains and merges those of one value. */
static void
merge(pz_file* const file)
{
  size_t n = 0;
  if (file->n_chains > 0) {
    qsort(file->chains, file->n_chains, sizeof(*file->chains), by_path);
  }
  for (size_t k = 0; k < file->n_chains; ++k) {
    const pzi_file_chain* const chain = &file->chains[k];
    if (n == 0 || by_path(&file->chains[n - 1], chain) != 0) {
      file->chains[n++] = *chain;
      continue;
    }
    pzi_file_chain* const first = &file->chains[n - 1];
    first->n_tensors += chain->n_tensors;
    first->saved = chain->saved ? chain->saved : first->saved;
  }
  file->n_chains = n;
}

static pz_status
collect(pz_file* const file, char* const path, char* const rest)
{
  const pzi_safetensors* const header = &file->header;
  for (size_t k = 0; k < header->n_tensors; ++k) {
    PZ_TRY(push_by_name(file, header->tensors[k].name, path, rest));
  }
  for (size_t k = 0; k < file->description.n_chains; ++k) {
    const pzi_saved_chain* const saved = &file->description.chains[k];
    const pzi_file_chain chain = {.path = saved->path,
                                  .saved = saved,
                                  .prefix = pzi_tensor_names_prefix(&file->allocs, saved->path)};
    if (!chain.prefix) {
      return pzi_no_memory(strlen(saved->path));
    }
    PZ_TRY(push(file, &chain));
  }
  merge(file);
  for (size_t k = 0; k < file->n_chains; ++k) {
    if (file->chains[k].saved) {
      PZ_TRY(describe(file, &file->chains[k]));
    }
  }
  return PZ_OK;
}

pz_status
pzi_file_chains_find(pz_file* const file)
{
  size_t longest = 0;
  for (size_t k = 0; k < file->header.n_tensors; ++k) {
    const size_t length = strlen(file->header.tensors[k].name);
    longest = length > longest ? length : longest;
  }
  for (size_t k = 0; k < file->description.n_chains; ++k) {
    const size_t length = strlen(file->description.chains[k].path);
    longest = length > longest ? length : longest;
  }
  char* const path = malloc(2 * (longest + 1));
  if (!path) {
    return pzi_no_memory(2 * (longest + 1));
  }
  const pz_status status = collect(file, path, path + longest + 1);
  free(path);
  return status;
}

void
pzi_file_chains_free(pz_file* const file)
{
  pzi_alloc_list_cleanup(&file->allocs);
  free(file->chains);
}

size_t
pzi_file_chains_bound(const pz_file* const file, const char* const path)
{
  size_t low = 0;
  size_t high = file->n_chains;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const bool before = strcmp(file->chains[middle].path, path) < 0;
    low = before ? middle + 1 : low;
    high = before ? high : middle;
  }
  return low;
}

const pzi_file_chain*
pzi_file_chains_on(const pz_file* const file, const char* const path)
{
  const size_t place = pzi_file_chains_bound(file, path);
  return place < file->n_chains && strcmp(file->chains[place].path, path) == 0
             ? &file->chains[place]
             : NULL;
}
