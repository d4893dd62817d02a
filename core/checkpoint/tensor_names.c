/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* PyTorch's names (P. and <...> may be missing):

     P.parametrizations.T.original                     the original of P.T
     P.parametrizations.T.original0, ...1              its originals
     P.parametrizations.T.<i>.<name>                   a tensor of its stage i

   P may itself end in such a name, for a chain on a tensor of another chain:
   "parametrizations.weight.parametrizations.original.original" is the original of
   "parametrizations.weight.original". */

#include "tensor_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "parametrizations."

/* Longer names belong to plain tensors: the time per name must be bounded. */
enum { NAME_MAX_BYTES = 4096 };

/* Is this the name of a chain's tensor: "original", "original7", "2.mask"? */
static bool
is_in_chain(const char* const name)
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

/* The end of the value's name that begins at `at`; NULL if no tensor of a chain follows. */
static const char*
end_of_value(const char* const at)
{
  const char* const dot = strchr(at, '.');
  return dot && dot != at && is_in_chain(dot + 1) ? dot : NULL;
}

size_t
pzi_tensor_names_split(const char* const name, char* const path)
{
  const char* at = NULL; /* the last "parametrizations." */
  const char* end = NULL;
  for (const char* p = strstr(name, FOLDER); p; p = strstr(p + 1, FOLDER)) {
    const char* const stop =
        p == name || p[-1] == '.' ? end_of_value(p + sizeof(FOLDER) - 1) : NULL;
    if (stop) {
      at = p;
      end = stop;
    }
  }
  if (!at || strlen(name) > NAME_MAX_BYTES) {
    return 0;
  }
  const char* const value = at + sizeof(FOLDER) - 1;
  memcpy(path, name, (size_t)(at - name));
  memcpy(path + (at - name), value, (size_t)(end - value));
  path[(at - name) + (end - value)] = '\0';
  return (size_t)(end - name) + 1;
}

char*
pzi_tensor_names_option(pzi_alloc_list* const allocs, const char* const module,
                        const size_t n_module, const char* const chain, const size_t n_chain,
                        const uint32_t stage, const char* const option)
{
  const size_t folder = n_module + n_chain;
  const size_t bytes = folder + strlen(option) + sizeof("4294967295.options.");
  char* const name = pzi_alloc_list_take(allocs, bytes);
  if (name) {
    memcpy(name, module, n_module);
    memcpy(name + n_module, chain, n_chain);
    snprintf(name + folder, bytes - folder, "%u.options.%s", (unsigned)stage, option);
  }
  return name;
}

char*
pzi_tensor_names_prefix(pzi_alloc_list* const allocs, const char* const path)
{
  const char* const dot = strrchr(path, '.');
  const size_t folder = dot ? (size_t)(dot + 1 - path) : 0;
  char* const prefix =
      pzi_alloc_list_take(allocs, strlen(path) + sizeof(FOLDER) + 1); /* a dot and the 0 */
  if (prefix) {
    memcpy(prefix, path, folder);
    strcpy(prefix + folder, FOLDER);
    strcat(prefix, path + folder);
    strcat(prefix, ".");
  }
  return prefix;
}

char*
pzi_tensor_names_join(pzi_alloc_list* const allocs, const char* const prefix,
                      const char* const name)
{
  char* const text = pzi_alloc_list_take(allocs, strlen(prefix) + strlen(name) + 1);
  if (text) {
    strcpy(stpcpy(text, prefix), name);
  }
  return text;
}
