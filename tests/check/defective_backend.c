/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A right backend in the host's memory with places for mistakes: without -DDEFECT_... it keeps every rule
   of `parametrize check`; each DEFECT breaks one. It has two operations, axpby and gemm. */

#include <parametrize/backend.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pz_backend_queue {
  const pz_backend_host* host;
  void* late; /* DEFECT_EVENTS: bytes that go to `to` with the next call of the queue */
  void* to;
  size_t bytes;
};

/* ---- devices and memory --------------------------------------------------------------------------- */

static pz_status
probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
#ifndef DEFECT_PROBE
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "found device index %u, expected 0", (unsigned)index);
  }
#endif
  (void)host;
  info->usable = 1;
  info->device.type = PZ_DEVICE_CPU;
  info->f64 = 1;
  info->memory = PZ_MEMORY_HOST;
  (void)snprintf(info->name, sizeof(info->name), "plain loops");
  return PZ_OK;
}

static pz_status
open_queue(const pz_backend_host* const host, const uint32_t index, const void* const native,
           pz_backend_queue** const out)
{
  (void)index;
  (void)native;
  *out = calloc(1, sizeof(**out));
  if (!*out) {
    return host->fail(PZ_NO_MEMORY, "out of memory for a queue");
  }
  (*out)->host = host;
  return PZ_OK;
}

static void
finish(pz_backend_queue* const q)
{
  if (q->late) {
    memcpy(q->to, q->late, q->bytes);
    free(q->late);
    q->late = NULL;
  }
}

static void
close_queue(pz_backend_queue* const q)
{
  finish(q);
  free(q);
}

static pz_status
allocate(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  const size_t room = bytes > SIZE_MAX / 2 ? 0 : (bytes + 127) / 64 * 64;
#ifdef DEFECT_ALIGNMENT
  *out = room ? malloc(room) : NULL;
  *out = *out ? (char*)*out + 16 : NULL;
#elif defined(DEFECT_HUGE)
  *out = aligned_alloc(64, room ? room : 64);
#else
  *out = room ? aligned_alloc(64, room) : NULL;
#endif
  return *out ? PZ_OK : q->host->fail(PZ_NO_MEMORY, "out of memory for %zu bytes", bytes);
}

static void
release(pz_backend_queue* const q, void* const data)
{
  finish(q);
#ifdef DEFECT_ALIGNMENT
  free(data ? (char*)data - 16 : NULL);
#else
  free(data);
#endif
}

static pz_status
copy(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst, uint64_t dst_offset,
     const void* const src, uint64_t src_offset, const size_t bytes)
{
  finish(q);
#ifdef DEFECT_OFFSET
  src_offset = kind == PZ_DEVICE_TO_DEVICE ? 0 : src_offset;
#endif
#ifdef DEFECT_EVENTS
  q->late = kind == PZ_HOST_TO_DEVICE ? malloc(bytes) : NULL;
  if (q->late) {
    memcpy(q->late, (const char*)src + src_offset, bytes);
    q->to = (char*)dst + dst_offset;
    q->bytes = bytes;
    return PZ_OK;
  }
#endif
  (void)kind;
  memmove((char*)dst + dst_offset, (const char*)src + src_offset, bytes);
  return PZ_OK;
}

static pz_status
fill(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
     const void* const pattern, const size_t pattern_bytes)
{
  finish(q);
  for (size_t k = 0; k < bytes; ++k) {
#ifdef DEFECT_PATTERN
    ((char*)dst)[offset + k] = ((const char*)pattern)[k % (pattern_bytes > 4 ? 4 : pattern_bytes)];
#else
    ((char*)dst)[offset + k] = ((const char*)pattern)[k % pattern_bytes];
#endif
  }
  return PZ_OK;
}

static pz_status
sync_queue(pz_backend_queue* const q)
{
  finish(q);
  return PZ_OK;
}

static pz_status
record(pz_backend_queue* const q, void** const event)
{
#ifndef DEFECT_EVENTS
  finish(q);
#endif
  *event = q;
  return PZ_OK;
}

static void
release_event(void* const event)
{
  (void)event;
}

static pz_status
wait_for(pz_backend_queue* const q, void* const event)
{
  (void)q;
  (void)event;
  return PZ_OK;
}

/* ---- operations ----------------------------------------------------------------------------------- */

/* Entry (i, j) of matrix k. */
static char*
at(const pz_mat* const m, const int64_t k, const int64_t i, const int64_t j)
{
#ifdef DEFECT_BATCH
  const int64_t matrix = 0 * k;
#else
  const int64_t matrix = k * m->batch_stride;
#endif
#ifdef DEFECT_STRIDES
  const int64_t element = matrix + i * m->cols + j;
#else
  const int64_t element = matrix + i * m->row_stride + j * m->col_stride;
#endif
  return (char*)m->data + m->byte_offset + (size_t)element * pz_dtype_size(m->dtype);
}

static double
get(const pz_mat* const m, const int64_t k, const int64_t i, const int64_t j)
{
  const void* const place = at(m, k, i, j);
  return m->dtype == PZ_F32 ? (double)*(const float*)place : *(const double*)place;
}

static void
put(const pz_mat* const m, const int64_t k, const int64_t i, const int64_t j, const double value)
{
  void* const place = at(m, k, i, j);
  if (m->dtype == PZ_F32) {
    *(float*)place = (float)value;
  } else {
    *(double*)place = value;
  }
}

static pz_status
axpby(pz_backend_queue* const q, const double a, const pz_mat* const x, const double b,
      const pz_mat* const y)
{
  finish(q);
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        put(y, k, i, j,
            (a == 0.0 ? 0.0 : a * get(x, k, i, j)) + (b == 0.0 ? 0.0 : b * get(y, k, i, j)));
      }
    }
  }
#ifdef DEFECT_OUTSIDE
  put(y, 0, y->rows, y->cols, 0.0);
#endif
#ifdef DEFECT_UNTRUE
  return y->rows > 7 ? PZ_UNSUPPORTED : PZ_OK;
#endif
  return PZ_OK;
}

static pz_status
gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a, const pz_mat* const b,
     const double beta, const pz_mat* const y)
{
  finish(q);
  int64_t columns = y->cols;
#ifdef DEFECT_ODD
  columns -= columns % 2 == 1 && columns > 16;
#endif
#ifdef DEFECT_MANY
  for (int64_t k = 0; k < y->batch && k < 65535; ++k) {
#else
  for (int64_t k = 0; k < y->batch; ++k) {
#endif
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0.0;
        for (int64_t l = 0; l < a->cols && alpha != 0.0; ++l) {
          sum += get(a, k, i, l) * get(b, k, l, j);
        }
#ifdef DEFECT_BETA
        put(y, k, i, j, alpha * sum);
#elif defined(DEFECT_READS)
        put(y, k, i, j, alpha * sum + beta * get(y, k, i, j));
#else
      put(y, k, i, j, alpha * sum + (beta == 0.0 ? 0.0 : beta * get(y, k, i, j)));
#endif
      }
    }
  }
#ifdef DEFECT_INPUT
  put(a, 0, 0, 0, alpha * get(a, 0, 0, 0));
#endif
  (void)beta;
  return PZ_OK;
}

static const pz_backend_ops*
operations(pz_backend_queue* const q, const uint32_t dtype)
{
  static const pz_backend_ops table = {.size = sizeof(table), .axpby = axpby, .gemm = gemm};
  (void)q;
  return dtype == PZ_I64 ? NULL : &table;
}

static const pz_backend backend = {
    .size = sizeof(backend),
    .id = "plain",
    .summary = "Two operations in the host's memory",
    .probe = probe,
    .open = open_queue,
    .close = close_queue,
    .alloc = allocate,
    .free = release,
    .copy = copy,
    .fill = fill,
    .sync = sync_queue,
    .operations = operations,
    .record = record,
    .release_event = release_event,
    .wait = wait_for,
};

PZ_PLUGIN(plain, "1.0.0", PZ_BACKEND(&backend));
