/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A header begins with "{" behind its length, which may begin as one of these. */

#include "foreign_kind.h"

#include <string.h>
#include <strings.h>

const char*
pzi_foreign_kind(const char* const bytes, const size_t size)
{
  static const struct {
    const char* begin;
    const char* kind;
  } known[] = {
      {"version https://git-lfs", "a git-lfs pointer; \"git lfs pull\" fetches the file"},
      {"<!doctype", "an HTML page, not what was to be downloaded"},
      {"<html", "an HTML page, not what was to be downloaded"},
      {"PK\3\4", "a zip archive, as of torch.save, which \"parametrize bake\" converts, or .npz"},
      {"\x80\2", "a pickle, as of torch.save before PyTorch 1.6; save the state dict with "
                 "safetensors.torch.save_file"},
      {"GGUF", "a GGUF file; convert the model from its original files"},
      {"\x93NUMPY", "one NumPy array"},
      {"\x89HDF", "an HDF5 file, as of Keras"},
  };
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    const size_t n = strlen(known[k].begin);
    if (size >= n && strncasecmp(bytes, known[k].begin, n) == 0) {
      return known[k].kind;
    }
  }
  return NULL;
}
