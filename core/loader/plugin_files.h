/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The plugins of a context that come from files. */

#ifndef PZI_PLUGIN_FILES_H
#define PZI_PLUGIN_FILES_H

#include "source.h"

#include <parametrize/context.h>

/* Takes the folders of the settings and the default ones into a new context. */
pz_status pzi_plugin_files_begin(pz_context* context, const pz_context_settings* settings);

/* Opens a found file and records the result. The mutex is held on entry and exit, and released
   meanwhile. */
pz_status pzi_plugin_files_open(pz_context* context, pzi_source* source);

#endif /* PZI_PLUGIN_FILES_H */
