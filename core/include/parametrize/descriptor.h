/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a plugin exports: one data symbol, `pz_plugin_v1`, of type pz_plugin. It lists the tables
   of the plugin, any number of parametrizations (plugin.h) and backends (backend.h). The host
   checks it before it calls any function of the plugin. Texts are UTF-8 without control characters,
   but for newlines in a formula. */

#ifndef PARAMETRIZE_DESCRIPTOR_H
#define PARAMETRIZE_DESCRIPTOR_H

#include <parametrize/types.h>

PZ_BEGIN_DECLS

#define PZ_PLUGIN_SYMBOL "pz_plugin_v1"

/* What a plugin was compiled with. The host refuses a plugin if it differs from its own, except
   that `minor` may be lower. */
typedef struct pz_abi {
  uint32_t major;       /* PZ_VERSION_MAJOR */
  uint32_t minor;       /* PZ_TARGET_MINOR: the lowest minor that the host must have */
  uint8_t pointer_size; /* sizeof(void*) */
  uint8_t big_endian;   /* 0 or 1 */
  uint8_t tensor_size;  /* sizeof(pz_tensor) */
  uint8_t spec_size;    /* sizeof(pz_spec) */
} pz_abi;

typedef enum pz_item_kind {
  PZ_ITEM_PARAMETRIZATION = 1, /* the table is a pz_parametrization */
  PZ_ITEM_BACKEND = 2,         /* the table is a pz_backend */
} pz_item_kind;

typedef struct pz_item {
  uint32_t kind;     /* pz_item_kind; the host reports and skips unknown kinds */
  uint32_t reserved; /* zero */
  const void* table; /* begins with its own uint32_t size */
} pz_item;

typedef struct pz_plugin {
  uint32_t size; /* sizeof(pz_plugin) */
  uint32_t item_size;
  pz_abi abi;
  const char* name;    /* of the collection, an identifier */
  const char* version; /* of the collection, "1.0.0" */
  const pz_item* items;
  uint32_t n_items;
  uint32_t reserved; /* zero */
} pz_plugin;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PZ_BIG_ENDIAN_ 1
#else
#define PZ_BIG_ENDIAN_ 0
#endif

#define PZ_ABI_INITIALIZER                                                     \
  {                                                                            \
    PZ_VERSION_MAJOR, PZ_TARGET_MINOR, (uint8_t)sizeof(void*), PZ_BIG_ENDIAN_, \
        (uint8_t)sizeof(pz_tensor), (uint8_t)sizeof(pz_spec)                   \
  }

#ifdef PZ_STATIC
#define PZ_PLUGIN_NAME_(identifier) pz_plugin_v1_##identifier
#else
#define PZ_PLUGIN_NAME_(identifier) pz_plugin_v1
#endif

#ifdef __cplusplus
#define PZ_PLUGIN_LINKAGE_ extern "C"
#else
#define PZ_PLUGIN_LINKAGE_ extern
#endif

/* Defines the descriptor: PZ_PLUGIN(identifier, "version", item, ...). With PZ_STATIC defined its
   symbol is pz_plugin_v1_IDENTIFIER, so that several can be linked into one program and passed
   to pz_context_add_plugin. */
#define PZ_PLUGIN(identifier, version_text, ...)                            \
  static const pz_item identifier##_items_[] = {__VA_ARGS__};               \
  PZ_PLUGIN_LINKAGE_ PZ_EXPORT const pz_plugin PZ_PLUGIN_NAME_(identifier); \
  const pz_plugin PZ_PLUGIN_NAME_(identifier) = {                           \
      (uint32_t)sizeof(pz_plugin),                                          \
      (uint32_t)sizeof(pz_item),                                            \
      PZ_ABI_INITIALIZER,                                                   \
      #identifier,                                                          \
      version_text,                                                         \
      identifier##_items_,                                                  \
      (uint32_t)(sizeof(identifier##_items_) / sizeof(pz_item)),            \
      0,                                                                    \
  }

#define PZ_PARAMETRIZATION(table)       \
  {                                     \
    PZ_ITEM_PARAMETRIZATION, 0, (table) \
  }
#define PZ_BACKEND(table)       \
  {                             \
    PZ_ITEM_BACKEND, 0, (table) \
  }

PZ_END_DECLS

#endif /* PARAMETRIZE_DESCRIPTOR_H */
