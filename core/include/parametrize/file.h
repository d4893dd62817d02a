/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files: modules to and from the safetensors format, and the files themselves.
   Include <parametrize/parametrize.h>.

   A file holds every stored tensor of a module under its path, the names that a PyTorch
   state dict has: "weight", "parametrizations.weight.original",
   "parametrizations.weight.0.mask", "child.weight". The lists that make the values stand
   under the key "parametrize" of the metadata, so that a file of ours is loaded without
   code that registers them; for files of others the host says which maps to expect where.
   docs/files.md shows all of it.

   Reading trusts nothing that a file says: PZ_IO names what is wrong, and memory is bounded
   by the file's size. The file is mapped, not read into memory. Writing makes the file
   appear whole or not at all, also when the process is killed; what was there under the
   name stays until then. */

#ifndef PARAMETRIZE_FILE_H
#define PARAMETRIZE_FILE_H

#include <parametrize/context.h>
#include <parametrize/module.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* ---- modules ---------------------------------------------------------------- */

/* A text of a file's metadata. */
typedef struct pz_metadata {
  const char* key; /* unique; "parametrize" is for pz_module_save itself */
  const char* text;
} pz_metadata;

/* Writes every stored tensor of a module with its lists (of a baked module the folded
   values, and no lists), and texts of the host's. `flags`: PZ_KEEP_EXISTING (chain.h).
   [read] */
PZ_API pz_status pz_module_save(pz_module* module, const char* path);
PZ_API pz_status pz_module_save_with(pz_module* module, const char* path, uint32_t flags,
                                     const pz_metadata* metadata, uint32_t n_metadata);

/* Which maps make the values that a file holds parametrized and does not say so itself, or
   says otherwise. The first rule whose pattern matches a value's path ("rnn.weight") holds;
   plain tensors have no rules. */
typedef struct pz_list_rule {
  const char* pattern; /* as fnmatch: "*" also matches dots. Lists on tensors of other
                          lists ("parametrizations.weight.original") are matched only by
                          patterns that say "parametrizations" */
  const char* text;    /* chain text */
} pz_list_rule;

enum {
  /* Entries without a place are passed over, tensors without an entry stay as they are
     (those of a list that the load makes: as at registration; without an original it is
     not made); each is reported. */
  PZ_LOAD_LENIENT = 1U << 0,
  /* An entry under the name of a value is assigned to it: right inverses run and judge
     what they are given (PZ_ASSIGN). Else such an entry has no place. */
  PZ_LOAD_ASSIGN = 1U << 1,
  /* F16, BF16, F32 entries may be loaded into tensors of wider floating dtype; without a
     module to load into, F16 and BF16 become float32. */
  PZ_LOAD_WIDEN = 1U << 2,
};

typedef enum pz_load_remark {
  PZ_LOAD_UNKNOWN = 1, /* an entry of the file without a place */
  PZ_LOAD_MISSING = 2, /* a tensor without an entry */
  PZ_LOAD_DTYPE = 3,   /* an entry whose dtype a module cannot hold */
} pz_load_remark;

typedef struct pz_load_settings {
  uint32_t size; /* sizeof(pz_load_settings) */
  uint32_t flags;
  const pz_list_rule* rules; /* before what the file says */
  uint32_t n_rules;
  uint32_t reserved; /* zero */
  /* NULL, or called for every remark of a load that succeeds under PZ_LOAD_LENIENT. */
  void (*report)(void* user, pz_load_remark remark, const char* name);
  void* user;
} pz_load_settings;

/* Copies the tensors of a file into those of the same path; right inverses are never run.
   Lists of the file are made on tensors that are plain here, with the file's originals;
   where a tensor has a list already it must be the file's (ids and options), or the file
   says nothing of it. Unknown, missing and misshapen entries are refused by name before
   anything is written. Tensors keep their memory. [exclusive] */
PZ_API pz_status pz_module_load(pz_module* module, const char* path);

typedef struct pz_file pz_file;

/* As above from an open file; `settings` NULL as in pz_module_load. Everything or nothing.
   [exclusive, the file: read] */
PZ_API pz_status pz_module_load_from(pz_module* module, const pz_file* file,
                                     const pz_load_settings* settings);

/* Makes the module that a file describes, children for dotted names. Types, order, buffers
   and frozen parameters are as saved; in files of others everything is a parameter in the
   order of the file, and of type "Module". `only` (may be NULL): just the value or plain
   tensor under this path. [any thread] */
PZ_API pz_status pz_module_from_file(pz_context* context, const char* device, const pz_file* file,
                                     const char* only, const pz_load_settings* settings,
                                     pz_module** out);

/* ---- reading files as they are ------------------------------------------------ */

/* Maps a file and checks all of its header. PZ_NOT_FOUND, or PZ_IO with what is wrong. A
   file that another process cuts short while it is open ends this one (SIGBUS), as with
   every mapping. An open file is read by any number of threads. [any thread] */
PZ_API pz_status pz_file_open(const char* path, pz_file** out);
PZ_API void pz_file_close(pz_file* file);

/* One tensor of a file. */
typedef struct pz_file_entry {
  uint32_t size;     /* sizeof(pz_file_entry), set by the caller */
  uint32_t reserved; /* zero */
  const char* name;
  const char* dtype; /* as the format names it: "F32", "BF16", "BOOL" */
  pz_spec spec;      /* dtype 0 where the library has none for it */
  const void* data;  /* little endian, C order, not aligned; NULL in a pz_writer's entries */
  uint64_t bytes;
} pz_file_entry;

/* The tensors in order of bytes; PZ_NOT_FOUND past the last, or for an unknown name.
   Borrowed from the file. [any thread] */
PZ_API pz_status pz_file_tensor(const pz_file* file, size_t index, pz_file_entry* out);
PZ_API pz_status pz_file_find(const pz_file* file, const char* name, pz_file_entry* out);

/* The metadata in their order, all of them; and one text, or NULL. [any thread] */
PZ_API pz_status pz_file_metadata(const pz_file* file, size_t index, pz_metadata* out);
PZ_API const char* pz_file_text(const pz_file* file, const char* key);

/* A value that a file holds parametrized: by its metadata, or because there are originals
   under its name. */
typedef struct pz_file_list {
  uint32_t size;       /* sizeof(pz_file_list), set by the caller */
  uint32_t n_tensors;  /* entries that belong to it */
  const char* path;    /* of the value: "rnn.weight" */
  const char* text;    /* of its chain; NULL where the file does not say */
  const char* plugins; /* "skew 1.0.0, cayley 1.0.0"; NULL where the file does not say */
  const char* prefix;  /* of the names of its tensors: "rnn.parametrizations.weight." */
} pz_file_list;

/* The lists of a file by path; PZ_NOT_FOUND past the last. [any thread] */
PZ_API pz_status pz_file_list_at(const pz_file* file, size_t index, pz_file_list* out);

/* The same file under the names of today. A map may have had other names for its tensors:
   PyTorch's weight_norm kept "weight_g" and "weight_v" where "parametrizations.weight.original0"
   and "original1" are now. Where the first rule whose pattern matches a value ("weight") begins
   with such a map, and the file has its originals under the older names and nothing of the
   value else, they are renamed. Loads do so themselves, for the lists of the module too. It
   borrows from `file`, which is closed after it. [any thread] */
PZ_API pz_status pz_file_renamed(const pz_file* file, pz_context* context,
                                 const pz_list_rule* rules, uint32_t n_rules, pz_file** out);

/* ---- writing files as they are ------------------------------------------------ */

typedef struct pz_writer pz_writer;

/* Begins a file of these tensors (name, dtype, spec's shape, bytes), in an order of bytes
   that keeps them aligned, and metadata. Names and texts are copied. `flags`:
   PZ_KEEP_EXISTING. [any thread] */
PZ_API pz_status pz_writer_open(const char* path, uint32_t flags, const pz_file_entry* entries,
                                size_t n_entries, const pz_metadata* metadata, size_t n_metadata,
                                pz_writer** out);

/* Writes the next bytes of entry `index`, all of them or a part; entries in any order.
   [exclusive] */
PZ_API pz_status pz_writer_put(pz_writer* writer, size_t index, const void* data, uint64_t bytes);

/* Makes the file appear, once every entry is there (PZ_INVALID names one that is not); and
   gives the writer up, in any case. Without this call nothing is left behind. */
PZ_API pz_status pz_writer_commit(pz_writer* writer);
PZ_API void pz_writer_abandon(pz_writer* writer);

PZ_END_DECLS

#endif /* PARAMETRIZE_FILE_H */
