/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static failing_call failing;
static int left; /* calls until the one that fails; 0: that one was made */
static int failure;
static bool no_unnamed;

void
failing_set(const failing_call call, const int number, const int error)
{
  failing = call;
  left = number;
  failure = error;
}

bool
failing_happened(void)
{
  return failing != 0 && left == 0;
}

void
failing_allow_unnamed(const bool allow)
{
  no_unnamed = !allow;
}

/* Is it this call's turn? Sets errno. */
static bool
fails(const failing_call call)
{
  if (failing != call || left == 0 || --left > 0) {
    return false;
  }
  errno = failure;
  return true;
}

/* The C library's function of that name, into a pointer to it. */
static void
find(const char* const name, void* const out)
{
  void* const found = dlsym(RTLD_NEXT, name);
  memcpy(out, &found, sizeof(found));
}

int
openat(const int folder, const char* const path, const int flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode =
      flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(arguments, unsigned) : 0;
  va_end(arguments);
  int (*real)(int, const char*, int, ...);
  find("openat64", &real);
  if (no_unnamed && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return fails(FAILING_OPENAT) ? -1 : real(folder, path, flags, mode);
}

ssize_t
pwrite(const int file, const void* const data, const size_t bytes, const off_t offset)
{
  ssize_t (*real)(int, const void*, size_t, off_t);
  find("pwrite64", &real);
  return fails(FAILING_PWRITE) ? -1 : real(file, data, bytes, offset);
}

int
fsync(const int file)
{
  int (*real)(int);
  find("fsync", &real);
  return fails(FAILING_FSYNC) ? -1 : real(file);
}

int
linkat(const int from, const char* const old, const int to, const char* const path, const int flags)
{
  int (*real)(int, const char*, int, const char*, int);
  find("linkat", &real);
  return fails(FAILING_LINKAT) ? -1 : real(from, old, to, path, flags);
}

int
renameat(const int from, const char* const old, const int to, const char* const path)
{
  int (*real)(int, const char*, int, const char*);
  find("renameat", &real);
  return fails(FAILING_RENAMEAT) ? -1 : real(from, old, to, path);
}
