/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One report for each source of a context, in search order, for people to read. */

#ifndef PZI_REPORTS_H
#define PZI_REPORTS_H

#include <parametrize/context.h>

/* Rebuilds the reports of a context whose files are all opened. The context's mutex is held. */
pz_status pzi_reports_build(pz_context* context);

#endif /* PZI_REPORTS_H */
