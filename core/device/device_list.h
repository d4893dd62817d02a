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

/* Fills `info`; false past the last device of the backend, without a message. */
bool pzi_device_probe(const pzi_backend* backend, uint32_t index, pz_device_info* info);

/* "opencl:1"; the id of the backend alone where it works in host memory and has one device. */
void pzi_device_name(const pzi_backend* backend, uint32_t index, char out[PZI_DEVICE_NAME]);

/* The device at `index` in the list of all backends' devices, and its index in its backend; NULL
   past the last. A backend without devices is in the list once, with the reason. */
const pzi_backend* pzi_device_at(pz_context* context, uint32_t index, uint32_t* place,
                                 pz_device_info* info);

#endif /* PZI_DEVICE_LIST_H */
