/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Launches of row kernels. A kernel gets contiguous rows. Where those of a tensor are not, they
   are copied to and from scratch: on the host a few rows at a time, which stay in the cache
   between the copy and the kernel; on other devices all at once. */

#include "dispatch.h"
#include "kernel_call.h"
#include "mat.h"
#include "mat_ops.h"
#include "op_entries.h"
#include "overlap.h"
#include "spec_text.h"
#include "status.h"

#include <inttypes.h>
#include <string.h>

enum {
  TILE_BYTES = 256 * 1024, /* of all packed tensors; half of a usual second cache */
  TILE_ROWS = 16,          /* at least: a line of the cache holds so many neighbours */
};

/* A tensor as outer x n x inner. A row is an entry of n (PZ_SLICES_OF_DIM), or one of outer and
   one of inner (PZ_ALONG_DIM). */
typedef struct rows_of {
  int64_t outer;
  int64_t n;
  int64_t inner;
  int64_t length;
  bool packed;
  bool repeated; /* one row stands for all */
} rows_of;

typedef struct row_launch {
  pz_queue* queue;
  pzi_request request;
  pz_row_kind kind;
  int64_t n_rows;
  int64_t outer; /* PZ_ALONG_DIM: n_rows = outer x inner; else outer = 1 */
  int64_t inner;
  uint32_t n_inputs;
  rows_of rows[PZI_MAX_MATS];
  pz_mat memory[PZI_MAX_MATS]; /* each tensor as one row; no data where it is absent */
} row_launch;

/* Rows (first_outer .. , first_inner ..), n_outer x n_inner of them. */
typedef struct tile {
  int64_t first_outer;
  int64_t n_outer;
  int64_t first_inner;
  int64_t n_inner;
} tile;

/* ---- which entries are a row ------------------------------------------------------------ */

/* The product of the extents of t in the dimensions that count rows (or of the others), where `dim`
   and `kind` tell which do. */
static int64_t
extents(const pz_row_kind kind, const int32_t dim, const bool counting, const pz_tensor* const t)
{
  int64_t product = 1;
  for (int32_t i = 0; i < t->ndim; ++i) {
    const bool counts = kind != PZ_WHOLE && (i == dim) == (kind == PZ_SLICES_OF_DIM);
    product *= counts == counting ? t->shape[i] : 1;
  }
  return product;
}

/* Are the dimensions of t those of `whole` that count its rows? */
static bool
counts_only(const pz_row_kind kind, const int32_t dim, const pz_tensor* const whole,
            const pz_tensor* const t)
{
  const size_t after = (size_t)(whole->ndim - dim - 1) * sizeof(*t->shape);
  if (kind == PZ_SLICES_OF_DIM) {
    return t->ndim == 1 && t->shape[0] == whole->shape[dim];
  }
  return t->ndim == whole->ndim - 1 &&
         memcmp(t->shape, whole->shape, (size_t)dim * sizeof(*t->shape)) == 0 &&
         memcmp(t->shape + dim, whole->shape + dim + 1, after) == 0;
}

/* Has t the extents of `whole` in the dimensions that count rows? */
static bool
counts_equal(const pz_row_kind kind, const int32_t dim, const pz_tensor* const whole,
             const pz_tensor* const t)
{
  for (int32_t i = 0; i < t->ndim; ++i) {
    if ((i == dim) == (kind == PZ_SLICES_OF_DIM) && t->shape[i] != whole->shape[i]) {
      return false;
    }
  }
  return true;
}

/* How the dimensions of t fall into rows, where `dim` is one of `whole`, the tensor with most
   dimensions and rows. False if t has other rows. */
static bool
split(const pz_row_kind kind, const int32_t dim, const pz_tensor* const whole,
      const pz_tensor* const t, const bool may_repeat, rows_of* const out)
{
  *out = (rows_of){.outer = 1, .n = 1, .inner = 1, .length = extents(kind, dim, false, t)};
  if (kind == PZ_WHOLE) {
    return true;
  }
  if (t->ndim != whole->ndim) {
    out->length = 1;
    return counts_only(kind, dim, whole, t);
  }
  if (!counts_equal(kind, dim, whole, t)) {
    out->repeated = true;
    return may_repeat && extents(kind, dim, true, t) == 1;
  }
  out->outer = pz_shape_count(dim, t->shape);
  out->n = t->shape[dim];
  out->inner = pz_shape_count(t->ndim - dim - 1, t->shape + dim + 1);
  out->packed =
      kind == PZ_ALONG_DIM ? out->inner > 1 && out->length > 1 : out->outer > 1 && out->length > 0;
  return true;
}

static pz_status
split_all(row_launch* const l, const char* const name, int32_t dim, const pz_tensor* const* const t)
{
  int32_t ndim = 0;
  const pz_tensor* whole = NULL;
  const int32_t given = dim;
  for (uint32_t k = 0; k < l->request.n; ++k) {
    ndim = t[k]->ndim > ndim ? t[k]->ndim : ndim;
  }
  dim = l->kind == PZ_WHOLE ? 0 : dim < 0 ? dim + ndim : dim;
  if (l->kind > PZ_WHOLE || dim < 0 || (l->kind != PZ_WHOLE && dim >= ndim)) {
    return pzi_fail(PZ_INVALID,
                    "launch of %s: found rows of kind %d, dimension %d of %d, expected a "
                    "pz_row_kind and a dimension of the tensors",
                    name, (int)l->kind, (int)given, (int)ndim);
  }
  for (uint32_t k = 0; k < l->request.n; ++k) {
    if (t[k]->ndim == ndim && (!whole || extents(l->kind, dim, true, whole) == 1)) {
      whole = t[k];
    }
  }
  for (uint32_t k = 0; k < l->request.n; ++k) {
    if (!split(l->kind, dim, whole, t[k], k < l->n_inputs, &l->rows[k])) {
      char found[PZI_SPEC_TEXT];
      char other[PZI_SPEC_TEXT];
      const pz_spec spec = pz_spec_of(t[k]);
      const pz_spec expected = pz_spec_of(whole);
      return pzi_fail(PZ_MISMATCH,
                      "launch of %s: tensor %u: found %s, whose rows are not those of %s", name,
                      (unsigned)k, pzi_spec_text(&spec, found), pzi_spec_text(&expected, other));
    }
  }
  const bool along = l->kind == PZ_ALONG_DIM;
  const int64_t inner = along ? pz_shape_count(whole->ndim - dim - 1, whole->shape + dim + 1) : 1;
  l->n_rows = extents(l->kind, dim, true, whole);
  l->inner = along ? inner : l->n_rows;
  l->outer = l->n_rows == 0 ? 0 : l->n_rows / l->inner;
  return PZ_OK;
}

/* ---- tiles ------------------------------------------------------------------------------ */

/* The rows of a tile in a tensor's own memory; `dense` gets those of a copy with rows side by
   side. */
static pz_mat
in_place(const row_launch* const l, const uint32_t k, const tile* const t, pz_mat* const dense)
{
  const rows_of* const r = &l->rows[k];
  const int64_t first = t->first_outer * l->inner + t->first_inner;
  pz_mat m = l->memory[k];
  int64_t offset = 0;
  *dense = m;
  if (!r->packed) {
    m.rows = t->n_outer * t->n_inner;
    m.cols = r->length;
    m.row_stride = r->repeated ? 0 : r->length;
    offset = first * m.row_stride;
    m.col_stride = 1;
  } else if (l->kind == PZ_ALONG_DIM) {
    offset = t->first_outer * r->n * r->inner + t->first_inner;
    m.batch = t->n_outer;
    m.batch_stride = r->n * r->inner;
    m.rows = t->n_inner;
    m.row_stride = 1;
    m.cols = r->n;
    m.col_stride = r->inner;
    dense->batch_stride = t->n_inner * r->n;
    dense->row_stride = r->n;
  } else {
    const bool flat = r->inner == 1; /* one transposed matrix */
    offset = t->first_inner * r->inner;
    m.batch = flat ? 1 : r->outer;
    m.batch_stride = r->n * r->inner;
    m.rows = t->n_inner;
    m.row_stride = r->inner;
    m.cols = flat ? r->outer : r->inner;
    m.col_stride = flat ? r->n : 1;
    dense->batch_stride = r->inner;
    dense->row_stride = r->length;
  }
  dense->batch = m.batch;
  dense->rows = m.rows;
  dense->cols = m.cols;
  dense->col_stride = 1;
  m.byte_offset += (uint64_t)offset * pz_dtype_size(m.dtype);
  pzi_mat_normalize(&m);
  return m;
}

static pz_status
run_tile(row_launch* const l, const tile* const t)
{
  pzi_request* const r = &l->request;
  pz_mat own[PZI_MAX_MATS];
  pz_mat dense[PZI_MAX_MATS];
  for (uint32_t k = 0; k < r->n; ++k) {
    const bool absent = !l->memory[k].data;
    const bool input = k < l->n_inputs;
    own[k] = in_place(l, k, t, &dense[k]);
    r->mat[k] = own[k];
    if (l->rows[k].length == 0) { // an address all the same: kernels add to it
      pz_mat one;
      PZ_TRY(pzi_mat_scratch(l->queue, r->dtype, 1, 1, 1, &one));
      r->mat[k].data = one.data;
      r->mat[k].byte_offset = one.byte_offset;
      continue;
    }
    if (!absent && !l->rows[k].packed) {
      continue;
    }
    PZ_TRY(pzi_mat_scratch(l->queue, r->dtype, 1, t->n_outer * t->n_inner, l->rows[k].length,
                           &r->mat[k]));
    dense[k].data = r->mat[k].data;
    dense[k].byte_offset = r->mat[k].byte_offset;
    pzi_mat_normalize(&dense[k]);
    if (input) {
      PZ_TRY(pzi_mat_ops_copy(l->queue, &own[k], &dense[k]));
    }
  }
  r->integer = t->n_outer * t->n_inner;
  PZ_TRY(pzi_dispatch(l->queue, r));
  for (uint32_t k = l->n_inputs; k < r->n; ++k) {
    if (l->rows[k].packed && l->memory[k].data && l->rows[k].length > 0) {
      PZ_TRY(pzi_mat_ops_copy(l->queue, &dense[k], &own[k]));
    }
  }
  return PZ_OK;
}

/* The row of zeros that stands for each row of input k. */
static pz_status
place_zeros(row_launch* const l, const uint32_t k)
{
  pz_mat zeros;
  PZ_TRY(pzi_mat_scratch(l->queue, l->request.dtype, 1, 1, l->rows[k].length, &zeros));
  PZ_TRY(pzi_mat_ops_fill(l->queue, 0.0, &zeros));
  l->memory[k] = zeros;
  l->rows[k].packed = false;
  l->rows[k].repeated = true;
  return PZ_OK;
}

/* Rows of a tile. */
static int64_t
tile_rows(const row_launch* const l)
{
  int64_t length = 0;
  for (uint32_t k = 0; k < l->request.n; ++k) {
    length += l->rows[k].packed || !l->memory[k].data ? l->rows[k].length : 0;
  }
  if (length == 0 || !l->queue->host_memory) {
    return l->n_rows;
  }
  const int64_t rows = TILE_BYTES / (length * (int64_t)pz_dtype_size(l->request.dtype));
  return rows > TILE_ROWS ? rows : TILE_ROWS;
}

static pz_status
run_tiles(row_launch* const l)
{
  const int64_t rows = tile_rows(l);
  const int64_t n_inner = rows < l->inner ? rows : l->inner;
  const int64_t n_outer = rows < l->inner ? 1 : rows / l->inner;
  for (int64_t i = 0; i < l->outer; i += n_outer) {
    for (int64_t j = 0; j < l->inner; j += n_inner) {
      const tile t = {
          .first_outer = i,
          .n_outer = l->outer - i < n_outer ? l->outer - i : n_outer,
          .first_inner = j,
          .n_inner = l->inner - j < n_inner ? l->inner - j : n_inner,
      };
      const uint64_t mark = pzi_arena_mark(&l->queue->scratch);
      const pz_status status = run_tile(l, &t);
      pzi_arena_release(&l->queue->scratch, mark);
      PZ_TRY(status);
    }
  }
  return PZ_OK;
}

/* ---- the call --------------------------------------------------------------------------- */

static pz_status
check_outputs(const row_launch* const l, const char* const name, const pz_tensor* const* const t)
{
  for (uint32_t y = l->n_inputs; y < l->request.n; ++y) {
    for (uint32_t x = 0; x < y; ++x) {
      if (t[x]->data && t[y]->data && pzi_overlap(l->queue->addresses, t[x], t[y])) {
        return pzi_fail(PZ_INVALID, "launch of %s: output %u overlaps tensor %u", name,
                        (unsigned)(y - l->n_inputs), (unsigned)x);
      }
    }
  }
  return PZ_OK;
}

static pz_status
run_held(row_launch* const l)
{
  const uint64_t mark = pzi_arena_mark(&l->queue->scratch);
  pz_status status = PZ_OK;
  for (uint32_t k = 0; k < l->n_inputs && status == PZ_OK; ++k) {
    status = l->memory[k].data || l->rows[k].length == 0 ? PZ_OK : place_zeros(l, k);
  }
  status = status == PZ_OK ? run_tiles(l) : status;
  pzi_arena_release(&l->queue->scratch, mark);
  return status;
}

pz_status
pzi_ops_launch_rows(pz_call* const c, const pz_row_kernel* const kernel, const pz_row_kind kind,
                    const int32_t dim, const pz_tensor* const* const inputs,
                    pz_tensor* const* const outputs, const double* const reals,
                    const int64_t* const integers)
{
  const pz_tensor* t[PZI_MAX_MATS] = {NULL};
  row_launch l = {.kind = kind};
  PZ_TRY(pzi_kernel_call_begin(c, kernel ? kernel->name : NULL, &l.queue));
  PZ_TRY(pzi_kernel_call_check(kernel->name, kernel->dialect,
                               (uint64_t)kernel->n_inputs + kernel->n_outputs, kernel->n_reals,
                               kernel->n_integers));
  if (kernel->n_inputs == 0 || kernel->n_outputs == 0) {
    return pzi_fail(PZ_INVALID,
                    "launch of %s: found %u inputs and %u outputs, expected one or more of each",
                    kernel->name, (unsigned)kernel->n_inputs, (unsigned)kernel->n_outputs);
  }
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "inputs", kernel->n_inputs, inputs));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "outputs", kernel->n_outputs, outputs));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "reals", kernel->n_reals, reals));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "integers", kernel->n_integers, integers));
  l.n_inputs = kernel->n_inputs;
  l.request = (pzi_request){
      .op = PZI_LAUNCH_ROWS,
      .n = kernel->n_inputs + kernel->n_outputs,
      .row_kernel = kernel,
      .reals = reals,
      .integers = integers,
      .fault = &((const pzi_frame*)c->reserved)->word,
  };
  for (uint32_t k = 0; k < l.request.n; ++k) {
    t[k] = k < l.n_inputs ? inputs[k] : outputs[k - l.n_inputs];
    l.request.access[k] = k < l.n_inputs ? PZI_READ : PZI_WRITE;
    PZ_TRY(pzi_kernel_call_tensor(l.queue, kernel->name, k, true, t[k], &l.request.dtype,
                                  &l.memory[k]));
  }
  PZ_TRY(split_all(&l, kernel->name, dim, t));
  PZ_TRY(check_outputs(&l, kernel->name, t));
  int64_t written = 0;
  for (uint32_t k = l.n_inputs; k < l.request.n; ++k) {
    written += l.n_rows * l.rows[k].length;
  }
  if (written == 0) {
    return PZ_OK;
  }
  for (uint32_t k = 0; k < l.request.n; ++k) {
    l.memory[k].dtype = l.request.dtype;
  }
  pthread_mutex_lock(&l.queue->mutex);
  const pz_status status = run_held(&l);
  pthread_mutex_unlock(&l.queue->mutex);
  return status;
}
