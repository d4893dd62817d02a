/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "subject.h"

#include <string.h>

#include <stdlib.h>

const char* subject_plugin;
const char* subject_device;
const char* subject_file;
rig subject;

void
subject_setup(void)
{
  if (subject_file) {
    rig_open(&subject, NULL, "reference");
    ck_assert_ok(pz_context_add_file(subject.context, subject_file));
    rig_device(&subject, subject_device);
  } else {
    rig_open(&subject, NULL, subject_device);
  }
}

void
subject_teardown(void)
{
  rig_close(&subject);
}

TCase*
subject_case(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, subject_setup, subject_teardown);
  return tcase;
}

pz_status
subject_change(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  const pz_spec given = pz_spec_make(dtype, shape.ndim, shape.shape);
  PZ_TRY(rig_try_chain(r, chain, NULL, 0, PZ_FROM_TENSOR, &given, 1));
  double* const start = rig_normal(r, dtype, r->n_y, 1.0);
  rig_initialize(r, start);
  free(start);
  return PZ_OK;
}

pz_status
subject_try(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  rig_share(r, &subject);
  return subject_change(r, chain, dtype, shape);
}

void
subject_open(rig* const r, const char* const chain, const uint32_t dtype, const extents shape)
{
  ck_assert_ok(subject_try(r, chain, dtype, shape));
}

bool
subject_lacks_schur(void)
{
  return strstr(pz_error_message(), "schur of") != NULL;
}
