/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For authors of parametrizations.

   A parametrization maps unconstrained originals to a constrained value. It is written once
   and runs on every device. A plugin is a shared object that exports one data symbol
   (descriptor.h), which names tables of type pz_parametrization. It links to nothing of
   libparametrize: every service comes with the pz_call that the host passes to each callback
   (the functions of the table).

   What the host guarantees
   - Every tensor passed to a callback is C-contiguous, on the call's device and of the declared
     spec. Matrices are the last two dimensions, the others form a batch. Extents may be 0
     or 1. Inputs never overlap outputs.
   - The host owns all memory. Callbacks get scratch by pz_work and memory that lasts from
     forward to vjp, jvp, log_abs_det and log_abs_det_vjp by pz_save.
   - One thread uses a call at a time. Callbacks of different calls run at the same time.

   What a plugin promises
   - forward, right_inverse, vjp, jvp, residual, log_abs_det and log_abs_det_vjp read their
     inputs, buffers, options and random stream, and write their outputs, nothing else.
   - It does not exit or abort, start threads, allocate memory, keep mutable globals, throw C++
     exceptions out of a callback, or change locale, signals or the floating-point environment.
   - It accesses tensors only through the operations of ops.h: their data may be on a device
     or may not be a pointer at all. */

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

struct pz_call {
  uint32_t size;            /* sizeof(pz_call) of the host */
  uint32_t flags;           /* PZ_CALL_... */
  const pz_ops* ops;        /* operations on tensors */
  const pz_services* host;  /* everything else */
  const pz_value* options;  /* one for each option of the table, in its order. A tensor is on the
                               host in plan, and on the device in all other callbacks */
  const pz_tensor* buffer;  /* state, read-only, in the order of declaration */
  pz_tensor* new_buffer;    /* init, right_inverse, update: copies of the buffers to write. They
                               are committed with the outputs if the whole chain succeeds.
                               NULL in other callbacks */
  pz_tensor* new_parameter; /* init, right_inverse: the same for own parameters */
  uint32_t in;              /* pz_structure of the first input, in every callback. After
                               pz_take_triangle, it may contain PZ_BY_UPPER or PZ_BY_LOWER in
                               forward, vjp, jvp, log_abs_det and log_abs_det_vjp: then only that
                               triangle of x is stored, and gx is the gradient with respect to it,
                               zero elsewhere; dx is complete */
  uint32_t intent;          /* pz_intent, in right_inverse */
  uint32_t direction;       /* pz_direction, in plan */
  uint32_t n_original;      /* number of inputs: originals, or 1 for a later stage */
  uint32_t n_x;             /* n_original + number of own parameters */
  uint32_t n_buffer;
  uint32_t dtype; /* of the value, PZ_F32 or PZ_F64 */
  uint64_t want;  /* vjp, log_abs_det_vjp: bit k is set if gx[k] is wanted */
  uint64_t draw;  /* the random stream of this callback: a Philox key, never 0 */
  void* reserved; /* the host's */
};

/* ---- options -------------------------------------------------------------- */

/* An option of a parametrization. Its default and bounds are doubles whatever its type:
   integers are exact up to 2^53, a flag is 0 or 1, and a choice is the index of its name. */
typedef struct pz_option {
  const char* name;
  const char* doc;            /* one line */
  uint32_t type;              /* pz_value_type */
  uint32_t n_choices;         /* PZ_CHOICE only */
  const char* const* choices; /* PZ_CHOICE only */
  double fallback;            /* the default; PZ_TENSOR has none */
  double least;               /* PZ_REAL and PZ_INTEGER: bounds, both inclusive; -HUGE_VAL and
                                 HUGE_VAL for none */
  double most;
} pz_option;

#define PZ_OPTION_REAL(name, fallback, least, most, doc)   \
  {                                                        \
    (name), (doc), PZ_REAL, 0, NULL, fallback, least, most \
  }
#define PZ_OPTION_INTEGER(name, fallback, least, most, doc)   \
  {                                                           \
    (name), (doc), PZ_INTEGER, 0, NULL, fallback, least, most \
  }
#define PZ_OPTION_FLAG(name, fallback, doc)             \
  {                                                     \
    (name), (doc), PZ_FLAG, 0, NULL, fallback, 0.0, 1.0 \
  }
/* `choices` is an array of strings; the default is an index into it. */
#define PZ_OPTION_CHOICE(name, fallback, choices, doc)                                       \
  {                                                                                          \
    (name), (doc), PZ_CHOICE, (uint32_t)(sizeof(choices) / sizeof((choices)[0])), (choices), \
        fallback, 0.0, 0.0                                                                   \
  }
/* The plugin sees a host tensor, or NULL. A number in a chain's text is a tensor of no
   dimensions. */
#define PZ_OPTION_TENSOR(name, doc)                  \
  {                                                  \
    (name), (doc), PZ_TENSOR, 0, NULL, 0.0, 0.0, 0.0 \
  }

/* In a table in C, or in C++20 in the order of the fields: the options and their number, of an array. */
#define PZ_OPTIONS(array) .options = (array), .n_options = sizeof(array) / sizeof((array)[0])

/* ---- the table ------------------------------------------------------------ */

typedef struct pz_parametrization {
  uint32_t size;        /* sizeof(pz_parametrization) */
  uint32_t option_size; /* sizeof(pz_option) */
  const char* id;       /* [a-z][a-z0-9_]*, its name in chains; not `view` or `back` */
  const char* summary;  /* one line */
  const char* formula;  /* the map, its domain and its cost, one or more lines; may be NULL */
  const pz_option* options;
  uint32_t n_options;
  uint32_t n_originals; /* 0 counts as 1. Only the first stage of a chain may have several */

  /* Declares originals, own parameters, buffers and the value with its structure, from specs
     and options, never from data. `given` is the spec of the value, or has that of each original,
     as c->direction says. If missing: one original of the spec given[0], and a value of the same
     spec, structure general. */
  pz_status (*plan)(pz_call* c, const pz_spec* given);

  /* Fills new_buffer and new_parameter, which are zero before, when the parametrization joins a
     chain. `tensor` is what it is registered on: the user's tensor, or the value of the stage
     before. If missing, they stay zero. */
  pz_status (*init)(pz_call* c, const pz_tensor* tensor);

  /* y = P(x[0 .. n_x-1]). x holds the originals, then the own parameters. Required. */
  pz_status (*forward)(pz_call* c, const pz_tensor* x, pz_tensor* y);

  /* Writes originals x[0 .. n_original-1] with P(x) = y, as the call's intent says. If missing,
     the first stage of a chain is the identity when it is registered, and everything else is
     PZ_UNSUPPORTED. */
  pz_status (*right_inverse)(pz_call* c, const pz_tensor* y, pz_tensor* x);

  /* gx[k] = (dy/dx[k])^T gy for each bit k of c->want, overwriting gx[k]. Other gx[k] must not
     be used. May run any number of times after one forward with PZ_CALL_SAVING. If the input is
     symmetric or skew (c->in), only the projection of gx[0] onto that space counts. If missing,
     backward is PZ_UNSUPPORTED. */
  pz_status (*vjp)(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* gy,
                   pz_tensor* gx);

  /* Updates the own state: new_buffer from buffer and x. Runs when the host asks for it (once
     per optimizer step, say). The first stage of a chain may also move what its originals hold
     into its state (pz_new_original). If missing, there is nothing to update. */
  pz_status (*update)(pz_call* c, const pz_tensor* x);

  /* Distance of y from the set of values, in the units of y's entries, the largest of the
     batch. If missing, the distance is unknown. */
  pz_status (*residual)(pz_call* c, const pz_tensor* y, double* distance);

  /* Draws a member of the set, using c->draw. If missing, the host draws standard normal
     originals and runs forward. */
  pz_status (*sample)(pz_call* c, pz_tensor* y);

  /* Names of the tensors in files of older programs, or NULL. "original0=_g original1=_v" means
     that the originals of "weight" were "weight_g" and "weight_v". Loads accept such names if
     the parametrization is the first stage of a chain (pz_file_with_current_names). */
  const char* legacy_names;

  /* Words by which people search, separated by spaces: "rotation statistics". May be NULL. */
  const char* tags;

  /* out = log |det dy/dx| for each batch entry, in the coordinates that plan declared with
     pz_declare_density. `out` has the shape of y without its last `dims` dimensions, and y's
     dtype. x holds the originals, then the own parameters, which count as constants of the
     determinant. Runs any number of times after one forward with PZ_CALL_SAVING, whose saved
     memory it may read. -Inf where the determinant is zero. If missing, or if plan declared no
     density, log |det| is PZ_UNSUPPORTED. */
  pz_status (*log_abs_det)(pz_call* c, const pz_tensor* x, const pz_tensor* y, pz_tensor* out);

  /* gx[k] = g_out times the gradient of log_abs_det with respect to x[k], for each bit k of
     c->want, overwriting gx[k]. g_out has the shape of log_abs_det's `out`. Other rules as for
     vjp. If missing, that gradient is PZ_UNSUPPORTED. */
  pz_status (*log_abs_det_vjp)(pz_call* c, const pz_tensor* x, const pz_tensor* y,
                               const pz_tensor* g_out, pz_tensor* gx);

  /* dy = sum over k of (dy/dx[k]) dx[k], overwriting dy. dx[k] has the shape of x[k]; its data is
     NULL where the tangent is zero, but at least one tangent is given. If the input is symmetric
     or skew (c->in), so is dx[0]. Runs any number of times after one forward with
     PZ_CALL_SAVING. If missing, jvp is PZ_UNSUPPORTED. */
  pz_status (*jvp)(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* dx,
                   pz_tensor* dy);
} pz_parametrization;

/* ---- services ------------------------------------------------------------- */

struct pz_services {
  uint32_t size; /* sizeof(pz_services) of the host */
  uint32_t reserved;

  /* Records one line of detail and returns `status`. */
  pz_status (*fail)(pz_call* c, pz_status status, const char* format, ...) PZ_PRINTF(3, 4);

  /* In plan only. `name` is copied. NULL names an original "original", or "originalK" if there
     are several. */
  pz_status (*declare_original)(pz_call* c, const char* name, const pz_spec* spec);
  pz_status (*declare_parameter)(pz_call* c, const char* name, const pz_spec* spec);
  pz_status (*declare_buffer)(pz_call* c, const char* name, const pz_spec* spec);
  pz_status (*declare_value)(pz_call* c, const pz_spec* spec, uint32_t structure);

  /* Scratch on the device, uninitialized, valid until the callback returns. */
  pz_status (*work)(pz_call* c, const pz_spec* spec, pz_tensor* out);
  /* Scratch on the host, aligned to 64 bytes, valid until the callback returns. */
  pz_status (*work_host)(pz_call* c, size_t bytes, void** out);

  /* In forward with PZ_CALL_SAVING: memory that later calls of vjp, jvp, log_abs_det and
     log_abs_det_vjp find again, in the order of saving. Without that flag, scratch. */
  pz_status (*save)(pz_call* c, const pz_spec* spec, pz_tensor* out);
  pz_status (*save_host)(pz_call* c, size_t bytes, void** out);
  /* In those four callbacks, read-only: the k-th saved tensor, and the k-th memory saved on the
     host. */
  pz_status (*saved)(pz_call* c, uint32_t k, pz_tensor* out);
  pz_status (*saved_host)(pz_call* c, uint32_t k, const void** out);

  /* For loops: remembers how much scratch is in use, and releases what was taken since. */
  uint64_t (*work_mark)(pz_call* c);
  void (*work_release)(pz_call* c, uint64_t mark);

  /* In update: a copy of original k, equal to x[k], for the callback to write. It is committed
     together with new_buffer. PZ_UNSUPPORTED unless the stage is the first of its chain,
     because other stages have no originals. */
  pz_status (*new_original)(pz_call* c, uint32_t k, pz_tensor* out);

  /* In plan only: hints with which the host can skip a matrix between two stages.
     declare_fold: forward is exactly fold(triangle, sign, x[0], y) and vjp exactly
     fold_adjoint(triangle, sign, gy, gx[0]), with the sign of the value's structure,
     PZ_SYMMETRIC or PZ_SKEW. take_triangle: forward and vjp accept PZ_BY_UPPER and PZ_BY_LOWER
     in c->in. If a stage that takes triangles follows a fold, the host may pass x[0] of the fold
     to it directly. */
  pz_status (*declare_fold)(pz_call* c, uint32_t triangle);
  pz_status (*take_triangle)(pz_call* c);

  /* In plan only: this input has a density, which log_abs_det computes. One determinant extends
     over the last `dims` dimensions of the value: 0 for each entry by itself, 1 for vectors, 2
     for matrices. The other dimensions are the batch: originals begin with the same extents, and
     an entry of the batch depends on the same entry of each original only. `in` and `out`, codes
     of pz_coordinates, tell which entries of the originals and of the value are the coordinates;
     the value depends on no other entry of the originals, and they are equally many. */
  pz_status (*declare_density)(pz_call* c, uint32_t dims, uint32_t in, uint32_t out);
};

/* ---- shorthand ------------------------------------------------------------ */

/* pz_fail(c, status, "format", ...) records one line in lower case, what was found and what was
   expected, and returns status. */
#define pz_fail(c, ...) (((c)->host->fail)((c), __VA_ARGS__))

/* The services of the call, with the arguments of pz_services. */
#define pz_declare_original(c, ...) (((c)->host->declare_original)((c), __VA_ARGS__))
#define pz_declare_parameter(c, ...) (((c)->host->declare_parameter)((c), __VA_ARGS__))
#define pz_declare_buffer(c, ...) (((c)->host->declare_buffer)((c), __VA_ARGS__))
#define pz_declare_value(c, ...) (((c)->host->declare_value)((c), __VA_ARGS__))
#define pz_work(c, ...) (((c)->host->work)((c), __VA_ARGS__))
#define pz_work_host(c, ...) (((c)->host->work_host)((c), __VA_ARGS__))
#define pz_save(c, ...) (((c)->host->save)((c), __VA_ARGS__))
#define pz_save_host(c, ...) (((c)->host->save_host)((c), __VA_ARGS__))
#define pz_saved(c, ...) (((c)->host->saved)((c), __VA_ARGS__))
#define pz_saved_host(c, ...) (((c)->host->saved_host)((c), __VA_ARGS__))
#define pz_work_mark(c) (((c)->host->work_mark)(c))
#define pz_work_release(c, ...) (((c)->host->work_release)((c), __VA_ARGS__))
#define pz_new_original(c, ...) (((c)->host->new_original)((c), __VA_ARGS__))
#define pz_declare_fold(c, ...) (((c)->host->declare_fold)((c), __VA_ARGS__))
#define pz_take_triangle(c) (((c)->host->take_triangle)(c))
#define pz_declare_density(c, ...) (((c)->host->declare_density)((c), __VA_ARGS__))

/* In plan: refuses fewer than `least` dimensions; `expected` is a plural, "matrices". */
static inline pz_status
pz_expect_dims(pz_call* const c, const pz_spec* const given, const int32_t least,
               const char* const expected)
{
  return given->ndim >= least ? PZ_OK
                              : pz_fail(c, PZ_MISMATCH, "found %d dimension%s, expected %s",
                                        (int)given->ndim, given->ndim == 1 ? "" : "s", expected);
}

/* In plan: refuses tensors that have no dimension `dim`, which counts from the last below 0. */
static inline pz_status
pz_expect_dim(pz_call* const c, const pz_spec* const given, const int32_t dim)
{
  return dim >= -given->ndim && dim < given->ndim
             ? PZ_OK
             : pz_fail(c, PZ_MISMATCH, "found %d dimension%s, expected at least %d for dim=%d",
                       (int)given->ndim, given->ndim == 1 ? "" : "s",
                       (int)(dim < 0 ? -dim : dim + 1), (int)dim);
}

/* In plan: refuses anything but square matrices as the last two dimensions. */
static inline pz_status
pz_expect_square(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_dims(c, given, 2, "square matrices"));
  const int64_t rows = given->shape[given->ndim - 2];
  const int64_t cols = given->shape[given->ndim - 1];
  if (rows != cols) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected square ones",
                   (long long)rows, (long long)cols);
  }
  return PZ_OK;
}

/* Scratch of the shape and dtype of `like`. */
static inline pz_status
pz_work_like(pz_call* const c, const pz_tensor* const like, pz_tensor* const out)
{
  const pz_spec spec = pz_spec_of(like);
  return c->host->work(c, &spec, out);
}

/* Saved memory of the shape and dtype of `like`. */
static inline pz_status
pz_save_like(pz_call* const c, const pz_tensor* const like, pz_tensor* const out)
{
  const pz_spec spec = pz_spec_of(like);
  return c->host->save(c, &spec, out);
}

/* The largest magnitude of all entries: 0 without any, NaN if one is NaN. Waits for the device. */
static inline pz_status
pz_largest(pz_call* const c, const pz_tensor* const t, double* const out)
{
  const int64_t as_row[2] = {1, pz_count(t)};
  const pz_spec scalar = pz_spec_make(t->dtype, 0, NULL);
  pz_tensor norm;
  pz_view row;
  PZ_TRY(pz_work(c, &scalar, &norm));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, pz_view_reshaped(&row, t, 2, as_row), &norm));
  return pz_read(c, &norm, out);
}

/* All entries of t as doubles, in C order, in scratch on the host. Waits for the device. */
static inline pz_status
pz_read_all(pz_call* const c, const pz_tensor* const t, const double** const out)
{
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)pz_count(t) * sizeof(double), &memory));
  *out = (const double*)memory;
  return pz_read(c, t, (double*)memory);
}

/* The spec of one number for each row of a tensor, with the rows of pz_launch_rows. */
static inline pz_spec
pz_spec_of_numbers(const pz_spec given, const pz_row_kind kind, const int32_t dim)
{
  pz_spec spec = pz_spec_make(given.dtype, kind == PZ_WHOLE ? 0 : given.ndim, given.shape);
  const int32_t index = dim < 0 ? dim + given.ndim : dim;
  for (int32_t i = 0; i < spec.ndim; ++i) {
    if ((i == index) == (kind == PZ_ALONG_DIM)) {
      spec.shape[i] = 1;
    }
  }
  return spec;
}

/* Whether vjp or log_abs_det_vjp must write gx[k]. */
static inline bool
pz_wants(const pz_call* const c, const uint32_t k)
{
  return (c->want >> k) & 1U;
}

/* ---- functions for the table: .log_abs_det = pz_zero_log_abs_det ------------- */

/* The original is the value itself, whatever the intent: nothing is checked. */
static inline pz_status
pz_copy_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return pz_copy(c, y, x);
}

/* Every tensor is a value. */
static inline pz_status
pz_zero_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  (void)c;
  (void)y;
  *distance = 0.0;
  return PZ_OK;
}

/* The determinant is 1 everywhere. */
static inline pz_status
pz_zero_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                    pz_tensor* const out)
{
  (void)x;
  (void)y;
  return pz_fill(c, 0.0, out);
}

/* The gradient of any constant determinant, of one original without own parameters. */
static inline pz_status
pz_zero_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                        const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  (void)g_out;
  return pz_fill(c, 0.0, gx);
}

PZ_END_DECLS

#endif /* PARAMETRIZE_PLUGIN_H */
