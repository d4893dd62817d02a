/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For authors of parametrizations.

   A parametrization is a map from unconstrained originals to a constrained value,
   written once and run on every device. A plugin is a shared object that exports one
   data symbol (descriptor.h) naming tables of type pz_parametrization. It links to
   nothing of libparametrize: every service arrives through the pz_call that the host
   hands to each entry.

   What the host guarantees
   - Every tensor handed to an entry is C-contiguous, on the call's device, of the
     declared spec. Matrices are the last two dimensions, the others a batch; extents
     may be 0 or 1. Inputs never alias outputs.
   - The host owns all memory and hands it out (pz_work, pz_save).
   - One call is used by one thread; entries of different calls run at the same time.

   What a plugin promises
   - forward, right_inverse, vjp and residual read their inputs, buffers, options and
     draw, and write their outputs, nothing else.
   - It never exits or aborts, starts no thread, allocates no memory, keeps no mutable
     globals, lets no C++ exception out, and leaves locale, signals and floating-point
     environment as they were.
   - Tensors are touched only through the operations of ops.h: their data may lie on a
     device, or not be a pointer at all. */

#ifndef PARAMETRIZE_PLUGIN_H
#define PARAMETRIZE_PLUGIN_H

#include <parametrize/descriptor.h>
#include <parametrize/kernel.h>
#include <parametrize/ops.h>
#include <parametrize/types.h>
#include <parametrize/view.h>

PZ_BEGIN_DECLS

typedef struct pz_services pz_services;

/* ---- the call ------------------------------------------------------------- */

/* Why right_inverse runs. */
typedef enum pz_intent {
  PZ_REGISTER = 1, /* whatever tensor the user had: return the originals of a sensible
                      projection; never refuse it for lying outside the set */
  PZ_ASSIGN = 2,   /* the user's own value: refuse one outside the set (PZ_OUTSIDE, with
                      the distance) or without an inverse (PZ_SINGULAR) */
  PZ_CHAIN = 3,    /* handed down by the next map of the chain: never validate */
} pz_intent;

/* Which way plan is asked. */
typedef enum pz_direction {
  PZ_FROM_TENSOR = 1, /* given[0] is to be parametrized: which originals? */
  PZ_FROM_INPUT = 2,  /* given[0 .. n_given-1] are the originals: which value? */
} pz_direction;

enum {
  PZ_CALL_SAVING = 1U << 0,   /* forward: vjp will follow, save what it needs */
  PZ_CALL_TRAINING = 1U << 1, /* the module is in training mode */
};

struct pz_call {
  uint32_t size;            /* sizeof(pz_call) of the host */
  uint32_t flags;           /* PZ_CALL_... */
  const pz_ops* ops;        /* operations on tensors */
  const pz_services* host;  /* everything else */
  const pz_value* options;  /* resolved, in the order of the table's options */
  const pz_tensor* buffer;  /* state, read-only, in the order of declaration */
  pz_tensor* new_buffer;    /* init, right_inverse, update: staged copies of the
                                    buffers, committed together with the outputs when
                                    the whole chain succeeded; NULL elsewhere */
  pz_tensor* new_parameter; /* init, right_inverse: staged copies of the map's
                                       own parameters; NULL elsewhere */
  uint32_t in;              /* pz_structure of the first input; in right_inverse
                                    and vjp too: what x is known to be. In forward and vjp of
                                    a map that takes triangles perhaps with PZ_BY_UPPER or
                                    PZ_BY_LOWER: then only that triangle of x is there, and
                                    gx is the gradient with respect to it, zero elsewhere */
  uint32_t intent;          /* pz_intent, in right_inverse */
  uint32_t direction;       /* pz_direction, in plan */
  uint32_t n_given;         /* specs given to plan */
  uint32_t n_original;      /* inputs: originals, or the one input of a later map */
  uint32_t n_x;             /* n_original + the map's own parameters */
  uint32_t n_buffer;
  uint32_t dtype; /* PZ_F32 or PZ_F64: that of the value */
  uint64_t want;  /* vjp: bit k set = gx[k] is wanted */
  uint64_t draw;  /* this entry's random stream: a Philox key, never 0 */
  void* reserved; /* the host's */
};

/* ---- options -------------------------------------------------------------- */

typedef struct pz_option {
  const char* name;
  const char* doc; /* one line */
  uint32_t type;   /* pz_value_type */
  uint32_t n_choices;
  const char* const* choices; /* PZ_CHOICE only */
  pz_value fallback;          /* the default; PZ_TENSOR: always NULL */
  pz_value least;             /* PZ_REAL and PZ_INTEGER: bounds, both inclusive */
  pz_value most;
} pz_option;

#define PZ_OPTION_REAL(name_, default_, least_, most_, doc_)        \
  {                                                                 \
    .name = (name_), .doc = (doc_), .type = PZ_REAL,                \
    .fallback = {.type = PZ_REAL, .as = {.real = (default_)}},      \
    .least = {.type = PZ_REAL, .as = {.real = (least_)}}, .most = { \
      .type = PZ_REAL,                                              \
      .as = {.real = (most_)}                                       \
    }                                                               \
  }

#define PZ_OPTION_INTEGER(name_, default_, least_, most_, doc_)           \
  {                                                                       \
    .name = (name_), .doc = (doc_), .type = PZ_INTEGER,                   \
    .fallback = {.type = PZ_INTEGER, .as = {.integer = (default_)}},      \
    .least = {.type = PZ_INTEGER, .as = {.integer = (least_)}}, .most = { \
      .type = PZ_INTEGER,                                                 \
      .as = {.integer = (most_)}                                          \
    }                                                                     \
  }

#define PZ_OPTION_FLAG(name_, default_, doc_)                      \
  {                                                                \
    .name = (name_), .doc = (doc_), .type = PZ_FLAG, .fallback = { \
      .type = PZ_FLAG,                                             \
      .as = {.integer = (default_)}                                \
    }                                                              \
  }

/* `choices_` is an array of strings; the default is an index into it. */
#define PZ_OPTION_CHOICE(name_, default_, choices_, doc_)                                     \
  {                                                                                           \
    .name = (name_), .doc = (doc_), .type = PZ_CHOICE,                                        \
    .n_choices = (uint32_t)(sizeof(choices_) / sizeof((choices_)[0])), .choices = (choices_), \
    .fallback = {                                                                             \
      .type = PZ_CHOICE,                                                                      \
      .as = {.integer = (default_)}                                                           \
    }                                                                                         \
  }

#define PZ_OPTION_TENSOR(name_, doc_)                                                   \
  {                                                                                     \
    .name = (name_), .doc = (doc_), .type = PZ_TENSOR, .fallback = {.type = PZ_TENSOR } \
  }

/* ---- the table ------------------------------------------------------------ */

typedef struct pz_parametrization {
  uint32_t size; /* sizeof(pz_parametrization) */
  uint32_t option_size;
  const char* id;      /* [a-z][a-z0-9_]*, how chains name it */
  const char* summary; /* one line */
  const char* formula; /* the map, its domain and cost, may be NULL or several lines */
  const pz_option* options;
  uint32_t n_options;
  uint32_t reserved; /* zero */

  /* Declares originals, own parameters, buffers and the value with its structure, from
     specs and options, never from data. `given` has c->n_given specs. Missing: one
     original of the spec of given[0], a value of the same, structure general. */
  pz_status (*plan)(pz_call* c, const pz_spec* given);

  /* Fills new_buffer and new_parameter (both zero on entry) when the map joins a chain.
     `tensor` is what the map is registered on: the user's tensor, or the value so far.
     Missing: they stay zero. */
  pz_status (*init)(pz_call* c, const pz_tensor* tensor);

  /* y = P(x[0 .. n_x-1]): originals, then own parameters. Required. */
  pz_status (*forward)(pz_call* c, const pz_tensor* x, pz_tensor* y);

  /* Originals x[0 .. n_original-1] with P(x) = y, for the call's intent. Missing: the
     identity when first in a list and registering; refused otherwise. */
  pz_status (*right_inverse)(pz_call* c, const pz_tensor* y, pz_tensor* x);

  /* gx[k] = (dy/dx[k])^T gy for each k in c->want, overwriting gx[k]; others are not to
     be touched. May run any number of times after one forward with PZ_CALL_SAVING. After
     a symmetric or skew input (c->in) any gradient is right whose projection onto that
     space is. Missing: backward refuses. */
  pz_status (*vjp)(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* gy,
                   pz_tensor* gx);

  /* One step of the map's own state, new_buffer from buffer and x, when the host says
     so (once per optimizer step). The first map of a list may move what its originals hold
     into its state, by pz_new_original. Missing: nothing to do. */
  pz_status (*update)(pz_call* c, const pz_tensor* x);

  /* Distance of y from the set of values, in the units of y's entries, the largest over
     the batch. Missing: unknown. */
  pz_status (*residual)(pz_call* c, const pz_tensor* y, double* distance);

  /* Draws a member of the set with c->draw. Missing: the host draws standard normal
     originals and runs forward. */
  pz_status (*sample)(pz_call* c, pz_tensor* y);

  /* How files called the tensors before: "original0=_g original1=_v", words of a tensor as
     declared, an original first, and of what then stood behind the name of the value
     ("weight_g"). Loads take such entries where the map is the first of a list; see
     pz_file_renamed. May be NULL. */
  const char* older_names;
} pz_parametrization;

/* ---- services ------------------------------------------------------------- */

struct pz_services {
  uint32_t size; /* sizeof(pz_services) of the host */
  uint32_t reserved;

  /* Records one line of detail and returns `status`. */
  pz_status (*fail)(pz_call* c, pz_status status, const char* format, ...) PZ_PRINTF(3, 4);

  /* In plan only. `name` is copied; NULL names an original "original" or "originalK". */
  pz_status (*declare_original)(pz_call* c, const char* name, const pz_spec* spec);
  pz_status (*declare_parameter)(pz_call* c, const char* name, const pz_spec* spec);
  pz_status (*declare_buffer)(pz_call* c, const char* name, const pz_spec* spec);
  pz_status (*declare_value)(pz_call* c, const pz_spec* spec, uint32_t structure);

  /* Scratch on the device, uninitialized, valid until the entry returns. */
  pz_status (*work)(pz_call* c, const pz_spec* spec, pz_tensor* out);
  /* Scratch on the host, 64-byte aligned, valid until the entry returns. */
  pz_status (*work_host)(pz_call* c, size_t bytes, void** out);

  /* In forward under PZ_CALL_SAVING: memory that the matching vjp calls find again, in
     the order of saving. Without that flag both hand out scratch. */
  pz_status (*save)(pz_call* c, const pz_spec* spec, pz_tensor* out);
  pz_status (*save_host)(pz_call* c, size_t bytes, void** out);
  /* In vjp: the k-th tensor, and the k-th host record; read-only. */
  pz_status (*saved)(pz_call* c, uint32_t k, pz_tensor* out);
  pz_status (*saved_host)(pz_call* c, uint32_t k, const void** out);

  /* Marks scratch, and gives back all that was taken since the mark: for loops. */
  uint64_t (*work_mark)(pz_call* c);
  void (*work_release)(pz_call* c, uint64_t mark);

  /* In update: a staged copy of original k, holding what x[k] does, for the map to write;
     committed together with new_buffer. PZ_UNSUPPORTED where the map is not the first of
     its list: its input is then the value of another map. */
  pz_status (*new_original)(pz_call* c, uint32_t k, pz_tensor* out);

  /* In plan only, and never binding, so that two maps in a row need not make a matrix that
     neither has any use for. declare_fold: forward is fold(triangle, sign, x[0], y) and vjp
     fold_adjoint(triangle, sign, gy, gx[0]) and nothing else, the sign being that of the value's
     structure, PZ_SYMMETRIC or PZ_SKEW; the host may skip both entries and hand x[0] itself to a
     map that has declared take_triangle. */
  pz_status (*declare_fold)(pz_call* c, uint32_t triangle);
  pz_status (*take_triangle)(pz_call* c);
};

/* ---- shorthand ------------------------------------------------------------ */

/* pz_fail(c, status, "format", ...): one lower-case line: what was found, what was
   expected. Returns status. */
#define pz_fail(c, ...) ((c)->host->fail((c), __VA_ARGS__))

static inline pz_status
pz_declare_original(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  return c->host->declare_original(c, name, spec);
}

static inline pz_status
pz_declare_parameter(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  return c->host->declare_parameter(c, name, spec);
}

static inline pz_status
pz_declare_buffer(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  return c->host->declare_buffer(c, name, spec);
}

static inline pz_status
pz_declare_value(pz_call* const c, const pz_spec* const spec, const pz_structure structure)
{
  return c->host->declare_value(c, spec, (uint32_t)structure);
}

static inline pz_status
pz_declare_fold(pz_call* const c, const pz_triangle triangle)
{
  return c->host->declare_fold(c, (uint32_t)triangle);
}

static inline pz_status
pz_take_triangle(pz_call* const c)
{
  return c->host->take_triangle(c);
}

/* In plan: refuses all but one input whose last two dimensions are square matrices. */
static inline pz_status
pz_expect_square(pz_call* const c, const pz_spec* const given)
{
  if (c->n_given != 1) {
    return pz_fail(c, PZ_MISMATCH, "found %u inputs, expected one", (unsigned)c->n_given);
  }
  if (given->ndim < 2) {
    return pz_fail(c, PZ_MISMATCH, "found %d dimension%s, expected square matrices",
                   (int)given->ndim, given->ndim == 1 ? "" : "s");
  }
  const int64_t rows = given->shape[given->ndim - 2];
  const int64_t cols = given->shape[given->ndim - 1];
  if (rows != cols) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected square ones",
                   (long long)rows, (long long)cols);
  }
  return PZ_OK;
}

static inline pz_status
pz_work(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  return c->host->work(c, spec, out);
}

/* Scratch of the shape and dtype of `like`. */
static inline pz_status
pz_work_like(pz_call* const c, const pz_tensor* const like, pz_tensor* const out)
{
  const pz_spec spec = pz_spec_of(like);
  return c->host->work(c, &spec, out);
}

static inline pz_status
pz_save_like(pz_call* const c, const pz_tensor* const like, pz_tensor* const out)
{
  const pz_spec spec = pz_spec_of(like);
  return c->host->save(c, &spec, out);
}

static inline pz_status
pz_new_original(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  return c->host->new_original(c, k, out);
}

static inline bool
pz_wants(const pz_call* const c, const uint32_t k)
{
  return (c->want >> k) & 1U;
}

static inline pz_status
pz_copy(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return c->ops->copy(c, x, y);
}

static inline pz_status
pz_axpby(pz_call* const c, const double a, const pz_tensor* const x, const double b,
         pz_tensor* const y)
{
  return c->ops->axpby(c, a, x, b, y);
}

static inline pz_status
pz_hadamard(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const z)
{
  return c->ops->hadamard(c, 1.0, x, y, 0.0, z);
}

static inline pz_status
pz_gemm(pz_call* const c, const pz_trans ta, const pz_trans tb, const double alpha,
        const pz_tensor* const a, const pz_tensor* const b, const double beta, pz_tensor* const y)
{
  return c->ops->gemm(c, ta, tb, alpha, a, b, beta, y);
}

static inline pz_status
pz_shifted_inverse(pz_call* const c, const uint32_t in, const double alpha, const double beta,
                   const double gamma, const double delta, const pz_tensor* const x,
                   pz_tensor* const y)
{
  return c->ops->shifted_inverse(c, in, alpha, beta, gamma, delta, x, y);
}

static inline pz_status
pz_shifted_inverse_adjoint(pz_call* const c, const uint32_t in, const double alpha,
                           const double beta, const double delta, const pz_tensor* const y,
                           const pz_tensor* const gy, pz_tensor* const gx)
{
  return c->ops->shifted_inverse_adjoint(c, in, alpha, beta, delta, y, gy, gx);
}

PZ_END_DECLS

#endif /* PARAMETRIZE_PLUGIN_H */
