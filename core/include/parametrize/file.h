/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files: saving and loading modules in the safetensors format, and access to the files
   themselves. Include <parametrize/parametrize.h>.

   A file holds every stored tensor of a module under its path, as in a PyTorch state dict:
   "weight", "parametrizations.weight.original", "parametrizations.weight.0.mask",
   "child.weight". The chains are in the metadata under the key "parametrize", so that a file
   written by this library loads without code that registers them. For other files the host gives
   rules that say which chains to expect (pz_chain_rule). docs/files.md describes the format.

   Reading trusts nothing in a file: PZ_IO says what is wrong, and memory is bounded by the file's
   size. The file is mapped, not read into memory. A written file appears whole or not at all,
   even if the process is killed; a file of the same name stays until then. The new file has its
   permissions and, as far as the process may give them, its owner and group. */

#ifndef PARAMETRIZE_FILE_H
#define PARAMETRIZE_FILE_H

#include <parametrize/context.h>
#include <parametrize/module.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* ---- modules ---------------------------------------------------------------- */

/* A text in the metadata of a file. */
typedef struct pz_metadata {
  const char* key; /* unique; "parametrize" belongs to pz_module_save */
  const char* text;
  uint64_t reserved[2]; /* zero */
} pz_metadata;

typedef struct pz_save_settings {
  uint32_t size;               /* sizeof(pz_save_settings) */
  uint32_t flags;              /* PZ_KEEP_EXISTING (chain.h) */
  const pz_metadata* metadata; /* the host's own texts */
  uint32_t n_metadata;
  uint32_t reserved;
} pz_save_settings;

/* Writes every stored tensor of a module with its chains. A folded module is written with its
   values and without chains. [read] */
PZ_API pz_status pz_module_save(pz_module* module, const char* path,
                                const pz_save_settings* settings);

/* The chain that makes a value which a file holds parametrized. The first rule whose pattern
   matches the value's path ("rnn.weight") counts, before the file's own metadata. */
typedef struct pz_chain_rule {
  const char*
      pattern; /* the path itself, or as for fnmatch; "*" matches dots too. A chain on a tensor of another
                           chain ("parametrizations.weight.original") matches only patterns that
                           contain "parametrizations" */
  const char* text;     /* of the chain */
  uint64_t reserved[2]; /* zero */
} pz_chain_rule;

enum {
  /* Ignores unknown tensors, and keeps tensors that the file lacks as they are. Tensors that it
     lacks of a chain which the load makes are initialised as at registration; a chain without
     its original is not made. `report` is called for each. */
  PZ_LOAD_LENIENT = 1U << 0,
  /* A tensor with the name of a value is assigned to it with PZ_ASSIGN: right inverses run.
     Without this flag it is unknown. */
  PZ_LOAD_ASSIGN = 1U << 1,
  /* F16, BF16 and F32 may be loaded into tensors of a wider floating-point dtype. If the load
     makes the tensors, F16 and BF16 become float32, and a chain that a rule defines has the widest
     dtype of its tensors in the file. */
  PZ_LOAD_WIDEN = 1U << 2,
};

typedef enum pz_load_remark {
  PZ_LOAD_UNKNOWN = 1, /* a tensor of the file that has no place in the module */
  PZ_LOAD_MISSING = 2, /* a tensor of the module that the file lacks */
  PZ_LOAD_DTYPE = 3,   /* a tensor of the file whose dtype a module cannot hold */
} pz_load_remark;

typedef struct pz_load_settings {
  uint32_t size;  /* sizeof(pz_load_settings) */
  uint32_t flags; /* PZ_LOAD_... */
  const pz_chain_rule* rules;
  uint32_t n_rules;
  uint32_t reserved;
  /* May be NULL. Called for every remark of a successful load with PZ_LOAD_LENIENT. */
  void (*report)(void* user, pz_load_remark remark, const char* name);
  void* user;
} pz_load_settings;

typedef struct pz_file pz_file;

/* Copies the tensors of a file to those with the same path, which keep their memory. Right
   inverses do not run. Chains of the file are made on tensors that are plain here. A chain that
   exists here must equal the file's (ids and options) unless the file does not say. Unknown and
   missing tensors and wrong shapes are refused by name. All or nothing.
   [exclusive, the file: read] */
PZ_API pz_status pz_module_load(pz_module* module, const pz_file* file,
                                const pz_load_settings* settings);

/* Makes the module that a file describes, with children for dotted names, on the device of
   `queue` (NULL as in pz_module_new). Types, order, buffers and frozen parameters are as saved.
   In files of other programs every tensor is a parameter, in the order of the file, and modules
   have the type "Module". `only` (may be NULL): the path of the one value or plain tensor to
   load. [any thread] */
PZ_API pz_status pz_module_from_file(pz_context* context, pz_queue* queue, const pz_file* file,
                                     const char* only, const pz_load_settings* settings,
                                     pz_module** out);

/* ---- reading files ------------------------------------------------------------ */

/* Maps a file and checks its header. Models in several files are opened by their index,
   "model.safetensors.index.json", or by their folder if it has one index, or one safetensors file
   and no index; their tensors are then those of one file. PZ_NOT_FOUND, or PZ_IO with what is wrong. If another
   process truncates the file while it is open, reading it ends this process (SIGBUS), as with
   every mapped file. Any number of threads can read an open file. [any thread] */
PZ_API pz_status pz_file_open(const char* path, pz_file** out);
PZ_API void pz_file_close(pz_file* file);

/* One tensor of a file. */
typedef struct pz_file_tensor_info {
  uint32_t size; /* sizeof(pz_file_tensor_info), set by the caller */
  uint32_t reserved;
  const char* name;
  const char* dtype; /* as in the format: "F32", "BF16", "BOOL" */
  pz_spec spec;      /* its dtype is 0 if the library has none for it; its ndim is -1 if there are
                        more than PZ_MAX_DIMS dimensions */
  const void* data;  /* little endian, C order, not aligned */
  uint64_t bytes;
  const int64_t* extents; /* the shape of more than PZ_MAX_DIMS dimensions; else NULL */
  uint32_t n_extents;     /* at most 64 */
  uint32_t reserved2;
} pz_file_tensor_info;

/* A file of tensors that lie elsewhere in memory: parts of several files, or of a file of another
   format. `tensors` have the size of the first one and no two the same name; text "parametrize" of
   the metadata is read as in pz_file_open. Names and texts are copied, data are borrowed and must
   outlive the file. The order of the tensors is that of their bytes. [any thread] */
PZ_API pz_status pz_file_from_tensors(const pz_file_tensor_info* tensors, uint32_t n_tensors,
                                      const pz_metadata* metadata, uint32_t n_metadata,
                                      pz_file** out);

/* Describes tensor `index`, in the order of bytes, or the tensor of a name. Borrowed from the
   file. [any thread] */
PZ_API pz_status pz_file_tensor(const pz_file* file, uint32_t index, pz_file_tensor_info* out);
PZ_API pz_status pz_file_find(const pz_file* file, const char* name, pz_file_tensor_info* out);

/* Text `index` of the metadata, in their order; and the text of a key, or NULL. [any thread] */
PZ_API pz_status pz_file_metadata(const pz_file* file, uint32_t index, pz_metadata* out);
PZ_API const char* pz_file_text(const pz_file* file, const char* key);

/* A value that a file holds parametrized: because of its metadata, or because it has originals
   under this name. */
typedef struct pz_file_chain_info {
  uint32_t size;       /* sizeof(pz_file_chain_info), set by the caller */
  uint32_t n_tensors;  /* that belong to it */
  const char* path;    /* of the value: "rnn.weight" */
  const char* text;    /* of the chain; NULL if the file does not say */
  const char* plugins; /* "skew 1.0.0, cayley 1.0.0"; NULL if the file does not say */
  const char* prefix;  /* of the names of its tensors: "rnn.parametrizations.weight." */
} pz_file_chain_info;

/* Describes chain `index`, sorted by path. [any thread] */
PZ_API pz_status pz_file_chain(const pz_file* file, uint32_t index, pz_file_chain_info* out);

/* The same file with current names. PyTorch's older weight_norm saved "weight_g" and "weight_v"
   where "parametrizations.weight.original0" and "original1" are today. If a rule's chain begins
   with a parametrization that has such legacy names (plugin.h), and the file has all of its
   originals under them and nothing else of the value, they are renamed. Loads do so
   themselves. The result borrows from `file`, which must be closed after it. [any thread] */
PZ_API pz_status pz_file_with_current_names(const pz_file* file, pz_context* context,
                                            const pz_chain_rule* rules, uint32_t n_rules,
                                            pz_file** out);

/* ---- writing files ------------------------------------------------------------ */

typedef struct pz_writer pz_writer;

/* One tensor of a file to be written. */
typedef struct pz_writer_tensor {
  const char* name;
  const char* dtype; /* as in the format: "F32", "BF16", "BOOL" */
  pz_spec spec;      /* of which only the shape counts */
  uint64_t bytes;
  const int64_t* extents; /* NULL, or the shape instead of that of `spec`: at most 64 extents */
  uint32_t n_extents;
  uint32_t reserved; /* zero */
} pz_writer_tensor;

/* Begins a file with these tensors and metadata. The order of their bytes is chosen so that all
   are aligned. Names and texts are copied. `flags`: PZ_KEEP_EXISTING. [any thread] */
PZ_API pz_status pz_writer_open(const char* path, uint32_t flags, const pz_writer_tensor* tensors,
                                uint32_t n_tensors, const pz_metadata* metadata,
                                uint32_t n_metadata, pz_writer** out);

/* Writes the next bytes of tensor `index`, all of them or a part. Tensors may come in any order.
   [exclusive] */
PZ_API pz_status pz_writer_put(pz_writer* writer, uint32_t index, const void* data, uint64_t bytes);

/* Makes the file appear. PZ_INVALID names a tensor whose bytes are incomplete. Frees the writer
   in any case. */
PZ_API pz_status pz_writer_commit(pz_writer* writer);

/* Frees the writer and leaves no file. */
PZ_API void pz_writer_abandon(pz_writer* writer);

PZ_END_DECLS

#endif /* PARAMETRIZE_FILE_H */
