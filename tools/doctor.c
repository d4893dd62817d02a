/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* doctor: what became of every file that was searched, which devices there are, and what of the
   environment has a part in it. Its text can be pasted into a report. */

#include "commands.h"
#include "guard.h"
#include "print.h"
#include "say.h"
#include "show.h"
#include "table.h"

#include <parametrize/parametrize.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

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
    const char* const more = device.usable ? device.detail : device.reason;
    table_row(&t, (const char*[]){device.name, device.rank, more});
  }
  if (!show_ended(status)) {
    table_cleanup(&t);
    return false;
  }
  puts("\ndevices, in the order in which auto tries them");
  return show_table(&t, 2);
}

/* What of the environment changes what the library finds and does. */
static const char* const variables[] = {
    "PARAMETRIZE_PLUGIN_PATH", "PARAMETRIZE_DEVICE", "PARAMETRIZE_CPU_ISA", "PARAMETRIZE_CHECK",
    "OPENBLAS_NUM_THREADS",    "OMP_NUM_THREADS",    "OCL_ICD_VENDORS",     "OPENCL_LAYERS",
    "CUDA_VISIBLE_DEVICES",    "LD_LIBRARY_PATH",    "LD_PRELOAD",
};
enum { VARIABLES = sizeof(variables) / sizeof(variables[0]) };

static void
show_environment(void)
{
  struct utsname system;
  const bool known = uname(&system) >= 0;
  print_line("parametrize ", pz_version(), known ? ", " : "", known ? system.sysname : "",
             known ? " " : "", known ? system.release : "", known ? " " : "",
             known ? system.machine : "");
  for (size_t k = 0; k < VARIABLES; ++k) {
    const char* const value = getenv(variables[k]);
    if (value) {
      print_line("  ", variables[k], "=", value);
    }
  }
  putchar('\n');
}

static void
add_environment(json* const j)
{
  json_open(j, "environment", '{');
  for (size_t k = 0; k < VARIABLES; ++k) {
    json_text(j, variables[k], getenv(variables[k]));
  }
  json_close(j);
}

static int
examine(const arguments* const a, guard* const g)
{
  pz_context* const context = show_context(g);
  bool done = context != NULL && show_opens_files(context, g);
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
  if (done) {
    show_environment();
    done = show_plugins(context);
  }
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
