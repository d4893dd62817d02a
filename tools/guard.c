/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The child sends each path, with its closing zero, through a pipe; an empty one when all files are
   open; and DONE when the command has an exit status. */

#include "guard.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char done[] = "done"; /* no path: those are absolute */

/* A file that ended the process, and how. */
typedef struct culprit {
  char path[PATH_MAX];
  char reason[128];
} culprit;

struct guard {
  int pipe; /* the child's end, -1 in the parent */
  culprit* culprits;
  size_t n;
};

/* ---- in the child ----------------------------------------------------------------- */

static void
tell(const guard* const g, const char* const text)
{
  const size_t n = strlen(text) + 1;
  for (size_t sent = 0; sent < n;) {
    const ssize_t k = write(g->pipe, text + sent, n - sent);
    if (k < 0 && errno != EINTR) {
      return;
    }
    sent += k > 0 ? (size_t)k : 0;
  }
}

static const char*
refuse(void* const data, const char* const path)
{
  const guard* const g = data;
  for (size_t k = 0; k < g->n; ++k) {
    if (strcmp(g->culprits[k].path, path) == 0) {
      return g->culprits[k].reason;
    }
  }
  tell(g, path);
  return NULL;
}

pz_context_settings
guard_settings(guard* const g)
{
  return (pz_context_settings){
      .size = sizeof(pz_context_settings),
      .refuse = g ? refuse : NULL,
      .refuse_data = g,
  };
}

void
guard_opened(guard* const g)
{
  tell(g, "");
}

/* ---- in the parent ---------------------------------------------------------------- */

/* What is known of a child. */
typedef struct watch {
  pid_t child;
  int pipe;            /* -1 after its end */
  char text[PATH_MAX]; /* received since the last zero */
  size_t length;
  char last[PATH_MAX]; /* the last text */
  int64_t since;       /* when it came, in milliseconds */
} watch;

static int64_t
milliseconds(void)
{
  struct timespec now = {0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what is in the pipe. */
static void
receive(watch* const w)
{
  char bytes[4096];
  ssize_t n = 0;
  while (w->pipe >= 0 && (n = read(w->pipe, bytes, sizeof(bytes))) > 0) {
    for (ssize_t k = 0; k < n; ++k) {
      if (w->length < sizeof(w->text)) {
        w->text[w->length++] = bytes[k];
      }
      if (bytes[k] == '\0') {
        w->text[w->length - 1] = '\0';
        memcpy(w->last, w->text, w->length);
        w->length = 0;
        w->since = milliseconds();
      }
    }
  }
  if (w->pipe >= 0 && n == 0) {
    (void)close(w->pipe);
    w->pipe = -1;
  }
}

/* Waits for the end of the child, or ends it when a file has taken too long; returns whether it
   has. */
static bool
wait_for_child(watch* const w, const int64_t limit, int* const status)
{
  for (;;) {
    const bool ended = waitpid(w->child, status, WNOHANG) == w->child;
    receive(w);
    if (ended) {
      return false;
    }
    if (w->last[0] == '/' && milliseconds() - w->since > limit) {
      (void)kill(w->child, SIGKILL);
      (void)waitpid(w->child, status, 0);
      return true;
    }
    struct pollfd more = {.fd = w->pipe, .events = POLLIN};
    (void)poll(&more, 1, w->pipe < 0 ? 1 : 100);
  }
}

static void
describe(const char* const what, const int status, const bool late, const int64_t limit,
         char out[128])
{
  if (late) {
    (void)snprintf(out, 128, "%s takes more than %lld s", what, (long long)(limit / 1000));
  } else if (WIFSIGNALED(status)) {
    (void)snprintf(out, 128, "%s ends the process: %s", what, strsignal(WTERMSIG(status)));
  } else {
    (void)snprintf(out, 128, "%s ends the process with exit status %d", what, WEXITSTATUS(status));
  }
}

/* Notes the file that ended the process. */
static int
add_culprit(guard* const g, const char* const path, const char* const reason)
{
  void* const grown = realloc(g->culprits, (g->n + 1) * sizeof(*g->culprits));
  if (grown == NULL) {
    return say_no_memory(path);
  }
  g->culprits = grown;
  culprit* const c = &g->culprits[g->n++];
  (void)snprintf(c->path, sizeof(c->path), "%s", path);
  (void)snprintf(c->reason, sizeof(c->reason), "%s", reason);
  return EXIT_GOOD;
}

/* Starts a child; 0 in the child, -1 without one. */
static pid_t
start(guard* const g, watch* const w)
{
  int ends[2];
  if (fflush(stdout) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
    return -1;
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  (void)close(ends[child == 0 ? 0 : 1]);
  if (child == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    g->pipe = ends[1];
    if (getppid() != parent) {
      _exit(EXIT_ERROR);
    }
  } else if (child < 0) {
    (void)close(ends[0]);
  } else {
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *w = (watch){.child = child, .pipe = ends[0], .since = milliseconds()};
  }
  return child;
}

static int
run_guarded(guard* const g, const arguments* const a, guarded* const run)
{
  const int64_t limit = a->limit != 0 ? (int64_t)a->limit * 1000 : 10000;
  for (;;) {
    watch w;
    int status = 0;
    const pid_t child = start(g, &w);
    if (child < 0) {
      return say_system("a child process", errno);
    }
    if (child == 0) {
      const int result = run(a, g);
      tell(g, done);
      return result;
    }
    const bool late = wait_for_child(&w, limit, &status);
    if (w.pipe >= 0) {
      (void)close(w.pipe);
    }
    if (strcmp(w.last, done) == 0 && WIFEXITED(status)) {
      return WEXITSTATUS(status);
    }
    const bool opening = w.last[0] == '/';
    if (!opening && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) {
      (void)raise(SIGPIPE); /* nobody reads the output */
    }
    char reason[128];
    describe(opening ? "opening it" : "asking the backends for devices", status, late, limit,
             reason);
    if (!opening) {
      return say(NULL, "%s", reason);
    }
    const int noted = add_culprit(g, w.last, reason);
    if (noted != EXIT_GOOD) {
      return noted;
    }
  }
}

int
guard_run(const arguments* const a, guarded* const run, const bool fails)
{
  guard g = {.pipe = -1};
  int status = run_guarded(&g, a, run);
  for (size_t k = 0; fails && g.pipe < 0 && k < g.n; ++k) {
    status = say(g.culprits[k].path, "%s", g.culprits[k].reason);
  }
  free(g.culprits);
  return status;
}
