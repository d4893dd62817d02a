/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the headers and symbols of a file tell, without running it. */

#ifndef TOOLS_CHECK_SHARED_OBJECT_H
#define TOOLS_CHECK_SHARED_OBJECT_H

#include <stdbool.h>

/* In a child: breaches and remarks about the file of a plugin. One with a backend may allocate and start
   threads. */
void shared_object_check(const char* path, bool has_backend);

#endif /* TOOLS_CHECK_SHARED_OBJECT_H */
