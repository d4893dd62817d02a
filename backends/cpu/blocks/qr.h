/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Orthogonal factorizations, of any size. */

#ifndef CPU_QR_H
#define CPU_QR_H

#include "view.h"

/* The operation qr of pz_backend_ops. */
TYPED_OPERATION(qr, const pz_mat* a, const pz_mat* basis, const pz_mat* r);

#endif /* CPU_QR_H */
