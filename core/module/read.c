/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Public reads. value.c computes and caches the values; pz_slot_get first tries the published
   value, which needs no call on the module. */

#include "check_tensor.h"
#include "gate.h"
#include "path.h"
#include "queue_copy.h"
#include "slot.h"
#include "status.h"
#include "update.h"
#include "value.h"

#include <string.h>

/* ---- begin and end of a read -------------------------------------------- */

/* Makes the read exclusive (`*exclusive`) where that is necessary. Inside pzi_gate_read_begin. */
static pz_status
begin_slot(const pz_slot* const slot, bool* const exclusive)
{
  *exclusive = slot->parametrized &&
               !atomic_load_explicit(&slot->parametrized->ready, memory_order_acquire) &&
               (pzi_value_read_computes(slot) || pzi_value_read_updates(slot));
  return *exclusive ? pzi_gate_upgrade(slot->module) : PZ_OK;
}

static void
end_slot(const pz_slot* const slot, const bool exclusive)
{
  if (exclusive) {
    pzi_gate_exclusive_end(slot->module);
  } else {
    pzi_gate_read_end(slot->module);
  }
}

static pz_status
read_value(pz_slot* const slot, const bool exclusive, pz_tensor* const out)
{
  if (exclusive && pzi_value_read_updates(slot)) {
    PZ_TRY(pzi_update_slot(slot, true));
  }
  return pzi_value_get(slot, out);
}

/* Begins the read of a slot by name. end_slot must follow. */
static pz_status
begin_name(const pz_module* const module, const char* const name, pz_slot** const out,
           bool* const exclusive)
{
  PZ_TRY(pzi_gate_read_begin(module));
  const pz_status status = pzi_path_find(module, name, out);
  if (status != PZ_OK) {
    pzi_gate_read_end(module);
    return status;
  }
  return begin_slot(*out, exclusive);
}

/* Publishes a current value for pz_slot_get (seqlock). Inside pzi_gate_read_begin. */
static void
publish(pz_slot* const slot, const pz_tensor* const value)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  pzi_published* const published = &slot->published;
  unsigned long long words[sizeof(pz_tensor) / sizeof(unsigned long long)];
  if (!parametrized || !atomic_load_explicit(&parametrized->ready, memory_order_acquire) ||
      pthread_mutex_trylock(&parametrized->mutex) != 0) {
    return;
  }
  memcpy(words, value, sizeof(words));
  atomic_store_explicit(&published->call, PZI_NO_CALL, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); ++k) {
    atomic_store_explicit(&published->words[k], words[k], memory_order_relaxed);
  }
  atomic_store_explicit(&published->call,
                        atomic_load_explicit(pzi_gate_of(slot->module), memory_order_relaxed) /
                            PZI_GATE_CALL,
                        memory_order_release);
  pthread_mutex_unlock(&parametrized->mutex);
}

/* Reads the published value; false where it is outdated or being written. */
static bool
read_published(pz_slot* const slot, pz_tensor* const out)
{
  pzi_published* const published = &slot->published;
  unsigned long long words[sizeof(pz_tensor) / sizeof(unsigned long long)];
  const uint64_t gate = atomic_load_explicit(pzi_gate_of(slot->module), memory_order_acquire);
  const uint64_t call = atomic_load_explicit(&published->call, memory_order_acquire);
  if (pzi_gate_is_exclusive(gate) || gate / PZI_GATE_CALL != call) {
    return false;
  }
  for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); ++k) {
    words[k] = atomic_load_explicit(&published->words[k], memory_order_relaxed);
  }
  atomic_thread_fence(memory_order_acquire);
  if (atomic_load_explicit(&published->call, memory_order_relaxed) != call) {
    return false;
  }
  memcpy(out, words, sizeof(words));
  return true;
}

/* The value for a host that may see where it is. */
static pz_status
show_value(pz_slot* const slot, const bool exclusive, pz_tensor* const out)
{
  PZ_TRY(pzi_check_may_show(slot->module->queue));
  return read_value(slot, exclusive, out);
}

/* Not inlined: pz_slot_get then saves no registers on its fast path. */
__attribute__((noinline)) static pz_status
get_slot(pz_slot* const slot, pz_tensor* const out)
{
  if (!slot || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", slot ? "place for the tensor" : "slot");
  }
  bool exclusive = false;
  PZ_TRY(pzi_gate_read_begin(slot->module));
  PZ_TRY(begin_slot(slot, &exclusive));
  const pz_status status = show_value(slot, exclusive, out);
  if (status == PZ_OK && !exclusive) {
    publish(slot, out);
  }
  end_slot(slot, exclusive);
  return status;
}

pz_status
pz_slot_get(pz_slot* const slot, pz_tensor* const out)
{
  return slot && out && read_published(slot, out) ? PZ_OK : get_slot(slot, out);
}

pz_status
pz_module_get(pz_module* const module, const char* const name, pz_tensor* const out)
{
  pz_slot* slot = NULL;
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the tensor");
  }
  bool exclusive = false;
  PZ_TRY(begin_name(module, name, &slot, &exclusive));
  const pz_status status = show_value(slot, exclusive, out);
  end_slot(slot, exclusive);
  return status;
}

pz_status
pz_module_slot(pz_module* const module, const char* const name, pz_slot** const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the slot");
  }
  PZ_TRY(pzi_gate_read_begin(module));
  const pz_status status = pzi_path_find(module, name, out);
  if (status == PZ_OK) {
    atomic_store_explicit(&(*out)->handed, true, memory_order_relaxed);
  }
  pzi_gate_read_end(module);
  return status;
}

static pz_status
read_slot(pz_slot* const slot, const bool exclusive, const pz_tensor* const host)
{
  pz_tensor value;
  const pz_spec spec = pzi_slot_spec(slot);
  PZ_TRY(pzi_check_tensor(slot->module->queue, host, &spec, "host tensor"));
  PZ_TRY(pzi_check_on_host(host, "host tensor"));
  PZ_TRY(read_value(slot, exclusive, &value));
  PZ_TRY(pzi_queue_copy(slot->module->queue, &value, host));
  return slot->parametrized ? pzi_value_check_device(slot) : PZ_OK;
}

pz_status
pz_module_read(pz_module* const module, const char* const name, const pz_tensor* const host)
{
  pz_slot* slot = NULL;
  bool exclusive = false;
  PZ_TRY(begin_name(module, name, &slot, &exclusive));
  const pz_status status = read_slot(slot, exclusive, host);
  end_slot(slot, exclusive);
  return status;
}
