/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Contexts: finding plugins and backends, and the queues that work runs on.
   Include <parametrize/parametrize.h>. */

#ifndef PARAMETRIZE_CONTEXT_H
#define PARAMETRIZE_CONTEXT_H

#include <parametrize/descriptor.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_context pz_context;
typedef struct pz_queue pz_queue;

/* ---- errors and version --------------------------------------------------- */

/* A short phrase for a status, never NULL. [any thread] */
PZ_API const char* pz_status_text(pz_status status);

/* The detail of the calling thread's last failed call, one line without a newline; ""
   when there was none. Valid until the next failing call on this thread. [any thread] */
PZ_API const char* pz_error_message(void);

/* "1.0.0": of the library that runs. [any thread] */
PZ_API const char* pz_version(void);

/* ---- contexts ------------------------------------------------------------- */

enum {
  PZ_ONLY_GIVEN_FOLDERS = 1U << 0, /* search `folders` alone: no environment, user or
                                      install folder */
};

typedef struct pz_context_settings {
  uint32_t size; /* sizeof(pz_context_settings) */
  uint32_t flags;
  const char* const* folders; /* absolute; searched first, in this order; copied */
  uint32_t n_folders;
  uint32_t reserved; /* zero */
  uint64_t seed;     /* of the context's random stream; 0: from the system */
} pz_context_settings;

/* Makes a context; `settings` may be NULL. Folders are read and plugins opened on first
   need; nothing missing is an error here. [any thread] */
PZ_API pz_status pz_context_new(const pz_context_settings* settings, pz_context** out);

/* Frees a context whose queues, chains and modules are gone; plugins stay mapped. */
PZ_API void pz_context_free(pz_context* context);

/* Restarts the random stream from which maps draw their seeds. seed 0: from the system.
   [any thread] */
PZ_API void pz_context_seed(pz_context* context, uint64_t seed);

/* Offers the tables of a descriptor already in the process: a host's own maps, all of them
   or none. Tables and texts are copied; the functions must outlive the context. PZ_EXISTS
   if an id is taken, by a file that is opened already or a descriptor given before.
   [any thread] */
PZ_API pz_status pz_context_add_plugin(pz_context* context, const pz_plugin* plugin);

/* Opens one shared object by absolute path, now. Its tables come before those of every
   folder. PZ_NOT_FOUND, PZ_IO where it cannot be read or mapped, PZ_INVALID where it is not
   trusted, PZ_PLUGIN where it offers nothing, PZ_EXISTS where others have all its ids; a
   file that is there already is fine. [any thread] */
PZ_API pz_status pz_context_add_file(pz_context* context, const char* path);

/* Searches another folder, after the ones given before. PZ_NOT_FOUND where there is no such
   folder. [any thread] */
PZ_API pz_status pz_context_add_folder(pz_context* context, const char* path);

/* Looks at all folders again and takes in new files; what is loaded stays. [any thread] */
PZ_API pz_status pz_context_rescan(pz_context* context);

/* ---- what was found ------------------------------------------------------- */

/* What became of a file or folder that was looked at. */
typedef struct pz_file_report {
  uint32_t size;      /* sizeof(pz_file_report), set by the caller */
  uint32_t loaded;    /* 1: its tables are offered */
  const char* path;   /* absolute; for a host's descriptor "(given by the host) NAME" */
  const char* origin; /* why it was looked at: "PARAMETRIZE_PLUGIN_PATH", "installed" ... */
  const char* ids;    /* what it offers, "cayley skew"; "" */
  const char* reason; /* why not, or a remark (a duplicate id, group-writable); "" */
} pz_file_report;

/* Opens everything there is, then reports file or folder `index`; PZ_NOT_FOUND past the
   last. Strings live as long as the context. [any thread] */
PZ_API pz_status pz_context_file(pz_context* context, uint32_t index, pz_file_report* out);

/* One option of a parametrization, as text for people and as type for programs. */
typedef struct pz_option_info {
  uint32_t size; /* sizeof(pz_option_info), set by the caller */
  uint32_t type; /* pz_value_type */
  const char* name;
  const char* doc;
  const char* fallback; /* the default as chain text; "" for tensors */
  const char* range;    /* "0 .. 1", "upper|lower"; "" where any value is good */
} pz_option_info;

enum {
  PZ_HAS_RIGHT_INVERSE = 1U << 0,
  PZ_HAS_VJP = 1U << 1,
  PZ_HAS_RESIDUAL = 1U << 2,
  PZ_HAS_SAMPLE = 1U << 3,
  PZ_HAS_UPDATE = 1U << 4,
};

typedef struct pz_map_info {
  uint32_t size;  /* sizeof(pz_map_info), set by the caller */
  uint32_t flags; /* PZ_HAS_... */
  const char* id;
  const char* summary;
  const char* formula; /* may be "" */
  const char* version; /* of the plugin */
  const char* path;    /* of the file, as in pz_file_report */
  uint32_t n_options;
  uint32_t reserved;
} pz_map_info;

/* Opens everything there is, then describes parametrization `index` in order of id;
   PZ_NOT_FOUND past the last. [any thread] */
PZ_API pz_status pz_context_map(pz_context* context, uint32_t index, pz_map_info* out);

/* Describes the parametrization `id`, opening only the file it needs when that is named
   after it. PZ_NOT_FOUND names the nearest id and where was looked. [any thread] */
PZ_API pz_status pz_context_find_map(pz_context* context, const char* id, pz_map_info* out);

/* Describes option `index` of parametrization `id`; PZ_NOT_FOUND past the last.
   [any thread] */
PZ_API pz_status pz_context_map_option(pz_context* context, const char* id, uint32_t index,
                                       pz_option_info* out);

/* One device, or a backend that has none. */
typedef struct pz_device_report {
  uint32_t size; /* sizeof(pz_device_report), set by the caller */
  uint32_t usable;
  pz_device device; /* as tensors name it */
  uint32_t f64;
  uint32_t reserved;
  const char* name;    /* "cpu", "opencl:1": what pz_queue_open takes */
  const char* summary; /* of the backend */
  const char* hardware;
  const char* detail; /* libraries that answer */
  const char* reason; /* why not usable; "" */
  const char* path;   /* of the backend's file; "(built in)" */
} pz_device_report;

/* Opens everything there is, then reports device `index` over all backends, best first;
   PZ_NOT_FOUND past the last. [any thread] */
PZ_API pz_status pz_context_device(pz_context* context, uint32_t index, pz_device_report* out);

/* ---- queues --------------------------------------------------------------- */

/* Opens a queue on "cpu", "reference", "opencl:0", "opencl:0:1" (platform and device),
   "cuda:1" ... or "auto", the best device there is. `device` NULL means "cpu" where it is found, else "reference". A name that is
   not there: PZ_NOT_FOUND with the nearest name and why the right one was skipped.
   [any thread] */
PZ_API pz_status pz_queue_open(pz_context* context, const char* device, pz_queue** out);

/* Opens a queue that enqueues on the caller's own: `native` is the structure of native.h for
   the backend of `device`, or NULL, which is pz_queue_open. Work of both then runs in the
   order in which it was enqueued. PZ_UNSUPPORTED where the backend adopts nothing, PZ_MISMATCH
   where the caller's queue belongs to another device. [any thread] */
PZ_API pz_status pz_queue_wrap(pz_context* context, const char* device, const void* native,
                               pz_queue** out);

/* Gives the queue up; it lives on while chains' evaluations, states or modules use it. */
PZ_API void pz_queue_close(pz_queue* queue);

/* Waits until everything enqueued is done. [any thread] */
PZ_API pz_status pz_queue_synchronize(pz_queue* queue);

/* A place in the work of a queue. */
typedef struct pz_event pz_event;

/* Marks the end of what has been enqueued so far. [any thread] */
PZ_API pz_status pz_queue_record(pz_queue* queue, pz_event** out);

/* What is enqueued on `queue` from now on comes after the event of another queue. Waits on the
   device where both can, else here and now. [any thread] */
PZ_API pz_status pz_queue_wait(pz_queue* queue, const pz_event* event);

/* The same for the caller's own event: a cl_event or cudaEvent_t. PZ_UNSUPPORTED where the
   queue's device cannot wait for it. [any thread] */
PZ_API pz_status pz_queue_wait_native(pz_queue* queue, void* event);

/* The event as a cl_event or cudaEvent_t for the caller's own queues to wait for, or NULL
   where all work is done already; borrowed. [any thread] */
PZ_API void* pz_event_native(const pz_event* event);
PZ_API void pz_event_free(pz_event* event);

/* Device name as opened, and how tensors name the device. [any thread] */
PZ_API const char* pz_queue_device(const pz_queue* queue, pz_device* device);

/* With `forbid`, an operation that would have to run on the host is PZ_UNSUPPORTED, named.
   [exclusive] */
PZ_API void pz_queue_forbid_host_fallback(pz_queue* queue, bool forbid);

/* How an operation gets its result on a queue. */
typedef enum pz_route {
  PZ_ROUTE_NATIVE = 0,   /* by the backend */
  PZ_ROUTE_COMPOSED = 1, /* from other operations of the backend */
  PZ_ROUTE_HOST = 2,     /* on the host, through copies where memory differs */
  PZ_ROUTE_UNSUPPORTED = 3,
} pz_route;

typedef struct pz_op_report {
  uint32_t size; /* sizeof(pz_op_report), set by the caller */
  uint32_t reserved;
  const char* name;  /* "gemm" */
  uint64_t count[3]; /* calls so far on this queue, by route, both dtypes together */
  uint32_t f32;      /* pz_route a call would start on, going by what the backend offers */
  uint32_t f64;
} pz_op_report;

/* Reports operation `index`; PZ_NOT_FOUND past the last. [any thread] */
PZ_API pz_status pz_queue_op(pz_queue* queue, uint32_t index, pz_op_report* out);

/* Copies a host tensor into a device tensor of the same spec, or back; blocks. Strides are
   honoured on the host side, the device side is C-contiguous. [any thread] */
PZ_API pz_status pz_queue_upload(pz_queue* queue, const pz_tensor* host, const pz_tensor* device);
PZ_API pz_status pz_queue_download(pz_queue* queue, const pz_tensor* device, const pz_tensor* host);

/* ---- DLPack --------------------------------------------------------------- */

/* The structure of dlpack.h, left opaque: a pz_tensor has the layout of its DLTensor. */
struct DLManagedTensor;

/* The view inside a managed tensor that NumPy, PyTorch, CuPy or JAX handed over; it lives
   as long as `managed`, which stays the caller's. [any thread] */
PZ_API const pz_tensor* pz_dlpack_view(const struct DLManagedTensor* managed);

/* Copies `tensor`, which lives on the queue's device, into a fresh C-contiguous managed
   tensor on the same device for others to own and delete. [any thread] */
PZ_API pz_status pz_dlpack_export(pz_queue* queue, const pz_tensor* tensor,
                                  struct DLManagedTensor** out);

PZ_END_DECLS

#endif /* PARAMETRIZE_CONTEXT_H */
