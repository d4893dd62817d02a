/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A small host: prints where each map it is asked for comes from, or why it does not.
   Arguments that are paths are files to open, those that begin with "@" are devices. */

#include <parametrize/parametrize.h>

#include <stdio.h>

int
main(const int argc, char** const argv)
{
  pz_context* context = NULL;
  if (pz_context_new(NULL, &context) != PZ_OK) {
    printf("%s\n", pz_error_message());
    return 1;
  }
  for (int i = 1; i < argc; ++i) {
    pz_parametrization_info info = {.size = sizeof(info)};
    if (argv[i][0] == '/') {
      const pz_status status = pz_context_add_file(context, argv[i]);
      printf("%s\n", status == PZ_OK ? "added" : pz_error_message());
      continue;
    }
    if (argv[i][0] == '@') {
      pz_queue* queue = NULL;
      const pz_status status = pz_queue_open(context, argv[i] + 1, NULL, &queue);
      printf("%s\n", status == PZ_OK ? pz_queue_device(queue, NULL) : pz_error_message());
      pz_queue_close(queue);
      continue;
    }
    const bool found = pz_context_find(context, argv[i], &info) == PZ_OK;
    printf("%s\n", found ? info.path : pz_error_message());
  }
  pz_context_free(context);
  return 0;
}
