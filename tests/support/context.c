/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Apart from the rest, so that tests of what needs no library link none. */

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pz_status
open_context(pz_context** const out)
{
  const char* const more = getenv("TEST_MORE_PLUGINS");
  const char* const folders[] = {TEST_PLUGIN_DIR, TEST_BACKEND_DIR, more};
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS | PZ_DEVICE_TENSORS,
      .folders = folders,
      .n_folders = more ? 3 : 2,
      .seed = test_seed() | 1U,
  };
  return pz_context_new(&settings, out);
}

pz_context*
test_context(void)
{
  pz_context* context = NULL;
  ck_assert_ok(open_context(&context));
  return context;
}

/* Asserts nothing, as no test runs yet. */
static const char*
find_device(const char* const name, pz_device* const device)
{
  static char reason[256];
  pz_context* context = NULL;
  pz_queue* queue = NULL;
  const pz_status status = open_context(&context);
  if (status != PZ_OK || pz_queue_open(context, name, NULL, &queue) != PZ_OK) {
    snprintf(reason, sizeof(reason), "%s", pz_error_message());
  } else {
    (void)pz_queue_device(queue, device);
  }
  const bool found = queue != NULL;
  pz_queue_close(queue);
  pz_context_free(context);
  return found ? NULL : reason;
}

const char*
test_device_missing(const char* const device)
{
  pz_device found;
  return find_device(device, &found);
}

bool
test_skips_device(const char* const device)
{
  const bool may_be_absent = strncmp(device, "cuda", 4) == 0 || strncmp(device, "opencl", 6) == 0;
  const char* const reason = may_be_absent ? test_device_missing(device) : NULL;
  if (reason) {
    printf("1..0 # SKIP %s\n", reason);
  }
  return reason != NULL;
}

const char*
test_no_host_memory(const char* const device)
{
  pz_device found;
  const char* const missing = find_device(device, &found);
  return missing                       ? missing
         : found.type != PZ_DEVICE_CPU ? "the device has memory of its own"
                                       : NULL;
}

const pz_register_settings test_unsafe = {.size = sizeof(test_unsafe), .flags = PZ_UNSAFE};

pz_status
test_module_new(pz_context* const context, const char* const device, const char* const type,
                pz_module** const out)
{
  pz_queue* queue = NULL;
  PZ_TRY(pz_queue_open(context, device, NULL, &queue));
  const pz_status status = pz_module_new(context, queue, type, out);
  pz_queue_close(queue);
  return status;
}

pz_status
test_module_from_file(pz_context* const context, const char* const device,
                      const pz_file* const file, const char* const only,
                      const pz_load_settings* const settings, pz_module** const out)
{
  pz_queue* queue = NULL;
  PZ_TRY(pz_queue_open(context, device, NULL, &queue));
  const pz_status status = pz_module_from_file(context, queue, file, only, settings, out);
  pz_queue_close(queue);
  return status;
}

pz_status
test_module_to(pz_context* const context, pz_module* const module, const char* const device)
{
  pz_queue* queue = NULL;
  PZ_TRY(pz_queue_open(context, device, NULL, &queue));
  const pz_status status = pz_module_to(module, queue);
  pz_queue_close(queue);
  return status;
}

pz_status
test_module_load(pz_module* const module, const char* const path)
{
  pz_file* file = NULL;
  PZ_TRY(pz_file_open(path, &file));
  const pz_status status = pz_module_load(module, file, NULL);
  pz_file_close(file);
  return status;
}
