/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A descriptor of nothing. */

#include "broken.h"

BROKEN_EXPORT;
const pz_plugin pz_plugin_v1 = {
    .size = sizeof(pz_plugin),
    .item_size = sizeof(pz_item),
    .abi = PZ_ABI_INITIALIZER,
    .name = "broken",
    .version = "1.0.0",
};
