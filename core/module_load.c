/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loading into modules. */

#include "few_names.h"
#include "file.h"
#include "module.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static pz_status
check(const pzi_path* const paths, const size_t n, const pz_file* const file)
{
  const pzi_header* const header = &file->header;
  bool* const known = calloc(header->n_tensors + 1, sizeof(*known));
  if (!known) {
    return pzi_no_memory(header->n_tensors + 1);
  }
  pzi_few_names missing = {.n = 0};
  for (size_t k = 0; k < n; ++k) {
    const pzi_file_tensor* const found = pzi_header_find(header, paths[k].text);
    if (found) {
      known[found - header->tensors] = true;
    } else {
      pzi_few_names_add(&missing, paths[k].text);
    }
  }
  pzi_few_names unknown = {.n = 0};
  for (size_t k = 0; k < header->n_tensors; ++k) {
    if (!known[k]) {
      pzi_few_names_add(&unknown, header->tensors[k].name);
    }
  }
  free(known);
  PZ_TRY(pzi_few_names_check(&missing, n, &unknown));
  for (size_t k = 0; k < n; ++k) {
    PZ_TRY(pzi_check_closed(paths[k].slot));
    PZ_TRY(pzi_file_check(pzi_header_find(header, paths[k].text), false,
                          &paths[k].slot->storage->spec));
  }
  return PZ_OK;
}

static pz_status
changed(pz_slot* const slot, void* const user)
{
  (void)user;
  if (slot->list) {
    pzi_list_changed(slot->list, true);
  }
  return PZ_OK;
}

static pz_status
load(pz_module* const module, const pz_file* const file)
{
  const pzi_path* paths = NULL;
  size_t n = 0;
  PZ_TRY(pzi_paths(module, &paths, &n));
  PZ_TRY(check(paths, n, file));
  for (size_t k = 0; k < n; ++k) {
    PZ_TRY(pzi_file_copy(file, pzi_header_find(&file->header, paths[k].text), false,
                         paths[k].slot->module->queue, &paths[k].slot->storage->tensor));
  }
  return pzi_each_slot(module, changed, NULL);
}

pz_status
pz_module_load(pz_module* const module, const char* const path)
{
  if (!path) {
    return pzi_fail(PZ_INVALID, "expected a path");
  }
  PZ_TRY(pzi_exclusive_begin(module));
  pz_file* file = NULL;
  pz_status status = pz_file_open(path, &file);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(load(module, file), "%s", path);
  }
  pz_file_close(file);
  pzi_exclusive_end(module);
  return status;
}
