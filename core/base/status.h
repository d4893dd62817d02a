/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The last error of the calling thread: one line of detail beside a status. */

#ifndef PZI_STATUS_H
#define PZI_STATUS_H

#include <parametrize/types.h>

#include <stdarg.h>

/* Records one lower-case line, cut at 1023 bytes, newlines made spaces, and returns
   `status`: `return pzi_fail(PZ_MISMATCH, "found %s, expected %s", ...)`. The arguments may
   be the current message itself. [any thread] */
pz_status pzi_fail(pz_status status, const char* format, ...) PZ_PRINTF(2, 3);
pz_status pzi_vfail(pz_status status, const char* format, va_list args) PZ_PRINTF(2, 0);

/* Puts "PREFIX: " before the current message and returns `status`; PZ_OK does nothing. A
   prefix of more than 200 bytes is shortened with "...", so that the reason stays. */
pz_status pzi_fail_prefix(pz_status status, const char* format, ...) PZ_PRINTF(2, 3);

/* How many messages the calling thread has recorded: tells whether a call that failed said
   why. */
uint64_t pzi_fail_count(void);

/* The current message put aside and brought back: around a call that succeeds although
   something inside failed, the caller's last error stays what it was. */
enum { PZI_MESSAGE = 1024 }; /* bytes, the closing zero included */
typedef struct pzi_message {
  char text[PZI_MESSAGE];
} pzi_message;
void pzi_message_save(pzi_message* out);
void pzi_message_restore(const pzi_message* message);

/* PZ_NO_MEMORY with the one sentence for it. */
pz_status pzi_no_memory(size_t bytes);

/* Shapes and dtypes for messages, "float32 8x5x3x3", written into `buffer` and returned. */
enum { PZI_SPEC_TEXT = 256 };
const char* pzi_spec_text(const pz_spec* spec, char buffer[PZI_SPEC_TEXT]);
const char* pzi_dtype_text(uint32_t dtype, char buffer[PZI_SPEC_TEXT]);
const char* pzi_structure_text(uint32_t structure); /* "skew" */

#endif /* PZI_STATUS_H */
