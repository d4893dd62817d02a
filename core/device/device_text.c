/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "device_text.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The devices that were opened first. There are rarely more than a few in a process. */
enum { MOST = 64 };

static struct {
  pz_device device;
  char name[PZI_DEVICE_NAME];
} kept[MOST];
static size_t n_kept;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The place of a device among those kept, n_kept if it is not. Mutex held. */
static size_t
find(const pz_device device)
{
  size_t k = 0;
  while (k < n_kept && (kept[k].device.type != device.type || kept[k].device.id != device.id)) {
    ++k;
  }
  return k;
}

void
pzi_device_text_keep(const pz_device device, const char* const name)
{
  pthread_mutex_lock(&mutex);
  const size_t k = find(device);
  if (k == n_kept && k < MOST) {
    kept[k].device = device;
    (void)snprintf(kept[k].name, PZI_DEVICE_NAME, "%s", name);
    ++n_kept;
  }
  pthread_mutex_unlock(&mutex);
}

const char*
pzi_device_text(const pz_device device, char buffer[PZI_DEVICE_NAME])
{
  const char* const backend = device.type == PZ_DEVICE_CUDA     ? "cuda"
                              : device.type == PZ_DEVICE_OPENCL ? "opencl"
                                                                : NULL;
  if (device.type == PZ_DEVICE_CPU) {
    return "the host";
  }
  pthread_mutex_lock(&mutex);
  const size_t k = find(device);
  if (k < n_kept) {
    (void)snprintf(buffer, PZI_DEVICE_NAME, "%s", kept[k].name);
  } else if (backend) {
    (void)snprintf(buffer, PZI_DEVICE_NAME, "%s:%" PRId32, backend, device.id);
  } else {
    (void)snprintf(buffer, PZI_DEVICE_NAME, "device type %" PRId32 " id %" PRId32, device.type,
                   device.id);
  }
  pthread_mutex_unlock(&mutex);
  return buffer;
}
