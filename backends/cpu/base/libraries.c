/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which library answers. A backend's own choice of BLAS does not bind: in a program that
   is linked to another one, that one's cblas_dgemm is called, and LAPACKE calls whatever
   LAPACK the program has. So the loader is asked where the functions lie, and small calls
   show how wide their integers are before any matrix is trusted to them:

   - ddot_ reads its count through a pointer. From {2, -1} a library with 32-bit integers
     reads 2, one with 64-bit integers a negative count, whose dot product is zero. dlacpy_
     tells the same of LAPACK. Neither complains about its arguments.
   - A factorization of order 2 writes two pivots of LAPACKE's width. */

#include "libraries.h"

#include <cblas.h>
#include <lapacke.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Fortran's entries, with integers of unknown width. */
extern double ddot_(const int32_t* n, const double* x, const int32_t* incx, const double* y,
                    const int32_t* incy);

_Static_assert(sizeof(lapack_int) == 4 && sizeof(blasint) == 4, "32-bit integers");

typedef void any_function(void);

/* The file that holds a function, as the loader has it; "" where it does not know. */
static const char*
file_of(any_function* const function)
{
  Dl_info found;
  void* address;
  memcpy(&address, &function, sizeof(address));
  return dladdr(address, &found) && found.dli_fname ? found.dli_fname : "";
}

static const char*
base_name(const char* const path)
{
  const char* const slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* A function of the library in `file`, or of one it depends on; NULL without. */
static any_function*
function_in(const char* const file, const char* const name)
{
  any_function* function = NULL;
  void* const handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle) {
    void* const address = dlsym(handle, name);
    memcpy(&function, &address, sizeof(function));
    dlclose(handle);
  }
  return function;
}

typedef char* text_function(void);
typedef int count_function(void);

/* Where the loader took the functions from, looked up once: what is bound stays bound, and
   the search takes longer than a small read. */
static struct {
  const char* blas;
  const char* fortran;
  const char* lapack;
  const char* lapacke;
  text_function* config; /* OpenBLAS's own words; NULL of any other BLAS */
  text_function* core;
  count_function* threads;
} bound;

static pthread_once_t looked_up = PTHREAD_ONCE_INIT;

static void
look_up(void)
{
  bound.blas = file_of((any_function*)cblas_dgemm);
  bound.fortran = file_of((any_function*)ddot_);
  bound.lapack = file_of((any_function*)LAPACK_dgetrf);
  bound.lapacke = file_of((any_function*)LAPACKE_dgetrf_work);
  bound.config = (text_function*)function_in(bound.blas, "openblas_get_config");
  bound.core = (text_function*)function_in(bound.blas, "openblas_get_corename");
  bound.threads = (count_function*)function_in(bound.blas, "openblas_get_num_threads");
}

uint32_t
cpu_threads(const double nanoseconds)
{
  enum { WORTH_A_THREAD = 100000, MOST = 64 }; /* waking one takes up to half of that */
  (void)pthread_once(&looked_up, look_up);
  const int given = bound.threads ? bound.threads() : 1;
  const double useful = nanoseconds / WORTH_A_THREAD;
  const double most = given < MOST ? given : MOST;
  return useful < 2 || most < 2 ? 1 : (uint32_t)(useful < most ? useful : most);
}

/* Who the BLAS is: OpenBLAS in its own words, any other by its file. False for one built with
   64-bit integers. */
static bool
describe_blas(const size_t size, char* const text)
{
  if (!bound.config || !bound.core || !bound.threads) {
    snprintf(text, size, "%s (32-bit integers)", base_name(bound.blas));
    return true;
  }
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  const char* const all = bound.config();
  const bool wide = strstr(all, "USE64BITINT") != NULL;
  const char* const space = strchr(all, ' ');
  const size_t length = space ? (size_t)(space - all) + 1U + strcspn(space + 1, " ") : strlen(all);
  const int n = bound.threads();
  snprintf(text, size, "%.*s (%s, %d thread%s, %d-bit integers)", (int)length, all, bound.core(), n,
           n == 1 ? "" : "s", wide ? 64 : 32);
  return !wide;
}

/* The integers that Fortran's interfaces read: 2, or a negative number of 64 bits. */
static const int32_t two[2] = {2, -1};

static bool
blas_is_narrow(void)
{
  const int32_t one[2] = {1, 0};
  const double x[2] = {3.0, 4.0};
  return ddot_(two, x, one, x, one) == 25.0;
}

static bool
lapack_is_narrow(void)
{
  const int32_t ld[2] = {2, 0};
  const double from[4] = {1.0, 2.0, 3.0, 4.0};
  double to[4] = {0.0, 0.0, 0.0, 0.0};
  LAPACK_dlacpy("A", two, two, from, ld, to, ld);
  return memcmp(from, to, sizeof(to)) == 0;
}

/* Do calls through the C interfaces come back with the right results? */
static bool
results_are_right(void)
{
  // columns (0 2) and (1 3): the factors exchange the rows
  double a[4] = {0.0, 2.0, 1.0, 3.0};
  const double b[4] = {1.0, 2.0, 3.0, 4.0};
  const double expected[4] = {5.0, 11.0, 11.0, 25.0};
  double product[4];
  lapack_int pivots[4] = {-1, -1, -1, -1}; /* room for two of either width */
  const bool factored = LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, 2, 2, a, 2, pivots) == 0;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, 2, 2, 2, 1.0, b, 2, b, 2, 0.0, product, 2);
  return factored && pivots[0] == 2 && pivots[1] == 2 && pivots[2] == -1 && pivots[3] == -1 &&
         a[0] == 2.0 && a[1] == 0.0 && a[2] == 3.0 && a[3] == 1.0 &&
         memcmp(product, expected, sizeof(product)) == 0;
}

bool
cpu_libraries_work(const size_t detail_size, char* const detail, const size_t reason_size,
                   char* const reason)
{
  char who[128];
  (void)pthread_once(&looked_up, look_up);
  reason[0] = '\0';
  const bool narrow = describe_blas(sizeof(who), who);
  if (strcmp(bound.blas, bound.lapack) == 0) {
    snprintf(detail, detail_size, "%s for BLAS and LAPACK; %s", who, base_name(bound.lapacke));
  } else {
    lapack_int version[3] = {0, 0, 0};
    LAPACKE_ilaver(&version[0], &version[1], &version[2]);
    snprintf(detail, detail_size, "%s for BLAS; LAPACK %d.%d.%d in %s; %s", who, (int)version[0],
             (int)version[1], (int)version[2], base_name(bound.lapack), base_name(bound.lapacke));
  }
  const char* const wide = !narrow               ? bound.blas
                           : !blas_is_narrow()   ? bound.fortran
                           : !lapack_is_narrow() ? bound.lapack
                                                 : NULL;
  if (wide) {
    snprintf(reason, reason_size, "%s has 64-bit integers, expected 32-bit ones", wide);
  } else if (!results_are_right()) {
    snprintf(reason, reason_size, "%s, %s and %s give wrong results together", bound.blas,
             bound.lapack, bound.lapacke);
  }
  return reason[0] == '\0';
}
