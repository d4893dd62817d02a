/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The list of operations, from which numbers, names, tables and declarations are made. */

#ifndef PZI_OP_H
#define PZI_OP_H

/* One line for each operation, in the order of the index of pz_queue_op. A caller passes three
   macros with the parameters (OP, name): PZI_<OP> is the operation's number, `name` its member in
   pz_ops. Which of the macros a line uses depends on how the operation runs:
     ANY     by the backend's entry, else composed of others, else on the host
     NATIVE  by the backend's entry or not at all
     MOVE    by pz_backend.copy, which every backend has; pz_backend_ops has no entry
   A new operation also needs its case in call_entry (dispatch.c) and pzi_ops_NAME. */
#define PZI_OPS(ANY, NATIVE, MOVE)                      \
  ANY(COPY, copy)                                       \
  ANY(FILL, fill)                                       \
  ANY(AXPBY, axpby)                                     \
  ANY(SCALE, scale)                                     \
  ANY(HADAMARD, hadamard)                               \
  ANY(COMBINE, combine)                                 \
  ANY(ADD_IDENTITY, add_identity)                       \
  ANY(FOLD, fold)                                       \
  ANY(FOLD_ADJOINT, fold_adjoint)                       \
  ANY(SYMMETRIZE, symmetrize)                           \
  ANY(TRIANGLE, triangle)                               \
  ANY(GET_DIAGONAL, get_diagonal)                       \
  ANY(SET_DIAGONAL, set_diagonal)                       \
  ANY(NORM, norm)                                       \
  ANY(DOT, dot)                                         \
  ANY(SCALE_BY, scale_by)                               \
  ANY(GEMM, gemm)                                       \
  ANY(SYRK, syrk)                                       \
  ANY(TRMM, trmm)                                       \
  ANY(TRSM, trsm)                                       \
  ANY(SHIFTED_INVERSE, shifted_inverse)                 \
  ANY(SOLVE, solve)                                     \
  ANY(POTRF, potrf)                                     \
  ANY(QR, qr)                                           \
  ANY(EIGH, eigh)                                       \
  ANY(SVD, svd)                                         \
  ANY(SCHUR, schur)                                     \
  ANY(TAKE, take)                                       \
  ANY(PUT, put)                                         \
  ANY(RANDOM, random)                                   \
  ANY(LAUNCH, launch)                                   \
  ANY(LAUNCH_ROWS, launch_rows)                         \
  MOVE(READ_OUT, read)                                  \
  MOVE(WRITE_IN, write)                                 \
  ANY(SHIFTED_INVERSE_ADJOINT, shifted_inverse_adjoint) \
  NATIVE(EXPONENTIAL, exponential)                      \
  NATIVE(EXPONENTIAL_ADJOINT, exponential_adjoint)

#define PZI_OP_NUMBER(OP, name) PZI_##OP,
typedef enum pzi_op {
  PZI_OPS(PZI_OP_NUMBER, PZI_OP_NUMBER, PZI_OP_NUMBER) PZI_N_OPS,
} pzi_op;
#undef PZI_OP_NUMBER

#endif /* PZI_OP_H */
