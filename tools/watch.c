/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A second thread waits for interrupts, which all other threads block, and draws the progress in
   between. SIGUSR1 from the main thread ends it; SIGUSR1 from elsewhere is an interrupt. */

#include "watch.h"

#include "commands.h"
#include "say.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const int interrupts[] = {SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGUSR1};
enum { N_INTERRUPTS = sizeof(interrupts) / sizeof(interrupts[0]) };

enum { NAME_BYTES = 256, FIRST_SHOWN_MS = 1000, REDRAWN_MS = 100 };

struct watch {
  pthread_mutex_t lock;
  sigset_t waited; /* signals it waits for */
  void (*give_up)(void* user);
  void* user;
  bool over; /* the work has ended; this and all below are guarded by `lock` */
  char what[NAME_BYTES];
  size_t k;
  size_t n;
  uint64_t done;
  uint64_t total;
};

void
watch_enter(watch* const w)
{
  pthread_mutex_lock(&w->lock);
}

void
watch_leave(watch* const w)
{
  pthread_mutex_unlock(&w->lock);
}

void
watch_show(watch* const w, const char* const what, const size_t k, const size_t n,
           const uint64_t done, const uint64_t total)
{
  pthread_mutex_lock(&w->lock);
  snprintf(w->what, sizeof(w->what), "%s", what);
  w->k = k;
  w->n = n;
  w->done = done;
  w->total = total;
  pthread_mutex_unlock(&w->lock);
}

/* Ends the program by the signal. */
static void
end_by(watch* const w, const int number)
{
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  w->give_up(w->user); /* the lock stays held, which stops the work */
  say_progress(NULL);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  raise(number);
  main_end(128 + number);
}

/* Draws the progress. The lock is held, so that no line is drawn after the work has ended. */
static void
draw(watch* const w)
{
  const double mib = 1024.0 * 1024.0;
  char bytes[64] = "";
  if (w->total > 0) {
    snprintf(bytes, sizeof(bytes), ", %.1f of %.1f MiB", (double)w->done / mib,
             (double)w->total / mib);
  }
  if (w->n > 0 && !w->over) {
    (void)say_progress("tensor %zu of %zu%s: %s", w->k, w->n, bytes, w->what);
  }
}

static void*
look(void* const user)
{
  watch* const w = user;
  const struct timespec pause = {.tv_nsec = REDRAWN_MS * 1000000L};
  for (int waited = 0;;) {
    const int number = sigtimedwait(&w->waited, NULL, &pause);
    pthread_mutex_lock(&w->lock);
    if (number == SIGUSR1 && w->over) {
      pthread_mutex_unlock(&w->lock);
      return NULL;
    }
    if (number > 0) {
      end_by(w, number);
    }
    waited += waited < FIRST_SHOWN_MS ? REDRAWN_MS : 0;
    if (waited >= FIRST_SHOWN_MS) {
      draw(w);
    }
    pthread_mutex_unlock(&w->lock);
  }
}

bool
watch_run(bool (*const work)(watch* w, void* user), void (*const give_up)(void* user),
          void* const user)
{
  watch w = {.lock = PTHREAD_MUTEX_INITIALIZER, .give_up = give_up, .user = user};
  sigset_t before;
  pthread_t watcher;
  sigemptyset(&w.waited);
  for (size_t k = 0; k < N_INTERRUPTS; ++k) {
    struct sigaction action;
    sigaction(interrupts[k], NULL, &action);
    if (action.sa_handler != SIG_IGN || interrupts[k] == SIGUSR1) {
      sigaddset(&w.waited, interrupts[k]);
    }
  }
  pthread_sigmask(SIG_BLOCK, &w.waited, &before);
  const int error = pthread_create(&watcher, NULL, look, &w);
  if (error) {
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    say_system("a thread that waits for interrupts", error);
    return false;
  }
  const bool good = work(&w, user);
  pthread_mutex_lock(&w.lock);
  w.over = true;
  say_progress(NULL);
  pthread_mutex_unlock(&w.lock);
  pthread_kill(watcher, SIGUSR1);
  pthread_join(watcher, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return good;
}
