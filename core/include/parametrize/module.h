/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modules: named tensors that can be parametrized, cached, differentiated, moved and folded.
   Include <parametrize/parametrize.h>. The semantics are those of PyTorch's
   torch.nn.utils.parametrize; docs/semantics.md lists where they are stricter.

   Names are dotted paths. "weight" is the value that a reader sees. Its trainable tensor is
   "parametrizations.weight.original" (".original0" ... if there are several), and
   "parametrizations.weight.<i>.<name>" are the own tensors of stage i. "child.weight" is the
   tensor "weight" of the nested module "child".

   Threads. Functions marked [read] can run at the same time on any number of threads. One
   marked [exclusive] must run alone, as on any container: no other call on the module, on
   those nested in it or on those around it. A detected violation returns PZ_INVALID; no call waits
   for another. (After an exclusive call was refused because of readers, new readers pause for some
   milliseconds, so that trying again succeeds.) Two kinds
   of reads are exclusive too: under PZ_CACHE_SCOPED a read outside a scope, and under
   PZ_UPDATE_ON_READ a read that updates. A borrowed value is valid until the next exclusive
   call. */

#ifndef PARAMETRIZE_MODULE_H
#define PARAMETRIZE_MODULE_H

#include <parametrize/chain.h>
#include <parametrize/context.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_module pz_module;
typedef struct pz_slot pz_slot; /* a handle of one tensor of a module */

/* ---- building ------------------------------------------------------------- */

/* Makes an empty module on the device of `queue`, which several modules may share; NULL opens
   the default queue (pz_queue_open with NULL). `type` is shown in prints: "Linear".
   [any thread] */
PZ_API pz_status pz_module_new(pz_context* context, pz_queue* queue, const char* type,
                               pz_module** out);

/* The queue of a module, borrowed until pz_module_to or pz_module_free. [read] */
PZ_API pz_queue* pz_module_queue(const pz_module* module);

/* Frees a module and its children. A nested module is freed with the one around it only. */
PZ_API void pz_module_free(pz_module* module);

/* Nests `child` in `module`, which owns it from now on. `child` has the same context and is not
   nested already; `name` has no dots. [exclusive, both modules] */
PZ_API pz_status pz_module_add_child(pz_module* module, const char* name, pz_module* child);

/* The nested module "a.b"; "" is the module itself. [read] */
PZ_API pz_status pz_module_child(pz_module* module, const char* path, pz_module** out);

typedef enum pz_tensor_kind {
  PZ_PARAMETER = 1, /* trained: has a gradient unless frozen */
  PZ_BUFFER = 2,    /* saved and moved, not trained */
} pz_tensor_kind;

/* Adds a tensor and copies `tensor` into it: float32 or float64, on the host or on the module's
   device, strides allowed. `name` has no dots and is not "parametrizations". PZ_EXISTS if the
   name is taken, PZ_UNSUPPORTED for float64 on a device without it. [exclusive] */
PZ_API pz_status pz_module_add(pz_module* module, const char* name, pz_tensor_kind kind,
                               const pz_tensor* tensor);

/* Freezes a parameter (`require` false), which then gets no gradient, or trains it again. For a
   parametrized tensor this applies to its originals. [exclusive] */
PZ_API pz_status pz_module_require_grad(pz_module* module, const char* name, bool require);

/* Sets training mode (the default) or evaluation mode, for nested modules too. [exclusive] */
PZ_API pz_status pz_module_train(pz_module* module, bool training);

/* ---- parametrizing -------------------------------------------------------- */

enum {
  PZ_UNSAFE = 1U << 0, /* the value may have another shape or dtype than the tensor */
};

typedef struct pz_register_settings {
  uint32_t size;                    /* sizeof(pz_register_settings) */
  uint32_t flags;                   /* PZ_UNSAFE */
  const pz_option_setting* options; /* `stage` counts within the registered text */
  uint32_t n_options;
  uint32_t reserved;
} pz_register_settings;

/* Registers the stages of `text` (chain.h) on a tensor, all or none.

   On a plain tensor, the originals become right_inverse(tensor). On a parametrized tensor, the
   stages are appended: the value becomes their image of the value so far. The tensor may itself
   be an original or own parameter of another chain, which then uses the new value.

   The value must have the tensor's shape and dtype unless PZ_UNSAFE is set. A first stage that cannot
   compute originals uses the tensor itself as its original. If there is
   one original of the tensor's spec, it takes over the tensor's memory. Gradients of the
   originals start at zero. [exclusive] */
PZ_API pz_status pz_register_parametrization(pz_module* module, const char* name, const char* text,
                                             const pz_register_settings* settings);

typedef enum pz_leave {
  PZ_LEAVE_ORIGINAL = 0,     /* the tensor becomes its original; PZ_INVALID for several */
  PZ_LEAVE_PARAMETRIZED = 1, /* the tensor becomes its current value */
} pz_leave;

/* Removes the whole chain from a tensor, which returns to its former place in the order, with a
   zero gradient. If the original is parametrized too, PZ_LEAVE_ORIGINAL leaves the original's
   chain on the tensor and PZ_LEAVE_PARAMETRIZED removes it. [exclusive] */
PZ_API pz_status pz_remove_parametrizations(pz_module* module, const char* name, pz_leave leave);

/* Removes stage `index` from a chain; the originals stay. PZ_INVALID for the only stage,
   PZ_MISMATCH if the specs of the others do not fit. [exclusive] */
PZ_API pz_status pz_remove_stage(pz_module* module, const char* name, uint32_t index);

/* Whether a tensor is parametrized; with name NULL, whether any tensor of this module is
   (children not counted). [read] */
PZ_API bool pz_is_parametrized(const pz_module* module, const char* name);

/* The chain of a tensor, borrowed until the next exclusive call. PZ_NOT_FOUND if the tensor has
   none. [read] */
PZ_API pz_status pz_module_chain(const pz_module* module, const char* name, const pz_chain** out);

/* ---- reading -------------------------------------------------------------- */

/* The tensor `name`, borrowed and C-contiguous. On "cpu" and "reference" its data is a host pointer;
   on other devices it is none, and PZ_UNSUPPORTED is returned unless the context has
   PZ_DEVICE_TENSORS. The value of a chain is computed only if an original, own
   parameter, buffer, option or the mode changed since the last read. Any path is allowed, also
   of originals and buffers. [read] */
PZ_API pz_status pz_module_get(pz_module* module, const char* name, pz_tensor* out);

/* Copies the tensor `name` to `host`, a host tensor of the same shape and dtype, strides
   allowed. Waits for the device. [read] */
PZ_API pz_status pz_module_read(pz_module* module, const char* name, const pz_tensor* host);

/* Computes all values of a module and its children that have changed, on up to `threads` threads
   (0: one for each processor; one thread on asynchronous devices). Later reads find them. If one
   fails, the others are computed, and the first failure in the order of names is returned.
   Values do not depend on the number of threads. [exclusive] */
PZ_API pz_status pz_module_refresh(pz_module* module, uint32_t threads);

/* A handle that reads without looking up the name; valid as long as the module. [read] */
PZ_API pz_status pz_module_slot(pz_module* module, const char* name, pz_slot** out);

/* As pz_module_get. [read] */
PZ_API pz_status pz_slot_get(pz_slot* slot, pz_tensor* out);

typedef enum pz_cache_policy {
  PZ_CACHE_AUTOMATIC = 0, /* compute values that changed */
  PZ_CACHE_SCOPED = 1,    /* as in PyTorch: compute at every read, except between
                             pz_cached_begin and pz_cached_end */
} pz_cache_policy;

/* Sets the cache policy of a module and its children. [exclusive] */
PZ_API pz_status pz_module_cache_policy(pz_module* module, pz_cache_policy policy);

/* Begins and ends a scope of PZ_CACHE_SCOPED, for a module and its children. Within a scope the
   first read computes; later ones return the same tensor unless something changed. Scopes nest.
   The end of the outermost one drops all values. PZ_INVALID for an end without a begin.
   [exclusive] */
PZ_API pz_status pz_cached_begin(pz_module* module);
PZ_API pz_status pz_cached_end(pz_module* module);

/* Distance of the value of `name` from the set of its last stage, in that stage's measure
   (max |Q^T Q - I| for cayley). PZ_UNSUPPORTED if the stage has no residual. [exclusive] */
PZ_API pz_status pz_module_residual(pz_module* module, const char* name, double* distance);

/* Waits for the device and reports a failure that it found since the last check. [exclusive] */
PZ_API pz_status pz_module_check(pz_module* module);

/* ---- writing -------------------------------------------------------------- */

/* Assigns `value`, a tensor of the same shape and dtype on the host or on the module's device.
   A plain tensor, or one named by its full path, receives a copy. A parametrized one runs its
   right inverses, from the last stage to the first. All or nothing. [exclusive] */
PZ_API pz_status pz_module_set(pz_module* module, const char* name, const pz_tensor* value);

/* Lets the host write a plain tensor, original, own parameter or buffer in place, until
   pz_module_commit with the same name: an optimizer step. Calls in between that read or change
   it, or a value that depends on it, return PZ_INVALID. On a device, see pz_module_get; the host's
   writes must be enqueued on the module's queue (pz_queue_launch) or finished before the commit.
   [exclusive] */
PZ_API pz_status pz_module_edit(pz_module* module, const char* name, pz_tensor* out);
PZ_API pz_status pz_module_commit(pz_module* module, const char* name);

/* Declares that a tensor was written through a pointer that the host kept. [exclusive] */
PZ_API pz_status pz_module_touch(pz_module* module, const char* name);

/* A check for debugging, for writers that forget pz_module_touch. While it is on, every read of
   an unchanged value hashes the tensors that it depends on. PZ_STALE names a tensor that changed.
   Memory that a plugin should write is first filled with NaN, so that missing writes show. Host
   memory only. [exclusive] */
PZ_API pz_status pz_module_check_writes(pz_module* module, bool check);

/* Draws a value of a parametrized tensor from the context's random stream and assigns it (for
   cayley a uniform rotation). [exclusive] */
PZ_API pz_status pz_module_sample(pz_module* module, const char* name);

/* Updates the own state of the stages on `name`; with NULL, of every tensor, children included.
   Call it once per optimizer step. [exclusive] */
PZ_API pz_status pz_module_update(pz_module* module, const char* name);

typedef enum pz_update_policy {
  PZ_UPDATE_EXPLICIT = 0, /* only in pz_module_update */
  PZ_UPDATE_ON_READ = 1,  /* as in PyTorch: also at every read in training mode that a scope's
                             cache does not serve; such a read is [exclusive] if a stage of the
                             chain has an update */
} pz_update_policy;

/* Sets the update policy of a module and its children. [exclusive] */
PZ_API pz_status pz_module_update_policy(pz_module* module, pz_update_policy policy);

/* ---- gradients ------------------------------------------------------------ */

/* Adds to the gradients of what `name` depends on: the originals and own parameters of its
   chain, or the plain parameter itself. `gradient` has the value's shape and dtype, on the host
   or the device. Callable any number of times for a value. PZ_STALE if something changed since
   the value was read. Frozen tensors are skipped. [exclusive] */
PZ_API pz_status pz_module_backward(pz_module* module, const char* name, const pz_tensor* gradient);

/* Writes log |det dy/dx| of the value y of `name` last read, x its originals, to `out`: one number
   for each determinant, with the spec of pz_chain_density for its chain, on the host or the
   device. If an original is itself parametrized, the log |det| of its chain is added, so that x
   are the tensors at the start; its coordinates must be those that the outer chain reads, and
   where its determinants are larger, `out` has as many numbers as they. Own parameters count as
   constants, and freezing changes nothing. PZ_STALE if something changed since the value was
   read, PZ_INVALID for a plain tensor, PZ_UNSUPPORTED as pz_chain_density. [exclusive] */
PZ_API pz_status pz_module_log_abs_det(pz_module* module, const char* name, const pz_tensor* out);

/* Adds g_out times the gradient of pz_module_log_abs_det to the gradients that pz_module_backward
   adds to. g_out has the spec of its `out`. With pz_module_backward for the gradient of a log
   density at the value, and ones here, the gradients are those of the log density of the
   originals. Otherwise as pz_module_backward. [exclusive] */
PZ_API pz_status pz_module_backward_log_abs_det(pz_module* module, const char* name,
                                                const pz_tensor* g_out);

/* The gradient of a parameter, original or own parameter, for reading and writing in place. It is zero
   until the first backward and valid as long as the tensor. On a device, see pz_module_get.
   [exclusive] */
PZ_API pz_status pz_module_gradient(pz_module* module, const char* name, pz_tensor* out);

/* Copies the gradient to `host`, a host tensor of the same shape and dtype, strides allowed. Waits for
   the device. PZ_INVALID if no backward has reached the tensor yet. [exclusive] */
PZ_API pz_status pz_module_read_gradient(pz_module* module, const char* name,
                                         const pz_tensor* host);

/* Sets every gradient to zero, children included. [exclusive] */
PZ_API pz_status pz_module_zero_gradients(pz_module* module);

/* ---- enumerating and printing --------------------------------------------- */

/* A stored tensor of a module. */
typedef struct pz_tensor_info {
  uint32_t size; /* sizeof(pz_tensor_info), set by the caller */
  uint32_t kind; /* pz_tensor_kind */
  uint32_t requires_grad;
  uint32_t reserved;
  const char* name; /* full path, borrowed until the next exclusive call */
  pz_spec spec;
} pz_tensor_info;

/* Describes stored tensor `index`, in a stable order, children included: plain parameters and
   buffers, and the originals, own parameters and buffers of chains. Values are not stored.
   [read] */
PZ_API pz_status pz_module_tensor(const pz_module* module, uint32_t index, pz_tensor_info* out);

/* Prints the module as a tree, as PyTorch does, with options, shapes and the plugins used.
   Computes nothing. Writes at most `size` bytes including the final 0, and returns the length of
   the whole text without it. [read] */
PZ_API size_t pz_module_print(const pz_module* module, char* buffer, size_t size);

/* ---- copying and moving ----------------------------------------------------- */

/* Makes a copy of a module and its children that shares plugins and queues only. Tensors, random
   keys, modes and policies are copied. Gradients, scopes, open edits and cached values are not.
   The copy is not nested in another module. [read] */
PZ_API pz_status pz_module_copy(pz_module* module, pz_module** out);

/* Copies chains of `from`, with their tensors and random keys, to the tensors of the same names
   in `to`: the chain of `name`, or with NULL those of all parametrized tensors of `from` itself
   (children not counted). A tensor that exists in `to` must be plain (PZ_EXISTS) and have the
   value's spec (PZ_MISMATCH); a missing one is added at the end. Kinds and frozen states follow
   `from`. `to` may be on another device or in the same tree. All or nothing.
   [from: read, to: exclusive] */
PZ_API pz_status pz_transfer_parametrizations(pz_module* from, pz_module* to, const char* name);

/* Moves a module, its children, their tensors and gradients to the device of `queue`, which they
   all share then. Slots stay valid; borrowed tensors do not. All or nothing. [exclusive] */
PZ_API pz_status pz_module_to(pz_module* module, pz_queue* queue);

/* Converts every tensor of a module and its children, gradients included, to `dtype`, PZ_F32 or
   PZ_F64, and plans the chains again. PZ_MISMATCH if a stage does not accept the dtype,
   PZ_UNSUPPORTED if the device does not have it. Otherwise as pz_module_to. [exclusive] */
PZ_API pz_status pz_module_to_dtype(pz_module* module, uint32_t dtype);

/* ---- folding for inference --------------------------------------------------- */

/* Folds a module and its children: replaces every parametrized tensor by a plain one with its
   value in evaluation mode, and sets the chains aside. A folded module can be read, printed,
   enumerated, copied and saved like one without chains. Calls that would change it return
   PZ_INVALID, except for modes and policies, which take effect after pz_module_unbake.

   pz_module_unbake restores everything bit for bit. It takes the same module that was folded. A
   child can be folded by itself; then load, to, to_dtype, transfer and bake of the modules around
   it return PZ_INVALID. All or nothing. PZ_INVALID if the module or a part of it is folded
   already (bake), or not (unbake). [exclusive] */
PZ_API pz_status pz_module_bake(pz_module* module);
PZ_API pz_status pz_module_unbake(pz_module* module);

/* Whether the module is folded. [read] */
PZ_API bool pz_module_is_baked(const pz_module* module);

PZ_END_DECLS

#endif /* PARAMETRIZE_MODULE_H */
