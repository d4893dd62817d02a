/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The devices of all backends, and reports on them. */

#include "device_list.h"

#include "context.h"
#include "kept_text.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool
pzi_device_probe(const pzi_backend* const backend, const uint32_t index, pz_device_info* const info)
{
  pzi_message before;
  pzi_message_save(&before);
  *info = (pz_device_info){.size = sizeof(*info)};
  if (backend->table.probe(pzi_context_backend_host(), index, info) != PZ_OK) {
    pzi_message_restore(&before); /* an index past the last device is no error */
    return false;
  }
  info->name[sizeof(info->name) - 1] = '\0';
  info->detail[sizeof(info->detail) - 1] = '\0';
  info->reason[sizeof(info->reason) - 1] = '\0';
  info->alias[sizeof(info->alias) - 1] = '\0';
  return true;
}

void
pzi_device_name(const pzi_backend* const backend, const uint32_t index, char out[PZI_DEVICE_NAME])
{
  pz_device_info info;
  const char* const id = backend->table.id;
  if ((backend->table.flags & PZ_BACKEND_HOST_MEMORY) != 0 &&
      !pzi_device_probe(backend, 1, &info)) {
    (void)snprintf(out, PZI_DEVICE_NAME, "%s", id);
  } else {
    (void)snprintf(out, PZI_DEVICE_NAME, "%s:%" PRIu32, id, index);
  }
}

const pzi_backend*
pzi_device_at(pz_context* const context, uint32_t index, uint32_t* const place,
              pz_device_info* const info)
{
  const pzi_backend* backend;
  for (uint32_t b = 0; (backend = pzi_lookup_backend_at(context, b)) != NULL; ++b) {
    for (uint32_t d = 0; d < PZI_MOST_DEVICES; ++d) {
      const bool found = pzi_device_probe(backend, d, info);
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
  const pzi_backend* const backend = pzi_device_at(context, index, &place, &info);
  if (!backend) {
    return pzi_fail(PZ_NOT_FOUND, "found no device %" PRIu32, index);
  }
  char name[PZI_DEVICE_NAME];
  pzi_device_name(backend, place, name);
  const pz_device_report report = {
      .size = out->size,
      .usable = info.usable != 0,
      .device = info.device,
      .f64 = info.f64 != 0,
      .name = pzi_kept_text_add(context, name),
      .summary = backend->table.summary ? backend->table.summary : "",
      .hardware = pzi_kept_text_add(context, info.name),
      .detail = pzi_kept_text_add(context, info.detail),
      .reason = pzi_kept_text_add(context, info.usable ? "" : info.reason),
      .path = backend->path,
  };
  if (!report.name || !report.hardware || !report.detail || !report.reason) {
    return pzi_no_memory(sizeof(info));
  }
  memcpy(out, &report, out->size < sizeof(report) ? out->size : sizeof(report));
  return PZ_OK;
}
