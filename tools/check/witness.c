/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "witness.h"

#include "guards.h"
#include "outcome.h"
#include "witness_ops.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 64, LISTS = 8, MARKS = 64, SAVED = 256 };

witness witness_now;

static pz_parametrization subject; /* the table of the file */

/* A callback of the subject under way. */
typedef struct observed {
  pz_call call;  /* what it gets; the first member */
  pz_call* real; /* what the library gave */
  guards guards;
  uint32_t n_lists;
  pz_tensor lists[LISTS][TENSORS];
  uint32_t n_marks;
  struct {
    uint64_t mark;
    const guarded* newest;
  } marks[MARKS];
  bool saves; /* forward, for later callbacks */
  uint32_t n_saved;
} observed;

static pz_spec saved[SAVED]; /* by the last forward */

static observed*
observed_of(pz_call* const c)
{
  return (observed*)c;
}

pz_call*
witness_real(pz_call* const c)
{
  return observed_of(c)->real;
}

pz_status
witness_request(pz_call* const c)
{
  witness_now.requests += 1;
  return witness_now.requests == witness_now.refuse
             ? pz_fail(witness_real(c), PZ_NO_MEMORY, "request %u of this callback is refused",
                       witness_now.refuse)
             : PZ_OK;
}

void
witness_wait(const int64_t numbers)
{
  witness_now.waits += 1;
  witness_now.most = numbers > witness_now.most ? numbers : witness_now.most;
}

/* ---- services ------------------------------------------------------------------------------------ */

static pz_status
take(pz_call* const c, guards_source* const source, const pz_spec* const spec,
     const char* const what, pz_tensor* const out)
{
  PZ_TRY(witness_request(c));
  return witness_now.guards ? guards_take(&observed_of(c)->guards, source, spec, what, out)
                            : source(witness_real(c), spec, out);
}

static pz_status
take_host(pz_call* const c, guards_host_source* const source, const size_t bytes,
          const char* const what, void** const out)
{
  PZ_TRY(witness_request(c));
  return witness_now.guards ? guards_take_host(&observed_of(c)->guards, source, bytes, what, out)
                            : source(witness_real(c), bytes, out);
}

static pz_status
seen_work(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  return take(c, witness_real(c)->host->work, spec, "scratch", out);
}

static pz_status
seen_work_host(pz_call* const c, const size_t bytes, void** const out)
{
  return take_host(c, witness_real(c)->host->work_host, bytes, "scratch on the host", out);
}

static pz_status
seen_save(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  observed* const o = observed_of(c);
  if (o->saves) {
    if (o->n_saved == SAVED) {
      outcome_breach("forward saved more than %d tensors", (int)SAVED);
    }
    saved[o->n_saved++] = *spec;
  }
  return take(c, witness_real(c)->host->save, spec, "a saved tensor", out);
}

static pz_status
seen_save_host(pz_call* const c, const size_t bytes, void** const out)
{
  return take_host(c, witness_real(c)->host->save_host, bytes, "saved memory on the host", out);
}

static pz_status
seen_saved(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  observed* const o = observed_of(c);
  pz_tensor whole;
  PZ_TRY(o->real->host->saved(o->real, k, &whole));
  *out = witness_now.guards && k < SAVED
             ? guards_found(&o->guards, &whole, &saved[k], "a saved tensor")
             : whole;
  return PZ_OK;
}

static pz_status
seen_saved_host(pz_call* const c, const uint32_t k, const void** const out)
{
  observed* const o = observed_of(c);
  PZ_TRY(o->real->host->saved_host(o->real, k, out));
  *out = witness_now.guards ? guards_found_host(*out) : *out;
  return PZ_OK;
}

static uint64_t
seen_work_mark(pz_call* const c)
{
  observed* const o = observed_of(c);
  const uint64_t mark = o->real->host->work_mark(o->real);
  while (o->n_marks > 0 && o->marks[o->n_marks - 1].mark >= mark) {
    o->n_marks -= 1; /* what was released */
  }
  if (o->n_marks < MARKS) {
    o->marks[o->n_marks].mark = mark;
    o->marks[o->n_marks++].newest = o->guards.newest;
  }
  return mark;
}

static void
seen_work_release(pz_call* const c, const uint64_t mark)
{
  observed* const o = observed_of(c);
  for (uint32_t k = o->n_marks; k-- > 0;) {
    if (o->marks[k].mark == mark) {
      guards_check(&o->guards, o->marks[k].newest, true);
      o->n_marks = k + 1;
      break;
    }
  }
  o->real->host->work_release(o->real, mark);
}

static pz_status
seen_new_original(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  PZ_TRY(witness_request(c));
  return witness_real(c)->host->new_original(witness_real(c), k, out);
}

/* ---- callbacks ------------------------------------------------------------------------------------- */

static pz_tensor*
list(observed* const o, const uint32_t n)
{
  if (n > TENSORS || o->n_lists == LISTS) {
    outcome_breach("found %u tensors of a callback, expected at most %d", (unsigned)n,
                   (int)TENSORS);
  }
  return o->lists[o->n_lists++];
}

/* Inputs of a callback, between guards if these are wanted; one without data stays so. */
static const pz_tensor*
inputs(observed* const o, const pz_tensor* const all, const uint32_t n, const char* const what)
{
  if (!witness_now.guards || !all) {
    return all;
  }
  pz_tensor* const out = list(o, n);
  for (uint32_t k = 0; k < n; ++k) {
    out[k] = all[k].data ? guards_copy(&o->guards, &all[k], NULL, what) : all[k];
  }
  return out;
}

/* Outputs, as far as bit k of `which` is set. */
static pz_tensor*
outputs(observed* const o, pz_tensor* const all, const uint32_t n, const uint64_t which,
        const char* const what)
{
  if (!witness_now.guards) {
    return all;
  }
  pz_tensor* const out = list(o, n);
  for (uint32_t k = 0; k < n; ++k) {
    out[k] = (which >> k) & 1U ? guards_output(&o->guards, &all[k], what) : all[k];
  }
  return out;
}

/* Tensors that a callback finds filled and may write. */
static pz_tensor*
changed(observed* const o, pz_tensor* const all, const uint32_t n, const char* const what)
{
  if (!witness_now.guards || !all) {
    return all;
  }
  pz_tensor* const out = list(o, n);
  for (uint32_t k = 0; k < n; ++k) {
    out[k] = guards_copy(&o->guards, &all[k], &all[k], what);
  }
  return out;
}

static pz_services services;

static void
enter(observed* const o, pz_call* const c, const char* const callback)
{
  *o = (observed){
      .call = *c,
      .real = c,
      .guards = {.call = c, .callback = callback, .filler = witness_now.filler},
  };
  services = *c->host;
  services.work = seen_work;
  services.work_host = seen_work_host;
  services.save = seen_save;
  services.save_host = seen_save_host;
  services.saved = seen_saved;
  services.saved_host = seen_saved_host;
  services.work_mark = seen_work_mark;
  services.work_release = seen_work_release;
  services.new_original = seen_new_original;
  o->call.host = &services;
  o->call.ops = &witness_ops;
  o->call.buffer = inputs(o, c->buffer, c->n_buffer, "a buffer");
  o->call.new_buffer = changed(o, c->new_buffer, c->n_buffer, "a new buffer");
  o->call.new_parameter =
      changed(o, c->new_parameter, c->n_x - c->n_original, "a new own parameter");
}

static pz_status
leave(observed* const o, const pz_status status)
{
  guards_check(&o->guards, NULL, status == PZ_OK);
  return status;
}

static pz_status
seen_init(pz_call* const c, const pz_tensor* const tensor)
{
  observed o;
  enter(&o, c, "init");
  return leave(&o, subject.init(&o.call, inputs(&o, tensor, 1, "the tensor")));
}

static pz_status
seen_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  observed o;
  enter(&o, c, "forward");
  o.saves = (c->flags & PZ_CALL_SAVING) != 0;
  const pz_tensor* const from = inputs(&o, x, c->n_x, "x");
  return leave(&o, subject.forward(&o.call, from, outputs(&o, y, 1, 1, "y")));
}

static pz_status
seen_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  observed o;
  enter(&o, c, "right_inverse");
  const pz_tensor* const from = inputs(&o, y, 1, "y");
  return leave(
      &o, subject.right_inverse(&o.call, from, outputs(&o, x, c->n_original, UINT64_MAX, "x")));
}

/* The gradients of vjp and log_abs_det_vjp, which differ in what g is of. */
static pz_status
seen_gradients(pz_call* const c, const char* const callback,
               pz_status (*const body)(pz_call* c, const pz_tensor* x, const pz_tensor* y,
                                       const pz_tensor* g, pz_tensor* gx),
               const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const g,
               pz_tensor* const gx)
{
  observed o;
  enter(&o, c, callback);
  const pz_tensor* const from = inputs(&o, x, c->n_x, "x");
  const pz_tensor* const value = inputs(&o, y, 1, "y");
  const pz_tensor* const gradient = inputs(&o, g, 1, "the gradient");
  return leave(&o, body(&o.call, from, value, gradient, outputs(&o, gx, c->n_x, c->want, "gx")));
}

static pz_status
seen_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  return seen_gradients(c, "vjp", subject.vjp, x, y, gy, gx);
}

static pz_status
seen_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                     const pz_tensor* const g_out, pz_tensor* const gx)
{
  return seen_gradients(c, "log_abs_det_vjp", subject.log_abs_det_vjp, x, y, g_out, gx);
}

static pz_status
seen_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const dx, pz_tensor* const dy)
{
  observed o;
  enter(&o, c, "jvp");
  const pz_tensor* const from = inputs(&o, x, c->n_x, "x");
  const pz_tensor* const value = inputs(&o, y, 1, "y");
  const pz_tensor* const tangents = inputs(&o, dx, c->n_x, "dx");
  return leave(&o, subject.jvp(&o.call, from, value, tangents, outputs(&o, dy, 1, 1, "dy")));
}

static pz_status
seen_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                 pz_tensor* const out)
{
  observed o;
  enter(&o, c, "log_abs_det");
  const pz_tensor* const from = inputs(&o, x, c->n_x, "x");
  const pz_tensor* const value = inputs(&o, y, 1, "y");
  return leave(&o, subject.log_abs_det(&o.call, from, value, outputs(&o, out, 1, 1, "out")));
}

static pz_status
seen_update(pz_call* const c, const pz_tensor* const x)
{
  observed o;
  enter(&o, c, "update");
  return leave(&o, subject.update(&o.call, inputs(&o, x, c->n_x, "x")));
}

static pz_status
seen_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  observed o;
  enter(&o, c, "residual");
  return leave(&o, subject.residual(&o.call, inputs(&o, y, 1, "y"), distance));
}

static pz_status
seen_sample(pz_call* const c, pz_tensor* const y)
{
  observed o;
  enter(&o, c, "sample");
  return leave(&o, subject.sample(&o.call, outputs(&o, y, 1, 1, "y")));
}

/* ---- the table -------------------------------------------------------------------------------------- */

/* The table with a witness, which lives as long as the process. */
static const pz_parametrization*
observe(const pz_parametrization* const table)
{
  static pz_parametrization seen;
  memset(&subject, 0, sizeof(subject));
  memcpy(&subject, table, table->size < sizeof(subject) ? table->size : sizeof(subject));
  seen = subject;
  seen.size = sizeof(seen);
#define SEE(callback) seen.callback = subject.callback ? seen_##callback : NULL
  SEE(init);
  SEE(forward);
  SEE(right_inverse);
  SEE(vjp);
  SEE(update);
  SEE(residual);
  SEE(sample);
  SEE(log_abs_det);
  SEE(log_abs_det_vjp);
  SEE(jvp);
#undef SEE
  return &seen;
}

void
witness_add(pz_context* const context, const char* const file, const char* const id)
{
  void* const object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  const pz_plugin* const plugin = object ? dlsym(object, PZ_PLUGIN_SYMBOL) : NULL;
  if (!plugin) {
    outcome_breach("found no " PZ_PLUGIN_SYMBOL " in the file");
  }
  pz_item* const items = calloc(plugin->n_items, sizeof(*items));
  pz_plugin shown = *plugin;
  for (uint32_t k = 0; items && k < plugin->n_items; ++k) {
    items[k] = plugin->items[k];
    const pz_parametrization* const table = items[k].table;
    if (items[k].kind == PZ_ITEM_PARAMETRIZATION && strcmp(table->id, id) == 0) {
      items[k].table = observe(table);
    }
  }
  shown.items = items;
  outcome_expect_ok(pz_context_add_plugin(context, &shown), "a witness");
  free(items);
}
