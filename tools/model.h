/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A safetensors file as a model: which of its entries make which value, through which maps. */

#ifndef TOOLS_MODEL_H
#define TOOLS_MODEL_H

#include "arguments.h"

#include <parametrize/parametrize.h>

#include <stdbool.h>
#include <stddef.h>

/* A value that the file holds parametrized. Texts are the file's. */
typedef struct model_list {
  const char* path;
  const char* text;         /* of its chain, as the file says; NULL */
  const char* plugins;      /* as in pz_file_list */
  const pz_list_rule* rule; /* that holds in its stead; NULL */
  bool nested;              /* on a tensor of another list, whose value takes it in */
} model_list;

/* All zero bytes: nothing is open. */
typedef struct model {
  const char* path;
  const char* device;
  bool lenient;
  pz_context* context;
  pz_file* file;  /* under the names of today, where rules say of which maps */
  pz_file* given; /* as it is; NULL: the same */
  pz_list_rule* rules;
  size_t n_rules;
  model_list* lists; /* by path, as strcmp orders */
  size_t n_lists;
} model;

/* Opens the file that is the only operand and reads its lists. A rule that decides nothing
   is refused. Says why not. Close in either case. */
bool model_open(const arguments* a, model* out);
void model_close(model* m);

/* The chain text that makes a list's value; NULL where nobody says. */
const char* model_text(const model_list* list);

/* The list of a value; NULL where there is none. */
model_list* model_find(const model* m, const char* path);

/* The outermost list that an entry belongs to; NULL for a plain tensor's. */
model_list* model_owner(const model* m, const char* entry);

/* Refuses an entry of which only the name belongs to a list; under --lenient it is left out,
   with a remark. False where it was refused. */
bool model_leave_out(model* m, const char* entry);

/* Is a name one of a list's tensors? */
bool model_is_inner(const char* entry);

/* Is an entry an original of this list, or of one nested in its original? */
bool model_is_original(const model_list* list, const char* entry);

/* Makes the module of one value alone, in evaluation mode. Under `remarks` what --lenient
   accepted is said. The library says why not. */
pz_status model_value(model* m, const model_list* list, bool remarks, pz_module** out);

#endif /* TOOLS_MODEL_H */
