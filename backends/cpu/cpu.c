/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The CPU as a backend: one device in the host's own memory. Loops of our own; LAPACK for the
   eigenvalues, singular values and Schur forms of large matrices. Every operation is done when it
   returns. */

#include "isa.h"
#include "libraries.h"
#include "scratch.h"

#include <parametrize/descriptor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* The name of the processor. */
static void
hardware(const size_t size, char* const name)
{
  struct utsname system;
  FILE* const file = fopen("/proc/cpuinfo", "re");
  if (file) {
    char line[256];
    while (fgets(line, (int)sizeof(line), file)) {
      const char* const colon = strchr(line, ':');
      if (strncmp(line, "model name", 10) == 0 && colon) {
        const char* const value = colon + 1 + strspn(colon + 1, " \t");
        snprintf(name, size, "%.*s", (int)strcspn(value, "\n"), value);
        fclose(file);
        return;
      }
    }
    fclose(file);
  }
  snprintf(name, size, "%s", uname(&system) == 0 ? system.machine : "processor");
}

static pz_status
probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "cpu has one device, found index %u", (unsigned)index);
  }
  info->device.type = PZ_DEVICE_CPU;
  info->device.id = 0;
  info->f64 = 1;
  info->memory = PZ_MEMORY_HOST;
  info->priority = PZ_PRIORITY_HOST;
  info->reason[0] = '\0';
  hardware(sizeof(info->name), info->name);
  const cpu_isa* const isa = cpu_isa_chosen(sizeof(info->reason), info->reason);
  if (isa) {
    char lapack[224];
    cpu_lapack_describe(sizeof(lapack), lapack);
    snprintf(info->detail, sizeof(info->detail), "%s loops; %s", isa->name, lapack);
  }
  info->usable = isa != NULL;
  return PZ_OK;
}

static pz_status
open_queue(const pz_backend_host* const host, const uint32_t index, const void* const native,
           pz_backend_queue** const out)
{
  char reason[256];
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "cpu has one device, found index %u", (unsigned)index);
  }
  if (native) {
    return host->fail(PZ_UNSUPPORTED, "cpu has no queue of the host's to adopt");
  }
  const cpu_isa* const isa = cpu_isa_chosen(sizeof(reason), reason);
  if (!isa) {
    return host->fail(PZ_DEVICE, "%s", reason);
  }
  pz_backend_queue* const q = calloc(1, sizeof(*q));
  if (!q) {
    return host->fail(PZ_NO_MEMORY, "out of memory for a queue");
  }
  cpu_threads_follow();
  q->host = host;
  q->f32 = isa->f32;
  q->f64 = isa->f64;
  *out = q;
  return PZ_OK;
}

static void
close_queue(pz_backend_queue* const q)
{
  if (q) {
    for (int use = 0; use < CPU_SCRATCH_USES; ++use) {
      free(q->scratch[use]);
    }
    free(q);
  }
}

static pz_status
alloc_memory(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  void* const data = cpu_allocate(bytes);
  if (!data) {
    return q->host->fail(PZ_NO_MEMORY, "out of memory for %zu bytes", bytes);
  }
  *out = data;
  return PZ_OK;
}

static void
free_memory(pz_backend_queue* const q, void* const data)
{
  (void)q;
  free(data);
}

static pz_status
copy_memory(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst,
            const uint64_t dst_offset, const void* const src, const uint64_t src_offset,
            const size_t bytes)
{
  (void)q;
  (void)kind;
  memmove((char*)dst + dst_offset, (const char*)src + src_offset, bytes);
  return PZ_OK;
}

static pz_status
fill_memory(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
            const void* const pattern, const size_t pattern_bytes)
{
  (void)q;
  char* const to = (char*)dst + offset;
  const unsigned char first = *(const unsigned char*)pattern;
  if (memcmp(pattern, (const char*)pattern + 1, pattern_bytes - 1) == 0) { /* all alike: zeros */
    memset(to, first, bytes);
    return PZ_OK;
  }
  for (size_t k = 0; k < bytes; k += pattern_bytes) {
    memcpy(to + k, pattern, pattern_bytes);
  }
  return PZ_OK;
}

static pz_status
synchronize(pz_backend_queue* const q)
{
  (void)q;
  return PZ_OK;
}

/* Those of the chosen set of instructions. 64-bit integers are copied, and filled with random bits, as
   numbers of 64 bits. */
static const pz_backend_ops*
operations(pz_backend_queue* const q, const uint32_t dtype)
{
  return dtype == PZ_F32 ? q->f32 : q->f64;
}

static const pz_backend cpu = {
    .size = sizeof(cpu),
    .flags = PZ_BACKEND_BY_TRIANGLE,
    .id = "cpu",
    .summary = "The processor, with LAPACK for eigenvalues",
    .probe = probe,
    .open = open_queue,
    .close = close_queue,
    .alloc = alloc_memory,
    .free = free_memory,
    .copy = copy_memory,
    .fill = fill_memory,
    .sync = synchronize,
    .operations = operations,
};

PZ_PLUGIN(cpu, "1.0.0", PZ_BACKEND(&cpu));
