/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The owner of libparametrize.so can run code in this process anyway. Users with no more rights
   than that are trusted, and no others:

   - A default folder and the files in it must belong to root, to this user or to the owner of
     libparametrize. A folder that the host or the environment named may belong to anyone.
   - No world-writable file is loaded.
   - Nobody else can redirect the path. No folder on the way is world-writable, be it in the path
     or in the target of a link, unless it is sticky (/tmp): there, only the owner of an entry can
     replace it, so the entry must belong to one of the users above.
   - The folder of a link's target is judged like the folder of a file.

   The opened file is judged, and stays open until it is compared with the mapped one. */

#include "file_trust.h"

#include "elf_file.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

bool
pzi_file_trust_is_elevated(void)
{
  return getauxval(AT_SECURE) != 0;
}

static bool
is_trusted(const pzi_file_trust* const trust, const uid_t owner)
{
  return owner == 0 || owner == geteuid() || (trust->known && owner == trust->owner);
}

static pz_status
judge_owner(const pzi_file_trust* const trust, const struct stat* const s, const char* const what)
{
  return is_trusted(trust, s->st_uid)
             ? PZ_OK
             : pzi_fail(PZ_INVALID,
                        "%s belongs to user %lu, expected root, user %lu or the owner of "
                        "libparametrize",
                        what, (unsigned long)s->st_uid, (unsigned long)geteuid());
}

/* ---- the way to the file ------------------------------------------------------ */

enum { MOST_LINKS = 40 }; /* as the kernel follows */

/* A path that is followed part by part, as the kernel does it. */
typedef struct walk {
  const pzi_file_trust* trust;
  bool given;
  char folder[PATH_MAX]; /* where the walk is: without links, "" for "/" */
  char rest[PATH_MAX];   /* from there on */
  const char* remark;
} walk;

/* Judges the folder of an entry, whose status is `s`. `last`: the entry is what the path or the
   target of a link names. */
static pz_status
judge_step(walk* const w, const char* const entry, const struct stat* const s, const bool last)
{
  const char* const folder = w->folder[0] == '\0' ? "/" : w->folder;
  struct stat f;
  if (stat(folder, &f) != 0) {
    return pzi_fail_prefix(pzi_fail_system(errno), "folder %s", folder);
  }
  if (last && !w->given) {
    char what[PATH_MAX + 16];
    (void)snprintf(what, sizeof(what), "folder %s", folder);
    PZ_TRY(judge_owner(w->trust, &f, what));
  }
  if (!(f.st_mode & S_IWOTH)) {
    w->remark = last && (f.st_mode & S_IWGRP) ? "its folder is group-writable" : w->remark;
    return PZ_OK;
  }
  if (!(f.st_mode & S_ISVTX)) {
    return pzi_fail(PZ_INVALID, "folder %s is world-writable", folder);
  }
  return is_trusted(w->trust, s->st_uid)
             ? PZ_OK
             : pzi_fail(PZ_INVALID,
                        "%s belongs to user %lu in a world-writable folder, expected root or "
                        "user %lu",
                        entry, (unsigned long)s->st_uid, (unsigned long)geteuid());
}

/* Goes on with the target of a link. */
static pz_status
follow(walk* const w, const char* const link)
{
  char target[PATH_MAX];
  const ssize_t n = readlink(link, target, sizeof(target) - 1);
  if (n < 0) {
    return pzi_fail_system(errno);
  }
  target[n] = '\0';
  const size_t rest = strlen(w->rest);
  if ((size_t)n + 1 + rest >= sizeof(w->rest)) {
    return pzi_fail_system(ENAMETOOLONG);
  }
  memmove(w->rest + n + 1, w->rest, rest + 1);
  memcpy(w->rest, target, (size_t)n);
  w->rest[n] = '/';
  if (target[0] == '/') {
    w->folder[0] = '\0';
  }
  return PZ_OK;
}

/* Takes the next part of the path off `rest`; false after the last. */
static bool
next_part(walk* const w, char part[NAME_MAX + 1], bool* const last)
{
  const char* const start = w->rest + strspn(w->rest, "/");
  const size_t n = strcspn(start, "/");
  const char* const end = start + n;
  (void)snprintf(part, NAME_MAX + 1, "%.*s", (int)n, start);
  *last = end[strspn(end, "/")] == '\0';
  memmove(w->rest, end, strlen(end) + 1);
  return n > 0;
}

/* Judges all folders and links on the way, and finds the status of the end. */
static pz_status
judge_way(walk* const w, struct stat* const end)
{
  char part[NAME_MAX + 1];
  char entry[PATH_MAX];
  bool last = false;
  int links = 0;
  while (next_part(w, part, &last)) {
    if (strcmp(part, ".") == 0) {
      continue;
    }
    if (strcmp(part, "..") == 0) {
      char* const slash = strrchr(w->folder, '/');
      w->folder[slash ? slash - w->folder : 0] = '\0';
      continue;
    }
    if (snprintf(entry, sizeof(entry), "%s/%s", w->folder, part) >= (int)sizeof(entry)) {
      return pzi_fail_system(ENAMETOOLONG);
    }
    if (lstat(entry, end) != 0) {
      return pzi_fail_system(errno);
    }
    PZ_TRY(judge_step(w, entry, end, last));
    if (S_ISLNK(end->st_mode)) {
      if (++links > MOST_LINKS) {
        return pzi_fail_system(ELOOP);
      }
      PZ_TRY(follow(w, entry));
    } else {
      memcpy(w->folder, entry, strlen(entry) + 1);
    }
  }
  return PZ_OK;
}

/* ---- the file ------------------------------------------------------------------ */

static pz_status
cannot_open(const char* const path, const int error)
{
  struct stat link;
  return error == ENOENT && lstat(path, &link) == 0
             ? pzi_fail(PZ_NOT_FOUND, "dangling symbolic link")
             : pzi_fail_system(error);
}

/* Judges the opened file without its folder. */
static pz_status
judge_opened(const pzi_file_trust* const trust, const bool given, const int fd,
             struct stat* const s)
{
  if (fstat(fd, s) != 0) {
    return pzi_fail_system(errno);
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
                     pzi_trusted_file* const out)
{
  walk w = {.trust = trust, .given = given, .remark = ""};
  struct stat named = {0};
  if (strchr(path, '$')) {
    return pzi_fail(PZ_INVALID, "a \"$\" in its path, which the dynamic linker would expand");
  }
  if (strlen(path) >= sizeof(w.rest)) {
    return pzi_fail_system(ENAMETOOLONG);
  }
  memcpy(w.rest, path, strlen(path) + 1);
  /* Opening must not block on a pipe, nor make a terminal the controlling one. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    return cannot_open(path, errno);
  }
  pz_status status = judge_opened(trust, given, fd, &out->status);
  if (status == PZ_OK) {
    status = judge_way(&w, &named);
  }
  if (status == PZ_OK &&
      (named.st_dev != out->status.st_dev || named.st_ino != out->status.st_ino)) {
    status = pzi_fail(PZ_IO, "replaced by another file while it was judged");
  }
  if (status != PZ_OK) {
    (void)close(fd);
    return status;
  }
  out->fd = fd;
  out->remark = out->status.st_mode & S_IWGRP ? "group-writable" : w.remark;
  return PZ_OK;
}
