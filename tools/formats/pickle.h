/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reads pickles of PyTorch's state dicts. A pickle is a program; no code of it or of anything else
   runs here. Operations and names outside of a short list are refused. */

#ifndef TOOLS_PICKLE_H
#define TOOLS_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICKLE_DIMS = 64 };

/* Why a pickle is refused. */
typedef struct pickle_error {
  char text[256];
} pickle_error;

typedef struct pickle_text {
  const char* begin; /* in the pickle; not closed by a zero */
  size_t length;
} pickle_text;

typedef enum pickle_kind {
  PICKLE_OTHER, /* None, a truth value, a number */
  PICKLE_INTEGER,
  PICKLE_TEXT,
  PICKLE_GLOBAL, /* a name that is allowed */
  PICKLE_TUPLE,
  PICKLE_LIST,
  PICKLE_DICT,
  PICKLE_STORAGE,
  PICKLE_TENSOR,
} pickle_kind;

/* A value. Indices 0 mean none. */
typedef struct pickle_value {
  pickle_kind kind;
  uint32_t first;   /* link of the first member */
  uint32_t last;    /* of the last one */
  uint32_t storage; /* of a tensor */
  int64_t
      integer; /* also the offset of a tensor, the elements of a storage, the place of a global */
  pickle_text text; /* also the key of a storage */
} pickle_value;

/* A member of a tuple, list or dict. */
typedef struct pickle_link {
  uint32_t key; /* of a dict */
  uint32_t value;
  uint32_t next;
} pickle_link;

typedef struct pickle {
  pickle_value* values;
  uint32_t n_values;
  pickle_link* links;
  uint32_t n_links;
  uint32_t root;
} pickle;

/* Clean up in either case. */
bool pickle_read(const void* bytes, size_t size, pickle* out, pickle_error* error);
void pickle_cleanup(pickle* p);

/* The dtype of a storage as safetensors files name it, and the bytes of its elements. */
const char* pickle_dtype(const pickle_value* storage, uint32_t* bytes);

/* The shape and the strides of a tensor, in elements; the number of dimensions. */
uint32_t pickle_shape(const pickle* p, const pickle_value* tensor, int64_t shape[PICKLE_DIMS],
                      int64_t strides[PICKLE_DIMS]);

#endif /* TOOLS_PICKLE_H */
