/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Contexts. All queues that we open on a device share one, so that memory of one queue is
   memory of the other; it stays when they are gone, since compiling anew takes seconds. An
   adopted context is shared by the queues adopted from it and given up with the last. Their
   list is the only state of this backend outside its queues. */

#include "opencl.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static opencl_context* contexts;

static pz_status
make(const pz_backend_host* const host, const opencl_place* const place, const cl_context adopted,
     opencl_context** const out)
{
  opencl_context* const c = (opencl_context*)calloc(1, sizeof(*c));
  gpu_programs* const programs = gpu_programs_new();
  cl_int code = CL_SUCCESS;
  if (!c || !programs) {
    gpu_programs_free(programs, &opencl_driver);
    free(c);
    return host->fail(PZ_NO_MEMORY, "out of memory for a context");
  }
  if (adopted) {
    c->context = adopted;
    code = clRetainContext(adopted);
  } else {
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)place->platform, 0};
    c->context = clCreateContext(properties, 1, &place->device, NULL, NULL, &code);
  }
  if (code != CL_SUCCESS) {
    gpu_programs_free(programs, &opencl_driver);
    free(c);
    return opencl_failed(host, code, "opening a context");
  }
  c->adopted = adopted != NULL;
  c->device = place->device;
  c->programs = programs;
  c->references = 1;
  c->next = contexts;
  contexts = c;
  *out = c;
  return PZ_OK;
}

pz_status
opencl_context_open(const pz_backend_host* const host, const opencl_place* const place,
                    const cl_context adopted, opencl_context** const out)
{
  pz_status status = PZ_OK;
  pthread_mutex_lock(&mutex);
  opencl_context* c = contexts;
  while (c && !(c->device == place->device && (adopted ? c->context == adopted : !c->adopted))) {
    c = c->next;
  }
  if (c) {
    c->references += 1;
    *out = c;
  } else {
    status = make(host, place, adopted, out);
  }
  pthread_mutex_unlock(&mutex);
  return status;
}

void
opencl_context_close(opencl_context* const context)
{
  pthread_mutex_lock(&mutex);
  if (--context->references == 0 && context->adopted) {
    opencl_context** at = &contexts;
    while (*at != context) {
      at = &(*at)->next;
    }
    *at = context->next;
    gpu_programs_free(context->programs, &opencl_driver);
    (void)clReleaseContext(context->context);
    free(context);
  }
  pthread_mutex_unlock(&mutex);
}
