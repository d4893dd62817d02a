/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies tensors between files and devices. */

#ifndef PZI_TENSOR_IO_H
#define PZI_TENSOR_IO_H

#include "file.h"
#include "queue.h"

/* PZ_MISMATCH unless the file's tensor has the expected spec or, with `widen`, a narrower
   floating dtype. */
pz_status pzi_tensor_io_check(const pzi_file_tensor* file_tensor, bool widen,
                              const pz_spec* expected);

/* Copies a file's tensor into a tensor that passes pzi_tensor_io_check. */
pz_status pzi_tensor_io_read(const pz_file* file, const pzi_file_tensor* file_tensor, bool widen,
                             pz_queue* queue, const pz_tensor* to);

/* Fills the entry for pz_writer_open. */
void pzi_tensor_io_describe(const char* name, const pz_spec* spec, pz_writer_tensor* out);

/* Writes a tensor of a queue, in C order, as tensor `index` of a writer. */
pz_status pzi_tensor_io_write(pz_writer* writer, uint32_t index, pz_queue* queue,
                              const pz_tensor* tensor);

#endif /* PZI_TENSOR_IO_H */
