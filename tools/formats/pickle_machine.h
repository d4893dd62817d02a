/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of the reader of pickles. Functions that return bool set the error before they return
   false. */

#ifndef TOOLS_PICKLE_MACHINE_H
#define TOOLS_PICKLE_MACHINE_H

#include "pickle.h"

enum { PICKLE_VALUES_MOST = 1 << 24 };
#define PICKLE_MARK UINT32_MAX /* on the stack */

typedef struct machine {
  const unsigned char* at;
  const unsigned char* end;
  size_t size; /* more than the operations, and so than the places of the memo */
  pickle* p;
  uint32_t room_values;
  uint32_t room_links;
  uint32_t* stack;
  size_t n_stack;
  size_t room_stack;
  uint32_t* memo;
  size_t n_memo;
  pickle_error* error;
} machine;

bool pickle_refuse(machine* m, const char* text);

/* Makes room for one more element. */
bool pickle_reserve(machine* m, void* array, size_t n, size_t* room, size_t size);

/* The stack. pickle_pop returns 0 for an empty stack or a mark. */
bool pickle_push(machine* m, uint32_t value);
bool pickle_push_new(machine* m, const pickle_value* value);
uint32_t pickle_pop(machine* m);
pickle_value* pickle_value_of(const machine* m, uint32_t k);

/* Appends a member to a container. */
bool pickle_append(machine* m, uint32_t container, uint32_t key, uint32_t value);

/* A tuple of the values from `from` on; `below` values under them are taken off too. */
bool pickle_push_tuple(machine* m, size_t from, size_t below);

/* Moves the values from `from` on into the container under them, by `step`. */
bool pickle_fill(machine* m, size_t from, size_t below, pickle_kind kind, size_t step);

/* "module\nname\n", which must be an allowed name. */
bool pickle_push_global(machine* m);

/* ("storage", class, key, place, elements) */
bool pickle_push_storage(machine* m);

/* Calls a name: _rebuild_tensor_v2(storage, offset, shape, strides, ...) or OrderedDict(). */
bool pickle_call(machine* m);

#endif /* TOOLS_PICKLE_MACHINE_H */
