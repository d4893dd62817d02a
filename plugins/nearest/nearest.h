/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#ifndef PLUGINS_NEAREST_NEAREST_H
#define PLUGINS_NEAREST_NEAREST_H

#include <parametrize/plugin.h>

extern const pz_parametrization nearest_doubly_stochastic;

#endif /* PLUGINS_NEAREST_NEAREST_H */
