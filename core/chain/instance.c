/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Options are resolved when the instance is made, and do not change. */

#include "instance.h"

#include "options.h"
#include "status.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Fills the instance of a word. */
static pz_status
read_word(pzi_instance* const instance, const pzi_stage_words* const words, const uint32_t index,
          const pz_option_setting* const settings, const uint32_t n_settings)
{
  const char* const id = instance->parametrization->table.id;
  for (uint32_t i = 0; i < n_settings; ++i) {
    if (settings[i].stage == index) {
      return pzi_fail(PZ_INVALID, "%s: found setting %" PRIu32 ", expected options in the text", id,
                      i);
    }
  }
  if (strcmp(id, "view") == 0) {
    instance->view = calloc(1, sizeof(*instance->view));
    if (!instance->view) {
      return pzi_no_memory(sizeof(*instance->view));
    }
    PZ_TRY(pzi_view_parse(words, instance->view));
    return pzi_view_text(instance->view, &instance->text);
  }
  if (words->n_options > 0) {
    return pzi_fail(PZ_NOT_FOUND, "%s: found option \"%.100s\", expected none", id,
                    words->options[0].name);
  }
  instance->text = strdup(id);
  return instance->text ? PZ_OK : pzi_no_memory(strlen(id) + 1);
}

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
  const bool is_word = pzi_words_has(parametrization);
  pz_status status = is_word ? read_word(instance, words, index, settings, n_settings)
                             : pzi_options_resolve(parametrization, words, index, settings,
                                                   n_settings, instance->options);
  if (status == PZ_OK && !is_word) {
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
    free(instance->view);
    free(instance->text);
    free(instance);
  }
}
