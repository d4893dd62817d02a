/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "full_module.h"

const char* const full_module_values[] = {
    "bias",         "weight",
    "own",          "noise",
    "pair",         "mean",
    "deep",         "parametrizations.deep.original",
    "child.weight", "child.leaf.weight",
    NULL,
};

static void
add_list(pz_module* const to, const char* const name, const pz_tensor_kind kind,
         const char* const text)
{
  const pz_tensor t = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_add(to, name, kind, &t));
  ck_assert_ok(pz_register_parametrization(to, name, text, NULL));
}

void
full_module_fill(pz_module* const empty)
{
  pz_module* child = NULL;
  pz_module* leaf = NULL;
  pz_tensor t = fixture_add(empty, "bias", 1, 4);
  add_list(empty, "weight", PZ_PARAMETER, "skew,cayley,pruning(p_drop=0.3)");
  add_list(empty, "own", PZ_PARAMETER, "affine");
  t = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_set(empty, "parametrizations.own.0.shift", &t));
  add_list(empty, "noise", PZ_PARAMETER, "noise");
  add_list(empty, "pair", PZ_PARAMETER, "weighted");
  add_list(empty, "mean", PZ_BUFFER, "affine");
  add_list(empty, "deep", PZ_PARAMETER, "affine");
  ck_assert_ok(
      pz_register_parametrization(empty, "parametrizations.deep.original", "affine", NULL));
  ck_assert_ok(
      pz_register_parametrization(empty, "parametrizations.deep.0.shift", "skew,affine", NULL));
  ck_assert_ok(pz_register_parametrization(
      empty, "parametrizations.deep.parametrizations.original.original", "affine,noise", NULL));
  ck_assert_ok(pz_module_require_grad(empty, "pair", false));
  ck_assert_ok(pz_module_require_grad(empty, "parametrizations.own.0.shift", false));
  ck_assert_ok(test_module_new(context, "reference", "Block", &child));
  ck_assert_ok(test_module_new(context, "reference", "Leaf", &leaf));
  add_list(child, "weight", PZ_PARAMETER, "fragile");
  ck_assert_ok(pz_module_update(child, NULL));
  add_list(leaf, "weight", PZ_PARAMETER, "symmetric,matrix_exp");
  t = fixture_normal(PZ_F32, 2, 3);
  ck_assert_ok(pz_module_add(leaf, "count", PZ_BUFFER, &t));
  ck_assert_ok(pz_module_add_child(child, "leaf", leaf));
  ck_assert_ok(pz_module_add_child(empty, "child", child));
}

void
full_module_assert_same(pz_module* const a, pz_module* const b, const double tolerance)
{
  for (const char* const* name = full_module_values; *name; ++name) {
    const pz_tensor x = fixture_read_of(a, *name);
    const pz_tensor y = fixture_read_of(b, *name);
    const double distance = host_distance(&x, &y);
    const double most = tolerance * host_scale(&y);
    ck_assert_msg(distance <= most, "%s: found a distance of %g, expected %g", *name, distance,
                  most);
  }
}
