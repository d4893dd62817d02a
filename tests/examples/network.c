/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The network of examples/copying_memory, compiled for double: gradients against central
   differences, the same bits for any number of threads, the problems' own rules. */

#include "network.h"

#include "support.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_TENSORS = 5 };

/* A network with random weights on a random batch. */
typedef struct scene {
  problem p;
  problem_batch batch;
  int hidden;
  int count[N_TENSORS];
  real* weight[N_TENSORS];
  real* gradient[N_TENSORS];
} scene;

static void
scene_init(scene* const s, const problem_kind kind, const int length, const int hidden,
           const int batch)
{
  uint64_t state = test_seed();
  s->p = problem_make(kind, length, batch);
  s->hidden = hidden;
  ck_assert_int_eq(problem_batch_init(&s->p, &s->batch), 0);
  problem_draw(&s->p, test_bits(&state), 1, &s->batch);
  const int counts[N_TENSORS] = {hidden * hidden, hidden * s->p.n_inputs, hidden,
                                 hidden * s->p.n_outputs, s->p.n_outputs};
  const double scales[N_TENSORS] = {0.7 / sqrt(hidden), 0.5, 0.05, 0.5, 0.5};
  for (int k = 0; k < N_TENSORS; ++k) {
    s->count[k] = counts[k];
    s->weight[k] = malloc((size_t)counts[k] * sizeof(real));
    s->gradient[k] = malloc((size_t)counts[k] * sizeof(real));
    ck_assert(s->weight[k] && s->gradient[k]);
    test_fill_normal(&state, REAL_DTYPE, counts[k], scales[k], s->weight[k]);
  }
}

static void
scene_cleanup(scene* const s)
{
  problem_batch_cleanup(&s->batch);
  for (int k = 0; k < N_TENSORS; ++k) {
    free(s->weight[k]);
    free(s->gradient[k]);
  }
}

static double
loss_of(const scene* const s, network* const net, const bool gradients)
{
  real* const* const w = s->weight;
  real* const* const g = s->gradient;
  const network_weights weights = {w[0], w[1], w[2], w[3], w[4]};
  const network_gradients slopes = {g[0], g[1], g[2], g[3], g[4]};
  return network_run(net, &weights, &s->batch, gradients ? &slopes : NULL).loss;
}

/* Both problems, more sequences than a chunk holds, one of each, blocks that do not fill. */
static const struct {
  problem_kind kind;
  int length, hidden, batch;
} sizes[] = {
    {PROBLEM_COPYING, 1, 5, 3}, {PROBLEM_COPYING, 25, 17, 70}, {PROBLEM_COPYING, 12, 16, 1},
    {PROBLEM_ADDING, 2, 1, 1},  {PROBLEM_ADDING, 37, 7, 66},   {PROBLEM_ADDING, 16, 20, 5},
};
enum { N_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* Moves tensor k by `step` times a direction. */
static void
move(scene* const s, const int k, const real* const direction, const double step)
{
  for (int i = 0; i < s->count[k]; ++i) {
    s->weight[k][i] += step * direction[i];
  }
}

/* The loss at tensor k moved. */
static double
moved_loss(scene* const s, network* const net, const int k, const real* const direction,
           const double step)
{
  const size_t bytes = (size_t)s->count[k] * sizeof(real);
  real* const start = malloc(bytes);
  ck_assert_ptr_nonnull(start);
  memcpy(start, s->weight[k], bytes);
  move(s, k, direction, step);
  const double loss = loss_of(s, net, false);
  memcpy(s->weight[k], start, bytes);
  free(start);
  return loss;
}

/* The slope of the loss in tensor k along a direction, by a central difference, unless the step h
   crosses a kink or a jump. One that changes the slope by more than the bound shows in the first or
   second difference, which for a smooth function is that of half the step, or four times that. */
static bool
smooth_slope(scene* const s, network* const net, const int k, const real* const direction,
             const double bound, double* const slope)
{
  const double h = 1e-6;
  double sum[2];
  double difference[2];
  for (int half = 0; half < 2; ++half) {
    const double step = half ? h / 2 : h;
    const double up = moved_loss(s, net, k, direction, step);
    const double down = moved_loss(s, net, k, direction, -step);
    difference[half] = (up - down) / (2 * step);
    sum[half] = up + down - 2 * moved_loss(s, net, k, direction, 0);
  }
  *slope = difference[0];
  return fabs(difference[0] - difference[1]) <= bound / 4 &&
         fabs(sum[0] - 4 * sum[1]) / (2 * h) <= bound / 4;
}

/* The slope along a random direction, one tensor at a time: with the step h = 1e-6 the
   difference is off by h^2 and by eps |loss| / h, a few 1e-10. modrelu has kinks and jumps, which a
   step crosses with a probability of h for each of its arguments: then both the weights and the
   direction are others. */
START_TEST(test_gradients)
{
  enum { MOST_DRAWS = 10 };
  scene s;
  uint64_t state = test_seed() + 1;
  scene_init(&s, sizes[_i].kind, sizes[_i].length, sizes[_i].hidden, sizes[_i].batch);
  network* const net = network_new(&s.p, s.hidden, 1);
  ck_assert_ptr_nonnull(net);
  for (int k = 0; k < N_TENSORS; ++k) {
    const int n = s.count[k];
    real* const direction = malloc((size_t)n * sizeof(real));
    ck_assert_ptr_nonnull(direction);
    double difference = 0;
    double tolerance = 0;
    bool smooth = false;
    for (int draw = 0; draw < MOST_DRAWS && !smooth; ++draw) {
      double size = 0;
      loss_of(&s, net, true);
      for (int i = 0; i < n; ++i) {
        size += s.gradient[k][i] * s.gradient[k][i];
      }
      tolerance = 1e-5 * sqrt(size / n) + 1e-8;
      test_fill_normal(&state, REAL_DTYPE, n, 1 / sqrt(n), direction);
      smooth = smooth_slope(&s, net, k, direction, tolerance, &difference);
      if (!smooth) {
        move(&s, k, direction, 1e-3);
      }
    }
    ck_assert_msg(smooth, "tensor %d: a kink in every direction", k);
    double slope = 0;
    for (int i = 0; i < n; ++i) {
      slope += s.gradient[k][i] * direction[i];
    }
    ck_assert_msg(fabs(slope - difference) <= tolerance,
                  "tensor %d: gradient %.12g, difference %.12g", k, slope, difference);
    free(direction);
  }
  network_free(net);
  scene_cleanup(&s);
}
END_TEST

START_TEST(test_threads_change_no_bit)
{
  scene s;
  scene_init(&s, PROBLEM_COPYING, 9, 20, 200);
  network* const one = network_new(&s.p, s.hidden, 1);
  network* const many = network_new(&s.p, s.hidden, 3);
  ck_assert(one && many);
  const double loss = loss_of(&s, one, true);
  real* const kernel = malloc((size_t)s.count[0] * sizeof(real));
  ck_assert_ptr_nonnull(kernel);
  memcpy(kernel, s.gradient[0], (size_t)s.count[0] * sizeof(real));
  ck_assert(loss_of(&s, many, true) == loss);
  ck_assert_mem_eq(kernel, s.gradient[0], (size_t)s.count[0] * sizeof(real));
  free(kernel);
  network_free(one);
  network_free(many);
  scene_cleanup(&s);
}
END_TEST

/* Sums of a chunk: the batch cut elsewhere gives the same up to rounding. */
START_TEST(test_batch_is_a_mean)
{
  scene s;
  scene_init(&s, PROBLEM_ADDING, 6, 4, 130);
  network* const whole = network_new(&s.p, s.hidden, 2);
  ck_assert_ptr_nonnull(whole);
  double mean = 0;
  const double loss = loss_of(&s, whole, false);
  scene single = s;
  single.p = problem_make(PROBLEM_ADDING, 6, 1);
  network* const one = network_new(&single.p, s.hidden, 1);
  ck_assert_ptr_nonnull(one);
  ck_assert_int_eq(problem_batch_init(&single.p, &single.batch), 0);
  for (int i = 0; i < s.p.batch; ++i) {
    for (int t = 0; t < s.p.steps; ++t) {
      single.batch.symbol[t] = s.batch.symbol[t * s.p.batch + i];
      single.batch.value[t] = s.batch.value[t * s.p.batch + i];
    }
    single.batch.sum[0] = s.batch.sum[i];
    mean += loss_of(&single, one, false) / s.p.batch;
  }
  /* 6 steps of 4 terms and 130 sequences: rounding stays below 1000 eps. */
  ck_assert_double_le(fabs(mean - loss), 1000 * 2.3e-16 * loss);
  problem_batch_cleanup(&single.batch);
  network_free(one);
  network_free(whole);
  scene_cleanup(&s);
}
END_TEST

START_TEST(test_copying)
{
  enum { LENGTH = 7, BATCH = 50, K = PROBLEM_SYMBOLS };
  const problem p = problem_make(PROBLEM_COPYING, LENGTH, BATCH);
  problem_batch batch;
  int seen[10] = {0};
  ck_assert_int_eq(p.steps, LENGTH + 2 * K);
  ck_assert_double_eq_tol(p.baseline, K * log(8) / p.steps, 1e-15);
  ck_assert_int_eq(problem_batch_init(&p, &batch), 0);
  problem_draw(&p, test_seed(), 3, &batch);
  for (int s = 0; s < BATCH; ++s) {
    for (int t = 0; t < p.steps; ++t) {
      const int symbol = batch.symbol[t * BATCH + s];
      const int target = batch.target[t * BATCH + s];
      ck_assert_int_eq(target, t < K + LENGTH ? 0 : batch.symbol[(t - K - LENGTH) * BATCH + s]);
      if (t < K) {
        ck_assert(symbol >= 1 && symbol <= 8);
        ++seen[symbol];
      } else {
        ck_assert_int_eq(symbol, t == K + LENGTH ? 9 : 0);
      }
    }
  }
  for (int symbol = 1; symbol <= 8; ++symbol) {
    ck_assert_int_gt(seen[symbol], 20); /* 62 are expected, give or take 7 */
  }
  problem_batch_cleanup(&batch);
}
END_TEST

START_TEST(test_adding)
{
  enum { LENGTH = 9, BATCH = 50 };
  const problem p = problem_make(PROBLEM_ADDING, LENGTH, BATCH);
  problem_batch batch;
  ck_assert_int_eq(problem_batch_init(&p, &batch), 0);
  problem_draw(&p, test_seed(), 3, &batch);
  for (int s = 0; s < BATCH; ++s) {
    int marks[2] = {0};
    double sum = 0;
    for (int t = 0; t < LENGTH; ++t) {
      marks[t >= LENGTH / 2] += batch.symbol[t * BATCH + s];
      sum += batch.symbol[t * BATCH + s] * batch.value[t * BATCH + s];
    }
    ck_assert_int_eq(marks[0], 1);
    ck_assert_int_eq(marks[1], 1);
    ck_assert_double_eq(sum, batch.sum[s]);
  }
  problem_batch_cleanup(&batch);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("network");
  openblas_set_num_threads(1);
  tcase_add_loop_test(tests, test_gradients, 0, N_SIZES);
  tcase_add_test(tests, test_threads_change_no_bit);
  tcase_add_test(tests, test_batch_is_a_mean);
  tcase_add_test(tests, test_copying);
  tcase_add_test(tests, test_adding);
  return test_main_case(tests);
}
