/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The last error is a fixed buffer in thread-local storage, so that reporting cannot fail. */

#include "status.h"

#include "utf8.h"

#include <parametrize/context.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 200 }; /* most bytes of a prefix */

static _Thread_local char pzi_current[PZI_MESSAGE];
static _Thread_local uint64_t pzi_failures;

const char*
pz_status_text(const pz_status status)
{
  switch (status) {
  case PZ_OK:
    return "success";
  case PZ_INVALID:
    return "invalid argument or call";
  case PZ_NOT_FOUND:
    return "not found";
  case PZ_EXISTS:
    return "exists already";
  case PZ_MISMATCH:
    return "shape, dtype, device or count differs from what was expected";
  case PZ_OUTSIDE:
    return "outside the constraint set";
  case PZ_SINGULAR:
    return "singular matrix";
  case PZ_UNSUPPORTED:
    return "not supported here";
  case PZ_STALE:
    return "something changed since the evaluation";
  case PZ_NO_MEMORY:
    return "memory or descriptors are exhausted";
  case PZ_IO:
    return "file could not be read or written";
  case PZ_PLUGIN:
    return "plugin or backend broke its contract";
  case PZ_DEVICE:
    return "device or driver failed";
  }
  return "unknown status";
}

const char*
pz_error_message(void)
{
  return pzi_current;
}

uint64_t
pzi_fail_count(void)
{
  return pzi_failures;
}

const char*
pz_version(void)
{
  return PZI_VERSION;
}

/* Records a message as a printable line. */
static void
set_message(char* const text)
{
  pzi_utf8_clean(text);
  memcpy(pzi_current, text, strlen(text) + 1);
  ++pzi_failures;
}

/* Formats in the C locale, whatever locale the host has set. glibc does not allocate for it. */
PZ_PRINTF(3, 0)
static void
print(char* const out, const size_t size, const char* const format, va_list args)
{
  const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  const locale_t before = c ? uselocale(c) : (locale_t)0;
  (void)vsnprintf(out, size, format, args);
  if (c) {
    (void)uselocale(before);
    freelocale(c);
  }
}

pz_status
pzi_vfail(const pz_status status, const char* const format, va_list args)
{
  char text[PZI_MESSAGE] = ""; /* separate: an argument may be the current message */
  print(text, sizeof(text), format, args);
  set_message(text);
  return status;
}

pz_status
pzi_fail(const pz_status status, const char* const format, ...)
{
  va_list args;
  va_start(args, format);
  (void)pzi_vfail(status, format, args);
  va_end(args);
  return status;
}

/* Shortens a long prefix to end in "...", inside the quotes if it begins with one. */
static size_t
shorten(char* const text, const size_t length)
{
  if (length <= PREFIX) {
    return length;
  }
  const char* const end = text[0] == '"' ? "...\"" : "...";
  size_t n = PREFIX - strlen(end);
  while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) { /* not inside a UTF-8 sequence */
    --n;
  }
  memcpy(text + n, end, strlen(end));
  return n + strlen(end);
}

pz_status
pzi_prefix_failure(const pz_status status, const char* const format, ...)
{
  char text[PZI_MESSAGE] = "";
  va_list args;
  va_start(args, format);
  print(text, sizeof(text), format, args);
  va_end(args);
  size_t n = shorten(text, strlen(text));
  text[n++] = ':';
  text[n++] = ' ';
  /* Truncates the message if both do not fit. */
  const size_t room = sizeof(text) - 1 - n;
  const size_t length = strlen(pzi_current);
  const size_t fits = length < room ? length : room;
  memcpy(text + n, pzi_current, fits);
  text[n + fits] = '\0';
  set_message(text);
  return status;
}

void
pzi_message_save(pzi_message* const out)
{
  if (pzi_current[0] == '\0') { /* as a rule */
    out->text[0] = '\0';
    return;
  }
  memcpy(out->text, pzi_current, strlen(pzi_current) + 1);
}

void
pzi_message_restore(const pzi_message* const message)
{
  memcpy(pzi_current, message->text, strlen(message->text) + 1);
}

pz_status
pzi_no_memory(const size_t bytes)
{
  return pzi_fail(PZ_NO_MEMORY, "out of memory: %zu byte%s requested", bytes, PZI_S(bytes));
}

bool
pzi_is_shortage(const int error)
{
  return error == ENOMEM || error == EMFILE || error == ENFILE;
}

pz_status
pzi_fail_system(const int error)
{
  char text[128];
  return pzi_fail(error == ENOENT          ? PZ_NOT_FOUND
                  : pzi_is_shortage(error) ? PZ_NO_MEMORY
                                           : PZ_IO,
                  "%s", strerror_r(error, text, sizeof(text)));
}
