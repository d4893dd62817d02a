/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operands in random layouts, with canaries in every byte that is no entry. */

#include "pair.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 16 }; /* elements before and after */

static void
write_canary(const uint32_t dtype, unsigned char* const place)
{
  const uint32_t f32 = 0x7fc5a5a5U;
  const uint64_t f64 = 0x7ff8a5a5a5a5a5a5U;
  const uint64_t i64 = 0x25a5a5a5a5a5a5a5U;
  if (dtype == PZ_F32) {
    memcpy(place, &f32, sizeof(f32));
  } else {
    memcpy(place, dtype == PZ_F64 ? &f64 : &i64, sizeof(f64));
  }
}

/* Byte of entry (i, j) of matrix k in an image. */
static size_t
offset_of(const operand* const o, const int64_t k, const int64_t i, const int64_t j)
{
  const pz_mat* const m = &o->mat[0];
  const int64_t element = k * m->batch_stride + i * m->row_stride + j * m->col_stride;
  return (size_t)m->byte_offset + (size_t)element * pz_dtype_size(m->dtype);
}

/* A stride that moves nothing may be anything. */
static int64_t
idle_stride(pair* const r, const int64_t natural)
{
  const int64_t choices[4] = {natural, natural, 0, 977};
  return choices[pair_pick(r, 4)];
}

/* Strides of a random layout, for every third batch without gaps; returns the number of elements
   spanned. */
static int64_t
lay_out(pair* const r, pz_mat* const m, const bool repeat)
{
  const bool row_major = pair_pick(r, 2) == 0;
  const bool interleaved = m->batch > 1 && pair_pick(r, 5) == 0;
  const int64_t inner = row_major ? m->cols : m->rows;
  const int64_t outer = row_major ? m->rows : m->cols;
  const bool gaps = pair_pick(r, 3) != 0;
  const int64_t line = inner + (gaps ? pair_pick(r, 4) : 0);
  const int64_t outer_stride = interleaved && !repeat ? line * m->batch : line;
  int64_t batch_stride = interleaved ? line : line * outer + (gaps ? pair_pick(r, 6) : 0);
  int64_t span = (outer - 1) * outer_stride + inner;
  if (repeat) {
    batch_stride = 0;
  }
  span += (m->batch - 1) * batch_stride;
  m->row_stride = row_major ? outer_stride : 1;
  m->col_stride = row_major ? 1 : outer_stride;
  m->batch_stride = m->batch > 1 ? batch_stride : idle_stride(r, batch_stride);
  m->row_stride = m->rows > 1 ? m->row_stride : idle_stride(r, m->row_stride);
  m->col_stride = m->cols > 1 ? m->col_stride : idle_stride(r, m->col_stride);
  return span;
}

/* Memory on both sides and images for a laid-out matrix of `span` elements. */
static operand*
realize(pair* const r, const operand_role role, const pz_mat* const m, const int64_t span)
{
  ck_assert_msg(r->n_operands < MAX_OPERANDS, "too many operands");
  operand* const o = &r->operands[r->n_operands++];
  const size_t size = pz_dtype_size(m->dtype);
  const int64_t lead = GUARD + pair_pick(r, 10);
  const int64_t elements = lead + span + GUARD;
  memset(o, 0, sizeof(*o));
  o->role = role;
  o->bytes = (size_t)elements * size;
  for (int turn = 0; turn < 2; ++turn) {
    o->mat[turn] = *m;
    o->mat[turn].byte_offset = (uint64_t)lead * size;
    ck_assert_int_eq(
        r->sides[turn].backend->alloc(r->sides[turn].queue, o->bytes, &o->mat[turn].data), PZ_OK);
  }
  for (int when = 0; when < 3; ++when) {
    o->image[when] = malloc(o->bytes);
    ck_assert_ptr_nonnull(o->image[when]);
  }
  o->inside = calloc((size_t)elements, 1);
  ck_assert_ptr_nonnull(o->inside);
  for (int64_t e = 0; e < elements; ++e) {
    write_canary(m->dtype, o->image[BEFORE] + (size_t)e * size);
  }
  for (int64_t k = 0; k < operand_matrices(o); ++k) {
    for (int64_t i = 0; i < m->rows; ++i) {
      for (int64_t j = 0; j < m->cols; ++j) {
        o->inside[offset_of(o, k, i, j) / size] = 1;
        if (role != OPERAND_OUT && m->dtype != PZ_I64) {
          operand_put(o, k, i, j, test_normal(&r->random));
        }
      }
    }
  }
  r->extent = m->rows > r->extent ? m->rows : r->extent;
  r->extent = m->cols > r->extent && m->rows != 1 ? m->cols : r->extent;
  return o;
}

operand*
operand_new(pair* const r, const operand_role role, const uint32_t dtype, const int64_t rows,
            const int64_t cols, const int64_t batch)
{
  pz_mat m = {.rows = rows, .cols = cols, .batch = batch, .dtype = dtype};
  const bool repeat = role == OPERAND_IN && batch > 1 && pair_pick(r, 4) == 0;
  const int64_t span = lay_out(r, &m, repeat);
  return realize(r, role, &m, span);
}

operand*
operand_in(pair* const r, const int64_t rows, const int64_t cols, const int64_t batch)
{
  return operand_new(r, OPERAND_IN, r->dtype, rows, cols, batch);
}

operand*
operand_out(pair* const r, const int64_t rows, const int64_t cols, const int64_t batch)
{
  return operand_new(r, OPERAND_OUT, r->dtype, rows, cols, batch);
}

operand*
operand_inout(pair* const r, const int64_t rows, const int64_t cols, const int64_t batch)
{
  return operand_new(r, OPERAND_INOUT, r->dtype, rows, cols, batch);
}

operand*
operand_flat(pair* const r, const operand_role role, const uint32_t dtype, const int64_t n)
{
  const pz_mat m = {.rows = 1,
                    .cols = n,
                    .row_stride = n,
                    .col_stride = 1,
                    .batch = 1,
                    .batch_stride = n,
                    .dtype = dtype};
  return realize(r, role, &m, n);
}

operand*
operand_index(pair* const r, const int64_t n, const int64_t rows)
{
  const pz_mat m = {.rows = n,
                    .cols = 1,
                    .row_stride = 1,
                    .col_stride = 1,
                    .batch = 1,
                    .batch_stride = n,
                    .dtype = PZ_I64};
  operand* const o = realize(r, OPERAND_IN, &m, n);
  for (int64_t i = 0; i < n; ++i) {
    operand_put_integer(o, i, pair_pick(r, rows));
  }
  return o;
}

void
operand_free(pair* const r, operand* const o)
{
  for (int turn = 0; turn < 2; ++turn) {
    r->sides[turn].backend->free(r->sides[turn].queue, o->mat[turn].data);
  }
  for (int when = 0; when < 3; ++when) {
    free(o->image[when]);
  }
  free(o->inside);
}

double
operand_get(const operand* const o, const int when, const int64_t k, const int64_t i,
            const int64_t j)
{
  return test_at(o->mat[0].dtype, o->image[when] + offset_of(o, k, i, j), 0);
}

void
operand_put(operand* const o, const int64_t k, const int64_t i, const int64_t j, const double value)
{
  test_put(o->mat[0].dtype, o->image[BEFORE] + offset_of(o, k, i, j), 0, value);
}

int64_t
operand_integer(const operand* const o, const int when, const int64_t i)
{
  int64_t value;
  memcpy(&value, o->image[when] + o->mat[0].byte_offset + (size_t)i * sizeof(value), sizeof(value));
  return value;
}

void
operand_put_integer(operand* const o, const int64_t i, const int64_t value)
{
  memcpy(o->image[BEFORE] + o->mat[0].byte_offset + (size_t)i * sizeof(value), &value,
         sizeof(value));
}

int64_t
operand_matrices(const operand* const o)
{
  return o->mat[0].batch > 1 && o->mat[0].batch_stride == 0 ? 1 : o->mat[0].batch;
}

double
operand_norm(const operand* const o, const int when)
{
  double sum = 0.0;
  for (int64_t k = 0; k < o->mat[0].batch; ++k) {
    for (int64_t i = 0; i < o->mat[0].rows; ++i) {
      for (int64_t j = 0; j < o->mat[0].cols; ++j) {
        const double x = operand_get(o, when, k, i, j);
        sum += x * x;
      }
    }
  }
  return sqrt(sum);
}

void
operand_matrix(const operand* const o, const int when, const int64_t k, double* const out)
{
  for (int64_t i = 0; i < o->mat[0].rows; ++i) {
    for (int64_t j = 0; j < o->mat[0].cols; ++j) {
      out[i * o->mat[0].cols + j] = operand_get(o, when, k, i, j);
    }
  }
}

void
operand_set_matrix(operand* const o, const int64_t k, const double* const in)
{
  for (int64_t i = 0; i < o->mat[0].rows; ++i) {
    for (int64_t j = 0; j < o->mat[0].cols; ++j) {
      operand_put(o, k, i, j, in[i * o->mat[0].cols + j]);
    }
  }
}

void
operand_fill(operand* const o, const double value)
{
  for (int64_t k = 0; k < operand_matrices(o); ++k) {
    for (int64_t i = 0; i < o->mat[0].rows; ++i) {
      for (int64_t j = 0; j < o->mat[0].cols; ++j) {
        operand_put(o, k, i, j, value);
      }
    }
  }
}

void
operand_describe(const operand* const o, char* const text, const size_t size)
{
  static const char* const roles[] = {"in", "out", "inout"};
  const pz_mat* const m = &o->mat[0];
  snprintf(text, size, "%s %lldx%lldx%lld strides %lld,%lld,%lld at %llu", roles[o->role],
           (long long)m->batch, (long long)m->rows, (long long)m->cols, (long long)m->batch_stride,
           (long long)m->row_stride, (long long)m->col_stride, (unsigned long long)m->byte_offset);
}
