/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "guards.h"

#include "outcome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_GUARD = 64 }; /* bytes */

struct guarded {
  guarded* older;
  const char* what;
  pz_tensor whole; /* with its guards; data is NULL for memory of the host */
  pz_tensor inside;
  int64_t extent; /* of the whole */
  int64_t shape[PZ_MAX_DIMS];
  pz_tensor* back;      /* NULL: the contents go nowhere */
  unsigned char* bytes; /* of the host, with their guards */
  size_t n_bytes;       /* between them */
};

static guarded*
add(guards* const g, const char* const what)
{
  guarded* const one = calloc(1, sizeof(*one));
  if (!one) {
    outcome_breach("out of memory for a guard");
  }
  *one = (guarded){.older = g->newest, .what = what};
  g->newest = one;
  return one;
}

/* ---- tensors ---------------------------------------------------------------------------------- */

/* What guards hold: a NaN is no integer. */
static double
filler_of(const guards* const g, const uint32_t dtype)
{
  return dtype == PZ_I64 ? 0x1p50 : g->filler;
}

static pz_status
fill(const guards* const g, pz_tensor* const t)
{
  const double filler = filler_of(g, t->dtype);
  if (t->dtype != PZ_I64) {
    return g->call->ops->fill(g->call, filler, t);
  }
  const int64_t n = pz_count(t);
  double* const numbers = malloc((size_t)n * sizeof(*numbers));
  for (int64_t k = 0; numbers && k < n; ++k) {
    numbers[k] = filler;
  }
  const pz_status status = numbers ? g->call->ops->write(g->call, numbers, t) : PZ_NO_MEMORY;
  free(numbers);
  return status;
}

/* The tensor of `spec` between the guards of one->whole. */
static pz_tensor
put_inside(guarded* const one, const pz_spec* const spec)
{
  one->extent = pz_count(&one->whole);
  memcpy(one->shape, spec->shape, sizeof(one->shape));
  one->inside = one->whole;
  one->inside.ndim = spec->ndim;
  one->inside.shape = one->shape;
  one->inside.byte_offset += GUARD * (uint64_t)pz_dtype_size(spec->dtype);
  return one->inside;
}

pz_status
guards_take(guards* const g, guards_source* const source, const pz_spec* const spec,
            const char* const what, pz_tensor* const out)
{
  const int64_t extent = pz_spec_count(spec) + 2 * GUARD;
  const pz_spec longer = pz_spec_make(spec->dtype, 1, &extent);
  pz_tensor whole;
  PZ_TRY(source(g->call, &longer, &whole));
  guarded* const one = add(g, what);
  one->whole = whole;
  *out = put_inside(one, spec);
  return fill(g, &one->whole);
}

pz_tensor
guards_output(guards* const g, pz_tensor* const to, const char* const what)
{
  const pz_spec spec = pz_spec_of(to);
  pz_tensor out;
  outcome_expect_ok(guards_take(g, g->call->host->work, &spec, what, &out), "memory for guards");
  g->newest->back = to;
  return out;
}

pz_tensor
guards_copy(guards* const g, const pz_tensor* const t, pz_tensor* const back,
            const char* const what)
{
  const pz_spec spec = pz_spec_of(t);
  pz_tensor out;
  outcome_expect_ok(guards_take(g, g->call->host->work, &spec, what, &out), "memory for guards");
  outcome_expect_ok(g->call->ops->copy(g->call, t, &out), "a copy between guards");
  g->newest->back = back;
  return out;
}

pz_tensor
guards_found(guards* const g, const pz_tensor* const whole, const pz_spec* const spec,
             const char* const what)
{
  guarded* const one = add(g, what);
  one->whole = *whole;
  return put_inside(one, spec);
}

/* ---- memory of the host ------------------------------------------------------------------------- */

static int
byte_of(const guards* const g)
{
  return isnan(g->filler) ? 0xff : 0x5a; /* NaN too, or 4e127 */
}

pz_status
guards_take_host(guards* const g, guards_host_source* const source, const size_t bytes,
                 const char* const what, void** const out)
{
  void* whole = NULL;
  PZ_TRY(source(g->call, bytes + 2 * (size_t)HOST_GUARD, &whole));
  guarded* const one = add(g, what);
  one->bytes = whole;
  one->n_bytes = bytes;
  memset(whole, byte_of(g), bytes + 2 * (size_t)HOST_GUARD);
  *out = one->bytes + HOST_GUARD;
  return PZ_OK;
}

const void*
guards_found_host(const void* const whole)
{
  return (const unsigned char*)whole + HOST_GUARD;
}

static void
check_host(const guards* const g, const guarded* const one)
{
  for (size_t k = 0; k < 2 * (size_t)HOST_GUARD; ++k) {
    const size_t at = k < HOST_GUARD ? k : one->n_bytes + k;
    if (one->bytes[at] != (unsigned char)byte_of(g)) {
      outcome_breach("%s wrote byte %lld of %s of %zu bytes", g->callback,
                     (long long)at - HOST_GUARD, one->what, one->n_bytes);
    }
  }
}

/* ---- checking ------------------------------------------------------------------------------------ */

static void
check_tensor(const guards* const g, const guarded* const one)
{
  static const int64_t n = GUARD;
  const double filler = filler_of(g, one->whole.dtype);
  const int64_t inside = one->extent - 2 * GUARD;
  for (int side = 0; side < 2; ++side) {
    double numbers[GUARD];
    pz_tensor guard = one->whole;
    guard.shape = &n;
    guard.byte_offset +=
        side == 0 ? 0 : (uint64_t)(GUARD + inside) * (uint64_t)pz_dtype_size(guard.dtype);
    outcome_expect_ok(g->call->ops->read(g->call, &guard, numbers), "reading a guard");
    for (int64_t k = 0; k < GUARD; ++k) {
      if (!(numbers[k] == filler || (isnan(numbers[k]) && isnan(filler)))) {
        outcome_breach("%s wrote entry %lld of %s, which has entries 0 to %lld", g->callback,
                       (long long)(side == 0 ? k - GUARD : inside + k), one->what,
                       (long long)inside - 1);
      }
    }
  }
}

void
guards_check(guards* const g, const guarded* const last, const bool write_back)
{
  while (g->newest != last) {
    guarded* const one = g->newest;
    if (one->bytes) {
      check_host(g, one);
    } else {
      check_tensor(g, one);
    }
    if (one->back && write_back) {
      outcome_expect_ok(g->call->ops->copy(g->call, &one->inside, one->back),
                        "a copy from between guards");
    }
    g->newest = one->older;
    free(one);
  }
}
