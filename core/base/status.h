/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The last error message of the calling thread. */

#ifndef PZI_STATUS_H
#define PZI_STATUS_H

#include <parametrize/types.h>

#include <stdarg.h>

/* Records one lower-case line and returns `status`:
   `return pzi_fail(PZ_MISMATCH, "found %s, expected %s", ...)`. Messages are truncated at 1023
   bytes and made printable (utf8.h). An argument may be the current message. [any thread] */
pz_status pzi_fail(pz_status status, const char* format, ...) PZ_PRINTF(2, 3);
pz_status pzi_vfail(pz_status status, const char* format, va_list args) PZ_PRINTF(2, 0);

/* Puts "PREFIX: " before the current message and returns `status`; does nothing for PZ_OK, where it
   evaluates no argument but `status`. A prefix of more than 200 bytes is shortened to leave room for
   the message. */
#define pzi_fail_prefix(status, ...)                                           \
  __extension__({                                                              \
    const pz_status pzi_answer = (status);                                     \
    pzi_answer == PZ_OK ? PZ_OK : pzi_prefix_failure(pzi_answer, __VA_ARGS__); \
  })
pz_status pzi_prefix_failure(pz_status status, const char* format, ...) PZ_PRINTF(2, 3);

/* The number of messages that the calling thread has recorded. Shows whether a failed call
   recorded one. */
uint64_t pzi_fail_count(void);

/* Save and restore the current message, so that a call that succeeds after an inner failure does
   not change the caller's last error. */
enum { PZI_MESSAGE = 1024 }; /* bytes, including the zero */
typedef struct pzi_message {
  char text[PZI_MESSAGE];
} pzi_message;
void pzi_message_save(pzi_message* out);
void pzi_message_restore(const pzi_message* message);

/* The ending of a plural behind a count: pzi_fail(..., "found %zu tensor%s", n, PZI_S(n)). */
#define PZI_S(n) ((n) == 1 ? "" : "s")

/* PZ_NO_MEMORY with its message. */
pz_status pzi_no_memory(size_t bytes);

/* Does errno `error` mean that memory or descriptors are exhausted? */
bool pzi_is_shortage(int error);

/* The status of a system call that failed with errno `error`, with the system's text: PZ_NOT_FOUND
   for ENOENT, PZ_NO_MEMORY for a shortage, else PZ_IO. */
pz_status pzi_fail_system(int error);

#endif /* PZI_STATUS_H */
