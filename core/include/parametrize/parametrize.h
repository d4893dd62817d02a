/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For host applications: constrained parameters in any program with a C interface.

     pz_context* ctx;
     pz_module*  layer;
     pz_tensor   q;
     pz_context_new(NULL, &ctx);                         finds plugins and backends
     pz_module_new(ctx, NULL, "Linear", &layer);
     pz_module_add(layer, "weight", PZ_PARAMETER, &w);   copies w
     pz_register_parametrization(layer, "weight", "skew,cayley", NULL);
     pz_module_get(layer, "weight", &q);                 computed only if something changed
     pz_module_backward(layer, "weight", &grad_q);       adds to the originals' gradients
     pz_module_set(layer, "weight", &q0);                runs the right inverse

   Three layers: context.h (plugins, devices), chain.h (parametrizations on tensors that the
   host owns), module.h (named tensors with a cache, as above) with files in file.h. Most
   programs need context.h, module.h and file.h only. Authors of parametrizations include
   plugin.h.

   These rules hold for every function:
   - It returns PZ_OK or another status. pz_error_message() then has one line of detail,
     nothing has changed, and output arguments are untouched.
   - Functions named _free, _close or _abandon accept NULL.
   - Strings and tensors that a function returns are borrowed: the library owns them.
   - The k-th of something is found by a function that takes a uint32_t index and returns
     PZ_NOT_FOUND after the last.
   - A `settings` argument may be NULL, which means the defaults.
   - On devices in host memory ("cpu", "reference"), a stack of 128 KiB is enough. Drivers of
     accelerators compile kernels on the calling thread, and need more.
   - The thread rule stands in brackets. [any thread]: callable from any thread at any time.
     [exclusive]: no other call on the same object at the same time. */

#ifndef PARAMETRIZE_PARAMETRIZE_H
#define PARAMETRIZE_PARAMETRIZE_H

#include <parametrize/chain.h>
#include <parametrize/context.h>
#include <parametrize/file.h>
#include <parametrize/module.h>
#include <parametrize/types.h>

#endif /* PARAMETRIZE_PARAMETRIZE_H */
