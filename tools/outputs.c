/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every array is written to a temporary file beside its target and synchronized to disk. After the
   last one, each is renamed to its target. A rename can fail only if another process interferes,
   for example creates a file that must be kept: then the files renamed so far are removed.

   Temporary files exist only inside outputs_write. There an interrupt is recorded, checked between
   two blocks, and delivered after the cleanup. Before that, during the computation, it ends the
   program at once. */

#include "outputs.h"

#include "say.h"

#include <atomic_file.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- interrupts ------------------------------------------------------------- */

static const int interrupts[] = {SIGHUP, SIGINT, SIGTERM, SIGXCPU};
enum { N_INTERRUPTS = sizeof(interrupts) / sizeof(interrupts[0]) };

static volatile sig_atomic_t interrupted; /* the signal, 0 for none */

static void
note_interrupt(const int signal_number)
{
  interrupted = signal_number;
}

/* Records interrupts from now on, except those that the program was started to ignore. */
static void
hold_interrupts(struct sigaction before[N_INTERRUPTS])
{
  struct sigaction note;
  memset(&note, 0, sizeof(note));
  note.sa_handler = note_interrupt;
  note.sa_flags = SA_RESTART;
  sigemptyset(&note.sa_mask);
  for (size_t k = 0; k < N_INTERRUPTS; ++k) {
    sigaction(interrupts[k], NULL, &before[k]);
    if (before[k].sa_handler != SIG_IGN) {
      sigaction(interrupts[k], &note, NULL);
    }
  }
}

static void
deliver_interrupts(const struct sigaction before[N_INTERRUPTS])
{
  for (size_t k = 0; k < N_INTERRUPTS; ++k) {
    sigaction(interrupts[k], &before[k], NULL);
  }
  if (interrupted) {
    raise(interrupted);
  }
}

/* ---- checks ----------------------------------------------------------------- */

/* The folder of a path: its bytes up to the last slash, or ".". The caller frees it. */
static char*
folder_of(const char* const path)
{
  const char* const slash = strrchr(path, '/');
  return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

static const char*
name_of(const char* const path)
{
  const char* const slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Do two paths without links name the same file, or the same new file in one folder? */
static bool
same_resolved(const char* const a, const char* const b)
{
  struct stat x;
  struct stat y;
  if (stat(a, &x) == 0 && stat(b, &y) == 0) {
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
  }
  char* const folder_a = folder_of(a);
  char* const folder_b = folder_of(b);
  const bool same = folder_a && folder_b && strcmp(name_of(a), name_of(b)) == 0 &&
                    stat(folder_a, &x) == 0 && stat(folder_b, &y) == 0 && x.st_dev == y.st_dev &&
                    x.st_ino == y.st_ino;
  free(folder_a);
  free(folder_b);
  return same;
}

/* The same for any paths; a link whose target does not exist is the file that will be made. */
static bool
same_target(const char* const a, const char* const b)
{
  char* target_a = NULL;
  char* target_b = NULL;
  const bool same = pzi_atomic_file_resolve(a, &target_a) == 0 &&
                    pzi_atomic_file_resolve(b, &target_b) == 0 && same_resolved(target_a, target_b);
  free(target_a);
  free(target_b);
  return same;
}

/* Prints the error of a failed step on an output. */
static void
say_output(const char* const path, const int error)
{
  if (error == EEXIST) {
    say_exists(path);
  } else if (error == ENOTSUP) {
    say(path, "found a file of another kind, expected a regular file");
  } else if (error != EINTR) { /* an interrupt is not an error */
    say_system(path, error);
  }
}

static bool
check_target(const char* const path, const bool force)
{
  struct stat about;
  if (*name_of(path) == '\0') {
    say(path, "expected the name of a file");
    return false;
  }
  if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
    say_output(path, S_ISDIR(about.st_mode) ? EISDIR : ENOTSUP);
    return false;
  }
  if (lstat(path, &about) == 0 && !force) {
    say_output(path, EEXIST);
    return false;
  }
  if (access(path, W_OK) != 0 && errno != ENOENT) {
    say_system(path, errno);
    return false;
  }
  char* const folder = folder_of(path);
  if (folder == NULL) {
    say_no_memory(path);
    return false;
  }
  const int error = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
  if (error == ENOENT) {
    say(path, "found no folder %s", folder);
  } else if (error) {
    say_system(folder, error);
  }
  free(folder);
  return error == 0;
}

bool
outputs_check(const char* const* const paths, const size_t n, const char* const state,
              const bool force)
{
  for (size_t k = 0; k < n + (state ? 1 : 0); ++k) {
    const char* const path = k < n ? paths[k] : state;
    if (!check_target(path, force)) {
      return false;
    }
    for (size_t i = 0; i < k; ++i) {
      if (same_target(paths[i], path)) {
        say(path, "given for two outputs");
        return false;
      }
    }
  }
  return true;
}

/* ---- writing ---------------------------------------------------------------- */

static int
write_array(pzi_atomic_file* const file, const npy_array* const array)
{
  enum { BLOCK = 1U << 24 };
  char header[NPY_HEADER_BYTES];
  int error = pzi_atomic_file_write(file, header, npy_header(&array->spec, header));
  for (size_t done = 0; !error && done < array->bytes;) {
    const size_t step = array->bytes - done < BLOCK ? array->bytes - done : BLOCK;
    error =
        interrupted ? EINTR : pzi_atomic_file_write(file, (const char*)array->data + done, step);
    done += step;
  }
  return error;
}

/* Writes every array to a temporary file and the state to its target, then renames the arrays.
   Returns whether all succeeded; `*named` counts the arrays renamed. */
static bool
write_all(const char* const* const paths, const npy_array* const arrays, const size_t n,
          const char* const state_path, const pz_state* const state, const bool force,
          pzi_atomic_file* const files, size_t* const named, bool* const state_named)
{
  for (size_t k = 0; k < n; ++k) {
    int error = pzi_atomic_file_open(&files[k], paths[k], !force);
    error = error ? error : write_array(&files[k], &arrays[k]);
    if (error) {
      say_output(paths[k], error);
      return false;
    }
  }
  if (state_path != NULL && !interrupted) {
    const pz_status status = pz_state_save(state, state_path, force ? 0 : PZ_KEEP_EXISTING);
    if (status == PZ_EXISTS) {
      say_output(state_path, EEXIST);
      return false;
    }
    if (status != PZ_OK) {
      say_library(state_path, status);
      return false;
    }
    *state_named = true;
  }
  for (; *named < n; ++*named) {
    const int error = interrupted ? EINTR : pzi_atomic_file_commit(&files[*named], !force);
    if (error) {
      say_output(paths[*named], error);
      return false;
    }
  }
  return true;
}

bool
outputs_write(const char* const* const paths, const npy_array* const arrays, const size_t n,
              const char* const state_path, const pz_state* const state, const bool force)
{
  struct sigaction before[N_INTERRUPTS];
  size_t named = 0;
  bool state_named = false;
  pzi_atomic_file* const files = calloc(n, sizeof(*files));
  if (files == NULL) {
    say_no_memory(NULL);
    return false;
  }
  hold_interrupts(before);
  const bool good =
      write_all(paths, arrays, n, state_path, state, force, files, &named, &state_named);
  if (!good) {
    for (size_t k = 0; k < n; ++k) {
      pzi_atomic_file_abandon(&files[k]);
    }
    /* Without `force`, these files did not exist before. */
    for (size_t k = 0; k < named && !force; ++k) {
      unlink(paths[k]);
    }
    if (state_named && !force) {
      unlink(state_path);
    }
  }
  free(files);
  deliver_interrupts(before);
  return good;
}
