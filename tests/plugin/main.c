/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* plugin-contract MAP DEVICE [BACKEND.so]: the contract of any parametrization on any device,
   one of a file of its own perhaps, and what is known of the maps that come with the
   library. */

#include "subject.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char** argv)
{
  if (argc != 3 && argc != 4) {
    fprintf(stderr, "usage: plugin-contract MAP DEVICE [BACKEND.so]\n");
    return EXIT_FAILURE;
  }
  subject_plugin = argv[1];
  subject_device = argv[2];
  subject_file = argv[3];
  static const struct {
    const char* plugin;
    TCase* (*tests)(void);
  } known[] = {
      {"cayley", tests_cayley},
      {"cayley", tests_signs},
      {"matrix_exp", tests_matrix_exp},
      {"matrix_exp", tests_logarithm},
      {"matrix_exp", tests_nonnormal},
      {"orthogonal", tests_orthogonal},
      {"orthogonal", tests_orthogonal_far},
      {"orthogonal", tests_orthogonal_known},
      {"orthogonal", tests_orthogonal_steps},
      {"pruning", tests_pruning},
      {"skew", tests_folds},
      {"symmetric", tests_folds},
      {"spectral_norm", tests_spectral_norm},
      {"spectral_norm", tests_spectral_edges},
      {"weight_norm", tests_weight_norm},
  };
  /* an accelerator may be absent; the host's own backends and one given as a file may not */
  if (argc != 4 && test_skips_device(subject_device)) {
    return EXIT_SUCCESS;
  }
  Suite* const suite = suite_create(subject_plugin);
  suite_add_tcase(suite, tests_contract());
  suite_add_tcase(suite, tests_derivatives());
  suite_add_tcase(suite, tests_densities());
  suite_add_tcase(suite, tests_not_finite());
  suite_add_tcase(suite, tests_taken());
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    if (strcmp(known[k].plugin, subject_plugin) == 0) {
      suite_add_tcase(suite, known[k].tests());
    }
  }
  return test_main(suite);
}
