/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The description of a module in its file: the text under the metadata key "parametrize".

     {"format": 1,
      "modules": [{"path": "", "type": "Linear", "tensors": ["weight", "bias"]},
                  {"path": "rnn", "type": "RNN", "tensors": ["kernel"]}],
      "buffers": ["mean"], "frozen": ["bias"],
      "lists": {"rnn.kernel": {
        "direction": "tensor",
        "maps": [{"map": "skew", "id": "skew", "version": "1.0.0",
                  "draw": "00f1e2d3c4b5a697", "options": []}],
        "tensors": [{"name": "original", "role": "original", "dtype": "F32", "shape": [3, 3]}],
        "value": {"dtype": "F32", "shape": [3, 3], "structure": "skew"}}}}

   The file of a state has {"format": 1, "chain": {...}} with a chain as in "lists". The
   format's members "lists" and "maps" are chains and their stages. */

#ifndef PZI_DESCRIPTION_H
#define PZI_DESCRIPTION_H

#include "alloc_list.h"

#include <cjson/cJSON.h>
#include <parametrize/types.h>

#define PZI_DESCRIPTION_KEY "parametrize"

typedef struct pzi_saved_stage {
  const char* text; /* "pruning(p_drop=0.2)", tensor options as "name=<tensor>" */
  const char* id;
  const char* version;
  uint64_t draw;
  const char** options; /* names of the tensor options, sorted */
  uint32_t n_options;
} pzi_saved_stage;

typedef struct pzi_saved_tensor {
  const char* name;
  uint32_t role; /* pz_role; tensors are sorted by it */
  pz_spec spec;
} pzi_saved_tensor;

typedef struct pzi_saved_chain {
  const char* path; /* of the value */
  uint32_t direction;
  uint32_t n_stages; /* at least 1 */
  pzi_saved_stage* stages;
  pzi_saved_tensor* tensors;
  uint32_t n_tensors;
  uint32_t n_originals; /* the first tensors; at least 1 */
  pz_spec value;
} pzi_saved_chain;

typedef struct pzi_saved_module {
  const char* path; /* "" for the root */
  const char* type;
  const char** tensors; /* names of plain tensors and values, in order */
  size_t n_tensors;
} pzi_saved_module;

/* All zero: the file has no description. */
typedef struct pzi_description {
  pzi_saved_module* modules;
  size_t n_modules; /* 0: the file does not describe a module */
  const char** buffers;
  size_t n_buffers;
  const char** frozen;
  size_t n_frozen;
  pzi_saved_chain* chains; /* sorted by path */
  size_t n_chains;
  pzi_saved_chain* state; /* the chain of a state's file; NULL: of another file */
  cJSON* document;        /* owns the strings */
  pzi_alloc_list allocs;
} pzi_description;

/* Parses the text; PZ_IO names the first error and its place. */
pz_status pzi_description_parse(const char* text, pzi_description* out);
void pzi_description_cleanup(pzi_description* description);

#endif /* PZI_DESCRIPTION_H */
