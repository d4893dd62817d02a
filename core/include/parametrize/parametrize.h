/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For host applications: constrained parameters for any program with a C interface.

     pz_context* ctx;
     pz_module*  layer;
     pz_tensor   q;
     pz_context_new(NULL, &ctx);                         finds plugins and backends
     pz_module_new(ctx, "cpu", "Linear", &layer);
     pz_module_add(layer, "weight", PZ_PARAMETER, &w);   copies w
     pz_register_parametrization(layer, "weight", "skew", 0);
     pz_register_parametrization(layer, "weight", "cayley", 0);
     pz_module_get(layer, "weight", &q);                 recomputed only if stale
     pz_module_backward(layer, "weight", &grad_q);       into the originals' gradients
     pz_module_set(layer, "weight", &q0);                right_inverse, all or nothing

   Three layers: context.h (plugins, devices), chain.h (a list of maps on tensors that the
   host owns), module.h (named tensors with caching, as above) and its files in file.h. Most
   programs need context.h, module.h and file.h only.

   Everywhere: functions return PZ_OK or a status with one line of detail in
   pz_error_message(); on failure nothing has changed and out-parameters are untouched.
   Destructors accept NULL. Strings and tensors that getters hand out are borrowed. The
   thread rule stands in brackets: [any thread], or [exclusive]: no other call on the same
   object at the same time. */

#ifndef PARAMETRIZE_PARAMETRIZE_H
#define PARAMETRIZE_PARAMETRIZE_H

#include <parametrize/chain.h>
#include <parametrize/context.h>
#include <parametrize/file.h>
#include <parametrize/module.h>
#include <parametrize/types.h>

#endif /* PARAMETRIZE_PARAMETRIZE_H */
