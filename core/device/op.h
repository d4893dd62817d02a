/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations by number. */

#ifndef PZI_OP_H
#define PZI_OP_H

/* In the order of pz_ops. */
typedef enum pzi_op {
  PZI_COPY,
  PZI_FILL,
  PZI_AXPBY,
  PZI_SCALE,
  PZI_HADAMARD,
  PZI_COMBINE,
  PZI_ADD_IDENTITY,
  PZI_FOLD,
  PZI_FOLD_ADJOINT,
  PZI_SYMMETRIZE,
  PZI_TRIANGLE,
  PZI_GET_DIAGONAL,
  PZI_SET_DIAGONAL,
  PZI_NORM,
  PZI_DOT,
  PZI_SCALE_BY,
  PZI_GEMM,
  PZI_SYRK,
  PZI_TRMM,
  PZI_TRSM,
  PZI_SHIFTED_INVERSE,
  PZI_SOLVE,
  PZI_POTRF,
  PZI_QR,
  PZI_EIGH,
  PZI_SVD,
  PZI_SCHUR,
  PZI_TAKE,
  PZI_PUT,
  PZI_RANDOM,
  PZI_LAUNCH,
  PZI_READ_OUT, /* to the host and back: copies, offered by every backend */
  PZI_WRITE_IN,
  PZI_SHIFTED_INVERSE_ADJOINT,
  PZI_EXPONENTIAL,
  PZI_EXPONENTIAL_ADJOINT,
  PZI_N_OPS,
} pzi_op;

#endif /* PZI_OP_H */
