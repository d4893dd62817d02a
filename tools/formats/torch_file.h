/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* State dicts in files of torch.save, since PyTorch 1.6. No code in them runs. */

#ifndef TOOLS_TORCH_FILE_H
#define TOOLS_TORCH_FILE_H

#include "../texts.h"

#include <parametrize/parametrize.h>

#include <stdbool.h>

/* All zero bytes: nothing is open. */
typedef struct torch_file {
  void* map;
  size_t size;
  pz_file_tensor_info* tensors; /* in the order of the state dict */
  uint32_t n;
  texts texts;
  void** copies; /* of tensors whose elements do not lie in order, and of long shapes */
  size_t n_copies;
} torch_file;

/* Does a file begin like one of torch.save? */
bool torch_file_is(const char* path);

/* Opens a file. `key` (may be NULL): the member of the outermost dict that is the state dict. Prints
   errors. Close in either case. */
bool torch_file_open(torch_file* t, const char* path, const char* key);
void torch_file_close(torch_file* t);

/* The same for bytes in memory, which must outlive it; the error is returned in `text`. */
bool torch_file_read(torch_file* t, const void* bytes, size_t size, const char* key,
                     char text[512]);

#endif /* TOOLS_TORCH_FILE_H */
