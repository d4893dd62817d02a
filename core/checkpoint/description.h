/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a module file says of the module: the text of the key "parametrize".

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

   The file of a state says {"format": 1, "chain": {...}}, a list as above. */

#ifndef PZI_FILE_SAVED_H
#define PZI_FILE_SAVED_H

#include "alloc_list.h"
#include "text.h"

#include <cjson/cJSON.h>
#include <parametrize/types.h>

#define PZI_SAVED_KEY "parametrize"

typedef struct pzi_saved_map {
  const char* text; /* "pruning(p_drop=0.2)", tensor options as "name=<tensor>" */
  const char* id;
  const char* version;
  uint64_t draw;
  const char** options; /* names of options that are tensors of the file */
  uint32_t n_options;
} pzi_saved_map;

typedef struct pzi_saved_tensor {
  const char* name;
  uint32_t role; /* pz_role, in this order */
  pz_spec spec;
} pzi_saved_tensor;

typedef struct pzi_saved_list {
  const char* path; /* of the value */
  uint32_t direction;
  uint32_t n_maps; /* 1 or more */
  pzi_saved_map* maps;
  pzi_saved_tensor* tensors;
  uint32_t n_tensors;
  uint32_t n_originals; /* first among them, 1 or more */
  pz_spec value;
} pzi_saved_list;

typedef struct pzi_saved_module {
  const char* path; /* "" for the root */
  const char* type;
  const char** tensors; /* own ones, plain or values, in order */
  size_t n_tensors;
} pzi_saved_module;

/* All zero: the file says nothing. */
typedef struct pzi_saved_file {
  pzi_saved_module* modules;
  size_t n_modules; /* 0: not of a module */
  const char** buffers;
  size_t n_buffers;
  const char** frozen;
  size_t n_frozen;
  pzi_saved_list* lists; /* by path */
  size_t n_lists;
  cJSON* document; /* holds the strings */
  pzi_pool pool;
} pzi_saved_file;

/* Reads the text; PZ_IO says what is wrong, and where. */
pz_status pzi_saved_parse(const char* text, pzi_saved_file* out);
void pzi_saved_cleanup(pzi_saved_file* saved);

/* The list on a value, or NULL. Is this one of the names (sorted)? */
const pzi_saved_list* pzi_saved_find(const pzi_saved_file* saved, const char* path);
bool pzi_saved_is(const char* const* names, size_t n, const char* name);

#endif /* PZI_FILE_SAVED_H */
