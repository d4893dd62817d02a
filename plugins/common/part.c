/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "part.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Within a part, c->host is its member `services`. */
static part*
part_of(const pz_call* const c)
{
  return (part*)((char*)c->host - offsetof(part, services));
}

static pz_status
declare_buffer(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  const part* const p = part_of(c);
  char longer[64];
  (void)snprintf(longer, sizeof(longer), "%s_%s", p->name, name);
  return p->outer->declare_buffer(c, longer, spec);
}

static pz_status
declare_value(pz_call* const c, const pz_spec* const spec, const uint32_t structure)
{
  (void)c;
  (void)spec;
  (void)structure;
  return PZ_OK;
}

static pz_status
declare_density(pz_call* const c, const uint32_t dims, const uint32_t in, const uint32_t out)
{
  (void)c;
  (void)dims;
  (void)in;
  (void)out;
  return PZ_OK;
}

static pz_status
save(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  part* const p = part_of(c);
  p->n_tensors += 1;
  return p->outer->save(c, spec, out);
}

static pz_status
save_host(pz_call* const c, const size_t bytes, void** const out)
{
  part* const p = part_of(c);
  p->n_records += 1;
  return p->outer->save_host(c, bytes, out);
}

static pz_status
saved(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  const part* const p = part_of(c);
  return p->outer->saved(c, p->first_tensor + k, out);
}

static pz_status
saved_host(pz_call* const c, const uint32_t k, const void** const out)
{
  const part* const p = part_of(c);
  return p->outer->saved_host(c, p->first_record + k, out);
}

pz_call*
part_enter(pz_call* const c, part* const p)
{
  const size_t known = sizeof(p->services);
  memset(&p->services, 0, known);
  memcpy(&p->services, c->host, c->host->size < known ? c->host->size : known);
  p->services.declare_buffer = declare_buffer;
  p->services.declare_value = declare_value;
  p->services.declare_density = declare_density;
  p->services.save = save;
  p->services.save_host = save_host;
  p->services.saved = saved;
  p->services.saved_host = saved_host;
  p->outer = c->host;
  p->outer_options = c->options;
  p->outer_buffer = c->buffer;
  p->outer_new_buffer = c->new_buffer;
  p->outer_n_buffer = c->n_buffer;
  c->host = &p->services;
  c->options = p->options;
  c->buffer = c->buffer ? c->buffer + p->first_buffer : NULL;
  c->new_buffer = c->new_buffer && p->n_buffer > 0 ? c->new_buffer + p->first_buffer : NULL;
  c->n_buffer = p->n_buffer;
  return c;
}

pz_status
part_leave(pz_call* const c, const part* const p, const pz_status status)
{
  c->host = p->outer;
  c->options = p->outer_options;
  c->buffer = p->outer_buffer;
  c->new_buffer = p->outer_new_buffer;
  c->n_buffer = p->outer_n_buffer;
  return status;
}
