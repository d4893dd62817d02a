/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* parametrize new: a folder with a plugin that compiles, passes `check`, and is then edited. The
   templates are the plugins of examples/, which the tests of this tree compile and check, so they
   cannot become wrong. */

#include "arguments.h"
#include "commands.h"
#include "say.h"
#include "templates.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILES = 7, MAX_NAME = 63, MAX_PATH = 1024 };

/* A file to write. */
typedef struct template_file {
  const char* file; /* behind the name if it begins with a dot */
  const char* const* lines;
  const char* word; /* stands for the name in the lines */
  size_t skip;      /* lines of our licence */
} template_file;

typedef struct kind {
  const char* name;
  template_file files[MAX_FILES];
} kind;

enum { LICENCE = 3 };

#define MAP(kind_, lines_, word_)                     \
  {                                                   \
    .name = kind_, .files = {                         \
      {".c", lines_, word_, LICENCE},                 \
      {"meson.build", plugin_meson_lines, "NAME", 0}, \
      {"README.md", plugin_md_lines, "NAME", 0},      \
    }                                                 \
  }

static const kind kinds[] = {
    MAP("entries", bounded_c_lines, "bounded"),
    MAP("rows", centred_c_lines, "centred"),
    MAP("matrices", shear_c_lines, "shear"),
    {.name = "backend",
     .files =
         {
             {".c", minimal_c_lines, "minimal", LICENCE},
             {".h", minimal_h_lines, "minimal", LICENCE},
             {"operations.c", operations_c_lines, "minimal", LICENCE},
             {"accelerator.c", accelerator_c_lines, "minimal", LICENCE},
             {"accelerator.h", accelerator_h_lines, "minimal", LICENCE},
             {"Makefile", makefile_lines, "minimal", LICENCE},
             {"README.md", backend_md_lines, "NAME", 0},
         }},
};
static const char kind_names[] = "entries, rows, matrices or backend";

static const kind*
find_kind(const char* const name)
{
  for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); ++k) {
    if (strcmp(kinds[k].name, name) == 0) {
      return &kinds[k];
    }
  }
  return NULL;
}

/* Identifiers in lower case, as the ids of parametrizations are, but for words of chains, names of
   other files of the folder, and those that would meet names of the headers. */
static bool
is_name(const char* const text)
{
  static const char* const taken[] = {"accelerator", "back", "operations", "real", "view"};
  for (size_t k = 0; k < sizeof(taken) / sizeof(taken[0]); ++k) {
    if (strcmp(text, taken[k]) == 0) {
      return false;
    }
  }
  if (strncmp(text, "pz", 2) == 0) {
    return false;
  }
  const size_t length = strlen(text);
  const size_t valid = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return length > 0 && length == valid && length <= MAX_NAME && islower((unsigned char)text[0]);
}

/* Writes `line` with `name` for each `word`, and NAME for each WORD. */
static void
write_line(FILE* const out, const char* line, const char* const word, const char* const name)
{
  const size_t length = strlen(word);
  while (*line) {
    if (strncmp(line, word, length) == 0) {
      fputs(name, out);
      line += length;
    } else if (strncasecmp(line, word, length) == 0 && isupper((unsigned char)line[0])) {
      for (const char* letter = name; *letter; ++letter) {
        fputc(toupper((unsigned char)*letter), out);
      }
      line += length;
    } else {
      fputc(*line++, out);
    }
  }
}

/* The path of a file in a folder. */
static void
place(char out[2 * MAX_PATH], const char* const folder, const template_file* const t,
      const char* const name)
{
  (void)snprintf(out, 2 * MAX_PATH, "%s/%s%s", folder, t->file[0] == '.' ? name : "", t->file);
}

/* Writes one file of a folder. False after an error message. */
static bool
write_file(const char* const folder, const template_file* const t, const char* const name)
{
  char path[2 * MAX_PATH];
  place(path, folder, t, name);
  FILE* const out = fopen(path, "wx");
  if (!out) {
    return say_system(path, errno), false;
  }
  for (size_t k = t->skip; t->lines[k]; ++k) {
    write_line(out, t->lines[k], t->word, name);
    fputc('\n', out);
  }
  const bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed) {
    return say_system(path, errno), false;
  }
  return true;
}

/* Bits that new files do not get. */
static mode_t
current_umask(void)
{
  const mode_t mask = umask(0);
  (void)umask(mask);
  return mask;
}

/* Removes a folder of which the first files were written. */
static void
remove_folder(const char* const folder, const kind* const k, const char* const name)
{
  char path[2 * MAX_PATH];
  for (int f = 0; f < MAX_FILES && k->files[f].file; ++f) {
    place(path, folder, &k->files[f], name);
    (void)unlink(path);
  }
  (void)rmdir(folder);
}

/* The folder appears under its name when it is complete. */
static int
write_folder(const char* const path, const kind* const k, const char* const name)
{
  char folder[MAX_PATH];
  (void)snprintf(folder, sizeof(folder), "%s.new-XXXXXX", path);
  if (!mkdtemp(folder)) {
    return say_system(path, errno);
  }
  bool done = true;
  for (int f = 0; f < MAX_FILES && k->files[f].file && done; ++f) {
    done = write_file(folder, &k->files[f], name);
  }
  if (done && (chmod(folder, 0777 & ~current_umask()) != 0 || rename(folder, path) != 0)) {
    done = (say_system(path, errno), false);
  }
  if (!done) {
    remove_folder(folder, k, name);
    return EXIT_ERROR;
  }
  printf("%s is ready: read %s/README.md\n", path, path);
  return EXIT_GOOD;
}

int
run_new(const arguments* const a)
{
  const char* const path = a->operands[0];
  const char* const slash = strrchr(path, '/');
  const char* const name = slash ? slash + 1 : path;
  const kind* const k = find_kind(a->kind ? a->kind : "entries");
  struct stat there;
  if (!k) {
    return say_usage("new", "--kind", "found \"%s\", expected %s", a->kind, kind_names);
  }
  if (!is_name(name) || strlen(path) > MAX_PATH / 2) {
    return say(
        "new",
        "found the name \"%s\", expected up to %d lower-case letters, digits and underscores, "
        "a letter first, and no name of the library's own",
        name, (int)MAX_NAME);
  }
  if (lstat(path, &there) == 0) {
    return say(path, "exists already");
  }
  return write_folder(path, k, name);
}
