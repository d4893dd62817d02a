/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The services that a plugin's callbacks find in pz_call. They need a pzi_activity as
   pz_call.reserved. */

#ifndef PZI_SERVICES_H
#define PZI_SERVICES_H

#include <parametrize/plugin.h>

extern const pz_services pzi_services;

#endif /* PZI_SERVICES_H */
