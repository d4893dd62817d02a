/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Deploys a trained module: deploy TRAINED PLAIN. The new file holds plain tensors under their plain
   names, for programs that know nothing of parametrizations. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <stdio.h>

int
main(int argc, char** argv)
{
  pz_context* context = NULL;
  pz_file* file = NULL;
  pz_module* model = NULL;
  pz_file_tensor_info tensor = {.size = sizeof(tensor)};
  if (argc != 3) {
    return fprintf(stderr, "usage: deploy TRAINED PLAIN\n"), 2;
  }
  MUST(pz_context_new(NULL, &context));
  MUST(pz_file_open(argv[1], &file));
  MUST(pz_module_from_file(context, NULL, file, NULL, NULL, &model));
  pz_file_close(file);
  MUST(pz_module_bake(model)); /* values in evaluation mode take the place of chains */
  MUST(pz_module_save(model, argv[2], NULL));
  MUST(pz_module_unbake(model)); /* training could go on here */
  pz_module_free(model);

  MUST(pz_file_open(argv[2], &file));
  for (uint32_t k = 0; pz_file_tensor(file, k, &tensor) == PZ_OK; ++k) {
    printf("%s %s, %d dimensions\n", tensor.name, tensor.dtype, tensor.spec.ndim);
  }
  pz_file_close(file);
  pz_context_free(context);
  return 0;
}
