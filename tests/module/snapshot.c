/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "snapshot.h"

#include <allocator.h>
#include <opaque.h>

#include <stdio.h>
#include <stdlib.h>

static void
append_elements(FILE* const out, pz_module* const of, const char* const name)
{
  const void* const mark = host_mark();
  fprintf(out, "%s at %p:", name, fixture_place_of(of, name));
  const pz_tensor value = fixture_read_of(of, name);
  for (int64_t i = 0; i < pz_count(&value); ++i) {
    fprintf(out, " %a", host_at(&value, i));
  }
  fprintf(out, "\n");
  host_release(mark);
}

void
snapshot_take(snapshot* const s, pz_module* const of, const char* const* const names)
{
  char* const picture = fixture_picture_of(of);
  FILE* const out = fmemopen(s->text, sizeof(s->text), "w");
  ck_assert_ptr_nonnull(out);
  fputs(picture, out);
  free(picture);
  for (const char* const* name = names; *name; ++name) {
    append_elements(out, of, *name);
  }
  const long length = ftell(out);
  ck_assert_int_eq(fclose(out), 0);
  ck_assert_int_lt(length, (long)sizeof(s->text) - 1);
  s->on_device = opaque_allocations();
  s->blocks = allocator_live();
}

void
snapshot_assert_same(const snapshot* const before, const snapshot* const now,
                     const char* const call, const unsigned long n)
{
  ck_assert_msg(strcmp(before->text, now->text) == 0,
                "%s, failure %lu: the module changed from\n%s\nto\n%s", call, n, before->text,
                now->text);
}

void
snapshot_assert_no_leak(const snapshot* const before, const snapshot* const now,
                        const char* const call, const unsigned long n)
{
  ck_assert_msg(before->on_device == now->on_device, "%s, failure %lu: %d on the device, %d before",
                call, n, now->on_device, before->on_device);
  ck_assert_msg(before->blocks == now->blocks, "%s, failure %lu: %ld blocks, %ld before", call, n,
                now->blocks, before->blocks);
}
