/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A plugin whose texts try to control the terminal: a parametrization, a device and one that is not
   usable. A descriptor may have characters that reorder or hide others; what fails and devices may
   give any bytes.

     hostile   y = x with an option of every kind of text; refuses one dimension in plan, two rows in
               forward, and has no derivatives */

#include <parametrize/backend.h>
#include <parametrize/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ODD "\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xe2\x80\xa8" /* U+202E U+2066 U+200B U+2028 */
#define EVIL         \
  "\x1b]0;x\x07\x9b" \
  "31m\xc2\x9b"      \
  "1m\r\b\x7f\xff\n" ODD

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  if (given->ndim == 1) {
    return pz_fail(c, PZ_MISMATCH, "plan " EVIL);
  }
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_rows(x) == 2 ? pz_fail(c, PZ_OUTSIDE, "forward " EVIL) : pz_copy(c, x, y);
}

static const char* const words[] = {"one" ODD, "two"};
static const pz_option options[] = {
    PZ_OPTION_REAL("real", 0.5, 0.0, 1.0, "a real " ODD),
    PZ_OPTION_CHOICE("word", 0, words, "a word " ODD),
};

static const pz_parametrization hostile = {
    .size = sizeof(hostile),
    .option_size = sizeof(pz_option),
    .id = "hostile",
    .summary = "Summary " ODD,
    .formula = "Y = X " ODD "\nanywhere " ODD,
    .tags = "tag" ODD,
    PZ_OPTIONS(options),
    .plan = plan,
    .forward = forward,
};

/* ---- a device ---------------------------------------------------------------- */

struct pz_backend_queue {
  const pz_backend_host* host;
};

static pz_status
probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  if (index > 2) {
    return host->fail(PZ_NOT_FOUND, "probe " EVIL);
  }
  info->usable = index != 1;
  info->device = (pz_device){PZ_DEVICE_CPU, 0};
  info->f64 = 1;
  info->memory = PZ_MEMORY_HOST;
  snprintf(info->name, sizeof(info->name), "name " EVIL);
  snprintf(info->detail, sizeof(info->detail), "detail " EVIL);
  snprintf(info->reason, sizeof(info->reason), "reason " EVIL);
  snprintf(info->alias, sizeof(info->alias), "0" EVIL);
  return PZ_OK;
}

static pz_status
open_queue(const pz_backend_host* const host, const uint32_t index, const void* const native,
           pz_backend_queue** const out)
{
  if (index > 0 || native) {
    return host->fail(PZ_DEVICE, "open " EVIL);
  }
  *out = (pz_backend_queue*)calloc(1, sizeof(**out));
  if (!*out) {
    return host->fail(PZ_NO_MEMORY, "out of memory");
  }
  (*out)->host = host;
  return PZ_OK;
}

static void
close_queue(pz_backend_queue* const q)
{
  free(q);
}

static pz_status
allocate(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  *out = aligned_alloc(64, (bytes + 63) / 64 * 64);
  return *out ? PZ_OK : q->host->fail(PZ_NO_MEMORY, "out of memory");
}

static void
release(pz_backend_queue* const q, void* const data)
{
  (void)q;
  free(data);
}

static pz_status
copy(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst, const uint64_t dst_offset,
     const void* const src, const uint64_t src_offset, const size_t bytes)
{
  (void)q;
  (void)kind;
  memcpy((char*)dst + dst_offset, (const char*)src + src_offset, bytes);
  return PZ_OK;
}

static pz_status
fill(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
     const void* const pattern, const size_t pattern_bytes)
{
  (void)q;
  for (size_t k = 0; k < bytes; k += pattern_bytes) {
    memcpy((char*)dst + offset + k, pattern, pattern_bytes);
  }
  return PZ_OK;
}

static pz_status
synchronize(pz_backend_queue* const q)
{
  (void)q;
  return PZ_OK;
}

static const pz_backend device = {
    .size = sizeof(device),
    .id = "hostile_device",
    .summary = "Device " ODD,
    .probe = probe,
    .open = open_queue,
    .close = close_queue,
    .alloc = allocate,
    .free = release,
    .copy = copy,
    .fill = fill,
    .sync = synchronize,
};

PZ_PLUGIN(hostile, "1.0 " ODD, PZ_PARAMETRIZATION(&hostile), PZ_BACKEND(&device));
