/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Contexts find plugins and backends. Queues run work on devices.
   Include <parametrize/parametrize.h>. */

#ifndef PARAMETRIZE_CONTEXT_H
#define PARAMETRIZE_CONTEXT_H

#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_context pz_context;
typedef struct pz_queue pz_queue;
typedef struct pz_plugin pz_plugin; /* descriptor.h */
typedef struct pz_kernel pz_kernel; /* kernel.h */

/* ---- errors and version --------------------------------------------------- */

/* A call that finds NULL where an object is expected returns PZ_INVALID, and one without a status
   0, "" or NULL. Functions that free or close ignore NULL. */

/* A short phrase for a status, never NULL. [any thread] */
PZ_API const char* pz_status_text(pz_status status);

/* The detail of the last call that failed on this thread, one printable line of UTF-8 without a
   newline; "" if none failed. Characters of names and texts that cannot be printed are replaced in
   it. Valid until the next failing call on this thread. [any thread] */
PZ_API const char* pz_error_message(void);

/* The version of the library that runs: "1.0.0". [any thread] */
PZ_API const char* pz_version(void);

/* The dtype "float32", "float64" or "int64", for bindings that see no macros; 0 for any other name.
   [any thread] */
PZ_API uint32_t pz_dtype_named(const char* name);

/* ---- fork ----------------------------------------------------------------- */

/* What a child of fork may call:
   - If another thread was inside a call of the library at that moment: nothing before exec. The
     child has that call's locks and not its thread.
   - Otherwise everything on objects in host memory (the backends "reference" and "cpu"), which are
     copies. Random streams go on in both alike: pz_context_seed gives the child one of its own.
   - Objects on an asynchronous device ("opencl", "cuda") can be freed. Every call that needs the
     device returns PZ_DEVICE.
   - A child can open such a device if no parent has looked for one before (by opening a queue on an
     accelerator or "auto", by pz_context_device). Otherwise it is not usable, and the report says
     why. Drivers and their threads do not survive fork.
   - A pz_writer belongs to the process that opened it. */

/* ---- contexts ------------------------------------------------------------- */

enum {
  PZ_ONLY_GIVEN_FOLDERS = 1U << 0, /* search `folders` only: not those of the environment, the
                                      user or the installation */
  PZ_DEVICE_TENSORS = 1U << 1,     /* the program knows that `data` of a tensor on "opencl:0" or
                                      "cuda:0" is no host pointer. Without this flag, calls that hand
                                      out such tensors return PZ_UNSUPPORTED: pz_module_get,
                                      pz_slot_get, pz_module_edit, pz_module_gradient,
                                      pz_state_tensor, and pz_eval_forward for its value. Queues with
                                      a `native` of the program's own need no flag. */
  PZ_CHECK_PLUGINS = 1U << 2,      /* verify every callback of a parametrization, for debugging: it
                                      writes its outputs, all of them and nothing around them, and
                                      changes no input; its value has the structure that plan
                                      promised. The call returns PZ_PLUGIN and names parametrization,
                                      callback and what it broke. Also on where PARAMETRIZE_CHECK of
                                      the environment is neither empty nor 0. */
};

typedef struct pz_context_settings {
  uint32_t size; /* sizeof(pz_context_settings) */
  uint32_t flags;
  const char* const* folders; /* absolute paths, searched first, in this order; copied */
  uint32_t n_folders;
  uint32_t reserved;
  uint64_t seed;       /* of the context's random stream; 0: from the system */
  const char* devices; /* names of devices or backends separated by commas, which "auto" takes
                          first; NULL: PARAMETRIZE_DEVICE of the environment; copied */
  /* Asked before the context opens a file, which runs its constructors, with the absolute path:
     NULL to open it, or the reason not to, which is copied. So a host can decide by itself, or note
     which file ends its process. NULL: all are opened. No lock is held; on any thread that uses the
     context, also on several at once. */
  const char* (*refuse)(void* data, const char* path);
  void* refuse_data; /* passed to `refuse` */
} pz_context_settings;

/* Makes a context. It reads folders and opens plugins when they are first needed, so a missing
   folder is no error here. [any thread] */
PZ_API pz_status pz_context_new(const pz_context_settings* settings, pz_context** out);

/* Frees a context. Its queues, chains and modules must be freed first. Plugins stay loaded. */
PZ_API void pz_context_free(pz_context* context);

/* Restarts the random stream from which parametrizations get their seeds. seed 0: from the
   system. [any thread] */
PZ_API void pz_context_seed(pz_context* context, uint64_t seed);

/* Adds the tables of a descriptor in the host itself (descriptor.h), all or none. Tables and
   texts are copied; the functions must outlive the context. PZ_EXISTS if an id is taken by a
   plugin that is open or by a descriptor added before. [any thread] */
PZ_API pz_status pz_context_add_plugin(pz_context* context, const pz_plugin* plugin);

/* Opens one plugin by absolute path, now. It takes precedence over those in folders. Does
   nothing if it is open already. PZ_NOT_FOUND; PZ_IO if it cannot be read or loaded; PZ_INVALID
   if it is not trusted (docs/architecture.md); PZ_PLUGIN if it is no whole shared object for this
   machine or has no valid table; PZ_EXISTS if all its ids are taken. [any thread] */
PZ_API pz_status pz_context_add_file(pz_context* context, const char* path);

/* Adds a folder to search, after those given before. PZ_NOT_FOUND if it does not exist.
   [any thread] */
PZ_API pz_status pz_context_add_folder(pz_context* context, const char* path);

/* Searches all folders again and adds new plugins. Loaded ones stay. [any thread] */
PZ_API pz_status pz_context_rescan(pz_context* context);

/* ---- what was found ------------------------------------------------------- */

/* A plugin or a folder that the search looked at, and the result. Texts can be printed as they are,
   but `path` may have any byte in it. */
typedef struct pz_plugin_report {
  uint32_t size;      /* sizeof(pz_plugin_report), set by the caller */
  uint32_t loaded;    /* 1: its tables can be used */
  const char* path;   /* absolute; "(given by the host) NAME" for a host's descriptor */
  const char* origin; /* why it was looked at: "PARAMETRIZE_PLUGIN_PATH", "installed" ... */
  const char* ids;    /* of its tables, "cayley skew"; or "" */
  const char* reason; /* why it was not loaded, or a warning (a duplicate id, group-writable);
                         or "" */
} pz_plugin_report;

/* Opens all plugins and reports plugin or folder `index`. Strings live as long as the context.
   [any thread] */
PZ_API pz_status pz_context_plugin(pz_context* context, uint32_t index, pz_plugin_report* out);

enum {
  PZ_HAS_RIGHT_INVERSE = 1U << 0,
  PZ_HAS_VJP = 1U << 1,
  PZ_HAS_RESIDUAL = 1U << 2,
  PZ_HAS_SAMPLE = 1U << 3,
  PZ_HAS_UPDATE = 1U << 4,
  PZ_HAS_LOG_ABS_DET = 1U << 5, /* for some inputs, see pz_chain_density */
  PZ_HAS_JVP = 1U << 6,
};

typedef struct pz_parametrization_info {
  uint32_t size;  /* sizeof(pz_parametrization_info), set by the caller */
  uint32_t flags; /* PZ_HAS_... */
  const char* id;
  const char* summary;
  const char* formula; /* may be "" */
  const char* version; /* of the plugin */
  const char* path;    /* of the plugin, as in pz_plugin_report */
  uint32_t n_options;
  uint32_t reserved;
  const char* tags; /* words separated by spaces, "rotation statistics"; may be "" */
} pz_parametrization_info;

/* Opens all plugins and describes parametrization `index`, sorted by id. [any thread] */
PZ_API pz_status pz_context_parametrization(pz_context* context, uint32_t index,
                                            pz_parametrization_info* out);

/* Describes the parametrization `id`, or a word of chains (chain.h). Opens ID.so alone if it
   exists, otherwise all plugins. PZ_NOT_FOUND names the nearest id and the folders searched.
   [any thread] */
PZ_API pz_status pz_context_find(pz_context* context, const char* id, pz_parametrization_info* out);

/* One option of a parametrization, as text for people and as type for programs. */
typedef struct pz_option_info {
  uint32_t size; /* sizeof(pz_option_info), set by the caller */
  uint32_t type; /* pz_value_type */
  const char* name;
  const char* doc;
  const char* fallback; /* the default, as in a chain's text; "" for tensors */
  const char* range;    /* "0 .. 1", "upper|lower"; "" if any value is allowed */
} pz_option_info;

/* Describes option `index` of the parametrization `id`. [any thread] */
PZ_API pz_status pz_context_option(pz_context* context, const char* id, uint32_t index,
                                   pz_option_info* out);

/* A device, or a backend that found no device. */
typedef struct pz_device_report {
  uint32_t size; /* sizeof(pz_device_report), set by the caller */
  uint32_t usable;
  pz_device device;    /* as in tensors */
  uint32_t f64;        /* 1: it has float64 */
  int32_t priority;    /* 100 host, 200 integrated, 300 discrete; 0: not taken by "auto" */
  const char* name;    /* for pz_queue_open: "cpu", "opencl:1" */
  const char* summary; /* of the backend */
  const char* hardware;
  const char* detail; /* the libraries it uses */
  const char* reason; /* why it is not usable; or "" */
  const char* path;   /* of the backend's plugin; "(built in)" */
  const char* rank;   /* why it has this place: "given by the host", "PARAMETRIZE_DEVICE",
                         "priority 300", "not for auto" */
} pz_device_report;

/* Opens all plugins and reports device `index` of all backends, in the order in which "auto"
   takes them. Looking for devices opens drivers, and these may change the process: PoCL 3.1 replaces
   the handlers of SIGINT, SIGTERM, SIGSEGV and a dozen other signals, those of the host as well.
   [any thread] */
PZ_API pz_status pz_context_device(pz_context* context, uint32_t index, pz_device_report* out);

/* ---- queues --------------------------------------------------------------- */

/* Queues on one device may run side by side. A call that takes a tensor in memory which the library
   allocated for another queue runs after the work that this queue has, and before the work that it
   gets later. For work on memory of the program's own, pz_queue_record and pz_queue_wait give the
   order. */

/* Opens a queue on a device: "cpu", "reference", "opencl:0", "opencl:0:1" (platform and
   device), "cuda:1" ..., or "auto", which takes the first usable one of pz_context_device. NULL
   means "cpu", or "reference" if the cpu backend is missing. `native` is NULL, or the struct of
   native.h for this backend with the caller's own queue. Work of both then runs in the order in
   which it is enqueued. PZ_NOT_FOUND names the nearest device and why it was skipped,
   PZ_UNSUPPORTED if the backend takes no native queue, PZ_MISMATCH if that queue belongs to
   another device. [any thread] */
PZ_API pz_status pz_queue_open(pz_context* context, const char* device, const void* native,
                               pz_queue** out);

/* Closes a queue. It stays open until the evaluations, states and modules that use it are
   freed. */
PZ_API void pz_queue_close(pz_queue* queue);

/* Waits until all enqueued work is done. [any thread] */
PZ_API pz_status pz_queue_synchronize(pz_queue* queue);

/* A point in the work of a queue. */
typedef struct pz_event pz_event;

/* Makes an event after the work that is enqueued so far. [any thread] */
PZ_API pz_status pz_queue_record(pz_queue* queue, pz_event** out);

/* Lets later work on `queue` wait for an event of another queue: on the device if both devices
   can, otherwise by blocking this thread. [any thread] */
PZ_API pz_status pz_queue_wait(pz_queue* queue, const pz_event* event);

/* The same for the caller's own event, a cl_event or cudaEvent_t. PZ_UNSUPPORTED if the device
   cannot wait for it. [any thread] */
PZ_API pz_status pz_queue_wait_native(pz_queue* queue, void* event);

/* The event as a cl_event or cudaEvent_t, borrowed, for the caller's own queues to wait for;
   NULL if its work is done already. [any thread] */
PZ_API void* pz_event_native(const pz_event* event);
PZ_API void pz_event_free(pz_event* event);

/* The queue's device, by name and as in tensors (`device` may be NULL). [any thread] */
PZ_API const char* pz_queue_device(const pz_queue* queue, pz_device* device);

/* With `forbid`, an operation that needs the host fails with PZ_UNSUPPORTED, which names it.
   [exclusive] */
PZ_API void pz_queue_forbid_host_fallback(pz_queue* queue, bool forbid);

/* How a queue computes an operation. */
typedef enum pz_route {
  PZ_ROUTE_NATIVE = 0,   /* the backend has it */
  PZ_ROUTE_COMPOSED = 1, /* from other operations of the backend */
  PZ_ROUTE_HOST = 2,     /* on the host, on copies if the device has its own memory */
  PZ_ROUTE_UNSUPPORTED = 3,
} pz_route;

typedef struct pz_op_report {
  uint32_t size; /* sizeof(pz_op_report), set by the caller */
  uint32_t reserved;
  const char* name;  /* "gemm" */
  uint64_t count[3]; /* calls on this queue so far, by route, of all dtypes */
  uint32_t f32;      /* pz_route that a call would try first, judged by the backend's tables */
  uint32_t f64;
} pz_op_report;

/* Reports operation `index`. [any thread] */
PZ_API pz_status pz_queue_op(pz_queue* queue, uint32_t index, pz_op_report* out);

/* Copies a host tensor into a device tensor of the same spec, or back, and waits. The host
   tensor may have strides; the device tensor is C-contiguous, and may belong to another queue of
   the same device. [any thread] */
PZ_API pz_status pz_queue_upload(pz_queue* queue, const pz_tensor* host, const pz_tensor* device);
PZ_API pz_status pz_queue_download(pz_queue* queue, const pz_tensor* device, const pz_tensor* host);

/* Runs a kernel of the program's own (kernel.h) for items 0 .. n_items-1, in the order of the queue:

     pz_queue_launch(queue, &step, pz_count(&x), PZ_TENSORS(&x, &gradient), PZ_REALS(rate), NULL);

   The tensors are on the queue's device, C-contiguous and of one dtype, and may be the same; NULL for
   an argument that no item uses. Items stay inside them. What is computed from a tensor of a module
   needs pz_module_edit and pz_module_commit around a launch that writes it. Returns before the device
   is done. PZ_MISMATCH for a tensor on another device; where the device's memory is not the host's,
   that includes memory of the program's own.
   [any thread] */
PZ_API pz_status pz_queue_launch(pz_queue* queue, const pz_kernel* kernel, int64_t n_items,
                                 const pz_tensor* const* tensors, const double* reals,
                                 const int64_t* integers);

/* ---- DLPack --------------------------------------------------------------- */

/* The struct of dlpack.h. Its first member, a DLTensor, has the layout of a pz_tensor. */
struct DLManagedTensor;

/* The tensor inside a managed tensor from NumPy, PyTorch, CuPy or JAX. It lives as long as
   `managed`, which the caller still owns. [any thread] */
PZ_API const pz_tensor* pz_dlpack_view(const struct DLManagedTensor* managed);

/* Copies `tensor`, which is on the queue's device, into a new C-contiguous managed tensor on the
   same device. The caller owns it and calls its deleter. [any thread] */
PZ_API pz_status pz_dlpack_export(pz_queue* queue, const pz_tensor* tensor,
                                  struct DLManagedTensor** out);

PZ_END_DECLS

#endif /* PARAMETRIZE_CONTEXT_H */
