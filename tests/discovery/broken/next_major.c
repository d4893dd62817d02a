/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A plugin for the next major version: its symbol says so. */

#include <parametrize/types.h>

PZ_EXPORT extern const int pz_plugin_v2;
const int pz_plugin_v2 = 2;
