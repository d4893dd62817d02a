/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files whose headers parse, and changes that mostly leave them so: what a reader checks
   late is reached only by inputs that pass what it checks early. */

#include "tensors.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { PREFIX = 8 };

/* ---- seeds ------------------------------------------------------------------ */

/* A header, the description of the module that goes with it or NULL, and how much data. */
typedef struct tensors_seed {
  const char* header;
  const char* description;
  size_t bytes;
} tensors_seed;

#define SKEW_MAP                                                      \
  "{\"map\":\"skew\",\"id\":\"skew\",\"version\":\"1.0.0\",\"draw\":" \
  "\"00f1e2d3c4b5a697\",\"options\":[]}"
#define CAYLEY_MAP                                                        \
  "{\"map\":\"cayley\",\"id\":\"cayley\",\"version\":\"1.0.0\",\"draw\":" \
  "\"0000000000000001\",\"options\":[]}"
#define PRUNING_MAP                                                         \
  "{\"map\":\"pruning(p_drop=0.2,seed=7)\",\"id\":\"pruning\",\"version\":" \
  "\"1.0.0\",\"draw\":\"0000000000000007\",\"options\":[]}"
#define SPEC_22 "\"dtype\":\"F32\",\"shape\":[2,2]"
#define ORIGINAL "{\"name\":\"original\",\"role\":\"original\"," SPEC_22 "}"

static const tensors_seed seeds[] = {
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", NULL, 8},
    {"{}", NULL, 0},
    {"{\"__metadata__\":{\"format\":\"pt\",\"\\u00e9\":\"\\n\"}}   ", NULL, 0},
    {"{\"scalar\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
     "\"empty\":{\"dtype\":\"I64\",\"shape\":[3,0],\"data_offsets\":[8,8]},"
     "\"half.weight\":{\"dtype\":\"BF16\",\"shape\":[1,1,1,1,1,1,1,3],\"data_offsets\":[8,14]},"
     "\"\\ud83d\\ude00\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[14,15]}}",
     NULL, 15},
    {"{\n\t\"x\" : { \"shape\" : [ 2 ] , \"dtype\" : \"F16\" , \"data_offsets\" : [ 4 , 8 ] } ,\r\n"
     "\"y\":{\"data_offsets\":[0,4],\"shape\":[4],\"dtype\":\"F8_E4M3\"}}",
     NULL, 8},
    {"{\"empty\":{\"dtype\":\"F32\",\"shape\":[0,2],\"data_offsets\":[0,0]},"
     "\"scalar\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}",
     NULL, 8},
    /* as PyTorch names them, nested and with two originals */
    {"{\"rnn.parametrizations.weight.original0\":{" SPEC_22 ",\"data_offsets\":[0,16]},"
     "\"rnn.parametrizations.weight.original1\":{" SPEC_22 ",\"data_offsets\":[16,32]},"
     "\"rnn.parametrizations.weight.0._u\":{\"dtype\":\"F32\",\"shape\":[2],"
     "\"data_offsets\":[32,40]},"
     "\"parametrizations.w.parametrizations.original.original\":{" SPEC_22
     ",\"data_offsets\":[40,56]},\"bias\":{\"dtype\":\"F32\",\"shape\":[2],"
     "\"data_offsets\":[56,64]}}",
     NULL, 64},
    /* as PyTorch named them before */
    {"{\"rnn.weight_g\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
     "\"rnn.weight_v\":{" SPEC_22 ",\"data_offsets\":[8,24]},"
     "\"w_orig\":{" SPEC_22 ",\"data_offsets\":[24,40]},"
     "\"w_u\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[40,48]},"
     "\"w_v\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[48,56]}}",
     NULL, 56},
    /* the value of skew,cayley, a frozen bias and a buffer */
    {"{\"parametrizations.weight.original\":{" SPEC_22 ",\"data_offsets\":[0,16]},"
     "\"bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[16,32]},"
     "\"mean\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[32,36]}}",
     "{\"format\":1,\"modules\":[{\"path\":\"\",\"type\":\"Linear\",\"tensors\":[\"weight\","
     "\"bias\",\"mean\"]}],\"buffers\":[\"mean\"],\"frozen\":[\"bias\"],\"lists\":{\"weight\":{"
     "\"direction\":\"tensor\",\"maps\":[" SKEW_MAP "," CAYLEY_MAP "],\"tensors\":[" ORIGINAL
     "],\"value\":{" SPEC_22 ",\"structure\":\"orthogonal\"}}}}",
     36},
    /* a map with a buffer, in a nested module */
    {"{\"a.parametrizations.w.original\":{" SPEC_22 ",\"data_offsets\":[0,16]},"
     "\"a.parametrizations.w.0.mask\":{" SPEC_22 ",\"data_offsets\":[16,32]}}",
     "{\"format\":1,\"modules\":[{\"path\":\"\",\"type\":\"Net\",\"tensors\":[]},{\"path\":\"a\","
     "\"type\":\"Linear\",\"tensors\":[\"w\"]}],\"buffers\":[],\"frozen\":[],\"lists\":{\"a.w\":{"
     "\"direction\":\"tensor\",\"maps\":[" PRUNING_MAP "],\"tensors\":[" ORIGINAL
     ",{\"name\":\"0.mask\",\"role\":\"buffer\"," SPEC_22 "}],\"value\":{" SPEC_22
     ",\"structure\":\"general\"}}}}",
     32},
    /* a list on the original of a list */
    {"{\"parametrizations.w.parametrizations.original.original\":{" SPEC_22
     ",\"data_offsets\":[0,16]}}",
     "{\"format\":1,\"modules\":[{\"path\":\"\",\"type\":\"Net\",\"tensors\":[\"w\"]}],"
     "\"buffers\":[],\"frozen\":[],\"lists\":{\"w\":{\"direction\":\"tensor\",\"maps\":[" CAYLEY_MAP
     "],\"tensors\":[" ORIGINAL "],\"value\":{" SPEC_22
     ",\"structure\":\"orthogonal\"}},\"parametrizations.w.original\":{\"direction\":\"tensor\","
     "\"maps\":[" SKEW_MAP "],\"tensors\":[" ORIGINAL "],\"value\":{" SPEC_22
     ",\"structure\":\"skew\"}}}}",
     16},
};

static const char* const words[] = {
    /* JSON */
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\u00e9",
    "\\\"",
    "null",
    "true",
    "false",
    "-",
    ".",
    "e",
    " ",
    "\xc3\xa9",
    "\xff",
    "\xed\xa0\x80",
    /* the header */
    "\"dtype\":\"F32\"",
    "\"shape\":[]",
    "\"shape\":[2,3]",
    "\"data_offsets\":[0,0]",
    "\"__metadata__\":{}",
    "\"a\":{}",
    "__metadata__",
    "F32",
    "F64",
    "I64",
    "F16",
    "BF16",
    "I32",
    "I16",
    "I8",
    "U8",
    "U16",
    "U32",
    "U64",
    "BOOL",
    "C64",
    "F8_E4M3",
    "F8_E5M2",
    "F8_E8M0",
    "F4",
    "F6_E2M3",
    /* names */
    "weight",
    "w",
    "a",
    "bias",
    "original",
    "original0",
    "original1",
    "parametrizations",
    "parametrizations.",
    ".",
    "0.mask",
    "0.options.base",
    "mask",
    /* the description */
    "format",
    "parametrize",
    "modules",
    "path",
    "type",
    "tensors",
    "buffers",
    "frozen",
    "lists",
    "direction",
    "input",
    "tensor",
    "maps",
    "map",
    "id",
    "version",
    "draw",
    "options",
    "name",
    "role",
    "parameter",
    "buffer",
    "value",
    "structure",
    "general",
    "symmetric",
    "skew",
    "positive_definite",
    "orthogonal",
    "chain",
    "0000000000000000",
    /* chains */
    "cayley",
    "pruning",
    "matrix_exp",
    "(",
    ")",
    "(p_drop=0.5,seed=1)",
    "(signs=1)",
    "=",
    "<tensor>",
    ",cayley",
    NULL,
};

/* ---- parts of a file -------------------------------------------------------- */

/* A file in parts. */
typedef struct parts {
  uint8_t header[FUZZ_MOST];
  size_t length; /* of the header */
  size_t bytes;  /* of the data */
} parts;

static size_t
assemble(uint8_t* const out, const size_t most, const uint64_t told, const parts* const p)
{
  if (p->length > most || p->bytes > most || PREFIX + p->length + p->bytes > most) {
    return 0;
  }
  for (size_t k = 0; k < PREFIX; ++k) {
    out[k] = (uint8_t)(told >> (8 * k));
  }
  memcpy(out + PREFIX, p->header, p->length);
  for (size_t k = 0; k < p->bytes; ++k) {
    out[PREFIX + p->length + k] = (uint8_t)(k % 64);
  }
  return PREFIX + p->length + p->bytes;
}

static bool
take_apart(const uint8_t* const data, const size_t size, parts* const p)
{
  uint64_t length = 0;
  for (size_t k = PREFIX; size >= PREFIX && k-- > 0;) {
    length = length << 8 | data[k];
  }
  if (size < PREFIX || length > size - PREFIX) {
    return false;
  }
  memcpy(p->header, data + PREFIX, length);
  p->length = length;
  p->bytes = size - PREFIX - length;
  return true;
}

static void
set_header(parts* const p, cJSON* const document)
{
  char* const text = cJSON_PrintUnformatted(document);
  const size_t length = text ? strlen(text) : sizeof(p->header) + 1;
  if (length <= sizeof(p->header)) {
    memcpy(p->header, text, length);
    p->length = length;
  }
  cJSON_free(text);
}

size_t
fuzz_tensors_seed(const size_t index, uint8_t* const out)
{
  static parts p;
  if (index >= sizeof(seeds) / sizeof(seeds[0])) {
    return 0;
  }
  const tensors_seed* const seed = &seeds[index];
  p.length = strlen(seed->header);
  p.bytes = seed->bytes;
  memcpy(p.header, seed->header, p.length);
  if (seed->description) {
    cJSON* const document = cJSON_Parse(seed->header);
    cJSON* const metadata = cJSON_AddObjectToObject(document, "__metadata__");
    FUZZ_ENSURE(cJSON_AddStringToObject(metadata, "parametrize", seed->description));
    set_header(&p, document);
    cJSON_Delete(document);
  }
  return assemble(out, FUZZ_MOST, p.length, &p);
}

/* ---- mutations -------------------------------------------------------------- */

/* A text of the metadata changed as what it is, free of its quotes' escapes. */
static void
change_metadata(parts* const p, uint64_t* const random)
{
  static uint8_t text[FUZZ_MOST];
  cJSON* const document = cJSON_ParseWithLength((const char*)p->header, p->length);
  cJSON* const metadata = cJSON_GetObjectItemCaseSensitive(document, "__metadata__");
  const int n = cJSON_GetArraySize(metadata);
  cJSON* const item =
      n > 0 ? cJSON_GetArrayItem(metadata, (int)fuzz_below(random, (size_t)n)) : NULL;
  const char* const old = cJSON_GetStringValue(item);
  size_t size = old ? strlen(old) : sizeof(text);
  if (size < sizeof(text)) {
    memcpy(text, old, size);
    for (size_t k = 1 + fuzz_below(random, 3); k > 0; --k) {
      size = fuzz_mutate_text(text, size, sizeof(text) - 1, words, random);
    }
    text[size] = '\0';
    (void)cJSON_SetValuestring(item, (const char*)text);
    set_header(p, document);
  }
  cJSON_Delete(document);
}

/* Bytes that an entry's dtype and shape ask for, or FUZZ_MOST where that is more. */
static size_t
entry_bytes(const cJSON* const entry)
{
  const char* const dtype = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "dtype"));
  double bytes = !dtype                ? 1.0
                 : strstr(dtype, "64") ? 8.0
                 : strstr(dtype, "32") ? 4.0
                 : strstr(dtype, "16") ? 2.0
                                       : 1.0;
  const cJSON* extent;
  cJSON_ArrayForEach(extent, cJSON_GetObjectItemCaseSensitive(entry, "shape"))
  {
    bytes *= cJSON_IsNumber(extent) ? extent->valuedouble : 1.0;
  }
  return bytes >= 0.0 && bytes < FUZZ_MOST ? (size_t)bytes : FUZZ_MOST;
}

/* Offsets one after the other, as dtypes and shapes ask for, and data to match. */
static void
fit(parts* const p)
{
  cJSON* const document = cJSON_ParseWithLength((const char*)p->header, p->length);
  size_t end = 0;
  cJSON* entry;
  cJSON_ArrayForEach(entry, document)
  {
    cJSON* const offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    if (cJSON_GetArraySize(offsets) == 2) {
      cJSON_SetNumberValue(cJSON_GetArrayItem(offsets, 0), (double)end);
      end += entry_bytes(entry);
      cJSON_SetNumberValue(cJSON_GetArrayItem(offsets, 1), (double)end);
    }
  }
  if (document && end < FUZZ_MOST) {
    set_header(p, document);
    p->bytes = end;
  }
  cJSON_Delete(document);
}

size_t
fuzz_tensors_mutate(uint8_t* const data, const size_t size, const size_t most,
                    uint64_t* const random)
{
  static parts p;
  if (size > FUZZ_MOST || !take_apart(data, size, &p) || fuzz_below(random, 16) == 0) {
    return fuzz_mutate_bytes(data, size, most, random);
  }
  if (fuzz_below(random, 3) == 0) {
    change_metadata(&p, random);
  } else {
    p.length = fuzz_mutate_text(p.header, p.length, sizeof(p.header), words, random);
  }
  if (fuzz_below(random, 3) > 0) {
    fit(&p);
  } else if (fuzz_below(random, 4) == 0) {
    p.bytes = fuzz_below(random, 2) == 0 ? p.bytes + 1 : p.bytes - (p.bytes > 0);
  }
  const uint64_t told =
      fuzz_below(random, 32) > 0 ? p.length : fuzz_bits(random) >> fuzz_below(random, 64);
  const size_t made = assemble(data, most, told, &p);
  return made > 0 ? made : size;
}
