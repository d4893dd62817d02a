/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The data of one load of a file into a module; load.h declares the parts that fill it. */

#ifndef PZI_LOADING_H
#define PZI_LOADING_H

#include "file_chains.h"
#include "name_list.h"
#include "prepared.h"

/* A chain of the file that the load brings into the module. */
typedef struct pzi_load_chain {
  const pzi_file_chain* source;
  const char* rule;             /* chain text of the first rule that matches, or NULL */
  const pzi_saved_chain* saved; /* the description to follow; NULL with a rule or without one */
  pz_chain* chain;              /* the planned chain; NULL before, or without rule and saved */
  pz_slot* slot;                /* gets the chain, or has the same chain already */
  pzi_prepared prepared;        /* the chain for a plain slot; else empty */
  pzi_storage* value;           /* new memory for the value of a slot inside another chain */
  bool planning;                /* detects a chain that depends on itself */
  bool planned;                 /* `chain` is final */
} pzi_load_chain;

/* A copy into a tensor of the module, from the file or from a tensor of the load. */
typedef struct pzi_load_copy {
  const pzi_file_tensor* file_tensor;
  const pz_tensor* made;
  pz_slot* slot;
} pzi_load_copy;

typedef struct pzi_remark {
  uint32_t kind; /* pz_load_remark */
  const char* name;
} pzi_remark;

typedef struct pzi_loading {
  pz_module* module;
  const pz_file* file; /* `renamed` if that is set */
  pz_file* renamed;    /* the file without legacy names; NULL if it has none */
  pz_load_settings settings;
  bool as_saved; /* the module is new: restore frozen parameters too */

  const uint32_t* selected; /* indices of the file's tensors to load */
  size_t n_selected;
  bool* used;             /* by index of the file's tensors */
  pzi_load_chain* chains; /* sorted by path */
  size_t n_chains;

  pzi_load_copy* copies;
  size_t n_copies;
  pzi_engine* staged; /* of assigned values */
  size_t n_staged;
  pz_slot** assigned; /* slots of assigned values, sorted by address */
  size_t n_assigned;

  pzi_name_list missing;
  pzi_name_list unknown;
  size_t n_expected;
  pzi_remark* remarks;
  size_t n_remarks;
  pzi_alloc_list names;
} pzi_loading;

/* Begins a load of a file, or of one value or plain tensor (`only`, may be NULL). `settings` may
   be NULL. Clean up also after an error. */
pz_status pzi_loading_init(pzi_loading* l, pz_module* module, const pz_file* file,
                           const pz_load_settings* settings, const char* only);
void pzi_loading_cleanup(pzi_loading* l);

/* The flags PZ_LOAD_LENIENT and PZ_LOAD_WIDEN. */
bool pzi_loading_lenient(const pzi_loading* l);
bool pzi_loading_widens(const pzi_loading* l);

/* Records a missing or unknown name, which is copied. pzi_loading_report later calls the host's
   callback for each, if the load is lenient. */
pz_status pzi_loading_remark(pzi_loading* l, pz_load_remark kind, const char* name);
void pzi_loading_report(const pzi_loading* l);

/* The chain of a value, or NULL. */
pzi_load_chain* pzi_loading_find(const pzi_loading* l, const char* path);

/* The file's tensor of this name, which is marked as used, or NULL. */
const pzi_file_tensor* pzi_loading_use(pzi_loading* l, const char* name);

/* Appends a copy. */
pz_status pzi_loading_push(pzi_loading* l, const pzi_load_copy* copy);

#endif /* PZI_LOADING_H */
