/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For each row, with u = v / |v|:

     w = g u,  gg = <G, u>,  gv = (g / |v|) (G - gg u),  dw = dg u + (g / |v|) (dv - <u, dv> u)

   of which derivatives that count |v| as a constant leave out the last term. `size` is scale |v|, with a
   power of two `scale` near 1 / |v|: entries of 1e30 or 1e-30 neither overflow nor underflow in float32. */

#include "direction.h"

// clang-format off

PZ_ROW_KERNEL(direction_value, 2, 3, 0, 0,
  PZ_ROW_IN(0, v);
  PZ_VALUE_IN(1, g);
  PZ_ROW_OUT(0, w);
  PZ_ROW_NORM(size, scale, j, n, v[j][r]);
  PZ_ROW_VALUE(factor, size[r] == (real)0 ? (real)0 : g[r] / size[r]);
  PZ_ROW_EACH(j, n) {
    w[j][r] = scale[r] * v[j][r] * factor[r];
  }
  PZ_VALUE_OUT(1, scale[r]);
  PZ_VALUE_OUT(2, size[r]);
)

PZ_ROW_KERNEL(direction_adjoint, 5, 2, 0, 1,
  PZ_ROW_IN(0, v);
  PZ_VALUE_IN(1, g);
  PZ_VALUE_IN(2, scale);
  PZ_VALUE_IN(3, size);
  PZ_ROW_IN(4, gw);
  PZ_ROW_OUT(1, gv);
  PZ_INTEGER_ARG(0, detached);
  PZ_ROW_VALUE(inverse, size[r] == (real)0 ? (real)0 : 1 / size[r]);
  PZ_ROW_SUM(gg, j, n, gw[j][r] * (scale[r] * v[j][r] * inverse[r]));
  PZ_ROW_VALUE(along, detached != 0 ? (real)0 : gg[r]);
  PZ_ROW_EACH(j, n) {
    gv[j][r] = g[r] * inverse[r] * scale[r] * (gw[j][r] - along[r] * (scale[r] * v[j][r] * inverse[r]));
  }
  PZ_VALUE_OUT(0, gg[r]);
)

PZ_ROW_KERNEL(direction_tangent, 6, 1, 0, 1,
  PZ_ROW_IN(0, v);
  PZ_VALUE_IN(1, g);
  PZ_VALUE_IN(2, scale);
  PZ_VALUE_IN(3, size);
  PZ_VALUE_IN(4, dg);
  PZ_ROW_IN(5, dv);
  PZ_ROW_OUT(0, dw);
  PZ_INTEGER_ARG(0, detached);
  PZ_ROW_VALUE(inverse, size[r] == (real)0 ? (real)0 : 1 / size[r]);
  PZ_ROW_SUM(radial, j, n, dv[j][r] * (scale[r] * v[j][r] * inverse[r]));
  PZ_ROW_VALUE(along, detached != 0 ? (real)0 : radial[r]);
  PZ_ROW_EACH(j, n) {
    const real u = scale[r] * v[j][r] * inverse[r];
    dw[j][r] = dg[r] * u + g[r] * inverse[r] * scale[r] * (dv[j][r] - along[r] * u);
  }
)

PZ_ROW_KERNEL(direction_inverse, 1, 2, 0, 0,
  PZ_ROW_IN(0, w);
  PZ_ROW_OUT(1, v);
  PZ_ROW_NORM(size, scale, j, n, w[j][r]);
  PZ_ROW_EACH(j, n) {
    v[j][r] = w[j][r];
  }
  PZ_VALUE_OUT(0, size[r] / scale[r]);
)

// clang-format on

pz_status
direction_forward(pz_call* const c, const direction* const d, const pz_tensor* const v,
                  const pz_tensor* const g, pz_tensor* const w)
{
  pz_tensor scale;
  pz_tensor size;
  PZ_TRY(pz_save_like(c, g, &scale));
  PZ_TRY(pz_save_like(c, g, &size));
  return pz_launch_rows(c, &direction_value, d->kind, d->dim, PZ_TENSORS(v, g),
                        PZ_OUTPUTS(w, &scale, &size), NULL, NULL);
}

pz_status
direction_vjp(pz_call* const c, const direction* const d, const pz_tensor* const v,
              const pz_tensor* const g, const pz_tensor* const gw, pz_tensor* const gv,
              pz_tensor* const gg)
{
  pz_tensor scale;
  pz_tensor size;
  PZ_TRY(pz_saved(c, d->saved, &scale));
  PZ_TRY(pz_saved(c, d->saved + 1, &size));
  return pz_launch_rows(c, &direction_adjoint, d->kind, d->dim, PZ_TENSORS(v, g, &scale, &size, gw),
                        PZ_OUTPUTS(gg, gv), NULL, PZ_INTEGERS(d->detached));
}

pz_status
direction_jvp(pz_call* const c, const direction* const d, const pz_tensor* const v,
              const pz_tensor* const g, const pz_tensor* const dv, const pz_tensor* const dg,
              pz_tensor* const dw)
{
  pz_tensor scale;
  pz_tensor size;
  PZ_TRY(pz_saved(c, d->saved, &scale));
  PZ_TRY(pz_saved(c, d->saved + 1, &size));
  return pz_launch_rows(c, &direction_tangent, d->kind, d->dim,
                        PZ_TENSORS(v, g, &scale, &size, dg, dv), PZ_OUTPUTS(dw), NULL,
                        PZ_INTEGERS(d->detached));
}

pz_status
direction_right_inverse(pz_call* const c, const direction* const d, const pz_tensor* const w,
                        pz_tensor* const v, pz_tensor* const g)
{
  return pz_launch_rows(c, &direction_inverse, d->kind, d->dim, PZ_TENSORS(w), PZ_OUTPUTS(g, v),
                        NULL, NULL);
}
