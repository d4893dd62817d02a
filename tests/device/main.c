/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: device-contract DEVICE */

#include "device.h"

#include <stdio.h>

const char* device_name;
char device_backend[32];
pz_context* device_context;
pz_queue* device_queue;
pz_queue* reference_queue;

void
device_start(void)
{
  device_context = test_context();
  ck_assert_ok(pz_queue_open(device_context, device_name, NULL, &device_queue));
  ck_assert_ok(pz_queue_open(device_context, "reference", NULL, &reference_queue));
}

void
device_finish(void)
{
  pz_queue_close(device_queue);
  pz_queue_close(reference_queue);
  pz_context_free(device_context);
}

void
life_open(life* const l, pz_queue* const queue, const char* const chain, const int64_t batch,
          const int64_t n)
{
  const int64_t shape[] = {batch, n, n};
  *l = (life){.queue = queue, .spec = pz_spec_make(PZ_F32, 3, shape)};
  ck_assert_ok(
      pz_chain_new(device_context, chain, NULL, 0, PZ_FROM_TENSOR, &l->spec, 1, &l->chain));
  ck_assert_ok(pz_state_new(l->chain, queue, &l->state));
  ck_assert_ok(pz_eval_new(l->chain, queue, &l->eval));
}

void
life_close(life* const l)
{
  pz_eval_free(l->eval);
  pz_state_free(l->state);
  pz_chain_free(l->chain);
}

void
life_write(life* const l, const float* const x)
{
  const pz_tensor host = pz_host_tensor(PZ_F32, (void*)(uintptr_t)x, 3, l->spec.shape);
  pz_tensor original;
  ck_assert_ok(pz_state_tensor(l->state, PZ_ORIGINAL, 0, &original));
  ck_assert_ok(pz_queue_upload(l->queue, &host, &original));
  pz_state_touch(l->state);
}

float*
life_read(const pz_tensor* const value, pz_queue* const queue)
{
  float* const out = calloc((size_t)pz_count(value), sizeof(float));
  ck_assert_ptr_nonnull(out);
  const pz_tensor host = pz_host_tensor(PZ_F32, out, value->ndim, value->shape);
  ck_assert_ok(pz_queue_download(queue, value, &host));
  return out;
}

float*
life_normal(const int64_t n, const double scale)
{
  uint64_t random = test_seed();
  float* const out = calloc((size_t)n, sizeof(float));
  ck_assert_ptr_nonnull(out);
  test_fill_normal(&random, PZ_F32, n, scale, out);
  return out;
}

int
main(const int argc, char** const argv)
{
  if (argc != 2) {
    fprintf(stderr, "usage: device-contract DEVICE\n");
    return EXIT_FAILURE;
  }
  device_name = argv[1];
  snprintf(device_backend, sizeof(device_backend), "%.*s", (int)strcspn(device_name, ":"),
           device_name);
  const char* const reason = test_device_missing(device_name);
  if (reason) {
    printf("1..0 # SKIP %s\n", reason);
    return EXIT_SUCCESS;
  }
  Suite* const suite = suite_create(device_name);
  suite_add_tcase(suite, device_case());
  suite_add_tcase(suite, deciding_case());
  suite_add_tcase(suite, steps_case());
#ifdef TEST_OPENCL
  if (strcmp(device_backend, "opencl") == 0) {
    suite_add_tcase(suite, opencl_case());
  }
#endif
  return test_main(suite);
}
