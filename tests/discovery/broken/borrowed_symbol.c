/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* No descriptor of its own, but linked to a plugin that has one (good.c). */

#include <parametrize/descriptor.h>

extern const pz_plugin pz_plugin_v1;

PZ_EXPORT const pz_plugin* borrowed_symbol(void);

const pz_plugin*
borrowed_symbol(void)
{
  return &pz_plugin_v1;
}
