/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Exclusive calls on one tensor. */

#ifndef PZI_EXCLUSIVE_H
#define PZI_EXCLUSIVE_H

#include "tree.h"

/* Finds the tensor that the call is on: pzi_path_find_live or pzi_path_find_live_parametrized. */
typedef pz_status pzi_finder(const pz_module* module, const char* path, pz_slot** out);

typedef pz_status pzi_slot_call(pz_slot* slot, void* user);

/* Runs `call` on the tensor `name` while no other call is on the tree. Its messages get the name
   as prefix. */
pz_status pzi_exclusive_call(pz_module* module, const char* name, pzi_finder* find,
                             pzi_slot_call* call, void* user);

#endif /* PZI_EXCLUSIVE_H */
