/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The JSON header of a safetensors file. */

#ifndef PZI_SAFETENSORS_HEADER_H
#define PZI_SAFETENSORS_HEADER_H

#include "safetensors.h"

#include <cjson/cJSON.h>

/* Headers above this are refused: no list of tensors is that long. */
enum { PZI_HEADER_MAX = 32 << 20 };

/* The parsed header: the document, its tensors by name, and its metadata or NULL. */
typedef struct pzi_header {
  cJSON* document;
  pzi_safetensor* tensors; /* strings belong to the document; `data` is NULL */
  size_t n_tensors;
  const cJSON* metadata;
} pzi_header;

/* Parses `length` bytes that describe `data_bytes` bytes of data. PZ_IO says what is
   wrong. */
pz_status pzi_header_parse(const char* text, size_t length, uint64_t data_bytes, pzi_header* out);
void pzi_header_cleanup(pzi_header* header);

/* Bytes of an element of a dtype as the format names it; 0 for one that it has not. */
uint64_t pzi_safetensors_element(const char* dtype);

/* Is this valid UTF-8? */
bool pzi_is_utf8(const char* text, size_t length);

#endif /* PZI_SAFETENSORS_HEADER_H */
