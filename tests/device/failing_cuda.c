/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The double of an NVIDIA GPU fails by itself (tests/cuda). Contexts go with their last queue. */

#include "failing.h"

#include <dlfcn.h>
#include <string.h>

const char* const failing_device = "cuda:0";

static void (*fail_at)(long n);
static long (*calls)(void);
static long (*alive)(void);

static void
find(void* const library, const char* const name, void* const function)
{
  void* const symbol = library ? dlsym(library, name) : NULL;
  memcpy(function, &symbol, sizeof(symbol));
}

const char*
failing_open(void)
{
  void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  find(library, "cuda_double_fail_at", &fail_at);
  find(library, "cuda_double_calls", &calls);
  find(library, "cuda_double_alive", &alive);
  return fail_at && calls && alive ? NULL : "libcuda.so.1 is not the double of a GPU";
}

void
failing_at(const long n)
{
  fail_at(n);
}

long
failing_calls(void)
{
  return calls();
}

long
failing_alive(void)
{
  return alive();
}

pz_status
failing_queue(pz_context* const context, pz_queue** const out)
{
  return pz_queue_open(context, failing_device, NULL, out);
}

void
failing_queue_close(pz_queue* const queue)
{
  pz_queue_close(queue);
}

bool
failing_single(const bool single)
{
  (void)single;
  return false;
}
