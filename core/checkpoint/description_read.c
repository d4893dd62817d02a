/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every object must have exactly its members, names must be unique, and values must be in range.
   The callers check the description against the file's tensors and the installed plugins. */

#include "description.h"

#include "chain_text.h"
#include "file_dtype.h"
#include "json.h"
#include "sorted_names.h"
#include "spec_text.h"
#include "status.h"

#include <parametrize/chain.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 6, STAGES_MAX = 1024, TENSORS_MAX = 65536 };

/* Finds the members of an object. Fails if one is missing, unknown or repeated. */
static pz_status
members(const cJSON* const object, const char* const* const names, const uint32_t n,
        const cJSON** const out)
{
  if (!cJSON_IsObject(object)) {
    return pzi_fail(PZ_IO, "expected an object");
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
      return pzi_fail(PZ_IO, "\"%.100s\" appears twice", item->string);
    }
    out[k] = item;
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!out[k]) {
      return pzi_fail(PZ_IO, "member \"%s\" is missing", names[k]);
    }
  }
  return PZ_OK;
}

static pz_status
read_text(const cJSON* const item, const char* const what, const char** const out)
{
  if (!cJSON_IsString(item)) {
    return pzi_fail(PZ_IO, "\"%s\" is not a string", what);
  }
  *out = item->valuestring;
  return PZ_OK;
}

/* Allocates memory for the elements of an array. */
static pz_status
allocate(pzi_description* const description, const cJSON* const array, const size_t element,
         const size_t most, const char* const what, void* const out, size_t* const n)
{
  if (!cJSON_IsArray(array)) {
    return pzi_fail(PZ_IO, "\"%s\" is not an array", what);
  }
  const size_t count = (size_t)cJSON_GetArraySize(array);
  if (count > most) {
    return pzi_fail(PZ_IO, "\"%s\": found %zu, expected at most %zu", what, count, most);
  }
  void* const room = pzi_alloc_list_take(&description->allocs, (count + 1) * element);
  if (!room) {
    return pzi_no_memory((count + 1) * element);
  }
  memcpy(out, &room, sizeof(room));
  *n = count;
  return PZ_OK;
}

/* Reads an array of unique names; sorts them unless they are `ordered`. */
static pz_status
read_names(pzi_description* const description, const cJSON* const array, const char* const what,
           const bool ordered, const char*** const out, size_t* const n)
{
  const char** names = NULL;
  const char** sorted = NULL;
  PZ_TRY(allocate(description, array, sizeof(*names), SIZE_MAX, what, &names, n));
  size_t k = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, array)
  {
    PZ_TRY(read_text(item, what, &names[k++]));
  }
  *out = names;
  sorted = names;
  if (ordered) {
    sorted = malloc((*n + 1) * sizeof(*sorted));
    if (!sorted) {
      return pzi_no_memory((*n + 1) * sizeof(*sorted));
    }
    memcpy(sorted, names, *n * sizeof(*names));
  }
  const char* const twice = pzi_sorted_names_sort(sorted, *n);
  if (ordered) {
    free(sorted);
  }
  return twice ? pzi_fail(PZ_IO, "\"%s\": \"%.100s\" appears twice", what, twice) : PZ_OK;
}

/* ---- chains ----------------------------------------------------------------- */

static pz_status
read_spec(const cJSON* const dtype, const cJSON* const shape, pz_spec* const out)
{
  const char* text = NULL;
  const char* name = NULL;
  *out = (pz_spec){0};
  PZ_TRY(read_text(dtype, "dtype", &text));
  out->dtype = pzi_file_dtype_parse(text);
  if (out->dtype == 0) {
    return pzi_fail(PZ_IO, "found dtype \"%.32s\", expected F32, F64 or I64", text);
  }
  PZ_TRY(pzi_json_shape(shape, out));
  const uint32_t bits = pzi_file_dtype_bits(text, &name);
  return pzi_file_dtype_bytes((size_t)out->ndim, out->shape, bits) <= INT64_MAX / 4
             ? PZ_OK
             : pzi_fail(PZ_IO, "the tensor is too large");
}

/* Reads 16 hexadecimal digits, not all zero. */
static bool
read_draw(const char* const text, uint64_t* const out)
{
  if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
    return false;
  }
  *out = strtoull(text, NULL, 16);
  return *out != 0;
}

/* The text must be one stage with the given id; its "<tensor>" options must be those listed. */
static pz_status
check_stage(const pzi_saved_stage* const stage)
{
  pzi_chain_words* words = NULL;
  const pz_status status = pzi_chain_text_parse(stage->text, &words);
  if (status != PZ_OK) {
    return pzi_fail(status == PZ_INVALID ? PZ_IO : status, "%s", pz_error_message());
  }
  bool good = words->n_stages == 1 && strcmp(words->stages[0].id, stage->id) == 0;
  uint32_t n_tensors = 0;
  for (uint32_t k = 0; good && k < words->stages[0].n_options; ++k) {
    const pzi_option_words* const option = &words->stages[0].options[k];
    const bool is_tensor = strcmp(option->value, "<tensor>") == 0;
    n_tensors += is_tensor;
    good = !is_tensor || pzi_sorted_names_has(stage->options, stage->n_options, option->name);
  }
  good = good && n_tensors == stage->n_options;
  free(words);
  return good ? PZ_OK
              : pzi_fail(PZ_IO,
                         "\"%.200s\" is not one parametrization \"%.100s\" with its tensor options",
                         stage->text, stage->id);
}

static pz_status
read_stage(pzi_description* const description, const cJSON* const item, pzi_saved_stage* const out)
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
  PZ_TRY(read_names(description, found[4], "options", false, &out->options, &n));
  out->n_options = (uint32_t)n;
  if (!read_draw(draw, &out->draw)) {
    return pzi_fail(PZ_IO, "found draw \"%.32s\", expected 16 hexadecimal digits, not all zero",
                    draw);
  }
  return check_stage(out);
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
  for (uint32_t k = PZ_GENERAL; k <= PZ_DIAGONAL; ++k) {
    if (strcmp(structure, pzi_spec_text_structure(k)) == 0) {
      out->structure = k;
      return PZ_OK;
    }
  }
  out->structure = PZ_GENERAL; // a later version may know more
  return PZ_OK;
}

static pz_status
read_tensors(pzi_description* const description, const cJSON* const array,
             pzi_saved_chain* const out)
{
  size_t n = 0;
  const cJSON* item;
  PZ_TRY(allocate(description, array, sizeof(*out->tensors), TENSORS_MAX, "tensors", &out->tensors,
                  &n));
  cJSON_ArrayForEach(item, array)
  {
    pzi_saved_tensor* const tensor = &out->tensors[out->n_tensors];
    PZ_TRY(pzi_fail_prefix(read_tensor(item, tensor), "tensor %u", (unsigned)out->n_tensors));
    if (out->n_tensors > 0 && tensor->role < tensor[-1].role) {
      return pzi_fail(PZ_IO, "\"%.100s\": expected originals, then parameters, then buffers",
                      tensor->name);
    }
    out->n_originals += tensor->role == PZ_ORIGINAL;
    ++out->n_tensors;
  }
  return out->n_originals > 0 ? PZ_OK : pzi_fail(PZ_IO, "expected at least one original");
}

static pz_status
read_chain(pzi_description* const description, const cJSON* const object,
           pzi_saved_chain* const out)
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
  PZ_TRY(
      allocate(description, found[1], sizeof(*out->stages), STAGES_MAX, "maps", &out->stages, &n));
  cJSON_ArrayForEach(item, found[1])
  {
    PZ_TRY(pzi_fail_prefix(read_stage(description, item, &out->stages[out->n_stages]),
                           "parametrization %u", (unsigned)out->n_stages));
    ++out->n_stages;
  }
  if (out->n_stages == 0) {
    return pzi_fail(PZ_IO, "expected at least one parametrization");
  }
  PZ_TRY(read_tensors(description, found[2], out));
  return pzi_fail_prefix(read_value(found[3], &out->value), "value");
}

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const pzi_saved_chain*)a)->path, ((const pzi_saved_chain*)b)->path);
}

static pz_status
read_chains(pzi_description* const description, const cJSON* const object)
{
  if (!cJSON_IsObject(object)) {
    return pzi_fail(PZ_IO, "\"lists\" is not an object");
  }
  PZ_TRY(pzi_json_unique(object));
  const size_t bytes = ((size_t)cJSON_GetArraySize(object) + 1) * sizeof(*description->chains);
  description->chains = pzi_alloc_list_take(&description->allocs, bytes);
  if (!description->chains) {
    return pzi_no_memory(bytes);
  }
  const cJSON* item;
  cJSON_ArrayForEach(item, object)
  {
    pzi_saved_chain* const chain = &description->chains[description->n_chains++];
    chain->path = item->string;
    PZ_TRY(pzi_fail_prefix(read_chain(description, item, chain), "\"%.100s\"", item->string));
  }
  qsort(description->chains, description->n_chains, sizeof(*description->chains), by_path);
  return PZ_OK;
}

/* ---- descriptions ----------------------------------------------------------- */

static pz_status
read_modules(pzi_description* const description, const cJSON* const array)
{
  static const char* const names[] = {"path", "type", "tensors"};
  size_t n = 0;
  const cJSON* item;
  PZ_TRY(allocate(description, array, sizeof(*description->modules), SIZE_MAX, "modules",
                  &description->modules, &n));
  cJSON_ArrayForEach(item, array)
  {
    const cJSON* found[3];
    pzi_saved_module* const one = &description->modules[description->n_modules];
    pz_status status = members(item, names, 3, found);
    status = status == PZ_OK ? read_text(found[0], "path", &one->path) : status;
    status = status == PZ_OK ? read_text(found[1], "type", &one->type) : status;
    status = status == PZ_OK ? read_names(description, found[2], "tensors", true, &one->tensors,
                                          &one->n_tensors)
                             : status;
    PZ_TRY(pzi_fail_prefix(status, "module %zu", description->n_modules));
    ++description->n_modules;
  }
  return description->n_modules > 0 && description->modules[0].path[0] == '\0'
             ? PZ_OK
             : pzi_fail(PZ_IO, "\"modules\" does not begin with the path \"\"");
}

static pz_status
read_document(pzi_description* const description)
{
  static const char* const of_module[] = {"format", "modules", "buffers", "frozen", "lists"};
  static const char* const of_state[] = {"format", "chain"};
  const cJSON* found[5];
  uint64_t format = 0;
  const cJSON* const number = cJSON_GetObjectItemCaseSensitive(description->document, "format");
  if (!pzi_json_count(number, &format) || format != 1) {
    return pzi_fail(PZ_IO, "expected a description of format 1");
  }
  if (cJSON_GetObjectItemCaseSensitive(description->document, "chain")) {
    description->state = pzi_alloc_list_take(&description->allocs, sizeof(*description->state));
    if (!description->state) {
      return pzi_no_memory(sizeof(*description->state));
    }
    PZ_TRY(members(description->document, of_state, 2, found));
    return pzi_fail_prefix(read_chain(description, found[1], description->state), "chain");
  }
  PZ_TRY(members(description->document, of_module, 5, found));
  PZ_TRY(read_modules(description, found[1]));
  PZ_TRY(read_names(description, found[2], "buffers", false, &description->buffers,
                    &description->n_buffers));
  PZ_TRY(read_names(description, found[3], "frozen", false, &description->frozen,
                    &description->n_frozen));
  return read_chains(description, found[4]);
}

pz_status
pzi_description_parse(const char* const text, pzi_description* const out)
{
  pzi_description description = {0};
  pz_status status = pzi_json_parse(text, strlen(text), DEPTH_MAX, PZI_JSON_WHOLE_NUMBERS,
                                    "the description", &description.document);
  if (status == PZ_OK) {
    status = read_document(&description);
  }
  if (status != PZ_OK) {
    pzi_description_cleanup(&description);
    return pzi_fail_prefix(status, "__metadata__: \"" PZI_DESCRIPTION_KEY "\"");
  }
  *out = description;
  return PZ_OK;
}

void
pzi_description_cleanup(pzi_description* const description)
{
  cJSON_Delete(description->document);
  pzi_alloc_list_cleanup(&description->allocs);
  memset(description, 0, sizeof(*description));
}
