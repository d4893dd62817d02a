/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A map as a part of another one. The callbacks of the part run between part_enter and part_leave:

     return part_leave(c, &p, orth_table.forward(part_enter(c, &p), x, y));

   There the call has the options, the buffers and the saved memory of the part alone. */

#ifndef PLUGINS_COMMON_PART_H
#define PLUGINS_COMMON_PART_H

#include <parametrize/plugin.h>

typedef struct part {
  const char* name;        /* before the names of the part's buffers */
  const pz_value* options; /* in the order of the part's table */
  uint32_t first_buffer;   /* of the map's */
  uint32_t n_buffer;       /* 0 or more, which belong to the part */
  uint32_t
      first_tensor; /* how many tensors and records on the host forward saves before the part */
  uint32_t first_record;
  uint32_t n_tensors; /* how many the part saved */
  uint32_t n_records;
  pz_services services;     /* those of the part, between enter and leave */
  const pz_services* outer; /* those of the call, as the next ones */
  const pz_value* outer_options;
  const pz_tensor* outer_buffer;
  pz_tensor* outer_new_buffer;
  uint32_t outer_n_buffer;
} part;

/* Returns c. In plan, buffers are declared under the part's name, values and densities are not. */
pz_call* part_enter(pz_call* c, part* p);

/* Returns status. */
pz_status part_leave(pz_call* c, const part* p, pz_status status);

#endif /* PLUGINS_COMMON_PART_H */
