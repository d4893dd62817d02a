/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Devices over all platforms, in the order in which the loader and the platforms name
   them. Nothing is opened here.

   The first question initialises the loader and the platforms, which some of them (PoCL 3.1) cannot
   do on two threads at once; so one thread asks at a time. Their threads are not in a child of fork,
   where calls may never return; so a process that got them from its parent does not ask. */

#include "opencl.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PLATFORMS = 32, MAX_DEVICES = 64 };

/* The ICD loader opens the platforms at its first call and never again, so that one must not find
   the process out of descriptors. */
static bool
can_list(void)
{
  enum { NEEDED = 16 };
  static atomic_bool could;
  int open_ones[NEEDED];
  int n = 0;
  if (atomic_load(&could)) {
    return true;
  }
  while (n < NEEDED && (open_ones[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
    ++n;
  }
  const bool can = n == NEEDED;
  while (n > 0) {
    (void)close(open_ones[--n]);
  }
  if (can) {
    atomic_store(&could, true);
  }
  return can;
}

/* Did a parent of this process use OpenCL? Otherwise it belongs to this process from now on. */
static bool
is_inherited(void)
{
  static atomic_int owner;
  const int self = (int)getpid();
  int expected = 0;
  return !atomic_compare_exchange_strong(&owner, &expected, self) && expected != self;
}

static pz_status
find(uint32_t index, opencl_place* const out, char* const reason)
{
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_uint n_platforms = 0;
  uint32_t total = 0;
  reason[0] = '\0';
  const char* const refusal = gpu_refusal();
  if (refusal) {
    snprintf(reason, 256, "%s", refusal);
    return PZ_NOT_FOUND;
  }
  if (!can_list()) {
    snprintf(reason, 256, "too few descriptors are left to list the OpenCL platforms");
    return PZ_NO_MEMORY;
  }
  const cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &n_platforms);
  if (code != CL_SUCCESS || n_platforms == 0) {
    snprintf(reason, 256, "no device: no OpenCL platform is installed");
    return PZ_NOT_FOUND;
  }
  for (cl_uint p = 0; p < n_platforms && p < MAX_PLATFORMS; ++p) {
    cl_device_id devices[MAX_DEVICES];
    cl_uint n = 0;
    if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, devices, &n) != CL_SUCCESS) {
      continue;
    }
    n = n < MAX_DEVICES ? n : MAX_DEVICES;
    if (index < n) {
      *out = (opencl_place){platforms[p], devices[index], p, index};
      return PZ_OK;
    }
    index -= n;
    total += n;
  }
  if (total == 0) {
    char name[128] = "";
    (void)clGetPlatformInfo(platforms[0], CL_PLATFORM_NAME, sizeof(name), name, NULL);
    name[sizeof(name) - 1] = '\0';
    snprintf(reason, 256, "no device: OpenCL platform \"%s\" has none", name);
  }
  return PZ_NOT_FOUND;
}

pz_status
opencl_find(const uint32_t index, opencl_place* const out, char* const reason)
{
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  if (is_inherited()) {
    snprintf(reason, 256, "OpenCL was opened before fork, and works in the parent only");
    return PZ_NOT_FOUND;
  }
  pthread_mutex_lock(&mutex);
  const pz_status status = find(index, out, reason);
  pthread_mutex_unlock(&mutex);
  return status;
}

void
opencl_text(const cl_device_id device, const cl_device_info what, char* const out,
            const size_t size)
{
  char text[1024] = ""; /* the driver refuses to cut */
  (void)clGetDeviceInfo(device, what, sizeof(text), text, NULL);
  text[sizeof(text) - 1] = '\0';
  snprintf(out, size, "%.*s", (int)size - 1, text);
}

bool
opencl_has_f64(const cl_device_id device)
{
  cl_device_fp_config config = 0;
  return clGetDeviceInfo(device, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(config), &config, NULL) ==
             CL_SUCCESS &&
         config != 0;
}

const char*
opencl_unusable(const cl_device_id device)
{
  cl_bool available = CL_FALSE;
  cl_bool compiler = CL_FALSE;
  cl_bool little = CL_FALSE;
  size_t items = 0;
  cl_ulong local = 0;
  char version[64];
  unsigned major = 0;
  unsigned minor = 0;
  (void)clGetDeviceInfo(device, CL_DEVICE_AVAILABLE, sizeof(available), &available, NULL);
  (void)clGetDeviceInfo(device, CL_DEVICE_COMPILER_AVAILABLE, sizeof(compiler), &compiler, NULL);
  (void)clGetDeviceInfo(device, CL_DEVICE_ENDIAN_LITTLE, sizeof(little), &little, NULL);
  (void)clGetDeviceInfo(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(items), &items, NULL);
  (void)clGetDeviceInfo(device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(local), &local, NULL);
  opencl_text(device, CL_DEVICE_VERSION, version, sizeof(version));
  if (!available) {
    return "the device is not available";
  }
  if (!compiler) {
    return "its driver has no compiler";
  }
  if (sscanf(version, "OpenCL %u.%u", &major, &minor) != 2 || major * 10 + minor < 12) {
    return "its OpenCL is older than 1.2";
  }
  if (!little) {
    return "it is not little-endian";
  }
  if (items < GPU_GROUP_ITEMS || local < 32768) {
    return "it runs less than 256 items or 32 KiB of local memory in a group";
  }
  return NULL;
}
