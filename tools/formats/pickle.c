/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A machine with a stack and a memo. Every operation adds a bounded number of values, and their number
   is limited, so memory is too. */

#include "pickle_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 1 << 27 };

/* ---- arguments ------------------------------------------------------------------- */

/* A little-endian number of n bytes behind the operation. */
static bool
take(machine* const m, const size_t n, uint64_t* const out)
{
  *out = 0;
  if ((size_t)(m->end - m->at) < n) {
    return pickle_refuse(m, "a pickle that is cut off");
  }
  for (size_t k = n; k-- > 0;) {
    *out = *out << 8 | m->at[k];
  }
  m->at += n;
  return true;
}

static bool
push_integer(machine* const m, const int64_t x)
{
  return pickle_push_new(m, &(pickle_value){.kind = PICKLE_INTEGER, .integer = x});
}

/* A text whose length has n bytes. */
static bool
push_text(machine* const m, const size_t n)
{
  uint64_t length;
  if (!take(m, n, &length)) {
    return false;
  }
  if ((uint64_t)(m->end - m->at) < length) {
    return pickle_refuse(m, "a pickle that is cut off");
  }
  const pickle_text text = {(const char*)m->at, (size_t)length};
  m->at += length;
  return pickle_push_new(m, &(pickle_value){.kind = PICKLE_TEXT, .text = text});
}

/* An integer of up to 8 bytes, two's complement. */
static bool
push_long(machine* const m)
{
  uint64_t n;
  uint64_t x;
  if (!take(m, 1, &n)) {
    return false;
  }
  if (n > 8) {
    return pickle_refuse(m, "a pickle with an integer of more than 64 bits");
  }
  if (!take(m, (size_t)n, &x)) {
    return false;
  }
  if (n > 0 && n < 8 && (x >> (8 * n - 1) & 1) != 0) {
    x |= UINT64_MAX << (8 * n);
  }
  return push_integer(m, (int64_t)x);
}

/* ---- the machine ----------------------------------------------------------------- */

static bool
put_memo(machine* const m, const uint64_t place)
{
  if (m->n_stack == 0 || m->stack[m->n_stack - 1] == PICKLE_MARK || place > m->size) {
    return pickle_refuse(m, "a damaged pickle");
  }
  if (place >= m->n_memo) {
    const size_t n = 2 * (size_t)place + 64;
    uint32_t* const grown = realloc(m->memo, n * sizeof(*grown));
    if (grown == NULL) {
      return pickle_refuse(m, "out of memory");
    }
    memset(grown + m->n_memo, 0, (n - m->n_memo) * sizeof(*grown));
    m->memo = grown;
    m->n_memo = n;
  }
  m->memo[place] = m->stack[m->n_stack - 1];
  return true;
}

static bool
get_memo(machine* const m, const uint64_t place)
{
  return place < m->n_memo && m->memo[place] > 0 ? pickle_push(m, m->memo[place])
                                                 : pickle_refuse(m, "a damaged pickle");
}

/* The place behind the last mark; 0 if there is none. */
static size_t
find_mark(const machine* const m)
{
  size_t k = m->n_stack;
  while (k > 0 && m->stack[k - 1] != PICKLE_MARK) {
    --k;
  }
  return k;
}

/* Runs one operation. */
static bool
step(machine* const m, const unsigned char operation)
{
  uint64_t x = 0;
  const size_t mark = strchr("tue", operation) && operation != '\0' ? find_mark(m) : 1;
  if (mark == 0) {
    return pickle_refuse(m, "a damaged pickle");
  }
  switch (operation) {
  case 0x80: /* PROTO */
    return take(m, 1, &x) && (x <= 3 || pickle_refuse(m, "a pickle of a protocol above 3"));
  case '(':
    return pickle_push(m, PICKLE_MARK);
  case ')':
    return pickle_push_new(m, &(pickle_value){.kind = PICKLE_TUPLE});
  case ']':
    return pickle_push_new(m, &(pickle_value){.kind = PICKLE_LIST});
  case '}':
    return pickle_push_new(m, &(pickle_value){.kind = PICKLE_DICT});
  case 't':
    return pickle_push_tuple(m, mark, 1);
  case 0x85:
  case 0x86:
  case 0x87: {
    const size_t n = operation - 0x84U;
    return m->n_stack >= n ? pickle_push_tuple(m, m->n_stack - n, 0)
                           : pickle_refuse(m, "a damaged pickle");
  }
  case 'a':
    return m->n_stack >= 2 ? pickle_fill(m, m->n_stack - 1, 0, PICKLE_LIST, 1)
                           : pickle_refuse(m, "a damaged pickle");
  case 's':
    return m->n_stack >= 3 ? pickle_fill(m, m->n_stack - 2, 0, PICKLE_DICT, 2)
                           : pickle_refuse(m, "a damaged pickle");
  case 'e':
    return pickle_fill(m, mark, 1, PICKLE_LIST, 1);
  case 'u':
    return pickle_fill(m, mark, 1, PICKLE_DICT, 2);
  case 'N':
  case 0x88:
  case 0x89:
    return pickle_push_new(m, &(pickle_value){.kind = PICKLE_OTHER});
  case 'G':
    return take(m, 8, &x) && pickle_push_new(m, &(pickle_value){.kind = PICKLE_OTHER});
  case 'K':
    return take(m, 1, &x) && push_integer(m, (int64_t)x);
  case 'M':
    return take(m, 2, &x) && push_integer(m, (int64_t)x);
  case 'J':
    return take(m, 4, &x) && push_integer(m, (int32_t)(uint32_t)x);
  case 0x8a:
    return push_long(m);
  case 'X':
    return push_text(m, 4);
  case 'q':
    return take(m, 1, &x) && put_memo(m, x);
  case 'r':
    return take(m, 4, &x) && put_memo(m, x);
  case 'h':
    return take(m, 1, &x) && get_memo(m, x);
  case 'j':
    return take(m, 4, &x) && get_memo(m, x);
  case 'c':
    return pickle_push_global(m);
  case 'Q':
    return pickle_push_storage(m);
  case 'R':
    return pickle_call(m);
  case 'b': { /* the attributes of an OrderedDict: versions of its modules */
    const uint32_t attributes = pickle_pop(m);
    return attributes > 0 && m->n_stack > 0 && m->stack[m->n_stack - 1] != PICKLE_MARK &&
                   pickle_value_of(m, m->stack[m->n_stack - 1])->kind == PICKLE_DICT
               ? true
               : pickle_refuse(m, "a pickle that builds an object, which could run code");
  }
  default:
    snprintf(m->error->text, sizeof(m->error->text),
             "a pickle with operation 0x%02x, which torch.save does not use for a state dict",
             (unsigned)operation);
    return false;
  }
}

static bool
run(machine* const m)
{
  const pickle_value none = {.kind = PICKLE_OTHER};
  if (m->end - m->at > SIZE_MOST) {
    return pickle_refuse(m, "a pickle of more than 128 MiB");
  }
  if (!pickle_push_new(m, &none)) {
    return false;
  }
  m->n_stack = 0; /* index 0 is none */
  m->p->n_links = 0;
  if (!pickle_append(m, 0, 0, 0)) {
    return false;
  }
  m->p->values[0] = none;
  while (m->at < m->end) {
    const unsigned char operation = *m->at++;
    if (operation == '.') {
      m->p->root = pickle_pop(m);
      return m->p->root > 0 || pickle_refuse(m, "a damaged pickle");
    }
    if (!step(m, operation)) {
      return false;
    }
  }
  return pickle_refuse(m, "a pickle that is cut off");
}

bool
pickle_read(const void* const bytes, const size_t size, pickle* const out,
            pickle_error* const error)
{
  machine m = {.at = bytes,
               .end = (const unsigned char*)bytes + size,
               .size = size,
               .p = out,
               .error = error};
  *out = (pickle){0};
  const bool good = run(&m);
  free(m.stack);
  free(m.memo);
  return good;
}

void
pickle_cleanup(pickle* const p)
{
  free(p->values);
  free(p->links);
  *p = (pickle){0};
}
