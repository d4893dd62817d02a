/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

pz_context* context;
pz_module* module;
uint64_t seed;

void
rig_setup(void)
{
  seed = test_seed();
  atomic_store(&map_forwards, 0);
  map_callback = NULL;
  map_failing = NULL;
  map_passes = 0;
  context = test_context();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_test_maps));
  ck_assert_ok(pz_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
}

void
rig_teardown(void)
{
  pz_module_free(module);
  pz_context_free(context);
}

TCase*
rig_case(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
  tcase_set_timeout(tcase, 60);
  return tcase;
}

void
rig_zeros(rig_tensor* const t, const uint32_t dtype, const int64_t rows, const int64_t cols)
{
  memset(t, 0, sizeof(*t));
  ck_assert_int_le(rows * cols, dtype == PZ_F32 ? 4096 : 2048);
  t->shape[0] = rows;
  t->shape[1] = cols;
  t->tensor = pz_host_tensor(dtype, &t->data, 2, t->shape);
}

void
rig_normal(rig_tensor* const t, const uint32_t dtype, const int64_t rows, const int64_t cols)
{
  rig_zeros(t, dtype, rows, cols);
  test_fill_normal(&seed, dtype, rows * cols, 1.0, &t->data);
}

void
rig_add(pz_module* const to, const char* const name, const int64_t rows, const int64_t cols,
        rig_tensor* const out)
{
  rig_normal(out, PZ_F32, rows, cols);
  ck_assert_ok(pz_module_add(to, name, PZ_PARAMETER, &out->tensor));
}

void
rig_read(const char* const name, rig_tensor* const out)
{
  pz_tensor there;
  ck_assert_ok(pz_module_get(module, name, &there));
  memset(out, 0, sizeof(*out));
  memcpy(out->shape, there.shape, (size_t)there.ndim * sizeof(int64_t));
  out->tensor = pz_host_tensor(there.dtype, &out->data, there.ndim, out->shape);
  ck_assert_ok(pz_module_read(module, name, &out->tensor));
}

double
rig_at(const rig_tensor* const t, const int64_t k)
{
  return test_at(t->tensor.dtype, &t->data, k);
}

double
rig_value(const char* const name, const int64_t k)
{
  rig_tensor now;
  rig_read(name, &now);
  return rig_at(&now, k);
}

const void*
rig_memory(const char* const name)
{
  pz_tensor t;
  ck_assert_ok(pz_module_edit(module, name, &t));
  ck_assert_ok(pz_module_commit(module, name));
  return t.data;
}

double
rig_distance(const rig_tensor* const a, const rig_tensor* const b)
{
  const pz_spec x = pz_spec_of(&a->tensor);
  const pz_spec y = pz_spec_of(&b->tensor);
  ck_assert(pz_spec_equal(&x, &y));
  double most = 0.0;
  for (int64_t k = 0; k < pz_count(&a->tensor); ++k) {
    const double difference = fabs(rig_at(a, k) - rig_at(b, k));
    most = difference <= most ? most : difference; /* NaN counts */
  }
  return most;
}

void
rig_names(const char* const expected)
{
  char names[4096] = "";
  pz_tensor_entry entry = {.size = sizeof(entry)};
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
rig_picture(void)
{
  char* text = NULL;
  size_t size = 0;
  FILE* const out = open_memstream(&text, &size);
  char print[8192];
  ck_assert(out);
  ck_assert_uint_lt(pz_module_print(module, print, sizeof(print)), sizeof(print));
  fprintf(out, "%s\n", print);
  pz_tensor_entry entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; pz_module_tensor(module, k, &entry) == PZ_OK; ++k) {
    static rig_tensor contents;
    rig_read(entry.name, &contents);
    fprintf(out, "%s %u %u %x:", entry.name, entry.kind, entry.requires_grad, entry.spec.dtype);
    for (int64_t i = 0; i < pz_count(&contents.tensor); ++i) {
      fprintf(out, " %a", rig_at(&contents, i));
    }
    fprintf(out, "\n");
  }
  fclose(out);
  return text;
}

void
rig_unchanged(char* const picture)
{
  char* const now = rig_picture();
  ck_assert_str_eq(picture, now);
  free(now);
  free(picture);
}
