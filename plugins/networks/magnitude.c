/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Magnitude pruning: the entries of least |x|, or the slices along `dim` of least sum of |x|^norm, are zero.
   y = M * x with a buffer M, gx = M * g, or g with straight_through. Of equal magnitudes the first stays; NaN
   is larger than any number.

   The rule runs on the host, at registration, assignment and updates only: scores are cut where a search over
   the bytes of their bit patterns, which are in the order of the numbers, finds the last one to go. */

#include "networks.h"

#include <math.h>
#include <string.h>

enum { STRAIGHT = MASKS_STRAIGHT, AMOUNT, NORM, DIM }; /* options */
enum { FROM_LAST = 8 };                                /* dim: none, 0 .. 7, -1 .. -8 */
static const char* const dims[] = {"none", "0",  "1",  "2",  "3",  "4",  "5",  "6", "7",
                                   "-1",   "-2", "-3", "-4", "-5", "-6", "-7", "-8"};

static bool
has_slices(const pz_call* const c)
{
  return c->options[DIM].as.integer != 0;
}

static int32_t
dim_of(const pz_call* const c)
{
  const int32_t choice = (int32_t)c->options[DIM].as.integer;
  return choice > FROM_LAST ? FROM_LAST - choice : choice - 1;
}

/* How many of n entries or slices go; more than n are asked for if so. */
static int64_t
cut_of(const pz_call* const c, const int64_t n)
{
  const double amount = c->options[AMOUNT].as.real;
  return (int64_t)(amount < 1.0 ? rint(amount * (double)n) : amount);
}

/* Entry e of `like` is of slice e / *step % the number of slices, which is returned; or of its own. */
static int64_t
slices_of(const pz_call* const c, const int32_t ndim, const int64_t* const shape,
          int64_t* const step)
{
  const int32_t dim = dim_of(c) + (dim_of(c) < 0 ? ndim : 0);
  *step = 1;
  for (int32_t i = dim + 1; has_slices(c) && i < ndim; ++i) {
    *step *= shape[i];
  }
  return has_slices(c) ? shape[dim] : pz_shape_count(ndim, shape);
}

static uint64_t
bits_of(const double magnitude)
{
  uint64_t bits = 0;
  memcpy(&bits, &magnitude, sizeof(bits));
  return bits;
}

/* scores[k] <- 0 if it is among the `cut` least, later ones first where they are equal, else 1. */
static void
choose(const int64_t n, int64_t cut, double* const scores)
{
  uint64_t last = 0; /* scores below it go, and `cut` of those equal to it */
  for (int shift = 56; shift >= 0; shift -= 8) {
    int64_t counts[256] = {0};
    unsigned byte = 0;
    for (int64_t k = 0; k < n; ++k) {
      const uint64_t bits = bits_of(scores[k]);
      counts[bits >> shift & 255U] += shift == 56 || bits >> (shift + 8) == last >> (shift + 8);
    }
    for (; byte < 255 && cut >= counts[byte]; ++byte) {
      cut -= counts[byte];
    }
    last |= (uint64_t)byte << shift;
  }
  for (int64_t k = n; k-- > 0;) {
    const uint64_t bits = bits_of(scores[k]);
    const bool goes = bits < last || (bits == last && cut > 0);
    cut -= bits == last && cut > 0;
    scores[k] = goes ? 0.0 : 1.0;
  }
}

/* scores[k] <- the sum of (|x| / unit)^norm over slice k; `unit` is the largest finite |x|. */
static void
add_up(const pz_call* const c, const int64_t n, const int64_t slices, const int64_t step,
       const double* const x, double* const scores)
{
  double unit = 0.0;
  memset(scores, 0, (size_t)slices * sizeof(*scores));
  for (int64_t e = 0; e < n; ++e) {
    unit = isfinite(x[e]) ? fmax(unit, fabs(x[e])) : unit;
  }
  for (int64_t e = 0; e < n; ++e) {
    scores[e / step % slices] +=
        pow(fabs(x[e]) / (unit > 0.0 ? unit : 1.0), c->options[NORM].as.real);
  }
}

static pz_status
rule(pz_call* const c, const pz_tensor* const x, pz_tensor* const mask)
{
  const int64_t n = pz_count(x);
  int64_t step = 1;
  const int64_t slices = slices_of(c, x->ndim, x->shape, &step);
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)(n + slices + 1) * sizeof(double), &memory));
  double* const numbers = memory;
  double* const scores = numbers + n;
  PZ_TRY(pz_read(c, x, numbers));
  if (has_slices(c)) {
    add_up(c, n, slices, step, numbers, scores);
  }
  for (int64_t k = 0; k < slices; ++k) {
    scores[k] = fabs(has_slices(c) ? scores[k] : numbers[k]);
  }
  choose(slices, cut_of(c, slices), scores);
  for (int64_t e = 0; e < n; ++e) {
    numbers[e] = scores[e / step % slices];
  }
  return pz_write(c, numbers, mask);
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const double amount = c->options[AMOUNT].as.real;
  int64_t step = 1;
  if (has_slices(c)) {
    PZ_TRY(pz_expect_dim(c, given, dim_of(c)));
  }
  const int64_t n = slices_of(c, given->ndim, given->shape, &step);
  if (amount >= 1.0 && (amount != rint(amount) || amount > (double)n)) {
    return pz_fail(c, PZ_MISMATCH,
                   "found amount=%g of %lld %s, expected a share below 1 or a whole number of them",
                   amount, (long long)n, has_slices(c) ? "slices" : "entries");
  }
  return masks_plan(c, given);
}

static pz_status
init(pz_call* const c, const pz_tensor* const tensor)
{
  return rule(c, tensor, &c->new_buffer[0]);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return masks_right_inverse(c, rule, rule, y, x);
}

static pz_status
update(pz_call* const c, const pz_tensor* const x)
{
  return masks_update(c, rule, x);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return masks_residual(c, rule, y, distance);
}

static const pz_option options[] = {
    [STRAIGHT] = MASKS_STRAIGHT_THROUGH,
    [AMOUNT] = PZ_OPTION_REAL("amount", 0.5, 0.0, 9007199254740992.0,
                              "share that is pruned, below 1; or how many are"),
    [NORM] =
        PZ_OPTION_REAL("norm", 2.0, 1.0, 64.0, "power of the sums that slices are compared by"),
    [DIM] = PZ_OPTION_CHOICE("dim", 0, dims,
                             "dimension whose slices are pruned as a whole, below 0 from the last"),
};

static const pz_parametrization magnitude = {
    .size = sizeof(magnitude),
    .option_size = sizeof(pz_option),
    .id = "magnitude",
    .summary = "Magnitude pruning: the smallest entries or slices are zero",
    .tags = "network mask surrogate",
    .formula =
        "Y = M o X, M without the entries of least |X|, or the slices of least sum of |X|^norm\n"
        "domain: any shape; shares are rounded, halves to even\n"
        "right inverse: X = Y; registration chooses M from Y, and so does assignment, which "
        "refuses "
        "entries off M that are not 0\n"
        "update: with straight_through, M from X anew; without it pruned entries have no gradient "
        "and M stays\n"
        "cost: one pass over memory, forward and vjp; M is chosen on the host, in ten passes",
    PZ_OPTIONS(options),
    .plan = plan,
    .init = init,
    .forward = masks_forward,
    .right_inverse = right_inverse,
    .vjp = masks_vjp,
    .update = update,
    .residual = residual,
    .jvp = masks_jvp,
    .legacy_names = "original=_orig mask=_mask",
};

PZ_PLUGIN(networks, "1.0.0", PZ_PARAMETRIZATION(&magnitude), PZ_PARAMETRIZATION(&networks_n_of_m),
          PZ_PARAMETRIZATION(&networks_mask), PZ_PARAMETRIZATION(&networks_lora),
          PZ_PARAMETRIZATION(&networks_dora), PZ_PARAMETRIZATION(&networks_oft));
