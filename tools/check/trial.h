/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain on one device, dtype and shape, with its state and evaluation. What must succeed and
   does not is a breach (outcome.h), which ends the process. Arrays of double that functions return
   are freed with the trial.

   The originals and the own parameters are one array x of n_x numbers, in order. */

#ifndef TOOLS_CHECK_TRIAL_H
#define TOOLS_CHECK_TRIAL_H

#include <parametrize/parametrize.h>

enum { TRIAL_TENSORS = 64 };

/* What all trials of a rule share. */
typedef struct bench {
  pz_context* context;
  pz_queue* queue;
  const char* id; /* of the parametrization that is checked */
  uint32_t flags; /* PZ_HAS_... */
  bool projects;  /* it has the tag of that name: assigning takes a tensor outside */
  bool surrogate; /* the same: with some options derivatives are not those of forward */
  uint64_t seed;
  const struct bench* reference; /* the same on other devices, for rules that compare them */
  const struct bench* handles;
} bench;

typedef struct trial_block trial_block;

typedef struct trial {
  const bench* bench;
  const char* text; /* of the chain */
  bool alone;       /* the chain has one stage */
  pz_spec given;    /* of the value it was planned from */
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  pz_spec y;
  uint32_t n_originals;
  uint32_t n_tensors; /* originals and own parameters */
  pz_spec spec[TRIAL_TENSORS];
  int64_t n_x;
  int64_t n_y;
  uint32_t n_buffers;
  int64_t n_b; /* numbers in all buffers */
  bool has_density;
  pz_spec density;
  int64_t n_density;
  uint64_t random;
  trial_block* blocks;
} trial;

/* Plans a chain from the spec of a value, and initializes it on a random tensor. False if the chain
   is refused, with PZ_MISMATCH or PZ_UNSUPPORTED and a reason; another answer is a breach. */
bool trial_open(trial* t, const bench* b, const char* text, const pz_spec* given);
void trial_close(trial* t);

double* trial_numbers(trial* t, int64_t n); /* zeros */
double* trial_copy(trial* t, int64_t n, const double* x);

/* Normal numbers times `scale`, rounded to dtype. */
double* trial_normal(trial* t, uint32_t dtype, int64_t n, double scale);

/* Writes random, well-scaled numbers to x, none of them near 0, and returns them. */
double* trial_start(trial* t);

double* trial_download(trial* t, const pz_tensor* tensor); /* of the device */
double* trial_read(trial* t);                              /* x */
void trial_write(trial* t, const double* x);
double* trial_read_buffers(trial* t); /* one after the other */
void trial_write_buffers(trial* t, const double* values);

/* Host tensors of these numbers, or of zeros, and back. */
pz_tensor trial_host_tensor(trial* t, const pz_spec* spec, const double* values);
double* trial_numbers_of(trial* t, const pz_tensor* host);

/* n eps, for values of n columns. */
double trial_unit(const trial* t);

/* ---- trial_calls.c: calls of the library that run callbacks -------------------------------- */

typedef enum trial_call {
  CALL_FORWARD, /* gives y, and saves for the next four */
  CALL_VJP,
  CALL_JVP,
  CALL_LOG_ABS_DET,
  CALL_LOG_ABS_DET_VJP,
  CALL_RESIDUAL, /* of a value, one number */
  CALL_ASSIGN,   /* of a value: three intents. This call and the next give x and the buffers */
  CALL_REGISTER,
  CALL_HAND_DOWN,
  CALL_SAMPLE,
  CALL_INIT,   /* on a value */
  CALL_UPDATE, /* moves the stream of the state on */
  TRIAL_CALLS,
} trial_call;

/* "vjp". */
const char* trial_call_name(trial_call call);

/* The numbers that a call reads and gives. */
int64_t trial_n_in(const trial* t, trial_call call);
int64_t trial_n_out(const trial* t, trial_call call);

/* Makes the call on `in`, or on nothing; `out` becomes what it gives, unless it is NULL. The stream of
   the context begins anew for each call. */
pz_status trial_make(trial* t, trial_call call, const double* in, double** out);

/* The same for calls that must succeed; NULL if it is unsupported and may be. */
double* trial_forward(trial* t);
double* trial_vjp(trial* t, const double* g);
double* trial_vjp_of(trial* t, const double* g, uint32_t tensor); /* of one tensor alone */
double* trial_jvp(trial* t, const double* dx);
double* trial_log_abs_det(trial* t, int64_t* n);
double* trial_log_abs_det_vjp(trial* t, const double* g);

pz_status trial_assign(trial* t, pz_intent intent, const double* y);
pz_status trial_residual(trial* t, const double* y, double* distance);

/* What every call reads, for the x that is there: random gradients and tangents, and the value; NULL
   for calls that read nothing. Runs forward. */
void trial_inputs(trial* t, const double* in[TRIAL_CALLS]);

#endif /* TOOLS_CHECK_TRIAL_H */
