/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Options are resolved when the instance is made, and do not change. */

#include "instance.h"

#include "options.h"
#include "status.h"

#include <stdlib.h>

pz_status
pzi_instance_new(const pzi_parametrization* const parametrization,
                 const pzi_stage_words* const words, const uint32_t index,
                 const pz_option_setting* const settings, const uint32_t n_settings,
                 pzi_instance** const out)
{
  const size_t bytes = sizeof(pzi_instance) + parametrization->table.n_options * sizeof(pz_value);
  pzi_instance* const instance = calloc(1, bytes);
  if (!instance) {
    return pzi_no_memory(bytes);
  }
  atomic_init(&instance->references, 1);
  instance->parametrization = parametrization;
  instance->options = (pz_value*)(instance + 1);
  pz_status status =
      pzi_options_resolve(parametrization, words, index, settings, n_settings, instance->options);
  if (status == PZ_OK) {
    status = pzi_options_text(parametrization, instance->options, &instance->text);
  }
  if (status != PZ_OK) {
    pzi_instance_release(instance);
    return status;
  }
  *out = instance;
  return PZ_OK;
}

pzi_instance*
pzi_instance_retain(pzi_instance* const instance)
{
  atomic_fetch_add_explicit(&instance->references, 1, memory_order_relaxed);
  return instance;
}

void
pzi_instance_release(pzi_instance* const instance)
{
  if (instance && atomic_fetch_sub_explicit(&instance->references, 1, memory_order_acq_rel) == 1) {
    pzi_options_cleanup(instance->parametrization, instance->options);
    free(instance->text);
    free(instance);
  }
}
