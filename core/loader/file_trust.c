/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The owner of libparametrize.so can run code in this process anyway. Users with no more rights
   than that are trusted, and no others:

   - A default folder and the files in it must belong to root, to this user or to the owner of
     libparametrize. A folder that the host or the environment named may belong to anyone.
   - No world-writable file is loaded, and none from a world-writable folder, unless the folder
     is sticky (/tmp): there, only the owner of a file can replace it, so the file (and the link,
     where it is one) must belong to root or to this user.
   - The target of a link and the target's folder are judged as well.

   The opened file is judged, and the caller compares it with the mapped one. Between the two,
   only users who may write a folder judged here, or one above it, can replace the file: folders
   above are not judged. */

#include "file_trust.h"

#include "elf_file.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

bool
pzi_file_trust_is_elevated(void)
{
  return getauxval(AT_SECURE) != 0;
}

static bool
is_ours_or_roots(const uid_t owner)
{
  return owner == 0 || owner == geteuid();
}

static pz_status
judge_owner(const pzi_file_trust* const trust, const struct stat* const s, const char* const what)
{
  if (is_ours_or_roots(s->st_uid) || (trust->known && s->st_uid == trust->owner)) {
    return PZ_OK;
  }
  return pzi_fail(PZ_INVALID,
                  "%s belongs to user %lu, expected root, user %lu or the owner of libparametrize",
                  what, (unsigned long)s->st_uid, (unsigned long)geteuid());
}

/* Judges the folder that holds `file`, the file or link of owner `owner`. */
static pz_status
judge_folder(const pzi_file_trust* const trust, const char* const file, const bool given,
             const uid_t owner, const char** const remark)
{
  struct stat s;
  char* const path = strdup(file);
  if (!path) {
    return pzi_no_memory(strlen(file) + 1);
  }
  char* const slash = strrchr(path, '/');
  slash[slash == path] = '\0'; /* "/x.so" lies in "/" */
  const int result = stat(path, &s);
  free(path);
  if (result != 0) {
    char text[128];
    return pzi_fail(PZ_IO, "its folder: %s", strerror_r(errno, text, sizeof(text)));
  }
  if (!given) {
    PZ_TRY(judge_owner(trust, &s, "its folder"));
  }
  if (s.st_mode & S_IWOTH) {
    if (!(s.st_mode & S_ISVTX)) {
      return pzi_fail(PZ_INVALID, "its folder is world-writable");
    }
    if (!is_ours_or_roots(owner)) {
      return pzi_fail(PZ_INVALID,
                      "belongs to user %lu in a world-writable folder, expected root or user %lu",
                      (unsigned long)owner, (unsigned long)geteuid());
    }
  } else if (s.st_mode & S_IWGRP) {
    *remark = "its folder is group-writable";
  }
  return PZ_OK;
}

static pz_status
cannot_open(const char* const path, const int error)
{
  char text[128];
  struct stat link;
  if (error == ENOENT && lstat(path, &link) == 0) {
    return pzi_fail(PZ_NOT_FOUND, "dangling symbolic link");
  }
  return pzi_fail(error == ENOENT ? PZ_NOT_FOUND : PZ_IO, "%s",
                  strerror_r(error, text, sizeof(text)));
}

/* Judges the opened file without its folder. */
static pz_status
judge_opened(const int fd, const pzi_file_trust* const trust, const bool given,
             struct stat* const s)
{
  if (fstat(fd, s) != 0) {
    char text[128];
    return pzi_fail(PZ_IO, "%s", strerror_r(errno, text, sizeof(text)));
  }
  if (S_ISDIR(s->st_mode)) {
    return pzi_fail(PZ_PLUGIN, "a folder, expected a file");
  }
  if (!S_ISREG(s->st_mode)) {
    return pzi_fail(PZ_PLUGIN, "neither file nor folder, expected a file");
  }
  if (s->st_mode & S_IWOTH) {
    return pzi_fail(PZ_INVALID, "world-writable");
  }
  if (!given) {
    PZ_TRY(judge_owner(trust, s, "the file"));
  }
  if (s->st_size == 0) {
    return pzi_fail(PZ_PLUGIN, "empty, expected a shared object");
  }
  return pzi_elf_file_check(fd, (uint64_t)s->st_size);
}

pz_status
pzi_file_trust_judge(const pzi_file_trust* const trust, const char* const path, const bool given,
                     struct stat* const file, const char** const remark)
{
  struct stat named;
  *remark = "";
  if (strchr(path, '$')) {
    return pzi_fail(PZ_INVALID, "a \"$\" in its path, which the dynamic linker would expand");
  }
  /* Opening must not block on a pipe, nor make a terminal the controlling one. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    return cannot_open(path, errno);
  }
  pz_status status = judge_opened(fd, trust, given, file);
  (void)close(fd);
  PZ_TRY(status);

  if (lstat(path, &named) != 0) {
    return cannot_open(path, errno);
  }
  if (S_ISLNK(named.st_mode)) {
    char* const target = realpath(path, NULL);
    if (!target) {
      return errno == ENOMEM ? pzi_no_memory(strlen(path)) : cannot_open(path, errno);
    }
    status = judge_folder(trust, target, given, file->st_uid, remark);
    free(target);
    if (status != PZ_OK) {
      return status == PZ_NO_MEMORY ? status : pzi_fail_prefix(status, "the file it links to");
    }
  }
  PZ_TRY(judge_folder(trust, path, given, named.st_uid, remark));
  if (file->st_mode & S_IWGRP) {
    *remark = "group-writable";
  }
  return PZ_OK;
}
