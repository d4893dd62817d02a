/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A host with an OpenCL context, queue and memory of its own. */

#include "device.h"

#include <parametrize/native.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <pthread.h>
#include <time.h>

typedef struct theirs {
  cl_device_id device;
  cl_context context;
  cl_command_queue queue;
  pz_queue* wrapped;
} theirs;

enum { N = 40 };

static void
open_theirs(theirs* const t, const cl_command_queue_properties properties)
{
  cl_platform_id platform = NULL;
  cl_int code = CL_SUCCESS;
  *t = (theirs){0};
  ck_assert_int_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
  ck_assert_int_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &t->device, NULL), CL_SUCCESS);
  t->context = clCreateContext(NULL, 1, &t->device, NULL, NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  t->queue = clCreateCommandQueue(t->context, t->device, properties, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
}

static pz_status
wrap(theirs* const t)
{
  const pz_opencl_native native = {.size = sizeof(native), .queue = t->queue};
  return pz_queue_open(device_context, "opencl:0", &native, &t->wrapped);
}

static void
close_theirs(theirs* const t)
{
  pz_queue_close(t->wrapped);
  clReleaseCommandQueue(t->queue);
  clReleaseContext(t->context);
}

static pz_tensor
tensor_of(const cl_mem memory, const pz_spec* const spec)
{
  pz_device where;
  (void)pz_queue_device(device_queue, &where);
  return (pz_tensor){.data = memory,
                     .device = where,
                     .ndim = spec->ndim,
                     .dtype = spec->dtype,
                     .shape = spec->shape};
}

START_TEST(their_queue_and_memory_are_used)
{
  theirs t;
  life l;
  pz_tensor value;
  cl_int code = CL_SUCCESS;
  float* const x = life_normal(N * N, 0.1);
  open_theirs(&t, 0);
  ck_assert_ok(wrap(&t));
  life_open(&l, t.wrapped, "skew,cayley", 1, N);
  const cl_mem memory =
      clCreateBuffer(t.context, CL_MEM_READ_WRITE, (N * N + 16) * sizeof(float), NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  pz_tensor bound = tensor_of(memory, &l.spec);
  bound.byte_offset = 16 * sizeof(float);
  ck_assert_ok(pz_state_bind(l.state, PZ_ORIGINAL, 0, &bound));

  /* written and read by commands of theirs, without waiting for anything of ours */
  ck_assert_int_eq(clEnqueueWriteBuffer(t.queue, memory, CL_FALSE, bound.byte_offset,
                                        N * N * sizeof(float), x, 0, NULL, NULL),
                   CL_SUCCESS);
  pz_state_touch(l.state);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  float* const here = calloc(N * N, sizeof(float));
  ck_assert_ptr_nonnull(here);
  ck_assert_int_eq(clEnqueueReadBuffer(t.queue, (cl_mem)value.data, CL_TRUE, value.byte_offset,
                                       N * N * sizeof(float), here, 0, NULL, NULL),
                   CL_SUCCESS);

  life ours;
  life_open(&ours, device_queue, "skew,cayley", 1, N);
  life_write(&ours, x);
  ck_assert_ok(pz_eval_forward(ours.eval, ours.state, 0, NULL, &value));
  float* const expected = life_read(&value, device_queue);
  ck_assert_mem_eq(here, expected, N * N * sizeof(float));
  life_close(&ours);
  life_close(&l);
  clReleaseMemObject(memory);
  close_theirs(&t);
  free(x);
  free(here);
  free(expected);
}
END_TEST

START_TEST(memory_of_another_context_is_refused)
{
  theirs t;
  life l;
  cl_int code = CL_SUCCESS;
  open_theirs(&t, 0);
  life_open(&l, device_queue, "skew", 1, N);
  const cl_mem memory =
      clCreateBuffer(t.context, CL_MEM_READ_WRITE, N * N * sizeof(float), NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  const pz_tensor foreign = tensor_of(memory, &l.spec);
  ck_assert_fails(pz_state_bind(l.state, PZ_ORIGINAL, 0, &foreign), PZ_MISMATCH, "another context");
  life_close(&l);

  /* of the right one, but too small */
  ck_assert_ok(wrap(&t));
  life_open(&l, t.wrapped, "skew", 1, N + 1);
  const pz_tensor small = tensor_of(memory, &l.spec);
  ck_assert_fails(pz_state_bind(l.state, PZ_ORIGINAL, 0, &small), PZ_INVALID,
                  "found a cl_mem of size");
  life_close(&l);
  clReleaseMemObject(memory);
  close_theirs(&t);
}
END_TEST

START_TEST(queues_that_cannot_be_adopted)
{
  theirs t;
  open_theirs(&t, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  ck_assert_fails(wrap(&t), PZ_UNSUPPORTED, "out of order");
  const pz_opencl_native none = {.size = sizeof(none)};
  ck_assert_fails(pz_queue_open(device_context, "opencl:0", &none, &t.wrapped), PZ_INVALID,
                  "no cl_command_queue");
  const pz_opencl_native old = {.size = 4, .queue = t.queue};
  ck_assert_fails(pz_queue_open(device_context, "opencl:0", &old, &t.wrapped), PZ_INVALID,
                  "found size 4");
  struct {
    pz_opencl_native known;
    uint64_t more;
  } newer = {.known = {.size = sizeof(newer), .queue = t.queue}, .more = 1};
  ck_assert_fails(pz_queue_open(device_context, "opencl:0", &newer, &t.wrapped), PZ_UNSUPPORTED,
                  "does not know");
  const pz_opencl_native set = {.size = sizeof(set), .reserved = 1, .queue = t.queue};
  ck_assert_fails(pz_queue_open(device_context, "opencl:0", &set, &t.wrapped), PZ_UNSUPPORTED,
                  "does not know");
  ck_assert_fails(pz_queue_open(device_context, "reference", &none, &t.wrapped), PZ_UNSUPPORTED,
                  "adopt");
  ck_assert_ptr_null(t.wrapped);
  close_theirs(&t);
}
END_TEST

/* Work waits for an event of theirs, and theirs for one of ours. */
START_TEST(events_cross_the_border)
{
  theirs t;
  life l;
  pz_tensor value;
  pz_event* event = NULL;
  cl_int state = CL_COMPLETE;
  cl_int code = CL_SUCCESS;
  open_theirs(&t, 0);
  ck_assert_ok(wrap(&t));
  life_open(&l, t.wrapped, "skew,cayley", 1, N);
  const cl_event gate = clCreateUserEvent(t.context, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  ck_assert_ok(pz_queue_wait_native(t.wrapped, gate));
  ck_assert_ok(pz_queue_record(t.wrapped, &event));
  ck_assert_ptr_nonnull(pz_event_native(event));
  ck_assert_int_eq(clGetEventInfo((cl_event)pz_event_native(event),
                                  CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL),
                   CL_SUCCESS);
  ck_assert_int_ne(state, CL_COMPLETE);
  ck_assert_int_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  const cl_event ours = (cl_event)pz_event_native(event);
  ck_assert_int_eq(clWaitForEvents(1, &ours), CL_SUCCESS);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));

  /* a queue of another context: refused where it is theirs, waited for here where ours */
  ck_assert_fails(pz_queue_wait_native(device_queue, gate), PZ_UNSUPPORTED, "another context");
  ck_assert_ok(pz_queue_wait(device_queue, event));
  pz_event_free(event);
  clReleaseEvent(gate);
  life_close(&l);
  close_theirs(&t);
}
END_TEST

/* A reader on a second queue that is not done yet, and work that follows it by record and wait:
   the value that it reads is the one before that work. */
START_TEST(values_outlive_their_readers)
{
  const struct timespec moment = {.tv_nsec = 50000000};
  theirs t;
  theirs reader;
  life l;
  pz_tensor value;
  pz_event* event = NULL;
  cl_int state = CL_COMPLETE;
  cl_int code = CL_SUCCESS;
  float* const x = life_normal(N * N, 0.1);
  float* const found = calloc(N * N, sizeof(float));
  ck_assert_ptr_nonnull(found);
  open_theirs(&t, 0);
  ck_assert_ok(wrap(&t));
  reader = t;
  reader.queue = clCreateCommandQueue(t.context, t.device, 0, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  ck_assert_ok(wrap(&reader));
  life_open(&l, t.wrapped, "skew", 1, N);
  const cl_mem memory =
      clCreateBuffer(t.context, CL_MEM_READ_WRITE, N * N * sizeof(float), NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  const pz_tensor bound = tensor_of(memory, &l.spec);
  ck_assert_ok(pz_state_bind(l.state, PZ_ORIGINAL, 0, &bound));
  life_write(&l, x);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  float* const before = life_read(&value, t.wrapped);

  const cl_event gate = clCreateUserEvent(t.context, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  ck_assert_int_eq(clEnqueueReadBuffer(reader.queue, (cl_mem)value.data, CL_FALSE,
                                       value.byte_offset, N * N * sizeof(float), found, 1, &gate,
                                       NULL),
                   CL_SUCCESS);
  ck_assert_ok(pz_queue_record(reader.wrapped, &event));
  ck_assert_ok(pz_queue_wait(t.wrapped, event));
  pz_event_free(event);

  /* the value is computed anew, in the same place */
  for (int k = 0; k < N * N; ++k) {
    x[k] += 1.0F + (float)(k % N);
  }
  ck_assert_int_eq(
      clEnqueueWriteBuffer(t.queue, memory, CL_FALSE, 0, N * N * sizeof(float), x, 0, NULL, NULL),
      CL_SUCCESS);
  pz_state_touch(l.state);
  void* const place = value.data;
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  ck_assert_ptr_eq(value.data, place);
  ck_assert_ok(pz_queue_record(t.wrapped, &event));
  (void)nanosleep(&moment, NULL); /* in which what does not wait runs */
  ck_assert_int_eq(clGetEventInfo((cl_event)pz_event_native(event),
                                  CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL),
                   CL_SUCCESS);
  ck_assert_int_ne(state, CL_COMPLETE);
  ck_assert_int_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  ck_assert_int_eq(clFinish(reader.queue), CL_SUCCESS);
  ck_assert_mem_eq(found, before, N * N * sizeof(float));
  float* const after = life_read(&value, t.wrapped);
  ck_assert_mem_ne(after, before, N * N * sizeof(float));
  pz_event_free(event);
  clReleaseEvent(gate);
  life_close(&l);
  clReleaseMemObject(memory);
  pz_queue_close(reader.wrapped);
  clReleaseCommandQueue(reader.queue);
  close_theirs(&t);
  free(x);
  free(found);
  free(before);
  free(after);
}
END_TEST

static void*
open_gate(void* const gate)
{
  const struct timespec moment = {.tv_nsec = 50000000};
  (void)nanosleep(&moment, NULL); /* in which what does not wait runs */
  (void)clSetUserEventStatus((cl_event)gate, CL_COMPLETE);
  return NULL;
}

/* The gate after which the queue works on, opened in a moment by a thread. */
static cl_event
hold(const theirs* const t, pthread_t* const opener)
{
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(t->context, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  ck_assert_ok(pz_queue_wait_native(t->wrapped, gate));
  ck_assert_int_eq(pthread_create(opener, NULL, open_gate, gate), 0);
  return gate;
}

static void
release(const cl_event gate, const pthread_t opener)
{
  ck_assert_int_eq(pthread_join(opener, NULL), 0);
  clReleaseEvent(gate);
}

/* Tensors of a queue that is not done, used through a second queue of the same device: as what is
   downloaded, uploaded, exported, evaluated, differentiated and bound, and as what is written. */
START_TEST(memory_of_a_busy_queue_is_used_in_order)
{
  theirs t;
  theirs second;
  life l;
  life m;
  pz_tensor value;
  pz_tensor other;
  pz_tensor gradient;
  pthread_t opener;
  cl_int code = CL_SUCCESS;
  float* const x = life_normal(N * N, 0.1);
  float* const expected = calloc(N * N, sizeof(float));
  ck_assert_ptr_nonnull(expected);
  for (int i = 0; i < N * N; ++i) { /* skew, exactly */
    expected[i] = i / N < i % N ? x[i] : i / N > i % N ? -x[i % N * N + i / N] : 0.0F;
  }
  open_theirs(&t, 0);
  ck_assert_ok(wrap(&t));
  second = t;
  second.queue = clCreateCommandQueue(t.context, t.device, 0, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  ck_assert_ok(wrap(&second));
  life_open(&l, t.wrapped, "skew", 1, N);
  life_open(&m, second.wrapped, "skew", 1, N);
  life_write(&l, x);
  life_write(&m, x);
  ck_assert_ok(pz_eval_forward(m.eval, m.state, PZ_CALL_SAVING, NULL, &other));
  ck_assert_ok(pz_state_tensor(m.state, PZ_ORIGINAL, 0, &gradient));
  float* const nothing = calloc(N * N, sizeof(float));
  ck_assert_ptr_nonnull(nothing);
  const pz_tensor zeros = pz_host_tensor(PZ_F32, nothing, 3, l.spec.shape);
  float* found = NULL;
  for (int use = 0; use < 5; ++use) {
    cl_event gate = hold(&t, &opener);
    pz_state_touch(l.state);
    ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
    switch (use) {
    case 0:
      found = life_read(&value, second.wrapped);
      break;
    case 1: { /* the copy waits for the device, so the export is complete */
      struct DLManagedTensor* managed = NULL;
      ck_assert_ok(pz_dlpack_export(second.wrapped, &value, &managed));
      found = life_read(pz_dlpack_view(managed), second.wrapped);
      struct {
        pz_tensor tensor;
        void* context;
        void (*deleter)(struct DLManagedTensor*);
      } head;
      memcpy(&head, managed, sizeof(head));
      head.deleter(managed);
      break;
    }
    case 2: /* a cotangent: the gradient of a skew one is its double above the diagonal */
      ck_assert_ok(pz_eval_vjp(m.eval, m.state, &value, 1, 1, false, &gradient));
      found = life_read(&gradient, second.wrapped);
      for (int i = 0; i < N * N; ++i) {
        found[i] = i / N < i % N ? found[i] / 2.0F : expected[i];
      }
      break;
    case 3: /* written by the other, which is busy too */
      release(gate, opener);
      ck_assert_ok(pz_queue_upload(t.wrapped, &zeros, &value));
      life_write(&m, x); /* which has the gradient now */
      gate = hold(&second, &opener);
      ck_assert_ok(pz_eval_forward(m.eval, m.state, 0, &value, NULL));
      found = life_read(&value, t.wrapped);
      break;
    default: /* the original of the other */
      ck_assert_ok(pz_state_bind(m.state, PZ_ORIGINAL, 0, &value));
      ck_assert_ok(pz_eval_forward(m.eval, m.state, 0, NULL, &other));
      found = life_read(&other, second.wrapped);
      break;
    }
    ck_assert_mem_eq(found, expected, N * N * sizeof(float));
    free(found);
    release(gate, opener);
  }
  life_close(&m);
  life_close(&l);
  pz_queue_close(second.wrapped);
  clReleaseCommandQueue(second.queue);
  close_theirs(&t);
  free(x);
  free(expected);
  free(nothing);
}
END_TEST

START_TEST(platforms_and_devices_are_named)
{
  pz_queue* queue = NULL;
  pz_device a;
  pz_device b;
  ck_assert_ok(pz_queue_open(device_context, "opencl:0:0", NULL, &queue));
  ck_assert_str_eq(pz_queue_device(queue, &a), pz_queue_device(device_queue, &b));
  ck_assert_int_eq(a.id, b.id);
  pz_queue_close(queue);
  queue = NULL;
  ck_assert_fails(pz_queue_open(device_context, "opencl:0:99", NULL, &queue), PZ_NOT_FOUND,
                  "opencl:0:99");
  ck_assert_ptr_null(queue);
}
END_TEST

TCase*
opencl_case(void)
{
  TCase* const t = tcase_create("opencl");
  tcase_add_checked_fixture(t, device_start, device_finish);
  tcase_add_test(t, their_queue_and_memory_are_used);
  tcase_add_test(t, memory_of_another_context_is_refused);
  tcase_add_test(t, queues_that_cannot_be_adopted);
  tcase_add_test(t, events_cross_the_border);
  tcase_add_test(t, values_outlive_their_readers);
  tcase_add_test(t, memory_of_a_busy_queue_is_used_in_order);
  tcase_add_test(t, platforms_and_devices_are_named);
  return t;
}
