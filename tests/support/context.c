/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Apart from the rest, so that tests of what needs no library link none. */

#include "support.h"

pz_context*
test_context(void)
{
  static const char* const folders[] = {TEST_PLUGIN_DIR, TEST_BACKEND_DIR};
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS,
      .folders = folders,
      .n_folders = 2,
      .seed = test_seed() | 1U,
  };
  pz_context* context = NULL;
  ck_assert_ok(pz_context_new(&settings, &context));
  return context;
}
