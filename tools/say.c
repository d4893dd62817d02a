/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A message is always one line, whatever is in the file names and texts that it quotes (print.h). A
   progress line is the last line of the terminal; every message erases it first. */

#include "say.h"

#include "print.h"

#include <parametrize/parametrize.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, SHOWN_BYTES = 4 * LINE_BYTES }; /* every byte may become \xff */

typedef struct line {
  char text[LINE_BYTES];
  size_t length;
} line;

static pthread_mutex_t terminal = PTHREAD_MUTEX_INITIALIZER;
static bool progress; /* a progress line is shown; guarded by `terminal` */

static void PZ_PRINTF(2, 0) put(line* const l, const char* const format, va_list args)
{
  const size_t room = sizeof(l->text) - l->length;
  const int n = vsnprintf(l->text + l->length, room, format, args);
  if (n > 0) {
    l->length += (size_t)n < room ? (size_t)n : room - 1;
  }
}

static void PZ_PRINTF(2, 3) put_text(line* const l, const char* const format, ...)
{
  va_list args;
  va_start(args, format);
  put(l, format, args);
  va_end(args);
}

static void
begin(line* const l, const char* const what)
{
  l->length = 0;
  put_text(l, "parametrize: ");
  if (what != NULL) {
    put_text(l, "%s: ", *what != '\0' ? what : "\"\"");
  }
}

/* Returns to the first column and erases the line. */
static const char*
eraser(void)
{
  return progress ? "\r\033[K" : "";
}

static void
finish(const line* const l)
{
  char shown[SHOWN_BYTES];
  print_into(shown, sizeof(shown), l->text);
  pthread_mutex_lock(&terminal);
  fprintf(stderr, "%s%s\n", eraser(), shown);
  progress = false;
  pthread_mutex_unlock(&terminal);
}

int
say(const char* const what, const char* const format, ...)
{
  line l;
  va_list args;
  begin(&l, what);
  va_start(args, format);
  put(&l, format, args);
  va_end(args);
  finish(&l);
  return EXIT_ERROR;
}

int
say_usage(const char* const command, const char* const what, const char* const format, ...)
{
  line l;
  va_list args;
  begin(&l, what);
  va_start(args, format);
  put(&l, format, args);
  va_end(args);
  put_text(&l, "; see parametrize %s%s--help", command ? command : "", command ? " " : "");
  finish(&l);
  return EXIT_USAGE;
}

int
say_library(const char* const what, const pz_status status)
{
  const char* const message = pz_error_message();
  const size_t length = what != NULL ? strlen(what) : 0;
  const bool named = length > 0 && strncmp(message, what, length) == 0 && message[length] == ':';
  return say(named ? NULL : what, "%s", *message != '\0' ? message : pz_status_text(status));
}

int
say_system(const char* const what, const int error)
{
  return say(what, "%s", strerror(error));
}

int
say_exists(const char* const what)
{
  return say(what, "the file exists; --force overwrites it");
}

int
say_no_memory(const char* const what)
{
  return say(what, "out of memory");
}

bool
say_progress(const char* const format, ...)
{
  struct winsize size;
  line l = {.length = 0};
  char shown[SHOWN_BYTES] = "";
  if (!isatty(STDERR_FILENO)) {
    return false;
  }
  if (format != NULL) {
    va_list args;
    va_start(args, format);
    put(&l, format, args);
    va_end(args);
    /* A line that wraps could not be erased. */
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    const size_t room = known ? size.ws_col : 80;
    print_into(shown, room < sizeof(shown) ? room : sizeof(shown), l.text);
  }
  pthread_mutex_lock(&terminal);
  fprintf(stderr, "%s%s", eraser(), shown);
  fflush(stderr);
  progress = format != NULL;
  pthread_mutex_unlock(&terminal);
  return true;
}
