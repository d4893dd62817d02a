/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The fixture with a folder of its own and one file in it. */

#ifndef TEST_MODULE_FOLDER_H
#define TEST_MODULE_FOLDER_H

#include "fixture.h"

extern char folder[64];
extern char path[96]; /* of the file, not there at first */
extern pz_file* file; /* the file, open, or NULL; closed with the folder */

/* A case with fixture and folder, which must hold nothing but the file at the end. */
TCase* folder_case(const char* name);

/* Writes `prefix` as the header's length, the header, and bytes of data. */
void write_raw(uint64_t prefix, const char* header, size_t length, size_t bytes);
void write_file(const char* header, size_t bytes);

/* Opens the file, in place of `file`. */
void reopen(void);

/* A tensor of a file; memory of that dtype ("F32", "F16", "BF16", "I64") in any tensor. */
typedef struct part {
  const char* name;
  const char* dtype;
  const pz_tensor* tensor;
} part;

/* Writes a file of n <= 16 tensors without any description; opens it. */
void make_file(const part* parts, size_t n);

/* Settings that report to `reports`, which is emptied: "unknown NAME; missing NAME; ". */
extern char reports[1024];
pz_load_settings settings_of(uint32_t flags, const pz_chain_rule* rules, uint32_t n);

/* All of the file and a 0, to be freed. */
char* read_file(size_t* size);

/* Asserts that loading the file is refused with `status` and a line that begins with the
   path and holds `words`, and changes nothing. */
void expect_refusal(pz_status status, const char* words);

#endif /* TEST_MODULE_FOLDER_H */
