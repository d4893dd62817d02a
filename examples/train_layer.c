/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The life of an orthogonal weight.

   A linear layer y = W x learns a hidden rotation R from noisy pairs (x, R x + noise) by
   gradient descent with momentum. W is kept orthogonal by `skew,cayley`: the optimizer
   sees the unconstrained original only. The loss is mean |W x - y|^2 / 2, so its
   gradient at W is the mean of (W x - y) x^T. */

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 24, SAMPLES = 512, STEPS = 400 };

static const char weight_path[] = "parametrizations.weight.original";

static void
check(const pz_status status, const char* what)
{
  if (status != PZ_OK) {
    fprintf(stderr, "train_layer: %s: %s\n", what, pz_error_message());
    exit(EXIT_FAILURE);
  }
}

/* Uniform in (-1, 1), xorshift64*. */
static double
random_uniform(void)
{
  static uint64_t state = 0x9e3779b97f4a7c15U;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (double)((state * 0x2545f4914f6cdd1dU) >> 11) * 0x1p-52 - 1.0;
}

/* |Q^T Q - I|, largest entry. */
static double
orthogonality(const double* q)
{
  double worst = 0.0;
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < N; ++j) {
      double sum = i == j ? -1.0 : 0.0;
      for (int k = 0; k < N; ++k) {
        sum += q[k * N + i] * q[k * N + j];
      }
      worst = fmax(worst, fabs(sum));
    }
  }
  return worst;
}

/* The loss of weight w on the data, and its gradient where `gradient` is not NULL. */
static double
loss_of(const double* w, const double* x, const double* y, double* gradient)
{
  double loss = 0.0;
  if (gradient) {
    memset(gradient, 0, sizeof(double) * N * N);
  }
  for (int s = 0; s < SAMPLES; ++s) {
    for (int i = 0; i < N; ++i) {
      double residual = -y[s * N + i];
      for (int j = 0; j < N; ++j) {
        residual += w[i * N + j] * x[s * N + j];
      }
      loss += 0.5 * residual * residual / SAMPLES;
      for (int j = 0; gradient && j < N; ++j) {
        gradient[i * N + j] += residual * x[s * N + j] / SAMPLES;
      }
    }
  }
  return loss;
}

/* A random rotation: a product of plane rotations. */
static void
make_rotation(double* r)
{
  memset(r, 0, sizeof(double) * N * N);
  for (int i = 0; i < N; ++i) {
    r[i * N + i] = 1.0;
  }
  for (int i = 0; i < N; ++i) {
    for (int j = i + 1; j < N; ++j) {
      const double angle = 0.3 * random_uniform();
      const double c = cos(angle);
      const double s = sin(angle);
      for (int k = 0; k < N; ++k) {
        const double a = r[i * N + k];
        const double b = r[j * N + k];
        r[i * N + k] = c * a - s * b;
        r[j * N + k] = s * a + c * b;
      }
    }
  }
}

static void
show_plugins(pz_context* context)
{
  printf("Found at run time:\n");
  for (uint32_t i = 0;; ++i) {
    pz_map_info map = {.size = sizeof(map)};
    if (pz_context_map(context, i, &map) != PZ_OK) {
      break;
    }
    printf("  %-12s %-6s %s\n", map.id, map.version, map.path);
  }
}

/* Reads the value of "weight" into `out`. */
static void
read_weight(pz_module* layer, double* out)
{
  const int64_t shape[] = {N, N};
  const pz_tensor host = pz_host_tensor(PZ_F64, out, 2, shape);
  check(pz_module_read(layer, "weight", &host), "reading the weight");
}

/* The gradient of one entry of the original against a central difference of the loss. */
static void
check_gradient(pz_module* layer, const double* x, const double* y)
{
  static double w[N * N];
  static double gradient[N * N];
  const int64_t shape[] = {N, N};
  const pz_tensor gradient_tensor = pz_host_tensor(PZ_F64, gradient, 2, shape);
  const int entry = 2 * N + 5; /* row 2, column 5: above the diagonal */
  const double step = 1e-5;
  double loss[2];
  pz_tensor original;
  pz_tensor analytic;

  read_weight(layer, w);
  loss_of(w, x, y, gradient);
  check(pz_module_zero_gradients(layer), "zeroing gradients");
  check(pz_module_backward(layer, "weight", &gradient_tensor), "backward");
  check(pz_module_gradient(layer, weight_path, &analytic), "the gradient");
  const double exact = ((const double*)analytic.data)[entry];
  for (int side = 0; side < 2; ++side) {
    check(pz_module_edit(layer, weight_path, &original), "editing the original");
    ((double*)original.data)[entry] += side == 0 ? step : -2.0 * step;
    check(pz_module_commit(layer, weight_path), "committing the original");
    read_weight(layer, w);
    loss[side] = loss_of(w, x, y, NULL);
  }
  check(pz_module_edit(layer, weight_path, &original), "editing the original");
  ((double*)original.data)[entry] += step;
  check(pz_module_commit(layer, weight_path), "committing the original");
  const double difference = (loss[0] - loss[1]) / (2.0 * step);
  printf("Gradient check: vjp %.9f, central difference %.9f, relative error %.1e\n", exact,
         difference, fabs(exact - difference) / fabs(difference));
}

/* Gradient descent with momentum until the loss has fallen tenfold; returns the steps. */
static int
train(pz_module* layer, const double* x, const double* y)
{
  static double w[N * N];
  static double gradient[N * N];
  static double momentum[N * N];
  const int64_t shape[] = {N, N};
  const pz_tensor gradient_tensor = pz_host_tensor(PZ_F64, gradient, 2, shape);
  double first = 0.0;

  for (int step = 0; step < STEPS; ++step) {
    pz_tensor original;
    pz_tensor slope;
    read_weight(layer, w);
    const double loss = loss_of(w, x, y, gradient);
    first = step == 0 ? loss : first;
    if (step % 5 == 0 || loss < first / 10.0) {
      printf("  step %3d  loss %.6f  |Q^T Q - I| %.1e\n", step, loss, orthogonality(w));
    }
    if (loss < first / 10.0) {
      return step;
    }
    check(pz_module_zero_gradients(layer), "zeroing gradients");
    check(pz_module_backward(layer, "weight", &gradient_tensor), "backward");
    check(pz_module_gradient(layer, weight_path, &slope), "the gradient");
    check(pz_module_edit(layer, weight_path, &original), "editing the original");
    for (int k = 0; k < N * N; ++k) {
      momentum[k] = 0.5 * momentum[k] + ((const double*)slope.data)[k];
      ((double*)original.data)[k] -= 0.005 * momentum[k];
    }
    check(pz_module_commit(layer, weight_path), "committing the original");
  }
  fprintf(stderr, "train_layer: the loss did not fall tenfold in %d steps\n", STEPS);
  exit(EXIT_FAILURE);
}

/* Assigns a rotation and reads it back. */
static void
assign(pz_module* layer, const double* rotation)
{
  static double copy[N * N];
  static double back[N * N];
  const int64_t shape[] = {N, N};
  const pz_tensor value = pz_host_tensor(PZ_F64, copy, 2, shape);
  double worst = 0.0;
  memcpy(copy, rotation, sizeof(copy));
  check(pz_module_set(layer, "weight", &value), "assigning a rotation");
  read_weight(layer, back);
  for (int k = 0; k < N * N; ++k) {
    worst = fmax(worst, fabs(back[k] - rotation[k]));
  }
  printf("Assigned the hidden rotation itself; read back to %.1e\n", worst);
  copy[0] += 0.5;
  const pz_status refused = pz_module_set(layer, "weight", &value);
  printf("Assigned a matrix that is no rotation: %s\n  (%s)\n", pz_status_text(refused),
         pz_error_message());
}

int
main(int argc, char** argv)
{
  static double x[SAMPLES * N];
  static double y[SAMPLES * N];
  static double rotation[N * N];
  static double start[N * N];
  static double w[N * N];
  static char text[4096];
  const char* const device = argc > 1 ? argv[1] : NULL;
  const char* const file = argc > 2 ? argv[2] : "layer.safetensors";
  const int64_t shape[] = {N, N};
  const pz_tensor start_tensor = pz_host_tensor(PZ_F64, start, 2, shape);
  pz_context* context = NULL;
  pz_module* layer = NULL;

  make_rotation(rotation);
  for (int k = 0; k < SAMPLES * N; ++k) {
    x[k] = random_uniform() * sqrt(3.0);
  }
  for (int s = 0; s < SAMPLES; ++s) {
    for (int i = 0; i < N; ++i) {
      y[s * N + i] = 0.01 * random_uniform();
      for (int j = 0; j < N; ++j) {
        y[s * N + i] += rotation[i * N + j] * x[s * N + j];
      }
    }
  }
  for (int k = 0; k < N * N; ++k) {
    start[k] = 0.1 * random_uniform();
  }

  check(pz_context_new(NULL, &context), "opening a context");
  show_plugins(context);
  check(pz_module_new(context, device, "Linear", &layer), "making the layer");
  check(pz_module_add(layer, "weight", PZ_PARAMETER, &start_tensor), "adding the weight");
  check(pz_register_parametrization(layer, "weight", "skew", 0), "registering skew");
  check(pz_register_parametrization(layer, "weight", "cayley", 0), "registering cayley");
  pz_module_print(layer, text, sizeof(text));
  printf("\nRegistered skew, then cayley:\n%s\n", text);

  read_weight(layer, w);
  printf("Read the value: |Q^T Q - I| %.1e\n", orthogonality(w));
  check_gradient(layer, x, y);
  printf("Training until the loss has fallen tenfold:\n");
  const int steps = train(layer, x, y);
  printf("Tenfold in %d steps.\n", steps);
  assign(layer, rotation);
  check(pz_module_save(layer, file), "saving");
  printf("Saved originals and the list of maps to %s\n", file);

  pz_module_free(layer);
  pz_context_free(context);
  return EXIT_SUCCESS;
}
