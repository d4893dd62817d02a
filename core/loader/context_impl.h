/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The fields of a context, for the files of this room. */

#ifndef PZI_CONTEXT_IMPL_H
#define PZI_CONTEXT_IMPL_H

#include "alloc_list.h"
#include "file_trust.h"
#include "folders.h"
#include "tables.h"

#include <parametrize/context.h>

#include <pthread.h>
#include <stdatomic.h>

struct pz_context {
  atomic_uint references;
  _Atomic uint64_t stream; /* of SplitMix64 */
  pzi_trust trust;

  /* Guards all below. Never held while code of a plugin may run. */
  pthread_mutex_t mutex;
  pzi_alloc_list pool;
  pzi_tables** host_tables; /* of descriptors, owned */
  size_t n_host_tables;
  pzi_source** given; /* descriptors and files, in the order of giving */
  size_t n_given;
  pzi_folder* folders; /* in search order */
  size_t n_folders;
  size_t n_host_folders; /* first among them: those given by the host */
  pzi_source** order;    /* everything in search order */
  size_t n_order;
  pzi_offers maps;
  pzi_offers backends;
  pz_file_report* reports;
  size_t n_reports;
  bool ordered;  /* all folders are searched and `order` says so */
  bool complete; /* all is opened, every id has its offer, `reports` say so */

  pthread_mutex_t keep_mutex; /* innermost: guards the kept texts */
  pzi_alloc_list texts;
  struct pzi_kept* kept[64];
};

#endif /* PZI_CONTEXT_IMPL_H */
