/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Finding the way for an operation: the backend's own entry; else a composition of others
   on the device; else the host queue's operation. Each run counts where it ran, also those
   inside compositions. */

#include "dispatch.h"

#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY(name)                       \
  {                                       \
#name, offsetof(pz_backend_ops, name) \
  }

static const struct {
  const char* name;
  size_t offset; /* of the entry in pz_backend_ops; 0: done by pz_backend.copy */
} operations[PZI_N_OPS] = {
    [PZI_COPY] = ENTRY(copy),
    [PZI_FILL] = ENTRY(fill),
    [PZI_AXPBY] = ENTRY(axpby),
    [PZI_SCALE] = ENTRY(scale),
    [PZI_HADAMARD] = ENTRY(hadamard),
    [PZI_COMBINE] = ENTRY(combine),
    [PZI_ADD_IDENTITY] = ENTRY(add_identity),
    [PZI_FOLD] = ENTRY(fold),
    [PZI_FOLD_ADJOINT] = ENTRY(fold_adjoint),
    [PZI_SYMMETRIZE] = ENTRY(symmetrize),
    [PZI_TRIANGLE] = ENTRY(triangle),
    [PZI_GET_DIAGONAL] = ENTRY(get_diagonal),
    [PZI_SET_DIAGONAL] = ENTRY(set_diagonal),
    [PZI_NORM] = ENTRY(norm),
    [PZI_DOT] = ENTRY(dot),
    [PZI_SCALE_BY] = ENTRY(scale_by),
    [PZI_GEMM] = ENTRY(gemm),
    [PZI_SYRK] = ENTRY(syrk),
    [PZI_TRMM] = ENTRY(trmm),
    [PZI_TRSM] = ENTRY(trsm),
    [PZI_SHIFTED_INVERSE] = ENTRY(shifted_inverse),
    [PZI_SOLVE] = ENTRY(solve),
    [PZI_POTRF] = ENTRY(potrf),
    [PZI_QR] = ENTRY(qr),
    [PZI_EIGH] = ENTRY(eigh),
    [PZI_SVD] = ENTRY(svd),
    [PZI_SCHUR] = ENTRY(schur),
    [PZI_TAKE] = ENTRY(take),
    [PZI_PUT] = ENTRY(put),
    [PZI_RANDOM] = ENTRY(random),
    [PZI_LAUNCH] = ENTRY(launch),
    [PZI_READ_OUT] = {"read", 0},
    [PZI_WRITE_IN] = {"write", 0},
    [PZI_SHIFTED_INVERSE_ADJOINT] = ENTRY(shifted_inverse_adjoint),
    [PZI_EXPONENTIAL] = ENTRY(exponential),
    [PZI_EXPONENTIAL_ADJOINT] = ENTRY(exponential_adjoint),
};

const char*
pzi_op_name(const pzi_op op)
{
  return operations[op].name;
}

static bool
has_entry(const pz_queue* const queue, const pzi_op op)
{
  void (*entry)(void);
  memcpy(&entry, (const char*)queue->ops + operations[op].offset, sizeof(entry));
  return entry != NULL;
}

/* Operations whose callers know a better way than the host's where the device has none. */
static bool
device_only(const pzi_op op)
{
  return op == PZI_EXPONENTIAL || op == PZI_EXPONENTIAL_ADJOINT;
}

bool
pzi_op_native(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  if (operations[op].offset == 0) {
    return true;
  }
  if (!queue->ops || (dtype == PZ_F64 && !queue->f64)) {
    return false;
  }
  // nothing is saved for an adjoint that the device does by itself: one without the other is none
  return device_only(op)
             ? has_entry(queue, PZI_EXPONENTIAL) && has_entry(queue, PZI_EXPONENTIAL_ADJOINT)
             : has_entry(queue, op);
}

/* ---- counts ----------------------------------------------------------------- */

static pz_route
start_route(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  if (pzi_op_native(queue, op, dtype)) {
    return PZ_ROUTE_NATIVE;
  }
  return pzi_can_compose(queue, op, dtype) ? PZ_ROUTE_COMPOSED : PZ_ROUTE_HOST;
}

void
pzi_op_count(pz_queue* const queue, const pzi_op op, const pz_route route)
{
  queue->counts[op][route] += 1;
}

/* The route of a call, the host's own abilities and the policy considered. */
static uint32_t
reported_route(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  const pz_route start = start_route(queue, op, dtype);
  if (start != PZ_ROUTE_HOST) {
    return start;
  }
  if (queue->forbid_host || !queue->host || device_only(op)) {
    return PZ_ROUTE_UNSUPPORTED;
  }
  return reported_route(queue->host, op, dtype) == PZ_ROUTE_UNSUPPORTED ? PZ_ROUTE_UNSUPPORTED
                                                                        : PZ_ROUTE_HOST;
}

static void
add_counts(pz_queue* const queue, const uint32_t index, uint64_t count[3])
{
  pthread_mutex_lock(&queue->mutex);
  for (int route = 0; route < 3; ++route) {
    count[route] += queue->counts[index][route];
  }
  pthread_mutex_unlock(&queue->mutex);
}

pz_status
pz_queue_op(pz_queue* const queue, const uint32_t index, pz_op_report* const out)
{
  if (!queue || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", queue ? "report to fill" : "queue");
  }
  if (index >= PZI_N_OPS) {
    return pzi_fail(PZ_NOT_FOUND, "found operation %" PRIu32 ", expected less than %d", index,
                    (int)PZI_N_OPS);
  }
  pz_op_report report = {
      .size = out->size,
      .name = operations[index].name,
      .f32 = reported_route(queue, (pzi_op)index, PZ_F32),
      .f64 = reported_route(queue, (pzi_op)index, PZ_F64),
  };
  add_counts(queue, index, report.count);
  for (uint32_t k = 0; pzi_thread_queue_at(queue, k); ++k) {
    add_counts(pzi_thread_queue_at(queue, k), index, report.count);
  }
  memcpy(out, &report, out->size < sizeof(report) ? out->size : sizeof(report));
  return PZ_OK;
}

/* ---- running ---------------------------------------------------------------- */

static const pz_mat*
wanted(const pz_mat* const mat)
{
  return mat->rows > 0 ? mat : NULL;
}

static pz_status
call_entry(pz_queue* const queue, const pzi_request* const r)
{
  const pz_backend_ops* const ops = queue->ops;
  pz_backend_queue* const q = queue->handle;
  const pz_mat* const m = r->mat;
  const double* const s = r->real;
  const pz_triangle triangle = (pz_triangle)r->which;
  const pz_axis axis = (pz_axis)r->which;
  switch (r->op) {
  case PZI_COPY:
    return ops->copy(q, &m[0], &m[1]);
  case PZI_FILL:
    return ops->fill(q, s[0], &m[0]);
  case PZI_AXPBY:
    return ops->axpby(q, s[0], &m[0], s[1], &m[1]);
  case PZI_SCALE:
    return ops->scale(q, s[0], &m[0]);
  case PZI_HADAMARD:
    return ops->hadamard(q, s[0], &m[0], &m[1], s[1], &m[2]);
  case PZI_COMBINE:
    return ops->combine(q, r->shift, r->n - 1, s, m, &m[r->n - 1]);
  case PZI_ADD_IDENTITY:
    return ops->add_identity(q, s[0], &m[0]);
  case PZI_FOLD:
    return ops->fold(q, triangle, r->sign, &m[0], &m[1]);
  case PZI_FOLD_ADJOINT:
    return ops->fold_adjoint(q, triangle, r->sign, &m[0], &m[1]);
  case PZI_SYMMETRIZE:
    return ops->symmetrize(q, s[0], r->sign, &m[0], &m[1]);
  case PZI_TRIANGLE:
    return ops->triangle(q, triangle, r->integer, &m[0], &m[1]);
  case PZI_GET_DIAGONAL:
    return ops->get_diagonal(q, &m[0], &m[1]);
  case PZI_SET_DIAGONAL:
    return ops->set_diagonal(q, &m[0], &m[1]);
  case PZI_NORM:
    return ops->norm(q, (pz_norm)r->sign, axis, &m[0], &m[1]);
  case PZI_DOT:
    return ops->dot(q, axis, &m[0], &m[1], &m[2]);
  case PZI_SCALE_BY:
    return ops->scale_by(q, axis, &m[0], &m[1], &m[2]);
  case PZI_GEMM:
    return ops->gemm(q, s[0], &m[0], &m[1], s[1], &m[2]);
  case PZI_SYRK:
    return ops->syrk(q, s[0], &m[0], s[1], &m[1]);
  case PZI_TRMM:
    return ops->trmm(q, (pz_side)r->which, (pz_triangle)r->triangle, (pz_diagonal)r->diagonal, s[0],
                     &m[0], &m[1]);
  case PZI_TRSM:
    return ops->trsm(q, (pz_side)r->which, (pz_triangle)r->triangle, (pz_diagonal)r->diagonal, s[0],
                     &m[0], &m[1], r->fault);
  case PZI_SHIFTED_INVERSE:
    return ops->shifted_inverse(q, (uint32_t)r->which, s[0], s[1], s[2], s[3], &m[0], &m[1],
                                r->fault);
  case PZI_SOLVE:
    return ops->solve(q, (uint32_t)r->which, &m[0], &m[1], &m[2], r->fault);
  case PZI_POTRF:
    return ops->potrf(q, triangle, &m[0], &m[1], r->fault);
  case PZI_QR:
    return ops->qr(q, &m[0], wanted(&m[1]), wanted(&m[2]));
  case PZI_EIGH:
    return ops->eigh(q, &m[0], &m[1], wanted(&m[2]), r->fault);
  case PZI_SVD:
    return ops->svd(q, &m[0], wanted(&m[1]), &m[2], wanted(&m[3]), r->fault);
  case PZI_SCHUR:
    return ops->schur(q, &m[0], &m[1], &m[2], r->fault);
  case PZI_TAKE:
    return ops->take(q, &m[0], &m[1], &m[2], r->fault);
  case PZI_PUT:
    return ops->put(q, r->which != 0, &m[0], &m[1], &m[2], r->fault);
  case PZI_RANDOM:
    return ops->random(q, (pz_distribution)r->which, r->key, r->first, s[0], s[1], &m[0]);
  case PZI_LAUNCH:
    return ops->launch(q, r->kernel, r->integer, m, r->reals, r->integers);
  case PZI_SHIFTED_INVERSE_ADJOINT:
    return ops->shifted_inverse_adjoint(q, (uint32_t)r->which, s[0], s[1], s[2], &m[0], &m[1],
                                        &m[2]);
  case PZI_EXPONENTIAL:
    return ops->exponential(q, (uint32_t)r->which, (uint32_t)r->integer, r->polynomials, &m[0],
                            &m[1]);
  case PZI_EXPONENTIAL_ADJOINT:
    return ops->exponential_adjoint(q, (uint32_t)r->which, (uint32_t)r->integer, r->polynomials,
                                    &m[0], &m[1], &m[2]);
  case PZI_READ_OUT:
  case PZI_WRITE_IN:
  case PZI_N_OPS:
    break;
  }
  return PZ_UNSUPPORTED;
}

pz_status
pzi_run_native(pz_queue* const queue, const pzi_request* const request)
{
  if (!pzi_op_native(queue, request->op, request->dtype)) {
    return PZ_UNSUPPORTED;
  }
  const uint64_t before = pzi_fail_count();
  const pz_status status = call_entry(queue, request);
  if (status == PZ_UNSUPPORTED) {
    return status;
  }
  pzi_op_count(queue, request->op, PZ_ROUTE_NATIVE);
  return pzi_queue_check_status(queue, status, before, pzi_op_name(request->op));
}

/* Does the request name an operand of which only a triangle is there? */
static bool
is_by_triangle(const pzi_request* const r)
{
  return (r->op == PZI_SHIFTED_INVERSE || r->op == PZI_SHIFTED_INVERSE_ADJOINT) &&
         (r->which & PZ_BY_TRIANGLE) != 0;
}

pz_status
pzi_run(pz_queue* const queue, const pzi_request* const request)
{
  const char* const name = pzi_op_name(request->op);
  const bool by_triangle = is_by_triangle(request);
  if (!by_triangle || (queue->backend->flags & PZ_BACKEND_BY_TRIANGLE) != 0) {
    const pz_status native = pzi_run_native(queue, request);
    if (native != PZ_UNSUPPORTED) {
      return native;
    }
  }
  if (by_triangle) {
    const uint64_t mark = pzi_arena_mark(&queue->scratch);
    const pz_status status = pzi_run_whole(queue, request);
    pzi_arena_release(&queue->scratch, mark);
    return status;
  }
  if (pzi_can_compose(queue, request->op, request->dtype)) {
    const pz_status status = pzi_compose(queue, request);
    if (status != PZ_UNSUPPORTED) {
      pzi_op_count(queue, request->op, PZ_ROUTE_COMPOSED);
      return status;
    }
  }
  char dtype[PZI_SPEC_TEXT];
  if (!queue->host || device_only(request->op)) {
    return pzi_fail(PZ_UNSUPPORTED, "%s of %s is not offered by %s", name,
                    pzi_dtype_text(request->dtype, dtype), queue->name);
  }
  if (queue->forbid_host) {
    return pzi_fail(PZ_UNSUPPORTED, "%s of %s on %s would have to run on the host, forbidden here",
                    name, pzi_dtype_text(request->dtype, dtype), queue->name);
  }
  const pz_status status = pzi_run_on_host(queue, request);
  if (status != PZ_UNSUPPORTED) {
    pzi_op_count(queue, request->op, PZ_ROUTE_HOST);
  }
  return status;
}
