/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* OpenCL's functions in front of the loader's, for this program and all that it opens: they
   count what is alive, and one of them fails. What OpenCL itself calls goes another way.

   The backend keeps a context of its own for each device, with what was compiled in it, while
   the process lives; that and its programs are not counted. */

#define CL_TARGET_OPENCL_VERSION 120
#include "failing.h"

#include <parametrize/native.h>

#include <CL/cl.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#define REAL_LIST(X)           \
  X(clBuildProgram)            \
  X(clCreateBuffer)            \
  X(clCreateCommandQueue)      \
  X(clCreateContext)           \
  X(clCreateKernel)            \
  X(clCreateProgramWithSource) \
  X(clEnqueueCopyBuffer)       \
  X(clEnqueueFillBuffer)       \
  X(clEnqueueNDRangeKernel)    \
  X(clEnqueueReadBuffer)       \
  X(clEnqueueWriteBuffer)      \
  X(clFinish)                  \
  X(clGetDeviceIDs)            \
  X(clGetDeviceInfo)           \
  X(clGetPlatformIDs)          \
  X(clGetProgramInfo)          \
  X(clReleaseCommandQueue)     \
  X(clReleaseContext)          \
  X(clReleaseKernel)           \
  X(clReleaseMemObject)        \
  X(clReleaseProgram)          \
  X(clRetainCommandQueue)      \
  X(clRetainContext)           \
  X(clSetKernelArg)

#define MEMBER(name) __typeof__(name)* name;
static struct {
  REAL_LIST(MEMBER)
} real;

const char* const failing_device = "opencl:0";

static atomic_long countdown;
static atomic_long calls;
static atomic_long alive;
static cl_context kept; /* the backend's own */
static bool is_single;

static cl_device_id device;
static cl_context own_context;
static cl_command_queue own_queue;

#define RESOLVE(name)             \
  symbol = dlsym(library, #name); \
  missing = missing || !symbol;   \
  memcpy(&real.name, &symbol, sizeof(symbol));

/* No queue is opened here: contexts of the backend's own are to fail too. */
const char*
failing_open(void)
{
  void* const library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  void* symbol = NULL;
  bool missing = !library;
  if (library) {
    REAL_LIST(RESOLVE)
  }
  cl_platform_id platform = NULL;
  return missing || real.clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS ||
                 real.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS
             ? "there is no device of OpenCL"
             : NULL;
}

void
failing_at(const long n)
{
  atomic_store(&countdown, n);
  atomic_store(&calls, 0);
}

long
failing_calls(void)
{
  return atomic_load(&calls);
}

long
failing_alive(void)
{
  return atomic_load(&alive);
}

pz_status
failing_queue(pz_context* const context, pz_queue** const out)
{
  cl_int code = CL_SUCCESS;
  own_context = real.clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  own_queue = real.clCreateCommandQueue(own_context, device, 0, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  const pz_opencl_native native = {.size = sizeof(native), .queue = own_queue};
  return pz_queue_open(context, failing_device, &native, out);
}

void
failing_queue_close(pz_queue* const queue)
{
  pz_queue_close(queue);
  if (own_context) {
    ck_assert_int_eq(real.clReleaseCommandQueue(own_queue), CL_SUCCESS);
    ck_assert_int_eq(real.clReleaseContext(own_context), CL_SUCCESS);
    own_context = NULL;
  }
}

bool
failing_single(const bool single)
{
  is_single = single;
  return true;
}

cl_int
clGetDeviceInfo(const cl_device_id of, const cl_device_info what, const size_t size,
                void* const value, size_t* const needed)
{
  const cl_int code = real.clGetDeviceInfo(of, what, size, value, needed);
  if (is_single && what == CL_DEVICE_DOUBLE_FP_CONFIG && value) {
    memset(value, 0, size);
  }
  return code;
}

/* ---- in front of OpenCL: what makes something -------------------------------------------- */

static void
count(const void* const made, const int n)
{
  atomic_fetch_add(&alive, made ? n : 0);
}

/* Counts a call; true: it is the one to fail. */
static bool
fails(void)
{
  return atomic_fetch_add(&calls, 1) + 1 == atomic_load(&countdown);
}

static bool
fails_with(const cl_int code, cl_int* const error)
{
  const bool now = fails();
  if (now) {
    *error = code;
  }
  return now;
}

cl_context
clCreateContext(const cl_context_properties* const properties, const cl_uint n,
                const cl_device_id* const devices,
                void(CL_CALLBACK* const notify)(const char*, const void*, size_t, void*),
                void* const user, cl_int* const error)
{
  if (fails_with(CL_OUT_OF_HOST_MEMORY, error)) {
    return NULL;
  }
  kept = real.clCreateContext(properties, n, devices, notify, user, error);
  return kept;
}

cl_command_queue
clCreateCommandQueue(const cl_context context, const cl_device_id on,
                     const cl_command_queue_properties properties, cl_int* const error)
{
  if (fails_with(CL_OUT_OF_HOST_MEMORY, error)) {
    return NULL;
  }
  const cl_command_queue made = real.clCreateCommandQueue(context, on, properties, error);
  count(made, 1);
  return made;
}

cl_mem
clCreateBuffer(const cl_context context, const cl_mem_flags flags, const size_t bytes,
               void* const data, cl_int* const error)
{
  if (fails_with(CL_MEM_OBJECT_ALLOCATION_FAILURE, error)) {
    return NULL;
  }
  const cl_mem made = real.clCreateBuffer(context, flags, bytes, data, error);
  count(made, 1);
  return made;
}

cl_program
clCreateProgramWithSource(const cl_context context, const cl_uint n, const char** const texts,
                          const size_t* const lengths, cl_int* const error)
{
  if (fails_with(CL_OUT_OF_HOST_MEMORY, error)) {
    return NULL;
  }
  const cl_program made = real.clCreateProgramWithSource(context, n, texts, lengths, error);
  count(context == kept ? NULL : made, 1);
  return made;
}

cl_kernel
clCreateKernel(const cl_program program, const char* const name, cl_int* const error)
{
  if (fails_with(CL_OUT_OF_RESOURCES, error)) {
    return NULL;
  }
  const cl_kernel made = real.clCreateKernel(program, name, error);
  count(made, 1);
  return made;
}

cl_int
clRetainContext(const cl_context context)
{
  if (fails()) {
    return CL_OUT_OF_RESOURCES;
  }
  count(context, 1);
  return real.clRetainContext(context);
}

cl_int
clRetainCommandQueue(const cl_command_queue queue)
{
  if (fails()) {
    return CL_OUT_OF_RESOURCES;
  }
  count(queue, 1);
  return real.clRetainCommandQueue(queue);
}

#define RELEASE(name, type)      \
  cl_int name(const type object) \
  {                              \
    count(object, -1);           \
    return real.name(object);    \
  }

RELEASE(clReleaseCommandQueue, cl_command_queue)
RELEASE(clReleaseContext, cl_context)
RELEASE(clReleaseKernel, cl_kernel)
RELEASE(clReleaseMemObject, cl_mem)

cl_int
clReleaseProgram(const cl_program program)
{
  cl_context context = NULL;
  (void)real.clGetProgramInfo(program, CL_PROGRAM_CONTEXT, sizeof(context), &context, NULL);
  count(context == kept ? NULL : program, -1);
  return real.clReleaseProgram(program);
}

/* ---- what is to be done ----------------------------------------------------------------- */

cl_int
clBuildProgram(const cl_program program, const cl_uint n, const cl_device_id* const devices,
               const char* const options, void(CL_CALLBACK* const notify)(cl_program, void*),
               void* const user)
{
  return fails() ? CL_BUILD_PROGRAM_FAILURE
                 : real.clBuildProgram(program, n, devices, options, notify, user);
}

/* Of a kernel's arguments the first, which stands for all. */
cl_int
clSetKernelArg(const cl_kernel kernel, const cl_uint k, const size_t size, const void* const value)
{
  return k == 0 && fails() ? CL_OUT_OF_HOST_MEMORY : real.clSetKernelArg(kernel, k, size, value);
}

cl_int
clEnqueueNDRangeKernel(const cl_command_queue queue, const cl_kernel kernel, const cl_uint n,
                       const size_t* const offset, const size_t* const global,
                       const size_t* const local, const cl_uint n_wait, const cl_event* const wait,
                       cl_event* const event)
{
  return fails() ? CL_OUT_OF_RESOURCES
                 : real.clEnqueueNDRangeKernel(queue, kernel, n, offset, global, local, n_wait,
                                               wait, event);
}

cl_int
clEnqueueReadBuffer(const cl_command_queue queue, const cl_mem from, const cl_bool blocking,
                    const size_t offset, const size_t bytes, void* const to, const cl_uint n_wait,
                    const cl_event* const wait, cl_event* const event)
{
  return fails() ? CL_OUT_OF_RESOURCES
                 : real.clEnqueueReadBuffer(queue, from, blocking, offset, bytes, to, n_wait, wait,
                                            event);
}

cl_int
clEnqueueWriteBuffer(const cl_command_queue queue, const cl_mem to, const cl_bool blocking,
                     const size_t offset, const size_t bytes, const void* const from,
                     const cl_uint n_wait, const cl_event* const wait, cl_event* const event)
{
  return fails() ? CL_OUT_OF_RESOURCES
                 : real.clEnqueueWriteBuffer(queue, to, blocking, offset, bytes, from, n_wait, wait,
                                             event);
}

cl_int
clEnqueueCopyBuffer(const cl_command_queue queue, const cl_mem from, const cl_mem to,
                    const size_t from_offset, const size_t to_offset, const size_t bytes,
                    const cl_uint n_wait, const cl_event* const wait, cl_event* const event)
{
  return fails() ? CL_OUT_OF_RESOURCES
                 : real.clEnqueueCopyBuffer(queue, from, to, from_offset, to_offset, bytes, n_wait,
                                            wait, event);
}

cl_int
clEnqueueFillBuffer(const cl_command_queue queue, const cl_mem to, const void* const pattern,
                    const size_t size, const size_t offset, const size_t bytes,
                    const cl_uint n_wait, const cl_event* const wait, cl_event* const event)
{
  return fails() ? CL_OUT_OF_RESOURCES
                 : real.clEnqueueFillBuffer(queue, to, pattern, size, offset, bytes, n_wait, wait,
                                            event);
}

/* Waits all the same: what it says is another matter. */
cl_int
clFinish(const cl_command_queue queue)
{
  const cl_int code = real.clFinish(queue);
  return fails() ? CL_OUT_OF_RESOURCES : code;
}
