/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes the descriptions of modules and states; description.h shows the format. */

#ifndef PZI_DESCRIPTION_WRITE_H
#define PZI_DESCRIPTION_WRITE_H

#include "text.h"
#include "tree.h"

/* Append the description of a module or a state. [inside pzi_gate_read_begin] */
void pzi_description_write_module(pzi_text* json, const pz_module* module);
void pzi_description_write_state(pzi_text* json, const pz_state* state);

/* The tensor of option `k`; NULL if the option is no tensor or is not set. */
const pz_tensor* pzi_description_tensor_option(const pzi_instance* instance, uint32_t k);

#endif /* PZI_DESCRIPTION_WRITE_H */
