/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parametrized values of a file. A description says them; files of others are told by
   their names, which PyTorch makes thus (P. and <...> may be missing):

     P.parametrizations.T.original                     the original of P.T
     P.parametrizations.T.original0, ...1              its originals
     P.parametrizations.T.<i>.<name>                   a tensor of its map i

   P may itself end in such a name: then the list is on a tensor of another list,
   "parametrizations.weight.parametrizations.original.original" on
   "parametrizations.weight.original". A list that has one on each of its tensors has no
   entry of its own, and follows from that. */

#include "file.h"

#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS "parametrizations."

/* Names that go deeper, or are longer, are those of plain tensors: what a file says must not
   take more than a few passes over it. */
enum { NESTED_MAX = 16, NAME_MAX_BYTES = 4096 };

/* ---- names ------------------------------------------------------------------ */

/* "original", "original7", "2.mask": does a list have tensors of this name? */
static bool
is_of_list(const char* const name)
{
  static const char original[] = "original";
  const size_t head = sizeof(original) - 1;
  const char* const digits = strncmp(name, original, head) == 0 ? name + head : name;
  const size_t n = strspn(digits, "0123456789");
  if (n > 9) {
    return false;
  }
  return digits == name ? n > 0 && name[n] == '.' && name[n + 1] != '\0' : digits[n] == '\0';
}

/* The end of the value's name that begins at `at`: before ".original", say. */
static const char*
end_of_value(const char* const at)
{
  const char* const dot = strchr(at, '.');
  return dot && dot != at && is_of_list(dot + 1) ? dot : NULL;
}

size_t
pzi_list_of_name(const char* const name, char* const path)
{
  const char* at = NULL; /* the last "parametrizations." */
  const char* end = NULL;
  for (const char* p = strstr(name, LISTS); p; p = strstr(p + 1, LISTS)) {
    const char* const stop = p == name || p[-1] == '.' ? end_of_value(p + sizeof(LISTS) - 1) : NULL;
    if (stop) {
      at = p;
      end = stop;
    }
  }
  if (!at || strlen(name) > NAME_MAX_BYTES) {
    return 0;
  }
  const char* const value = at + sizeof(LISTS) - 1;
  memcpy(path, name, (size_t)(at - name));
  memcpy(path + (at - name), value, (size_t)(end - value));
  path[(at - name) + (end - value)] = '\0';
  return (size_t)(end - name) + 1;
}

char*
pzi_option_name(pzi_pool* const pool, const char* const module, const size_t n_module,
                const char* const list, const size_t n_list, const uint32_t map,
                const char* const option)
{
  const size_t folder = n_module + n_list;
  const size_t bytes = folder + strlen(option) + sizeof("4294967295.options.");
  char* const name = pzi_pool_take(pool, bytes);
  if (name) {
    memcpy(name, module, n_module);
    memcpy(name + n_module, list, n_list);
    snprintf(name + folder, bytes - folder, "%u.options.%s", (unsigned)map, option);
  }
  return name;
}

/* ---- lists ------------------------------------------------------------------ */

typedef struct growing {
  pzi_file_list* data;
  size_t n;
  size_t capacity;
} growing;

static pz_status
push(growing* const lists, const pzi_file_list* const list)
{
  if (lists->n == lists->capacity) {
    const size_t capacity = 2 * lists->capacity + 16;
    pzi_file_list* const data = realloc(lists->data, capacity * sizeof(*data));
    if (!data) {
      return pzi_no_memory(capacity * sizeof(*data));
    }
    lists->data = data;
    lists->capacity = capacity;
  }
  lists->data[lists->n++] = *list;
  return PZ_OK;
}

/* The lists that a tensor's name says: its own, and those around it. */
static pz_status
push_by_name(pz_file* const file, const char* const name, char* const path, char* const rest,
             growing* const lists)
{
  strcpy(rest, name);
  for (int nested = 0; nested < NESTED_MAX; ++nested, strcpy(rest, path)) {
    const size_t length = pzi_list_of_name(rest, path);
    if (length == 0) {
      break;
    }
    const pzi_file_list* const before = lists->n > 0 ? &lists->data[lists->n - 1] : NULL;
    const pzi_file_list list = {.n_tensors = 1};
    if (before && strcmp(before->path, path) == 0) {
      ++lists->data[lists->n - 1].n_tensors; /* neighbours are often of one list */
      continue;
    }
    PZ_TRY(push(lists, &list));
    pzi_file_list* const made = &lists->data[lists->n - 1];
    made->path = pzi_pool_text(&file->pool, path, strlen(path));
    made->prefix = pzi_pool_text(&file->pool, rest, length);
    if (!made->path || !made->prefix) {
      return pzi_no_memory(length);
    }
  }
  return PZ_OK;
}

char*
pzi_tensors_prefix(pzi_pool* const pool, const char* const path)
{
  const char* const dot = strrchr(path, '.');
  const size_t folder = dot ? (size_t)(dot + 1 - path) : 0;
  char* const prefix = pzi_pool_take(pool, strlen(path) + sizeof(LISTS) + 1); /* a dot and the 0 */
  if (prefix) {
    memcpy(prefix, path, folder);
    strcpy(prefix + folder, LISTS);
    strcat(prefix, path + folder);
    strcat(prefix, ".");
  }
  return prefix;
}

/* Texts for a list that the file describes. */
static pz_status
describe(pz_file* const file, pzi_file_list* const list)
{
  const pzi_saved_list* const saved = list->saved;
  for (int plugins = 0; plugins <= 1; ++plugins) {
    pzi_text text = {0};
    char* made = NULL;
    for (uint32_t k = 0; k < saved->n_maps; ++k) {
      const pzi_saved_map* const map = &saved->maps[k];
      pzi_text_add(&text, k == 0 ? "" : plugins ? ", " : ",");
      pzi_text_add(&text, plugins ? map->id : map->text);
      pzi_text_add(&text, plugins ? " " : "");
      pzi_text_add(&text, plugins ? map->version : "");
    }
    PZ_TRY(pzi_text_finish(&text, &made));
    char** const place = plugins ? &list->plugins : &list->text;
    *place = pzi_pool_text(&file->pool, made, strlen(made));
    free(made);
    if (!*place) {
      return pzi_no_memory(1);
    }
  }
  return PZ_OK;
}

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const pzi_file_list*)a)->path, ((const pzi_file_list*)b)->path);
}

/* Sorts the lists and makes one of those on the same value. */
static void
merge(growing* const lists)
{
  size_t n = 0;
  if (lists->n > 0) {
    qsort(lists->data, lists->n, sizeof(*lists->data), by_path);
  }
  for (size_t k = 0; k < lists->n; ++k) {
    const pzi_file_list* const list = &lists->data[k];
    if (n == 0 || by_path(&lists->data[n - 1], list) != 0) {
      lists->data[n++] = *list;
      continue;
    }
    pzi_file_list* const first = &lists->data[n - 1];
    first->n_tensors += list->n_tensors;
    first->saved = list->saved ? list->saved : first->saved;
  }
  lists->n = n;
}

static pz_status
collect(pz_file* const file, char* const path, char* const rest, growing* const lists)
{
  const pzi_header* const header = &file->header;
  for (size_t k = 0; k < header->n_tensors; ++k) {
    PZ_TRY(push_by_name(file, header->tensors[k].name, path, rest, lists));
  }
  for (size_t k = 0; k < file->saved.n_lists; ++k) {
    const pzi_saved_list* const saved = &file->saved.lists[k];
    const pzi_file_list list = {.path = saved->path,
                                .saved = saved,
                                .prefix = pzi_tensors_prefix(&file->pool, saved->path)};
    if (!list.prefix) {
      return pzi_no_memory(strlen(saved->path));
    }
    PZ_TRY(push(lists, &list));
  }
  merge(lists);
  for (size_t k = 0; k < lists->n; ++k) {
    if (lists->data[k].saved) {
      PZ_TRY(describe(file, &lists->data[k]));
    }
  }
  return PZ_OK;
}

pz_status
pzi_file_find_lists(pz_file* const file)
{
  size_t longest = 0;
  for (size_t k = 0; k < file->header.n_tensors; ++k) {
    const size_t length = strlen(file->header.tensors[k].name);
    longest = length > longest ? length : longest;
  }
  for (size_t k = 0; k < file->saved.n_lists; ++k) {
    const size_t length = strlen(file->saved.lists[k].path);
    longest = length > longest ? length : longest;
  }
  growing lists = {0};
  char* const path = malloc(2 * (longest + 1));
  pz_status status;
  if (path) {
    status = collect(file, path, path + longest + 1, &lists);
  } else {
    status = pzi_no_memory(2 * (longest + 1));
  }
  free(path);
  file->lists = lists.data;
  file->n_lists = lists.n;
  return status;
}

void
pzi_file_free_lists(pz_file* const file)
{
  pzi_pool_cleanup(&file->pool);
  free(file->lists);
}

size_t
pzi_file_list_bound(const pz_file* const file, const char* const path)
{
  size_t low = 0;
  size_t high = file->n_lists;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const bool before = strcmp(file->lists[middle].path, path) < 0;
    low = before ? middle + 1 : low;
    high = before ? high : middle;
  }
  return low;
}

const pzi_file_list*
pzi_file_list_on(const pz_file* const file, const char* const path)
{
  const size_t place = pzi_file_list_bound(file, path);
  return place < file->n_lists && strcmp(file->lists[place].path, path) == 0 ? &file->lists[place]
                                                                             : NULL;
}
