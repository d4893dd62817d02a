/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What became of each file, for pz_context_file. */

#ifndef PZI_REPORTS_H
#define PZI_REPORTS_H

#include <parametrize/context.h>

/* Rebuilds the reports of a context all of whose files are opened. The context's
   mutex is held. */
pz_status pzi_reports_build(pz_context* context);

#endif /* PZI_REPORTS_H */
