/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A backend as libparametrize completes it: its operations are dispatched by core, natively,
   composed or on the host, in the memory of the tested backend. So the tests of backends also test
   the operations that it lacks. */

#include <pair.h>
#include <support.h>

#include "dispatch.h"
#include "mat.h"

#include <stdio.h>
#include <stdlib.h>

struct pz_backend_queue {
  const pz_backend_host* host;
  pz_context* context;
  pz_queue* queue;
};

static const char* subject_file;
static pz_backend routed;

/* Hands the message of the core under test to the core of the test. */
static pz_status
told(const pz_backend_queue* const q, const pz_status status)
{
  const bool silent = status == PZ_OK || status == PZ_UNSUPPORTED;
  /* in brackets, since check.h has a macro of that name */
  return silent ? status : (q->host->fail)(status, "%s", pz_error_message());
}

static pz_status
run(pz_backend_queue* const q, pzi_request* const r)
{
  for (uint32_t k = 0; k < r->n; ++k) {
    if (r->mat[k].rows > 0) {
      pzi_mat_normalize(&r->mat[k]);
      r->dtype = k > 0 && r->mat[k].dtype == PZ_I64 ? r->dtype : r->mat[k].dtype;
    }
  }
  r->fault = r->fault ? r->fault : &q->queue->fault;
  pthread_mutex_lock(&q->queue->mutex);
  const uint64_t mark = pzi_arena_mark(&q->queue->scratch);
  const pz_status status = pzi_dispatch(q->queue, r);
  pzi_arena_release(&q->queue->scratch, mark);
  pthread_mutex_unlock(&q->queue->mutex);
  return told(q, status);
}

#define ROUTE(q, ...) run(q, &(pzi_request){__VA_ARGS__})

static uint8_t
output(const double beta)
{
  return beta == 0.0 ? PZI_WRITE : PZI_UPDATE;
}

/* A result that may be NULL: the caller does not want it. */
static pz_mat
maybe(const pz_mat* const m)
{
  return m ? *m : (pz_mat){0};
}

/* ---- operations ----------------------------------------------------------------- */

static pz_status
routed_copy(pz_backend_queue* q, const pz_mat* x, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_COPY, .n = 2, .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *y});
}

static pz_status
routed_fill(pz_backend_queue* q, double value, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_FILL, .n = 1, .access = {PZI_WRITE}, .mat = {*y}, .real = {value});
}

static pz_status
routed_axpby(pz_backend_queue* q, double a, const pz_mat* x, double b, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_AXPBY, .n = 2, .access = {PZI_READ, output(b)}, .mat = {*x, *y},
               .real = {a, b});
}

static pz_status
routed_scale(pz_backend_queue* q, double a, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_SCALE, .n = 1, .access = {PZI_UPDATE}, .mat = {*y}, .real = {a});
}

static pz_status
routed_hadamard(pz_backend_queue* q, double a, const pz_mat* x, const pz_mat* y, double b,
                const pz_mat* z)
{
  return ROUTE(q, .op = PZI_HADAMARD, .n = 3, .access = {PZI_READ, PZI_READ, output(b)},
               .mat = {*x, *y, *z}, .real = {a, b});
}

static pz_status
routed_add_identity(pz_backend_queue* q, double a, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_ADD_IDENTITY, .n = 1, .access = {PZI_UPDATE}, .mat = {*y}, .real = {a});
}

static pz_status
routed_combine(pz_backend_queue* q, double shift, uint32_t n, const double* a, const pz_mat* x,
               const pz_mat* y)
{
  if (n == 0) { /* pzi_ops_combine dispatches no empty sum */
    PZ_TRY(routed_fill(q, 0.0, y));
    return routed_add_identity(q, shift, y);
  }
  pzi_request r = {.op = PZI_COMBINE, .n = n + 1, .shift = shift};
  for (uint32_t k = 0; k < n; ++k) {
    r.access[k] = PZI_READ;
    r.mat[k] = x[k];
    r.real[k] = a[k];
  }
  r.access[n] = PZI_WRITE;
  r.mat[n] = *y;
  return run(q, &r);
}

static pz_status
routed_fold(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* x, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_FOLD, .n = 2, .which = (int)triangle, .sign = sign,
               .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *y}, .real = {1.0});
}

static pz_status
routed_fold_adjoint(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* g,
                    const pz_mat* gx)
{
  return ROUTE(q, .op = PZI_FOLD_ADJOINT, .n = 2, .which = (int)triangle, .sign = sign,
               .access = {PZI_READ, PZI_WRITE}, .mat = {*g, *gx}, .real = {1.0});
}

static pz_status
routed_symmetrize(pz_backend_queue* q, double a, int sign, const pz_mat* x, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_SYMMETRIZE, .n = 2, .which = PZ_UPPER, .sign = sign,
               .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *y}, .real = {a});
}

static pz_status
routed_triangle(pz_backend_queue* q, pz_triangle triangle, int64_t offset, const pz_mat* x,
                const pz_mat* y)
{
  return ROUTE(q, .op = PZI_TRIANGLE, .n = 2, .which = (int)triangle, .integer = offset,
               .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *y});
}

static pz_status
routed_get_diagonal(pz_backend_queue* q, const pz_mat* x, const pz_mat* d)
{
  return ROUTE(q, .op = PZI_GET_DIAGONAL, .n = 2, .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *d});
}

static pz_status
routed_set_diagonal(pz_backend_queue* q, const pz_mat* d, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_SET_DIAGONAL, .n = 2, .access = {PZI_READ, PZI_UPDATE},
               .mat = {*d, *y});
}

static pz_status
routed_norm(pz_backend_queue* q, pz_norm kind, pz_axis axis, const pz_mat* x, const pz_mat* out)
{
  return ROUTE(q, .op = PZI_NORM, .n = 2, .which = (int)axis, .sign = (int)kind,
               .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *out});
}

static pz_status
routed_dot(pz_backend_queue* q, pz_axis axis, const pz_mat* x, const pz_mat* y, const pz_mat* out)
{
  return ROUTE(q, .op = PZI_DOT, .n = 3, .which = (int)axis,
               .access = {PZI_READ, PZI_READ, PZI_WRITE}, .mat = {*x, *y, *out});
}

static pz_status
routed_scale_by(pz_backend_queue* q, pz_axis axis, const pz_mat* d, const pz_mat* x,
                const pz_mat* y)
{
  return ROUTE(q, .op = PZI_SCALE_BY, .n = 3, .which = (int)axis,
               .access = {PZI_READ, PZI_READ, PZI_WRITE}, .mat = {*d, *x, *y});
}

static pz_status
routed_gemm(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b, double beta,
            const pz_mat* y)
{
  return ROUTE(q, .op = PZI_GEMM, .n = 3, .access = {PZI_READ, PZI_READ, output(beta)},
               .mat = {*a, *b, *y}, .real = {alpha, beta});
}

static pz_status
routed_syrk(pz_backend_queue* q, double alpha, const pz_mat* a, double beta, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_SYRK, .n = 2, .access = {PZI_READ, output(beta)}, .mat = {*a, *y},
               .real = {alpha, beta});
}

static pz_status
routed_trmm(pz_backend_queue* q, pz_side where, pz_triangle triangle, pz_diagonal diagonal,
            double alpha, const pz_mat* t, const pz_mat* b)
{
  return ROUTE(q, .op = PZI_TRMM, .n = 2, .which = (int)where, .triangle = (int)triangle,
               .diagonal = (int)diagonal, .access = {PZI_READ, PZI_UPDATE}, .mat = {*t, *b},
               .real = {alpha});
}

static pz_status
routed_trsm(pz_backend_queue* q, pz_side where, pz_triangle triangle, pz_diagonal diagonal,
            double alpha, const pz_mat* t, const pz_mat* b, const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_TRSM, .n = 2, .which = (int)where, .triangle = (int)triangle,
               .diagonal = (int)diagonal, .access = {PZI_READ, PZI_UPDATE}, .mat = {*t, *b},
               .real = {alpha}, .fault = fault);
}

static pz_status
routed_shifted_inverse(pz_backend_queue* q, uint32_t in, double alpha, double beta, double gamma,
                       double delta, const pz_mat* x, const pz_mat* y, const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_SHIFTED_INVERSE, .n = 2, .which = (int)in,
               .access = {PZI_READ, PZI_WRITE}, .mat = {*x, *y},
               .real = {alpha, beta, gamma, delta}, .fault = fault);
}

static pz_status
routed_solve(pz_backend_queue* q, uint32_t in, const pz_mat* a, const pz_mat* b, const pz_mat* x,
             const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_SOLVE, .n = 3, .which = (int)in,
               .access = {PZI_READ, PZI_READ, PZI_WRITE}, .mat = {*a, *b, *x}, .fault = fault);
}

static pz_status
routed_potrf(pz_backend_queue* q, pz_triangle triangle, const pz_mat* a, const pz_mat* l,
             const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_POTRF, .n = 2, .which = (int)triangle, .access = {PZI_READ, PZI_WRITE},
               .mat = {*a, *l}, .fault = fault);
}

static pz_status
routed_qr(pz_backend_queue* q, const pz_mat* a, const pz_mat* basis, const pz_mat* r)
{
  return ROUTE(q, .op = PZI_QR, .n = 3, .access = {PZI_READ, PZI_WRITE, PZI_WRITE},
               .mat = {*a, maybe(basis), maybe(r)});
}

static pz_status
routed_eigh(pz_backend_queue* q, const pz_mat* a, const pz_mat* w, const pz_mat* v,
            const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_EIGH, .n = 3, .access = {PZI_READ, PZI_WRITE, PZI_WRITE},
               .mat = {*a, *w, maybe(v)}, .fault = fault);
}

static pz_status
routed_svd(pz_backend_queue* q, const pz_mat* a, const pz_mat* u, const pz_mat* s, const pz_mat* vt,
           const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_SVD, .n = 4, .access = {PZI_READ, PZI_WRITE, PZI_WRITE, PZI_WRITE},
               .mat = {*a, maybe(u), *s, maybe(vt)}, .fault = fault);
}

static pz_status
routed_schur(pz_backend_queue* q, const pz_mat* a, const pz_mat* t, const pz_mat* z,
             const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_SCHUR, .n = 3, .access = {PZI_READ, PZI_WRITE, PZI_WRITE},
               .mat = {*a, *t, *z}, .fault = fault);
}

static pz_status
routed_take(pz_backend_queue* q, const pz_mat* index, const pz_mat* x, const pz_mat* y,
            const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_TAKE, .n = 3, .access = {PZI_READ, PZI_READ, PZI_WRITE},
               .mat = {*index, *x, *y}, .fault = fault);
}

static pz_status
routed_put(pz_backend_queue* q, bool accumulate, const pz_mat* index, const pz_mat* x,
           const pz_mat* y, const pz_fault* fault)
{
  return ROUTE(q, .op = PZI_PUT, .n = 3, .which = accumulate,
               .access = {PZI_READ, PZI_READ, PZI_UPDATE}, .mat = {*index, *x, *y}, .fault = fault);
}

static pz_status
routed_random(pz_backend_queue* q, pz_distribution kind, uint64_t key, uint64_t first, double a,
              double b, const pz_mat* y)
{
  return ROUTE(q, .op = PZI_RANDOM, .n = 1, .which = (int)kind, .key = key, .first = first,
               .access = {PZI_WRITE}, .mat = {*y}, .real = {a, b});
}

static pz_status
routed_launch(pz_backend_queue* q, const pz_kernel* kernel, int64_t n_items, const pz_mat* tensors,
              const double* reals, const int64_t* integers)
{
  pzi_request r = {.op = PZI_LAUNCH,
                   .n = kernel->n_tensors,
                   .integer = n_items,
                   .kernel = kernel,
                   .reals = reals,
                   .integers = integers};
  for (uint32_t k = 0; k < r.n; ++k) {
    r.access[k] = PZI_UPDATE;
    r.mat[k] = tensors[k];
  }
  return run(q, &r);
}

static pz_status
routed_launch_rows(pz_backend_queue* q, const pz_row_kernel* kernel, int64_t rows,
                   const pz_mat* tensors, const double* reals, const int64_t* integers)
{
  pzi_request r = {.op = PZI_LAUNCH_ROWS,
                   .n = kernel->n_inputs + kernel->n_outputs,
                   .integer = rows,
                   .row_kernel = kernel,
                   .reals = reals,
                   .integers = integers};
  for (uint32_t k = 0; k < r.n; ++k) {
    r.access[k] = k < kernel->n_inputs ? PZI_READ : PZI_WRITE;
    r.mat[k] = tensors[k];
  }
  return run(q, &r);
}

static pz_status
routed_shifted_inverse_adjoint(pz_backend_queue* q, uint32_t in, double alpha, double beta,
                               double delta, const pz_mat* y, const pz_mat* gy, const pz_mat* gx)
{
  return ROUTE(q, .op = PZI_SHIFTED_INVERSE_ADJOINT, .n = 3, .which = (int)in,
               .access = {PZI_READ, PZI_READ, PZI_WRITE}, .mat = {*y, *gy, *gx},
               .real = {alpha, beta, delta});
}

/* ---- memory --------------------------------------------------------------------- */

static pz_status
routed_open(const pz_backend_host* host, uint32_t index, const void* native, pz_backend_queue** out)
{
  pz_backend_queue* const q = malloc(sizeof(*q));
  char device[64];
  (void)native;
  snprintf(device, sizeof(device), "%s:%u", routed.id, (unsigned)index);
  ck_assert_ptr_nonnull(q);
  *q = (pz_backend_queue){.host = host, .context = test_context()};
  ck_assert_ok(pz_context_add_file(q->context, subject_file));
  ck_assert_ok(pz_queue_open(q->context, device, NULL, &q->queue));
  *out = q;
  return PZ_OK;
}

static void
routed_close(pz_backend_queue* q)
{
  pz_queue_close(q->queue);
  pz_context_free(q->context);
  free(q);
}

static pz_status
routed_alloc(pz_backend_queue* q, size_t bytes, void** out)
{
  return told(q, pzi_queue_alloc(q->queue, bytes, out));
}

static void
routed_free(pz_backend_queue* q, void* data)
{
  pzi_queue_free(q->queue, data);
}

static pz_status
routed_move(pz_backend_queue* q, pz_copy_kind kind, void* dst, uint64_t dst_offset, const void* src,
            uint64_t src_offset, size_t bytes)
{
  pthread_mutex_lock(&q->queue->mutex);
  const pz_status status =
      pzi_queue_move_held(q->queue, kind, dst, dst_offset, src, src_offset, bytes);
  pthread_mutex_unlock(&q->queue->mutex);
  return told(q, status);
}

static pz_status
routed_repeat(pz_backend_queue* q, void* dst, uint64_t offset, size_t bytes, const void* pattern,
              size_t pattern_bytes)
{
  const pz_backend* const b = q->queue->backend;
  return told(q, b->fill(q->queue->handle, dst, offset, bytes, pattern, pattern_bytes));
}

static pz_status
routed_sync(pz_backend_queue* q)
{
  return told(q, pz_queue_synchronize(q->queue));
}

/* All that core does not leave to the backend's own entry alone. */
#define MEMBER(OP, name) .name = routed_##name,
#define NONE(OP, name)
static const pz_backend_ops operations = {.size = sizeof(operations), PZI_OPS(MEMBER, NONE, NONE)};

static const pz_backend_ops*
operations_of(pz_backend_queue* const q, const uint32_t dtype)
{
  (void)q;
  (void)dtype;
  return &operations;
}

const pz_backend*
routed_backend(const char* const file, const pz_backend* const subject)
{
  subject_file = file;
  routed = (pz_backend){
      .size = sizeof(routed),
      .flags = subject->flags | PZ_BACKEND_BY_TRIANGLE,
      .id = subject->id,
      .summary = subject->summary,
      .probe = subject->probe,
      .open = routed_open,
      .close = routed_close,
      .alloc = routed_alloc,
      .free = routed_free,
      .copy = routed_move,
      .fill = routed_repeat,
      .sync = routed_sync,
      .operations = operations_of,
  };
  return &routed;
}
