/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a context looked at: files, descriptors and folders. */

#ifndef PZI_SOURCE_H
#define PZI_SOURCE_H

#include "descriptor.h"

#include <sys/types.h>

typedef enum pzi_source_state {
  PZI_FOUND,   /* a file not opened yet */
  PZI_LOADED,  /* `tables` are there */
  PZI_REFUSED, /* `reason` says why */
  PZI_FOLDER,  /* a folder of which there is something to say, in `reason` */
} pzi_source_state;

/* A file, a descriptor or a folder that was looked at. Lives as long as the context. */
typedef struct pzi_source {
  const char* path;
  const char* origin;
  const char* reason; /* why not; of a loaded file a remark; "" */
  const char* stem;   /* "skew" of "/a/skew.so", "" where there is none */
  const pzi_tables* tables;
  dev_t device; /* of a loaded file */
  ino_t inode;
  uint32_t state; /* pzi_source_state */
  bool given;     /* its folder was named by host or environment */
  bool replaced;  /* loaded, and another file has its path now */
  bool gone;      /* loaded, and there is no such file any more */
} pzi_source;

#endif /* PZI_SOURCE_H */
