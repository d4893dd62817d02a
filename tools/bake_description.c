/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A file of the library says which tensors are of which module, which are buffers and which are frozen
   (docs/files.md). The new file says the same, without the chains: as that of a module which was folded
   and saved. A value is frozen if its originals are. The library has checked the old description. */

#include "bake.h"
#include "say.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* Items sorted by name: members of an object, or texts of an array. */
typedef struct sorted {
  const cJSON** all;
  size_t n;
} sorted;

static const char*
name_of(const cJSON* const item)
{
  return item->string ? item->string : item->valuestring;
}

static int
by_name(const void* const a, const void* const b)
{
  return strcmp(name_of(*(const cJSON* const*)a), name_of(*(const cJSON* const*)b));
}

static bool
sort(const cJSON* const items, sorted* const out)
{
  const cJSON* item = NULL;
  out->n = 0;
  out->all = calloc((size_t)cJSON_GetArraySize(items) + 1, sizeof(*out->all));
  if (out->all == NULL) {
    return false;
  }
  cJSON_ArrayForEach(item, items)
  {
    out->all[out->n++] = item;
  }
  qsort(out->all, out->n, sizeof(*out->all), by_name);
  return true;
}

static const cJSON*
find(const sorted* const items, const char* const name)
{
  size_t low = 0;
  size_t high = items->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = strcmp(name_of(items->all[middle]), name);
    if (order == 0) {
      return items->all[middle];
    }
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return NULL;
}

static const cJSON*
member(const cJSON* const object, const char* const name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* The full names of the tensors and values of all modules, in their order. */
static cJSON*
names_of(const cJSON* const modules, texts* const t)
{
  cJSON* const names = cJSON_CreateArray();
  const cJSON* module = NULL;
  const cJSON* tensor = NULL;
  cJSON_ArrayForEach(module, modules)
  {
    const char* const path = cJSON_GetStringValue(member(module, "path"));
    cJSON_ArrayForEach(tensor, member(module, "tensors"))
    {
      const char* const name = cJSON_GetStringValue(tensor);
      const char* const full = texts_add(t, "%s%s%s", path, *path != '\0' ? "." : "", name);
      (void)cJSON_AddItemToArray(names, cJSON_CreateString(full));
    }
  }
  return names;
}

/* Is a tensor frozen, or are all originals of a value? */
static bool
is_frozen(const sorted* const chains, const sorted* const frozen, const char* const path,
          texts* const t)
{
  const cJSON* const chain = find(chains, path);
  const char* const dot = strrchr(path, '.');
  const char* const name = dot ? dot + 1 : path;
  const cJSON* tensor = NULL;
  if (chain == NULL) {
    return find(frozen, path) != NULL;
  }
  cJSON_ArrayForEach(tensor, member(chain, "tensors"))
  {
    if (strcmp(cJSON_GetStringValue(member(tensor, "role")), "original") == 0 &&
        !is_frozen(chains, frozen,
                   texts_add(t, "%.*sparametrizations.%s.%s", (int)(name - path), path, name,
                             cJSON_GetStringValue(member(tensor, "name"))),
                   t)) {
      return false;
    }
  }
  return true;
}

/* Replaces the chains by none, and the frozen tensors by those of the new file. */
static bool
fold(cJSON* const description, const cJSON* const names, const sorted* const buffers,
     texts* const t)
{
  sorted chains = {0};
  sorted frozen = {0};
  cJSON* const still = cJSON_CreateArray();
  const cJSON* name = NULL;
  const bool fine =
      sort(member(description, "lists"), &chains) && sort(member(description, "frozen"), &frozen);
  cJSON_ArrayForEach(name, names)
  {
    if (fine && find(buffers, name->valuestring) == NULL &&
        is_frozen(&chains, &frozen, name->valuestring, t)) {
      (void)cJSON_AddItemToArray(still, cJSON_CreateString(name->valuestring));
    }
  }
  free(chains.all);
  free(frozen.all);
  (void)cJSON_ReplaceItemInObjectCaseSensitive(description, "lists", cJSON_CreateObject());
  (void)cJSON_ReplaceItemInObjectCaseSensitive(description, "frozen", still);
  return fine;
}

/* Has the new file exactly the tensors that the description names? */
static bool
is_whole(const bake_plan* const p, const sorted* const names)
{
  bool same = p->n == names->n;
  for (size_t k = 0; k < p->n && same; ++k) {
    same = find(names, p->tensors[k].name) != NULL;
  }
  return same;
}

bool
bake_description_make(bake_plan* const p, const char* const text)
{
  texts* const t = &p->model.input.texts;
  cJSON* const description = cJSON_Parse(text);
  cJSON* const list = names_of(member(description, "modules"), t);
  sorted names = {0};
  sorted buffers = {0};
  bool fine = description != NULL && list != NULL && sort(list, &names) &&
              sort(member(description, "buffers"), &buffers);
  if (fine && member(description, "lists") != NULL && is_whole(p, &names)) {
    fine = fold(description, list, &buffers, t);
    p->description = fine ? cJSON_PrintUnformatted(description) : NULL;
    fine = p->description != NULL;
  }
  fine = fine && !t->failed;
  free(names.all);
  free(buffers.all);
  cJSON_Delete(list);
  cJSON_Delete(description);
  return fine || (say_no_memory(p->model.path), false);
}
