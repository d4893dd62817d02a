/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What there is: maps, devices, and what became of every file that was looked at. */

#include "commands.h"
#include "say.h"
#include "table.h"
#include "texts.h"

#include <parametrize/parametrize.h>

#include <stdio.h>
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

static pz_context*
open_context(void)
{
  const pz_context_settings settings = {.size = sizeof(settings)};
  pz_context* context = NULL;
  const pz_status status = pz_context_new(&settings, &context);
  if (status != PZ_OK) {
    say_library(NULL, status);
  }
  return context;
}

/* Every getter ends its list with PZ_NOT_FOUND; anything else is said. */
static bool
list_ended(const pz_status status)
{
  return status == PZ_NOT_FOUND || (say_library(NULL, status), false);
}

/* ---- list ------------------------------------------------------------------- */

static bool
list_maps(pz_context* const context)
{
  pz_map_info map = {.size = sizeof(map)};
  table t;
  table_init(&t, 4);
  table_row(&t, (const char*[]){"map", "version", "summary", "file"});
  pz_status status;
  uint32_t n = 0;
  for (; (status = pz_context_map(context, n, &map)) == PZ_OK; ++n) {
    table_row(&t, (const char*[]){map.id, map.version, map.summary, map.path});
  }
  if (!list_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  if (n == 0) {
    table_cleanup(&t);
    puts("no maps: parametrize doctor says where they were looked for");
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
  if (!list_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  return show(&t, 0);
}

int
run_list(const arguments* const a)
{
  (void)a;
  pz_context* const context = open_context();
  bool done = context != NULL && list_maps(context);
  if (done) {
    putchar('\n');
    done = list_devices(context);
  }
  pz_context_free(context);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

/* ---- info ------------------------------------------------------------------- */

static const char*
type_text(const uint32_t type)
{
  switch ((pz_value_type)type) {
  case PZ_REAL:
    return "real";
  case PZ_INTEGER:
    return "integer";
  case PZ_FLAG:
    return "flag";
  case PZ_CHOICE:
    return "choice";
  case PZ_TENSOR:
    return "tensor";
  }
  return "unknown";
}

static const char*
route_text(const uint32_t route)
{
  switch ((pz_route)route) {
  case PZ_ROUTE_NATIVE:
    return "native";
  case PZ_ROUTE_COMPOSED:
    return "composed";
  case PZ_ROUTE_HOST:
    return "host";
  case PZ_ROUTE_UNSUPPORTED:
    return "unsupported";
  }
  return "unknown";
}

/* Lines of a text, each after two spaces. */
static void
print_indented(const char* text)
{
  while (*text != '\0') {
    const size_t length = strcspn(text, "\n");
    printf("  %.*s\n", (int)length, text);
    text += length + (text[length] == '\n');
  }
}

static bool
show_options(pz_context* const context, const pz_map_info* const map)
{
  pz_option_info option = {.size = sizeof(option)};
  pz_status status;
  table t;
  if (map->n_options == 0) {
    puts("\noptions\n  none");
    return true;
  }
  table_init(&t, 5);
  table_row(&t, (const char*[]){"name", "type", "default", "range", "meaning"});
  for (uint32_t k = 0; (status = pz_context_map_option(context, map->id, k, &option)) == PZ_OK;
       ++k) {
    table_row(&t, (const char*[]){option.name, type_text(option.type), option.fallback,
                                  option.range, option.doc});
  }
  if (!list_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  puts("\noptions");
  return show(&t, 2);
}

static bool
show_map(pz_context* const context, const char* const id)
{
  static const struct {
    uint32_t flag;
    const char* text;
  } abilities[] = {
      {PZ_HAS_RIGHT_INVERSE, "right_inverse  values can be inverted and assigned"},
      {PZ_HAS_VJP, "vjp            gradients reach the originals"},
      {PZ_HAS_RESIDUAL, "residual       distance of a tensor from the set of values"},
      {PZ_HAS_SAMPLE, "sample         draws members of the set"},
      {PZ_HAS_UPDATE, "update         takes steps of its own state"},
  };
  pz_map_info map = {.size = sizeof(map)};
  const pz_status status = pz_context_find_map(context, id, &map);
  if (status != PZ_OK) {
    say_library(id, status);
    return false;
  }
  printf("%s %s\n  %s\n", map.id, map.version, map.summary);
  if (*map.formula != '\0') {
    puts("\nformula");
    print_indented(map.formula);
  }
  if (!show_options(context, &map)) {
    return false;
  }
  puts("\noffers\n  forward        value from originals");
  for (size_t k = 0; k < sizeof(abilities) / sizeof(abilities[0]); ++k) {
    if (map.flags & abilities[k].flag) {
      printf("  %s\n", abilities[k].text);
    }
  }
  puts("\nfile");
  print_indented(map.path);
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
    table_row(&t, (const char*[]){report.name, route_text(report.f32), route_text(report.f64)});
  }
  if (!list_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  return show(&t, 0);
}

static bool
show_device(pz_context* const context, const char* const name)
{
  pz_queue* queue = NULL;
  pz_status status = pz_queue_open(context, name, &queue);
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
  printf("%s\n", opened);
  if (status == PZ_OK) {
    const char* const lines[] = {device.summary, device.hardware, device.detail, device.path};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); ++i) {
      print_indented(lines[i]);
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
    return say_usage("info", "info", "expected the name of a map, or --device NAME");
  }
  pz_context* const context = open_context();
  bool done = context != NULL;
  if (done && a->n_operands > 0) {
    done = show_map(context, a->operands[0]);
  }
  if (done && a->device != NULL) {
    if (a->n_operands > 0) {
      putchar('\n');
    }
    done = show_device(context, a->device);
  }
  pz_context_free(context);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

/* ---- doctor ------------------------------------------------------------------ */

/* Files and folders with what they offer; then a remark below those that have one. */
int
run_doctor(const arguments* const a)
{
  (void)a;
  pz_context* const context = open_context();
  if (context == NULL) {
    return EXIT_ERROR;
  }
  pz_file_report file = {.size = sizeof(file)};
  uint32_t loaded = 0;
  uint32_t k = 0;
  pz_status status;
  char origin[128] = "";
  for (; (status = pz_context_file(context, k, &file)) == PZ_OK; ++k) {
    if (k == 0 || strncmp(origin, file.origin, sizeof(origin) - 1) != 0) {
      printf("%s%s\n", k > 0 ? "\n" : "", file.origin);
      snprintf(origin, sizeof(origin), "%s", file.origin);
    }
    loaded += file.loaded != 0;
    printf("  %s  ", file.loaded ? "loaded" : "not   ");
    for (const char* byte = file.path; *byte != '\0';) {
      const size_t control = text_control(byte);
      putchar(control ? '?' : *byte);
      byte += control ? control : 1;
    }
    printf("%s%s\n", *file.ids ? ": " : "", file.ids);
    if (*file.reason != '\0') {
      printf("          %s\n", file.reason);
    }
  }
  const bool done = list_ended(status);
  if (done) {
    printf("%s%u looked at, %u loaded\n", k > 0 ? "\n" : "", (unsigned)k, (unsigned)loaded);
  }
  pz_context_free(context);
  return done ? EXIT_GOOD : EXIT_ERROR;
}
