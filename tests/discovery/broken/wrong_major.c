/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The right symbol, and a fingerprint of another major version. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("broken")};
static const pz_item items[] = {PZ_PARAMETRIZATION(&table)};

BROKEN_EXPORT;
const pz_plugin pz_plugin_v1 = {
    .size = sizeof(pz_plugin),
    .item_size = sizeof(pz_item),
    .abi = {2, 0, sizeof(void*), PZ_BIG_ENDIAN_, sizeof(pz_tensor), sizeof(pz_spec)},
    .name = "broken",
    .version = "1.0.0",
    .items = items,
    .n_items = 1,
};
