/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A program of firmware, with the static profile in it: a rotation, a step of training, errors, and what
   the profile leaves out. Ends with a line on standard error and 1 where something is not as expected. */

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ORIGINAL "parametrizations.weight.original"

#define EXPECT(condition)                                                        \
  do {                                                                           \
    if (!(condition)) {                                                          \
      fprintf(stderr, "%d: %s: %s\n", __LINE__, #condition, pz_error_message()); \
      return 1;                                                                  \
    }                                                                            \
  } while (0)

/* Is q the rotation by the Cayley map of [[0, a], [-a, 0]]? */
static int
is_rotation(const double* const q, const double a)
{
  const double c = (1 - a * a) / (1 + a * a);
  const double s = 2 * a / (1 + a * a);
  return fabs(q[0] - c) + fabs(q[1] - s) + fabs(q[2] + s) + fabs(q[3] - c) < 1e-14;
}

int
main(void)
{
  double x[4] = {0, 0.5, 0, 0};
  double q[4];
  double g[4] = {0, 1, 0, 0};
  const char* const folder = "/lib";
  const int64_t shape[] = {2, 2};
  const pz_tensor weight = pz_host_tensor(PZ_F64, x, 2, shape);
  const pz_tensor value = pz_host_tensor(PZ_F64, q, 2, shape);
  const pz_tensor gradient = pz_host_tensor(PZ_F64, g, 2, shape);
  const pz_context_settings folders = {.size = sizeof(folders), .folders = &folder, .n_folders = 1};
  pz_context* context = NULL;
  pz_module* layer = NULL;
  pz_plugin_report report = {.size = sizeof(report)};
  EXPECT(pz_context_new(&folders, &context) == PZ_UNSUPPORTED);
  EXPECT(pz_context_new(NULL, &context) == PZ_OK);
  EXPECT(pz_context_add_file(context, "/lib/x.so") == PZ_UNSUPPORTED);
  EXPECT(strstr(pz_error_message(), "profile=static"));
  EXPECT(pz_context_rescan(context) == PZ_OK);
  EXPECT(pz_context_plugin(context, 2, &report) == PZ_OK && strcmp(report.ids, "cayley") == 0);
  EXPECT(pz_module_new(context, NULL, "Linear", &layer) == PZ_OK);
  EXPECT(strcmp(pz_queue_device(pz_module_queue(layer), NULL), "reference") == 0);
  EXPECT(pz_module_add(layer, "weight", PZ_PARAMETER, &weight) == PZ_OK);
  EXPECT(pz_register_parametrization(layer, "weight", "skew,matrix_exp", NULL) == PZ_NOT_FOUND);
  EXPECT(pz_register_parametrization(layer, "weight", "skew,cayley", NULL) == PZ_OK);
  EXPECT(pz_module_read(layer, "weight", &value) == PZ_OK && is_rotation(q, 0.5));

  /* d sin / da = 2 (1 - a^2) / (1 + a^2)^2 */
  EXPECT(pz_module_backward(layer, "weight", &gradient) == PZ_OK);
  EXPECT(pz_module_read_gradient(layer, ORIGINAL, &gradient) == PZ_OK);
  EXPECT(fabs(g[1] - 2 * 0.75 / (1.25 * 1.25)) < 1e-14);
  x[1] -= 0.25;
  EXPECT(pz_module_set(layer, ORIGINAL, &weight) == PZ_OK);
  EXPECT(pz_module_read(layer, "weight", &value) == PZ_OK && is_rotation(q, 0.25));
  EXPECT(pz_module_set(layer, "weight", &gradient) == PZ_OUTSIDE);
  EXPECT(pz_module_sample(layer, "weight") == PZ_OK);
  pz_module_free(layer);
  pz_context_free(context);
  return puts("ok") < 0;
}
