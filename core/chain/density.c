/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* With v = P_n(... P_1(x)), log |det dv/dx| is the sum of those of the stages, provided that each
   stage's determinant is taken in the coordinates in which the stage before gives its own. A
   stage with the fewest batch dimensions has the largest determinants; the numbers of the
   others are summed over the rest of their batch.

   A view moves entries, so its log |det| is 0, and all entries remain all entries. Batches are
   those of what is read: stages that read differently have no batch in common. */

#include "density.h"

#include "status.h"

/* In a symmetric or skew matrix, both triangles are the same coordinates. */
static uint32_t
canonical(const uint32_t coordinates, const uint32_t structure)
{
  const bool mirrored = structure == PZ_SYMMETRIC || structure == PZ_SPD || structure == PZ_SKEW;
  return !mirrored                          ? coordinates
         : coordinates == PZ_LOWER_TRIANGLE ? (uint32_t)PZ_UPPER_TRIANGLE
         : coordinates == PZ_STRICT_LOWER   ? (uint32_t)PZ_STRICT_UPPER
                                            : coordinates;
}

static const char*
coordinates_text(const uint32_t coordinates)
{
  switch (coordinates) {
  case PZ_ALL_ENTRIES:
    return "all entries";
  case PZ_UPPER_TRIANGLE:
    return "the upper triangle";
  case PZ_LOWER_TRIANGLE:
    return "the lower triangle";
  case PZ_STRICT_UPPER:
    return "the strict upper triangle";
  case PZ_STRICT_LOWER:
    return "the strict lower triangle";
  case PZ_ROTATION:
    return "the strict triangle of Q^T dQ";
  case PZ_ALL_BUT_LAST:
    return "all entries but the last";
  default:
    return "its own";
  }
}

static const char*
id_of(const pzi_stage* const stage)
{
  return stage->instance->parametrization->table.id;
}

static pz_status
check_stage(const pzi_stage* const stage)
{
  if (!stage->instance->parametrization->table.log_abs_det) {
    return pzi_fail(PZ_UNSUPPORTED, "%s: has no log |det|", id_of(stage));
  }
  return stage->plan.density.declared
             ? PZ_OK
             : pzi_fail(PZ_UNSUPPORTED, "%s: has no log |det| for this input", id_of(stage));
}

/* `viewed`: a view begins or ends between the two, where triangles are no triangles. */
static pz_status
check_pair(const pzi_stage* const before, const pzi_stage* const after, const bool viewed)
{
  const uint32_t out = before->plan.density.out;
  const uint32_t in = after->plan.density.in;
  const uint32_t structure = before->plan.value.structure;
  if (out < PZ_OWN_COORDINATES && canonical(out, structure) == canonical(in, structure) &&
      (!viewed || out == PZ_ALL_ENTRIES)) {
    return PZ_OK;
  }
  return pzi_fail(PZ_UNSUPPORTED,
                  "log |det|: the coordinates of the value of %s are %s, but %s reads %s",
                  id_of(before), coordinates_text(out), id_of(after), coordinates_text(in));
}

int32_t
pzi_density_stage_batch(const pzi_plan* const plan)
{
  return plan->value.ndim - (int32_t)plan->density.dims;
}

/* Determinants for a batch are added entry by entry of that batch. */
static pz_status
check_batch(const pzi_stage* const a, const pzi_stage* const b, const bool viewed,
            const int32_t n_batch)
{
  return !viewed || n_batch == 0
             ? PZ_OK
             : pzi_fail(PZ_UNSUPPORTED,
                        "log |det|: %s and %s read the tensor differently, and neither has one "
                        "determinant for all of it",
                        id_of(a), id_of(b));
}

pz_status
pzi_density_batch(const pz_chain* const chain, int32_t* const n_batch)
{
  int32_t least = PZ_MAX_DIMS;
  for (uint32_t i = 0; i < chain->n_maps; ++i) {
    PZ_TRY(check_stage(chain->maps[i]));
    const int32_t n = pzi_density_stage_batch(&chain->maps[i]->plan);
    least = n < least ? n : least;
  }
  for (uint32_t i = 1; i < chain->n_maps; ++i) {
    const bool viewed = chain->maps[i]->in.n > 0;
    PZ_TRY(check_pair(chain->maps[i - 1], chain->maps[i], viewed));
    PZ_TRY(check_batch(chain->maps[i - 1], chain->maps[i], viewed, least));
  }
  *n_batch = least;
  return PZ_OK;
}

pz_spec
pzi_density_spec(const pz_chain* const chain, const int32_t n_batch)
{
  const pz_spec* const value = &chain->maps[chain->n_maps - 1]->plan.value;
  return pz_spec_make(value->dtype, n_batch, value->shape);
}

pz_status
pzi_density_check_meeting(const pz_chain* const inner, const pz_chain* const outer,
                          const uint32_t original, const int32_t n_batch)
{
  const pzi_stage* const before = inner->maps[inner->n_maps - 1];
  const pzi_stage* const after = outer->maps[0];
  pzi_way way = inner->out;
  for (uint32_t k = 0; outer->read && k < outer->read[original].n; ++k) {
    pzi_way_add(&way, &outer->read[original].turns[k]);
  }
  const bool viewed = way.n > 0;
  PZ_TRY(check_pair(before, after, viewed));
  return check_batch(before, after, viewed, n_batch);
}

pz_status
pz_chain_density(const pz_chain* const chain, pz_spec* const out)
{
  int32_t n_batch = 0;
  if (!chain || !out) {
    return pzi_fail(PZ_INVALID, "density: found a NULL argument");
  }
  PZ_TRY(pzi_density_batch(chain, &n_batch));
  *out = pzi_density_spec(chain, n_batch);
  return PZ_OK;
}
