/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* LAPACK, opened when a large eigenvalue problem, singular value problem or Schur form first needs
   it; and how many threads the loops of this backend use. */

#ifndef CPU_LIBRARIES_H
#define CPU_LIBRARIES_H

#include <parametrize/types.h>

#include <stddef.h>
#include <stdint.h>

/* Fortran's names and arguments: everything by address, then the lengths of the texts. */
typedef void cpu_syev(const char* job, const char* triangle, const int32_t* n, double* a,
                      const int32_t* lda, double* w, double* work, const int32_t* n_work,
                      int32_t* info, size_t job_length, size_t triangle_length);
typedef void cpu_syevd(const char* job, const char* triangle, const int32_t* n, double* a,
                       const int32_t* lda, double* w, double* work, const int32_t* n_work,
                       int32_t* integers, const int32_t* n_integers, int32_t* info,
                       size_t job_length, size_t triangle_length);
typedef void cpu_gesdd(const char* job, const int32_t* m, const int32_t* n, void* a,
                       const int32_t* lda, void* s, void* u, const int32_t* ldu, void* vt,
                       const int32_t* ldvt, void* work, const int32_t* n_work, int32_t* integers,
                       int32_t* info, size_t job_length);
typedef void cpu_gesvd(const char* job_u, const char* job_vt, const int32_t* m, const int32_t* n,
                       void* a, const int32_t* lda, void* s, void* u, const int32_t* ldu, void* vt,
                       const int32_t* ldvt, void* work, const int32_t* n_work, int32_t* info,
                       size_t job_u_length, size_t job_vt_length);
typedef void cpu_gees(const char* job, const char* sort, void* select, const int32_t* n, void* a,
                      const int32_t* lda, int32_t* sorted, void* real_parts, void* imaginary_parts,
                      void* vectors, const int32_t* ldv, void* work, const int32_t* n_work,
                      void* logicals, int32_t* info, size_t job_length, size_t sort_length);

/* Arrays: float32, float64. */
typedef struct cpu_lapack {
  cpu_syev* syev;
  cpu_syevd* syevd;
  cpu_gesdd* gesdd[2];
  cpu_gesvd* gesvd[2];
  cpu_gees* gees[2];
} cpu_lapack;

/* LAPACK for the calls up to cpu_lapack_end, which every success needs. A LAPACK with threads of its
   own serves one caller at a time, any other one 32; more wait. PZ_DEVICE where it cannot be opened, PZ_NO_MEMORY
   where limits of the process would make it hang or raise a signal; without a message, which
   cpu_lapack_describe gives. [any thread] */
pz_status cpu_lapack_begin(const cpu_lapack** out);
void cpu_lapack_end(void);

/* Describes LAPACK: its name and version, or why it cannot be used, or could not when it was last
   needed, or that it was not needed yet. Opens nothing. [any thread] */
void cpu_lapack_describe(size_t size, char* text);

/* Notices an OpenBLAS that the process has already. [any thread] */
void cpu_threads_follow(void);

/* How many threads are worth using for work that takes one thread so many nanoseconds: at least 1,
   and at most as many as the OpenBLAS of the process uses at present; without one, as OpenBLAS would
   use: what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS says, or one per processor. [any thread] */
uint32_t cpu_threads(double nanoseconds);

#endif /* CPU_LIBRARIES_H */
