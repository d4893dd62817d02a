/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of a context: what it looked at, and which table answers to which id. */

#ifndef PZI_REGISTRY_H
#define PZI_REGISTRY_H

#include "alloc_list.h"
#include "context.h"
#include "descriptor.h"
#include "file_trust.h"
#include "loaded_objects.h"
#include "text.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum pzi_source_state {
  PZI_FOUND,   /* a file not opened yet */
  PZI_LOADED,  /* `tables` are there */
  PZI_REFUSED, /* `reason` says why */
  PZI_FOLDER,  /* a folder of which there is something to say, in `reason` */
} pzi_source_state;

/* A file, a descriptor or a folder that was looked at. Lives as long as the context. */
typedef struct pzi_source {
  const char* path;
  const char* origin;
  const char* reason; /* why not; of a loaded file a remark; "" */
  const char* stem;   /* "skew" of "/a/skew.so", "" where there is none */
  const pzi_tables* tables;
  dev_t device; /* of a loaded file */
  ino_t inode;
  uint32_t state; /* pzi_source_state */
  bool given;     /* its folder was named by host or environment */
  bool replaced;  /* loaded, and another file has its path now */
  bool gone;      /* loaded, and there is no such file any more */
} pzi_source;

typedef struct pzi_folder {
  const char* path;
  const char* origin;
  const char* refusal;  /* why it is not searched, "" where it is */
  pzi_source** sources; /* the files in it, sorted */
  size_t n_sources;
  pzi_source* self; /* what there is to say of the folder, NULL: nothing */
  dev_t device;
  ino_t inode;
  bool given;
  bool exists;
  bool searched; /* since the last rescan */
} pzi_folder;

/* A table that answers to an id in this context, and where it came from. */
typedef struct pzi_offer {
  const char* id;
  const pzi_source* source;
  pzi_parametrization map; /* of a parametrization */
  pzi_backend backend;     /* of a backend */
} pzi_offer;

typedef struct pzi_offers {
  pzi_offer** data; /* parametrizations by id, backends by preference */
  size_t n;
  size_t capacity;
} pzi_offers;

struct pz_context {
  atomic_uint references;
  _Atomic uint64_t stream; /* of SplitMix64 */
  pzi_trust trust;

  /* Guards all below. Never held while code of a plugin may run. */
  pthread_mutex_t mutex;
  pzi_pool pool;
  pzi_tables** host_tables; /* of descriptors, owned */
  size_t n_host_tables;
  pzi_source** given; /* descriptors and files, in the order of giving */
  size_t n_given;
  pzi_folder* folders; /* in search order */
  size_t n_folders;
  size_t n_host_folders; /* first among them: those given by the host */
  pzi_source** order;    /* everything in search order */
  size_t n_order;
  pzi_offers maps;
  pzi_offers backends;
  pz_file_report* reports;
  size_t n_reports;
  bool ordered;  /* all folders are searched and `order` says so */
  bool complete; /* all is opened, every id has its offer, `reports` say so */

  pthread_mutex_t keep_mutex; /* innermost: guards the kept texts */
  pzi_pool texts;
  struct pzi_kept* kept[64];
};

/* ---- context.c; with or without the mutex --------------------------------------- */

/* pzi_context_keep of a text under construction, which is emptied. */
pz_status pzi_registry_keep(pz_context* context, pzi_text* text, const char** out);

/* ---- tables.c; the context's mutex is held -------------------------------------- */

extern const uint32_t pzi_item_kinds[2]; /* both */

/* The tables of a kind in one file: how many, the id of one, and the place of an id or
   their count where it is not there. */
uint32_t pzi_table_count(const pzi_tables* tables, uint32_t kind);
const char* pzi_table_id(const pzi_tables* tables, uint32_t kind, uint32_t index);
uint32_t pzi_table_index(const pzi_tables* tables, uint32_t kind, const char* id);

/* Who offers the id, or NULL. Opens nothing. */
const pzi_offer* pzi_registry_offer(const pz_context* context, uint32_t kind, const char* id);

/* Offers table `index` of a source under its id, which is free. */
pz_status pzi_settle(pz_context* context, uint32_t kind, const pzi_source* source, uint32_t index);

/* Offers what `source` has under every id that is still free. PZ_EXISTS where none is, or,
   with `strict`, where one is not. All or nothing; the source, copied, becomes the last
   given. */
pz_status pzi_registry_give(pz_context* context, const pzi_source* source, bool strict);

/* ---- folders.c; the context's mutex is held ------------------------------------- */

/* Appends a folder to those of the host or to all. `origin` and `refusal` live for ever. */
pz_status pzi_registry_add_folder(pz_context* context, const char* path, const char* origin,
                                  bool given, const char* refusal, bool by_host);

/* Searches the folders that are not searched yet and puts everything in order. */
pz_status pzi_registry_prepare(pz_context* context);

/* Does an earlier folder stand for folder `i`: the same one, or missing by the same name? */
bool pzi_folder_is_repeated(const pz_context* context, size_t i);

/* ---- registry.c ------------------------------------------------------------------ */

/* Judges and maps a file, without a context's mutex: constructors run. PZ_OK with the
   library, also where its handshake failed, what the file is, and a remark. */
pz_status pzi_registry_open(const pzi_trust* trust, const char* path, bool given,
                            const pzi_library** library, struct stat* file, const char** remark);

/* The mutex is held on entry and exit, and released meanwhile. Finds the offer of an id,
   opening files as needed, NULL in `out` where there is none; or opens everything and
   settles every id. */
pz_status pzi_registry_find(pz_context* context, uint32_t kind, const char* id,
                            const pzi_offer** out);
pz_status pzi_registry_complete(pz_context* context);

/* ---- reports.c; the context's mutex is held --------------------------------------- */

/* Rebuilds the reports of a context all of whose files are opened. */
pz_status pzi_reports_build(pz_context* context);

#endif /* PZI_REGISTRY_H */
