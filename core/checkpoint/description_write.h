/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Descriptions of modules and states for their files, as description.h shows them. */

#ifndef PZI_FILE_DESCRIBE_H
#define PZI_FILE_DESCRIBE_H

#include "module_impl.h"
#include "text.h"

/* Appends the description of a module, or of a state. [inside pzi_read_begin] */
void pzi_describe_module(pzi_text* json, const pz_module* module);
void pzi_describe_state(pzi_text* json, const pz_state* state);

/* Is option `k` of a map a tensor, and given? */
const pz_tensor* pzi_tensor_option(const pzi_instance* instance, uint32_t k);

#endif /* PZI_FILE_DESCRIBE_H */
