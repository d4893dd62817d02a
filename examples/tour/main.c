/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A tour through the API of hosts: modules, the chains below them, devices and plugins. With an
   argument, it also adds the plugins of that folder. */

#include "tour.h"

#include <stdio.h>

int
main(const int argc, char** const argv)
{
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_DEVICE_TENSORS, .seed = 7};
  pz_context* context = NULL;
  pz_status status = pz_context_new(&settings, &context);
  if (status == PZ_OK) {
    status = tour_modules(context);
  }
  if (status == PZ_OK) {
    status = tour_chains(context);
  }
  if (status == PZ_OK) {
    status = tour_devices(context, argc > 1 ? argv[1] : NULL);
  }
  if (status != PZ_OK) {
    fprintf(stderr, "%s: %s\n", pz_status_text(status), pz_error_message());
  }
  pz_context_free(context);
  return status == PZ_OK ? 0 : 1;
}
