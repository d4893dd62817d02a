/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every object has exactly the members it should; names are there once; whatever has a range
   is inside it. Whether the description fits the tensors of the file, and the maps that are
   installed, is for those who use it. */

#include "description.h"

#include "chain_text.h"
#include "json.h"
#include "safetensors.h"
#include "status.h"

#include <parametrize/chain.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 6, MAPS_MAX = 1024, TENSORS_MAX = 65536 };

/* Finds the named members of an object, which has no others. */
static pz_status
members(const cJSON* const object, const char* const* const names, const uint32_t n,
        const cJSON** const out)
{
  if (!cJSON_IsObject(object)) {
    return pzi_fail(PZ_IO, "found something else than an object");
  }
  for (uint32_t k = 0; k < n; ++k) {
    out[k] = NULL;
  }
  const cJSON* item;
  cJSON_ArrayForEach(item, object)
  {
    uint32_t k = 0;
    while (k < n && strcmp(names[k], item->string) != 0) {
      ++k;
    }
    if (k == n) {
      return pzi_fail(PZ_IO, "unknown member \"%.100s\"", item->string);
    }
    if (out[k]) {
      return pzi_fail(PZ_IO, "\"%.100s\" is there twice", item->string);
    }
    out[k] = item;
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!out[k]) {
      return pzi_fail(PZ_IO, "found no member \"%s\"", names[k]);
    }
  }
  return PZ_OK;
}

static pz_status
read_text(const cJSON* const item, const char* const what, const char** const out)
{
  if (!cJSON_IsString(item)) {
    return pzi_fail(PZ_IO, "\"%s\" is not a text", what);
  }
  *out = item->valuestring;
  return PZ_OK;
}

/* Room for the elements of an array. */
static pz_status
take_room(pzi_saved_file* const saved, const cJSON* const array, const size_t element,
          const size_t most, const char* const what, void* const out, size_t* const n)
{
  if (!cJSON_IsArray(array)) {
    return pzi_fail(PZ_IO, "\"%s\" is not a list", what);
  }
  const size_t count = (size_t)cJSON_GetArraySize(array);
  if (count > most) {
    return pzi_fail(PZ_IO, "\"%s\": found %zu, expected at most %zu", what, count, most);
  }
  void* const room = pzi_pool_take(&saved->pool, (count + 1) * element);
  if (!room) {
    return pzi_no_memory((count + 1) * element);
  }
  memcpy(out, &room, sizeof(room));
  *n = count;
  return PZ_OK;
}

static int
by_text(const void* const a, const void* const b)
{
  return strcmp(*(const char* const*)a, *(const char* const*)b);
}

/* A list of texts, each there once; sorted where the order means nothing. */
static pz_status
read_names(pzi_saved_file* const saved, const cJSON* const array, const char* const what,
           const bool ordered, const char*** const out, size_t* const n)
{
  const char** names = NULL;
  const char** sorted = NULL;
  PZ_TRY(take_room(saved, array, sizeof(*names), SIZE_MAX, what, &names, n));
  size_t k = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, array)
  {
    PZ_TRY(read_text(item, what, &names[k++]));
  }
  sorted = malloc((*n + 1) * sizeof(*sorted));
  if (!sorted) {
    return pzi_no_memory((*n + 1) * sizeof(*sorted));
  }
  memcpy(sorted, names, *n * sizeof(*names));
  qsort(sorted, *n, sizeof(*sorted), by_text);
  pz_status status = PZ_OK;
  for (k = 1; k < *n && status == PZ_OK; ++k) {
    if (strcmp(sorted[k - 1], sorted[k]) == 0) {
      status = pzi_fail(PZ_IO, "\"%s\": \"%.100s\" is there twice", what, sorted[k]);
    }
  }
  if (!ordered) {
    memcpy(names, sorted, *n * sizeof(*names));
  }
  free(sorted);
  *out = names;
  return status;
}

/* ---- lists ------------------------------------------------------------------ */

static pz_status
read_spec(const cJSON* const dtype, const cJSON* const shape, pz_spec* const out)
{
  const char* text = NULL;
  const char* name = NULL;
  *out = (pz_spec){0};
  PZ_TRY(read_text(dtype, "dtype", &text));
  out->dtype = pzi_dtype_of(text);
  if (out->dtype == 0) {
    return pzi_fail(PZ_IO, "found dtype \"%.32s\", expected F32, F64 or I64", text);
  }
  if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > PZ_MAX_DIMS) {
    return pzi_fail(PZ_IO, "\"shape\" is not a list of at most %d", PZ_MAX_DIMS);
  }
  const cJSON* extent;
  cJSON_ArrayForEach(extent, shape)
  {
    uint64_t n;
    if (!pzi_json_count(extent, &n)) {
      return pzi_fail(PZ_IO, "an extent is not a whole number from 0 to 2^53");
    }
    out->shape[out->ndim++] = (int64_t)n;
  }
  const uint32_t bits = pzi_dtype_bits(text, &name);
  return pzi_shape_bytes(out, bits) <= INT64_MAX / 4
             ? PZ_OK
             : pzi_fail(PZ_IO, "more bytes than a tensor can have");
}

/* 16 hexadecimal digits, not all zero. */
static bool
read_draw(const char* const text, uint64_t* const out)
{
  if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
    return false;
  }
  *out = strtoull(text, NULL, 16);
  return *out != 0;
}

/* One map in the grammar of chains, of the id it says; every "<tensor>" among the options. */
static pz_status
check_map(const pzi_saved_map* const map)
{
  pzi_chain_words* words = NULL;
  const pz_status status = pzi_chain_parse(map->text, &words);
  if (status != PZ_OK) {
    return pzi_fail(status == PZ_INVALID ? PZ_IO : status, "%s", pz_error_message());
  }
  bool good = words->n_stages == 1 && strcmp(words->stages[0].id, map->id) == 0;
  uint32_t n_tensors = 0;
  for (uint32_t k = 0; good && k < words->stages[0].n_options; ++k) {
    const pzi_option_words* const option = &words->stages[0].options[k];
    const bool is_tensor = strcmp(option->value, "<tensor>") == 0;
    n_tensors += is_tensor;
    good = !is_tensor || pzi_saved_is(map->options, map->n_options, option->name);
  }
  good = good && n_tensors == map->n_options;
  free(words);
  return good ? PZ_OK
              : pzi_fail(PZ_IO, "\"%.200s\" is not one map \"%.100s\" with its tensor options",
                         map->text, map->id);
}

static pz_status
read_map(pzi_saved_file* const saved, const cJSON* const item, pzi_saved_map* const out)
{
  static const char* const names[] = {"map", "id", "version", "draw", "options"};
  const cJSON* found[5];
  const char* draw = NULL;
  size_t n = 0;
  PZ_TRY(members(item, names, 5, found));
  PZ_TRY(read_text(found[0], "map", &out->text));
  PZ_TRY(read_text(found[1], "id", &out->id));
  PZ_TRY(read_text(found[2], "version", &out->version));
  PZ_TRY(read_text(found[3], "draw", &draw));
  PZ_TRY(read_names(saved, found[4], "options", false, &out->options, &n));
  out->n_options = (uint32_t)n;
  if (!read_draw(draw, &out->draw)) {
    return pzi_fail(PZ_IO, "found draw \"%.32s\", expected 16 hexadecimal digits, not all zero",
                    draw);
  }
  return check_map(out);
}

static pz_status
read_tensor(const cJSON* const item, pzi_saved_tensor* const out)
{
  static const char* const names[] = {"name", "role", "dtype", "shape"};
  static const char* const roles[] = {"", "original", "parameter", "buffer"};
  const cJSON* found[4];
  const char* role = NULL;
  PZ_TRY(members(item, names, 4, found));
  PZ_TRY(read_text(found[0], "name", &out->name));
  PZ_TRY(read_text(found[1], "role", &role));
  for (uint32_t k = PZ_ORIGINAL; k <= PZ_STATE_BUFFER; ++k) {
    out->role = strcmp(role, roles[k]) == 0 ? k : out->role;
  }
  if (out->role == 0) {
    return pzi_fail(PZ_IO, "found role \"%.32s\", expected original, parameter or buffer", role);
  }
  return pzi_fail_prefix(read_spec(found[2], found[3], &out->spec), "\"%.100s\"", out->name);
}

static pz_status
read_value(const cJSON* const item, pz_spec* const out)
{
  static const char* const names[] = {"dtype", "shape", "structure"};
  const cJSON* found[3];
  const char* structure = NULL;
  PZ_TRY(members(item, names, 3, found));
  PZ_TRY(read_spec(found[0], found[1], out));
  PZ_TRY(read_text(found[2], "structure", &structure));
  for (uint32_t k = PZ_GENERAL; k <= PZ_ORTHOGONAL; ++k) {
    if (strcmp(structure, pzi_structure_text(k)) == 0) {
      out->structure = k;
      return PZ_OK;
    }
  }
  return pzi_fail(PZ_IO, "unknown structure \"%.32s\"", structure);
}

static pz_status
read_tensors(pzi_saved_file* const saved, const cJSON* const array, pzi_saved_list* const out)
{
  size_t n = 0;
  const cJSON* item;
  PZ_TRY(take_room(saved, array, sizeof(*out->tensors), TENSORS_MAX, "tensors", &out->tensors, &n));
  cJSON_ArrayForEach(item, array)
  {
    pzi_saved_tensor* const tensor = &out->tensors[out->n_tensors];
    PZ_TRY(pzi_fail_prefix(read_tensor(item, tensor), "tensor %u", (unsigned)out->n_tensors));
    if (out->n_tensors > 0 && tensor->role < tensor[-1].role) {
      return pzi_fail(PZ_IO, "\"%.100s\": originals, parameters, buffers are not in this order",
                      tensor->name);
    }
    out->n_originals += tensor->role == PZ_ORIGINAL;
    ++out->n_tensors;
  }
  return out->n_originals > 0 ? PZ_OK : pzi_fail(PZ_IO, "found no original");
}

static pz_status
read_list(pzi_saved_file* const saved, const cJSON* const object, pzi_saved_list* const out)
{
  static const char* const names[] = {"direction", "maps", "tensors", "value"};
  const cJSON* found[4];
  const char* direction = NULL;
  size_t n = 0;
  const cJSON* item;
  PZ_TRY(members(object, names, 4, found));
  PZ_TRY(read_text(found[0], "direction", &direction));
  out->direction = strcmp(direction, "tensor") == 0  ? PZ_FROM_TENSOR
                   : strcmp(direction, "input") == 0 ? PZ_FROM_INPUT
                                                     : 0;
  if (out->direction == 0) {
    return pzi_fail(PZ_IO, "found direction \"%.32s\", expected tensor or input", direction);
  }
  PZ_TRY(take_room(saved, found[1], sizeof(*out->maps), MAPS_MAX, "maps", &out->maps, &n));
  cJSON_ArrayForEach(item, found[1])
  {
    PZ_TRY(pzi_fail_prefix(read_map(saved, item, &out->maps[out->n_maps]), "map %u",
                           (unsigned)out->n_maps));
    ++out->n_maps;
  }
  if (out->n_maps == 0) {
    return pzi_fail(PZ_IO, "found no map");
  }
  PZ_TRY(read_tensors(saved, found[2], out));
  return pzi_fail_prefix(read_value(found[3], &out->value), "value");
}

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const pzi_saved_list*)a)->path, ((const pzi_saved_list*)b)->path);
}

static pz_status
read_lists(pzi_saved_file* const saved, const cJSON* const object)
{
  if (!cJSON_IsObject(object)) {
    return pzi_fail(PZ_IO, "\"lists\" is not an object");
  }
  PZ_TRY(pzi_json_unique(object));
  const size_t bytes = ((size_t)cJSON_GetArraySize(object) + 1) * sizeof(*saved->lists);
  saved->lists = pzi_pool_take(&saved->pool, bytes);
  if (!saved->lists) {
    return pzi_no_memory(bytes);
  }
  const cJSON* item;
  cJSON_ArrayForEach(item, object)
  {
    pzi_saved_list* const list = &saved->lists[saved->n_lists++];
    list->path = item->string;
    PZ_TRY(pzi_fail_prefix(read_list(saved, item, list), "\"%.100s\"", item->string));
  }
  qsort(saved->lists, saved->n_lists, sizeof(*saved->lists), by_path);
  return PZ_OK;
}

/* ---- the whole -------------------------------------------------------------- */

static pz_status
read_modules(pzi_saved_file* const saved, const cJSON* const array)
{
  static const char* const names[] = {"path", "type", "tensors"};
  size_t n = 0;
  const cJSON* item;
  PZ_TRY(
      take_room(saved, array, sizeof(*saved->modules), SIZE_MAX, "modules", &saved->modules, &n));
  cJSON_ArrayForEach(item, array)
  {
    const cJSON* found[3];
    pzi_saved_module* const one = &saved->modules[saved->n_modules];
    pz_status status = members(item, names, 3, found);
    status = status == PZ_OK ? read_text(found[0], "path", &one->path) : status;
    status = status == PZ_OK ? read_text(found[1], "type", &one->type) : status;
    status = status == PZ_OK
                 ? read_names(saved, found[2], "tensors", true, &one->tensors, &one->n_tensors)
                 : status;
    PZ_TRY(pzi_fail_prefix(status, "module %zu", saved->n_modules));
    ++saved->n_modules;
  }
  return saved->n_modules > 0 && saved->modules[0].path[0] == '\0'
             ? PZ_OK
             : pzi_fail(PZ_IO, "\"modules\" does not begin with path \"\"");
}

static pz_status
read_document(pzi_saved_file* const saved)
{
  static const char* const of_module[] = {"format", "modules", "buffers", "frozen", "lists"};
  static const char* const of_state[] = {"format", "chain"};
  const cJSON* found[5];
  uint64_t format = 0;
  const cJSON* const number = cJSON_GetObjectItemCaseSensitive(saved->document, "format");
  if (!pzi_json_count(number, &format) || format != 1) {
    return pzi_fail(PZ_IO, "the description is not of format 1");
  }
  if (cJSON_GetObjectItemCaseSensitive(saved->document, "chain")) {
    pzi_saved_list list = {0};
    PZ_TRY(members(saved->document, of_state, 2, found));
    return pzi_fail_prefix(read_list(saved, found[1], &list), "chain");
  }
  PZ_TRY(members(saved->document, of_module, 5, found));
  PZ_TRY(read_modules(saved, found[1]));
  PZ_TRY(read_names(saved, found[2], "buffers", false, &saved->buffers, &saved->n_buffers));
  PZ_TRY(read_names(saved, found[3], "frozen", false, &saved->frozen, &saved->n_frozen));
  return read_lists(saved, found[4]);
}

pz_status
pzi_saved_parse(const char* const text, pzi_saved_file* const out)
{
  pzi_saved_file saved = {0};
  pz_status status =
      pzi_json_parse(text, strlen(text), DEPTH_MAX, "the description", &saved.document);
  if (status == PZ_OK) {
    status = read_document(&saved);
  }
  if (status != PZ_OK) {
    pzi_saved_cleanup(&saved);
    return pzi_fail_prefix(status, "__metadata__: \"" PZI_SAVED_KEY "\"");
  }
  *out = saved;
  return PZ_OK;
}

void
pzi_saved_cleanup(pzi_saved_file* const saved)
{
  cJSON_Delete(saved->document);
  pzi_pool_cleanup(&saved->pool);
  memset(saved, 0, sizeof(*saved));
}

const pzi_saved_list*
pzi_saved_find(const pzi_saved_file* const saved, const char* const path)
{
  const pzi_saved_list key = {.path = path};
  return saved->n_lists > 0
             ? bsearch(&key, saved->lists, saved->n_lists, sizeof(*saved->lists), by_path)
             : NULL;
}

bool
pzi_saved_is(const char* const* const names, const size_t n, const char* const name)
{
  return n > 0 && bsearch(&name, names, n, sizeof(*names), by_text) != NULL;
}
