/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One operation as a plugin calls it. The functions of pz_ops (op_entries.h) name its operands one
   after the other; each is checked at once, and the first error is kept. Running the call lowers
   the operands to matrices, packs those whose strides do not fit, dispatches and unpacks. Operands
   that are plain (check_tensor.h), as nearly all are, are lowered as they are and never packed. */

#ifndef PZI_OP_CALL_H
#define PZI_OP_CALL_H

#include "ops_table.h"
#include "queue.h"
#include "request.h"

#include <parametrize/ops.h>

typedef struct pzi_operand {
  const char* name;
  const pz_tensor* tensor; /* NULL: the caller does not want it */
  int64_t rows;            /* its extents, transposed if it is; a vector is a column */
  int64_t cols;
  int64_t count;  /* its elements */
  uint64_t first; /* where `plain`: address of its first byte, and of the one behind its last */
  uint64_t end;
  pz_tensor packed; /* where `moved`: its copy in scratch, which is lowered instead */
  uint8_t form;     /* pzi_form */
  bool transposed;
  bool contiguous; /* packed unless C-contiguous */
  bool plain;
  bool moved;
} pzi_operand;

typedef struct pzi_op_call {
  pz_queue* queue;
  const pzi_frame* frame;
  pz_status status;   /* of the first check that failed */
  bool elementwise;   /* operands of one shape, whatever their dimensions */
  bool general;       /* an operand is not plain, or transposed: the matrices are not there yet */
  uint32_t outputs;   /* bit k: operand k is written */
  uint32_t leader;    /* the operand whose batch the others must match */
  uint32_t may_alias; /* bit k: operand k may be the same tensor as the output */
  pzi_operand operand[PZI_MAX_MATS];
  pzi_request request;
} pzi_op_call;

void pzi_op_call_begin(pzi_op_call* call, pz_call* c, pzi_op op);

/* These name the next operand, in the order of the backend's entry. All float operands must have
   one dtype. */
void pzi_op_call_matrix(pzi_op_call* call, const char* name, uint8_t access, bool transposed,
                        const pz_tensor* tensor);
void pzi_op_call_vector(pzi_op_call* call, const char* name, uint8_t access,
                        const pz_tensor* tensor);
/* The result of a reduction over `axis`. */
void pzi_op_call_reduced(pzi_op_call* call, const char* name, uint8_t access, int axis,
                         const pz_tensor* tensor);
/* Of the shape of operand 0, which may be any. */
void pzi_op_call_element(pzi_op_call* call, const char* name, uint8_t access,
                         const pz_tensor* tensor);
/* PZ_I64, one dimension. */
void pzi_op_call_index(pzi_op_call* call, const char* name, const pz_tensor* tensor);
/* A factor that the caller does not want. */
void pzi_op_call_absent(pzi_op_call* call);

/* Extents of operand k, transposed if it is; a vector is a column. 1 after an error. */
static inline int64_t
pzi_op_call_rows(const pzi_op_call* const call, const uint32_t k)
{
  return call->status == PZ_OK ? call->operand[k].rows : 1;
}

static inline int64_t
pzi_op_call_cols(const pzi_op_call* const call, const uint32_t k)
{
  return call->status == PZ_OK ? call->operand[k].cols : 1;
}

/* Requires that operand k has the leader's batch and these extents. */
void pzi_op_call_expect(pzi_op_call* call, uint32_t k, int64_t rows, int64_t cols);
void pzi_op_call_expect_square(pzi_op_call* call, uint32_t k);

/* Records an error unless there is one: `call->status` becomes PZ_INVALID. */
void pzi_op_call_refuse(pzi_op_call* call, const char* what);

/* Has operand k no elements? False after an error. */
bool pzi_op_call_empty(const pzi_op_call* call, uint32_t k);

/* Runs the call; does nothing where all outputs are empty. */
pz_status pzi_op_call_run(pzi_op_call* call);

#endif /* PZI_OP_CALL_H */
