/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Saves a module: every stored tensor under its path, the tensor options of stages beside the
   tensors of the stage, and the description as metadata. */

#include "description_write.h"

#include "array.h"
#include "gate.h"
#include "sized_struct.h"
#include "slot.h"
#include "status.h"
#include "tensor_io.h"
#include "tensor_names.h"

#include <stdlib.h>
#include <string.h>

typedef struct source {
  const pz_tensor* tensor;
  pz_queue* queue;
} source;

/* The contents of the file. */
typedef struct saving {
  pz_writer_tensor* entries;
  source* sources; /* of the entries */
  size_t n;
  pzi_alloc_list names; /* of tensor options */
  pz_metadata* metadata;
  size_t n_metadata;
  char* description;
} saving;

static void
cleanup(saving* const s)
{
  free(s->entries);
  free(s->sources);
  free(s->metadata);
  free(s->description);
  pzi_alloc_list_cleanup(&s->names);
}

static pz_status
push(saving* const s, const char* const name, const pz_tensor* const tensor, pz_queue* const queue)
{
  PZ_TRY(pzi_array_reserve(&s->entries, s->n, 1, sizeof(*s->entries)));
  PZ_TRY(pzi_array_reserve(&s->sources, s->n, 1, sizeof(*s->sources)));
  const pz_spec spec = pz_spec_of(tensor);
  pzi_tensor_io_describe(name, &spec, &s->entries[s->n]);
  s->sources[s->n++] = (source){.tensor = tensor, .queue = queue};
  return PZ_OK;
}

/* Adds the tensor options of the chain whose first tensor is in the slot. `module` is the path of
   its module, ending in a dot or empty. */
static pz_status
push_options(saving* const s, const pz_slot* const slot, const char* const module,
             const size_t n_module)
{
  const pzi_parametrized* const parametrized = slot->owner->parametrized;
  const size_t folder = (size_t)(slot->name - slot->path);
  for (uint32_t i = 0; i < parametrized->engine.chain->n_stages; ++i) {
    const pzi_instance* const instance = parametrized->engine.chain->stages[i].instance;
    for (uint32_t k = 0; k < instance->parametrization->table.n_options; ++k) {
      const pz_tensor* const tensor = pzi_description_tensor_option(instance, k);
      if (tensor) {
        const char* const name =
            pzi_tensor_names_option(&s->names, module, n_module, slot->path, folder, i,
                                    instance->parametrization->table.options[k].name);
        if (!name) {
          return pzi_no_memory(n_module + folder);
        }
        PZ_TRY(push(s, name, tensor, slot->module->queue));
      }
    }
  }
  return PZ_OK;
}

static pz_status
collect(saving* const s, const pz_module* const module)
{
  const pzi_stored_path* paths = NULL;
  size_t n = 0;
  PZ_TRY(pzi_stored_paths(module, &paths, &n));
  for (size_t k = 0; k < n; ++k) {
    const pz_slot* slot = paths[k].slot;
    const size_t n_module = strlen(paths[k].text) - strlen(slot->path);
    PZ_TRY(pzi_slot_check_closed(slot));
    PZ_TRY(push(s, paths[k].text, &slot->storage->tensor, slot->module->queue));
    for (; slot->owner && slot->index == 0; slot = slot->owner) {
      PZ_TRY(push_options(s, slot, paths[k].text, n_module));
    }
  }
  return PZ_OK;
}

static pz_status
add_texts(saving* const s, const pz_module* const module, const pz_metadata* const metadata,
          const uint32_t n)
{
  pzi_text json = {0};
  pzi_description_write_module(&json, module);
  PZ_TRY(pzi_text_finish(&json, &s->description));
  s->metadata = calloc((size_t)n + 1, sizeof(*s->metadata));
  if (!s->metadata) {
    return pzi_no_memory(((size_t)n + 1) * sizeof(*s->metadata));
  }
  s->metadata[s->n_metadata++] = (pz_metadata){.key = PZI_DESCRIPTION_KEY, .text = s->description};
  for (uint32_t k = 0; k < n; ++k) {
    if (metadata[k].key && strcmp(metadata[k].key, PZI_DESCRIPTION_KEY) == 0) {
      return pzi_fail(PZ_INVALID, "metadata: the key \"" PZI_DESCRIPTION_KEY "\" is reserved");
    }
    s->metadata[s->n_metadata++] = metadata[k];
  }
  return PZ_OK;
}

static pz_status
write_all(const saving* const s, const char* const path, const uint32_t flags)
{
  pz_writer* writer = NULL;
  PZ_TRY(pz_writer_open(path, flags, s->entries, s->n, s->metadata, s->n_metadata, &writer));
  for (size_t k = 0; k < s->n; ++k) {
    const pz_status status =
        pzi_tensor_io_write(writer, k, s->sources[k].queue, s->sources[k].tensor);
    if (status != PZ_OK) {
      pz_writer_abandon(writer);
      return pzi_fail_prefix(status, "\"%s\"", s->entries[k].name);
    }
  }
  return pz_writer_commit(writer);
}

pz_status
pz_module_save(pz_module* const module, const char* const path,
               const pz_save_settings* const settings)
{
  pz_save_settings with = {0};
  if (settings) {
    PZ_TRY(pzi_struct_read(&with, sizeof(with), offsetof(pz_save_settings, reserved), settings,
                           "settings"));
  }
  if (!path || (with.n_metadata > 0 && !with.metadata) ||
      (with.flags & ~(uint32_t)PZ_KEEP_EXISTING) != 0) {
    return pzi_fail(PZ_INVALID, "expected a path, metadata, and no flag but PZ_KEEP_EXISTING");
  }
  PZ_TRY(pzi_gate_read_begin(module));
  saving s = {0};
  pz_status status = collect(&s, module);
  if (status == PZ_OK) {
    status = add_texts(&s, module, with.metadata, with.n_metadata);
  }
  if (status == PZ_OK) {
    status = write_all(&s, path, with.flags);
  }
  cleanup(&s);
  pzi_gate_read_end(module);
  return status;
}
