/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A pair of backends: the tested one, whose table is called directly, and the reference, which is
   linked in. Every operation runs on both sides.

   A case makes operands in random layouts, runs one operation and compares the results:

     operand* const x = operand_in(r, m, n, batch);
     operand* const y = operand_out(r, m, n, batch);
     RUN(r, copy, AT(x), AT(y));
     expect_exact(r, y);

   Around every run the pair checks that inputs, padding, offsets and guards kept their
   bytes on both sides, that outputs not to be read may hold NaN, and, where allocations
   can be counted, that a repetition allocates nothing. */

#ifndef TOOLS_CHECK_PAIR_H
#define TOOLS_CHECK_PAIR_H

#include "../dense.h"
#include "../draws.h"
#include "cases.h"

#include <parametrize/backend.h>

enum { TESTED = 0, REFERENCE = 1, BEFORE = 2 };
enum { MAX_OPERANDS = 16 };

typedef enum operand_role { OPERAND_IN, OPERAND_OUT, OPERAND_INOUT } operand_role;

/* A batch of matrices on both sides, with a host image of its whole buffer before the run
   and after it. */
typedef struct operand {
  pz_mat mat[2];
  operand_role role;
  size_t bytes;
  unsigned char* image[3]; /* after on either side, BEFORE */
  unsigned char* inside;   /* 1 for elements of a matrix, 0 for what lies around */
} operand;

typedef struct side {
  const pz_backend* backend;
  const pz_backend_ops* ops;      /* of the pair's dtype */
  const pz_backend_ops* integers; /* of PZ_I64 */
  pz_backend_queue* queue;
  pz_fault fault;
  pz_status status;      /* of the last run, the fault word included */
  long long fault_place; /* in the batch, or -1 where only the message says it */
  char message[256];
} side;

typedef struct pair {
  uint32_t dtype;
  double epsilon;
  uint64_t random;
  side sides[2];
  operand operands[MAX_OPERANDS];
  size_t n_operands;
  int64_t extent; /* largest of the case */
  int trial;
  /* the run under way */
  const char* op;
  int turn;
  int pass;
  pz_status result;
  bool offered; /* false: the tested side answered PZ_UNSUPPORTED */
} pair;

/* ---- pair.c ---------------------------------------------------------------- */

/* Another backend with the operations of `subject`, which is in `file`. */
typedef const pz_backend* pair_wrapper(const char* file, const pz_backend* subject);

/* The backend to test, "reference", "FILE.so" or "FILE.so:ID", alone or in `wrapper`, and the
   operations it must offer ("all", "-schur", "gemm" ...); says why not where it cannot be tested. */
const char* pair_subject(const char* name, pair_wrapper* wrapper, int n_mandatory,
                         char* const* mandatory);
/* Is it in a wrapper? */
bool pair_is_routed(void);

/* Does it work in the host's memory? */
bool pair_in_host_memory(void);

/* Opens another queue on the device of the tested side. */
pz_backend_queue* pair_open_queue(const pair* r);

/* Opens both sides for dtype number `which` (0: float32, 1: float64), and closes them. */
void pair_open(pair* r, int which);
void pair_close(pair* r);

/* Asks the tested backend about device `index`. */
pz_status pair_probe(const pair* r, uint32_t index, pz_device_info* info);

/* Trials of a test, or the unit of their number. */
int pair_trials(void);

/* Begins trial `trial`: frees the operands of the one before. The last trials are large. */
void pair_trial(pair* r, int trial);
int64_t pair_size(pair* r);  /* from 1 to 40, or 65, 127, 200 */
int64_t pair_batch(pair* r); /* 1, 2 or 7 */
/* Orders and sizes of batches about the number of lanes of any instructions. */
int64_t pair_small_order(pair* r);
int64_t pair_small_batch(pair* r);
int64_t pair_pick(pair* r, int64_t n); /* 0 .. n-1 */
double pair_real(pair* r);             /* a scalar argument: 0, 1, -1 or any */

bool pair_step(pair* r);

#define RUN(r, name, ...) RUN_OF(r, ops, name, __VA_ARGS__)

/* The same for operations on integers. */
#define RUN_INTEGERS(r, name, ...) RUN_OF(r, integers, name, __VA_ARGS__)

#define RUN_OF(r, table, name, ...)                                                             \
  do {                                                                                          \
    (r)->op = #name;                                                                            \
    while (pair_step(r)) {                                                                      \
      const side* const s_ = &(r)->sides[(r)->turn];                                            \
      (r)->result = s_->table->name ? s_->table->name(s_->queue, __VA_ARGS__) : PZ_UNSUPPORTED; \
    }                                                                                           \
  } while (0)

/* Inside RUN, where the pair is named r: an operand, its array, the fault word of the side. */
#define AT(o) (&(o)->mat[r->turn])
#define FAULT (&r->sides[r->turn].fault)

/* Both sides succeeded, or the tested one offers nothing. */
void expect_ok(pair* r);
/* As expect_ok, and output `o` agrees bit for bit (zeros of either sign are one). */
void expect_exact(pair* r, const operand* o);
/* As expect_ok, and ||a - b|| <= 50 n eps max(||b||, scale), Frobenius over the whole batch,
   b the reference's; NaN and infinities stand in the same places. */
void expect_close(pair* r, const operand* o, double scale);
/* PZ_SINGULAR for matrix `place` on both sides, which is NaN throughout; the others agree
   as in expect_close. */
void expect_singular(pair* r, const operand* o, int64_t place, double scale);
/* Of the tested side's `o` exactly matrix `place` holds a NaN; -1: every one does. */
void expect_spoiled(const pair* r, const operand* o, int64_t place);
/* Both sides refuse with `status`. */
void expect_refused(pair* r, pz_status status);
/* Fails the test with the case described. */
void pair_fail(const pair* r, const char* format, ...) PZ_PRINTF(2, 3);

/* Was an operation called that is offered? */
bool pair_offered(void);

/* The device, calls by operation and how many were not offered, over all tests, to stderr. */
void pair_report(void);

/* ---- operand.c ------------------------------------------------------------ */

/* A fresh batch in a random layout. `in` and `inout` hold standard normal numbers, `out` NaN
   everywhere. Inputs may repeat one matrix (batch stride 0). */
operand* operand_new(pair* r, operand_role role, uint32_t dtype, int64_t rows, int64_t cols,
                     int64_t batch);
operand* operand_in(pair* r, int64_t rows, int64_t cols, int64_t batch);
operand* operand_out(pair* r, int64_t rows, int64_t cols, int64_t batch);
operand* operand_inout(pair* r, int64_t rows, int64_t cols, int64_t batch);
/* One row without stride or batch, as `random` and `launch` take it. */
operand* operand_flat(pair* r, operand_role role, uint32_t dtype, int64_t n);
/* Row numbers for take and put, n x 1 and contiguous. */
operand* operand_index(pair* r, int64_t n, int64_t rows);
void operand_free(pair* r, operand* o);

/* Entry (i, j) of matrix k, BEFORE the run or after it on one side, and into BEFORE. */
double operand_get(const operand* o, int when, int64_t k, int64_t i, int64_t j);
void operand_put(operand* o, int64_t k, int64_t i, int64_t j, double value);
int64_t operand_integer(const operand* o, int when, int64_t i);
void operand_put_integer(operand* o, int64_t i, int64_t value);

/* Matrices the operand really has: 1 where one is repeated. */
int64_t operand_matrices(const operand* o);
/* Frobenius norm over the whole batch, repeated matrices counted as often as used. */
double operand_norm(const operand* o, int when);
/* Matrix k to a row-major array, and back into BEFORE. */
void operand_matrix(const operand* o, int when, int64_t k, double* out);
void operand_set_matrix(operand* o, int64_t k, const double* in);
void operand_fill(operand* o, double value);
/* One line about dtype, shape and strides. */
void operand_describe(const operand* o, char* text, size_t size);

/* ---- tests/backend/routed.c ----------------------------------------------------------------- */

/* Runs operations by the core's routes. */
pair_wrapper routed_backend;

/* ---- allocation.c and oracle.c of tests/backend; without.c in the command --------------------- */

/* Counts calls of malloc and its kin between begin and end, unless the build cannot or the
   environment has TEST_ALLOCATIONS. */
bool allocation_counted(void);
void allocation_begin(void);
uint64_t allocation_end(void);

/* Spectra by LAPACK; false where the build has none. Eigenvalues ascending of symmetric a
   (n x n), singular values descending (m x n), eigenvalues of any a by real part then
   imaginary part. `a` row-major. */
bool oracle_available(void);
bool oracle_eigenvalues(int64_t n, const double* a, double* w);
bool oracle_singular_values(int64_t m, int64_t n, const double* a, double* s);
bool oracle_spectrum(int64_t n, const double* a, double* re, double* im);

/* ---- the tests, by file ----------------------------------------------------- */

/* In the order in which they run: name, and what holds. */
#define PAIR_CASES(X)                                                   \
  X(memory, "devices, memory, copies and fills, of several queues too") \
  X(known, "results that are known")                                    \
  X(large, "matrices larger than the blocks they are divided into")     \
  X(elementwise, "copies, fills, sums and products of entries")         \
  X(structured, "folds, triangles and diagonals")                       \
  X(reductions, "norms, dot products and scalings")                     \
  X(products, "gemm, syrk, trmm and trsm")                              \
  X(inverses, "inverses and solutions; singular matrices are named")    \
  X(by_triangle, "matrices of which one triangle is read")              \
  X(factorizations, "qr, eigh and svd")                                 \
  X(triangular_forms, "potrf and schur")                                \
  X(rows, "take, put and kernels")                                      \
  X(random, "random numbers, to the bit")                               \
  X(special, "NaN, infinities and zeros")                               \
  X(accuracy, "errors of a few n eps")                                  \
  X(extents, "more than 65535 matrices, and as many rows")              \
  X(exponentials, "exponential and exponential_adjoint")                \
  X(batches, "a matrix of a batch is what it is alone")                 \
  X(mathematics, "the functions of kernels")

#define PAIR_DECLARE(name, summary) TCase* name##_case(void);
PAIR_CASES(PAIR_DECLARE)
#undef PAIR_DECLARE

/* ---- loop.c ------------------------------------------------------------------- */

/* pz_backend_host.parallel for both sides. */
void loop_parallel(uint32_t threads, int64_t n, pz_part* part, void* context);
/* Tells OpenBLAS, where it is in this process, and with it the cpu backend. */
void loop_use_threads(int n);

#endif /* TOOLS_CHECK_PAIR_H */
