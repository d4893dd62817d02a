/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A plugin's options, copied and checked. */

#ifndef PZI_DESCRIPTOR_OPTIONS_H
#define PZI_DESCRIPTOR_OPTIONS_H

#include "alloc_list.h"

#include <parametrize/plugin.h>

/* Replaces the options of `table`, as the plugin gave them, by checked copies in the pool.
   PZ_PLUGIN: an option is not valid. [any thread, under the pool's lock] */
pz_status pzi_descriptor_options_copy(pzi_alloc_list* pool, pz_parametrization* table);

#endif /* PZI_DESCRIPTOR_OPTIONS_H */
