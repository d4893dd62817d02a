/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plugins, devices, queues that wait for each other, and tensors of other libraries. */

#include "tour.h"

#include <stdio.h>
#include <stdlib.h>

/* The beginning of dlpack.h's DLManagedTensor, whose first member is laid out as a pz_tensor. */
typedef struct managed_tensor {
  pz_tensor tensor;
  void* context;
  void (*deleter)(struct managed_tensor* self);
} managed_tensor;

/* Adds a folder of plugins, and restarts the random stream that parametrizations draw from. */
static pz_status
add_plugins(pz_context* const context, const char* const folder)
{
  char path[4096];
  pz_parametrization_info info = {.size = sizeof(info)};
  if (folder) {
    PZ_TRY(pz_context_add_folder(context, folder));
    PZ_TRY(pz_context_rescan(context)); /* finds plugins that appeared since the first search */
    snprintf(path, sizeof(path), "%s/bounded.so", folder);
    PZ_TRY(pz_context_add_file(context, path)); /* open already: nothing changes */
    PZ_TRY(pz_context_find(context, "bounded", &info));
    printf("%s: %s\n", info.id, info.summary);
  }
  pz_context_seed(context, 7);
  return PZ_OK;
}

/* A copy on the device for another library to own, and the view of one that it handed over. */
static pz_status
exchange(pz_queue* const queue, const pz_tensor* const tensor)
{
  struct DLManagedTensor* out = NULL;
  PZ_TRY(pz_dlpack_export(queue, tensor, &out));
  const pz_tensor* const view = pz_dlpack_view(out);
  printf("DLPack: %lld elements\n", (long long)pz_count(view));
  managed_tensor* const managed = (managed_tensor*)out;
  managed->deleter(managed);
  return PZ_OK;
}

/* Work of the second queue comes after that of the first. */
static pz_status
order(pz_queue* const first, pz_queue* const second)
{
  pz_event* event = NULL;
  PZ_TRY(pz_queue_record(first, &event));
  pz_status status = pz_queue_wait(second, event);
  void* const native = pz_event_native(event); /* a cl_event or cudaEvent_t, or NULL */
  if (status == PZ_OK && native) {
    status = pz_queue_wait_native(second, native);
  }
  pz_event_free(event);
  printf("queues wait for each other: %s\n", status == PZ_OK ? "yes" : "no");
  return status;
}

static pz_status
use_devices(pz_context* const context, pz_queue* const queues[2])
{
  const int64_t shape[] = {2, 2};
  double numbers[4] = {1.0, 2.0, 3.0, 4.0};
  const pz_tensor weight = pz_host_tensor(PZ_F64, numbers, 2, shape);
  pz_module* module = NULL;
  pz_tensor value;
  pz_file* file = NULL;
  pz_file_tensor_info info = {.size = sizeof(info)};
  const char* const path = "tour.safetensors";
  PZ_TRY(pz_module_new(context, queues[0], "Linear", &module));
  pz_status status = pz_module_add(module, "weight", PZ_PARAMETER, &weight);
  status = status == PZ_OK ? pz_module_to(module, queues[1]) : status;
  status = status == PZ_OK ? pz_module_get(module, "weight", &value) : status;
  status = status == PZ_OK ? exchange(queues[1], &value) : status;
  status = status == PZ_OK ? pz_module_save(module, path, NULL) : status;
  status = status == PZ_OK ? pz_file_open(path, &file) : status;
  status = status == PZ_OK ? pz_file_find(file, "weight", &info) : status;
  if (status == PZ_OK) {
    printf("%s holds weight as %s\n", path, info.dtype);
  }
  pz_file_close(file);
  (void)remove(path);
  pz_module_free(module);
  return status;
}

pz_status
tour_devices(pz_context* const context, const char* const folder)
{
  pz_queue* queues[2] = {NULL, NULL};
  PZ_TRY(add_plugins(context, folder));
  pz_status status = pz_queue_open(context, "reference", NULL, &queues[0]);
  status = status == PZ_OK ? pz_queue_open(context, "auto", NULL, &queues[1]) : status;
  status = status == PZ_OK ? order(queues[0], queues[1]) : status;
  status = status == PZ_OK ? use_devices(context, queues) : status;
  pz_queue_close(queues[1]);
  pz_queue_close(queues[0]);
  return status;
}
