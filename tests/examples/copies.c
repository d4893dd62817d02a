/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Preloaded: counts OpenCL's copies between host and device, and says at the end how many there
   were. */

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_long copies;

cl_int
clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                    size_t size, void* to, cl_uint n, const cl_event* events, cl_event* event)
{
  __typeof__(clEnqueueReadBuffer)* real;
  *(void**)&real = dlsym(dlopen("libOpenCL.so.1", RTLD_LAZY), "clEnqueueReadBuffer");
  ++copies;
  return real(queue, buffer, blocking, offset, size, to, n, events, event);
}

cl_int
clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                     size_t size, const void* from, cl_uint n, const cl_event* events,
                     cl_event* event)
{
  __typeof__(clEnqueueWriteBuffer)* real;
  *(void**)&real = dlsym(dlopen("libOpenCL.so.1", RTLD_LAZY), "clEnqueueWriteBuffer");
  ++copies;
  return real(queue, buffer, blocking, offset, size, from, n, events, event);
}

__attribute__((destructor)) static void
say(void)
{
  fprintf(stderr, "%ld copies\n", (long)copies);
}
