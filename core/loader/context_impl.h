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
  pzi_file_trust trust;
  const char* devices;    /* preferred by "auto", separated by commas; NULL: none */
  bool devices_are_given; /* by the host, not the environment */
  bool device_tensors;    /* PZ_DEVICE_TENSORS */
  bool check_plugins;     /* PZ_CHECK_PLUGINS, or the environment */
  const char* (*refuse)(void* data, const char* path); /* the host's, or NULL */
  void* refuse_data;

  /* Guards the fields below. Never held while a plugin's code may run. */
  pthread_mutex_t mutex;
  pzi_alloc_list allocs;
  pzi_descriptor** host_descriptors; /* of descriptors given by the host; owned */
  size_t n_host_descriptors;
  pzi_source** given; /* descriptors and files, in the order of giving */
  size_t n_given;
  pzi_folder* folders; /* in search order */
  size_t n_folders;
  size_t n_host_folders; /* the first of them are the host's */
  pzi_source** order;    /* all sources in search order */
  size_t n_order;
  pzi_table_list tables[2]; /* by kind == PZ_ITEM_BACKEND */
  pz_plugin_report* reports;
  size_t n_reports;
  bool ordered;  /* all folders are searched and `order` is current */
  bool complete; /* all files are opened, all ids assigned, `reports` are current */

  pthread_mutex_t keep_mutex; /* innermost: guards the kept texts */
  pzi_alloc_list texts;
  struct pzi_kept* kept[64];
};

#endif /* PZI_CONTEXT_IMPL_H */
