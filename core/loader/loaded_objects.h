/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The shared objects that this process has mapped, each once. */

#ifndef PZI_LOADED_OBJECTS_H
#define PZI_LOADED_OBJECTS_H

#include "descriptor.h"
#include "file_trust.h"

/* A mapped file. Immutable, never unmapped or freed. */
typedef struct pzi_loaded_object {
  struct pzi_loaded_object* next;
  dev_t device;
  ino_t inode;
  char* path;                 /* of the first opening */
  pzi_descriptor* descriptor; /* NULL where it was refused */
  char* refusal;              /* the reason, NULL where it was not */
} pzi_loaded_object;

/* Finds the object of `file`, or maps it from `path` where it is new. A refused handshake is
   recorded in the object and is no failure here. PZ_IO: the file cannot be mapped; PZ_NO_MEMORY:
   not now. It may be tried again. Runs constructors: hold no lock. [any thread] */
pz_status pzi_loaded_object_open(const char* path, const pzi_trusted_file* file,
                                 const pzi_loaded_object** out);

#endif /* PZI_LOADED_OBJECTS_H */
