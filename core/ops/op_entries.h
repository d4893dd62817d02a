/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The functions behind pz_ops: pzi_ops_copy and so on, each in one of the files ops_*.c and with
   the signature of its member of the table (<parametrize/ops.h>). */

#ifndef PZI_OP_ENTRIES_H
#define PZI_OP_ENTRIES_H

#include "op.h"

#include <parametrize/ops.h>

#define PZI_OP_ENTRY(OP, name) __typeof__(*((const pz_ops*)0)->name) pzi_ops_##name;
PZI_OPS(PZI_OP_ENTRY, PZI_OP_ENTRY, PZI_OP_ENTRY)
#undef PZI_OP_ENTRY

#endif /* PZI_OP_ENTRIES_H */
