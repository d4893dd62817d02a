/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index. */

#include "op_call.h"

#include "op_entries.h"

pz_status
pzi_ops_take(pz_call* const c, const pz_tensor* const index, const pz_tensor* const x,
             pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_TAKE);
  pzi_op_call_index(&op, "index", index);
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_WRITE, false, y);
  op.leader = 1;
  pzi_op_call_expect(&op, 2, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 1));
  if (pzi_op_call_empty(&op, 1) && !pzi_op_call_empty(&op, 2)) {
    pzi_op_call_refuse(&op, "found indices, but x has no rows");
  }
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_put(pz_call* const c, const bool accumulate, const pz_tensor* const index,
            const pz_tensor* const x, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_PUT);
  pzi_op_call_index(&op, "index", index);
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_UPDATE, false, y);
  op.leader = 1;
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 1));
  pzi_op_call_expect(&op, 2, pzi_op_call_rows(&op, 2), pzi_op_call_cols(&op, 1));
  op.request.which = accumulate;
  if (pzi_op_call_empty(&op, 2) && !pzi_op_call_empty(&op, 1)) {
    pzi_op_call_refuse(&op, "found indices, but y has no rows");
  }
  return pzi_op_call_empty(&op, 1) ? PZ_OK : pzi_op_call_run(&op);
}
