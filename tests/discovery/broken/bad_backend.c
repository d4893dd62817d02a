/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Backends: one without sync, one whose table ends early, and a good one whose table ends after the
   mandatory functions. */

#include <parametrize/backend.h>

static pz_status
probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  info->usable = 0;
  return index == 0 ? PZ_OK : host->fail(PZ_NOT_FOUND, "no device %u", index);
}

static pz_status
open_queue(const pz_backend_host* const host, const uint32_t index, const void* const native,
           pz_backend_queue** const out)
{
  (void)native;
  (void)out;
  return host->fail(PZ_DEVICE, "device %u does not open", index);
}

static void
close_queue(pz_backend_queue* const q)
{
  (void)q;
}

static pz_status
take(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  (void)q;
  (void)bytes;
  (void)out;
  return PZ_NO_MEMORY;
}

static void
give(pz_backend_queue* const q, void* const data)
{
  (void)q;
  (void)data;
}

static pz_status
copy(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst, const uint64_t dst_offset,
     const void* const src, const uint64_t src_offset, const size_t bytes)
{
  (void)q;
  (void)kind;
  (void)dst;
  (void)dst_offset;
  (void)src;
  (void)src_offset;
  (void)bytes;
  return PZ_DEVICE;
}

static pz_status
fill(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
     const void* const pattern, const size_t pattern_bytes)
{
  (void)q;
  (void)dst;
  (void)offset;
  (void)bytes;
  (void)pattern;
  (void)pattern_bytes;
  return PZ_DEVICE;
}

static pz_status
sync(pz_backend_queue* const q)
{
  (void)q;
  return PZ_DEVICE;
}

#define BACKEND(id_, size_)                                                            \
  .size = (size_), .id = (id_), .summary = "A backend for tests", .probe = probe,      \
  .open = open_queue, .close = close_queue, .alloc = take, .free = give, .copy = copy, \
  .fill = fill

static const pz_backend no_sync = {BACKEND("no_sync", sizeof(pz_backend))};
static const pz_backend ends_early = {
    .size = offsetof(pz_backend, alloc),
    .id = "ends_early",
};
/* It ends after the mandatory functions: `operations`, behind its end, is not to be seen. */
static const pz_backend_ops*
operations(pz_backend_queue* const q, const uint32_t dtype)
{
  (void)q;
  (void)dtype;
  return NULL;
}

static const pz_backend mandatory = {
    BACKEND("mandatory", offsetof(pz_backend, operations)),
    .sync = sync,
    .operations = operations,
};

PZ_PLUGIN(bad_backend, "1.0.0", PZ_BACKEND(&no_sync), PZ_BACKEND(&ends_early),
          PZ_BACKEND(&mandatory));
