/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The services that callbacks find in pz_call. */

#ifndef PZI_SERVICES_H
#define PZI_SERVICES_H

#include <parametrize/plugin.h>

/* They need a pzi_activity (activity.h) as pz_call.reserved. */
extern const pz_services pzi_services;

#endif /* PZI_SERVICES_H */
