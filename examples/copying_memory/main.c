/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Trains a recurrent network with an orthogonal kernel on problems that need memory, as in
   Lezcano-Casado and Martinez-Rubio, "Cheap orthogonal constraints in neural networks"
   (2019). Backpropagation through a thousand steps multiplies by the kernel a thousand
   times: with an orthogonal kernel gradients neither vanish nor explode.

   One training step:
     1. draw a batch
     2. read the weights, which evaluates the kernel's chain once
     3. compute the loss and the gradients of the weights
     4. compute the gradient of the kernel's originals, one vjp of the chain
     5. update with RMSprop */

#include "checkpoint.h"
#include "model.h"
#include "network.h"
#include "optimizer.h"
#include "options.h"
#include "problem.h"
#include "report.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct paths {
  char checkpoint[4096];
  char table[4096];
  char baked[4096];
} paths;

typedef struct run {
  options o;
  problem p;
  problem_batch batch;
  network* net;
  model m;
  optimizer opt;
  progress now;
  paths files;
  FILE* table;
  double seconds;       /* spent in steps so far */
  double chain_seconds; /* of them in the kernel's chain */
} run;

static double
clock_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Prints the library's last message, after `what` unless the message begins with that. */
static bool
fail(const char* const what)
{
  const char* const detail = pz_error_message();
  const bool named = strncmp(detail, what, strlen(what)) == 0;
  fprintf(stderr, "copying_memory: %s%s%s\n", named ? "" : what, named ? "" : ": ",
          *detail ? detail : "out of memory");
  return false;
}

/* The running mean of the loss, which is compared with the baseline. */
static double
smooth(const progress* const before, const double loss)
{
  return before->step == 0 ? loss : 0.9 * before->smoothed + 0.1 * loss;
}

static bool
step(run* const r, record* const out)
{
  const int number = r->now.step + 1;
  const double start = clock_seconds();
  problem_draw(&r->p, r->o.seed, (uint64_t)number, &r->batch);

  const double before_read = clock_seconds();
  if (model_read(&r->m) != PZ_OK) {
    return fail("reading the kernel");
  }
  r->chain_seconds += clock_seconds() - before_read;
  const network_result result = network_run(r->net, &r->m.weights, &r->batch, &r->m.gradients);
  const double before_measuring = clock_seconds();
  *out = (record){.step = number,
                  .loss = result.loss,
                  .baseline = r->p.baseline,
                  .orthogonality = model_orthogonality(&r->m)};
  const double measuring = clock_seconds() - before_measuring; /* no part of training */
  if (!isfinite(result.loss)) {
    fprintf(stderr, "copying_memory: the loss of step %d is not finite\n", number);
    return false;
  }
  if (model_backward_others(&r->m) != PZ_OK) {
    return fail("gradients");
  }
  const double before_backward = clock_seconds();
  if (model_backward_kernel(&r->m) != PZ_OK) {
    return fail("the kernel's gradient");
  }
  r->chain_seconds += clock_seconds() - before_backward;
  if (optimizer_step(&r->opt, &r->m, r->o.rate, r->o.kernel_rate) != PZ_OK ||
      pz_module_update(r->m.module, NULL) != PZ_OK) {
    return fail("the optimizer's step");
  }

  r->now.smoothed = smooth(&r->now, result.loss);
  r->now.step = number;
  if (r->now.crossed == 0 && r->now.smoothed < r->p.baseline) {
    r->now.crossed = number;
  }
  r->seconds += clock_seconds() - start - measuring;
  return true;
}

static bool
save(const run* const r)
{
  if (!report_sync(r->table, r->files.table)) {
    return false;
  }
  if (checkpoint_save(&r->o, &r->m, &r->now, r->files.checkpoint) != PZ_OK) {
    return fail(r->files.checkpoint);
  }
  return true;
}

static bool
train(run* const r)
{
  const int first = r->now.step;
  if (first == 0 && r->o.steps == 0 && !save(r)) { /* the beginning is a checkpoint too */
    return false;
  }
  while (r->now.step < r->o.steps) {
    record row;
    if (!step(r, &row) || !report_row(r->table, &row)) {
      return false;
    }
    const bool last = r->now.step == r->o.steps;
    if ((last || r->now.step % r->o.checkpoint_every == 0) && !save(r)) {
      return false;
    }
    report_progress(&row, r->now.smoothed, (r->now.step - first) / r->seconds, r->o.print_every,
                    last);
  }
  return true;
}

static bool
prepare_files(run* const r)
{
  const int n = snprintf(r->files.checkpoint, sizeof(r->files.checkpoint),
                         "%s/checkpoint.safetensors", r->o.out);
  if (n < 0 || (size_t)n >= sizeof(r->files.checkpoint)) {
    fprintf(stderr, "copying_memory: --out: found a name that is too long\n");
    return false;
  }
  snprintf(r->files.table, sizeof(r->files.table), "%s/loss.csv", r->o.out);
  snprintf(r->files.baked, sizeof(r->files.baked), "%s/model.safetensors", r->o.out);
  if (mkdir(r->o.out, 0777) != 0 && errno != EEXIST) {
    fprintf(stderr, "copying_memory: %s: %s\n", r->o.out, strerror(errno));
    return false;
  }
  if (access(r->files.checkpoint, F_OK) == 0) {
    if (!checkpoint_load(&r->o, &r->m, r->files.checkpoint, &r->now)) {
      return false;
    }
    printf("resuming from step %d of %s\n", r->now.step, r->files.checkpoint);
  }
  r->table = report_open(r->files.table, r->now.step);
  return r->table != NULL;
}

static bool
prepare(run* const r)
{
  r->p = problem_make(r->o.kind, r->o.length, r->o.batch);
  r->net = network_new(&r->p, r->o.hidden, r->o.threads);
  if (!r->net || problem_batch_init(&r->p, &r->batch) != 0) {
    fprintf(stderr, "copying_memory: out of memory\n");
    return false;
  }
  if (model_init(&r->o, &r->p, &r->m) != PZ_OK || optimizer_init(&r->m, &r->opt) != PZ_OK) {
    return fail("the model");
  }
  return prepare_files(r);
}

static void
print_summary(const run* const r, const int steps)
{
  char title[512];
  if (r->now.crossed) {
    printf("below the baseline %.6f (loss smoothed by 0.9) from step %d\n", r->p.baseline,
           r->now.crossed);
  }
  if (steps > 0) {
    printf("%d steps of %.1f ms, %.1f %% of it in the chain\n", steps, 1e3 * r->seconds / steps,
           100 * r->chain_seconds / r->seconds);
  }
  printf("losses     %s\n", r->files.table);
  snprintf(title, sizeof(title), "%s, length %d, %d hidden units, %s",
           options_problem_name(r->o.kind), r->o.length, r->o.hidden,
           *r->o.chain ? r->o.chain : "free kernel");
  report_plot(r->o.out, title);
  printf("checkpoint %s\n", r->files.checkpoint);
  printf("baked      %s\n", r->files.baked);
}

static void
cleanup(run* const r)
{
  if (r->table) {
    fclose(r->table);
  }
  optimizer_cleanup(&r->opt);
  model_cleanup(&r->m);
  problem_batch_cleanup(&r->batch);
  network_free(r->net);
}

int
main(const int argc, char** const argv)
{
  static run r;
  const int read = options_read(argc, argv, &r.o);
  if (read != 0) {
    return read == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);    /* a file beyond the limit is an error like a full disk */
  openblas_set_num_threads(1); /* the chunks have threads of their own */
  bool good = prepare(&r);
  if (good) {
    const int first = r.now.step;
    good = train(&r);
    if (good && checkpoint_bake(&r.o, &r.m, r.files.baked) != PZ_OK) {
      good = fail(r.files.baked);
    }
    if (good) {
      print_summary(&r, r.now.step - first);
    }
  }
  cleanup(&r);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
