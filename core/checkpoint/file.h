/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of files: what was read of one, and how modules go in and out. */

#ifndef PZI_FILE_H
#define PZI_FILE_H

#include "description.h"
#include "queue.h"
#include "safetensors.h"

/* A value that the file holds parametrized. */
typedef struct pzi_file_list {
  const char* path;            /* of the value */
  const pzi_saved_list* saved; /* NULL: the file does not say which maps */
  char* text;                  /* of the chain, and its plugins; NULL likewise */
  char* plugins;
  char* prefix; /* the names of its tensors begin with: "rnn.parametrizations.weight." */
  uint32_t n_tensors;
} pzi_file_list;

struct pz_file {
  const pz_file* origin; /* whose bytes, metadata and description these are too; or NULL */
  void* map;             /* NULL: the bytes are the caller's */
  size_t size;
  const char* data; /* of the first tensor */
  pzi_header header;
  pzi_saved_file saved;
  pzi_file_list* lists; /* by path */
  size_t n_lists;
  pzi_pool pool; /* holds the strings of lists */
};

/* As pz_file_open of bytes in memory, which must outlive the file. [any thread] */
pz_status pzi_file_from_memory(const void* bytes, size_t size, pz_file** out);

/* The first byte of a tensor. */
const char* pzi_file_data(const pz_file* file, const pzi_file_tensor* tensor);

/* ---- names (lists_in_file.c) ---------------------------------------------------- */

/* Of which value is an entry of this name a tensor? "rnn.parametrizations.weight.0.mask":
   of "rnn.weight", written to `path`, which has room for as much as the name. Gives the
   length of "rnn.parametrizations.weight.", 0 for a name of no list. The inmost list
   counts: an original that has a list of its own is the value of that. */
size_t pzi_list_of_name(const char* name, char* path);

/* "rnn.parametrizations.weight.0.options.mask": where an option of map 0 that is a tensor
   stands; from "rnn.", "parametrizations.weight.", 0 and "mask", the first two given by
   their first bytes. In a pool, or NULL. */
char* pzi_option_name(pzi_pool* pool, const char* module, size_t n_module, const char* list,
                      size_t n_list, uint32_t map, const char* option);

/* "rnn.parametrizations.weight." for "rnn.weight", in a pool, or NULL. */
char* pzi_tensors_prefix(pzi_pool* pool, const char* path);

pz_status pzi_file_find_lists(pz_file* file);
void pzi_file_free_lists(pz_file* file);

/* The first list, in the order of paths, whose value's path is not before `path`. */
size_t pzi_file_list_bound(const pz_file* file, const char* path);

/* The list on a value, or NULL. */
const pzi_file_list* pzi_file_list_on(const pz_file* file, const char* path);

/* ---- older names (legacy_names.c) ---------------------------------------------- */

/* As pz_file_renamed, of values too whose lists are in a module (may be NULL), which is
   nobody else's meanwhile; with `only`, of rules just for the value of that path. NULL where
   nothing changes. */
pz_status pzi_file_renamed(pz_context* context, const pz_file* file, const pz_module* module,
                           const char* only, const pz_list_rule* rules, uint32_t n_rules,
                           pz_file** out);

/* ---- tensors in and out (tensor_io.c) ---------------------------------------- */

/* Copies an entry into a tensor of its spec, or, with `widen`, of a wider floating dtype. */
pz_status pzi_file_copy(const pz_file* file, const pzi_file_tensor* entry, bool widen,
                        pz_queue* queue, const pz_tensor* to);

/* PZ_MISMATCH unless pzi_file_copy may go from one to the other. */
pz_status pzi_file_check(const pzi_file_tensor* entry, bool widen, const pz_spec* expected);

/* An entry for pz_writer_open. */
void pzi_entry_of(const char* name, const pz_spec* spec, pz_file_entry* out);

/* Puts a tensor of a queue, in C order, into a writer's entry. */
pz_status pzi_writer_put_tensor(pz_writer* writer, size_t index, pz_queue* queue,
                                const pz_tensor* tensor);

#endif /* PZI_FILE_H */
