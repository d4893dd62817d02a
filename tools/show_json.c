/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "show.h"

#include "texts.h"

static void
add_members(json* const j, const pz_parametrization_info* const info)
{
  json_text(j, "id", info->id);
  json_text(j, "version", info->version);
  json_text(j, "summary", info->summary);
  json_text(j, "tags", info->tags);
  json_text(j, "path", info->path);
}

/* Adds an object if its tags have `tag`; NULL for any. */
static void
add_parametrization(json* const j, const pz_parametrization_info* const info, const char* const tag)
{
  if (tag == NULL || texts_has_word(info->tags, tag)) {
    json_open(j, NULL, '{');
    add_members(j, info);
    json_close(j);
  }
}

bool
show_json_parametrizations(json* const j, pz_context* const context, const char* const tag)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  pz_status status;
  json_open(j, "parametrizations", '[');
  for (uint32_t k = 0; (status = pz_context_parametrization(context, k, &info)) == PZ_OK; ++k) {
    add_parametrization(j, &info, tag);
  }
  for (size_t k = 0; k < SHOW_WORDS; ++k) {
    if (pz_context_find(context, show_words[k], &info) == PZ_OK) {
      add_parametrization(j, &info, tag);
    }
  }
  json_close(j);
  return show_ended(status);
}

bool
show_json_devices(json* const j, pz_context* const context)
{
  pz_device_report device = {.size = sizeof(device)};
  pz_status status;
  json_open(j, "devices", '[');
  for (uint32_t k = 0; (status = pz_context_device(context, k, &device)) == PZ_OK; ++k) {
    json_open(j, NULL, '{');
    json_text(j, "name", device.name);
    json_flag(j, "usable", device.usable != 0);
    json_text(j, "reason", device.reason);
    json_text(j, "hardware", device.hardware);
    json_text(j, "libraries", device.detail);
    json_flag(j, "float64", device.f64 != 0);
    json_number(j, "priority", device.priority);
    json_text(j, "rank", device.rank);
    json_text(j, "path", device.path);
    json_close(j);
  }
  json_close(j);
  return show_ended(status);
}

bool
show_json_files(json* const j, pz_context* const context)
{
  pz_plugin_report plugin = {.size = sizeof(plugin)};
  pz_status status;
  json_open(j, "files", '[');
  for (uint32_t k = 0; (status = pz_context_plugin(context, k, &plugin)) == PZ_OK; ++k) {
    json_open(j, NULL, '{');
    json_text(j, "path", plugin.path);
    json_text(j, "origin", plugin.origin);
    json_flag(j, "loaded", plugin.loaded != 0);
    json_text(j, "ids", plugin.ids);
    json_text(j, "reason", plugin.reason);
    json_close(j);
  }
  json_close(j);
  return show_ended(status);
}

bool
show_json_parametrization(json* const j, pz_context* const context,
                          const pz_parametrization_info* const info)
{
  pz_option_info option = {.size = sizeof(option)};
  json_open(j, "parametrization", '{');
  add_members(j, info);
  json_text(j, "formula", info->formula);
  json_open(j, "offers", '[');
  for (size_t k = 0; k < SHOW_ABILITIES; ++k) {
    if (info->flags & show_abilities[k].flag) {
      json_text(j, NULL, show_abilities[k].name);
    }
  }
  json_close(j);
  json_open(j, "options", '[');
  pz_status status = PZ_NOT_FOUND;
  for (uint32_t k = 0;
       k < info->n_options && (status = pz_context_option(context, info->id, k, &option)) == PZ_OK;
       ++k) {
    json_open(j, NULL, '{');
    json_text(j, "name", option.name);
    json_text(j, "type", show_type(option.type));
    json_text(j, "default", option.fallback);
    json_text(j, "range", option.range);
    json_text(j, "meaning", option.doc);
    json_close(j);
  }
  json_close(j);
  json_close(j);
  return status == PZ_OK || show_ended(status);
}

bool
show_json_operations(json* const j, pz_queue* const queue)
{
  pz_op_report report = {.size = sizeof(report)};
  pz_status status;
  json_open(j, "operations", '[');
  for (uint32_t k = 0; (status = pz_queue_op(queue, k, &report)) == PZ_OK; ++k) {
    json_open(j, NULL, '{');
    json_text(j, "name", report.name);
    json_text(j, "float32", show_route(report.f32));
    json_text(j, "float64", show_route(report.f64));
    json_close(j);
  }
  json_close(j);
  return show_ended(status);
}
