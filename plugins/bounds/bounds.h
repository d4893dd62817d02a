/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Bounds of entries. A bound is a buffer: the whole shape of the value, or its last dimension. */

#ifndef PLUGINS_BOUNDS_H
#define PLUGINS_BOUNDS_H

#include <parametrize/plugin.h>

/* In plan: declares the buffer of the bound that option k gives (a number, a tensor of the last
   dimension's extent or of the whole shape), or of the number `fallback`. */
pz_status bounds_declare(pz_call* c, uint32_t k, const char* name, const pz_spec* value);

/* In init: fills it. */
pz_status bounds_fill(pz_call* c, uint32_t k, double fallback, pz_tensor* buffer);

/* In plan: bound j of option k, of any element type; `j` counts modulo its length. */
double bounds_number(const pz_call* c, uint32_t k, double fallback, int64_t j);

/* How a row kernel takes the rows of `like`, and a bound with them. */
pz_row_kind bounds_rows(const pz_tensor* like);
pz_tensor* bounds_row(pz_view* view, const pz_tensor* bound, const pz_tensor* like);

/* In right inverses: refuses a value with an entry beyond a bound (PZ_OUTSIDE), on one (PZ_SINGULAR)
   or NaN. `beyond` holds by how much each entry is beyond, negative inside. */
pz_status bounds_check(pz_call* c, const pz_tensor* beyond, bool closed);

/* In residual: the largest of them, at least 0. */
pz_status bounds_distance_of(pz_call* c, const pz_tensor* beyond, double* distance);

extern const pz_parametrization bounds_interval;

#endif /* PLUGINS_BOUNDS_H */
