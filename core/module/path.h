/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Paths of tensors and modules. */

#ifndef PZI_PATH_H
#define PZI_PATH_H

#include "tree.h"

/* Checks a name for a new tensor or child: UTF-8, without dots and control bytes, neither taken
   nor reserved. */
pz_status pzi_path_check_name(const pz_module* module, const char* name);

/* The slot, or the module, under a path; or NULL. */
pz_slot* pzi_path_slot(const pz_module* module, const char* path);
pz_module* pzi_path_module(pz_module* module, const char* path);

/* The slot under a path; PZ_NOT_FOUND names the nearest. */
pz_status pzi_path_find(const pz_module* module, const char* path, pz_slot** out);

/* A parametrized slot; PZ_NOT_FOUND where it is plain. */
pz_status pzi_path_find_parametrized(const pz_module* module, const char* path, pz_slot** out);

/* The same for a slot that is to change; PZ_INVALID where the module is baked. */
pz_status pzi_path_find_live(const pz_module* module, const char* path, pz_slot** out);
pz_status pzi_path_find_live_parametrized(const pz_module* module, const char* path, pz_slot** out);

/* "parametrizations.weight.0.mask" for the tensor "0.mask" of the chain on "weight"; NULL
   without memory. */
char* pzi_path_of_tensor(const char* path, const char* name);

/* The path from the root, for messages, cut at the end of the buffer; returned. */
enum { PZI_PATH_TEXT = 256 };
const char* pzi_path_text(const pz_slot* slot, char buffer[PZI_PATH_TEXT]);

#endif /* PZI_PATH_H */
