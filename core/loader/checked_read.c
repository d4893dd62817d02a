/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A wrong count in a plugin's table leads past the end of an array, and the bytes there are
   taken for a pointer. Following it must not crash the host. Memory is therefore read through
   the kernel (process_vm_readv on this process), which returns EFAULT where a load would fault.
   Where a sandbox forbids that call, a plain copy replaces it.

   A text is copied before it is checked, so that it cannot change in between. */

#include "checked_read.h"

#include "status.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PZI_PAGE = 4096 }; /* no page is smaller */

bool
pzi_checked_read(const void* const from, const size_t bytes, void* const to)
{
  if (!from) {
    return false;
  }
  const int before = errno;
  const struct iovec local = {.iov_base = to, .iov_len = bytes};
  const struct iovec remote = {.iov_base = (void*)(uintptr_t)from, .iov_len = bytes};
  const ssize_t n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  const bool forbidden = n < 0 && errno != EFAULT && errno != EINVAL;
  errno = before;
  if (forbidden) {
    memcpy(to, from, bytes);
    return true;
  }
  return n >= 0 && (size_t)n == bytes;
}

static pz_status
read_string(pzi_alloc_list* const allocs, const char* const from, const size_t limit,
            const char* const what, const char** const out)
{
  if (!from) {
    return pzi_fail(PZ_PLUGIN, "%s is NULL", what);
  }
  /* Measure first, never reading across a page that the string may not reach. */
  char piece[PZI_PAGE];
  size_t length = 0;
  for (;;) {
    const size_t left = limit + 1 - length;
    const size_t page = PZI_PAGE - ((uintptr_t)from + length) % PZI_PAGE;
    const size_t n = left < page ? left : page;
    if (n == 0) {
      return pzi_fail(PZ_PLUGIN, "%s is longer than %zu bytes", what, limit);
    }
    if (!pzi_checked_read(from + length, n, piece)) {
      return pzi_fail(PZ_PLUGIN, "%s lies outside readable memory", what);
    }
    const char* const end = memchr(piece, 0, n);
    if (end) {
      length += (size_t)(end - piece);
      break;
    }
    length += n;
  }
  char* const copy = pzi_alloc_list_take(allocs, length + 1);
  if (!copy) {
    return pzi_no_memory(length + 1);
  }
  if (!pzi_checked_read(from, length, copy) && length > 0) {
    return pzi_fail(PZ_PLUGIN, "%s lies outside readable memory", what);
  }
  *out = copy;
  return PZ_OK;
}

/* Texts are shown on terminals and in pages: UTF-8 without control characters, but for newlines
   where `lines` allows them. */
static pz_status
check_characters(const char* const text, const bool lines, const char* const what)
{
  const size_t length = strlen(text);
  uint32_t code = 0;
  for (size_t i = 0; i < length;) {
    const size_t n = pzi_utf8_decode(text + i, length - i, &code);
    if (n == 0) {
      return pzi_fail(PZ_PLUGIN, "%s is not UTF-8", what);
    }
    if (pzi_utf8_is_control(code) && !(lines && code == '\n')) {
      return pzi_fail(PZ_PLUGIN, "%s has the control character U+%04X in it, expected %s", what,
                      (unsigned)code, lines ? "lines of text" : "one line");
    }
    i += n;
  }
  return PZ_OK;
}

pz_status
pzi_checked_read_text(pzi_alloc_list* const allocs, const char* const from, const size_t limit,
                      const char* const what, const char** const out)
{
  PZ_TRY(read_string(allocs, from, limit, what, out));
  return check_characters(*out, true, what);
}

pz_status
pzi_checked_read_line(pzi_alloc_list* const allocs, const char* const from, const size_t limit,
                      const char* const what, const char** const out)
{
  PZ_TRY(read_string(allocs, from, limit, what, out));
  return check_characters(*out, false, what);
}

static bool
is_id(const char* const text)
{
  if (*text < 'a' || *text > 'z') {
    return false;
  }
  for (const char* c = text; *c != '\0'; ++c) {
    if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_')) {
      return false;
    }
  }
  return true;
}

pz_status
pzi_checked_read_id(pzi_alloc_list* const allocs, const char* const from, const size_t limit,
                    const char* const what, const char** const out)
{
  PZ_TRY(pzi_checked_read_line(allocs, from, limit, what, out));
  return is_id(*out) ? PZ_OK
                     : pzi_fail(PZ_PLUGIN, "%s \"%s\", expected [a-z][a-z0-9_]*", what, *out);
}
