/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reading. A value is computed when the state's version is not the one it was made from;
   the mode is part of the version, since changing it touches the state. Readers that find
   `ready` take the value without a lock; the others meet at the list's mutex, where the
   first computes and the rest find it done, or the failure remembered. */

#include "module_impl.h"

#include "check_tensor.h"
#include "queue_copy.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* ---- contents -------------------------------------------------------------- */

/* Mixes every word into 64 bits (multiply and rotate, as xxHash does). */
static uint64_t
digest(const pz_tensor* const tensor)
{
  const unsigned char* bytes = (const unsigned char*)tensor->data + tensor->byte_offset;
  size_t left = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  uint64_t hash = 0x9e3779b97f4a7c15U ^ left;
  for (; left >= 8; left -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    word *= 0xc2b2ae3d27d4eb4fU;
    word = (word << 31 | word >> 33) * 0x9e3779b185ebca87U;
    hash = ((hash ^ word) << 27 | (hash ^ word) >> 37) * 0x9e3779b185ebca87U + 0x85ebca77c2b2ae63U;
  }
  for (; left > 0; --left, ++bytes) {
    hash = (hash ^ *bytes) * 0x9e3779b185ebca87U;
    hash ^= hash >> 29;
  }
  return hash ^ hash >> 32;
}

static bool
is_checked(const pz_slot* const slot)
{
  return slot->module->check_writes && slot->module->queue->host_memory;
}

pz_status
pzi_check_digests(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pzi_list* const list = slot->list;
  for (uint32_t k = 0; is_checked(slot) && k < list->n_tensors; ++k) {
    const pz_slot* const tensor = list->tensors[k];
    if (pz_count(&tensor->storage->tensor) > 0 &&
        digest(&tensor->storage->tensor) != tensor->digest) {
      return pzi_fail(PZ_STALE, "\"%s\" was written without pz_module_touch since it was read",
                      pzi_path_text(tensor, path));
    }
  }
  return PZ_OK;
}

static void
take_digests(const pz_slot* const slot)
{
  for (uint32_t k = 0; is_checked(slot) && k < slot->list->n_tensors; ++k) {
    pz_slot* const tensor = slot->list->tensors[k];
    if (pz_count(&tensor->storage->tensor) > 0) {
      tensor->digest = digest(&tensor->storage->tensor);
    }
  }
}

/* ---- values ---------------------------------------------------------------- */

/* The tensor that is open for writing: the slot's own, or one that its value depends on. */
static const pz_slot*
find_open(const pz_slot* const slot)
{
  const pz_slot* open = slot->editing ? slot : NULL;
  const uint32_t n = slot->list && slot->list->n_editing > 0 ? slot->list->n_tensors : 0;
  for (uint32_t k = 0; k < n && !open; ++k) {
    open = find_open(slot->list->tensors[k]);
  }
  return open;
}

pz_status
pzi_check_closed(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pz_slot* const open = find_open(slot);
  return open ? pzi_fail(PZ_INVALID, "\"%s\" is open for writing until pz_module_commit",
                         pzi_path_text(open, path))
              : PZ_OK;
}

uint32_t
pzi_forward_flags(const pz_slot* const slot)
{
  if (!slot->module->training) {
    return 0;
  }
  return PZ_CALL_TRAINING | (pzi_wants_gradient(slot) ? (uint32_t)PZ_CALL_SAVING : 0);
}

/* Every read counts: PyTorch's rule outside a scope. */
static bool
reads_alone(const pz_slot* const slot)
{
  const pz_module* const module = slot->module;
  return slot->list && module->policy == PZ_CACHE_SCOPED && module->scopes == 0;
}

bool
pzi_in_scope(const pz_module* const module)
{
  return module->policy == PZ_CACHE_SCOPED && module->scopes > 0;
}

/* A read that nothing keeps takes a step before: PyTorch's rule again. */
static bool
steps(const pz_slot* const slot)
{
  const pz_module* const module = slot->module;
  return module->update_policy == PZ_UPDATE_ON_READ && module->training && pzi_has_steps(slot);
}

bool
pzi_keeps_value(const pz_slot* const slot)
{
  return pzi_in_scope(slot->module) || (!reads_alone(slot) && !steps(slot));
}

bool
pzi_list_is_current(const pzi_list* const list)
{
  return !list->dropped && pzi_eval_version(list->eval, NULL) == pz_state_version(list->state);
}

static void
remember_failure(pzi_list* const list, const pz_status status, const uint64_t version)
{
  free(list->failure_text);
  list->failure_text = strdup(pz_error_message());
  list->failure = status;
  list->failed_version = version;
}

/* With the list's mutex held. */
pz_status
pzi_list_settle(const pz_slot* const slot)
{
  for (uint32_t k = 0; k < slot->list->n_tensors; ++k) {
    pz_slot* const tensor = slot->list->tensors[k];
    pzi_list* const inner = tensor->list;
    pz_tensor value;
    if (!inner) {
      continue;
    }
    PZ_TRY(pzi_slot_value(tensor, &value));
    const uint64_t version = pz_state_version(inner->state);
    if (inner->copied_version != version) {
      inner->copied_version = 0;
      PZ_TRY(pzi_queue_copy(slot->module->queue, &value, &tensor->storage->tensor));
      inner->copied_version = version;
    }
  }
  return PZ_OK;
}

/* With the mutex held. */
static pz_status
refresh(pz_slot* const slot)
{
  pzi_list* const list = slot->list;
  const uint64_t version = pz_state_version(list->state);
  char path[PZI_PATH_TEXT];
  PZ_TRY(pzi_check_closed(slot));
  PZ_TRY(pzi_list_settle(slot));
  if (reads_alone(slot) || !pzi_list_is_current(list)) {
    if (!reads_alone(slot) && list->failed_version == version) {
      return pzi_fail(list->failure, "%s",
                      list->failure_text ? list->failure_text : pz_status_text(list->failure));
    }
    take_digests(slot);
    const pz_status status =
        pz_eval_forward(list->eval, list->state, pzi_forward_flags(slot), &list->value);
    if (status != PZ_OK) {
      (void)pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
      if (status != PZ_NO_MEMORY) { /* memory may be there next time */
        remember_failure(list, status, version);
      }
      return status;
    }
    list->dropped = false;
  } else {
    PZ_TRY(pzi_check_digests(slot));
  }
  list->read_version = version;
  const bool ready = pzi_keeps_value(slot) && !is_checked(slot);
  atomic_store_explicit(&list->ready, ready, memory_order_release);
  return PZ_OK;
}

pz_status
pzi_slot_value(pz_slot* const slot, pz_tensor* const out)
{
  pzi_list* const list = slot->list;
  char path[PZI_PATH_TEXT];
  if (slot->owner && slot->module->baked) {
    return pzi_fail(PZ_INVALID, "\"%s\" is put aside until pz_module_unbake",
                    pzi_path_text(slot, path));
  }
  if (!list) {
    PZ_TRY(pzi_check_closed(slot));
    if (!slot->storage) {
      return pzi_fail(PZ_NOT_FOUND, "\"%s\" is gone since its slot was asked for",
                      pzi_path_text(slot, path));
    }
    *out = slot->storage->tensor;
    return PZ_OK;
  }
  if (atomic_load_explicit(&list->ready, memory_order_acquire)) {
    *out = list->value;
    return PZ_OK;
  }
  if (pthread_mutex_lock(&list->mutex) != 0) {
    return pzi_fail(PZ_INVALID, "\"%s\": its own maps read it", pzi_path_text(slot, path));
  }
  const pz_status status = refresh(slot);
  if (status == PZ_OK) {
    *out = list->value;
  }
  pthread_mutex_unlock(&list->mutex);
  return status;
}

pz_status
pzi_check_device(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pzi_list* const list = slot->list;
  pthread_mutex_lock((pthread_mutex_t*)&list->mutex);
  const pz_status status = pz_eval_check(list->eval);
  pthread_mutex_unlock((pthread_mutex_t*)&list->mutex);
  PZ_TRY(pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path)));
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    PZ_TRY(list->tensors[k]->list ? pzi_check_device(list->tensors[k]) : PZ_OK);
  }
  return PZ_OK;
}

/* ---- the public calls ------------------------------------------------------ */

/* Inside pzi_read_begin: goes on as the only caller, `alone`, where the read needs that. */
static pz_status
begin_slot(const pz_slot* const slot, bool* const alone)
{
  *alone = slot->list && !atomic_load_explicit(&slot->list->ready, memory_order_acquire) &&
           (reads_alone(slot) || steps(slot));
  return *alone ? pzi_read_alone(slot->module) : PZ_OK;
}

static void
end_slot(const pz_slot* const slot, const bool alone)
{
  if (alone) {
    pzi_exclusive_end(slot->module);
  } else {
    pzi_read_end(slot->module);
  }
}

static pz_status
read_value(pz_slot* const slot, const bool alone, pz_tensor* const out)
{
  if (alone && steps(slot)) {
    PZ_TRY(pzi_slot_step(slot, true));
  }
  return pzi_slot_value(slot, out);
}

/* A slot by name, ready to be read: end_slot must follow. */
static pz_status
begin_name(const pz_module* const module, const char* const name, pz_slot** const out,
           bool* const alone)
{
  PZ_TRY(pzi_read_begin(module));
  const pz_status status = pzi_find(module, name, out);
  if (status != PZ_OK) {
    pzi_read_end(module);
    return status;
  }
  return begin_slot(*out, alone);
}

/* Leaves a value that needs no computing for those who only glance. Inside pzi_read_begin. */
static void
leave_glance(pz_slot* const slot, const pz_tensor* const value)
{
  pzi_list* const list = slot->list;
  pzi_glance* const glance = &slot->glance;
  unsigned long long words[sizeof(pz_tensor) / sizeof(unsigned long long)];
  if (!list || !atomic_load_explicit(&list->ready, memory_order_acquire) ||
      pthread_mutex_trylock(&list->mutex) != 0) {
    return;
  }
  memcpy(words, value, sizeof(words));
  atomic_store_explicit(&glance->call, PZI_NO_CALL, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); ++k) {
    atomic_store_explicit(&glance->words[k], words[k], memory_order_relaxed);
  }
  atomic_store_explicit(
      &glance->call, atomic_load_explicit(pzi_gate(slot->module), memory_order_relaxed) / PZI_CALL,
      memory_order_release);
  pthread_mutex_unlock(&list->mutex);
}

/* An unchanged value, as a rule, costs no more than a few loads. */
static bool
glance_at(pz_slot* const slot, pz_tensor* const out)
{
  pzi_glance* const glance = &slot->glance;
  unsigned long long words[sizeof(pz_tensor) / sizeof(unsigned long long)];
  const uint64_t gate = atomic_load_explicit(pzi_gate(slot->module), memory_order_acquire);
  const uint64_t call = atomic_load_explicit(&glance->call, memory_order_acquire);
  if (pzi_is_exclusive(gate) || gate / PZI_CALL != call) {
    return false;
  }
  for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); ++k) {
    words[k] = atomic_load_explicit(&glance->words[k], memory_order_relaxed);
  }
  atomic_thread_fence(memory_order_acquire);
  if (atomic_load_explicit(&glance->call, memory_order_relaxed) != call) {
    return false;
  }
  memcpy(out, words, sizeof(words));
  return true;
}

/* Not inlined, so that what comes before it keeps nothing for it. */
__attribute__((noinline)) static pz_status
get_slot(pz_slot* const slot, pz_tensor* const out)
{
  if (!slot || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", slot ? "place for the tensor" : "slot");
  }
  bool alone = false;
  PZ_TRY(pzi_read_begin(slot->module));
  PZ_TRY(begin_slot(slot, &alone));
  const pz_status status = read_value(slot, alone, out);
  if (status == PZ_OK && !alone) {
    leave_glance(slot, out);
  }
  end_slot(slot, alone);
  return status;
}

pz_status
pz_slot_get(pz_slot* const slot, pz_tensor* const out)
{
  return slot && out && glance_at(slot, out) ? PZ_OK : get_slot(slot, out);
}

pz_status
pz_module_get(pz_module* const module, const char* const name, pz_tensor* const out)
{
  pz_slot* slot = NULL;
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the tensor");
  }
  bool alone = false;
  PZ_TRY(begin_name(module, name, &slot, &alone));
  const pz_status status = read_value(slot, alone, out);
  end_slot(slot, alone);
  return status;
}

pz_status
pz_module_slot(pz_module* const module, const char* const name, pz_slot** const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the slot");
  }
  PZ_TRY(pzi_read_begin(module));
  const pz_status status = pzi_find(module, name, out);
  if (status == PZ_OK) {
    atomic_store_explicit(&(*out)->handed, true, memory_order_relaxed);
  }
  pzi_read_end(module);
  return status;
}

static pz_status
read_slot(pz_slot* const slot, const bool alone, const pz_tensor* const host)
{
  pz_tensor value;
  const pz_spec spec = pzi_slot_spec(slot);
  PZ_TRY(pzi_check_tensor(slot->module->queue, host, &spec, "host tensor"));
  if (host->device.type != PZ_DEVICE_CPU) {
    return pzi_fail(PZ_MISMATCH, "host tensor: found device type %d, expected host memory",
                    (int)host->device.type);
  }
  PZ_TRY(read_value(slot, alone, &value));
  PZ_TRY(pzi_queue_copy(slot->module->queue, &value, host));
  return slot->list ? pzi_check_device(slot) : PZ_OK;
}

pz_status
pz_module_read(pz_module* const module, const char* const name, const pz_tensor* const host)
{
  pz_slot* slot = NULL;
  bool alone = false;
  PZ_TRY(begin_name(module, name, &slot, &alone));
  const pz_status status = read_slot(slot, alone, host);
  end_slot(slot, alone);
  return status;
}
