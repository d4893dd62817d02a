/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Each request for memory of these calls is refused in turn: the call says PZ_NO_MEMORY, and
   succeeds when it is repeated. Calls that change modules are in transactions.c. */

#include "folder.h"

#include <allocator.h>

#include <stdio.h>

/* The end of dlpack.h's DLManagedTensor, whose first member is laid out as a pz_tensor. */
struct DLManagedTensor {
  pz_tensor tensor;
  void* manager;
  void (*deleter)(struct DLManagedTensor* self);
};

static int refusals; /* calls that said PZ_NO_MEMORY */

/* check's own macros allocate */
#define CALL(call)                                                                        \
  do {                                                                                    \
    pz_status status = (call);                                                            \
    if (status == PZ_NO_MEMORY && allocator_refused()) {                                  \
      ++refusals;                                                                         \
      status = (call);                                                                    \
    }                                                                                     \
    if (status != PZ_OK) {                                                                \
      fprintf(stderr, "%s: %s: %s\n", #call, pz_status_text(status), pz_error_message()); \
      return false;                                                                       \
    }                                                                                     \
  } while (0)

static bool
use_queue(const char* const device, const pz_spec* const spec)
{
  static const int64_t shape[] = {4, 4};
  static const int64_t across[] = {1, 4};
  static float numbers[2][16];
  pz_tensor from = pz_host_tensor(PZ_F32, numbers[0], 2, shape);
  pz_tensor to = pz_host_tensor(PZ_F32, numbers[1], 2, shape);
  pz_queue* queue = NULL;
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  pz_event* event = NULL;
  struct DLManagedTensor* managed = NULL;
  pz_tensor tensor;
  for (int k = 0; k < 16; ++k) {
    numbers[0][k] = (float)k;
    numbers[1][k] = -1.0F;
  }
  from.strides = across;
  to.strides = across;
  CALL(pz_queue_open(context, device, NULL, &queue));
  CALL(pz_chain_new(context, "skew,pruning(p_drop=0.2)", NULL, 0, PZ_FROM_TENSOR, spec, 1, &chain));
  CALL(pz_state_new(chain, queue, &state));
  CALL(pz_state_tensor(state, PZ_STATE_BUFFER, 0, &tensor));
  CALL(pz_queue_upload(queue, &from, &tensor));
  pz_state_touch(state);
  CALL(pz_queue_record(queue, &event));
  CALL(pz_queue_wait(queue, event));
  CALL(pz_dlpack_export(queue, &tensor, &managed));
  CALL(pz_state_save(state, path, 0));
  CALL(pz_state_load(state, path));
  CALL(pz_queue_download(queue, &managed->tensor, &to));
  managed->deleter(managed);
  pz_event_free(event);
  pz_state_free(state);
  pz_chain_free(chain);
  pz_queue_close(queue);
  return memcmp(numbers[0], numbers[1], sizeof(numbers[0])) == 0;
}

static bool
use_module(pz_module* const from)
{
  static char pictures[2][4096];
  pz_module* copy = NULL;
  double distance = -1.0;
  CALL(pz_module_copy(from, &copy));
  CALL(pz_module_refresh(copy, 2));
  CALL(pz_module_residual(copy, "weight", &distance));
  const bool same = pz_module_print(copy, pictures[0], sizeof(pictures[0])) ==
                        pz_module_print(from, pictures[1], sizeof(pictures[1])) &&
                    strcmp(pictures[0], pictures[1]) == 0;
  pz_module_free(copy);
  return same && distance >= 0.0 && distance < 1e-5;
}

static const char* const devices[] = {"reference", "lean:0"};

START_TEST(each_request_refused)
{
  fixture_parametrize(module, "weight", 4, 4, "skew,cayley");
  fixture_parametrize(module, "other", 3, 3, "skew,pruning(p_drop=0.2)");
  ck_assert_ok(test_module_to(context, module, devices[_i]));
  pz_chain* chain = NULL;
  const int64_t shape[] = {4, 4};
  const pz_tensor like = pz_host_tensor(PZ_F32, NULL, 2, shape);
  const pz_spec spec = pz_spec_of(&like);
  ck_assert_ok(
      pz_chain_new(context, "skew", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain)); /* opens plugins */
  pz_chain_free(chain);
  bool refused = true;
  unsigned long k = 0;
  refusals = 0;
  while (refused) {
    allocator_start(++k);
    const bool good = use_queue(devices[_i], &spec) && use_module(module);
    (void)allocator_stop();
    refused = allocator_refused();
    ck_assert_msg(good, "request %lu", k);
    ck_assert_uint_lt(k, 5000);
  }
  ck_assert_uint_gt(k, 100);
  ck_assert_int_gt(refusals, 50);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("refused requests");
  tcase_add_checked_fixture(tcase, fixture_add_doubles, NULL);
  tcase_add_loop_test(tcase, each_request_refused, 0, 2);
  return test_main_case(tcase);
}
