/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains: parametrizations on one tensor, without names or a cache.
   Include <parametrize/parametrize.h>.

   Three objects, so that threads need no locks:
     pz_chain  the stages with their options and plans; immutable
     pz_state  the tensors: originals, own parameters, buffers
     pz_eval   one evaluation: value, saved tensors, scratch; used by one thread at a time

   Data flows from the originals through stage 0, stage 1, ... to the value. */

#ifndef PARAMETRIZE_CHAIN_H
#define PARAMETRIZE_CHAIN_H

#include <parametrize/context.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_chain pz_chain;
typedef struct pz_state pz_state;
typedef struct pz_eval pz_eval;

/* ---- chains --------------------------------------------------------------- */

/* The text of a chain:
     chain  = stage *("," stage)
     stage  = id [ "(" option *("," option) ")" ]
     option = name "=" value
   "skew,cayley,pruning(p_drop=0.2,seed=7)". Reals are read as by strtod in the C locale, except NaN,
   integers in decimal or 0x; flags are 0, 1, true or false; choices are names. White space
   between words is ignored. Tensors are given by pz_option_setting.

   Two stages are words of the chain, not parametrizations:
     view(split=..., rows=LIST, cols=LIST, tensor=SHAPE)
                                             the stages after it read the tensor as matrices
     back                                    the view ends; otherwise it ends with the chain
   Each list joins dimensions to one, the others are the batch before them: "view(rows=0,cols=*)"
   reads a convolution kernel (out, in, k, k) as matrices out x (in k k), "view(cols=0)" columns as
   vectors. `parametrize info view` and docs/views.md describe them. */

/* An option that a program sets. It overrides the same option in the text. */
typedef struct pz_option_setting {
  const char* name;
  pz_value value;       /* PZ_CHOICE as text; PZ_TENSOR a host tensor, copied */
  uint32_t stage;       /* index of the stage in the text */
  uint32_t reserved[5]; /* zero */
} pz_option_setting;

/* Makes the chain of `text`. PZ_FROM_TENSOR: given[0] is the spec of the value. PZ_FROM_INPUT:
   given[0 .. n_given-1] are the specs of the originals. PZ_NOT_FOUND for an unknown
   parametrization or option (names the nearest), PZ_INVALID for malformed text or a value out of
   range, PZ_MISMATCH if a stage does not accept its input, PZ_UNSUPPORTED for a size that no memory has.

   If a view begins the chain, the originals are those of a tensor in that view. With PZ_FROM_INPUT its
   shape has to follow from them: 11 numbers under "view(cols=*),simplex" are of a tensor of 12, of
   4 x 3 ... (PZ_MISMATCH). Then plan with PZ_FROM_TENSOR, which gives the same originals, or write
   "view(cols=*,tensor=4x3),simplex". [any thread] */
PZ_API pz_status pz_chain_new(pz_context* context, const char* text,
                              const pz_option_setting* settings, uint32_t n_settings,
                              pz_direction direction, const pz_spec* given, uint32_t n_given,
                              pz_chain** out);

/* A new chain with the stages of `chain`, then those of `text`. [any thread] */
PZ_API pz_status pz_chain_append(const pz_chain* chain, const char* text,
                                 const pz_option_setting* settings, uint32_t n_settings,
                                 pz_chain** out);

/* A new chain without stage `index`. PZ_MISMATCH if the specs of the others do not fit.
   [any thread] */
PZ_API pz_status pz_chain_without(const pz_chain* chain, uint32_t index, pz_chain** out);

/* Frees a chain. States and evaluations made from it stay usable. */
PZ_API void pz_chain_free(pz_chain* chain);

/* Number of stages; and the canonical text, with every option that differs from its default, but
   without the shape of a view's tensor. [any thread] */
PZ_API uint32_t pz_chain_length(const pz_chain* chain);
PZ_API const char* pz_chain_text(const pz_chain* chain);

/* One stage of a chain. */
typedef struct pz_stage_info {
  uint32_t size; /* sizeof(pz_stage_info), set by the caller */
  uint32_t reserved;
  const char* text; /* "pruning(p_drop=0.2)" */
  const char* id;   /* of its parametrization or word, for pz_context_find */
  pz_spec value;    /* of its result, with the structure; in a view, of the matrices or vectors */
  /* As the plan declared them (pz_declare_density); zero unless has_density is 1. */
  uint32_t has_density;  /* log |det| exists for this input */
  uint32_t density_dims; /* the last dimensions of the value, over which one determinant extends */
  uint32_t density_in;   /* pz_coordinates of the originals, or of the value before */
  uint32_t density_out;  /* and of the value */
} pz_stage_info;

/* Describes stage `index`. [any thread] */
PZ_API pz_status pz_chain_stage(const pz_chain* chain, uint32_t index, pz_stage_info* out);

typedef enum pz_role {
  PZ_ORIGINAL = 1,      /* unconstrained input of stage 0, trained */
  PZ_OWN_PARAMETER = 2, /* a stage's own tensor, trained */
  PZ_STATE_BUFFER = 3,  /* a stage's state, not trained */
} pz_role;

/* A tensor that a chain works on. */
typedef struct pz_chain_tensor_info {
  uint32_t size;  /* sizeof(pz_chain_tensor_info), set by the caller */
  uint32_t role;  /* pz_role */
  uint32_t stage; /* index of its stage */
  uint32_t reserved;
  const char* name; /* as in PyTorch: "original", "original0" ...; "STAGE.NAME" for others */
  pz_spec spec;
} pz_chain_tensor_info;

/* Describes tensor `index` of a role; and the number of tensors of a role. [any thread] */
PZ_API pz_status pz_chain_tensor(const pz_chain* chain, pz_role role, uint32_t index,
                                 pz_chain_tensor_info* out);
PZ_API uint32_t pz_chain_count(const pz_chain* chain, pz_role role);

/* The spec of the value. [any thread] */
PZ_API const pz_spec* pz_chain_value(const pz_chain* chain);

/* The spec of the chain's log |det|, one number for each determinant: the value's dtype and the
   extents of its batch, as the last parametrization gives it, before a view ends. The stages' numbers
   are summed to the largest determinants among them. PZ_UNSUPPORTED names a stage without log |det|
   for its input, or two stages where the coordinates of the one's value are not those of the other's
   input, or that read the tensor differently (docs/densities.md).
   [any thread] */
PZ_API pz_status pz_chain_density(const pz_chain* chain, pz_spec* out);

/* ---- state ---------------------------------------------------------------- */

/* Makes the tensors of a chain on a queue's device, filled with zeros. PZ_UNSUPPORTED for
   float64 on a device without it. [any thread] */
PZ_API pz_status pz_state_new(const pz_chain* chain, pz_queue* queue, pz_state** out);
PZ_API void pz_state_free(pz_state* state);

/* A view of one tensor. After the host has written it, it calls pz_state_touch. Valid until the state
   is freed or the tensor is bound. On a device, PZ_UNSUPPORTED unless the context has
   PZ_DEVICE_TENSORS. [any thread] */
PZ_API pz_status pz_state_tensor(const pz_state* state, pz_role role, uint32_t index,
                                 pz_tensor* out);

/* Makes the state use the host's own memory for one tensor, without a copy: same spec, on the
   queue's device, strides allowed. The memory must outlive the state. [exclusive] */
PZ_API pz_status pz_state_bind(pz_state* state, pz_role role, uint32_t index,
                               const pz_tensor* tensor);

/* Declares that tensors were written. [exclusive] */
PZ_API void pz_state_touch(pz_state* state);

/* A number that changes with every change of the state; never 0. [any thread] */
PZ_API uint64_t pz_state_version(const pz_state* state);

enum {
  PZ_KEEP_EXISTING = 1U << 0, /* PZ_EXISTS instead of replacing a file */
};

/* Writes the own parameters and buffers of a state to a safetensors file, which appears whole or
   not at all; and reads them back. Names are those of pz_chain_tensor_info. PZ_MISMATCH for the state
   of a chain of another text or value, and for a file with other names, dtypes or shapes. [exclusive] */
PZ_API pz_status pz_state_save(const pz_state* state, const char* path, uint32_t flags);
PZ_API pz_status pz_state_load(pz_state* state, const char* path);

/* ---- evaluations ---------------------------------------------------------- */

/* Makes an evaluation of a chain on a queue. It allocates at its first use and keeps the memory.
   Tensors passed to the functions below, gradients included, are on the host or on the queue's
   device and may have strides. [any thread] */
PZ_API pz_status pz_eval_new(const pz_chain* chain, pz_queue* queue, pz_eval** out);
PZ_API void pz_eval_free(pz_eval* eval);

/* Computes the value of `state`. `flags`: PZ_CALL_SAVING if pz_eval_vjp, pz_eval_jvp or
   pz_eval_log_abs_det will follow, PZ_CALL_TRAINING. With `into`, the value is written there too.
   `value` (may be NULL) becomes a view of the evaluation's own memory, valid until its next call
   other than those three and pz_eval_log_abs_det_vjp; on a device, PZ_UNSUPPORTED unless the context
   has PZ_DEVICE_TENSORS. [exclusive] */
PZ_API pz_status pz_eval_forward(pz_eval* eval, const pz_state* state, uint32_t flags,
                                 const pz_tensor* into, pz_tensor* value);

/* Waits for the device and reports, once, a failure of this evaluation since the last check. On every
   device a singular matrix gives NaN in forward and the derivatives, and PZ_SINGULAR here, or from the
   call itself if its result goes to host memory that the caller gave; `into` is as before then.
   (Calls that change the state report it themselves.) [exclusive] */
PZ_API pz_status pz_eval_check(pz_eval* eval);

/* Gradients with respect to the originals, then the own parameters, from gradients of the value
   of the last forward, which must have saved. For cotangent j < n_cotangents and each bit k of
   `want`, gradients[j * n + k] is written (accumulate false) or added to (true), where n is the
   number of originals and own parameters; other gradients are not read. If a stage fails, gradients to
   be written hold nothing in particular; those to be added to are as before.
   Any number of times per forward. PZ_STALE if the state changed since, PZ_UNSUPPORTED names a stage
   without vjp. [exclusive] */
PZ_API pz_status pz_eval_vjp(pz_eval* eval, const pz_state* state, const pz_tensor* cotangents,
                             uint32_t n_cotangents, uint64_t want, bool accumulate,
                             const pz_tensor* gradients);

/* Derivatives of the value of the last forward, which must have saved, along directions: for
   j < n_tangents, out[j] = sum over k of (dy/dx_k) tangents[j * n + k], where x_k are the originals,
   then the own parameters, and n is their number. A tangent whose data is NULL is zero. `out` has
   the value's spec; after a failure as gradients of pz_eval_vjp. Any number of times per forward.
   PZ_STALE if the state changed since, PZ_UNSUPPORTED names a stage without jvp. [exclusive] */
PZ_API pz_status pz_eval_jvp(pz_eval* eval, const pz_state* state, const pz_tensor* tangents,
                             uint32_t n_tangents, const pz_tensor* out);

/* out = log |det dy/dx| of the last forward, which must have saved: the sum over all stages, with
   the spec of pz_chain_density. Own parameters count as constants. -Inf where a determinant is
   zero. PZ_STALE if the state changed since, PZ_UNSUPPORTED as pz_chain_density. [exclusive] */
PZ_API pz_status pz_eval_log_abs_det(pz_eval* eval, const pz_state* state, const pz_tensor* out);

/* The gradient of pz_eval_log_abs_det: gradients[k] = (or, with accumulate, +=) the sum over the
   batch of g_out times the derivative of its log |det|, for each bit k of `want`. g_out has the
   spec of pz_chain_density. Otherwise as pz_eval_vjp. [exclusive] */
PZ_API pz_status pz_eval_log_abs_det_vjp(pz_eval* eval, const pz_state* state,
                                         const pz_tensor* g_out, uint64_t want, bool accumulate,
                                         const pz_tensor* gradients);

/* Initialises the own parameters and buffers of stage `first` and later ones. Stage 0 sees
   `tensor`: what the chain is registered on (PZ_FROM_TENSOR) or the first original
   (PZ_FROM_INPUT). Later stages see the value of the stage before, computed from the state's
   originals or, with first = 0 and PZ_FROM_TENSOR, from those that stage 0 takes for `tensor`.
   `tensor` is not read if first > 0. All or nothing is written. [exclusive] */
PZ_API pz_status pz_eval_initialize(pz_eval* eval, pz_state* state, uint32_t first,
                                    const pz_tensor* tensor);

/* Sets the originals from a value, from the last stage to the first. The last stage runs with
   `intent`, the others with PZ_CHAIN. Own parameters and buffers that a right inverse replaces
   change too. All or nothing is written. PZ_UNSUPPORTED names a stage without right inverse;
   with PZ_REGISTER, a single stage with one original counts as the identity. [exclusive] */
PZ_API pz_status pz_eval_assign(pz_eval* eval, pz_state* state, pz_intent intent,
                                const pz_tensor* value);

/* Runs the update of every stage that has one, all or nothing. [exclusive] */
PZ_API pz_status pz_eval_update(pz_eval* eval, pz_state* state);

/* Draws a value from the context's random stream and assigns it: a member of the last stage's
   set or, if that stage has no sample, the value of standard normal originals. [exclusive] */
PZ_API pz_status pz_eval_sample(pz_eval* eval, pz_state* state);

/* Distance of `value` from the set of stage `index`, in that stage's measure; `value` is like
   pz_stage_info.value, or like the chain's value for the last stage. `back` has the set of the stage
   before it. PZ_UNSUPPORTED if the stage has no residual. [exclusive] */
PZ_API pz_status pz_eval_residual(pz_eval* eval, const pz_state* state, uint32_t index,
                                  const pz_tensor* value, double* distance);

/* Memory that an evaluation holds. */
typedef struct pz_eval_usage {
  uint32_t size; /* sizeof(pz_eval_usage), set by the caller */
  uint32_t reserved;
  uint64_t value_bytes; /* values of all stages */
  uint64_t saved_bytes; /* saved by forward for vjp */
  uint64_t work_bytes;  /* scratch */
  uint64_t allocations; /* made so far */
} pz_eval_usage;

/* Reports the memory of an evaluation. [any thread] */
PZ_API pz_status pz_eval_memory(const pz_eval* eval, pz_eval_usage* out);

PZ_END_DECLS

#endif /* PARAMETRIZE_CHAIN_H */
