/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Saves a module, and loads it twice: as the file describes it, and into one that is there. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <stdio.h>

static pz_status
show(pz_module* layer)
{
  float q[9];
  const int64_t shape[] = {3, 3};
  const pz_tensor copy = pz_host_tensor(PZ_F32, q, 2, shape);
  PZ_TRY(pz_module_read(layer, "weight", &copy));
  printf("%.6f %.6f %.6f\n", (double)q[0], (double)q[1], (double)q[2]);
  return PZ_OK;
}

int
main(void)
{
  float x[9] = {0};
  const int64_t shape[] = {3, 3};
  const pz_tensor weight = pz_host_tensor(PZ_F32, x, 2, shape);
  const pz_metadata step = {.key = "step", .text = "1000"};
  const pz_save_settings settings = {.size = sizeof(settings), .metadata = &step, .n_metadata = 1};
  pz_context* context = NULL;
  pz_module* layer = NULL;
  pz_module* second = NULL;
  pz_file* file = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_module_new(context, NULL, "Linear", &layer));
  MUST(pz_module_add(layer, "weight", PZ_PARAMETER, &weight));
  MUST(pz_register_parametrization(layer, "weight", "skew,cayley", NULL));
  MUST(pz_module_sample(layer, "weight"));
  MUST(show(layer));
  MUST(pz_module_save(layer, "layer.safetensors", &settings));

  MUST(pz_file_open("layer.safetensors", &file));
  printf("step %s\n", pz_file_text(file, "step"));
  MUST(pz_module_from_file(context, NULL, file, NULL, NULL, &second)); /* another program */
  MUST(show(second));
  MUST(pz_module_sample(layer, "weight"));
  MUST(pz_module_load(layer, file, NULL)); /* this one, later */
  MUST(show(layer));
  pz_file_close(file);
  pz_module_free(second);
  pz_module_free(layer);
  pz_context_free(context);
  return 0;
}
