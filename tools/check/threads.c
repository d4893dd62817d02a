/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Evaluations in threads. Each has its own queue, state and originals: what callbacks keep in one place
   for all of them goes wrong. */

#include "dense.h"
#include "outcome.h"
#include "rules.h"

#include <pthread.h>
#include <string.h>

enum { WORKERS = 2, ROUNDS = 15 };

typedef struct worker {
  pthread_t thread;
  bench bench;
  trial trial;
  const double* in[TRIAL_CALLS];
  double* alone[TRIAL_CALLS]; /* what one thread gets; NULL if the call is not supported */
  trial_call wrong;           /* TRIAL_CALLS: none */
  pz_status status;
  double difference;
} worker;

static pthread_barrier_t start;

static void
prepare(worker* const w, const trial* const t, const uint64_t number)
{
  *w = (worker){.bench = *t->bench, .wrong = TRIAL_CALLS};
  outcome_expect_ok(pz_queue_open(w->bench.context, pz_queue_device(t->bench->queue, NULL), NULL,
                                  &w->bench.queue),
                    "a second queue");
  (void)trial_open(&w->trial, &w->bench, t->text, &t->given);
  w->trial.random += number;
  (void)trial_start(&w->trial);
  trial_inputs(&w->trial, w->in);
  for (trial_call k = 0; k < CALL_ASSIGN; ++k) {
    w->alone[k] = NULL;
    if (trial_make(&w->trial, k, w->in[k], &w->alone[k]) != PZ_OK) {
      w->alone[k] = NULL;
    }
  }
}

static void*
evaluate(void* const argument)
{
  worker* const w = argument;
  for (int round = 0; round < ROUNDS; ++round) {
    (void)pthread_barrier_wait(&start); /* as many rounds in all threads */
    for (trial_call k = 0; k < CALL_ASSIGN; ++k) {
      const int64_t n = trial_n_out(&w->trial, k);
      double* out = NULL;
      if (!w->alone[k] || w->wrong != TRIAL_CALLS) {
        continue;
      }
      w->status = trial_make(&w->trial, k, w->in[k], &out);
      if (w->status != PZ_OK || memcmp(out, w->alone[k], (size_t)n * sizeof(*out)) != 0) {
        w->difference = w->status == PZ_OK ? largest_difference(n, out, w->alone[k]) : 0.0;
        w->wrong = k;
      }
    }
  }
  return NULL;
}

/* Two threads get what one gets, to the bit. */
void
rule_threads(trial* const t)
{
  static worker workers[WORKERS];
  if (t->n_y == 0 || t->n_y > 1000) {
    return;
  }
  for (uint64_t k = 0; k < WORKERS; ++k) {
    prepare(&workers[k], t, k);
  }
  if (pthread_barrier_init(&start, NULL, WORKERS) != 0) {
    outcome_breach("no barrier for threads");
  }
  for (int k = 0; k < WORKERS; ++k) {
    if (pthread_create(&workers[k].thread, NULL, evaluate, &workers[k]) != 0) {
      outcome_breach("no thread could be started");
    }
  }
  for (int k = 0; k < WORKERS; ++k) {
    (void)pthread_join(workers[k].thread, NULL);
  }
  for (int k = 0; k < WORKERS; ++k) {
    worker* const w = &workers[k];
    if (w->wrong != TRIAL_CALLS) {
      outcome_breach("in two threads at once, %s gives \"%s\" and differs by %.3g from one thread",
                     trial_call_name(w->wrong), pz_status_text(w->status), w->difference);
    }
    trial_close(&w->trial);
    pz_queue_close(w->bench.queue);
  }
  (void)pthread_barrier_destroy(&start);
}
