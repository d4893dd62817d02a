/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every kernel through a device's compiler, no device needed where the compiler is a library. The text
   of both dtypes is the same, so float64 waits for `./dev test --full`.

   kernel-compile opencl|sm_NN FILE ...: kernel files (.cl), and the portable kernels in C
   sources, whose text is what stands between the parentheses of PZ_KERNEL. */

#include "compilers.h"

#include <gpu.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
  const char* path;
  char* text;
} source;

static unsigned n_compiled;
static unsigned n_failed;

static void
report(const char* const path, const char* const name, const int bits, const char* const error)
{
  n_compiled += 1;
  n_failed += error != NULL;
  printf("%s %u - %s %s real%d\n", error ? "not ok" : "ok", n_compiled, path, name, bits);
  for (const char* line = error; line && *line; line += strcspn(line, "\n")) {
    line += *line == '\n';
    printf("# %.*s\n", (int)strcspn(line, "\n"), line);
  }
}

static void
compile(const compiler* const c, const char* const path, const char* const name,
        const char* const text)
{
  for (int bits = 32; bits <= 64; bits += 32) {
    if (bits == 64 && (!c->f64 || getenv("TEST_THOROUGH") == NULL)) {
      continue;
    }
    char* const error = c->compile(c, text, bits);
    report(path, name, bits, error);
    free(error);
  }
}

/* The argument that begins at `at`; moves on behind the comma. */
static char*
next_argument(const char** const at)
{
  *at += strspn(*at, " \t\n");
  const size_t length = strcspn(*at, ",");
  char* const out = strndup(*at, length);
  *at += length + ((*at)[length] == ',');
  return out;
}

/* To the parenthesis that closes the one before `at`; comments may hold any. */
static const char*
closing(const char* at)
{
  for (int depth = 1; *at; ++at) {
    if (strncmp(at, "/*", 2) == 0) {
      at = strstr(at + 2, "*/") + 1;
    } else if (strncmp(at, "//", 2) == 0) {
      at += strcspn(at, "\n");
    } else if (*at == '(') {
      ++depth;
    } else if (*at == ')' && --depth == 0) {
      return at;
    }
  }
  return at;
}

/* Each PZ_KERNEL of a C source, with 3 numbers, or each PZ_ROW_KERNEL, with 4. */
static void
compile_portable(const compiler* const c, const source* const s, const char* const macro,
                 const int n_numbers)
{
  const char* at = s->text;
  while ((at = strstr(at, macro)) != NULL) {
    at += strlen(macro);
    const char* const end = closing(at);
    char* const name = next_argument(&at);
    uint32_t numbers[4] = {0};
    for (int k = 0; k < n_numbers; ++k) {
      char* const number = next_argument(&at);
      numbers[k] = (uint32_t)atoi(number);
      free(number);
    }
    char* const body = strndup(at, (size_t)(end - at));
    const gpu_portable kernel = {
        .name = name,
        .text = body,
        .n_inputs = numbers[0],
        .n_outputs = n_numbers == 4 ? numbers[1] : 0,
        .n_reals = numbers[n_numbers - 2],
        .n_integers = numbers[n_numbers - 1],
    };
    char* const text = gpu_portable_text(&kernel);
    if (!text || !isalpha((unsigned char)name[0])) {
      report(s->path, name, 32, "not understood");
    } else {
      compile(c, s->path, name, text);
    }
    free(text);
    free(body);
    free(name);
    at = end;
  }
}

static char*
read_all(FILE* const in)
{
  char* text = NULL;
  size_t size = 0;
  if (in && getdelim(&text, &size, '\0', in) < 0) {
    free(text);
    text = NULL;
  }
  return text;
}

/* The text of a file. Where it defines a macro that makes kernels, its own macros are expanded, and no
   others. */
static char*
read_file(const char* const path)
{
  FILE* const in = fopen(path, "r");
  char* text = read_all(in);
  if (in) {
    fclose(in);
  }
  if (text && strstr(text, "\\\n  PZ_KERNEL(")) {
    char command[4096];
    snprintf(command, sizeof(command), "sed '/^#include/d' '%s' | cc -E -P -x c -", path);
    FILE* const expanded = popen(command, "r");
    free(text);
    text = read_all(expanded);
    if (expanded && pclose(expanded) != 0) {
      free(text);
      text = NULL;
    }
  }
  return text;
}

int
main(const int argc, char** const argv)
{
  compiler c;
  char reason[256];
  if (argc < 3) {
    fprintf(stderr, "usage: kernel-compile opencl|sm_NN FILE ...\n");
    return 2;
  }
  if (!compiler_open(&c, argv[1], reason, sizeof(reason))) {
    printf("1..0 # SKIP %s\n", reason);
    return 0;
  }
  fprintf(stderr, "%s\n", reason);
  for (int k = 2; k < argc; ++k) {
    const source s = {.path = strrchr(argv[k], '/') ? strrchr(argv[k], '/') + 1 : argv[k],
                      .text = read_file(argv[k])};
    if (!s.text) {
      report(s.path, "", 32, "cannot be read");
    } else if (strstr(s.path, ".cl")) {
      compile(&c, s.path, "", s.text);
    } else {
      compile_portable(&c, &s, "PZ_KERNEL(", 3);
      compile_portable(&c, &s, "PZ_ROW_KERNEL(", 4);
    }
    free(s.text);
  }
  printf("1..%u\n", n_compiled);
  compiler_close(&c);
  return n_failed > 0 || n_compiled == 0;
}
