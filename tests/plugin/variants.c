/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "variants.h"

#include <stdio.h>
#include <string.h>

/* Chains that end in the subject, by what stands before it and its options. */
typedef struct variant {
  const char* plugin;
  const char* text;
  bool projects; /* what comes back of an assigned value is less than it */
} variant;

static const variant variants[] = {
    {"cayley", "cayley", false},
    {"cayley", "cayley(signs=1)", false},
    {"cayley", "skew,cayley", false},
    {"cayley", "skew,cayley(signs=1)", false},
    {"cayley", "skew(lower=1),cayley", false},
    {"cayley", "symmetric,cayley", false},
    {"matrix_exp", "matrix_exp", false},
    {"matrix_exp", "skew,matrix_exp", false},
    {"matrix_exp", "symmetric,matrix_exp", false},
    {"matrix_exp", "symmetric,matrix_exp,matrix_exp", false},
    {"orthogonal", "orthogonal", false},
    {"orthogonal", "orthogonal(map=matrix_exp)", false},
    {"orthogonal", "orthogonal(map=matrix_exp,trivialization=0)", false},
    {"orthogonal", "orthogonal(map=cayley)", false},
    {"orthogonal", "orthogonal(map=cayley,trivialization=0)", false},
    {"orthogonal", "orthogonal(map=householder)", false},
    {"orthogonal", "orthogonal(map=householder,trivialization=0)", false},
    {"orthogonal", "orthogonal(map=cayley,trivialization=0,signs=0)", false},
    {"orthogonal", "orthogonal(map=householder,trivialization=0,signs=0)", false},
    {"orthogonal", "orthogonal(map=matrix_exp,base=reflectors)", false},
    {"orthogonal", "orthogonal(map=householder,base=dense)", false},
    {"orthogonal", "orthogonal(map=cayley,base=reflectors,nearest=0)", false},
    {"orthogonal", "symmetric,orthogonal(map=cayley)", false},
    {"pruning", "pruning", false},
    {"pruning", "pruning(p_drop=0.2,seed=7)", false},
    {"pruning", "skew,pruning(seed=1)", true},
    {"pruning", "skew,cayley,pruning(seed=1)", true},
    {"skew", "skew", false},
    {"skew", "skew(lower=1)", false},
    {"skew", "symmetric,skew", false},
    {"spectral_norm", "spectral_norm", false},
    {"spectral_norm", "spectral_norm(n_power_iterations=3,dim=1)", false},
    {"spectral_norm", "spectral_norm(eps=0.01,dim=-1)", false},
    {"spectral_norm", "spectral_norm(batched=1)", false},
    {"spectral_norm", "skew,spectral_norm", false},
    {"spectral_norm", "symmetric,spectral_norm", false},
    {"symmetric", "symmetric", false},
    {"symmetric", "symmetric(lower=1)", false},
    {"symmetric", "skew,symmetric", false},
    {"weight_norm", "weight_norm", false},
    {"weight_norm", "weight_norm(dim=1)", false},
    {"weight_norm", "weight_norm(dim=all)", false},
    {"weight_norm", "weight_norm(dim=-1)", false},
    {"weight_norm", "weight_norm(dim=-2)", false},
};

const extents contract_shapes[CONTRACT_SHAPES] = {
    {2, {0, 0}},       {2, {1, 1}},    {2, {2, 2}},    {2, {3, 3}},       {2, {5, 5}},
    {2, {8, 8}},       {2, {16, 16}},  {2, {17, 17}},  {2, {33, 33}},     {2, {40, 40}},
    {3, {0, 4, 4}},    {3, {3, 0, 0}}, {3, {1, 3, 3}}, {4, {8, 5, 3, 3}}, {3, {7, 6, 6}},
    {4, {2, 1, 0, 5}}, {2, {3, 5}},    {2, {4, 0}},    {1, {6}},          {0, {0}},
    {2, {5, 3}},       {2, {1, 5}},    {2, {40, 6}},   {3, {2, 9, 4}},    {3, {3, 2, 6}},
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

const char*
contract_chain(const int k, char text[128], bool* const projects)
{
  int found = 0;
  for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); ++i) {
    if (strcmp(variants[i].plugin, subject_plugin) == 0 && found++ == k) {
      *projects = variants[i].projects;
      return variants[i].text;
    }
  }
  if (found > 0 || k > 1) {
    return NULL;
  }
  *projects = k > 0;
  (void)snprintf(text, 128, "%s%s", k == 0 ? "" : "skew,", subject_plugin);
  return text;
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

void
on_every_chain(void (*body)(rig* r, extents shape, const char* chain), const bool projecting)
{
  char text[128];
  for (int k = 0;; ++k) {
    bool projects = false;
    const char* const chain = contract_chain(k, text, &projects);
    if (!chain) {
      break;
    }
    if (projects && !projecting) {
      continue;
    }
    for (int d = 0; d < 2; ++d) {
      for (int s = 0; s < CONTRACT_SHAPES; ++s) {
        rig r;
        const pz_status status = rig_try(&r, chain, d ? PZ_F64 : PZ_F32, contract_shapes[s]);
        if (status == PZ_OK) {
          body(&r, contract_shapes[s], chain);
          rig_close(&r);
          continue;
        }
        ck_assert_msg(status == PZ_MISMATCH && pz_error_message()[0] != '\0' &&
                          !(is_known() && is_square(contract_shapes[s])),
                      "%s, shape %d: %s: %s", chain, s, pz_status_text(status), pz_error_message());
      }
    }
  }
}
