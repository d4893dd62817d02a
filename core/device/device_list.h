/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The devices of all backends. */

#ifndef PZI_DEVICE_LIST_H
#define PZI_DEVICE_LIST_H

#include "lookup.h"

enum {
  PZI_DEVICE_NAME = 64,   /* bytes of a name */
  PZI_MOST_DEVICES = 256, /* of one backend */
};

/* Fills `info`. PZ_NOT_FOUND past the last device of the backend, without a message;
   PZ_NO_MEMORY. */
pz_status pzi_device_probe(const pzi_backend* backend, uint32_t index, pz_device_info* info);

/* "opencl:1"; the id of the backend alone where it works in host memory and has one device.
   PZ_NO_MEMORY. */
pz_status pzi_device_name(const pzi_backend* backend, uint32_t index, char out[PZI_DEVICE_NAME]);

typedef struct pzi_device {
  const pzi_backend* backend;
  uint32_t index;      /* in its backend */
  uint32_t preference; /* place among the names that "auto" prefers; UINT32_MAX: not among them */
  pz_device_info info;
} pzi_device;

/* The devices of all backends in the order in which "auto" takes them. A backend without devices is
   there once, with the reason. */
typedef struct pzi_device_list {
  pzi_device* devices;
  size_t n;
} pzi_device_list;

pz_status pzi_device_list_init(pz_context* context, pzi_device_list* list);
void pzi_device_list_cleanup(pzi_device_list* list);

/* May "auto" take it? */
bool pzi_device_is_automatic(const pzi_device* device);

#endif /* PZI_DEVICE_LIST_H */
