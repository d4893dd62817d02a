/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reads a plain model, as `parametrize bake` writes it: a file, an index, or a folder. Prints the
   shape and the norm of each float32 tensor, without parametrizations or plugins. */

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* sqrt(sum x_i^2); the data need not be aligned. */
static double
norm_of(const pz_file_tensor_info* const tensor)
{
  double sum = 0.0;
  for (uint64_t at = 0; at < tensor->bytes; at += sizeof(float)) {
    float x;
    memcpy(&x, (const char*)tensor->data + at, sizeof(x));
    sum += (double)x * (double)x;
  }
  return sqrt(sum);
}

int
main(int argc, char** argv)
{
  pz_file_tensor_info tensor = {.size = sizeof(tensor)};
  pz_file_chain_info chain = {.size = sizeof(chain)};
  pz_file* model = NULL;
  if (argc != 2 || pz_file_open(argv[1], &model) != PZ_OK) {
    return fprintf(stderr, "%s\n", argc == 2 ? pz_error_message() : "usage: norms MODEL"), 1;
  }
  if (pz_file_chain(model, 0, &chain) == PZ_OK) {
    fprintf(stderr, "%s: \"%s\" is parametrized, expected a plain model\n", argv[1], chain.path);
    pz_file_close(model);
    return 1;
  }
  for (uint32_t k = 0; pz_file_tensor(model, k, &tensor) == PZ_OK; ++k) {
    if (strcmp(tensor.dtype, "F32") == 0) {
      printf("%s:", tensor.name);
      for (int32_t i = 0; i < tensor.spec.ndim; ++i) {
        printf(" %lld", (long long)tensor.spec.shape[i]);
      }
      printf(", norm %.6g\n", norm_of(&tensor));
    }
  }
  pz_file_close(model);
  return 0;
}
