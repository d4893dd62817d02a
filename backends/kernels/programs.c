/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Programs, compiled when a function of theirs is first used and kept by the context; and
   the functions of each queue. A portable kernel is known by its texts, not by its address,
   which another may have after it. */

#include "gpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct program {
  char* name; /* of a portable kernel; else NULL */
  char* text;
  const char* own; /* text of a file of ours */
  uint32_t dtype;
  gpu_portable portable; /* with these two texts; else zero */
  void* handle;
  struct program* next;
} program;

struct gpu_programs {
  pthread_mutex_t mutex;
  program* first;
};

/* A function of a portable kernel, ready for one queue. */
typedef struct portable_function {
  const program* program;
  void* function;
  struct portable_function* next;
} portable_function;

struct gpu_function_cache {
  void* own[GPU_N_KERNELS][2]; /* by dtype */
  portable_function* portable;
};

#define FILE_OF(kernel, file) [GPU_##kernel] = {#kernel, gpu_text_##file},
static const struct {
  const char* name;
  const char* text;
} kernels[GPU_N_KERNELS] = {GPU_KERNEL_LIST(FILE_OF)};

gpu_programs*
gpu_programs_new(void)
{
  gpu_programs* const programs = (gpu_programs*)calloc(1, sizeof(*programs));
  if (programs) {
    (void)pthread_mutex_init(&programs->mutex, NULL);
  }
  return programs;
}

void
gpu_programs_free(gpu_programs* const programs, const gpu_driver* const driver)
{
  if (!programs) {
    return;
  }
  for (program* p = programs->first; p;) {
    program* const next = p->next;
    if (p->handle) {
      driver->release_program(p->handle);
    }
    free(p->name);
    free(p->text);
    free(p);
    p = next;
  }
  (void)pthread_mutex_destroy(&programs->mutex);
  free(programs);
}

pz_status
gpu_queue_init(pz_backend_queue* const q)
{
  q->functions = (gpu_function_cache*)calloc(1, sizeof(*q->functions));
  return q->functions ? PZ_OK : q->host->fail(PZ_NO_MEMORY, "out of memory for a queue");
}

void
gpu_queue_cleanup(pz_backend_queue* const q)
{
  q->backend->free(q, q->scratch);
  q->scratch = NULL;
  q->scratch_bytes = 0;
  if (!q->functions) {
    return;
  }
  for (int k = 0; k < GPU_N_KERNELS; ++k) {
    for (int which = 0; which < 2; ++which) {
      if (q->functions->own[k][which]) {
        q->driver->release_function(q->functions->own[k][which]);
      }
    }
  }
  for (portable_function* f = q->functions->portable; f;) {
    portable_function* const next = f->next;
    q->driver->release_function(f->function);
    free(f);
    f = next;
  }
  free(q->functions);
  q->functions = NULL;
}

/* ---- compiling --------------------------------------------------------------- */

/* Compiles `p` and puts it into the list, or frees it. Mutex held. */
static pz_status
build(pz_backend_queue* const q, program* const p, const char* const text)
{
  const char* const texts[] = {gpu_text_prelude, text};
  const pz_status status = q->driver->build(q, texts, 2, p->dtype, &p->handle);
  if (status != PZ_OK) {
    free(p->name);
    free(p->text);
    free(p);
    return status;
  }
  p->next = q->programs->first;
  q->programs->first = p;
  return PZ_OK;
}

/* The program of kernel file `text`, whose address is its identity. Mutex held. */
static pz_status
own_program(pz_backend_queue* const q, const char* const text, const uint32_t dtype,
            void** const out)
{
  program* p = q->programs->first;
  while (p && !(p->own == text && p->dtype == dtype)) {
    p = p->next;
  }
  if (!p) {
    p = (program*)calloc(1, sizeof(*p));
    if (!p) {
      return q->host->fail(PZ_NO_MEMORY, "out of memory for a program");
    }
    p->own = text;
    p->dtype = dtype;
    PZ_TRY(build(q, p, text));
  }
  *out = p->handle;
  return PZ_OK;
}

pz_status
gpu_run(pz_backend_queue* const q, const gpu_kernel kernel, const gpu_call* const call)
{
  void** const function = &q->functions->own[kernel][call->dtype == PZ_F64];
  if (!*function) {
    void* handle = NULL;
    pthread_mutex_lock(&q->programs->mutex);
    const pz_status status = own_program(q, kernels[kernel].text, call->dtype, &handle);
    pthread_mutex_unlock(&q->programs->mutex);
    PZ_TRY(status);
    PZ_TRY(q->driver->find(q, handle, kernels[kernel].name, function));
  }
  return q->driver->enqueue(q, *function, call);
}

/* ---- portable kernels ---------------------------------------------------------- */

static bool
is_kernel(const program* const p, const gpu_portable* const kernel, const uint32_t dtype)
{
  const gpu_portable* const own = &p->portable;
  return p->name && p->dtype == dtype && own->n_inputs == kernel->n_inputs &&
         own->n_outputs == kernel->n_outputs && own->n_reals == kernel->n_reals &&
         own->n_integers == kernel->n_integers && strcmp(own->name, kernel->name) == 0 &&
         strcmp(own->text, kernel->text) == 0;
}

static pz_status
portable_program(pz_backend_queue* const q, const gpu_portable* const kernel, const uint32_t dtype,
                 const program** const out)
{
  program* p = q->programs->first;
  while (p && !is_kernel(p, kernel, dtype)) {
    p = p->next;
  }
  if (!p) {
    p = (program*)calloc(1, sizeof(*p));
    char* const text = gpu_portable_text(kernel);
    if (p) {
      p->name = strdup(kernel->name);
      p->text = strdup(kernel->text);
    }
    if (!p || !text || !p->name || !p->text) {
      if (p) {
        free(p->name);
        free(p->text);
      }
      free(p);
      free(text);
      return q->host->fail(PZ_NO_MEMORY, "out of memory for kernel \"%s\"", kernel->name);
    }
    p->dtype = dtype;
    p->portable = *kernel;
    p->portable.name = p->name;
    p->portable.text = p->text;
    const pz_status status = build(q, p, text);
    free(text);
    PZ_TRY(status);
  }
  *out = p;
  return PZ_OK;
}

pz_status
gpu_run_portable(pz_backend_queue* const q, const gpu_portable* const kernel,
                 const gpu_call* const call)
{
  portable_function* f = q->functions->portable;
  while (f && !is_kernel(f->program, kernel, call->dtype)) {
    f = f->next;
  }
  if (!f) {
    const program* p = NULL;
    pthread_mutex_lock(&q->programs->mutex);
    const pz_status status = portable_program(q, kernel, call->dtype, &p);
    pthread_mutex_unlock(&q->programs->mutex);
    PZ_TRY(status);
    f = (portable_function*)calloc(1, sizeof(*f));
    if (!f) {
      return q->host->fail(PZ_NO_MEMORY, "out of memory for kernel \"%s\"", kernel->name);
    }
    const pz_status found = q->driver->find(q, p->handle, GPU_PORTABLE_NAME, &f->function);
    if (found != PZ_OK) {
      free(f);
      return found;
    }
    f->program = p;
    f->next = q->functions->portable;
    q->functions->portable = f;
  }
  return q->driver->enqueue(q, f->function, call);
}
