/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Devices of tensors in messages: "opencl:0". */

#ifndef PZI_DEVICE_TEXT_H
#define PZI_DEVICE_TEXT_H

#include "device_list.h"

/* Keeps the name of a device that a queue was opened on, for the messages of the process. */
void pzi_device_text_keep(pz_device device, const char* name);

/* "the host", the name of the device, or its numbers if no queue was opened on it and DLPack has no
   name for its type. */
const char* pzi_device_text(pz_device device, char buffer[PZI_DEVICE_NAME]);

#endif /* PZI_DEVICE_TEXT_H */
