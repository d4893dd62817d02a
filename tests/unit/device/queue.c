/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Devices by name, copies between strides and devices, storages, exported tensors. */

#include "queue.h"

#include "opaque.h"
#include "queue_copy.h"
#include "storage.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pz_context* context;

static void
setup(void)
{
  context = test_context();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
}

static void
teardown(void)
{
  pz_context_free(context);
  ck_assert_int_eq(opaque_allocations(), 0);
}

static pz_queue*
open_device(const char* const name)
{
  pz_queue* queue = NULL;
  ck_assert_ok(pz_queue_open(context, name, NULL, &queue));
  return queue;
}

/* ---- names ---------------------------------------------------------------------- */

START_TEST(test_device_names)
{
  static const struct {
    const char* asked;
    const char* opened;
    int32_t type;
  } names[] = {
      {"reference", "reference", PZ_DEVICE_CPU},
      {"reference:0", "reference", PZ_DEVICE_CPU},
      {"cpu", "cpu", PZ_DEVICE_CPU},
      {NULL, "cpu", PZ_DEVICE_CPU},
      {"lean", "lean:0", PZ_DEVICE_EXTENSION},
      {"lean:0", "lean:0", PZ_DEVICE_EXTENSION},
  };
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); ++k) {
    pz_queue* const queue = open_device(names[k].asked);
    pz_device device;
    ck_assert_str_eq(pz_queue_device(queue, &device), names[k].opened);
    ck_assert_int_eq(device.type, names[k].type);
    pz_queue_close(queue);
  }
  pz_queue_close(open_device("auto"));
}
END_TEST

START_TEST(test_devices_that_are_not_there)
{
  pz_queue* queue = NULL;
  ck_assert_fails(pz_queue_open(context, "cpuu", NULL, &queue), PZ_NOT_FOUND,
                  "found no device \"cpuu\", expected ");
  static const char* const there[] = {" cpu,", " lean:0", " reference", " or auto"};
  for (size_t k = 0; k < sizeof(there) / sizeof(there[0]); ++k) {
    ck_assert_ptr_nonnull(strstr(pz_error_message(), there[k]));
  }
  ck_assert_ptr_null(strstr(pz_error_message(), "lean:1")); /* unplugged */
  ck_assert_fails(pz_queue_open(context, "lean:7", NULL, &queue), PZ_NOT_FOUND,
                  "found no device \"lean:7\", expected ");
  ck_assert_fails(pz_queue_open(context, "lean:1", NULL, &queue), PZ_DEVICE, "unplugged");
  ck_assert_fails(pz_queue_open(context, "lean:2", NULL, &queue), PZ_DEVICE,
                  "device lean:2 cannot be used: its backend does not say why");
  ck_assert_fails(pz_queue_open(context, "cpu:0x", NULL, &queue), PZ_NOT_FOUND, "\"cpu:0x\"");
  ck_assert_fails(pz_queue_open(context, "", NULL, &queue), PZ_NOT_FOUND, "found no device \"\"");
  ck_assert_fails(pz_queue_open(context, "opencl:7", NULL, &queue), PZ_NOT_FOUND, "\"opencl:7\"");
  ck_assert_fails(pz_queue_open(NULL, "cpu", NULL, &queue), PZ_INVALID, "no context");
  ck_assert_ptr_null(queue);
}
END_TEST

/* The place of a device in the order of "auto", with the reason for it. */
static int
rank_of(pz_context* const in, const char* const name, const char* const rank)
{
  pz_device_report report = {.size = sizeof(report)};
  for (int k = 0; pz_context_device(in, (uint32_t)k, &report) == PZ_OK; ++k) {
    if (strcmp(report.name, name) == 0) {
      ck_assert_str_eq(report.rank, rank);
      return k;
    }
  }
  ck_abort_msg("found no device %s", name);
}

START_TEST(test_device_reports)
{
  pz_device_report report = {.size = sizeof(report)};
  int32_t before = INT32_MAX;
  for (uint32_t k = 0; pz_context_device(context, k, &report) == PZ_OK; ++k) {
    ck_assert_int_le(report.priority, before);
    before = report.priority;
    if (strcmp(report.name, "lean:1") == 0) {
      ck_assert_uint_eq(report.usable, 0);
      ck_assert_str_eq(report.reason, "unplugged");
    }
    ck_assert_ptr_nonnull(report.path);
  }
  const int cpu = rank_of(context, "cpu", "priority 100");
  const int reference = rank_of(context, "reference", "priority 1");
  ck_assert_int_lt(cpu, reference);
  ck_assert_int_lt(reference, rank_of(context, "lean:0", "not for auto"));
}
END_TEST

/* What the host prefers comes first, else what the environment does; by device or backend. A device
   that cannot be used is passed over. */
START_TEST(test_preferred_devices)
{
  static const char* const devices[] = {NULL, "lean:1,bare,lean:0"};
  const pz_context_settings none = {.size = sizeof(none)};
  ck_assert_int_eq(setenv("PARAMETRIZE_DEVICE", "nonsense,lean,reference", 1), 0);
  for (int given = 0; given < 2; ++given) {
    pz_context_settings settings = none;
    pz_context* other = NULL;
    pz_queue* queue = NULL;
    settings.flags = PZ_ONLY_GIVEN_FOLDERS;
    settings.devices = devices[given];
    ck_assert_ok(pz_context_new(&settings, &other));
    ck_assert_ok(pz_context_add_plugin(other, &pz_plugin_v1_opaque));
    ck_assert_ok(pz_queue_open(other, "auto", NULL, &queue));
    ck_assert_str_eq(pz_queue_device(queue, NULL), given ? "bare:0" : "lean:0");
    pz_queue_close(queue);
    if (given) {
      ck_assert_int_eq(rank_of(other, "lean:1", "given by the host"), 0);
      ck_assert_int_eq(rank_of(other, "bare:0", "given by the host"), 1);
      ck_assert_int_ge(rank_of(other, "reference", "priority 1"), 3);
    } else {
      ck_assert_int_eq(rank_of(other, "lean:0", "PARAMETRIZE_DEVICE"), 0);
      ck_assert_int_eq(rank_of(other, "reference", "PARAMETRIZE_DEVICE"), 3);
    }
    pz_context_free(other);
  }
  unsetenv("PARAMETRIZE_DEVICE");
}
END_TEST

/* ---- operations ------------------------------------------------------------------ */

START_TEST(test_tables_of_operations)
{
  pz_queue* queue = open_device("brief"); /* its tables end after gemm */
  pz_op_report report = {.size = sizeof(report)};
  for (uint32_t k = 0; pz_queue_op(queue, k, &report) == PZ_OK; ++k) {
    const bool native = strcmp(report.name, "gemm") == 0 || strcmp(report.name, "read") == 0 ||
                        strcmp(report.name, "write") == 0;
    ck_assert_msg((report.f32 == PZ_ROUTE_NATIVE) == native, "%s", report.name);
  }
  pz_queue_close(queue);
  queue = NULL;
  ck_assert_fails(pz_queue_open(context, "broken", NULL, &queue), PZ_PLUGIN,
                  "broken:0: operations of 4 bytes, expected at least 8");
  ck_assert_ptr_null(queue);
}
END_TEST

/* ---- copies --------------------------------------------------------------------- */

/* Between every pair of layouts of host and device, and back. */
START_TEST(test_copies_honour_strides)
{
  static const char* const devices[] = {"reference", "cpu", "bare", "lean", "later"};
  static const int64_t strides[][3] = {
      {12, 4, 1}, {12, 1, 3}, {20, 6, 1}, {40, 10, 2}, {1, 2, 6}, {-12, 4, -1}, {4, 12, 1},
  };
  enum { LAYOUTS = sizeof(strides) / sizeof(strides[0]), ROOM = 128, FIRST = 40 };
  const int64_t shape[] = {2, 3, 4};
  const int64_t room[] = {ROOM};
  pz_queue* const queue = open_device(devices[_i]);
  const pz_spec spec = pz_spec_make(PZ_F32, 1, room);
  pzi_storage* storage = NULL;
  ck_assert_ok(pzi_storage_new(queue, &spec, &storage));
  for (int from = 0; from < LAYOUTS; ++from) {
    for (int to = 0; to < LAYOUTS; ++to) {
      float source[ROOM];
      float device[ROOM];
      float back[ROOM] = {0};
      for (int k = 0; k < ROOM; ++k) {
        source[k] = (float)(k + 1);
        device[k] = -(float)(k + 1);
      }
      const pz_tensor whole = pz_host_tensor(PZ_F32, device, 1, room);
      ck_assert_ok(pz_queue_upload(queue, &whole, &storage->tensor));
      pz_tensor a = pz_host_tensor(PZ_F32, source, 3, shape);
      a.strides = strides[from];
      a.byte_offset = FIRST * sizeof(float);
      pz_tensor b = a;
      b.data = storage->tensor.data;
      b.device = queue->device;
      b.strides = strides[to];
      pz_tensor c = a;
      c.data = back;
      ck_assert_ok(pzi_queue_copy(queue, &a, &b));
      ck_assert_ok(pzi_queue_copy(queue, &b, &c));
      ck_assert_ok(pz_queue_download(queue, &storage->tensor, &whole));
      bool written[ROOM] = {false};
      for (int k = 0; k < 24; ++k) {
        const int64_t at[3] = {k / 12, k / 4 % 3, k % 4};
        int64_t x = FIRST;
        int64_t y = FIRST;
        for (int i = 0; i < 3; ++i) {
          x += at[i] * strides[from][i];
          y += at[i] * strides[to][i];
        }
        ck_assert_float_eq(back[x], source[x]);
        ck_assert_float_eq(device[y], source[x]);
        written[y] = true;
      }
      for (int k = 0; k < ROOM; ++k) {
        if (!written[k] && device[k] != -(float)(k + 1)) {
          ck_abort_msg("element %d between those of the tensor was written", k);
        }
      }
    }
  }
  pzi_storage_release(storage);
  pz_queue_close(queue);
}
END_TEST

START_TEST(test_copies_check_both_sides)
{
  pz_queue* const queue = open_device("lean");
  const int64_t shape[] = {2, 2};
  const int64_t zero[] = {0, 0};
  double values[4] = {0};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  pzi_storage* storage = NULL;
  ck_assert_ok(pzi_storage_new(queue, &spec, &storage));
  pz_tensor host = pz_host_tensor(PZ_F64, values, 2, shape);
  ck_assert_ok(pz_queue_upload(queue, &host, &storage->tensor));
  ck_assert_fails(pz_queue_upload(queue, &storage->tensor, &host), PZ_MISMATCH, "host tensor");
  ck_assert_fails(pz_queue_upload(queue, &host, &host), PZ_MISMATCH, "expected on lean:0");
  host.dtype = PZ_F32;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_MISMATCH,
                  "found float64 2x2, expected float32 2x2");
  host.dtype = PZ_F64;
  host.strides = zero;
  ck_assert_fails(pz_queue_download(queue, &storage->tensor, &host), PZ_INVALID, "twice");
  host.strides = NULL;
  host.data = NULL;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_INVALID, "no data");
  host.data = (char*)values + 1;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_INVALID, "aligned");
  host.data = values;
  const int64_t huge[] = {INT64_MAX / 4, 16};
  const int64_t negative[] = {-1, 2};
  host.shape = huge;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_INVALID, "beyond any memory");
  host.shape = negative;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_INVALID, "extent -1");
  host.shape = shape;
  host.ndim = 9;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_INVALID, "9 dimensions");
  host.ndim = 2;
  host.device.type = PZ_DEVICE_CUDA;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_MISMATCH,
                  "found on cuda:0, expected");
  pz_queue* const other = open_device("lean:0");
  (void)pz_queue_device(other, &host.device);
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_MISMATCH,
                  "found on lean:0, expected");
  host.device.id = 77;
  ck_assert_fails(pz_queue_upload(queue, &host, &storage->tensor), PZ_MISMATCH,
                  "found on device type 12 id 77, expected");
  pz_queue_close(other);
  pzi_storage_release(storage);
  pz_queue_close(queue);
}
END_TEST

START_TEST(test_storages)
{
  static const char* const devices[] = {"reference", "lean"};
  pz_queue* const queue = open_device(devices[_i]);
  const int64_t shape[] = {3, 0, 2};
  pz_spec spec = pz_spec_make(PZ_F64, 3, shape);
  pzi_storage* empty = NULL;
  pzi_storage* full = NULL;
  ck_assert_ok(pzi_storage_new(queue, &spec, &empty));
  spec.shape[1] = 5;
  ck_assert_ok(pzi_storage_new(queue, &spec, &full));
  double values[30];
  memset(values, 0xff, sizeof(values));
  const pz_tensor host = pz_host_tensor(PZ_F64, values, 3, spec.shape);
  ck_assert_ok(pz_queue_download(queue, &full->tensor, &host));
  for (int k = 0; k < 30; ++k) {
    ck_assert_double_eq(values[k], 0.0);
  }
  pzi_storage* bound = NULL;
  ck_assert_ok(pzi_storage_bound(queue, &full->tensor, &bound));
  ck_assert_ptr_eq(bound->tensor.data, full->tensor.data);
  pzi_storage_release(bound); /* does not free what it does not own */
  pzi_storage_release(pzi_storage_retain(full));
  ck_assert_ok(pz_queue_download(queue, &full->tensor, &host));
  spec.shape[0] = INT64_MAX;
  ck_assert_fails(pzi_storage_new(queue, &spec, &bound), PZ_INVALID, "beyond any memory");
  pz_queue_close(queue); /* storages keep it */
  pzi_storage_release(full);
  pzi_storage_release(empty);
}
END_TEST

/* ---- DLPack --------------------------------------------------------------------- */

/* As dlpack.h has it. */
typedef struct dl_tensor {
  void* data;
  struct {
    int32_t device_type;
    int32_t device_id;
  } device;
  int32_t ndim;
  struct {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
  } dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
} dl_tensor;

struct DLManagedTensor {
  dl_tensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensor* self);
};

START_TEST(test_dlpack)
{
  static const char* const devices[] = {"reference", "cpu", "lean"};
  pz_queue* const queue = open_device(devices[_i]);
  const int64_t shape[] = {2, 3};
  const int64_t strides[] = {1, 2};
  float values[6] = {1, 2, 3, 4, 5, 6};
  float back[6] = {0};
  const pz_spec spec = pz_spec_make(PZ_F32, 2, shape);
  pzi_storage* storage = NULL;
  ck_assert_ok(pzi_storage_new(queue, &spec, &storage));
  pz_tensor host = pz_host_tensor(PZ_F32, values, 2, shape);
  host.strides = strides;
  ck_assert_ok(pzi_queue_copy(queue, &host, &storage->tensor));

  struct DLManagedTensor* managed = NULL;
  ck_assert_ok(pz_dlpack_export(queue, &storage->tensor, &managed));
  pzi_storage_release(storage);
  ck_assert_int_eq(managed->dl_tensor.device.device_type, queue->device.type);
  ck_assert_int_eq(managed->dl_tensor.ndim, 2);
  ck_assert_uint_eq(managed->dl_tensor.dtype.code, 2);
  ck_assert_uint_eq(managed->dl_tensor.dtype.bits, 32);
  ck_assert_uint_eq(managed->dl_tensor.dtype.lanes, 1);
  ck_assert_int_eq(managed->dl_tensor.shape[1], 3);
  ck_assert_int_eq(managed->dl_tensor.strides[0], 3);

  const pz_tensor* const view = pz_dlpack_view(managed);
  const pz_tensor plain = pz_host_tensor(PZ_F32, back, 2, shape);
  ck_assert_ok(pz_queue_download(queue, view, &plain));
  static const float expected[] = {1, 3, 5, 2, 4, 6};
  ck_assert_mem_eq(back, expected, sizeof(expected));
  pz_queue_close(queue); /* the exported tensor keeps it */
  managed->deleter(managed);
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("queue");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, test_device_names);
  tcase_add_test(tcase, test_devices_that_are_not_there);
  tcase_add_test(tcase, test_device_reports);
  tcase_add_test(tcase, test_preferred_devices);
  tcase_add_test(tcase, test_tables_of_operations);
  tcase_add_loop_test(tcase, test_copies_honour_strides, 0, 5);
  tcase_add_test(tcase, test_copies_check_both_sides);
  tcase_add_loop_test(tcase, test_storages, 0, 2);
  tcase_add_loop_test(tcase, test_dlpack, 0, 3);
  return test_main_case(tcase);
}
