/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An unnamed file (O_TMPFILE) is written, flushed to disk, and then named in one step: by
   linkat(2) if no file has the target's name, else by linkat(2) to a temporary name and rename(2)
   to the target's. Without O_TMPFILE, or without /proc to link from, the file has the temporary
   name from the start, and renameat2(RENAME_NOREPLACE) or link(2) keep an existing file. Names
   are resolved once, at open, relative to the folder's descriptor: a later chdir has no effect. */

#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Splits `path` at its last slash and opens the folder; `*target` is the name in it. */
static int
open_folder(const char* const path, int* const folder, char** const target)
{
  const char* const slash = strrchr(path, '/');
  const char* const name = slash ? slash + 1 : path;
  if (*name == '\0') {
    return *path == '\0' ? ENOENT : EISDIR;
  }
  const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
  char* const parent = length ? strndup(path, length) : strdup(".");
  char* const copy = strdup(name);
  int error = parent && copy ? 0 : ENOMEM;
  if (!error) {
    *folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0 && errno == EACCES) {
      *folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    error = *folder < 0 ? errno : 0;
  }
  free(parent);
  if (error) {
    free(copy);
    return error;
  }
  *target = copy;
  return 0;
}

/* Follows a symbolic link whose target does not exist. Leaves a `*path` that is no link. */
static int
follow(char** const path)
{
  enum { LINKS = 40 }; /* as the kernel */
  char link[PATH_MAX];
  for (int k = 0; k < LINKS; ++k) {
    const ssize_t length = readlink(*path, link, sizeof(link));
    if (length < 0) {
      return errno == EINVAL || errno == ENOENT ? 0 : errno;
    }
    if ((size_t)length == sizeof(link)) {
      return ENAMETOOLONG;
    }
    const char* const slash = link[0] == '/' ? NULL : strrchr(*path, '/');
    const size_t folder = slash ? (size_t)(slash - *path) + 1 : 0;
    char* const next = malloc(folder + (size_t)length + 1);
    if (!next) {
      return ENOMEM;
    }
    memcpy(next, *path, folder);
    memcpy(next + folder, link, (size_t)length);
    next[folder + (size_t)length] = '\0';
    free(*path);
    *path = next;
  }
  return ELOOP;
}

int
pzi_atomic_file_resolve(const char* const path, char** const out)
{
  struct stat there;
  const bool exists = stat(path, &there) == 0;
  if (!exists && errno != ENOENT) {
    return errno;
  }
  char* name = exists ? realpath(path, NULL) : strdup(path);
  if (!name) {
    return exists ? errno : ENOMEM;
  }
  const int error = exists ? 0 : follow(&name);
  if (error) {
    free(name);
    return error;
  }
  *out = name;
  return 0;
}

/* The next temporary name of a sequence that is unique to this process. */
static void
next_name(pzi_atomic_file* const file, uint64_t* const word)
{
  struct timespec now;
  if (*word == 0) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    *word = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 32 ^ (uint64_t)getpid() << 20 ^
            (uint64_t)(uintptr_t)file;
  }
  *word = *word * 6364136223846793005U + 1442695040888963407U;
  snprintf(file->temporary, sizeof(file->temporary), ".parametrize-%016llx",
           (unsigned long long)*word);
}

/* The path of an open file in /proc, from which an unnamed file can be linked. */
static void
descriptor_path(const pzi_atomic_file* const file, char path[40])
{
  snprintf(path, 40, "/proc/self/fd/%d", file->fd);
}

/* Creates an unnamed file; false if this is not possible here. */
static bool
create_unnamed(pzi_atomic_file* const file)
{
#ifdef O_TMPFILE
  char shown[40];
  file->fd = openat(file->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (file->fd < 0) {
    return false;
  }
  descriptor_path(file, shown);
  if (access(shown, F_OK) == 0) {
    return true;
  }
  close(file->fd);
#endif
  return false;
}

/* Gives the new file the owner, the group and the permissions of the one that it replaces. Only root
   may change the owner. Where the group stays another one, it gets what everybody has. */
static void
keep_owner(const pzi_atomic_file* const file, const struct stat* const there)
{
  mode_t mode = there->st_mode & 0777;
  if (fchown(file->fd, there->st_uid, there->st_gid) != 0 &&
      fchown(file->fd, (uid_t)-1, there->st_gid) != 0) {
    mode = (mode & 0707) | (mode & 07) << 3;
  }
  (void)!fchmod(file->fd, mode);
}

/* Creates the file with the default permissions of the process. */
static int
create_temporary(pzi_atomic_file* const file)
{
  uint64_t word = 0;
  if (create_unnamed(file)) {
    return 0;
  }
  for (int attempt = 0; attempt < 100; ++attempt) {
    next_name(file, &word);
    file->fd = openat(file->folder, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->fd >= 0) {
      return 0;
    }
    if (errno != EEXIST) {
      return errno;
    }
  }
  return EEXIST;
}

int
pzi_atomic_file_open(pzi_atomic_file* const file, const char* const path, const bool keep_existing)
{
  memset(file, 0, sizeof(*file));
  struct stat there;
  if (keep_existing && lstat(path, &there) == 0) {
    return EEXIST;
  }
  const bool replaces = stat(path, &there) == 0;
  if (!replaces && errno != ENOENT) {
    return errno;
  }
  if (replaces && !S_ISREG(there.st_mode)) {
    return S_ISDIR(there.st_mode) ? EISDIR : ENOTSUP;
  }
  if (replaces && access(path, W_OK) != 0) {
    return errno;
  }
  char* resolved = NULL;
  int error = pzi_atomic_file_resolve(path, &resolved);
  if (!error) {
    error = open_folder(resolved, &file->folder, &file->target);
    free(resolved);
  }
  if (error) {
    memset(file, 0, sizeof(*file));
    return error;
  }
  error = create_temporary(file);
  if (error) {
    close(file->folder);
    free(file->target);
    memset(file, 0, sizeof(*file));
    return error;
  }
  if (replaces) {
    keep_owner(file, &there);
  }
  return 0;
}

int
pzi_atomic_file_write_at(pzi_atomic_file* const file, const void* const data, const size_t bytes,
                         uint64_t offset)
{
  const char* place = data;
  size_t left = bytes;
  while (left > 0) {
    const size_t step = left < (1U << 30) ? left : 1U << 30;
    const ssize_t done = pwrite(file->fd, place, step, (off_t)offset);
    if (done < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    place += done;
    offset += (uint64_t)done;
    left -= (size_t)done;
  }
  return 0;
}

int
pzi_atomic_file_write(pzi_atomic_file* const file, const void* const data, const size_t bytes)
{
  const int error = pzi_atomic_file_write_at(file, data, bytes, file->length);
  file->length += error ? 0 : bytes;
  return error;
}

/* Links an unnamed file to the target's name, or to a temporary name if that exists. */
static int
name_unnamed(pzi_atomic_file* const file, const bool keep_existing)
{
  char shown[40];
  uint64_t word = 0;
  descriptor_path(file, shown);
  if (linkat(AT_FDCWD, shown, file->folder, file->target, AT_SYMLINK_FOLLOW) == 0) {
    return 0;
  }
  for (int attempt = 0; errno == EEXIST && !keep_existing && attempt < 100; ++attempt) {
    next_name(file, &word);
    if (linkat(AT_FDCWD, shown, file->folder, file->temporary, AT_SYMLINK_FOLLOW) == 0) {
      return 0;
    }
    file->temporary[0] = '\0';
  }
  return errno;
}

/* Renames the temporary file to the target's name, which must not exist. */
static int
name_fresh(const pzi_atomic_file* const file)
{
#ifdef RENAME_NOREPLACE
  if (renameat2(file->folder, file->temporary, file->folder, file->target, RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != ENOSYS && errno != EINVAL) {
    return errno;
  }
#endif
  if (linkat(file->folder, file->temporary, file->folder, file->target, 0) != 0) {
    return errno;
  }
  unlinkat(file->folder, file->temporary, 0);
  return 0;
}

int
pzi_atomic_file_commit(pzi_atomic_file* const file, const bool keep_existing)
{
  int error = fsync(file->fd) == 0 || errno == EINVAL ? 0 : errno;
  const bool unnamed = file->temporary[0] == '\0';
  if (!error && unnamed) {
    error = name_unnamed(file, keep_existing);
  }
  if (close(file->fd) != 0 && !error && errno != EINTR) {
    error = errno;
  }
  file->fd = -1;
  if (!error && file->temporary[0] != '\0') {
    if (keep_existing) {
      error = name_fresh(file);
    } else if (renameat(file->folder, file->temporary, file->folder, file->target) != 0) {
      error = errno;
    }
  }
  if (error) {
    pzi_atomic_file_abandon(file);
    return error;
  }
  /* Flushes the new name. Some file systems cannot; the file exists anyway. */
  (void)fsync(file->folder);
  close(file->folder);
  free(file->target);
  memset(file, 0, sizeof(*file));
  return 0;
}

void
pzi_atomic_file_abandon(pzi_atomic_file* const file)
{
  if (file->target == NULL) {
    return;
  }
  const int kept = errno;
  if (file->fd >= 0) {
    close(file->fd);
  }
  if (file->temporary[0] != '\0') {
    unlinkat(file->folder, file->temporary, 0);
  }
  close(file->folder);
  free(file->target);
  memset(file, 0, sizeof(*file));
  errno = kept;
}
