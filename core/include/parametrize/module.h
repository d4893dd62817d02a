/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modules: named tensors, parametrized, cached, differentiated, moved, folded.
   Include <parametrize/parametrize.h>. The semantics are those of PyTorch's
   torch.nn.utils.parametrize; docs/semantics.md says where they are stricter.

   Names are dotted paths: "weight" is the value a reader sees; the trainable tensor under
   it is "parametrizations.weight.original" (".original0" ... where there are several),
   "parametrizations.weight.<i>.<name>" the tensors of map i; "child.weight" is the
   tensor of a nested module.

   Threads: pz_module_get, pz_slot_get and everything marked [read] may run on any threads
   together; everything marked [exclusive] runs alone, as with any container. A violation
   that is noticed is PZ_INVALID; calls without a result then do nothing but leave a message.
   The rule holds for a module with all it is nested in or with. Under PZ_CACHE_SCOPED a read
   outside a scope counts as exclusive, and so does one that takes a step (PZ_UPDATE_ON_READ). A borrowed value lives until the next exclusive
   call. */

#ifndef PARAMETRIZE_MODULE_H
#define PARAMETRIZE_MODULE_H

#include <parametrize/chain.h>
#include <parametrize/context.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_module pz_module;
typedef struct pz_slot pz_slot; /* a tensor of a module, found once by name */

/* ---- building ------------------------------------------------------------- */

/* Makes an empty module on a device ("cpu", NULL as in pz_queue_open). `type` is shown in
   prints: "Linear". [any thread] */
PZ_API pz_status pz_module_new(pz_context* context, const char* device, const char* type,
                               pz_module** out);

/* As above on a queue that several modules share. [any thread] */
PZ_API pz_status pz_module_new_on(pz_context* context, pz_queue* queue, const char* type,
                                  pz_module** out);

/* Frees a module with its children. A child cannot be freed by itself. */
PZ_API void pz_module_free(pz_module* module);

/* Hands `child` (same context, not nested elsewhere) to `module` under a name without
   dots. [exclusive, both] */
PZ_API pz_status pz_module_add_child(pz_module* module, const char* name, pz_module* child);

/* The nested module "a.b", or the module itself for "". [read] */
PZ_API pz_status pz_module_child(pz_module* module, const char* path, pz_module** out);

typedef enum pz_tensor_kind {
  PZ_PARAMETER = 1, /* trained: has a gradient unless frozen */
  PZ_BUFFER = 2,    /* saved and moved, not trained */
} pz_tensor_kind;

/* Adds a tensor by copying `tensor` (float32 or float64; a host tensor or one on the
   module's device; strides are honoured). `name` has no dots and is none of
   "parametrizations". PZ_EXISTS if taken, PZ_UNSUPPORTED for float64 on a device without it.
   [exclusive] */
PZ_API pz_status pz_module_add(pz_module* module, const char* name, pz_tensor_kind kind,
                               const pz_tensor* tensor);

/* Frozen parameters keep their place but get no gradient. Applies to the originals where
   the tensor is parametrized. [exclusive] */
PZ_API pz_status pz_module_require_grad(pz_module* module, const char* name, bool require);

/* Training (the default) or evaluation mode, nested modules included. [exclusive] */
PZ_API void pz_module_train(pz_module* module, bool training);

/* ---- parametrizing -------------------------------------------------------- */

enum {
  PZ_UNSAFE = 1U << 0, /* the value's shape and dtype may differ from the tensor's */
};

/* Registers the maps of `text` (chain.h) on a tensor, one after the other. The tensor may be
   an original or own parameter of another list, which then takes the value. The first on a
   plain tensor takes right_inverse(tensor) as its originals; every further one is
   appended: the value becomes its image of the value so far. The value afterwards has
   the tensor's shape and dtype unless PZ_UNSAFE, under which a first map that has no
   originals for such a value takes the tensor itself as its original. One original of the
   tensor's spec keeps the tensor's memory. The gradient of a plain tensor is dropped: its
   originals begin with zero. All of the text or nothing. [exclusive] */
PZ_API pz_status pz_register_parametrization(pz_module* module, const char* name, const char* text,
                                             uint32_t flags);

/* As above with options given by the program; `map` counts within `text`. [exclusive] */
PZ_API pz_status pz_register_parametrization_with(pz_module* module, const char* name,
                                                  const char* text,
                                                  const pz_option_setting* settings,
                                                  uint32_t n_settings, uint32_t flags);

enum {
  PZ_LEAVE_PARAMETRIZED = 1, /* the tensor becomes its current value */
  PZ_LEAVE_ORIGINAL = 0,     /* the tensor becomes its original; refused for several */
};

/* Takes the whole list off a tensor, which returns to its former place in the order, with
   a gradient of zero. Where the original has a list itself, PZ_LEAVE_ORIGINAL leaves that list
   on the tensor, and PZ_LEAVE_PARAMETRIZED takes it off too. [exclusive] */
PZ_API pz_status pz_remove_parametrizations(pz_module* module, const char* name, int leave);

/* Takes map `index` out of a list; the originals stay. Not the last one left, and not one
   whose absence leaves specs that do not fit. [exclusive] */
PZ_API pz_status pz_remove_parametrization(pz_module* module, const char* name, uint32_t index);

/* Is the tensor parametrized; with name NULL, is any of the module (children not counted).
   [read] */
PZ_API bool pz_is_parametrized(const pz_module* module, const char* name);

/* The list on a tensor, borrowed until the next exclusive call. PZ_NOT_FOUND where there
   is none. [read] */
PZ_API pz_status pz_module_chain(const pz_module* module, const char* name, const pz_chain** out);

/* ---- reading -------------------------------------------------------------- */

/* The tensor `name`: the value of its list, recomputed only if an original, own parameter,
   buffer, option or the mode changed since the last read. Any path is legal, originals
   and buffers included. [read] */
PZ_API pz_status pz_module_get(pz_module* module, const char* name, pz_tensor* out);

/* As pz_module_get into the caller's host memory, of the same shape and dtype; strides are
   honoured. Waits for the device. [read] */
PZ_API pz_status pz_module_read(pz_module* module, const char* name, const pz_tensor* host);

/* Brings the values of a module and its children up to date in one call, those that a read
   would compute and keep, `threads` of them at a time (0: as many as there are processors;
   one on devices whose operations need not be done when they return). Reads afterwards find
   them. A failure leaves the others computed; the first in the order of names is reported.
   Values do not depend on the number of threads. [exclusive] */
PZ_API pz_status pz_module_refresh(pz_module* module, uint32_t threads);

/* A handle for reading without looking up the name; lives as long as the module. [read] */
PZ_API pz_status pz_module_slot(pz_module* module, const char* name, pz_slot** out);
PZ_API pz_status pz_slot_get(pz_slot* slot, pz_tensor* out);

typedef enum pz_cache_policy {
  PZ_CACHE_AUTOMATIC = 0, /* recompute what changed */
  PZ_CACHE_SCOPED = 1,    /* PyTorch's rule: at every read, except between
                             pz_cached_begin and pz_cached_end */
} pz_cache_policy;

/* Sets the rule for a module and its children. [exclusive] */
PZ_API void pz_module_cache_policy(pz_module* module, pz_cache_policy policy);

/* Under PZ_CACHE_SCOPED: the first read inside computes, later ones return the very same
   tensor unless something changed. Scopes nest; the outermost end drops everything.
   Module and children. [exclusive] */
PZ_API void pz_cached_begin(pz_module* module);
PZ_API void pz_cached_end(pz_module* module);

/* Distance of the present value of `name` from the set of its last map, in that map's own
   measure (|Q^T Q - I|_max for cayley, say); PZ_UNSUPPORTED where it has none. [exclusive] */
PZ_API pz_status pz_module_residual(pz_module* module, const char* name, double* distance);

/* Waits for the device and reports any failure that it found since. [exclusive] */
PZ_API pz_status pz_module_check(pz_module* module);

/* ---- writing -------------------------------------------------------------- */

/* Assigns: copies `value` into a plain tensor or one named by a full path; on a
   parametrized name runs right_inverse, last map to first. `value` is a host tensor or on
   the module's device, same shape and dtype. Everything or nothing. [exclusive] */
PZ_API pz_status pz_module_set(pz_module* module, const char* name, const pz_tensor* value);

/* Opens a plain tensor, original, own parameter or buffer for writing in place by the host
   until pz_module_commit of the same name: an optimizer step. In between, calls that would
   read or change it, or what depends on it, are PZ_INVALID. [exclusive] */
PZ_API pz_status pz_module_edit(pz_module* module, const char* name, pz_tensor* out);
PZ_API pz_status pz_module_commit(pz_module* module, const char* name);

/* Says that a tensor was written through a pointer the host kept. [exclusive] */
PZ_API pz_status pz_module_touch(pz_module* module, const char* name);

/* Looks for writers that forgot pz_module_touch: with `check`, every read of an unchanged
   value hashes what it depends on and refuses with PZ_STALE, naming the tensor. Host
   memory only. Values, originals and gradients are also filled with NaN before a
   registered map computes them, so that what a map does not write shows. For debugging.
   [exclusive] */
PZ_API void pz_module_check_writes(pz_module* module, bool check);

/* Draws a member of the set of a parametrized tensor from the context's stream and assigns
   it (a uniform rotation for cayley, say). [exclusive] */
PZ_API pz_status pz_module_sample(pz_module* module, const char* name);

/* One step of the own state of the maps on `name`, or on every tensor, children included,
   for NULL: once per optimizer step. [exclusive] */
PZ_API pz_status pz_module_update(pz_module* module, const char* name);

typedef enum pz_update_policy {
  PZ_UPDATE_EXPLICIT = 0, /* pz_module_update alone */
  PZ_UPDATE_ON_READ = 1,  /* PyTorch's rule: also at every read of a value in training mode
                             that is not served from a scope's cache; such a read of a list
                             with a map that steps is [exclusive] */
} pz_update_policy;

/* Sets the rule for a module and its children. [exclusive] */
PZ_API void pz_module_update_policy(pz_module* module, pz_update_policy policy);

/* ---- gradients ------------------------------------------------------------ */

/* Adds to the gradients of what `name` depends on: of the originals and own parameters of
   its list, or of the plain parameter itself. `gradient` has the value's shape and dtype,
   host or device. Any number of times per value; PZ_STALE when anything changed since the
   value was last read. Frozen tensors are skipped. [exclusive] */
PZ_API pz_status pz_module_backward(pz_module* module, const char* name, const pz_tensor* gradient);

/* The gradient of a parameter, original or own parameter, zero until the first backward;
   lives as long as the tensor. [exclusive] */
PZ_API pz_status pz_module_gradient(pz_module* module, const char* name, pz_tensor* out);

/* Zeroes every gradient, children included. [exclusive] */
PZ_API pz_status pz_module_zero_gradients(pz_module* module);

/* ---- enumerating and printing --------------------------------------------- */

/* What a path of a module stands for. */
typedef struct pz_tensor_entry {
  uint32_t size; /* sizeof(pz_tensor_entry), set by the caller */
  uint32_t kind; /* pz_tensor_kind */
  uint32_t requires_grad;
  uint32_t reserved;
  const char* name; /* full path, borrowed until the next exclusive call */
  pz_spec spec;
} pz_tensor_entry;

/* The tensors that are stored, in a stable order, children included: plain parameters and
   buffers under their names, originals, own parameters and buffers of lists under
   theirs, values not. PZ_NOT_FOUND past the last. [read] */
PZ_API pz_status pz_module_tensor(const pz_module* module, uint32_t index, pz_tensor_entry* out);

/* The module as a tree, as PyTorch prints it, with options, shapes and the files that
   supply the maps; nothing is evaluated. Writes at most `size` bytes with the final 0
   and returns the length it needs without that. [read] */
PZ_API size_t pz_module_print(const pz_module* module, char* buffer, size_t size);

/* ---- copying and moving ----------------------------------------------------- */

/* A copy of a module with all that is nested in it, at the root of a tree of its own: same
   names, maps, modes and policies on the same queues, tensors and random draws copied.
   Nothing is shared but plugins and queues. Values are computed at their first read;
   gradients, scopes and open edits are not copied. [read] */
PZ_API pz_status pz_module_copy(pz_module* module, pz_module** out);

/* Puts copies of lists of `from` with their originals, own parameters, buffers and draws on
   the tensors of the same names of `to`: of the list on `name`, or, for NULL, of every
   parametrized tensor of `from` itself (children not counted). A tensor that `to` has must
   be plain and of the value's spec (PZ_EXISTS, PZ_MISMATCH); one original of that spec takes
   over its memory, as at registration. One that it has not is added at its end. Kinds and
   what is frozen follow `from`, which is unchanged, and nothing is shared; `to` may be on
   another device or in the same tree. All or nothing. [from: read, to: exclusive] */
PZ_API pz_status pz_transfer_parametrizations(pz_module* from, pz_module* to, const char* name);

/* Moves a module and all that is nested in it to a device (as in pz_queue_open; children
   share the one queue), with originals, own parameters, buffers, plain tensors and gradients.
   Slots stay valid; tensors and values that were handed out do not. All or nothing.
   [exclusive] */
PZ_API pz_status pz_module_to(pz_module* module, const char* device);

/* Converts every float32 and float64 tensor of a module and all that is nested in it,
   gradients included, to `dtype` (one of the two), planning the lists anew; as above.
   PZ_MISMATCH where a map refuses the dtype, PZ_UNSUPPORTED where the device has none of
   it. [exclusive] */
PZ_API pz_status pz_module_to_dtype(pz_module* module, uint32_t dtype);

/* ---- folding for inference --------------------------------------------------- */

/* Replaces every value of a module and its children by a plain tensor that holds it, in
   evaluation mode, and puts the lists aside. A baked module is read, printed, enumerated,
   copied and saved as one that never had lists; whatever would change it is PZ_INVALID until
   pz_module_unbake brings everything back, bit for bit. Modes and policies may be set, for
   the time after. A child may be baked by itself: the module around it goes on, but for calls
   on the whole of it that would change the child (load, to, to_dtype, transfer, bake). It is
   unbaked where it was baked. All or nothing. PZ_INVALID where it, or a part of it, is baked
   already, or not. [exclusive] */
PZ_API pz_status pz_module_bake(pz_module* module);
PZ_API pz_status pz_module_unbake(pz_module* module);
PZ_API bool pz_module_is_baked(const pz_module* module); /* [read] */

PZ_END_DECLS

#endif /* PARAMETRIZE_MODULE_H */
