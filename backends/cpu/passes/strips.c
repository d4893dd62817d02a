/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Walking loops strip by strip where runs are shared, by square tiles where an input's runs
   cross the output's. */

#include "strips.h"

#include "libraries.h"
#include "scratch.h"
#include "transpose.h"
#include "tuning.h"
#include "view.h"

/* One strip after the other. */
static void
run_along(const cpu_loops* const l, strip_function* const strip, const void* const arguments)
{
  real* at[CPU_MAX_OPERANDS];
  int64_t step[CPU_MAX_OPERANDS];
  for (uint32_t k = 0; k < l->n_operands; ++k) {
    step[k] = l->stride[k][2];
  }
  for (int64_t b = 0; b < l->extent[0]; ++b) {
    for (int64_t i = 0; i < l->extent[1]; ++i) {
      for (uint32_t k = 0; k < l->n_operands; ++k) {
        at[k] = (real*)(void*)l->first[k] + b * l->stride[k][0] + i * l->stride[k][1];
      }
      strip(l->extent[2], at, step, arguments);
    }
  }
}

/* One tile after the other; operands whose runs cross the strips are transposed first. They
   are inputs, for strips follow the output. */
static void
run_across(const cpu_loops* const l, const bool* const crossed, strip_function* const strip,
           const void* const arguments)
{
  real tile[CPU_MAX_OPERANDS - 1][TILE * TILE];
  real* at[CPU_MAX_OPERANDS];
  int64_t step[CPU_MAX_OPERANDS];
  for (uint32_t k = 0; k < l->n_operands; ++k) {
    step[k] = crossed[k] ? 1 : l->stride[k][2];
  }
  for (int64_t b = 0; b < l->extent[0]; ++b) {
    for (int64_t i0 = 0; i0 < l->extent[1]; i0 += TILE) {
      const int64_t m = smaller(TILE, l->extent[1] - i0);
      for (int64_t j0 = 0; j0 < l->extent[2]; j0 += TILE) {
        const int64_t n = smaller(TILE, l->extent[2] - j0);
        real* first[CPU_MAX_OPERANDS];
        for (uint32_t k = 0; k < l->n_operands; ++k) {
          const int64_t* const stride = l->stride[k];
          first[k] = (real*)(void*)l->first[k] + b * stride[0] + i0 * stride[1] + j0 * stride[2];
          if (!crossed[k]) {
            prefetch_tile(m, n, first[k], stride[1]);
          }
        }
        for (uint32_t k = 0; k < l->n_operands; ++k) {
          if (crossed[k]) {
            TYPED(transpose)(n, m, first[k], l->stride[k][2], tile[k], TILE);
          }
        }
        for (int64_t i = 0; i < m; ++i) {
          for (uint32_t k = 0; k < l->n_operands; ++k) {
            at[k] = crossed[k] ? tile[k] + i * TILE : first[k] + i * l->stride[k][1];
          }
          strip(n, at, step, arguments);
        }
      }
    }
  }
}

static void
run_alone(const cpu_loops* const l, strip_function* const strip, const void* const arguments)
{
  bool crossed[CPU_MAX_OPERANDS] = {false};
  bool any = false;
  for (uint32_t k = 0; k + 1 < l->n_operands; ++k) {
    crossed[k] = l->stride[k][2] > 1 && l->stride[k][1] == 1 && l->extent[1] > 1;
    any = any || crossed[k];
  }
  if (any) {
    run_across(l, crossed, strip, arguments);
  } else {
    run_along(l, strip, arguments);
  }
}

/* The loops cut along the outermost one that has enough for all threads, or the longest. */
typedef struct shared {
  const cpu_loops* l;
  strip_function* strip;
  const void* arguments;
  int cut;
  int64_t part; /* of the extent */
} shared;

static void
run_part(void* const context, const int64_t k, const uint32_t thread)
{
  const shared* const s = context;
  cpu_loops l = *s->l;
  (void)thread;
  l.extent[s->cut] = smaller(s->part, l.extent[s->cut] - k * s->part);
  for (uint32_t i = 0; i < l.n_operands; ++i) {
    l.first[i] += k * s->part * l.stride[i][s->cut] * (int64_t)sizeof(real);
  }
  run_alone(&l, s->strip, s->arguments);
}

void
TYPED(run_strips)(pz_backend_queue* const q, const cpu_loops* const l, strip_function* const strip,
                  const void* const arguments)
{
  const double elements = (double)l->extent[0] * (double)l->extent[1] * (double)l->extent[2];
  const uint32_t threads = q ? cpu_threads(0.15 * l->n_operands * elements) : 1;
  if (threads < 2) {
    run_alone(l, strip, arguments);
    return;
  }
  const int64_t parts = 4 * (int64_t)threads;
  const int64_t* const e = l->extent;
  const int longest = e[0] >= e[1] && e[0] >= e[2] ? 0 : e[1] >= e[2] ? 1 : 2;
  const int cut = e[0] >= TILE * parts ? 0 : e[1] >= TILE * parts ? 1 : longest;
  const int64_t extent = e[cut];
  const int64_t part = (extent + parts - 1) / parts;
  shared s = {
      .l = l,
      .strip = strip,
      .arguments = arguments,
      .cut = cut,
      .part = part < TILE ? part : (part + TILE - 1) / TILE * TILE,
  };
  q->host->parallel(threads, (extent + s.part - 1) / s.part, run_part, &s);
}
