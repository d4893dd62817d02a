/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files of states: parameters and buffers under the names that the chain gives them, and the
   description of the chain as metadata. */

#include "description_write.h"
#include "name_list.h"
#include "spec_text.h"
#include "state.h"
#include "status.h"
#include "tensor_io.h"

#include <parametrize/chain.h>
#include <stdlib.h>
#include <string.h>

pz_status
pz_state_save(const pz_state* const state, const char* const path, const uint32_t flags)
{
  if (!state || !path || (flags & ~(uint32_t)PZ_KEEP_EXISTING) != 0) {
    return pzi_fail(PZ_INVALID, "expected a state, a path and no flag but PZ_KEEP_EXISTING");
  }
  const pz_chain* const chain = state->chain;
  const uint32_t first = chain->n_role[PZ_ORIGINAL];
  const size_t n = chain->n_tensors - first;
  pz_writer_tensor* const entries = calloc(n + 1, sizeof(*entries));
  if (!entries) {
    return pzi_no_memory((n + 1) * sizeof(*entries));
  }
  for (size_t k = 0; k < n; ++k) {
    pzi_tensor_io_describe(chain->tensors[first + k].name, &chain->tensors[first + k].spec,
                           &entries[k]);
  }
  pzi_text json = {0};
  char* description = NULL;
  pz_writer* writer = NULL;
  pzi_description_write_state(&json, state);
  pz_status status = pzi_text_finish(&json, &description);
  if (status == PZ_OK) {
    const pz_metadata metadata = {.key = PZI_DESCRIPTION_KEY, .text = description};
    status = pz_writer_open(path, flags, entries, n, &metadata, 1, &writer);
  }
  for (size_t k = 0; k < n && status == PZ_OK; ++k) {
    status = pzi_tensor_io_write(writer, k, state->queue, &state->storages[first + k]->tensor);
  }
  if (status == PZ_OK) {
    status = pz_writer_commit(writer);
  } else {
    pz_writer_abandon(writer);
  }
  free(description);
  free(entries);
  return status;
}

/* The text of the saved chain, for free(). */
static pz_status
saved_text(const pzi_saved_chain* const saved, char** const out)
{
  pzi_text text = {0};
  for (uint32_t i = 0; i < saved->n_stages; ++i) {
    pzi_text_add(&text, i > 0 ? "," : "");
    pzi_text_add(&text, saved->stages[i].text);
  }
  return pzi_text_finish(&text, out);
}

/* Checks that the state was saved by the same chain. A file without a description does not tell. */
static pz_status
check_chain(const pz_chain* const chain, const pzi_saved_chain* const saved)
{
  char* text = NULL;
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  pz_status status = PZ_OK;
  if (!saved) {
    return PZ_OK;
  }
  PZ_TRY(saved_text(saved, &text));
  if (strcmp(text, chain->text) != 0) {
    status = pzi_fail(PZ_MISMATCH, "found the state of \"%.300s\", expected one of \"%.300s\"",
                      text, chain->text);
  } else if (!pz_spec_equal(&saved->value, &chain->value)) {
    status = pzi_fail(PZ_MISMATCH, "found the state of a chain with the value %s, expected %s",
                      pzi_spec_text(&saved->value, a), pzi_spec_text(&chain->value, b));
  }
  free(text);
  return status;
}

/* Checks that the file has exactly the tensors of the state. */
static pz_status
check(const pz_state* const state, const pz_file* const file)
{
  const pz_chain* const chain = state->chain;
  pzi_name_list missing = {0};
  pzi_name_list unknown = {0};
  uint32_t n = 0;
  PZ_TRY(check_chain(chain, file->description.state));
  for (uint32_t k = chain->n_role[PZ_ORIGINAL]; k < chain->n_tensors; ++k, ++n) {
    if (!pzi_safetensors_find(&file->header, chain->tensors[k].name)) {
      pzi_name_list_add(&missing, chain->tensors[k].name);
    }
  }
  for (size_t k = 0; k < file->header.n_tensors; ++k) {
    bool known = false;
    for (uint32_t i = chain->n_role[PZ_ORIGINAL]; i < chain->n_tensors && !known; ++i) {
      known = strcmp(chain->tensors[i].name, file->header.tensors[k].name) == 0;
    }
    if (!known) {
      pzi_name_list_add(&unknown, file->header.tensors[k].name);
    }
  }
  PZ_TRY(pzi_name_list_check(&missing, n, &unknown));
  for (uint32_t k = chain->n_role[PZ_ORIGINAL]; k < chain->n_tensors; ++k) {
    PZ_TRY(pzi_tensor_io_check(pzi_safetensors_find(&file->header, chain->tensors[k].name), false,
                               &chain->tensors[k].spec));
  }
  return PZ_OK;
}

pz_status
pz_state_load(pz_state* const state, const char* const path)
{
  if (!state || !path) {
    return pzi_fail(PZ_INVALID, "expected a state and a path");
  }
  const pz_chain* const chain = state->chain;
  pz_file* file = NULL;
  PZ_TRY(pz_file_open(path, &file));
  pz_status status = check(state, file);
  for (uint32_t k = chain->n_role[PZ_ORIGINAL]; k < chain->n_tensors && status == PZ_OK; ++k) {
    status = pzi_tensor_io_read(file, pzi_safetensors_find(&file->header, chain->tensors[k].name),
                                false, state->queue, &state->storages[k]->tensor);
  }
  if (status == PZ_OK) {
    pz_state_touch(state);
  }
  pz_file_close(file);
  return pzi_fail_prefix(status, "%s", path);
}
