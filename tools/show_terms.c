/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "show.h"

#include "say.h"

const char* const show_words[SHOW_WORDS] = {"view", "back"};

const show_ability show_abilities[SHOW_ABILITIES] = {
    {PZ_HAS_RIGHT_INVERSE, "right_inverse", "originals from a value, also for assignment"},
    {PZ_HAS_VJP, "vjp", "gradients of the originals"},
    {PZ_HAS_RESIDUAL, "residual", "distance of a tensor from the set of values"},
    {PZ_HAS_SAMPLE, "sample", "random values"},
    {PZ_HAS_UPDATE, "update", "steps of its own state"},
    {PZ_HAS_LOG_ABS_DET, "log_abs_det", "log |det| of the Jacobian, for some inputs at least"},
    {PZ_HAS_JVP, "jvp", "derivatives along directions"},
};

const char*
show_type(const uint32_t type)
{
  switch ((pz_value_type)type) {
  case PZ_REAL:
    return "real";
  case PZ_INTEGER:
    return "integer";
  case PZ_FLAG:
    return "flag";
  case PZ_CHOICE:
    return "choice";
  case PZ_TENSOR:
    return "tensor";
  }
  return "unknown";
}

const char*
show_route(const uint32_t route)
{
  switch ((pz_route)route) {
  case PZ_ROUTE_NATIVE:
    return "native";
  case PZ_ROUTE_COMPOSED:
    return "composed";
  case PZ_ROUTE_HOST:
    return "host";
  case PZ_ROUTE_UNSUPPORTED:
    return "unsupported";
  }
  return "unknown";
}

bool
show_ended(const pz_status status)
{
  return status == PZ_NOT_FOUND || (say_library(NULL, status), false);
}
