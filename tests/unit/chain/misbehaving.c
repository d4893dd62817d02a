/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A map that breaks its contract, each time in one way: one line that names the map and the
   callback, and nothing changed. */

#include <maps.h>
#include <rig.h>

#include <stdio.h>
#include <string.h>

/* What the map does, and where. */
typedef enum offence {
  NOTHING,
  UNKNOWN_STATUS,
  NEGATIVE_STATUS,
  SILENT,
  SPEAKS,
  DECLARES,
  DECLARES_VALUE,
  REPLACES_OUTPUT,
  REPLACES_BUFFER,
  SAVES,
  READS_SAVED,
  READS_RECORD,
  MOVES_ORIGINAL,
  BAD_SCRATCH,
  BAD_GEMM,
  IGNORES_BREACH,
} offence;

static offence doing;
static const char* place;

static pz_status
misbehave(pz_call* const c, const char* const here, pz_tensor* const out)
{
  static const int64_t shape[] = {2, -1};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  const pz_spec good = pz_spec_make(PZ_F64, 1, shape);
  pz_tensor t;
  const void* record = NULL;
  if (!place || strcmp(place, here) != 0) {
    return PZ_OK;
  }
  switch (doing) {
  case NOTHING:
    break;
  case UNKNOWN_STATUS:
    return (pz_status)77;
  case NEGATIVE_STATUS:
    return (pz_status)-1;
  case SILENT:
    return PZ_DEVICE;
  case SPEAKS:
    return pz_fail(c, PZ_DEVICE, "the device\nis %s", "gone");
  case DECLARES:
    return pz_declare_buffer(c, "late", &good);
  case DECLARES_VALUE:
    return pz_declare_value(c, &good, PZ_GENERAL);
  case REPLACES_OUTPUT:
    out->data = NULL;
    return PZ_OK;
  case REPLACES_BUFFER:
    if (c->new_buffer) {
      c->new_buffer[0].shape = shape;
    }
    return PZ_OK;
  case SAVES:
    PZ_TRY(pz_save(c, &good, &t));
    return pz_fill(c, 1.0, &t);
  case READS_SAVED:
    return pz_saved(c, 3, &t);
  case READS_RECORD:
    return pz_saved_host(c, 0, &record);
  case MOVES_ORIGINAL:
    return pz_new_original(c, 1, &t);
  case BAD_SCRATCH:
    return pz_work(c, &spec, &t);
  case BAD_GEMM:
    PZ_TRY(pz_work(c, &good, &t));
    return pz_gemm(c, PZ_N, PZ_N, 1.0, &t, &t, 0.0, &t);
  case IGNORES_BREACH:
    (void)pz_declare_buffer(c, "late", &good);
    return PZ_OK;
  }
  return PZ_OK;
}

/* ---- tests --------------------------------------------------------------------------------------- */

static rig r;
static const int64_t shape[] = {2, 2};
static double data[] = {1, 2, 3, 4};
static pz_tensor tensor;

static void
setup(void)
{
  place = NULL;
  map_hook = misbehave;
  tensor = pz_host_tensor(PZ_F64, data, 2, shape);
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "fragile,fragile", PZ_F64, 2, shape);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &tensor));
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &tensor));
}

static void
teardown(void)
{
  rig_close(&r);
}

/* May the callback read what forward saved? */
static bool
reads_saved(const char* const callback)
{
  return strcmp(callback, "vjp") == 0 || strcmp(callback, "jvp") == 0 ||
         strncmp(callback, "log_abs_det", 11) == 0;
}

/* Calls what runs the entry `place`. */
static pz_status
call(void)
{
  pz_tensor value;
  double distance = 0.0;
  double gradient[4] = {9, 9, 9, 9};
  pz_tensor out = pz_host_tensor(PZ_F64, gradient, 2, shape);
  pz_chain* other = NULL;
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  if (strcmp(place, "plan") == 0) {
    return pz_chain_new(r.context, "fragile", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &other);
  }
  if (strcmp(place, "init") == 0) {
    return pz_eval_initialize(r.eval, r.state, 0, &tensor);
  }
  if (strcmp(place, "forward") == 0) {
    return pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value);
  }
  if (strcmp(place, "right_inverse") == 0) {
    return pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &tensor);
  }
  if (strcmp(place, "vjp") == 0) {
    ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
    const pz_status status = pz_eval_vjp(r.eval, r.state, &tensor, 1, 1, false, &out);
    ck_assert(status == PZ_OK || gradient[0] == 9.0);
    return status;
  }
  if (reads_saved(place)) {
    const pz_tensor tangents[3] = {tensor};
    ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
    const pz_status status =
        strcmp(place, "jvp") == 0 ? pz_eval_jvp(r.eval, r.state, tangents, 1, &out)
        : strcmp(place, "log_abs_det") == 0
            ? pz_eval_log_abs_det(r.eval, r.state, &out)
            : pz_eval_log_abs_det_vjp(r.eval, r.state, &tensor, 1, false, &out);
    ck_assert(status == PZ_OK || gradient[0] == 9.0);
    return status;
  }
  if (strcmp(place, "update") == 0) {
    return pz_eval_update(r.eval, r.state);
  }
  if (strcmp(place, "residual") == 0) {
    return pz_eval_residual(r.eval, r.state, 0, &tensor, &distance);
  }
  return pz_eval_sample(r.eval, r.state);
}

static void
check(const char* const entry, const offence kind, const pz_status status,
      const char* const message)
{
  double before[3][4];
  const pz_tensor kept[] = {rig_tensor(&r, PZ_ORIGINAL, 0), rig_tensor(&r, PZ_STATE_BUFFER, 0),
                            rig_tensor(&r, PZ_STATE_BUFFER, 1)};
  doing = NOTHING;
  ck_assert_ok(pz_eval_update(r.eval, r.state)); /* so that no buffer is 0, as after init */
  for (int k = 0; k < 3; ++k) {
    memcpy(before[k], kept[k].data, sizeof(before[k]));
  }
  const uint64_t version = pz_state_version(r.state);
  place = entry;
  doing = kind;
  const pz_status found = call();
  ck_assert_msg(found == status, "%s: found status %d, expected %d: %s", entry, (int)found,
                (int)status, pz_error_message());
  ck_assert_str_eq(pz_error_message(), message);
  for (int k = 0; k < 3; ++k) {
    ck_assert_mem_eq(before[k], kept[k].data, sizeof(before[k]));
  }
  ck_assert_uint_eq(version, pz_state_version(r.state));
  doing = NOTHING;
  if (strcmp(entry, "plan") != 0) {
    ck_assert_ok(call()); /* and all is well afterwards */
  }
}

START_TEST(test_entries)
{
  static const char* const entries[] = {"plan", "init",        "forward",        "right_inverse",
                                        "vjp",  "update",      "residual",       "sample",
                                        "jvp",  "log_abs_det", "log_abs_det_vjp"};
  const char* const entry = entries[_i];
  char message[256];
  snprintf(message, sizeof(message), "fragile: %s: returned unknown status 77", entry);
  check(entry, UNKNOWN_STATUS, PZ_PLUGIN, message);
  snprintf(message, sizeof(message), "fragile: %s: returned unknown status -1", entry);
  check(entry, NEGATIVE_STATUS, PZ_PLUGIN, message);
  snprintf(message, sizeof(message),
           "fragile: %s: failed without a reason: device or driver failed", entry);
  check(entry, SILENT, PZ_DEVICE, message);
  check(entry, SPEAKS, PZ_DEVICE, "fragile: the device is gone");
  if (_i > 0) {
    snprintf(message, sizeof(message), "fragile: %s: declared a tensor outside plan", entry);
    check(entry, DECLARES, PZ_PLUGIN, message);
    check(entry, IGNORES_BREACH, PZ_PLUGIN, message);
    snprintf(message, sizeof(message), "fragile: %s: declared a value outside plan", entry);
    check(entry, DECLARES_VALUE, PZ_PLUGIN, message);
    check(entry, BAD_SCRATCH, PZ_MISMATCH, "fragile: scratch: found extent -1, expected 0 or more");
  }
  if (_i > 0) {
    snprintf(message, sizeof(message), "fragile: %s: asked for %s", entry,
             reads_saved(entry) ? "saved tensor 3, forward saved 0" : "a saved tensor outside vjp");
    check(entry, READS_SAVED, PZ_PLUGIN, message);
  }
  if (_i > 0 && strcmp(entry, "residual") != 0) {
    snprintf(message, sizeof(message), "fragile: %s: put another tensor in place of its output",
             entry);
    check(entry, REPLACES_OUTPUT, PZ_PLUGIN, message);
  }
}
END_TEST

START_TEST(test_particular)
{
  check("vjp", READS_SAVED, PZ_PLUGIN, "fragile: vjp: asked for saved tensor 3, forward saved 0");
  check("vjp", READS_RECORD, PZ_PLUGIN, "fragile: vjp: asked for saved record 0, forward saved 0");
  check("right_inverse", REPLACES_BUFFER, PZ_PLUGIN,
        "fragile: right_inverse: put another tensor in place of its output");
  check("update", REPLACES_BUFFER, PZ_PLUGIN,
        "fragile: update: put another tensor in place of its output");
  check("update", MOVES_ORIGINAL, PZ_PLUGIN, "fragile: update: asked for original 1 of 1");
  check("right_inverse", MOVES_ORIGINAL, PZ_PLUGIN,
        "fragile: right_inverse: asked for a new original outside update");
}
END_TEST

/* Saving where nothing is to be saved hands out scratch. */
START_TEST(test_saving)
{
  static const char* const entries[] = {"init",        "forward",        "right_inverse", "vjp",
                                        "update",      "residual",       "sample",        "jvp",
                                        "log_abs_det", "log_abs_det_vjp"};
  doing = SAVES;
  for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); ++i) {
    place = entries[i];
    ck_assert_ok(call());
  }
  pz_tensor value;
  place = "forward";
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
}
END_TEST

/* A message of an operation is passed on under the map's name. */
START_TEST(test_operation)
{
  place = "forward";
  doing = BAD_GEMM;
  ck_assert_fails(call(), PZ_MISMATCH, "fragile: gemm");
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("plugins");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, test_entries, 0, 11);
  tcase_add_test(tests, test_particular);
  tcase_add_test(tests, test_saving);
  tcase_add_test(tests, test_operation);
  return test_main_case(tests);
}
