/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A descriptor that forgot its size. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("broken")};
static const pz_item items[] = {PZ_PARAMETRIZATION(&table)};

BROKEN_EXPORT;
const pz_plugin pz_plugin_v1 = {
    .item_size = sizeof(pz_item),
    .name = "broken",
    .version = "1.0.0",
    .items = items,
    .n_items = 1,
};
