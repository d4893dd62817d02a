/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A safetensors file as a model: its parametrized tensors, their chains and their values.

   Where neither the file nor a rule defines a chain, names and shapes may tell it (detect.h). */

#ifndef TOOLS_MODEL_H
#define TOOLS_MODEL_H

#include "arguments.h"
#include "detect.h"
#include "model_file.h"

#include <parametrize/parametrize.h>

#include <stdbool.h>
#include <stddef.h>

/* A chain on a tensor of the file. Texts are the file's. */
typedef struct model_chain {
  const char* path;          /* of the tensor */
  const char* text;          /* of the chain in the file; NULL: the file has none */
  const char* plugins;       /* as in pz_file_chain_info */
  const pz_chain_rule* rule; /* replaces `text`; NULL: no rule matches */
  const finding* found;      /* gives the chain if the file does not; NULL: nothing was found */
  bool nested;               /* on a tensor of another chain, which reads its value */
} model_chain;

/* All zero bytes: nothing is open. */
typedef struct model {
  const char* path;
  const char* device;
  pz_queue* queue; /* of `device`, opened when first needed */
  bool lenient;
  pz_context* context;
  model_file input;
  const pz_file* file; /* with today's names for the tensors of every chain */
  findings findings;
  pz_chain_rule* rules; /* of the command line */
  size_t n_rules;
  pz_chain_rule* inner; /* room for the rule of one value; then those for chains inside others */
  size_t n_inner;
  model_chain* chains; /* sorted by path, in the order of strcmp */
  size_t n_chains;
} model;

/* Opens the file that is the only operand and reads its chains. A rule that applies to no tensor is
   an error. Prints errors. Close in either case. */
bool model_open(const arguments* a, model* out);
void model_close(model* m);

/* The text of a chain, from its rule, from the file or from its names; NULL: none defines it. */
const char* model_text(const model_chain* chain);

/* The chain on the tensor `path`; NULL for a plain tensor. */
model_chain* model_find(const model* m, const char* path);

/* The outermost chain that owns the tensor `name`; NULL for a plain tensor. */
model_chain* model_owner(const model* m, const char* name);

/* Reports a tensor whose name has the form of a chain's tensor, but that belongs to no chain. Under
   --lenient this is a remark and returns true, otherwise an error and false. */
bool model_report_unknown(model* m, const char* name);

/* Does a name have the form of a chain's tensor? */
bool model_is_inner(const char* name);

/* Is the tensor `name` an original of this chain, or of a chain on one of its originals? */
bool model_is_original(const model_chain* chain, const char* name);

/* The name of a chain's tensor within the chain: "original0", "0._u". */
const char* model_inner_name(const model_chain* chain, const char* name);

/* Creates a module with the value of one chain alone, in evaluation mode. With `remarks` it prints
   what --lenient accepted. On failure pz_error_message() has the reason. */
pz_status model_value(model* m, const model_chain* chain, bool remarks, pz_module** out);

#endif /* TOOLS_MODEL_H */
