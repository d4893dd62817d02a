/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "fixture.h"

#include <opaque.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

pz_context* context;
pz_module* module;
uint64_t seed;

void
fixture_setup(void)
{
  seed = test_seed();
  atomic_store(&map_forwards, 0);
  map_callback = NULL;
  map_failing = NULL;
  map_passes = 0;
  context = test_context();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_test_maps));
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
}

void
fixture_teardown(void)
{
  host_free();
  pz_module_free(module);
  pz_context_free(context);
}

TCase*
fixture_case(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
  return tcase;
}

void
fixture_add_doubles(void)
{
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
}

static void
fixture_teardown_doubles(void)
{
  fixture_teardown();
  ck_assert_int_eq(opaque_allocations(), 0);
}

TCase*
fixture_case_on_doubles(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown_doubles);
  tcase_add_checked_fixture(tcase, fixture_add_doubles, NULL);
  return tcase;
}

pz_module*
fixture_empty_module(const char* const type)
{
  pz_module* made = NULL;
  ck_assert_ok(test_module_new(context, "reference", type, &made));
  return made;
}

pz_module*
fixture_copy_of(pz_module* const from)
{
  pz_module* copy = NULL;
  ck_assert_ok(pz_module_copy(from, &copy));
  return copy;
}

pz_tensor
fixture_zeros(const uint32_t dtype, const int64_t rows, const int64_t cols)
{
  const int64_t shape[] = {rows, cols};
  const pz_spec spec = pz_spec_make(dtype, 2, shape);
  return host_zeros(&spec);
}

pz_tensor
fixture_normal(const uint32_t dtype, const int64_t rows, const int64_t cols)
{
  const int64_t shape[] = {rows, cols};
  const pz_spec spec = pz_spec_make(dtype, 2, shape);
  return host_normal(&spec, &seed, 1.0);
}

pz_tensor
fixture_add(pz_module* const to, const char* const name, const int64_t rows, const int64_t cols)
{
  const pz_tensor tensor = fixture_normal(PZ_F32, rows, cols);
  ck_assert_ok(pz_module_add(to, name, PZ_PARAMETER, &tensor));
  return tensor;
}

pz_tensor
fixture_parametrize(pz_module* const to, const char* const name, const int64_t rows,
                    const int64_t cols, const char* const text)
{
  const pz_tensor tensor = fixture_add(to, name, rows, cols);
  ck_assert_ok(pz_register_parametrization(to, name, text, NULL));
  return tensor;
}

pz_tensor
fixture_nest(const char* const outer, const char* const inner)
{
  const pz_tensor tensor = fixture_parametrize(module, "weight", 3, 3, outer);
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, inner, NULL));
  return tensor;
}

pz_tensor
fixture_read_of(pz_module* const other, const char* const name)
{
  pz_tensor there;
  ck_assert_ok(pz_module_get(other, name, &there));
  const pz_spec spec = pz_spec_of(&there);
  const pz_tensor tensor = host_zeros(&spec);
  ck_assert_ok(pz_module_read(other, name, &tensor));
  return tensor;
}

pz_tensor
fixture_read(const char* const name)
{
  return fixture_read_of(module, name);
}

void
fixture_expect_of(pz_module* const other, const char* const name, const pz_tensor* const expected)
{
  const pz_tensor now = fixture_read_of(other, name);
  const double distance = host_distance(&now, expected);
  ck_assert_msg(distance == 0.0, "%s: found a distance of %g, expected none", name, distance);
}

void
fixture_expect(const char* const name, const pz_tensor* const expected)
{
  fixture_expect_of(module, name, expected);
}

pz_tensor
fixture_gradient(const char* const name)
{
  pz_tensor there;
  pz_queue* queue = NULL; /* any of the device: the doubles share their memory */
  ck_assert_ok(pz_module_gradient(module, name, &there));
  const pz_spec spec = pz_spec_of(&there);
  const pz_tensor tensor = host_zeros(&spec);
  const bool is_double = there.device.type == PZ_DEVICE_EXTENSION;
  ck_assert_ok(pz_queue_open(context, is_double ? "lean" : getenv("TEST_DEVICE"), NULL, &queue));
  ck_assert_ok(pz_queue_download(queue, &there, &tensor));
  pz_queue_close(queue);
  return tensor;
}

double
fixture_value(const char* const name, const int64_t k)
{
  const pz_tensor now = fixture_read(name);
  return host_at(&now, k);
}

const void*
fixture_place_of(pz_module* const other, const char* const name)
{
  pz_tensor there;
  ck_assert_ok(pz_module_get(other, name, &there));
  return there.data;
}

const void*
fixture_memory(const char* const name)
{
  pz_tensor t;
  ck_assert_ok(pz_module_edit(module, name, &t));
  ck_assert_ok(pz_module_commit(module, name));
  return t.data;
}

void
fixture_names(const char* const expected)
{
  char names[4096] = "";
  pz_tensor_info entry = {.size = sizeof(entry)};
  pz_status status;
  uint32_t k = 0;
  while ((status = pz_module_tensor(module, k, &entry)) == PZ_OK) {
    strcat(strcat(names, entry.name), " ");
    ++k;
  }
  ck_assert_int_eq(status, PZ_NOT_FOUND);
  ck_assert_str_eq(names, expected);
}

char*
fixture_picture_of(pz_module* const other)
{
  char* text = NULL;
  size_t size = 0;
  FILE* const out = open_memstream(&text, &size);
  char print[8192];
  ck_assert(out);
  ck_assert_uint_lt(pz_module_print(other, print, sizeof(print)), sizeof(print));
  fprintf(out, "%s\n", print);
  pz_tensor_info entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; pz_module_tensor(other, k, &entry) == PZ_OK; ++k) {
    const void* const mark = host_mark();
    const pz_tensor contents = fixture_read_of(other, entry.name);
    fprintf(out, "%s %u %u %x:", entry.name, entry.kind, entry.requires_grad, entry.spec.dtype);
    for (int64_t i = 0; i < pz_count(&contents); ++i) {
      fprintf(out, " %a", host_at(&contents, i));
    }
    fprintf(out, "\n");
    host_release(mark);
  }
  fclose(out);
  return text;
}

char*
fixture_picture(void)
{
  return fixture_picture_of(module);
}

void
fixture_unchanged(char* const picture)
{
  char* const now = fixture_picture();
  ck_assert_str_eq(picture, now);
  free(now);
  free(picture);
}
