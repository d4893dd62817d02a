/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs requests, each by its route: natively, composed or on the host.

   The functions of this header and the compositions (compose.h) call each other: a composition
   dispatches the operations that it consists of, and these may be composed in turn or run on the
   host queue, which dispatches again. The recursion ends because a way of composing requires
   native entries or operations that need less (compose.c), and because the host of "reference"
   is NULL. It is the only cycle between files of this folder. */

#ifndef PZI_DISPATCH_H
#define PZI_DISPATCH_H

#include "queue.h"
#include "request.h"

/* Runs a request by the first route that exists. Operands are as backend.h requires; those with
   several rows and columns have a major stride of at least the minor extent. Mutex held; the host
   queue's mutex is taken as needed. */
pz_status pzi_dispatch(pz_queue* queue, const pzi_request* request);

/* Only by the backend's own entry, else PZ_UNSUPPORTED. */
pz_status pzi_dispatch_native(pz_queue* queue, const pzi_request* request);

/* Only by the host queue (dispatch_host.c); PZ_UNSUPPORTED where it lacks the operation too. The
   queue has a host. */
pz_status pzi_dispatch_host(pz_queue* queue, const pzi_request* request);

#endif /* PZI_DISPATCH_H */
