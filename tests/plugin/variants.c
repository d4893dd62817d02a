/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "variants.h"

#include <stdio.h>
#include <string.h>

static const struct {
  const char* plugin;
  contract variant;
} variants[] = {
    {"cayley", {.chain = "cayley"}},
    {"cayley", {.chain = "cayley(signs=1)"}},
    {"cayley", {.chain = "skew,cayley"}},
    {"cayley", {.chain = "skew,cayley(signs=1)"}},
    {"cayley", {.chain = "skew(lower=1),cayley"}},
    {"cayley", {.chain = "symmetric,cayley"}},
    {"matrix_exp", {.chain = "matrix_exp"}},
    {"matrix_exp", {.chain = "skew,matrix_exp"}},
    {"matrix_exp", {.chain = "symmetric,matrix_exp"}},
    {"matrix_exp", {.chain = "symmetric,matrix_exp,matrix_exp"}},
    {"orthogonal", {.chain = "orthogonal(base=reflectors)"}},
    {"orthogonal", {.chain = "orthogonal(base=dense)"}},
    {"orthogonal", {.chain = "orthogonal(trivialization=0)"}},
    {"orthogonal", {.chain = "orthogonal(trivialization=0,signs=0)"}},
    {"orthogonal", {.chain = "orthogonal(map=matrix_exp,base=reflectors)"}},
    {"orthogonal", {.chain = "orthogonal(map=matrix_exp,base=dense)"}},
    {"orthogonal", {.chain = "orthogonal(map=matrix_exp,trivialization=0)"}},
    {"orthogonal", {.chain = "orthogonal(map=matrix_exp,trivialization=0,signs=0)"}},
    {"orthogonal", {.chain = "orthogonal(map=cayley,base=reflectors)"}},
    {"orthogonal", {.chain = "orthogonal(map=cayley,base=dense)"}},
    {"orthogonal", {.chain = "orthogonal(map=cayley,trivialization=0)"}},
    {"orthogonal", {.chain = "orthogonal(map=cayley,trivialization=0,signs=0)"}},
    {"orthogonal", {.chain = "orthogonal(map=householder,base=reflectors)"}},
    {"orthogonal", {.chain = "orthogonal(map=householder,base=dense)"}},
    {"orthogonal", {.chain = "orthogonal(map=householder,trivialization=0)"}},
    {"orthogonal", {.chain = "orthogonal(map=householder,trivialization=0,signs=0)"}},
    {"orthogonal", {.chain = "orthogonal"}},
    {"orthogonal", {.chain = "orthogonal(map=matrix_exp)"}},
    {"orthogonal", {.chain = "orthogonal(map=cayley)"}},
    {"orthogonal", {.chain = "orthogonal(map=householder)"}},
    {"orthogonal", {.chain = "orthogonal(nearest=0,rebase=1)"}},
    {"orthogonal", {.chain = "orthogonal(map=cayley,base=reflectors,nearest=0,rebase=2)"}},
    {"orthogonal", {.chain = "orthogonal(map=householder,trivialization=0,nearest=0)"}},
    {"orthogonal", {.chain = "symmetric,orthogonal(map=cayley)"}},
    {"pruning", {.chain = "pruning"}},
    {"pruning", {.chain = "pruning(p_drop=0.2,seed=7)"}},
    {"pruning", {.chain = "skew,pruning(seed=1)", .projects = true}},
    {"pruning", {.chain = "skew,cayley,pruning(seed=1)", .projects = true}},
    {"skew", {.chain = "skew"}},
    {"skew", {.chain = "skew(lower=1)"}},
    {"skew", {.chain = "symmetric,skew"}},
    {"spectral_norm", {.chain = "spectral_norm"}},
    {"spectral_norm", {.chain = "spectral_norm(n_power_iterations=3,dim=1)"}},
    {"spectral_norm", {.chain = "spectral_norm(eps=1e-6,dim=-1)"}},
    {"spectral_norm", {.chain = "spectral_norm(eps=1e-6,n_power_iterations=2)"}},
    {"spectral_norm", {.chain = "spectral_norm(eps=0,dim=-2)"}},
    {"spectral_norm", {.chain = "spectral_norm(dim=2)", .dims = 3}},
    {"spectral_norm", {.chain = "spectral_norm(dim=-3)", .dims = 3}},
    {"spectral_norm", {.chain = "spectral_norm(dim=3)", .dims = 4}},
    {"spectral_norm", {.chain = "spectral_norm(batched=1)"}},
    {"spectral_norm", {.chain = "spectral_norm(batched=1,eps=1e-6,n_power_iterations=2)"}},
    {"spectral_norm", {.chain = "skew,spectral_norm"}},
    {"spectral_norm", {.chain = "symmetric,spectral_norm"}},
    {"symmetric", {.chain = "symmetric"}},
    {"symmetric", {.chain = "symmetric(lower=1)"}},
    {"symmetric", {.chain = "skew,symmetric"}},
    {"weight_norm", {.chain = "weight_norm"}},
    {"weight_norm", {.chain = "weight_norm(dim=1)"}},
    {"weight_norm", {.chain = "weight_norm(dim=2)", .dims = 3}},
    {"weight_norm", {.chain = "weight_norm(dim=3)", .dims = 4}},
    {"weight_norm", {.chain = "weight_norm(dim=all)"}},
    {"weight_norm", {.chain = "weight_norm(dim=-1)"}},
    {"weight_norm", {.chain = "weight_norm(dim=-2)"}},
    {"weight_norm", {.chain = "weight_norm(dim=-3)", .dims = 3}},
    {"weight_norm", {.chain = "weight_norm(dim=-4)", .dims = 4}},
};

const extents contract_shapes[CONTRACT_SHAPES] = {
    {2, {0, 0}},       {2, {1, 1}},    {2, {2, 2}},    {2, {3, 3}},       {2, {5, 5}},
    {2, {8, 8}},       {2, {16, 16}},  {2, {17, 17}},  {2, {33, 33}},     {2, {40, 40}},
    {3, {0, 4, 4}},    {3, {3, 0, 0}}, {3, {1, 3, 3}}, {4, {8, 5, 3, 3}}, {3, {7, 6, 6}},
    {4, {2, 1, 0, 5}}, {2, {3, 5}},    {2, {4, 0}},    {1, {6}},          {0, {0}},
    {2, {5, 3}},       {2, {1, 5}},    {2, {6, 1}},    {2, {40, 6}},      {3, {2, 9, 4}},
    {3, {3, 2, 6}},
};

static bool
is_square(const extents e)
{
  return e.ndim >= 2 && e.shape[e.ndim - 1] == e.shape[e.ndim - 2];
}

static bool
is_known(void)
{
  for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); ++i) {
    if (strcmp(variants[i].plugin, subject_plugin) == 0) {
      return true;
    }
  }
  return false;
}

bool
contract_variant(const int k, contract* const out)
{
  int found = 0;
  for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); ++i) {
    if (strcmp(variants[i].plugin, subject_plugin) == 0 && found++ == k) {
      *out = variants[i].variant;
      return true;
    }
  }
  if (found > 0 || k > 1) {
    return false;
  }
  *out = (contract){.projects = k > 0};
  (void)snprintf(out->chain, sizeof(out->chain), "%s%s", k == 0 ? "" : "skew,", subject_plugin);
  return true;
}

bool
contract_takes(const int k, const int s)
{
  enum { TRIES = 2 }; /* of every shape */
  contract v;
  int count = 0;
  while (contract_variant(count, &v)) {
    count += 1;
  }
  return test_takes(k + s, (count + TRIES - 1) / TRIES);
}

bool
contract_is_whole(const char* const chain)
{
  return strstr(chain, "weight_norm") != NULL;
}

bool
contract_estimates(const char* const chain)
{
  return strstr(chain, "spectral_norm") != NULL;
}

bool
contract_saturates(const char* const chain)
{
  return strstr(chain, "bounded") != NULL;
}

void
on_every_chain(void (*body)(rig* r, extents shape, const char* chain), const bool projecting)
{
  contract v;
  for (int k = 0; contract_variant(k, &v); ++k) {
    for (int i = 0; i < 2 * CONTRACT_SHAPES && (projecting || !v.projects); ++i) {
      const extents shape = contract_shapes[i / 2];
      rig r;
      if (!contract_takes(k, i / 2)) {
        continue;
      }
      const pz_status status = subject_try(&r, v.chain, i % 2 ? PZ_F64 : PZ_F32, shape);
      if (status == PZ_OK) {
        body(&r, shape, v.chain);
        rig_close(&r);
        continue;
      }
      ck_assert_msg(status == PZ_MISMATCH && pz_error_message()[0] != '\0' &&
                        !(is_known() && is_square(shape) && shape.ndim >= v.dims),
                    "%s, shape %d: %s: %s", v.chain, i / 2, pz_status_text(status),
                    pz_error_message());
    }
  }
}
