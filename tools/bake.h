/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The plan of `bake`: the tensors of the new file. */

#ifndef TOOLS_BAKE_H
#define TOOLS_BAKE_H

#include "model.h"
#include "watch.h"

/* Where a tensor of the new file comes from. */
typedef struct bake_source {
  const model_chain* chain; /* its value; NULL: copied from `data` */
  const void* data;
  const char* dtype; /* of the data */
} bake_source;

/* The value of a chain in the plan; unused for nested chains. */
typedef struct bake_value {
  bool placed;
  bool left;         /* its chain is not known: its tensors are copied */
  size_t place;      /* index in the new file */
  const char* dtype; /* of its originals, "" if they differ; NULL: none found yet */
  size_t n_tensors;
  size_t n_tied;              /* of its tensors, to the same ones of `tied_to` */
  const model_chain* tied_to; /* as a whole where n_tied is n_tensors */
  uint32_t last;              /* of its tensors: 1 plus the index in `inputs`; 0: none */
} bake_value;

/* A tensor of the old file. */
typedef struct bake_input {
  const char* name;
  const char* dtype;
  pz_spec spec;
  const void* data;
  uint64_t bytes;
  uint32_t before; /* the tensor of the same value that comes before: 1 plus its index; 0: none */
} bake_input;

typedef struct bake_plan {
  const arguments* a;
  model model;
  bake_value* values;        /* of chain k */
  bake_input* inputs;        /* tensors of the old file */
  size_t* alike;             /* table of tensors that were previewed: 1 plus the index; 0: free */
  size_t n_alike;            /* places of the table, a power of two */
  pz_writer_tensor* tensors; /* of the new file */
  bake_source* sources;      /* of tensor k */
  size_t n;
  uint64_t bytes;        /* of all tensors */
  pz_metadata* metadata; /* of the new file */
  size_t n_metadata;
  size_t n_ties;         /* of them, the last ones */
  char* description;     /* the text of the metadata's key "parametrize", or NULL */
  size_t n_parametrized; /* values and what could be one */
  size_t n_left;         /* of them */
} bake_plan;

/* Makes the plan for the open model. Computes no value. Prints errors. Clean up in either case. */
bool bake_plan_make(bake_plan* p, watch* w);
void bake_plan_cleanup(bake_plan* p);

/* Makes the description of the new file from that of the old one; none if the new file has other tensors
   than that names. Prints that memory is exhausted. */
bool bake_description_make(bake_plan* p, const char* text);

/* Lets go of pages of the mapped file that are not needed again soon, since they count as memory; and
   of those of all tensors of a value. Data that are not mapped stay. */
void bake_plan_forget(const bake_plan* p, const void* data, uint64_t bytes);
void bake_plan_forget_value(const bake_plan* p, const model_chain* chain);

/* Prints what was found and what was done. */
void bake_report(const bake_plan* p);

#endif /* TOOLS_BAKE_H */
