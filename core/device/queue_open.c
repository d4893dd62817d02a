/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opening devices by name: "cpu", "opencl:1", "opencl:0:1", "auto". The part before the colon is
   the id of a backend, the rest the number of its device or an alias. ":0" may be left out. */

#include "queue.h"

#include "device_list.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

/* ---- unknown names ----------------------------------------------------------- */

/* Writes the names of the devices that can be opened, "cpu, opencl:0, reference"; of very many, the
   first ones. */
static pz_status
list_names(pz_context* const context, char* const out, const size_t size)
{
  pzi_device_list list;
  pz_status status = PZ_OK;
  size_t length = 0;
  PZ_TRY(pzi_device_list_init(context, &list));
  for (size_t k = 0; status == PZ_OK && k < list.n; ++k) {
    const pzi_device* const device = &list.devices[k];
    char name[PZI_DEVICE_NAME];
    status = pzi_device_name(device->backend, device->index, name);
    if (status == PZ_OK && device->info.usable && length + strlen(name) + 2 < size) {
      length += (size_t)snprintf(out + length, size - length, "%s%s", length > 0 ? ", " : "", name);
    }
  }
  pzi_device_list_cleanup(&list);
  return status;
}

/* Was a file ID.so found, but skipped when backends were loaded? PZ_NOT_FOUND where not. */
static pz_status
find_skipped(pz_context* const context, const char* const id, pz_plugin_report* const out)
{
  char tail[PZI_DEVICE_NAME + 8];
  (void)snprintf(tail, sizeof(tail), "/%s.so", id);
  const size_t length = strlen(tail);
  for (uint32_t k = 0;; ++k) {
    *out = (pz_plugin_report){.size = sizeof(*out)};
    PZ_TRY(pz_context_plugin(context, k, out));
    const size_t n = strlen(out->path);
    if (!out->loaded && n >= length && strcmp(out->path + n - length, tail) == 0) {
      return PZ_OK;
    }
  }
}

static pz_status
unknown_device(pz_context* const context, const char* const name, const char* const id)
{
  pz_plugin_report file;
  const pz_status status = find_skipped(context, id, &file);
  if (status == PZ_OK) {
    return pzi_fail(PZ_NOT_FOUND, "found no device \"%s\": %s was skipped: %s", name, file.path,
                    file.reason);
  }
  if (status != PZ_NOT_FOUND) {
    return status;
  }
  char names[512] = "";
  PZ_TRY(list_names(context, names, sizeof(names)));
  return pzi_fail(PZ_NOT_FOUND, "found no device \"%s\", expected %s or auto", name, names);
}

/* ---- opening ----------------------------------------------------------------- */

/* Splits a name at the colon into the id and the rest, which may be "". */
static bool
split_name(const char* const name, char id[PZI_DEVICE_NAME], const char** const rest)
{
  const char* const colon = strchr(name, ':');
  const size_t length = colon ? (size_t)(colon - name) : strlen(name);
  if (length == 0 || length >= PZI_DEVICE_NAME) {
    id[0] = '\0';
    return false;
  }
  memcpy(id, name, length);
  id[length] = '\0';
  *rest = colon ? colon + 1 : "";
  return !colon || colon[1] != '\0';
}

/* Reads a device index: a decimal number, or the alias of a device. PZ_NOT_FOUND for anything
   else. */
static pz_status
parse_index(const pzi_backend* const backend, const char* const rest, uint32_t* const index)
{
  pz_device_info info;
  const char* digit = rest;
  *index = 0;
  for (; *digit >= '0' && *digit <= '9' && *index < 100000; ++digit) {
    *index = *index * 10 + (uint32_t)(*digit - '0');
  }
  if (*digit == '\0') {
    return PZ_OK;
  }
  for (*index = 0; *index < PZI_MOST_DEVICES; ++*index) {
    PZ_TRY(pzi_device_probe(backend, *index, &info));
    if (strcmp(info.alias, rest) == 0) {
      return PZ_OK;
    }
  }
  return PZ_NOT_FOUND;
}

static pz_status
open_at(pz_context* const context, const pzi_backend* const backend, const uint32_t index,
        const void* const native, pz_queue** const out)
{
  char name[PZI_DEVICE_NAME];
  PZ_TRY(pzi_device_name(backend, index, name));
  return pzi_queue_new(context, backend, index, name, native, out);
}

/* Opens the first device of the list that opens. PZ_NO_MEMORY if none does and one has too little
   memory now. */
static pz_status
open_best(pz_context* const context, pz_queue** const out)
{
  pzi_device_list list;
  bool opened = false;
  bool shortage = false;
  PZ_TRY(pzi_device_list_init(context, &list));
  for (size_t k = 0; k < list.n && !opened; ++k) {
    const pzi_device* const device = &list.devices[k];
    if (pzi_device_is_automatic(device)) {
      const pz_status status = open_at(context, device->backend, device->index, NULL, out);
      opened = status == PZ_OK;
      shortage = shortage || status == PZ_NO_MEMORY;
    }
  }
  pzi_device_list_cleanup(&list);
  return opened ? PZ_OK
                : pzi_fail(shortage ? PZ_NO_MEMORY : PZ_NOT_FOUND,
                           "found no device that \"auto\" can take%s", shortage ? " now" : "");
}

static pz_status
open_named(pz_context* const context, const char* const device, const void* const native,
           pz_queue** const out)
{
  char id[PZI_DEVICE_NAME];
  const char* rest = "";
  uint32_t index = 0;
  const pzi_backend* backend = NULL;
  pz_status status =
      split_name(device, id, &rest) ? pzi_lookup_backend(context, id, &backend) : PZ_NOT_FOUND;
  if (status == PZ_OK) {
    status = parse_index(backend, rest, &index);
  }
  if (status == PZ_NOT_FOUND) {
    return unknown_device(context, device, id);
  }
  PZ_TRY(status);
  pz_device_info info;
  status = pzi_device_probe(backend, index, &info);
  if (status == PZ_NOT_FOUND) {
    return unknown_device(context, device, id);
  }
  PZ_TRY(status);
  return open_at(context, backend, index, native, out);
}

pz_status
pz_queue_open(pz_context* const context, const char* const device, const void* const native,
              pz_queue** const out)
{
  if (!context || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", context ? "place for the queue" : "context");
  }
  if (native && (!device || strcmp(device, "auto") == 0)) {
    return pzi_fail(PZ_INVALID, "found a native queue, expected the name of its device");
  }
  const pzi_backend* backend = NULL;
  if (!device) {
    pz_status status = pzi_lookup_backend(context, "cpu", &backend);
    if (status == PZ_OK) {
      status = open_at(context, backend, 0, NULL, out);
    }
    /* A shortage does not mean that the backend is missing. */
    return status == PZ_OK || status == PZ_NO_MEMORY ? status
                                                     : open_named(context, "reference", NULL, out);
  }
  if (strcmp(device, "auto") == 0) {
    return open_best(context, out);
  }
  return open_named(context, device, native, out);
}
