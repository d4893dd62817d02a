/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The smallest possible backend, with device memory that the host cannot address. It has two
   tables:

     minimal       the mandatory functions; all operations are computed on the host, with copies
     minimal_plus  gemm and launch too; most operations are composed of these on the device */

#include "minimal.h"

#include "accelerator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tensors name their memory by device type and id. The id is "mini" in ASCII, so that no other
   backend of type PZ_DEVICE_EXTENSION has the same. */
enum { DEVICE_ID = 0x6d696e69 };

static pz_status
minimal_probe(const pz_backend_host* host, uint32_t index, pz_device_info* info)
{
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "found device index %u, expected 0", (unsigned)index);
  }
  info->usable = 1;
  info->device.type = PZ_DEVICE_EXTENSION;
  info->device.id = DEVICE_ID;
  info->f64 = 1;
  snprintf(info->name, sizeof(info->name), "simulated accelerator");
  snprintf(info->detail, sizeof(info->detail), "memory behind handles");
  return PZ_OK;
}

static pz_status
minimal_open(const pz_backend_host* host, uint32_t index, const void* native,
             pz_backend_queue** out)
{
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "found device index %u, expected 0", (unsigned)index);
  }
  if (native) {
    return host->fail(PZ_UNSUPPORTED, "found a native queue, expected none");
  }
  pz_backend_queue* const q = calloc(1, sizeof(*q));
  if (!q) {
    return host->fail(PZ_NO_MEMORY, "out of memory for a queue");
  }
  q->host = host;
  *out = q;
  return PZ_OK;
}

static void
minimal_close(pz_backend_queue* q)
{
  free(q);
}

static pz_status
minimal_alloc(pz_backend_queue* q, size_t bytes, void** out)
{
  void* const buffer = accelerator_alloc(bytes);
  if (!buffer) {
    return q->host->fail(PZ_NO_MEMORY, "out of device memory for %zu bytes", bytes);
  }
  *out = buffer;
  return PZ_OK;
}

static void
minimal_free(pz_backend_queue* q, void* data)
{
  (void)q;
  (void)accelerator_free(data);
}

static pz_status
outside(const pz_backend_queue* q, size_t bytes)
{
  return q->host->fail(PZ_DEVICE, "found a range of %zu bytes outside of its buffer", bytes);
}

static pz_status
minimal_copy(pz_backend_queue* q, pz_copy_kind kind, void* dst, uint64_t dst_offset,
             const void* src, uint64_t src_offset, size_t bytes)
{
  bool done = false;
  switch (kind) {
  case PZ_HOST_TO_DEVICE:
    done = accelerator_write(dst, dst_offset, (const char*)src + src_offset, bytes);
    break;
  case PZ_DEVICE_TO_HOST:
    done = accelerator_read(src, src_offset, (char*)dst + dst_offset, bytes);
    break;
  case PZ_DEVICE_TO_DEVICE:
    done = accelerator_copy(dst, dst_offset, src, src_offset, bytes);
    break;
  }
  return done ? PZ_OK : outside(q, bytes);
}

/* Writes the pattern once, then doubles the filled part until the range is full. */
static pz_status
minimal_fill(pz_backend_queue* q, void* dst, uint64_t offset, size_t bytes, const void* pattern,
             size_t pattern_bytes)
{
  size_t done = pattern_bytes;
  bool good = accelerator_write(dst, offset, pattern, pattern_bytes);
  while (good && done < bytes) {
    const size_t more = done < bytes - done ? done : bytes - done;
    good = accelerator_copy(dst, offset + done, dst, offset, more);
    done += more;
  }
  return good ? PZ_OK : outside(q, bytes);
}

static pz_status
minimal_sync(pz_backend_queue* q)
{
  (void)q; /* all work is done when a function returns */
  return PZ_OK;
}

static const pz_backend minimal_backend = {
    .size = sizeof(minimal_backend),
    .id = "minimal",
    .summary = "The mandatory functions alone",
    .probe = minimal_probe,
    .open = minimal_open,
    .close = minimal_close,
    .alloc = minimal_alloc,
    .free = minimal_free,
    .copy = minimal_copy,
    .fill = minimal_fill,
    .sync = minimal_sync,
};

/* The same for float32 and float64. Integers are copied as bytes by the host. */
static const pz_backend_ops*
minimal_operations_of(pz_backend_queue* q, uint32_t dtype)
{
  (void)q;
  return dtype == PZ_I64 ? NULL : &minimal_operations;
}

static const pz_backend minimal_plus = {
    .size = sizeof(minimal_plus),
    .id = "minimal_plus",
    .summary = "The mandatory functions, gemm and launch",
    .probe = minimal_probe,
    .open = minimal_open,
    .close = minimal_close,
    .alloc = minimal_alloc,
    .free = minimal_free,
    .copy = minimal_copy,
    .fill = minimal_fill,
    .sync = minimal_sync,
    .operations = minimal_operations_of,
};

PZ_PLUGIN(minimal, "1.0.0", PZ_BACKEND(&minimal_backend), PZ_BACKEND(&minimal_plus));
