/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A context is made and freed here, and takes plugins from the host. Its random
   stream is SplitMix64: the state is a counter, so one atomic addition draws a number.

     s <- s + 0x9e3779b97f4a7c15;  z = s;  z <- (z ^ z>>30) 0xbf58476d1ce4e5b9;
     z <- (z ^ z>>27) 0x94d049bb133111eb;  z ^ z>>31 */

#include "context.h"

#include "array.h"
#include "context_impl.h"
#include "kept_text.h"
#include "keyed_hash.h"
#include "plugin_files.h"
#include "sized_struct.h"
#include "status.h"
#include "thread_pool.h"

#include <parametrize/context.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The plugins inside the library, as the build lists them: the backend `reference`, and in the static
   profile the chosen maps. */
#define DECLARE(name) extern const pz_plugin pz_plugin_v1_##name;
#define ADDRESS(name) &pz_plugin_v1_##name,
PZI_LINKED_PLUGINS(DECLARE)
static const pz_plugin* const linked[] = {PZI_LINKED_PLUGINS(ADDRESS)};

/* ---- random stream ---------------------------------------------------------- */

static const uint64_t golden = 0x9e3779b97f4a7c15U;

uint64_t
pzi_context_draw(pz_context* const context)
{
  uint64_t z;
  do {
    z = atomic_fetch_add_explicit(&context->stream, golden, memory_order_relaxed) + golden;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
  } while (z == 0);
  return z;
}

void
pz_context_seed(pz_context* const context, const uint64_t seed)
{
  if (!context) {
    (void)pzi_fail(PZ_INVALID, "found no context");
    return;
  }
  atomic_store_explicit(&context->stream, seed == 0 ? pzi_keyed_hash_random() : seed,
                        memory_order_relaxed);
}

/* ---- services for backends -------------------------------------------------- */

const pz_backend_host*
pzi_context_backend_host(void)
{
  static const pz_backend_host host = {
      .size = sizeof(host),
      .fail = pzi_fail,
      .parallel = pzi_thread_pool_run,
  };
  return &host;
}

/* ---- references -------------------------------------------------------------- */

pz_context*
pzi_context_retain(pz_context* const context)
{
  atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
  return context;
}

void
pzi_context_release(pz_context* const context)
{
  if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1) {
    return;
  }
  for (size_t i = 0; i < context->n_folders; ++i) {
    free(context->folders[i].sources);
  }
  for (size_t i = 0; i < context->n_host_descriptors; ++i) {
    pzi_descriptor_free(context->host_descriptors[i]);
  }
  free(context->folders);
  free(context->host_descriptors);
  free(context->given);
  free(context->order);
  free(context->tables[0].data);
  free(context->tables[1].data);
  free(context->reports);
  pzi_alloc_list_cleanup(&context->allocs);
  pzi_alloc_list_cleanup(&context->texts);
  pthread_mutex_destroy(&context->mutex);
  pthread_mutex_destroy(&context->keep_mutex);
  free(context);
}

void
pz_context_free(pz_context* const context)
{
  pzi_context_release(context);
}

/* Adds all tables of a descriptor, or none. The mutex is held. */
static pz_status
add_descriptor(pz_context* const context, pzi_descriptor* const descriptor, const char* const path,
               const char* const origin)
{
  const pzi_source source = {.path = path,
                             .origin = origin,
                             .reason = "",
                             .stem = "",
                             .descriptor = descriptor,
                             .state = PZI_LOADED,
                             .given = true};
  PZ_TRY(pzi_array_reserve(&context->host_descriptors, context->n_host_descriptors, 1,
                           sizeof(*context->host_descriptors)));
  PZ_TRY(pzi_tables_add(context, &source, true));
  context->host_descriptors[context->n_host_descriptors++] = descriptor;
  return PZ_OK;
}

static pz_status
give_plugin(pz_context* const context, const pz_plugin* const plugin, const char* const path,
            const char* const origin)
{
  pzi_descriptor* descriptor = NULL;
  PZ_TRY(pzi_descriptor_new(plugin, 0, &descriptor));
  const char* const name = path ? path : descriptor->name;
  char* shown = NULL;
  pz_status status = PZ_OK;
  if (*descriptor->remark != '\0') {
    status = pzi_fail(PZ_PLUGIN, "%s", descriptor->remark);
  } else if (!path && asprintf(&shown, "(given by the host) %s", name) < 0) {
    shown = NULL;
    status = pzi_no_memory(strlen(name));
  }
  const char* const kept =
      status == PZ_OK ? pzi_kept_text_add(context, shown ? shown : name) : NULL;
  if (status == PZ_OK && !kept) {
    status = pzi_no_memory(strlen(name));
  }
  if (status == PZ_OK) {
    pthread_mutex_lock(&context->mutex);
    status = add_descriptor(context, descriptor, kept, origin);
    pthread_mutex_unlock(&context->mutex);
  }
  free(shown);
  if (status != PZ_OK) {
    pzi_descriptor_free(descriptor);
  }
  return status;
}

static pz_status
read_settings(const pz_context_settings* const given, pz_context_settings* const out)
{
  *out = (pz_context_settings){0};
  if (!given) {
    return PZ_OK;
  }
  PZ_TRY(pzi_struct_read(out, sizeof(*out), offsetof(pz_context_settings, reserved), given,
                         "settings"));
  const uint32_t known = PZ_ONLY_GIVEN_FOLDERS | PZ_DEVICE_TENSORS | PZ_CHECK_PLUGINS;
  if (out->flags & ~known) {
    return pzi_fail(PZ_INVALID, "flags %#" PRIx32 ", expected %#" PRIx32 " at most", out->flags,
                    known);
  }
  return out->n_folders == 0 || out->folders ? PZ_OK
                                             : pzi_fail(PZ_INVALID, "%" PRIu32 " folder%s at NULL",
                                                        out->n_folders, PZI_S(out->n_folders));
}

const char*
pzi_context_devices(const pz_context* const context, const char** const origin)
{
  *origin = context->devices_are_given ? "given by the host" : "PARAMETRIZE_DEVICE";
  return context->devices;
}

bool
pzi_context_device_tensors(const pz_context* const context)
{
  return context->device_tensors;
}

bool
pzi_context_check_plugins(const pz_context* const context)
{
  return context->check_plugins;
}

static bool
environment_checks(void)
{
  const char* const word = secure_getenv("PARAMETRIZE_CHECK");
  return word && *word != '\0' && strcmp(word, "0") != 0;
}

static pz_status
take_devices(pz_context* const context, const char* const given)
{
  const char* const devices = given ? given : secure_getenv("PARAMETRIZE_DEVICE");
  if (devices) {
    context->devices = pzi_kept_text_add(context, devices);
    context->devices_are_given = given != NULL;
  }
  return devices && !context->devices ? pzi_no_memory(strlen(devices)) : PZ_OK;
}

static pz_status
fill_context(pz_context* const context, const pz_context_settings* const settings)
{
  pz_context_seed(context, settings->seed);
  context->device_tensors = (settings->flags & PZ_DEVICE_TENSORS) != 0;
  context->check_plugins = (settings->flags & PZ_CHECK_PLUGINS) != 0 || environment_checks();
  context->refuse = settings->refuse;
  context->refuse_data = settings->refuse_data;
  PZ_TRY(take_devices(context, settings->devices));
  PZ_TRY(pzi_plugin_files_begin(context, settings));
  for (size_t k = 0; k < sizeof(linked) / sizeof(linked[0]); ++k) {
    PZ_TRY(give_plugin(context, linked[k], "(built in)", "built in"));
  }
  return PZ_OK;
}

pz_status
pz_context_new(const pz_context_settings* const settings, pz_context** const out)
{
  pz_context_settings given;
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the context");
  }
  PZ_TRY(read_settings(settings, &given));
  pz_context* const context = calloc(1, sizeof(*context));
  if (!context) {
    return pzi_no_memory(sizeof(*context));
  }
  atomic_init(&context->references, 1);
  atomic_init(&context->stream, 0);
  (void)pthread_mutex_init(&context->mutex, NULL);
  (void)pthread_mutex_init(&context->keep_mutex, NULL);
  const pz_status status = fill_context(context, &given);
  if (status != PZ_OK) {
    pzi_context_release(context);
    return status;
  }
  *out = context;
  return PZ_OK;
}

/* ---- additions by the host --------------------------------------------------- */

pz_status
pz_context_add_plugin(pz_context* const context, const pz_plugin* const plugin)
{
  if (!context) {
    return pzi_fail(PZ_INVALID, "found no context");
  }
  return give_plugin(context, plugin, NULL, "given by the host");
}
