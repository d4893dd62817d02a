/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* More items than there are: what comes after the last one is not ours to read. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("broken")};
static const pz_item items[] = {PZ_PARAMETRIZATION(&table)};

BROKEN_EXPORT;
const pz_plugin pz_plugin_v1 = {
    .size = sizeof(pz_plugin),
    .item_size = 32768,
    .abi = PZ_ABI_INITIALIZER,
    .name = "broken",
    .version = "1.0.0",
    .items = items,
    .n_items = 1024,
};
