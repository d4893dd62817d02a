/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Texts that live as long as a context, for reports and messages. */

#ifndef PZI_KEPT_TEXT_H
#define PZI_KEPT_TEXT_H

#include "text.h"

#include <parametrize/context.h>

/* A copy of `text` that lives as long as the context; equal texts share one. NULL without
   memory. [any thread] */
const char* pzi_context_keep(pz_context* context, const char* text);

/* The same for a text under construction, which is empty afterwards. [any thread] */
pz_status pzi_registry_keep(pz_context* context, pzi_text* text, const char** out);

#endif /* PZI_KEPT_TEXT_H */
