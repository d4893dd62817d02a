/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The files, descriptors and folders of a context. */

#ifndef PZI_SOURCE_H
#define PZI_SOURCE_H

#include "descriptor.h"

#include <sys/types.h>

typedef enum pzi_source_state {
  PZI_FOUND,   /* a file not opened yet */
  PZI_LOADED,  /* has `descriptor` */
  PZI_REFUSED, /* for `reason` */
  PZI_FOLDER,  /* a folder, reported in `reason` */
  PZI_ABSENT,  /* a file that was never loaded and is not there now */
} pzi_source_state;

/* A file, a descriptor or a folder. Lives as long as the context. */
typedef struct pzi_source {
  const char* path;
  const char* origin;
  const char* reason; /* of a refusal; of a loaded file, a remark; or "" */
  const char* stem;   /* "skew" of "/a/skew.so", or "" */
  const pzi_descriptor* descriptor;
  dev_t device; /* of a loaded file */
  ino_t inode;
  uint32_t state; /* pzi_source_state */
  bool given;     /* the host or the environment named its folder */
  bool replaced;  /* loaded, but another file has its path now */
  bool gone;      /* loaded, but its path no longer exists */
} pzi_source;

#endif /* PZI_SOURCE_H */
