/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Parametrizations with properties that no installed one has. The tests of the command compile them
   with plain cc and load them through PARAMETRIZE_PLUGIN_PATH.

     product   y = scale a o b: two originals, and an own parameter scale, initially 1;
               right inverse a = y, b = 1 if scale is 1
     intruder  y = x, and creates the file named by the environment variable INTRUDER: the race
               between a check and its use
     held      y = x, after it created the file named by the environment variable HELD and the test
               removed it: time for an interrupt
     slow      y = x, after 1.2 seconds: time to show the progress
     leaver    calls exit(0) in forward */

#include <parametrize/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pz_status
product_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec scale = pz_spec_make(given->dtype, 0, NULL);
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_parameter(c, "scale", &scale));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
product_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return pz_fill(c, 1.0, &c->new_parameter[0]);
}

/* y = scale a o b */
static pz_status
product_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  double scale;
  PZ_TRY(pz_read(c, &x[2], &scale));
  return pz_hadamard(c, scale, &x[0], &x[1], 0.0, y);
}

static pz_status
product_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(pz_copy(c, y, &x[0]));
  return pz_fill(c, 1.0, &x[1]);
}

/* ga = scale b o gy, gb = scale a o gy */
static pz_status
product_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  double scale;
  (void)y;
  PZ_TRY(pz_read(c, &x[2], &scale));
  for (uint32_t k = 0; k < 2; ++k) {
    if (pz_wants(c, k)) {
      PZ_TRY(pz_hadamard(c, scale, &x[1 - k], gy, 0.0, &gx[k]));
    }
  }
  return pz_wants(c, 2) ? pz_fail(c, PZ_INVALID, "asked for the gradient of the scale") : PZ_OK;
}

static pz_status
intruder_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const char* const path = getenv("INTRUDER");
  FILE* const file = path ? fopen(path, "w") : NULL;
  if (file != NULL) {
    fputs("mine\n", file);
    fclose(file);
  }
  return pz_copy(c, x, y);
}

static pz_status
intruder_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return intruder_forward(c, y, x);
}

static pz_status
intruder_sample(pz_call* const c, pz_tensor* const y)
{
  return pz_fill(c, 1.0, y);
}

static pz_status
held_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const struct timespec pause = {0, 1000000};
  const char* const path = getenv("HELD");
  FILE* const file = path ? fopen(path, "w") : NULL;
  if (file == NULL) {
    return pz_fail(c, PZ_INVALID, "HELD names no file that can be written");
  }
  fclose(file);
  while (access(path, F_OK) == 0) {
    nanosleep(&pause, NULL);
  }
  return pz_copy(c, x, y);
}

static pz_status
slow_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const struct timespec pause = {1, 200000000};
  nanosleep(&pause, NULL);
  return pz_copy(c, x, y);
}

static pz_status
leaver_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  (void)c;
  (void)x;
  (void)y;
  exit(EXIT_SUCCESS);
}

static const pz_parametrization product = {
    .size = sizeof(product),
    .id = "product",
    .summary = "Products of two originals",
    .n_originals = 2,
    .plan = product_plan,
    .init = product_init,
    .forward = product_forward,
    .right_inverse = product_right_inverse,
    .vjp = product_vjp,
};

static const pz_parametrization intruder = {
    .size = sizeof(intruder),
    .id = "intruder",
    .summary = "Any tensor, with somebody else at work",
    .forward = intruder_forward,
    .right_inverse = intruder_right_inverse,
    .sample = intruder_sample,
};

static const pz_parametrization held = {
    .size = sizeof(held),
    .id = "held",
    .summary = "Any tensor, when the test allows",
    .forward = held_forward,
};

static const pz_parametrization slow = {
    .size = sizeof(slow),
    .id = "slow",
    .summary = "Any tensor, late",
    .forward = slow_forward,
};

static const pz_parametrization leaver = {
    .size = sizeof(leaver),
    .id = "leaver",
    .summary = "Any tensor, and the end of the program",
    .forward = leaver_forward,
};

PZ_PLUGIN(maps, "0.1.0", PZ_PARAMETRIZATION(&product), PZ_PARAMETRIZATION(&intruder),
          PZ_PARAMETRIZATION(&held), PZ_PARAMETRIZATION(&slow), PZ_PARAMETRIZATION(&leaver));
