/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the bodies of portable kernels and row kernels use: kernel.h, kernel_math.h and
   row_kernel.h say what each of these means. portable.c names the parameters of the kernel
   pz_tensor0, pz_offset0 ... */

#define PZ_TENSOR_ARG(k, name) GPU_GLOBAL real* const name = pz_tensor##k + pz_offset##k
#define PZ_REAL_ARG(k, name) const real name = pz_real##k
#define PZ_INTEGER_ARG(k, name) const pz_int name = pz_integer##k

#define pz_exp(x) exp((real)(x))
#define pz_expm1(x) expm1((real)(x))
#define pz_log(x) log((real)(x))
#define pz_log1p(x) log1p((real)(x))
#define pz_sqrt(x) sqrt((real)(x))
#define pz_abs(x) fabs((real)(x))
#define pz_sin(x) sin((real)(x))
#define pz_cos(x) cos((real)(x))
#define pz_tan(x) tan((real)(x))
#define pz_tanh(x) tanh((real)(x))
#define pz_erf(x) erf((real)(x))
#define pz_rint(x) rint((real)(x))
#define pz_floor(x) floor((real)(x))
#define pz_pow(x, y) pow((real)(x), (real)(y))
#define pz_atan2(y, x) atan2((real)(y), (real)(x))
#define pz_hypot(x, y) hypot((real)(x), (real)(y))

GPU_FUNCTION real pz_max(real x, real y) { return x > y || x != x ? x : y; }
GPU_FUNCTION real pz_min(real x, real y) { return x < y || x != x ? x : y; }

GPU_FUNCTION real
pz_logistic(real x)
{
  const real e = exp(-fabs(x));
  return (x < 0 ? e : (real)1) / (1 + e);
}

GPU_FUNCTION real
pz_softplus(real x)
{
  return (x > 0 ? x : (real)0) + log1p(exp(-fabs(x)));
}

#if GPU_REAL_BITS == 64
#define PZ_MOST_EXPONENT 1022
#else
#define PZ_MOST_EXPONENT 126
#endif

GPU_FUNCTION real
pz_unit_scale(real x)
{
  int e = x == 0 ? -2 * PZ_MOST_EXPONENT : 2 * PZ_MOST_EXPONENT;
  if (x != 0 && x - x == 0) {
    (void)frexp(x, &e);
  }
  e = 1 - e;
  return ldexp((real)1, e > PZ_MOST_EXPONENT    ? PZ_MOST_EXPONENT
                        : e < -PZ_MOST_EXPONENT ? -PZ_MOST_EXPONENT
                                                : e);
}

/* ---- rows: pz_lanes work items share row pz_row, and pz_share of local memory. Where a group has
        more places than there are rows left, pz_live is 0: its items only reach the barriers. An item
        works on one row at a time, so [r] is [0] ---- */

#define PZ_ROW_IN(k, name)                                                          \
  GPU_GLOBAL const real(*const name)[1] = (GPU_GLOBAL const real(*)[1])(            \
      pz_input##k + pz_input_offset##k + pz_row * pz_input_stride##k)
#define PZ_ROW_OUT(k, name)                                                         \
  GPU_GLOBAL real(*const name)[1] = (GPU_GLOBAL real(*)[1])(                        \
      pz_output##k + pz_output_offset##k + pz_row * pz_output_stride##k)
#define PZ_VALUE_IN(k, name) \
  PZ_ROW_VALUE(name, pz_input##k[pz_input_offset##k + pz_row * pz_input_stride##k])
#define PZ_ROW_VALUE(name, expression) const real name[1] = {(real)(expression)}
#define PZ_VALUE_OUT(k, expression)                                                         \
  do {                                                                                      \
    if (pz_live && pz_lane == 0) {                                                          \
      pz_output##k[pz_output_offset##k + pz_row * pz_output_stride##k] = (real)(expression); \
    }                                                                                       \
  } while (0)
#define PZ_LENGTH_IN(k) pz_input_length##k
#define PZ_LENGTH_OUT(k) pz_output_length##k

#define PZ_ROW_EACH(j, count) \
  GPU_BARRIER();              \
  for (pz_int j = pz_lane; pz_live && j < (count); j += pz_lanes)

/* `own` is the result. Its name is pasted before the name of the kernel's author can be expanded: PoCL has
   macros for builtin functions, distance for one. */
#define PZ_ROW_REDUCE_(own, start, join, j, count, expression)                   \
  real own = (start);                                                            \
  PZ_ROW_EACH(j, count)                                                          \
  {                                                                              \
    own = join(own, (real)(expression));                                         \
  }                                                                              \
  pz_share[pz_lane] = own;                                                       \
  GPU_BARRIER();                                                                 \
  for (int pz_reach = pz_lanes / 2; pz_reach > 0; pz_reach /= 2) {               \
    if (pz_lane < pz_reach) {                                                    \
      pz_share[pz_lane] = join(pz_share[pz_lane], pz_share[pz_lane + pz_reach]); \
    }                                                                            \
    GPU_BARRIER();                                                               \
  }                                                                              \
  own = pz_share[0];                                                             \
  GPU_BARRIER()

#define PZ_ADD_(a, b) ((a) + (b))
#define PZ_ROW_SUM(s, j, count, expression)                        \
  PZ_ROW_REDUCE_(s##_own, (real)0, PZ_ADD_, j, count, expression); \
  PZ_ROW_VALUE(s, s##_own)
#define PZ_ROW_MAX(s, j, count, expression)                             \
  PZ_ROW_REDUCE_(s##_own, -GPU_INFINITY, pz_max, j, count, expression); \
  PZ_ROW_VALUE(s, s##_own)

#define PZ_ROW_NORM(s, t, j, count, expression)                                             \
  PZ_ROW_MAX(s##_top, j, count, fabs((real)(expression)));                                  \
  PZ_ROW_VALUE(t, pz_unit_scale(s##_top[0]));                                               \
  PZ_ROW_SUM(s##_squares, j, count, (t[0] * (real)(expression)) * (t[0] * (real)(expression))); \
  PZ_ROW_VALUE(s, sqrt(s##_squares[0]))

/* Each work item takes a run of neighbours, then joins what the items before it have to its own. No
   barrier is in a loop: compilers for CPUs, PoCL's above all, take minutes over kernels with several
   of those. PLACE(k) is the index of the entry that comes k-th. */
#define PZ_ROW_SCAN_(y, j, count, expression, start, join, PLACE)       \
  do {                                                                  \
    const pz_int pz_count = (count);                                    \
    const pz_int pz_each = (pz_count + pz_lanes - 1) / pz_lanes;        \
    const pz_int pz_first = pz_lane * pz_each;                          \
    const pz_int pz_next = pz_first + pz_each;                          \
    const pz_int pz_last = !pz_live ? 0 : pz_next < pz_count ? pz_next : pz_count; \
    real pz_running = (start);                                          \
    GPU_BARRIER();                                                      \
    for (pz_int pz_k = pz_first; pz_k < pz_last; ++pz_k) {              \
      const pz_int j = PLACE(pz_k);                                     \
      pz_running = join(pz_running, (real)(expression));                \
      (y)[j][0] = pz_running;                                           \
    }                                                                   \
    pz_share[pz_lane] = pz_running;                                     \
    GPU_BARRIER();                                                      \
    real pz_before = (start);                                           \
    for (int pz_item = 0; pz_item < pz_lane; ++pz_item) {               \
      pz_before = join(pz_before, pz_share[pz_item]);                   \
    }                                                                   \
    for (pz_int pz_k = pz_first; pz_k < pz_last; ++pz_k) {              \
      (y)[PLACE(pz_k)][0] = join(pz_before, (y)[PLACE(pz_k)][0]);       \
    }                                                                   \
    GPU_BARRIER();                                                      \
  } while (0)

#define PZ_MULTIPLY_(a, b) ((a) * (b))
#define PZ_FROM_FIRST_(k) (k)
#define PZ_FROM_LAST_(k) (pz_count - 1 - (k))
#define PZ_ROW_SCAN(y, j, count, expression) \
  PZ_ROW_SCAN_(y, j, count, expression, (real)0, PZ_ADD_, PZ_FROM_FIRST_)
#define PZ_ROW_REVERSE_SCAN(y, j, count, expression) \
  PZ_ROW_SCAN_(y, j, count, expression, (real)0, PZ_ADD_, PZ_FROM_LAST_)
#define PZ_ROW_PRODUCT_SCAN(y, j, count, expression) \
  PZ_ROW_SCAN_(y, j, count, expression, (real)1, PZ_MULTIPLY_, PZ_FROM_FIRST_)
