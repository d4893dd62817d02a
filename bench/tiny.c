/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What reads cost where the matrices are small: nanoseconds, the best of many rounds.

   usage: tiny [THREADS [NAME TIMES]]      threads of the refreshed module, 1 by default

   Prints a line "NAME VALUE" each: an unchanged value by slot and by name; the value, and the
   value with its gradient, of one 3 x 3 matrix under skew,cayley that was touched before; 200 of
   these in one pz_module_refresh. Or does one of them TIMES times and prints nothing, for programs
   that count instructions. */

#include <parametrize/parametrize.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MANY = 200, ROUNDS = 40 };

static pz_context* context;
static pz_module* module;
static pz_slot* slot;
static unsigned threads = 1;

static void
ensure(const pz_status status)
{
  if (status != PZ_OK) {
    fprintf(stderr, "tiny: %s\n", pz_error_message());
    exit(EXIT_FAILURE);
  }
}

static double
now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void
by_slot(const int repeat)
{
  pz_tensor value;
  for (int k = 0; k < repeat; ++k) {
    ensure(pz_slot_get(slot, &value));
  }
}

static void
by_name(const int repeat)
{
  pz_tensor value;
  for (int k = 0; k < repeat; ++k) {
    ensure(pz_module_get(module, "w0", &value));
  }
}

static void
forward(const int repeat)
{
  pz_tensor value;
  for (int k = 0; k < repeat; ++k) {
    ensure(pz_module_touch(module, "parametrizations.w0.original"));
    ensure(pz_slot_get(slot, &value));
  }
}

static void
forward_and_vjp(const int repeat)
{
  static float data[9] = {1.0F, -2.0F, 3.0F, 0.5F, 1.0F, -1.0F, 2.0F, 0.0F, 1.0F};
  static const int64_t shape[2] = {3, 3};
  const pz_tensor gradient = pz_host_tensor(PZ_F32, data, 2, shape);
  for (int k = 0; k < repeat; ++k) {
    forward(1);
    ensure(pz_module_backward(module, "w0", &gradient));
  }
}

static void
refresh(const int repeat)
{
  for (int k = 0; k < repeat; ++k) {
    pz_module_train(module, false);
    pz_module_train(module, true);
    ensure(pz_module_refresh(module, threads));
  }
}

static const struct {
  const char* name;
  void (*body)(int repeat);
  int repeat;
} cases[] = {
    {"slot", by_slot, 100000},  {"name", by_name, 100000},
    {"forward", forward, 2000}, {"forward+vjp", forward_and_vjp, 2000},
    {"refresh", refresh, 20},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void
measure(const int k)
{
  const int repeat = cases[k].repeat;
  double best = 1e300;
  for (int round = 0; round < ROUNDS; ++round) {
    const double start = now();
    cases[k].body(repeat);
    const double each = (now() - start) / repeat;
    best = each < best ? each : best;
  }
  printf("%s %.1f\n", cases[k].name, best);
}

int
main(const int argc, char** const argv)
{
  const pz_context_settings settings = {.size = sizeof(settings)};
  const int64_t shape[2] = {3, 3};
  threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
  ensure(pz_context_new(&settings, &context));
  ensure(pz_module_new(context, NULL, "Tiny", &module));
  for (int k = 0; k < MANY; ++k) {
    float data[9];
    char name[16];
    for (int i = 0; i < 9; ++i) {
      data[i] = (float)((7 * k + 13 * i) % 17) / 17.0F;
    }
    snprintf(name, sizeof(name), "w%d", k);
    const pz_tensor tensor = pz_host_tensor(PZ_F32, data, 2, shape);
    ensure(pz_module_add(module, name, PZ_PARAMETER, &tensor));
    ensure(pz_register_parametrization(module, name, "skew,cayley", NULL));
  }
  ensure(pz_module_slot(module, "w0", &slot));
  ensure(pz_module_refresh(module, 1));
  for (int k = 0; k < CASES; ++k) {
    if (argc < 4) {
      measure(k);
    } else if (strcmp(argv[2], cases[k].name) == 0) {
      cases[k].body((int)strtol(argv[3], NULL, 10));
    }
  }
  pz_module_free(module);
  pz_context_free(context);
  return EXIT_SUCCESS;
}
