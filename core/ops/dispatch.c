/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The route of an operation: the backend's own entry; else a composition of others on the device;
   else the operation of the host queue. Each run is counted by its route, also those inside
   compositions. */

#include "dispatch.h"

#include "compose.h"
#include "op_table.h"
#include "spec_text.h"
#include "status.h"

static const pz_mat*
wanted(const pz_mat* const mat)
{
  return mat->rows > 0 ? mat : NULL;
}

static pz_status
call_entry(pz_queue* const queue, const pzi_request* const r)
{
  const pz_backend_ops* const ops = pzi_queue_ops(queue, r->dtype);
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
  case PZI_LAUNCH_ROWS:
    return ops->launch_rows(q, r->row_kernel, r->integer, m, r->reals, r->integers);
  case PZI_SHIFTED_INVERSE_ADJOINT:
    return ops->shifted_inverse_adjoint(q, (uint32_t)r->which, s[0], s[1], s[2], &m[0], &m[1],
                                        &m[2]);
  case PZI_EXPONENTIAL:
    return ops->exponential(q, (uint32_t)r->which, &m[0], &m[1]);
  case PZI_EXPONENTIAL_ADJOINT:
    return ops->exponential_adjoint(q, (uint32_t)r->which, &m[0], &m[1], &m[2]);
  case PZI_READ_OUT:
  case PZI_WRITE_IN:
  case PZI_N_OPS:
    break;
  }
  return PZ_UNSUPPORTED;
}

pz_status
pzi_dispatch_native(pz_queue* const queue, const pzi_request* const request)
{
  if (!pzi_op_native(queue, request->op, request->dtype)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(pzi_queue_check_process(queue));
  const uint64_t before = pzi_fail_count();
  const pz_status status = call_entry(queue, request);
  if (status == PZ_UNSUPPORTED) {
    return status;
  }
  pzi_op_count(queue, request->op, PZ_ROUTE_NATIVE);
  return status == PZ_OK ? PZ_OK
                         : pzi_queue_check_status(queue, status, before, pzi_op_name(request->op));
}

/* Is one operand stored by a triangle only? */
static bool
is_by_triangle(const pzi_request* const r)
{
  return (r->op == PZI_SHIFTED_INVERSE || r->op == PZI_SHIFTED_INVERSE_ADJOINT) &&
         (r->which & PZ_BY_TRIANGLE) != 0;
}

pz_status
pzi_dispatch(pz_queue* const queue, const pzi_request* const request)
{
  const bool by_triangle = is_by_triangle(request);
  if (!by_triangle || (queue->backend->flags & PZ_BACKEND_BY_TRIANGLE) != 0) {
    const pz_status native = pzi_dispatch_native(queue, request);
    if (native != PZ_UNSUPPORTED) {
      return native;
    }
  }
  if (by_triangle) {
    const uint64_t mark = pzi_arena_mark(&queue->scratch);
    const pz_status status = pzi_compose_whole(queue, request);
    pzi_arena_release(&queue->scratch, mark);
    return status;
  }
  if (pzi_compose_possible(queue, request->op, request->dtype)) {
    const pz_status status = pzi_compose(queue, request);
    if (status != PZ_UNSUPPORTED) {
      pzi_op_count(queue, request->op, PZ_ROUTE_COMPOSED);
      return status;
    }
  }
  char dtype[PZI_SPEC_TEXT];
  if (!queue->host || pzi_op_native_only(request->op)) {
    return pzi_fail(PZ_UNSUPPORTED, "%s of %s is not offered by %s", pzi_op_name(request->op),
                    pzi_spec_text_dtype(request->dtype, dtype), queue->name);
  }
  if (queue->forbid_host) {
    return pzi_fail(PZ_UNSUPPORTED, "%s of %s on %s would have to run on the host, forbidden here",
                    pzi_op_name(request->op), pzi_spec_text_dtype(request->dtype, dtype),
                    queue->name);
  }
  const pz_status status = pzi_dispatch_host(queue, request);
  if (status != PZ_UNSUPPORTED) {
    pzi_op_count(queue, request->op, PZ_ROUTE_HOST);
  }
  return status;
}
