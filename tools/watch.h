/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Long work with an eye on it: interrupts are answered at once and leave nothing behind, and
   a terminal shows how far it is once it has taken a second. */

#ifndef TOOLS_WATCH_H
#define TOOLS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct watch watch;

/* Returns what work(w, user) returns. An interrupt meanwhile (unless the caller of the program
   ignores it) calls give_up(user) on another thread and then ends the program by that
   signal. What both touch, `work` touches between watch_enter and watch_leave. */
bool watch_run(bool (*work)(watch* w, void* user), void (*give_up)(void* user), void* user);

void watch_enter(watch* w);
void watch_leave(watch* w);

/* Says how far the work is: part k of n, called `what`, which is copied, and `done` of `total`
   bytes, where `total` is not 0. */
void watch_show(watch* w, const char* what, size_t k, size_t n, uint64_t done, uint64_t total);

#endif /* TOOLS_WATCH_H */
