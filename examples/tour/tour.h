/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of a tour through the API. Each prints what it does and returns the status of the first
   call that fails. */

#ifndef TOUR_H
#define TOUR_H

#include <parametrize/parametrize.h>

pz_status tour_modules(pz_context* context);
pz_status tour_chains(pz_context* context);
pz_status tour_devices(pz_context* context, const char* folder);

#endif /* TOUR_H */
