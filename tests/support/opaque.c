/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "opaque.h"

#include "opaque_ops.h"

#include <accelerator.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long countdown;
static bool refused;

/* ---- the accelerator of examples/backend_minimal, where a wrong access aborts ------ */

char*
opaque_place(const void* const handle, const uint64_t offset, const size_t bytes)
{
  char* const place = accelerator_place(handle, offset, bytes);
  if (!place) {
    abort();
  }
  return place;
}

int
opaque_allocations(void)
{
  return (int)accelerator_buffers();
}

uint64_t
opaque_host_bytes(void)
{
  return accelerator_traffic();
}

void
opaque_refuse(const unsigned long k)
{
  pthread_mutex_lock(&lock);
  countdown = k;
  refused = false;
  pthread_mutex_unlock(&lock);
}

bool
opaque_refused(void)
{
  pthread_mutex_lock(&lock);
  const bool reached = refused;
  pthread_mutex_unlock(&lock);
  return reached;
}

pz_status
opaque_turn(const pz_backend_queue* const q, const pz_status status)
{
  pthread_mutex_lock(&lock);
  const bool now = countdown == 1;
  countdown -= countdown > 0;
  refused = refused || now;
  pthread_mutex_unlock(&lock);
  return now ? q->host->fail(status, "the test double refuses") : PZ_OK;
}

static pz_status
opaque_alloc(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  PZ_TRY(opaque_turn(q, PZ_NO_MEMORY));
  if (bytes == 0) {
    abort();
  }
  *out = accelerator_alloc(bytes);
  return *out ? PZ_OK : q->host->fail(PZ_NO_MEMORY, "out of memory");
}

static void
opaque_free(pz_backend_queue* const q, void* const data)
{
  (void)q;
  if (data && !accelerator_free(data)) {
    abort();
  }
}

static pz_status
opaque_copy(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst,
            const uint64_t dst_offset, const void* const src, const uint64_t src_offset,
            const size_t bytes)
{
  PZ_TRY(opaque_turn(q, PZ_DEVICE));
  const bool done = kind == PZ_HOST_TO_DEVICE
                        ? accelerator_write(dst, dst_offset, (const char*)src + src_offset, bytes)
                    : kind == PZ_DEVICE_TO_HOST
                        ? accelerator_read(src, src_offset, (char*)dst + dst_offset, bytes)
                        : accelerator_copy(dst, dst_offset, src, src_offset, bytes);
  if (!done) {
    abort();
  }
  return PZ_OK;
}

static pz_status
opaque_fill(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
            const void* const pattern, const size_t pattern_bytes)
{
  PZ_TRY(opaque_turn(q, PZ_DEVICE));
  char* const to = opaque_place(dst, offset, bytes);
  if (offset % pattern_bytes != 0 || bytes % pattern_bytes != 0) {
    abort();
  }
  for (size_t k = 0; k < bytes; k += pattern_bytes) {
    memcpy(to + k, pattern, pattern_bytes);
  }
  return PZ_OK;
}

static pz_status
opaque_sync(pz_backend_queue* const q)
{
  (void)q;
  return PZ_OK;
}

/* ---- queues ------------------------------------------------------------------- */

static pz_status
opaque_open(const pz_backend_host* const host, const uint32_t index, const void* const native,
            pz_backend_queue** const out)
{
  (void)native;
  if (index > 1) {
    return host->fail(PZ_NOT_FOUND, "no such device");
  }
  pz_backend_queue* const q = calloc(1, sizeof(*q));
  if (!q) {
    return host->fail(PZ_NO_MEMORY, "out of memory");
  }
  q->host = host;
  *out = q;
  return PZ_OK;
}

static void
opaque_close(pz_backend_queue* const q)
{
  free(q);
}

/* Three devices, the second broken, the third without a word. */
static pz_status
probe(const uint32_t index, const uint32_t f64, const int32_t id, pz_device_info* const info)
{
  if (index > 2) {
    return PZ_NOT_FOUND;
  }
  info->usable = index == 0;
  info->device.type = PZ_DEVICE_EXTENSION;
  info->device.id = id;
  info->f64 = f64;
  strcpy(info->name, "test double");
  strcpy(info->reason, index == 1 ? "unplugged" : "");
  return PZ_OK;
}

static pz_status
probe_double(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  (void)host;
  return probe(index, 1, 3, info);
}

static pz_status
probe_single(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  (void)host;
  return probe(index, 0, 4, info);
}

/* ---- operations ----------------------------------------------------------------- */

/* Integers are left to the host. */
#define OPERATIONS(table_)                                                                  \
  static const pz_backend_ops* table_##_of(pz_backend_queue* const q, const uint32_t dtype) \
  {                                                                                         \
    (void)q;                                                                                \
    return dtype == PZ_I64 ? NULL : &opaque_##table_;                                       \
  }
OPERATIONS(lean)
OPERATIONS(kernels)
OPERATIONS(solver)
OPERATIONS(inverter)
OPERATIONS(later)
OPERATIONS(rude)

/* A table that ends after `gemm`, so that `launch` does not count, and one that is too short. */
static const pz_backend_ops*
brief_of(pz_backend_queue* const q, const uint32_t dtype)
{
  static pz_backend_ops brief;
  (void)q;
  (void)dtype;
  brief = opaque_lean;
  brief.size = offsetof(pz_backend_ops, syrk);
  return &brief;
}

static const pz_backend_ops*
broken_of(pz_backend_queue* const q, const uint32_t dtype)
{
  static const pz_backend_ops broken = {.size = 4};
  (void)q;
  (void)dtype;
  return &broken;
}

/* ---- tables --------------------------------------------------------------------- */

#define DOUBLE(id_, flags_, probe_, operations_) \
  static const pz_backend id_ = {                \
      .size = sizeof(pz_backend),                \
      .flags = (flags_),                         \
      .id = #id_,                                \
      .summary = "a test double",                \
      .probe = (probe_),                         \
      .open = opaque_open,                       \
      .close = opaque_close,                     \
      .alloc = opaque_alloc,                     \
      .free = opaque_free,                       \
      .copy = opaque_copy,                       \
      .fill = opaque_fill,                       \
      .sync = opaque_sync,                       \
      .operations = (operations_),               \
  };

DOUBLE(bare, 0, probe_double, NULL)
DOUBLE(lean, 0, probe_double, lean_of)
DOUBLE(kernels, 0, probe_double, kernels_of)
DOUBLE(single, 0, probe_single, lean_of)
DOUBLE(solver, 0, probe_double, solver_of)
DOUBLE(inverter, 0, probe_double, inverter_of)
DOUBLE(later, PZ_BACKEND_ASYNC, probe_double, later_of)
DOUBLE(rude, 0, probe_double, rude_of)
DOUBLE(brief, 0, probe_double, brief_of)
DOUBLE(broken, 0, probe_double, broken_of)

PZ_PLUGIN(opaque, "1.0.0", PZ_BACKEND(&bare), PZ_BACKEND(&lean), PZ_BACKEND(&kernels),
          PZ_BACKEND(&single), PZ_BACKEND(&solver), PZ_BACKEND(&inverter), PZ_BACKEND(&later),
          PZ_BACKEND(&rude), PZ_BACKEND(&brief), PZ_BACKEND(&broken));
