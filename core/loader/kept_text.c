/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A hash table of texts, with a mutex of its own: reports are written with and without the
   context's mutex. */

#include "kept_text.h"

#include "context_impl.h"
#include "keyed_hash.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

struct pzi_kept {
  struct pzi_kept* next;
  char text[];
};

const char*
pzi_kept_text_add(pz_context* const context, const char* const text)
{
  const size_t n = strlen(text) + 1;
  const size_t n_buckets = sizeof(context->kept) / sizeof(context->kept[0]);
  struct pzi_kept** const bucket = &context->kept[pzi_keyed_hash(text, n) % n_buckets];

  pthread_mutex_lock(&context->keep_mutex);
  struct pzi_kept* kept = *bucket;
  while (kept && strcmp(kept->text, text) != 0) {
    kept = kept->next;
  }
  if (!kept) {
    kept = pzi_alloc_list_take(&context->texts, sizeof(*kept) + n);
    if (kept) {
      memcpy(kept->text, text, n);
      kept->next = *bucket;
      *bucket = kept;
    }
  }
  pthread_mutex_unlock(&context->keep_mutex);
  return kept ? kept->text : NULL;
}

pz_status
pzi_kept_text_finish(pz_context* const context, pzi_text* const text, const char** const out)
{
  char* string = NULL;
  PZ_TRY(pzi_text_finish(text, &string));
  *out = pzi_kept_text_add(context, string);
  const size_t n = strlen(string);
  free(string);
  return *out ? PZ_OK : pzi_no_memory(n + 1);
}
