/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs long work. An interrupt ends it at once and leaves no files behind; after one second, a
   terminal shows the progress. */

#ifndef TOOLS_WATCH_H
#define TOOLS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct watch watch;

/* Returns the result of work(w, user). An interrupt (unless the program was started to ignore it)
   calls give_up(user) on another thread and then ends the program by that signal. `work` uses the
   data of give_up only between watch_enter and watch_leave. */
bool watch_run(bool (*work)(watch* w, void* user), void (*give_up)(void* user), void* user);

void watch_enter(watch* w);
void watch_leave(watch* w);

/* Sets the progress: part k of n, named `what` (which is copied), and `done` of `total` bytes
   unless `total` is 0. */
void watch_show(watch* w, const char* what, size_t k, size_t n, uint64_t done, uint64_t total);

#endif /* TOOLS_WATCH_H */
