/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Recognises objects that a process got from its parent by fork. */

#ifndef PZI_FORKS_H
#define PZI_FORKS_H

#include <stdint.h>

/* A number that differs between a process and its children by fork. [any thread] */
uint32_t pzi_forks_count(void);

#endif /* PZI_FORKS_H */
