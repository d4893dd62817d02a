/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A load: what the file holds, where it goes, and what is left over. Everything is found,
   checked and made beside the module first (plan, make, stage); then tensors are copied, which
   devices may still refuse and which can be put back; then lists are installed, which
   cannot fail. */

#ifndef PZI_MODULE_LOAD_H
#define PZI_MODULE_LOAD_H

#include "clone.h"
#include "file.h"
#include "name_list.h"
#include "storage.h"

/* A list of the file, on its way into the module. */
typedef struct pzi_load_list {
  const pzi_file_list* list;
  const char* rule;      /* chain text of the first rule that matches; or NULL */
  pz_chain* chain;       /* as planned; NULL before */
  pz_slot* slot;         /* plain so far, to get the list; or with the same list already */
  pzi_prepared prepared; /* for that slot; empty where it has the list */
  pzi_storage* value;    /* room for it, where that slot is one of another list */
  bool planning;         /* a list inside itself would be found by this */
  bool planned;          /* `chain` is there, or stays NULL: nobody says which maps */
} pzi_load_list;

/* Elements to be copied into a tensor of the module: of an entry, or of a tensor made
   before. */
typedef struct pzi_load_copy {
  const pzi_file_tensor* entry;
  const pz_tensor* made;
  pz_slot* slot;
  pzi_storage* backup; /* of what was there; NULL where the copy cannot fail */
} pzi_load_copy;

typedef struct pzi_remark {
  uint32_t kind; /* pz_load_remark */
  const char* name;
} pzi_remark;

typedef struct pzi_loading {
  pz_module* module;
  const pz_file* file;
  pz_file* renamed; /* the file under the names of today, where it differs: `file` then */
  pz_load_settings settings;
  bool as_saved; /* the module is new: it is as the file says, frozen parameters too */

  const uint32_t* entries; /* places of the file's tensors that matter, n_entries of them */
  size_t n_entries;
  bool* used;           /* by place in the file */
  pzi_load_list* lists; /* those that matter, by path */
  size_t n_lists;

  pzi_load_copy* copies;
  size_t n_copies;
  size_t copies_capacity;
  pzi_engine* staged; /* of assigned values */
  size_t n_staged;
  pz_slot** assigned; /* their slots, sorted by address */
  size_t n_assigned;

  pzi_few_names missing;
  pzi_few_names unknown;
  size_t n_expected;
  pzi_remark* remarks;
  size_t n_remarks;
  size_t remarks_capacity;
  pzi_pool names;
} pzi_loading;

/* ---- load.c --------------------------------------------------------------- */

/* Fills a load of these entries and lists of a file (NULL: all); settings may be NULL. */
pz_status pzi_loading_init(pzi_loading* l, pz_module* module, const pz_file* file,
                           const pz_load_settings* settings, const char* only);
void pzi_loading_cleanup(pzi_loading* l);

/* All of it, on a module that nobody else uses; calls nobody back. */
pz_status pzi_load(pzi_loading* l);

/* Calls the host back with what is left over. */
void pzi_load_report(const pzi_loading* l);

/* Takes note of a name that is missing or unknown: the load is refused unless lenient. The
   name is copied. */
pz_status pzi_load_remark(pzi_loading* l, pz_load_remark kind, const char* name);

bool pzi_load_lenient(const pzi_loading* l);
bool pzi_load_widens(const pzi_loading* l);

/* The list on a value, or NULL; the entry of that name, marked as used, or NULL. */
pzi_load_list* pzi_load_find_list(const pzi_loading* l, const char* path);
const pzi_file_tensor* pzi_load_use(pzi_loading* l, const char* name);

/* Remembers a copy. */
pz_status pzi_load_push(pzi_loading* l, const pzi_load_copy* copy);

/* ---- load_plan.c ------------------------------------------------------------ */

/* Plans the chain of a list for a tensor of `dtype`, or, for 0, of the file's. NULL stays
   where neither rule nor file says which maps, or, under PZ_LOAD_LENIENT, where an original
   is missing. */
pz_status pzi_load_plan(pzi_loading* l, pzi_load_list* list, uint32_t dtype);

/* The dtype that elements of the file's dtype become in a tensor of `wanted` (0: any); 0
   where a module has none for it. */
uint32_t pzi_load_dtype(const pzi_loading* l, const char* dtype, uint32_t wanted);

/* ---- load_lists.c ------------------------------------------------------------ */

/* Finds the place of every list: makes those that are not there, with their tensors; of
   those that are, checks that they are the same. */
pz_status pzi_load_lists(pzi_loading* l);

/* ---- load_assign.c ---------------------------------------------------------- */

/* Under PZ_LOAD_ASSIGN: stages what entries under the names of values make of the lists on
   them, and the copies that follow. */
pz_status pzi_load_assign(pzi_loading* l);

/* Is the tensor one of a list whose value is assigned? */
bool pzi_load_is_assigned(const pzi_loading* l, const pz_slot* slot);

/* ---- load_commit.c ---------------------------------------------------------- */

/* Copies everything, or nothing; then installs the lists. */
pz_status pzi_load_commit(pzi_loading* l);

#endif /* PZI_MODULE_LOAD_H */
