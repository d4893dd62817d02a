/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Devices by name: "cpu", "opencl:1", "opencl:0:1", "auto". A backend's devices are numbered; one that
   works in host memory and has a single device goes by the backend's id alone. Device 0
   may always be written with or without ":0". */

#include "kept_text.h"
#include "nearest_name.h"
#include "queue.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, MAX_DEVICES = 256 };

static bool
probe(const pzi_backend* const backend, const uint32_t index, pz_device_info* const info)
{
  pzi_message before;
  pzi_message_save(&before);
  *info = (pz_device_info){.size = sizeof(*info)};
  if (backend->table.probe(pzi_backend_host(), index, info) != PZ_OK) {
    pzi_message_restore(&before); /* past the last device is no failure of a call */
    return false;
  }
  info->name[sizeof(info->name) - 1] = '\0';
  info->detail[sizeof(info->detail) - 1] = '\0';
  info->reason[sizeof(info->reason) - 1] = '\0';
  info->alias[sizeof(info->alias) - 1] = '\0';
  return true;
}

static void
device_name(const pzi_backend* const backend, const uint32_t index, char out[NAME_SIZE])
{
  pz_device_info info;
  const char* const id = backend->table.id;
  if ((backend->table.flags & PZ_BACKEND_HOST_MEMORY) != 0 && !probe(backend, 1, &info)) {
    (void)snprintf(out, NAME_SIZE, "%s", id);
  } else {
    (void)snprintf(out, NAME_SIZE, "%s:%" PRIu32, id, index);
  }
}

/* ---- reports ----------------------------------------------------------------- */

/* Device `index` over all backends; a backend without any counts once. */
static const pzi_backend*
device_at(pz_context* const context, uint32_t index, uint32_t* const place,
          pz_device_info* const info)
{
  const pzi_backend* backend;
  for (uint32_t b = 0; (backend = pzi_context_backend_at(context, b)) != NULL; ++b) {
    for (uint32_t d = 0; d < MAX_DEVICES; ++d) {
      const bool found = probe(backend, d, info);
      if (!found && d > 0) {
        break;
      }
      if (!found) {
        *info = (pz_device_info){.size = sizeof(*info), .reason = "it found no device"};
      }
      if (index-- == 0) {
        *place = d;
        return backend;
      }
      if (!found) {
        break;
      }
    }
  }
  return NULL;
}

pz_status
pz_context_device(pz_context* const context, const uint32_t index, pz_device_report* const out)
{
  if (!context || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", context ? "report to fill" : "context");
  }
  pz_device_info info;
  uint32_t place = 0;
  const pzi_backend* const backend = device_at(context, index, &place, &info);
  if (!backend) {
    return pzi_fail(PZ_NOT_FOUND, "found no device %" PRIu32, index);
  }
  char name[NAME_SIZE];
  device_name(backend, place, name);
  const pz_device_report report = {
      .size = out->size,
      .usable = info.usable != 0,
      .device = info.device,
      .f64 = info.f64 != 0,
      .name = pzi_context_keep(context, name),
      .summary = backend->table.summary ? backend->table.summary : "",
      .hardware = pzi_context_keep(context, info.name),
      .detail = pzi_context_keep(context, info.detail),
      .reason = pzi_context_keep(context, info.usable ? "" : info.reason),
      .path = backend->path,
  };
  if (!report.name || !report.hardware || !report.detail || !report.reason) {
    return pzi_no_memory(sizeof(info));
  }
  memcpy(out, &report, out->size < sizeof(report) ? out->size : sizeof(report));
  return PZ_OK;
}

/* ---- names that are not there ------------------------------------------------ */

/* The name nearest to `name` among all devices, or "". */
static void
nearest_device(pz_context* const context, const char* const name, char out[NAME_SIZE])
{
  enum { MOST = 32 };
  char names[MOST][NAME_SIZE];
  const char* candidates[MOST + 1];
  size_t n = 0;
  pz_device_info info;
  uint32_t place = 0;
  const pzi_backend* backend;
  out[0] = '\0';
  while (n < MOST && (backend = device_at(context, (uint32_t)n, &place, &info)) != NULL) {
    device_name(backend, place, names[n]);
    candidates[n] = names[n];
    ++n;
  }
  candidates[n++] = "auto";
  const char* const nearest = pzi_nearest_name(name, candidates, n);
  if (nearest) {
    (void)snprintf(out, NAME_SIZE, "%s", nearest);
  }
}

/* Why a file ID.so that was seen is not among the backends. */
static bool
skipped_file(pz_context* const context, const char* const id, pz_file_report* const out)
{
  char tail[NAME_SIZE + 8];
  (void)snprintf(tail, sizeof(tail), "/%s.so", id);
  const size_t length = strlen(tail);
  for (uint32_t k = 0;; ++k) {
    *out = (pz_file_report){.size = sizeof(*out)};
    if (pz_context_file(context, k, out) != PZ_OK) {
      return false;
    }
    const size_t n = strlen(out->path);
    if (!out->loaded && n >= length && strcmp(out->path + n - length, tail) == 0) {
      return true;
    }
  }
}

static pz_status
unknown_device(pz_context* const context, const char* const name, const char* const id)
{
  pz_file_report file;
  if (skipped_file(context, id, &file)) {
    return pzi_fail(PZ_NOT_FOUND, "found no device \"%s\": %s was skipped: %s", name, file.path,
                    file.reason);
  }
  char nearest[NAME_SIZE];
  nearest_device(context, name, nearest);
  if (nearest[0] == '\0') {
    return pzi_fail(PZ_NOT_FOUND, "found no device \"%s\" and none of a similar name", name);
  }
  return pzi_fail(PZ_NOT_FOUND, "found no device \"%s\"; the nearest is \"%s\"", name, nearest);
}

/* The backend is there, its device `index` is not. */
static pz_status
absent_device(const pzi_backend* const backend, const char* const name)
{
  pz_device_info info;
  uint32_t n = 0;
  while (n < MAX_DEVICES && probe(backend, n, &info)) {
    ++n;
  }
  if (n == 0) {
    return pzi_fail(PZ_NOT_FOUND, "found no device \"%s\": backend %s found none", name,
                    backend->table.id);
  }
  char nearest[NAME_SIZE];
  device_name(backend, n - 1, nearest);
  return pzi_fail(PZ_NOT_FOUND,
                  "found no device \"%s\": backend %s has %" PRIu32 "; the nearest is \"%s\"", name,
                  backend->table.id, n, nearest);
}

/* ---- opening ----------------------------------------------------------------- */

/* The id before the colon; what follows it, or "". */
static bool
split_name(const char* const name, char id[NAME_SIZE], const char** const rest)
{
  const char* const colon = strchr(name, ':');
  const size_t length = colon ? (size_t)(colon - name) : strlen(name);
  if (length == 0 || length >= NAME_SIZE) {
    id[0] = '\0';
    return false;
  }
  memcpy(id, name, length);
  id[length] = '\0';
  *rest = colon ? colon + 1 : "";
  return !colon || colon[1] != '\0';
}

/* The index that a decimal number or an alias stands for; false where it is neither. */
static bool
parse_index(const pzi_backend* const backend, const char* const rest, uint32_t* const index)
{
  pz_device_info info;
  const char* digit = rest;
  *index = 0;
  for (; *digit >= '0' && *digit <= '9' && *index < 100000; ++digit) {
    *index = *index * 10 + (uint32_t)(*digit - '0');
  }
  if (*digit == '\0') {
    return true;
  }
  for (*index = 0; *index < MAX_DEVICES && probe(backend, *index, &info); ++*index) {
    if (strcmp(info.alias, rest) == 0) {
      return true;
    }
  }
  return false;
}

static pz_status
open_at(pz_context* const context, const pzi_backend* const backend, const uint32_t index,
        const void* const native, pz_queue** const out)
{
  char name[NAME_SIZE];
  device_name(backend, index, name);
  return pzi_queue_new(context, backend, index, name, native, out);
}

/* The first usable device in order of preference; other guises of the host's processor,
   which its own backend serves better, come last. */
static pz_status
open_best(pz_context* const context, pz_queue** const out)
{
  for (uint32_t guise = 0; guise < 2; ++guise) {
    pz_device_info info;
    uint32_t place = 0;
    const pzi_backend* backend;
    for (uint32_t k = 0; (backend = device_at(context, k, &place, &info)) != NULL; ++k) {
      if (info.usable && (info.is_host != 0) == (guise != 0) &&
          open_at(context, backend, place, NULL, out) == PZ_OK) {
        return PZ_OK;
      }
    }
  }
  return pzi_fail(PZ_NOT_FOUND, "found no device that can be used");
}

static pz_status
open_named(pz_context* const context, const char* const device, const void* const native,
           pz_queue** const out)
{
  char id[NAME_SIZE];
  const char* rest = "";
  uint32_t index = 0;
  const pzi_backend* backend = NULL;
  if (!split_name(device, id, &rest) || pzi_context_backend(context, id, &backend) != PZ_OK ||
      !parse_index(backend, rest, &index)) {
    return unknown_device(context, device, id);
  }
  pz_device_info info;
  if (!probe(backend, index, &info)) {
    return absent_device(backend, device);
  }
  return open_at(context, backend, index, native, out);
}

pz_status
pz_queue_open(pz_context* const context, const char* const device, pz_queue** const out)
{
  if (!context || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", context ? "place for the queue" : "context");
  }
  const pzi_backend* backend = NULL;
  if (!device) {
    const bool cpu = pzi_context_backend(context, "cpu", &backend) == PZ_OK &&
                     open_at(context, backend, 0, NULL, out) == PZ_OK;
    return cpu ? PZ_OK : pz_queue_open(context, "reference", out);
  }
  if (strcmp(device, "auto") == 0) {
    return open_best(context, out);
  }
  return open_named(context, device, NULL, out);
}

pz_status
pz_queue_wrap(pz_context* const context, const char* const device, const void* const native,
              pz_queue** const out)
{
  if (!native) {
    return pz_queue_open(context, device, out);
  }
  if (!context || !device || !out) {
    return pzi_fail(PZ_INVALID, "found no %s",
                    !context  ? "context"
                    : !device ? "device"
                              : "place for the queue");
  }
  return open_named(context, device, native, out);
}
