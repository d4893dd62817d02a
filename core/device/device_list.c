/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The devices of all backends, and reports on them. */

#include "device_list.h"

#include "array.h"
#include "context.h"
#include "kept_text.h"
#include "sized_struct.h"
#include "status.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pz_status
pzi_device_probe(const pzi_backend* const backend, const uint32_t index, pz_device_info* const info)
{
  pzi_message before;
  pzi_message_save(&before);
  *info = (pz_device_info){.size = sizeof(*info)};
  const pz_status status = backend->table.probe(pzi_context_backend_host(), index, info);
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  if (status != PZ_OK) {
    pzi_message_restore(&before); /* an index past the last device is no error */
    return PZ_NOT_FOUND;
  }
  info->name[sizeof(info->name) - 1] = '\0';
  info->detail[sizeof(info->detail) - 1] = '\0';
  info->reason[sizeof(info->reason) - 1] = '\0';
  info->alias[sizeof(info->alias) - 1] = '\0';
  pzi_utf8_clean(info->name); // drivers choose these
  pzi_utf8_clean(info->detail);
  pzi_utf8_clean(info->reason);
  return PZ_OK;
}

pz_status
pzi_device_name(const pzi_backend* const backend, const uint32_t index, char out[PZI_DEVICE_NAME])
{
  pz_device_info info;
  const char* const id = backend->table.id;
  pz_status status = pzi_device_probe(backend, 0, &info);
  bool alone = status == PZ_OK && info.memory == PZ_MEMORY_HOST;
  if (alone) {
    status = pzi_device_probe(backend, 1, &info);
    alone = status == PZ_NOT_FOUND;
  }
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  if (alone) {
    (void)snprintf(out, PZI_DEVICE_NAME, "%s", id);
  } else {
    (void)snprintf(out, PZI_DEVICE_NAME, "%s:%" PRIu32, id, index);
  }
  return PZ_OK;
}

/* ---- all devices, ranked ------------------------------------------------------ */

/* Finds the place of a device among the preferred names, which are those of devices or backends;
   UINT32_MAX if it is not among them. */
static pz_status
find_preference(const char* const preferred, pzi_device* const device)
{
  device->preference = UINT32_MAX;
  if (!preferred) {
    return PZ_OK; // the name takes further probes
  }
  char name[PZI_DEVICE_NAME];
  PZ_TRY(pzi_device_name(device->backend, device->index, name));
  uint32_t place = 0;
  for (const char* at = preferred; *at != '\0'; ++place) {
    const size_t length = strcspn(at, ",");
    const char* const id = device->backend->table.id;
    if ((strlen(name) == length && strncmp(at, name, length) == 0) ||
        (strlen(id) == length && strncmp(at, id, length) == 0)) {
      device->preference = place;
      return PZ_OK;
    }
    at += length + (at[length] == ',');
  }
  return PZ_OK;
}

static pz_status
add_device(pzi_device_list* const list, const char* const preferred,
           const pzi_backend* const backend, const uint32_t index, const pz_device_info* const info)
{
  PZ_TRY(pzi_array_reserve(&list->devices, list->n, 1, sizeof(*list->devices)));
  pzi_device* const device = &list->devices[list->n];
  *device = (pzi_device){
      .backend = backend,
      .index = index,
      .info = *info,
  };
  PZ_TRY(find_preference(preferred, device));
  ++list->n;
  return PZ_OK;
}

/* Adds the devices of a backend, or one that says that it has none. */
static pz_status
add_devices(pzi_device_list* const list, const char* const preferred,
            const pzi_backend* const backend)
{
  pz_device_info info;
  uint32_t n = 0;
  for (; n < PZI_MOST_DEVICES; ++n) {
    const pz_status status = pzi_device_probe(backend, n, &info);
    if (status == PZ_NOT_FOUND) {
      break;
    }
    PZ_TRY(status);
    PZ_TRY(add_device(list, preferred, backend, n, &info));
  }
  if (n > 0) {
    return PZ_OK;
  }
  info = (pz_device_info){.size = sizeof(info), .reason = "it found no device"};
  return add_device(list, preferred, backend, 0, &info);
}

/* By preference, then by priority, then by the id of the backend and the index. */
static int
compare_devices(const void* const a, const void* const b)
{
  const pzi_device* const x = a;
  const pzi_device* const y = b;
  if (x->preference != y->preference) {
    return x->preference < y->preference ? -1 : 1;
  }
  if (x->info.priority != y->info.priority) {
    return x->info.priority > y->info.priority ? -1 : 1;
  }
  const int ids = strcmp(x->backend->table.id, y->backend->table.id);
  return ids != 0 ? ids : x->index < y->index ? -1 : 1;
}

pz_status
pzi_device_list_init(pz_context* const context, pzi_device_list* const list)
{
  const char* origin;
  const char* const preferred = pzi_context_devices(context, &origin);
  const pzi_backend* backend = NULL;
  *list = (pzi_device_list){0};
  pz_status status = pzi_lookup_backend_at(context, 0, &backend);
  for (uint32_t b = 1; status == PZ_OK && backend; ++b) {
    status = add_devices(list, preferred, backend);
    if (status == PZ_OK) {
      status = pzi_lookup_backend_at(context, b, &backend);
    }
  }
  if (status != PZ_OK) {
    pzi_device_list_cleanup(list);
    return status;
  }
  if (list->n > 0) {
    qsort(list->devices, list->n, sizeof(*list->devices), compare_devices);
  }
  return PZ_OK;
}

void
pzi_device_list_cleanup(pzi_device_list* const list)
{
  free(list->devices);
  *list = (pzi_device_list){0};
}

bool
pzi_device_is_automatic(const pzi_device* const device)
{
  return device->info.usable && (device->preference != UINT32_MAX || device->info.priority > 0);
}

/* ---- reports ------------------------------------------------------------------ */

static pz_status
describe(pz_context* const context, const pzi_device* const device, pz_device_report* const report)
{
  const pz_device_info* const info = &device->info;
  const char* origin;
  char name[PZI_DEVICE_NAME];
  char rank[32];
  (void)pzi_context_devices(context, &origin);
  PZ_TRY(pzi_device_name(device->backend, device->index, name));
  if (info->priority > 0) {
    (void)snprintf(rank, sizeof(rank), "priority %" PRId32, info->priority);
  } else {
    (void)snprintf(rank, sizeof(rank), "not for auto");
  }
  *report = (pz_device_report){
      .usable = info->usable != 0,
      .device = info->device,
      .f64 = info->f64 != 0,
      .priority = info->priority,
      .name = pzi_kept_text_add(context, name),
      .summary = device->backend->table.summary ? device->backend->table.summary : "",
      .hardware = pzi_kept_text_add(context, info->name),
      .detail = pzi_kept_text_add(context, info->detail),
      .reason = pzi_kept_text_add(context, info->usable ? "" : info->reason),
      .path = device->backend->path,
      .rank = device->preference != UINT32_MAX ? origin : pzi_kept_text_add(context, rank),
  };
  return report->name && report->hardware && report->detail && report->reason && report->rank
             ? PZ_OK
             : pzi_no_memory(sizeof(*info));
}

pz_status
pz_context_device(pz_context* const context, const uint32_t index, pz_device_report* const out)
{
  if (!context) {
    return pzi_fail(PZ_INVALID, "found no context");
  }
  PZ_TRY(pzi_struct_check(out, "output"));
  pzi_device_list list;
  pz_device_report report;
  PZ_TRY(pzi_device_list_init(context, &list));
  const pz_status status = index < list.n
                               ? describe(context, &list.devices[index], &report)
                               : pzi_fail(PZ_NOT_FOUND, "found no device %" PRIu32, index);
  pzi_device_list_cleanup(&list);
  PZ_TRY(status);
  pzi_struct_write(out, &report, sizeof(report));
  return PZ_OK;
}
