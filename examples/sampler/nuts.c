/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "nuts.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 10 };
static const double max_energy_error = 1000.0; /* beyond it, a trajectory has diverged */

/* A position with its momentum. */
typedef struct point {
  double q[NUTS_MAX];
  double p[NUTS_MAX];
  double gradient[NUTS_MAX];
  double log_density;
} point;

/* A piece of a trajectory. */
typedef struct piece {
  point first; /* in time */
  point last;
  point draw;
  double momentum[NUTS_MAX]; /* the sum over the points */
  double log_weight;         /* log of the sum of e^(energy at the start - energy) */
  double acceptance;         /* the sum over the points */
  int points;
  bool stop; /* it has turned, or diverged */
} piece;

/* splitmix64 */
double
nuts_uniform(nuts_random* const random)
{
  uint64_t z = random->state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

double
nuts_normal(nuts_random* const random)
{
  const double radius = sqrt(-2.0 * log(nuts_uniform(random)));
  return radius * cos(6.283185307179586 * nuts_uniform(random));
}

static double
log_sum(const double a, const double b)
{
  const double most = fmax(a, b);
  return most == -INFINITY ? most : most + log1p(exp(fmin(a, b) - most));
}

static void
evaluate(nuts* const s, point* const z)
{
  z->log_density = s->density(s->user, z->q, z->gradient);
  ++s->evaluations;
}

static void
draw_momentum(nuts* const s, point* const z)
{
  for (int k = 0; k < s->n; ++k) {
    z->p[k] = nuts_normal(&s->random) / sqrt(s->variance[k]);
  }
}

static double
energy_of(const nuts* const s, const point* const z)
{
  double kinetic = 0.0;
  for (int k = 0; k < s->n; ++k) {
    kinetic += z->p[k] * z->p[k] * s->variance[k] / 2.0;
  }
  const double energy = kinetic - z->log_density;
  return isnan(energy) ? INFINITY : energy;
}

static void
leapfrog(nuts* const s, point* const z, const double step)
{
  for (int k = 0; k < s->n; ++k) {
    z->p[k] += step / 2.0 * z->gradient[k];
    z->q[k] += step * s->variance[k] * z->p[k];
  }
  evaluate(s, z);
  for (int k = 0; k < s->n; ++k) {
    z->p[k] += step / 2.0 * z->gradient[k];
  }
}

/* Does a trajectory with these ends and the sum `a` + `b` of momenta turn back? */
static bool
turns(const nuts* const s, const double* const first, const double* const last,
      const double* const a, const double* const b)
{
  double at_first = 0.0;
  double at_last = 0.0;
  for (int k = 0; k < s->n; ++k) {
    const double sum = s->variance[k] * (a[k] + b[k]);
    at_first += first[k] * sum;
    at_last += last[k] * sum;
  }
  return !(at_first > 0.0 && at_last > 0.0);
}

/* Joins `late` to `early`; the draw is that of the piece it has been taken from. */
static piece
join(const nuts* const s, const piece* const early, const piece* const late,
     const point* const draw)
{
  piece all = {.first = early->first, .last = late->last, .draw = *draw};
  for (int k = 0; k < s->n; ++k) {
    all.momentum[k] = early->momentum[k] + late->momentum[k];
  }
  all.log_weight = log_sum(early->log_weight, late->log_weight);
  all.acceptance = early->acceptance + late->acceptance;
  all.points = early->points + late->points;
  all.stop = early->stop || late->stop ||
             turns(s, early->first.p, late->last.p, early->momentum, late->momentum) ||
             turns(s, early->first.p, late->first.p, early->momentum, late->first.p) ||
             turns(s, early->last.p, late->last.p, early->last.p, late->momentum);
  return all;
}

/* A piece of 2^depth points that goes on from `from`, forwards or backwards in time. */
static piece
grow(nuts* const s, const point* const from, const int depth, const bool forwards)
{
  if (depth == 0) {
    piece one = {.first = *from, .points = 1};
    leapfrog(s, &one.first, forwards ? s->step : -s->step);
    one.last = one.draw = one.first;
    memcpy(one.momentum, one.first.p, sizeof(one.momentum));
    one.log_weight = s->energy - energy_of(s, &one.first);
    one.acceptance = fmin(1.0, exp(one.log_weight));
    one.stop = !(one.log_weight > -max_energy_error);
    s->divergences += one.stop;
    return one;
  }
  const piece near = grow(s, from, depth - 1, forwards);
  if (near.stop) {
    return near;
  }
  const piece far = grow(s, forwards ? &near.last : &near.first, depth - 1, forwards);
  const double share = exp(far.log_weight - log_sum(near.log_weight, far.log_weight));
  const point* const draw = nuts_uniform(&s->random) < share ? &far.draw : &near.draw;
  return forwards ? join(s, &near, &far, draw) : join(s, &far, &near, draw);
}

void
nuts_next(nuts* const s, double* const q)
{
  piece all = {.points = 0};
  memcpy(all.first.q, q, (size_t)s->n * sizeof(double));
  evaluate(s, &all.first);
  draw_momentum(s, &all.first);
  s->energy = energy_of(s, &all.first);
  all.last = all.draw = all.first;
  memcpy(all.momentum, all.first.p, sizeof(all.momentum));
  for (int depth = 0; depth < MAX_DEPTH && !all.stop; ++depth) {
    const bool forwards = nuts_uniform(&s->random) < 0.5;
    const piece more = grow(s, forwards ? &all.last : &all.first, depth, forwards);
    if (more.stop) {
      all.acceptance += more.acceptance;
      all.points += more.points;
      break;
    }
    const bool farther = nuts_uniform(&s->random) < exp(more.log_weight - all.log_weight);
    const point draw = farther ? more.draw : all.draw;
    all = forwards ? join(s, &all, &more, &draw) : join(s, &more, &all, &draw);
  }
  s->acceptance = all.points > 0 ? all.acceptance / all.points : 0.0;
  memcpy(q, all.draw.q, (size_t)s->n * sizeof(double));
}

/* ---- warm-up ------------------------------------------------------------------------------ */

static const double target = 0.8; /* acceptance */

/* Dual averaging of log(step). */
typedef struct averaging {
  double centre;
  double error;
  double log_mean;
  int n;
} averaging;

/* Doubles or halves the step until one step's acceptance crosses 0.8. */
static void
find_step(nuts* const s, const double* const q)
{
  int direction = 0;
  for (int tries = 0; tries < 60; ++tries) {
    point z = {.log_density = 0.0};
    memcpy(z.q, q, (size_t)s->n * sizeof(double));
    evaluate(s, &z);
    draw_momentum(s, &z);
    const double before = energy_of(s, &z);
    leapfrog(s, &z, s->step);
    const int now = before - energy_of(s, &z) > log(target) ? 1 : -1;
    if (direction == -now) {
      return;
    }
    direction = now;
    s->step *= direction > 0 ? 2.0 : 0.5;
  }
}

static void
start_averaging(nuts* const s, const double* const q, averaging* const a)
{
  find_step(s, q);
  *a = (averaging){.centre = log(10.0 * s->step)};
}

static void
adapt_step(nuts* const s, averaging* const a)
{
  ++a->n;
  a->error += (target - s->acceptance - a->error) / (a->n + 10.0);
  const double log_step = a->centre - sqrt(a->n) / 0.05 * a->error;
  a->log_mean += pow(a->n, -0.75) * (log_step - a->log_mean);
  s->step = exp(log_step);
}

/* Running mean and sum of squares of the draws of a window. */
typedef struct moments {
  double mean[NUTS_MAX];
  double squares[NUTS_MAX];
  int n;
} moments;

static void
add_draw(moments* const m, const double* const q, const int n)
{
  ++m->n;
  for (int k = 0; k < n; ++k) {
    const double off = q[k] - m->mean[k];
    m->mean[k] += off / m->n;
    m->squares[k] += off * (q[k] - m->mean[k]);
  }
}

/* The window's variance, drawn a little to 0.001 as if five more draws had it. */
static void
adapt_metric(nuts* const s, const moments* const m)
{
  for (int k = 0; k < s->n; ++k) {
    s->variance[k] = (m->squares[k] / (m->n - 1.0) * m->n + 1e-3 * 5.0) / (m->n + 5.0);
  }
}

void
nuts_warm_up(nuts* const s, double* const q, const int draws)
{
  const int begin = draws * 3 / 40; /* 75, 25 and 50 of 1000 */
  const int end = draws - draws / 20;
  int window = draws / 40;
  int next = begin + window;
  averaging a;
  moments m = {.n = 0};
  s->step = 1.0;
  for (int k = 0; k < s->n; ++k) {
    s->variance[k] = 1.0;
  }
  start_averaging(s, q, &a);
  for (int draw = 0; draw < draws; ++draw) {
    nuts_next(s, q);
    adapt_step(s, &a);
    if (draw < begin || draw >= end) {
      continue;
    }
    add_draw(&m, q, s->n);
    if (draw + 1 == next && m.n > 1) {
      adapt_metric(s, &m);
      start_averaging(s, q, &a);
      m = (moments){.n = 0};
      window *= 2;
      /* a window that would leave less than the next one needs takes all that is left */
      next = next + 3 * window > end ? end : next + window;
    }
  }
  s->step = exp(a.log_mean);
  s->divergences = 0;
}
