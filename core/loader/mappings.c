/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A line of /proc/self/maps is

     first-end mode offset major:minor inode   path

   On overlays and some other file systems, device and inode there differ from those of stat.
   Hence a mapped object is compared with an open file by a mapping of that file, which has the
   same numbers in the same table. */

#include "mappings.h"

#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static pz_status
read_line(char* const line, const size_t n, const void* const addresses[], pzi_mapping out[])
{
  uintptr_t first = 0;
  uintptr_t end = 0;
  uint64_t major = 0;
  uint64_t minor = 0;
  uint64_t inode = 0;
  int at = 0;
  if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %" SCNx64 ":%" SCNx64 " %" SCNu64 " %n",
             &first, &end, &major, &minor, &inode, &at) != 5) {
    return PZ_OK;
  }
  line[strcspn(line, "\n")] = '\0';
  for (size_t k = 0; k < n; ++k) {
    if (first <= (uintptr_t)addresses[k] && (uintptr_t)addresses[k] < end && !out[k].path) {
      out[k].device = major << 32 | minor;
      out[k].inode = inode;
      out[k].path = line[at] == '/' ? strdup(line + at) : NULL;
      if (line[at] == '/' && !out[k].path) {
        return pzi_no_memory(strlen(line));
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_mappings_find(const size_t n, const void* const addresses[], pzi_mapping out[])
{
  memset(out, 0, n * sizeof(*out));
  FILE* const maps = fopen("/proc/self/maps", "re");
  if (!maps) {
    return pzi_is_shortage(errno) ? pzi_fail_system(errno) : PZ_OK;
  }
  char* line = NULL;
  size_t capacity = 0;
  pz_status status = PZ_OK;
  while (status == PZ_OK && getline(&line, &capacity, maps) > 0) {
    status = read_line(line, n, addresses, out);
  }
  if (status == PZ_OK && !feof(maps) && !ferror(maps)) {
    status = pzi_no_memory(capacity); /* getline failed before the end */
  }
  free(line);
  (void)fclose(maps);
  if (status != PZ_OK) {
    pzi_mappings_cleanup(n, out);
  }
  return status;
}

void
pzi_mappings_cleanup(const size_t n, pzi_mapping mappings[])
{
  for (size_t k = 0; k < n; ++k) {
    free(mappings[k].path);
    mappings[k] = (pzi_mapping){0};
  }
}

/* Where /proc is not mounted: is `path` still the name of the file? */
static pz_status
is_still_named(const int fd, const char* const path, bool* const out)
{
  struct stat opened;
  struct stat named;
  if (fstat(fd, &opened) != 0) {
    return pzi_fail_system(errno);
  }
  *out = stat(path, &named) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
  return PZ_OK;
}

pz_status
pzi_mappings_is_of_file(const void* const address, const int fd, const char* const path,
                        bool* const out)
{
  pzi_mapping found[2];
  void* const page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
  if (page == MAP_FAILED) {
    return pzi_fail_system(errno);
  }
  const void* const addresses[] = {address, page};
  const pz_status status = pzi_mappings_find(2, addresses, found);
  (void)munmap(page, 1);
  PZ_TRY(status);
  const bool known = found[0].inode != 0 && found[1].inode != 0;
  *out = found[0].device == found[1].device && found[0].inode == found[1].inode;
  pzi_mappings_cleanup(2, found);
  return known ? PZ_OK : is_still_named(fd, path, out);
}
