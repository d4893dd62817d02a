/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains: a list of parametrizations on one tensor, without names or caching.
   Include <parametrize/parametrize.h>.

   Three objects, so that threads need no locks:
     pz_chain  the maps with their options and plans; immutable, shared by reference
     pz_state  the tensors they work on: originals, own parameters, buffers
     pz_eval   one evaluation: value, what forward saved, scratch; one thread at a time

   Data flows original -> map 0 -> map 1 ... -> value. */

#ifndef PARAMETRIZE_CHAIN_H
#define PARAMETRIZE_CHAIN_H

#include <parametrize/context.h>
#include <parametrize/plugin.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_chain pz_chain;
typedef struct pz_state pz_state;
typedef struct pz_eval pz_eval;

/* ---- chains --------------------------------------------------------------- */

/* A chain is written as text:
     chain  = map *("," map)
     map    = id [ "(" option *("," option) ")" ]
     option = name "=" value
   "skew,cayley,pruning(p_drop=0.2,seed=7)". Reals as strtod reads them in the C locale,
   integers in decimal or 0x, flags 0, 1, true or false, choices by name. White space
   between words is ignored. Tensor options are given as pz_option_setting. */

/* An option given by a program: overrides and joins those in the text. */
typedef struct pz_option_setting {
  const char* name;
  uint32_t map;      /* index in the text */
  uint32_t reserved; /* zero */
  pz_value value;    /* PZ_CHOICE as text; tensors are host tensors, copied */
} pz_option_setting;

/* Makes the chain `text` describes. PZ_FROM_TENSOR: given[0] is the value's spec, originals
   follow. PZ_FROM_INPUT: the n_given specs are the originals. PZ_NOT_FOUND for an unknown
   map or option (with the nearest), PZ_INVALID for broken text or a value out of range,
   PZ_MISMATCH where a map refuses a shape. [any thread] */
PZ_API pz_status pz_chain_new(pz_context* context, const char* text,
                              const pz_option_setting* settings, uint32_t n_settings,
                              pz_direction direction, const pz_spec* given, uint32_t n_given,
                              pz_chain** out);

/* The chain followed by the maps of `text`. [any thread] */
PZ_API pz_status pz_chain_append(const pz_chain* chain, const char* text,
                                 const pz_option_setting* settings, uint32_t n_settings,
                                 pz_chain** out);

/* The chain less map `index`, which must leave a chain whose specs fit. [any thread] */
PZ_API pz_status pz_chain_without(const pz_chain* chain, uint32_t index, pz_chain** out);

PZ_API pz_chain* pz_chain_retain(pz_chain* chain);
PZ_API void pz_chain_free(pz_chain* chain);

/* Number of maps, and the canonical text with every option that differs from its default.
   [any thread] */
PZ_API uint32_t pz_chain_length(const pz_chain* chain);
PZ_API const char* pz_chain_text(const pz_chain* chain);

/* Map `index` of a chain. `map` describes its plugin. [any thread] */
typedef struct pz_entry_info {
  uint32_t size; /* sizeof(pz_entry_info), set by the caller */
  uint32_t reserved;
  const char* text; /* "pruning(p_drop=0.2)" */
  pz_spec value;    /* with its structure */
  pz_map_info map;  /* with its own size set */
} pz_entry_info;
PZ_API pz_status pz_chain_entry(const pz_chain* chain, uint32_t index, pz_entry_info* out);

typedef enum pz_role {
  PZ_ORIGINAL = 1,      /* unconstrained tensors of map 0, trained */
  PZ_OWN_PARAMETER = 2, /* a map's own tensors, trained */
  PZ_STATE_BUFFER = 3,  /* a map's state, not trained */
} pz_role;

/* A tensor that a chain works on. Names as in PyTorch: "original" or "original0" ...;
   "<map>.<name>" for own parameters and buffers. */
typedef struct pz_chain_tensor {
  uint32_t size; /* sizeof(pz_chain_tensor), set by the caller */
  uint32_t role; /* pz_role */
  uint32_t map;  /* index of the map it belongs to */
  uint32_t reserved;
  const char* name;
  pz_spec spec;
} pz_chain_tensor;

/* The tensors of one role in order; PZ_NOT_FOUND past the last. [any thread] */
PZ_API pz_status pz_chain_tensor_info(const pz_chain* chain, pz_role role, uint32_t index,
                                      pz_chain_tensor* out);
PZ_API uint32_t pz_chain_count(const pz_chain* chain, pz_role role);

/* The spec of the value. [any thread] */
PZ_API const pz_spec* pz_chain_value(const pz_chain* chain);

/* ---- state ---------------------------------------------------------------- */

/* Zero-filled tensors for a chain on a queue's device; PZ_UNSUPPORTED for float64 where the
   device has none. [any thread] */
PZ_API pz_status pz_state_new(pz_chain* chain, pz_queue* queue, pz_state** out);
PZ_API void pz_state_free(pz_state* state);

/* A view of one tensor, for the host to read and, followed by pz_state_touch, to write;
   valid until the state is freed or the tensor bound elsewhere. [any thread] */
PZ_API pz_status pz_state_tensor(const pz_state* state, pz_role role, uint32_t index,
                                 pz_tensor* out);

/* Uses the host's own memory for one tensor from now on, without a copy: same spec, on the
   queue's device; strides and offsets are legal. It must outlive the state. [exclusive] */
PZ_API pz_status pz_state_bind(pz_state* state, pz_role role, uint32_t index,
                               const pz_tensor* tensor);

/* Says that tensors were written. [exclusive] */
PZ_API void pz_state_touch(pz_state* state);

/* Changes with every change of the state; never 0. [any thread] */
PZ_API uint64_t pz_state_version(const pz_state* state);

enum {
  PZ_KEEP_EXISTING = 1U << 0, /* PZ_EXISTS rather than replace a file */
};

/* Writes the buffers and own parameters of a state, named as in pz_chain_tensor, to a
   safetensors file that appears whole or not at all; and reads them back, refusing a
   file whose names, dtypes or shapes are not exactly these. [exclusive] */
PZ_API pz_status pz_state_save(const pz_state* state, const char* path, uint32_t flags);
PZ_API pz_status pz_state_load(pz_state* state, const char* path);

/* ---- evaluations ---------------------------------------------------------- */

/* An evaluation of a chain on a queue; its memory is taken at the first use and kept.
   Tensors that the calls below are given, gradients included, are host tensors or on the
   queue's device; strides are honoured. [any thread] */
PZ_API pz_status pz_eval_new(pz_chain* chain, pz_queue* queue, pz_eval** out);
PZ_API void pz_eval_free(pz_eval* eval);

/* Computes the value of `state`. `flags`: PZ_CALL_SAVING where vjp will follow,
   PZ_CALL_TRAINING. The value is borrowed from the evaluation until its next call other
   than pz_eval_vjp. [exclusive] */
PZ_API pz_status pz_eval_forward(pz_eval* eval, const pz_state* state, uint32_t flags,
                                 pz_tensor* value);

/* Waits for the device and reports a failure that an operation of this evaluation found since
   the last check, once: on an asynchronous device a singular matrix becomes NaN at first and
   PZ_SINGULAR here. Elsewhere it returns at once. [exclusive] */
PZ_API pz_status pz_eval_check(pz_eval* eval);

/* Gradients with respect to originals, then own parameters, of the last forward, which
   must have saved: gradients[k] is written (accumulate 0) or added to (1) for each bit k
   of `want`; the others may be NULL data. Any number of times per forward. PZ_STALE when
   the state changed since, PZ_UNSUPPORTED naming a map without vjp. [exclusive] */
PZ_API pz_status pz_eval_vjp(pz_eval* eval, const pz_state* state, const pz_tensor* gradient,
                             uint64_t want, bool accumulate, const pz_tensor* gradients);

/* Lets maps `first` and later fill their buffers and own parameters. `tensor`: what the
   chain was registered on (PZ_FROM_TENSOR) or the first original (PZ_FROM_INPUT); unused,
   and may be NULL, where `first` > 0. Map 0 sees that tensor, every other one the value so
   far: from the originals of the state, or (first = 0, PZ_FROM_TENSOR) those that map 0
   would take for the tensor. Everything or nothing is written. [exclusive] */
PZ_API pz_status pz_eval_initialize(pz_eval* eval, pz_state* state, uint32_t first,
                                    const pz_tensor* tensor);

/* Originals from a value, last map to first: the last runs with `intent`, the others with
   PZ_CHAIN. Buffers and own parameters that maps restage move along. Everything or
   nothing is written. PZ_UNSUPPORTED names a map without right inverse (PZ_REGISTER: the
   identity when it is the only map with one original). [exclusive] */
PZ_API pz_status pz_eval_assign(pz_eval* eval, pz_state* state, pz_intent intent,
                                const pz_tensor* value);

/* One step of every map's own state, all or nothing. [exclusive] */
PZ_API pz_status pz_eval_update(pz_eval* eval, pz_state* state);

/* Draws a member of the last map's set from the context's stream and assigns it, or, for a
   map without sample, draws standard normal originals. [exclusive] */
PZ_API pz_status pz_eval_sample(pz_eval* eval, pz_state* state);

/* Distance of `value` from the set of map `index`; PZ_UNSUPPORTED where it cannot say.
   [exclusive] */
PZ_API pz_status pz_eval_residual(pz_eval* eval, const pz_state* state, uint32_t index,
                                  const pz_tensor* value, double* distance);

/* Bytes held: value and intermediates, saved, scratch; and allocations made so far.
   [any thread] */
typedef struct pz_eval_usage {
  uint32_t size; /* sizeof(pz_eval_usage), set by the caller */
  uint32_t reserved;
  uint64_t value_bytes;
  uint64_t saved_bytes;
  uint64_t work_bytes;
  uint64_t allocations;
} pz_eval_usage;
PZ_API pz_status pz_eval_memory(const pz_eval* eval, pz_eval_usage* out);

PZ_END_DECLS

#endif /* PARAMETRIZE_CHAIN_H */
