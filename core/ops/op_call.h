/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A task is one operation as a plugin asked for it: tensors are checked as they are named,
   the first error is kept, and running it lowers, packs, runs and unpacks. Trampolines
   are lists of such steps. */

#ifndef PZI_TASK_H
#define PZI_TASK_H

#include "lower.h"
#include "ops.h"

typedef struct pzi_operand {
  const char* name;
  const pz_tensor* tensor; /* NULL: not wanted */
  int64_t count;           /* its elements */
  pz_tensor packed;        /* what is lowered: the tensor, or its copy in scratch */
  uint8_t form;            /* pzi_form */
  bool transposed;
  bool contiguous; /* packed unless C-contiguous */
} pzi_operand;

typedef struct pzi_task {
  pz_queue* queue;
  pz_status status;   /* of the first check that failed */
  bool elementwise;   /* operands of one shape, whatever their dimensions */
  uint32_t leader;    /* the operand whose batch the others must have */
  uint32_t may_alias; /* bit k: operand k may be the very output */
  pzi_operand operand[PZI_MAX_MATS];
  pzi_request request;
} pzi_task;

void pzi_task_begin(pzi_task* task, pz_call* call, pzi_op op);

/* Name the next operand, in the order of the backend's entry. All float operands have one
   dtype. */
void pzi_task_matrix(pzi_task* task, const char* name, uint8_t access, bool transposed,
                     const pz_tensor* tensor);
void pzi_task_vector(pzi_task* task, const char* name, uint8_t access, const pz_tensor* tensor);
/* What a reduction over `axis` gives. */
void pzi_task_reduced(pzi_task* task, const char* name, uint8_t access, int axis,
                      const pz_tensor* tensor);
/* Of the shape of operand 0 and of any dimensions. */
void pzi_task_element(pzi_task* task, const char* name, uint8_t access, const pz_tensor* tensor);
/* PZ_I64, one dimension. */
void pzi_task_index(pzi_task* task, const char* name, const pz_tensor* tensor);
/* A factor that is not wanted. */
void pzi_task_absent(pzi_task* task);

/* Extents of operand k, transposition applied; a vector is a column; 0 after an error. */
int64_t pzi_task_rows(const pzi_task* task, uint32_t k);
int64_t pzi_task_cols(const pzi_task* task, uint32_t k);

/* Requires the leader's batch and these extents of operand k, any dtype check aside. */
void pzi_task_expect(pzi_task* task, uint32_t k, int64_t rows, int64_t cols);
void pzi_task_expect_square(pzi_task* task, uint32_t k);

/* Records an error unless there is one: `task->status` becomes PZ_INVALID. */
void pzi_task_refuse(pzi_task* task, const char* what);

/* Does any operand k have no element? False after an error. */
bool pzi_task_empty(const pzi_task* task, uint32_t k);

/* Runs it; nothing is done where all outputs are empty. */
pz_status pzi_task_run(pzi_task* task);

#endif /* PZI_TASK_H */
