/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opens LAPACK when it is needed, and only where it will not end or hang the process:

   - OpenBLAS starts its threads when it is opened, and raises SIGINT where it cannot. So as many
     are started first, and ended again.
   - It maps BUFFER bytes for every thread, and tries for ever where it cannot. So as much is mapped
     first, and unmapped again, before every call.
   - Its threads spin while they wait. Two calls at once that use them take many times as long as one
     after the other, so a LAPACK with threads has one caller at a time. The number of its
     threads is the process's, and its other users', so it is left alone; newer versions have one
     for the calling thread, and then callers that come second do without threads. Without threads
     it has at most MOST_CALLERS.

   Its integers must have 32 bits. dlacpy_ reads its counts through pointers: from {2, -1} a library
   with 64-bit integers reads a negative count, and copies nothing. */

#include "libraries.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
  MOST_THREADS = 64,
  MOST_CALLERS = 32, /* OpenBLAS ends the process at some number of buffers, at least 64 */
};

/* What OpenBLAS maps for a thread, at most; and what the library itself takes. */
static const size_t buffer_bytes = (size_t)144 << 20;
static const size_t library_bytes = (size_t)64 << 20;

static const char* const library_names[] = {"libopenblas.so.0", "liblapack.so.3"};

typedef void any_function(void);
typedef int count_function(void);
typedef int local_function(int n);
typedef char* text_function(void);
typedef void lacpy_function(const char* part, const int32_t* m, const int32_t* n, const double* a,
                            const int32_t* lda, double* b, const int32_t* ldb, size_t length);

static struct {
  pthread_mutex_t opening; /* protects what follows up to `text` */
  bool opened;             /* `functions` are there */
  bool strict;             /* the system promises no more memory than it has */
  bool broken;             /* a library that cannot be used was found: final */
  char text[192];          /* its name and version, or why it was not used; "" at first */
  cpu_lapack functions;    /* constant once opened */
  pthread_mutex_t calling; /* protects `callers` */
  pthread_cond_t ended;    /* there is a caller less */
  int callers;
  atomic_bool short_of_room;        /* when it was last needed */
  _Atomic(count_function*) threads; /* OpenBLAS's number of threads; NULL without it */
  _Atomic(local_function*) set_local;
} lapack = {
    .opening = PTHREAD_MUTEX_INITIALIZER,
    .calling = PTHREAD_MUTEX_INITIALIZER,
    .ended = PTHREAD_COND_INITIALIZER,
};

static _Thread_local int threads_before; /* what this thread changed for its call; 0: nothing */

/* ---- threads ---------------------------------------------------------------------- */

static any_function*
function_in(void* const handle, const char* const name)
{
  any_function* function;
  void* const address = dlsym(handle, name);
  memcpy(&function, &address, sizeof(function));
  return function;
}

/* The library stays open: its functions are kept. */
static void
follow_threads(void* const handle)
{
  atomic_store(&lapack.set_local,
               (local_function*)function_in(handle, "openblas_set_num_threads_local"));
  atomic_store(&lapack.threads, (count_function*)function_in(handle, "openblas_get_num_threads"));
}

void
cpu_threads_follow(void)
{
  if (!atomic_load(&lapack.threads)) {
    void* const handle = dlopen(library_names[0], RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle) {
      follow_threads(handle);
    }
  }
}

static int threads_by_default;

/* As OpenBLAS does. */
static void
count_threads(void)
{
  static const char* const variables[] = {"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS",
                                          "OMP_NUM_THREADS"};
  cpu_set_t set;
  threads_by_default = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  for (size_t k = 0; k < sizeof(variables) / sizeof(variables[0]); ++k) {
    const char* const text = getenv(variables[k]);
    const long n = text ? strtol(text, NULL, 10) : 0;
    if (n > 0) {
      threads_by_default = n < MOST_THREADS ? (int)n : MOST_THREADS;
      break;
    }
  }
}

static int
threads_at_present(void)
{
  static pthread_once_t counted = PTHREAD_ONCE_INIT;
  count_function* const ask = atomic_load(&lapack.threads);
  if (ask) {
    return ask();
  }
  (void)pthread_once(&counted, count_threads);
  return threads_by_default;
}

uint32_t
cpu_threads(const double nanoseconds)
{
  enum { WORTH_A_THREAD = 100000 }; /* waking one takes up to half of that */
  const double useful = nanoseconds / WORTH_A_THREAD;
  if (useful < 2) {
    return 1;
  }
  const int given = threads_at_present();
  const double most = given < MOST_THREADS ? given : MOST_THREADS;
  return most < 2 ? 1 : (uint32_t)(useful < most ? useful : most);
}

/* ---- limits of the process --------------------------------------------------------- */

/* Can memory be mapped, and as many buffers of OpenBLAS beside it? */
static bool
is_mappable(const size_t bytes, const int buffers)
{
  void* mapped[MOST_THREADS + 1];
  int n = 0;
  bool fits = true;
  for (int k = 0; k <= buffers && fits; ++k) {
    const size_t size = k == 0 ? bytes : buffer_bytes;
    void* const memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fits = memory != MAP_FAILED;
    mapped[n] = memory;
    n += fits ? 1 : 0;
  }
  for (int k = 0; k < n; ++k) {
    (void)munmap(mapped[k], k == 0 ? bytes : buffer_bytes);
  }
  return fits;
}

/* Can a mapping fail because of a limit? */
static bool
is_limited(void)
{
  static const int limits[] = {RLIMIT_AS, RLIMIT_DATA};
  struct rlimit limit;
  bool found = lapack.strict;
  for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); ++k) {
    found = found || getrlimit(limits[k], &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
  }
  return found;
}

static void
say_no_room(const int threads, char* const reason, const size_t size)
{
  snprintf(reason, size, "no room for the %zu MiB that OpenBLAS maps for %d thread%s",
           (library_bytes + (size_t)threads * buffer_bytes) >> 20, threads,
           threads == 1 ? "" : "s");
}

static void*
wait_at(void* const user)
{
  pthread_mutex_t* const gate = user;
  pthread_mutex_lock(gate);
  pthread_mutex_unlock(gate);
  return NULL;
}

/* Is there room for OpenBLAS with so many threads, one of which is the caller's? */
static bool
has_room(const int threads, char* const reason, const size_t size)
{
  pthread_t ids[MOST_THREADS];
  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* closed until all have started */
  int started = 0;
  pthread_mutex_lock(&gate);
  while (started < threads - 1 && pthread_create(&ids[started], NULL, wait_at, &gate) == 0) {
    ++started;
  }
  const bool mappable = is_mappable(library_bytes, threads);
  pthread_mutex_unlock(&gate);
  for (int k = 0; k < started; ++k) {
    pthread_join(ids[k], NULL);
  }
  if (started < threads - 1) {
    snprintf(reason, size, "the system starts %d of the %d threads that OpenBLAS starts", started,
             threads - 1);
  } else if (!mappable) {
    say_no_room(threads, reason, size);
  }
  return started == threads - 1 && mappable;
}

/* ---- opening ------------------------------------------------------------------------ */

/* Do its calls come back with the right results, and does it have all that is needed? */
static bool
find_functions(void* const handle, cpu_lapack* const out)
{
  lacpy_function* const lacpy = (lacpy_function*)function_in(handle, "dlacpy_");
  static const int32_t two[2] = {2, -1};
  double from[4] = {2.0, 1.0, 1.0, 2.0};
  double to[4] = {0.0, 0.0, 0.0, 0.0};
  *out = (cpu_lapack){
      .syev = (cpu_syev*)function_in(handle, "dsyev_"),
      .syevd = (cpu_syevd*)function_in(handle, "dsyevd_"),
      .gesdd = {(cpu_gesdd*)function_in(handle, "sgesdd_"),
                (cpu_gesdd*)function_in(handle, "dgesdd_")},
      .gesvd = {(cpu_gesvd*)function_in(handle, "sgesvd_"),
                (cpu_gesvd*)function_in(handle, "dgesvd_")},
      .gees = {(cpu_gees*)function_in(handle, "sgees_"), (cpu_gees*)function_in(handle, "dgees_")},
  };
  if (!lacpy || !out->syev || !out->syevd || !out->gesdd[0] || !out->gesdd[1] || !out->gesvd[0] ||
      !out->gesvd[1] || !out->gees[0] || !out->gees[1]) {
    return false;
  }
  lacpy("A", two, two, from, two, to, two, 1);
  if (memcmp(from, to, sizeof(to)) != 0) {
    return false;
  }
  const int32_t n_work[2] = {32, 0};
  double work[32];
  double w[2] = {0.0, 0.0};
  int32_t info[2] = {-1, 0};
  out->syev("N", "L", two, from, two, w, work, n_work, info, 1, 1);
  return info[0] == 0 && w[0] > 0.999 && w[0] < 1.001 && w[1] > 2.999 && w[1] < 3.001;
}

/* Its name, with OpenBLAS's version where it is one: "OpenBLAS 0.3.21 (Zen)". */
static void
describe(void* const handle, const char* const name)
{
  text_function* const config = (text_function*)function_in(handle, "openblas_get_config");
  text_function* const core = (text_function*)function_in(handle, "openblas_get_corename");
  if (!config || !core) {
    snprintf(lapack.text, sizeof(lapack.text), "%s", name);
    return;
  }
  const char* const all = config();
  const char* const space = strchr(all, ' ');
  const size_t length = space ? (size_t)(space - all) + 1U + strcspn(space + 1, " ") : strlen(all);
  snprintf(lapack.text, sizeof(lapack.text), "%.*s (%s)", (int)length, all, core());
}

static void
forget_callers(void)
{
  pthread_mutex_init(&lapack.opening, NULL);
  pthread_mutex_init(&lapack.calling, NULL);
  pthread_cond_init(&lapack.ended, NULL);
  lapack.callers = 0;
}

static bool
overcommits_nothing(void)
{
  FILE* const file = fopen("/proc/sys/vm/overcommit_memory", "re");
  const bool strict = file && fgetc(file) == '2';
  if (file) {
    fclose(file);
  }
  return strict;
}

/* Opens the first library that is there. [opening held] */
static pz_status
open_lapack(void)
{
  const int threads = threads_at_present();
  const bool here = atomic_load(&lapack.threads) != NULL;
  if (!here && !has_room(threads, lapack.text, sizeof(lapack.text))) {
    return PZ_NO_MEMORY;
  }
  for (size_t k = 0; k < sizeof(library_names) / sizeof(library_names[0]); ++k) {
    void* const handle = dlopen(library_names[k], RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
      const char* const why = dlerror();
      snprintf(lapack.text, sizeof(lapack.text), "%s", why ? why : library_names[k]);
      continue;
    }
    if (!find_functions(handle, &lapack.functions)) {
      snprintf(lapack.text, sizeof(lapack.text),
               "%s gives wrong results, expected LAPACK with 32-bit integers", library_names[k]);
      lapack.broken = true;
      return PZ_DEVICE;
    }
    describe(handle, library_names[k]);
    follow_threads(handle);
    (void)pthread_atfork(NULL, NULL, forget_callers);
    lapack.strict = overcommits_nothing();
    lapack.opened = true;
    return PZ_OK;
  }
  return PZ_DEVICE;
}

void
cpu_lapack_describe(const size_t size, char* const text)
{
  pthread_mutex_lock(&lapack.opening);
  if (atomic_load(&lapack.short_of_room)) {
    snprintf(text, size, "no LAPACK: no room for the %zu MiB that OpenBLAS maps",
             buffer_bytes >> 20);
  } else if (lapack.opened) {
    snprintf(text, size, "LAPACK of %s", lapack.text);
  } else if (lapack.text[0] != '\0') {
    snprintf(text, size, "no LAPACK: %s", lapack.text);
  } else if (is_limited() && !is_mappable(library_bytes, threads_at_present())) {
    char reason[128];
    say_no_room(threads_at_present(), reason, sizeof(reason));
    snprintf(text, size, "no LAPACK: %s", reason);
  } else {
    snprintf(text, size, "LAPACK not needed yet");
  }
  pthread_mutex_unlock(&lapack.opening);
}

/* ---- calls ----------------------------------------------------------------------------- */

/* Waits until this thread may call. */
static void
take_turn(void)
{
  local_function* const set_local = atomic_load(&lapack.set_local);
  const bool threaded = threads_at_present() > 1;
  // where there may be no room for buffers, one caller has one
  const int most = is_limited() || (threaded && !set_local) ? 1 : MOST_CALLERS;
  pthread_mutex_lock(&lapack.calling);
  while (lapack.callers >= most) {
    pthread_cond_wait(&lapack.ended, &lapack.calling);
  }
  lapack.callers += 1;
  threads_before = threaded && lapack.callers > 1 ? set_local(1) : 0;
  pthread_mutex_unlock(&lapack.calling);
}

pz_status
cpu_lapack_begin(const cpu_lapack** const out)
{
  pthread_mutex_lock(&lapack.opening);
  pz_status status = lapack.opened ? PZ_OK : lapack.broken ? PZ_DEVICE : open_lapack();
  pthread_mutex_unlock(&lapack.opening);
  if (status != PZ_OK) {
    return status;
  }
  take_turn();
  const bool mappable = !is_limited() || is_mappable(buffer_bytes, 0);
  atomic_store(&lapack.short_of_room, !mappable);
  if (!mappable) {
    cpu_lapack_end();
    return PZ_NO_MEMORY;
  }
  *out = &lapack.functions;
  return PZ_OK;
}

void
cpu_lapack_end(void)
{
  if (threads_before > 0) {
    (void)atomic_load (&lapack.set_local)(threads_before);
    threads_before = 0;
  }
  pthread_mutex_lock(&lapack.calling);
  lapack.callers -= 1;
  pthread_cond_signal(&lapack.ended);
  pthread_mutex_unlock(&lapack.calling);
}
