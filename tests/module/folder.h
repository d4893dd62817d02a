/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The rig with a folder of its own and one file in it. */

#ifndef TEST_MODULE_FOLDER_H
#define TEST_MODULE_FOLDER_H

#include "rig.h"

extern char folder[64];
extern char path[96]; /* of the file, not there at first */

/* A case with rig and folder, which must hold nothing but the file at the end. */
TCase* folder_case(const char* name);

/* Writes `prefix` as the header's length, the header, and bytes of data. */
void write_raw(uint64_t prefix, const char* header, size_t length, size_t bytes);
void write_file(const char* header, size_t bytes);

/* All of the file and a 0, to be freed. */
char* read_file(size_t* size);

/* Asserts that loading the file is refused with `status` and a line that begins with the
   path and holds `part`, and changes nothing. */
void expect_refusal(pz_status status, const char* part);

#endif /* TEST_MODULE_FOLDER_H */
