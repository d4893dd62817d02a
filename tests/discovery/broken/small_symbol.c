/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A symbol smaller than what it says it holds. */

#include <parametrize/descriptor.h>

PZ_EXPORT extern const struct small {
  uint32_t size;
  uint32_t item_size;
  pz_abi abi;
} pz_plugin_v1;

const struct small pz_plugin_v1 = {sizeof(pz_plugin), sizeof(pz_item), PZ_ABI_INITIALIZER};
