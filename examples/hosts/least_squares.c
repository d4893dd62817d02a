/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Fits y(t) = a e^(-b t) with a, b > 0 by Gauss and Newton. The chain `positive` makes (a, b) from
   free originals x; jvp gives its derivative along each coordinate of x, and these the Jacobian. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>

enum { POINTS = 20 };

int
main(void)
{
  double p[2] = {1, 1}, x[2], d[2][2]; /* a and b, their originals, d(a, b) / dx */
  double along[2][2] = {{1, 0}, {0, 1}};
  const int64_t shape[] = {2};
  const pz_spec spec = pz_spec_make(PZ_F64, 1, shape);
  const pz_tensor value = pz_host_tensor(PZ_F64, p, 1, shape);
  const pz_tensor original = pz_host_tensor(PZ_F64, x, 1, shape);
  const pz_tensor tangents[] = {pz_host_tensor(PZ_F64, along[0], 1, shape),
                                pz_host_tensor(PZ_F64, along[1], 1, shape)};
  const pz_tensor columns[] = {pz_host_tensor(PZ_F64, d[0], 1, shape),
                               pz_host_tensor(PZ_F64, d[1], 1, shape)};
  pz_context* context = NULL;
  pz_queue* queue = NULL;
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_queue_open(context, NULL, NULL, &queue));
  MUST(pz_chain_new(context, "positive", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain));
  MUST(pz_state_new(chain, queue, &state));
  MUST(pz_state_bind(state, PZ_ORIGINAL, 0, &original)); /* x is the program's own memory */
  MUST(pz_eval_new(chain, queue, &eval));
  MUST(pz_eval_assign(eval, state, PZ_ASSIGN, &value)); /* begins at a = b = 1 */
  for (int step = 0; step < 20; ++step) {
    double h00 = 0, h01 = 0, h11 = 0, s0 = 0, s1 = 0;
    MUST(pz_eval_forward(eval, state, PZ_CALL_SAVING, &value, NULL));
    MUST(pz_eval_jvp(eval, state, tangents, 2, columns));
    for (int i = 0; i < POINTS; ++i) { /* normal equations of J dx = data - y */
      const double t = 0.1 * i, e = exp(-p[1] * t), off = 2.5 * exp(-0.7 * t) - p[0] * e;
      const double j0 = e * (d[0][0] - p[0] * t * d[0][1]), j1 = e * (d[1][0] - p[0] * t * d[1][1]);
      h00 += j0 * j0, h01 += j0 * j1, h11 += j1 * j1;
      s0 += j0 * off, s1 += j1 * off;
    }
    const double det = h00 * h11 - h01 * h01;
    x[0] += (h11 * s0 - h01 * s1) / det;
    x[1] += (h00 * s1 - h01 * s0) / det;
    pz_state_touch(state); /* x was written */
  }
  printf("a %.6f, b %.6f\n", p[0], p[1]);
  pz_eval_free(eval);
  pz_state_free(state);
  pz_chain_free(chain);
  pz_queue_close(queue);
  pz_context_free(context);
  return 0;
}
