/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The values of a pickle are nodes of one array and refer to each other by index, so shared and
   circular ones need no care when they are freed. */

#include "pickle_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names that a pickle may use. */
static const struct {
  const char* name;
  const char* dtype; /* of a storage */
  uint32_t bytes;
} globals[] = {
    {"torch._utils _rebuild_tensor_v2", NULL, 0},
    {"collections OrderedDict", NULL, 0},
    {"torch FloatStorage", "F32", 4},
    {"torch DoubleStorage", "F64", 8},
    {"torch HalfStorage", "F16", 2},
    {"torch BFloat16Storage", "BF16", 2},
    {"torch LongStorage", "I64", 8},
    {"torch IntStorage", "I32", 4},
    {"torch ShortStorage", "I16", 2},
    {"torch CharStorage", "I8", 1},
    {"torch ByteStorage", "U8", 1},
    {"torch BoolStorage", "BOOL", 1},
};
enum { N_GLOBALS = sizeof(globals) / sizeof(globals[0]), REBUILD = 0, ORDERED_DICT = 1 };

/* ---- memory ---------------------------------------------------------------------- */

bool
pickle_refuse(machine* const m, const char* const text)
{
  snprintf(m->error->text, sizeof(m->error->text), "%s", text);
  return false;
}

/* Makes room for one more element. */
bool
pickle_reserve(machine* const m, void* const array, const size_t n, size_t* const room,
               const size_t size)
{
  void* data;
  if (n < *room) {
    return true;
  }
  memcpy(&data, array, sizeof(data));
  const size_t more = *room ? 2 * *room : 256;
  data = realloc(data, more * size);
  if (data == NULL) {
    return pickle_refuse(m, "out of memory");
  }
  memcpy(array, &data, sizeof(data));
  *room = more;
  return true;
}

bool
pickle_push(machine* const m, const uint32_t value)
{
  if (!pickle_reserve(m, &m->stack, m->n_stack, &m->room_stack, sizeof(*m->stack))) {
    return false;
  }
  m->stack[m->n_stack++] = value;
  return true;
}

/* Pushes a new value. */
bool
pickle_push_new(machine* const m, const pickle_value* const value)
{
  size_t room = m->room_values;
  if (m->p->n_values == PICKLE_VALUES_MOST) {
    return pickle_refuse(m, "a pickle of more than 16 million values");
  }
  if (!pickle_reserve(m, &m->p->values, m->p->n_values, &room, sizeof(*m->p->values))) {
    return false;
  }
  m->room_values = (uint32_t)room;
  m->p->values[m->p->n_values] = *value;
  return pickle_push(m, m->p->n_values++);
}

/* The value on top, which is taken off; 0 for an empty stack or a mark. */
uint32_t
pickle_pop(machine* const m)
{
  if (m->n_stack == 0 || m->stack[m->n_stack - 1] == PICKLE_MARK) {
    return 0;
  }
  return m->stack[--m->n_stack];
}

pickle_value*
pickle_value_of(const machine* const m, const uint32_t k)
{
  return &m->p->values[k];
}

/* Appends a member to a container. */
bool
pickle_append(machine* const m, const uint32_t container, const uint32_t key, const uint32_t value)
{
  size_t room = m->room_links;
  if (!pickle_reserve(m, &m->p->links, m->p->n_links, &room, sizeof(*m->p->links))) {
    return false;
  }
  m->room_links = (uint32_t)room;
  const uint32_t link = m->p->n_links++;
  pickle_value* const c = pickle_value_of(m, container);
  m->p->links[link] = (pickle_link){key, value, 0};
  if (c->last > 0) {
    m->p->links[c->last].next = link;
  } else {
    c->first = link;
  }
  c->last = link;
  return true;
}

/* ---- containers ------------------------------------------------------------------ */

/* A tuple of the values from `from` on; `below` values under them are taken off too. */
bool
pickle_push_tuple(machine* const m, const size_t from, const size_t below)
{
  const size_t n = m->n_stack;
  if (!pickle_push_new(m, &(pickle_value){.kind = PICKLE_TUPLE})) {
    return false;
  }
  const uint32_t tuple = m->stack[n];
  for (size_t k = from; k < n; ++k) {
    if (m->stack[k] == PICKLE_MARK || !pickle_append(m, tuple, 0, m->stack[k])) {
      return m->stack[k] != PICKLE_MARK ? false : pickle_refuse(m, "a damaged pickle");
    }
  }
  m->stack[from - below] = tuple;
  m->n_stack = from - below + 1;
  return true;
}

/* Moves the values from `from` on into the container under them, by `step`. */
bool
pickle_fill(machine* const m, const size_t from, const size_t below, const pickle_kind kind,
            const size_t step)
{
  if (from < 1 + below || m->stack[from - 1 - below] == PICKLE_MARK ||
      (m->n_stack - from) % step != 0 ||
      pickle_value_of(m, m->stack[from - 1 - below])->kind != kind) {
    return pickle_refuse(m, "a damaged pickle");
  }
  const uint32_t container = m->stack[from - 1 - below];
  for (size_t k = from; k < m->n_stack; k += step) {
    const uint32_t key = step == 2 ? m->stack[k] : 0;
    const uint32_t value = m->stack[k + step - 1];
    if (key == PICKLE_MARK || value == PICKLE_MARK) {
      return pickle_refuse(m, "a damaged pickle");
    }
    if (!pickle_append(m, container, key, value)) {
      return false;
    }
  }
  m->n_stack = from - below;
  return true;
}

/* Reads the members of a tuple; returns their number, at most `most` of which are stored. */
static uint32_t
members(const pickle* const p, const pickle_value* const tuple, uint32_t* const out,
        const uint32_t most)
{
  uint32_t n = 0;
  for (uint32_t link = tuple->first; link > 0; link = p->links[link].next, ++n) {
    if (n < most) {
      out[n] = p->links[link].value;
    }
  }
  return n;
}

/* "module\nname\n" */
bool
pickle_push_global(machine* const m)
{
  const char* const module = (const char*)m->at;
  const char* const end = (const char*)m->end;
  const char* const middle = memchr(module, '\n', (size_t)(end - module));
  const char* const stop = middle ? memchr(middle + 1, '\n', (size_t)(end - middle - 1)) : NULL;
  if (stop == NULL) {
    return pickle_refuse(m, "a pickle that is cut off");
  }
  m->at = (const unsigned char*)stop + 1;
  const size_t n = (size_t)(middle - module);
  const size_t n_name = (size_t)(stop - middle - 1);
  for (uint32_t k = 0; k < N_GLOBALS; ++k) {
    const char* const known = globals[k].name;
    if (strlen(known) == n + 1 + n_name && memcmp(known, module, n) == 0 && known[n] == ' ' &&
        memcmp(known + n + 1, middle + 1, n_name) == 0) {
      return pickle_push_new(m, &(pickle_value){.kind = PICKLE_GLOBAL, .integer = k});
    }
  }
  snprintf(
      m->error->text, sizeof(m->error->text),
      "a pickle that uses \"%.*s.%.*s\", which could run code; expected a state dict: tensors, "
      "numbers and texts",
      (int)(n < 80 ? n : 80), module, (int)(n_name < 80 ? n_name : 80), middle + 1);
  return false;
}

/* ("storage", class, key, place, elements) */
bool
pickle_push_storage(machine* const m)
{
  uint32_t part[5];
  const uint32_t tuple = pickle_pop(m);
  if (tuple == 0 || pickle_value_of(m, tuple)->kind != PICKLE_TUPLE ||
      members(m->p, pickle_value_of(m, tuple), part, 5) != 5) {
    return pickle_refuse(m, "a pickle with a persistent id that is no storage");
  }
  const pickle_value* const word = pickle_value_of(m, part[0]);
  const pickle_value* const class = pickle_value_of(m, part[1]);
  const pickle_value* const key = pickle_value_of(m, part[2]);
  const pickle_value* const n = pickle_value_of(m, part[4]);
  if (word->kind != PICKLE_TEXT || word->text.length != 7 ||
      memcmp(word->text.begin, "storage", 7) != 0 || class->kind != PICKLE_GLOBAL ||
      globals[class->integer].dtype == NULL || key->kind != PICKLE_TEXT ||
      n->kind != PICKLE_INTEGER || n->integer < 0) {
    return pickle_refuse(m, "a pickle with a persistent id that is no storage");
  }
  return pickle_push_new(m, &(pickle_value){.kind = PICKLE_STORAGE,
                                            .integer = n->integer,
                                            .storage = (uint32_t) class->integer,
                                            .text = key->text});
}

/* Are these one to 64 numbers from 0 on? */
static bool
are_extents(const machine* const m, const pickle_value* const tuple, uint32_t* const n)
{
  uint32_t part[PICKLE_DIMS];
  *n = tuple->kind == PICKLE_TUPLE ? members(m->p, tuple, part, PICKLE_DIMS) : PICKLE_DIMS + 1;
  bool fine = *n <= PICKLE_DIMS;
  for (uint32_t k = 0; fine && k < *n; ++k) {
    const pickle_value* const x = pickle_value_of(m, part[k]);
    fine = x->kind == PICKLE_INTEGER && x->integer >= 0;
  }
  return fine;
}

/* Calls a name: _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks, bits), whose
   bits are absent or a dict, or OrderedDict(). */
bool
pickle_call(machine* const m)
{
  uint32_t part[7] = {0};
  uint32_t n_shape = 0;
  uint32_t n_strides = 0;
  const uint32_t arguments = pickle_pop(m);
  const uint32_t name = pickle_pop(m);
  if (arguments == 0 || name == 0 || pickle_value_of(m, name)->kind != PICKLE_GLOBAL ||
      pickle_value_of(m, arguments)->kind != PICKLE_TUPLE) {
    return pickle_refuse(m, "a pickle that calls what is no name");
  }
  const uint32_t n = members(m->p, pickle_value_of(m, arguments), part, 7);
  if (pickle_value_of(m, name)->integer == ORDERED_DICT && n == 0) {
    return pickle_push_new(m, &(pickle_value){.kind = PICKLE_DICT});
  }
  if (pickle_value_of(m, name)->integer != REBUILD || n < 4 ||
      pickle_value_of(m, part[0])->kind != PICKLE_STORAGE ||
      pickle_value_of(m, part[1])->kind != PICKLE_INTEGER ||
      pickle_value_of(m, part[1])->integer < 0 ||
      !are_extents(m, pickle_value_of(m, part[2]), &n_shape) ||
      !are_extents(m, pickle_value_of(m, part[3]), &n_strides) || n_shape != n_strides) {
    return pickle_refuse(m, "a pickle with a tensor that is not one of torch.save");
  }
  if (n >= 7 && pickle_value_of(m, part[6])->first > 0) {
    return pickle_refuse(m,
                         "a pickle with a tensor that is negated or conjugated where it is read, "
                         "expected a copy");
  }
  return pickle_push_new(m, &(pickle_value){.kind = PICKLE_TENSOR,
                                            .integer = pickle_value_of(m, part[1])->integer,
                                            .storage = part[0],
                                            .first = part[2],
                                            .last = part[3]});
}

const char*
pickle_dtype(const pickle_value* const storage, uint32_t* const bytes)
{
  *bytes = globals[storage->storage].bytes;
  return globals[storage->storage].dtype;
}

uint32_t
pickle_shape(const pickle* const p, const pickle_value* const tensor, int64_t shape[PICKLE_DIMS],
             int64_t strides[PICKLE_DIMS])
{
  uint32_t part[PICKLE_DIMS];
  const uint32_t n = members(p, &p->values[tensor->first], part, PICKLE_DIMS);
  for (uint32_t k = 0; k < n; ++k) {
    shape[k] = p->values[part[k]].integer;
  }
  (void)members(p, &p->values[tensor->last], part, PICKLE_DIMS);
  for (uint32_t k = 0; k < n; ++k) {
    strides[k] = p->values[part[k]].integer;
  }
  return n;
}
