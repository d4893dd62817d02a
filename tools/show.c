/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What is installed: parametrizations, devices, and the result for every file searched. */

#include "show.h"
#include "commands.h"
#include "guard.h"
#include "print.h"
#include "say.h"
#include "table.h"
#include "texts.h"

#include <parametrize/parametrize.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints a table and frees it. */
static bool
show(table* const t, const size_t indent)
{
  const bool complete = table_print(t, indent);
  table_cleanup(t);
  if (!complete) {
    say_no_memory(NULL);
  }
  return complete;
}

/* Makes a context that opens its files under `g`, which may be NULL. */
static pz_context*
open_context(guard* const g)
{
  const pz_context_settings settings = guard_settings(g);
  pz_context* context = NULL;
  const pz_status status = pz_context_new(&settings, &context);
  if (status != PZ_OK) {
    say_library(NULL, status);
  }
  return context;
}

/* Opens all files, whether they are any good or not. */
static bool
open_files(pz_context* const context, guard* const g)
{
  pz_plugin_report first = {.size = sizeof(first)};
  const pz_status status = pz_context_plugin(context, 0, &first);
  guard_opened(g);
  return status == PZ_OK || (say_library(NULL, status), false);
}

/* ---- list ------------------------------------------------------------------- */

static void
add_parametrization(table* const t, const pz_parametrization_info* const info)
{
  table_row(t, (const char*[]){info->id, info->tags, info->version, info->summary, info->path});
}

/* Lists all parametrizations and the words of chains, or those with a tag; kin have the same tags, so
   they stand together. */
static bool
list_parametrizations(pz_context* const context, const char* const tag)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  table t;
  table_init(&t, 5);
  table_row(&t, (const char*[]){"parametrization", "tags", "version", "summary", "file"});
  pz_status status;
  uint32_t n = 0;
  for (uint32_t k = 0; (status = pz_context_parametrization(context, k, &info)) == PZ_OK; ++k) {
    if (tag != NULL && !texts_has_word(info.tags, tag)) {
      continue;
    }
    ++n;
    add_parametrization(&t, &info);
  }
  if (!show_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  for (size_t k = 0; k < SHOW_WORDS && (n > 0 || tag != NULL); ++k) {
    const bool found = pz_context_find(context, show_words[k], &info) == PZ_OK;
    if (found && (tag == NULL || texts_has_word(info.tags, tag))) {
      ++n;
      add_parametrization(&t, &info);
    }
  }
  table_sort(&t, 1);
  if (n == 0) {
    table_cleanup(&t);
    if (tag != NULL) {
      print_line("no parametrization has the tag \"", tag, "\"");
    } else {
      puts("no parametrization found; parametrize doctor shows the folders searched");
    }
    return true;
  }
  return show(&t, 0);
}

static bool
list_devices(pz_context* const context)
{
  pz_device_report device = {.size = sizeof(device)};
  table t;
  table_init(&t, 4);
  table_row(&t, (const char*[]){"device", "hardware", "libraries", "file"});
  pz_status status;
  for (uint32_t k = 0; (status = pz_context_device(context, k, &device)) == PZ_OK; ++k) {
    table_row(&t, (const char*[]){device.name, device.usable ? device.hardware : "not usable",
                                  device.usable ? device.detail : device.reason, device.path});
  }
  if (!show_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  return show(&t, 0);
}

static int
list(const arguments* const a, guard* const g)
{
  pz_context* const context = open_context(g);
  bool done = context != NULL && open_files(context, g);
  if (done && a->json) {
    json j = {.depth = 0};
    json_open(&j, NULL, '{');
    done = show_json_parametrizations(&j, context, a->tag) && show_json_devices(&j, context);
    json_close(&j);
    pz_context_free(context);
    return done ? EXIT_GOOD : EXIT_ERROR;
  }
  done = done && list_parametrizations(context, a->tag);
  if (done) {
    putchar('\n');
    (void)fflush(stdout); /* a driver may end the process when it is asked for devices */
    done = list_devices(context);
  }
  pz_context_free(context);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

int
run_list(const arguments* const a)
{
  return guard_run(a, list, true);
}

/* ---- info ------------------------------------------------------------------- */

/* Prints the lines of a text, each after two spaces. */
static void
print_indented(const char* text)
{
  while (*text != '\0') {
    const size_t length = strcspn(text, "\n");
    fputs("  ", stdout);
    print_part(text, length);
    putchar('\n');
    text += length + (text[length] == '\n');
  }
}

static bool
show_options(pz_context* const context, const pz_parametrization_info* const info)
{
  pz_option_info option = {.size = sizeof(option)};
  pz_status status;
  table t;
  if (info->n_options == 0) {
    puts("\noptions\n  none");
    return true;
  }
  table_init(&t, 5);
  table_row(&t, (const char*[]){"name", "type", "default", "range", "meaning"});
  for (uint32_t k = 0; (status = pz_context_option(context, info->id, k, &option)) == PZ_OK; ++k) {
    table_row(&t, (const char*[]){option.name, show_type(option.type), option.fallback,
                                  option.range, option.doc});
  }
  if (!show_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  puts("\noptions");
  return show(&t, 2);
}

static bool
show_parametrization(pz_context* const context, const char* const id, json* const j)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  const pz_status status = pz_context_find(context, id, &info);
  if (status != PZ_OK) {
    say_library(id, status);
    return false;
  }
  if (j) {
    json_open(j, NULL, '{');
    return show_json_parametrization(j, context, &info);
  }
  print_line(info.id, " ", info.version);
  print_line("  ", info.summary);
  if (*info.formula != '\0') {
    puts("\nformula");
    print_indented(info.formula);
  }
  const bool is_word = strcmp(info.tags, "chain") == 0; // `view` and `back`
  if (!is_word && !show_options(context, &info)) {
    return false;
  }
  if (!is_word) {
    puts("\noffers\n  forward        value from originals");
  }
  for (size_t k = 0; k < SHOW_ABILITIES; ++k) {
    if (info.flags & show_abilities[k].flag) {
      printf("  %-13s  %s\n", show_abilities[k].name, show_abilities[k].text);
    }
  }
  puts("\nfile");
  print_line("  ", info.path);
  return true;
}

static bool
show_operations(pz_queue* const queue)
{
  pz_op_report report = {.size = sizeof(report)};
  pz_status status;
  table t;
  table_init(&t, 3);
  table_row(&t, (const char*[]){"operation", "float32", "float64"});
  for (uint32_t k = 0; (status = pz_queue_op(queue, k, &report)) == PZ_OK; ++k) {
    table_row(&t, (const char*[]){report.name, show_route(report.f32), show_route(report.f64)});
  }
  if (!show_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  return show(&t, 0);
}

static bool
show_device(pz_context* const context, const char* const name, json* const j)
{
  pz_queue* queue = NULL;
  pz_status status = pz_queue_open(context, name, NULL, &queue);
  if (status != PZ_OK) {
    say_library(name, status);
    return false;
  }
  pz_device_report device = {.size = sizeof(device)};
  const char* const opened = pz_queue_device(queue, NULL);
  uint32_t k = 0;
  while ((status = pz_context_device(context, k, &device)) == PZ_OK &&
         strcmp(device.name, opened) != 0) {
    ++k;
  }
  if (j) {
    if (j->depth == 0) {
      json_open(j, NULL, '{');
    }
    json_open(j, "device", '{');
    json_text(j, "name", opened);
    const bool listed = show_json_operations(j, queue);
    json_close(j);
    pz_queue_close(queue);
    return listed;
  }
  print_line(opened);
  if (status == PZ_OK) {
    const char* const lines[] = {device.summary, device.hardware, device.detail, device.path};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); ++i) {
      print_line("  ", lines[i]);
    }
  }
  putchar('\n');
  const bool done = show_operations(queue);
  pz_queue_close(queue);
  return done;
}

int
run_info(const arguments* const a)
{
  if (a->n_operands == 0 && a->device == NULL) {
    return say_usage("info", "info", "expected the name of a parametrization, or --device NAME");
  }
  json printed = {.depth = 0};
  json* const j = a->json ? &printed : NULL;
  pz_context* const context = open_context(NULL);
  bool done = context != NULL;
  if (done && a->n_operands > 0) {
    done = show_parametrization(context, a->operands[0], j);
  }
  if (done && a->device != NULL) {
    if (a->n_operands > 0 && !j) {
      putchar('\n');
    }
    done = show_device(context, a->device, j);
  }
  if (j && j->depth > 0) {
    json_close(j);
  }
  pz_context_free(context);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

/* ---- doctor ------------------------------------------------------------------ */

/* Shows plugins with their ids, and folders; where there is a reason, on the next line. */
static bool
show_plugins(pz_context* const context)
{
  pz_plugin_report plugin = {.size = sizeof(plugin)};
  uint32_t loaded = 0;
  uint32_t k = 0;
  pz_status status;
  char origin[128] = "";
  for (; (status = pz_context_plugin(context, k, &plugin)) == PZ_OK; ++k) {
    if (k == 0 || strncmp(origin, plugin.origin, sizeof(origin) - 1) != 0) {
      if (k > 0) {
        putchar('\n');
      }
      print_line(plugin.origin);
      snprintf(origin, sizeof(origin), "%s", plugin.origin);
    }
    loaded += plugin.loaded != 0;
    print_line(plugin.loaded ? "  loaded      " : "  not loaded  ", plugin.path,
               *plugin.ids ? ": " : "", plugin.ids);
    if (*plugin.reason != '\0') {
      print_line("              ", plugin.reason);
    }
  }
  if (!show_ended(status)) {
    return false;
  }
  printf("%s%u searched, %u loaded\n", k > 0 ? "\n" : "", (unsigned)k, (unsigned)loaded);
  return true;
}

/* The devices in the order in which "auto" tries them, and the reason of their rank. */
static bool
show_order(pz_context* const context)
{
  pz_device_report device = {.size = sizeof(device)};
  table t;
  table_init(&t, 3);
  pz_status status;
  for (uint32_t k = 0; (status = pz_context_device(context, k, &device)) == PZ_OK; ++k) {
    const char* const reason = device.usable ? "" : device.reason;
    table_row(&t, (const char*[]){device.name, device.rank, reason});
  }
  if (!show_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  puts("\ndevices, in the order in which auto tries them");
  return show(&t, 2);
}

/* What the environment says to the library. */
static void
add_environment(json* const j)
{
  static const char* const names[] = {"PARAMETRIZE_PLUGIN_PATH", "PARAMETRIZE_DEVICE",
                                      "PARAMETRIZE_CPU_ISA", "PARAMETRIZE_CHECK"};
  json_open(j, "environment", '{');
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); ++k) {
    json_text(j, names[k], getenv(names[k]));
  }
  json_close(j);
}

static int
examine(const arguments* const a, guard* const g)
{
  pz_context* const context = open_context(g);
  bool done = context != NULL && open_files(context, g);
  if (done && a->json) {
    json j = {.depth = 0};
    json_open(&j, NULL, '{');
    json_text(&j, "version", pz_version());
    add_environment(&j);
    done = show_json_files(&j, context) && show_json_devices(&j, context);
    json_close(&j);
    pz_context_free(context);
    return done ? EXIT_GOOD : EXIT_ERROR;
  }
  done = done && show_plugins(context);
  if (done) {
    (void)fflush(stdout); /* as above */
    done = show_order(context);
  }
  pz_context_free(context);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

int
run_doctor(const arguments* const a)
{
  return guard_run(a, examine, false);
}
