/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the deliberately broken plugins have in common: one table with nothing wrong. */

#ifndef BROKEN_H
#define BROKEN_H

#include <parametrize/plugin.h>

static inline pz_status
broken_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

/* The fields of a table that is as it should be. */
#define BROKEN_TABLE(id_)                                                            \
  .size = sizeof(pz_parametrization), .option_size = sizeof(pz_option), .id = (id_), \
  .summary = "A map for tests", .forward = broken_forward

/* The fields of a descriptor that is as it should be. */
#define BROKEN_DESCRIPTOR(items_)                                                     \
  .size = sizeof(pz_plugin), .item_size = sizeof(pz_item), .abi = PZ_ABI_INITIALIZER, \
  .name = "broken", .version = "1.0.0", .items = (items_),                            \
  .n_items = sizeof(items_) / sizeof((items_)[0])

#define BROKEN_EXPORT PZ_EXPORT extern const pz_plugin pz_plugin_v1

#endif /* BROKEN_H */
