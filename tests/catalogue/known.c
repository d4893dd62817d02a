/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: known DEVICE FILE.json: chains on a device in float64 against known answers.

   A file has a list of cases for each chain: originals x, their value y, for a cotangent g the vjp, for
   a direction dx the jvp, the sum of log |det| and its gradient, and the right inverse of y; or a
   tensor to register, with the originals and the value that it gives. Buffers come from "initial", the tensor that
   the chain is initialized on, or from "state_of", one that is registered first. Answers were computed from the
   definitions in 110 digits. They hold to 1e-12 of the largest entry, right inverses to 1e-9. Where
   answers are sums that cancel, "terms" is the size of what is added, and they hold to that. */

#include <dense.h>
#include <rig.h>

#include <cjson/cJSON.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* device;
static cJSON* chains;

typedef struct numbers {
  int64_t shape[PZ_MAX_DIMS];
  int32_t ndim;
  int64_t n;
  double* values;
} numbers;

static void
append(numbers* const out, const cJSON* const item, const int32_t depth)
{
  if (cJSON_IsNumber(item)) {
    out->values = realloc(out->values, (size_t)(out->n + 1) * sizeof(double));
    out->values[out->n++] = item->valuedouble;
    return;
  }
  const cJSON* one = NULL;
  out->ndim = depth + 1 > out->ndim ? depth + 1 : out->ndim;
  out->shape[depth] = cJSON_GetArraySize(item);
  cJSON_ArrayForEach(one, item)
  {
    append(out, one, depth + 1);
  }
}

/* The numbers of a member, none if it is absent. */
static numbers
read_numbers(const cJSON* const one, const char* const name)
{
  numbers out = {.values = calloc(1, sizeof(double))};
  const cJSON* const item = cJSON_GetObjectItemCaseSensitive(one, name);
  if (item) {
    append(&out, item, 0);
  }
  return out;
}

typedef struct at {
  const char* chain;
  const char* name;
  double terms; /* size of the terms that an answer is a sum of, or 0 */
} at;

static void
expect(const at* const a, const char* const what, const numbers* const expected, const int64_t n,
       const double* const found, const double tolerance)
{
  ck_assert_msg(n == expected->n, "%s, %s: %s has %lld entries, expected %lld", a->chain, a->name,
                what, (long long)n, (long long)expected->n);
  /* log |det| is a sum of terms around 1, which may cancel */
  const double least = strcmp(what, "log_abs_det") == 0 ? 1.0 : a->terms;
  const double size = fmax(least, largest(n, expected->values));
  for (int64_t k = 0; k < n; ++k) {
    const double off = fabs(found[k] - expected->values[k]);
    if (!(off <= tolerance * size)) {
      ck_abort_msg("%s, %s: %s[%lld] is %.17g, expected %.17g", a->chain, a->name, what,
                   (long long)k, found[k], expected->values[k]);
    }
  }
}

/* Compares a member with what was found, if the case has it. Frees both. */
static void
compare(const at* const a, const cJSON* const one, const char* const member, const int64_t n,
        double* const found, const double tolerance)
{
  numbers expected = read_numbers(one, member);
  if (cJSON_GetObjectItemCaseSensitive(one, member)) {
    ck_assert_msg(found, "%s, %s: %s is not offered", a->chain, a->name, member);
    expect(a, member, &expected, n, found, tolerance);
  }
  free(expected.values);
  free(found);
}

static void
derivatives(rig* const r, const at* const a, const cJSON* const one)
{
  numbers g = read_numbers(one, "g");
  numbers dx = read_numbers(one, "dx");
  pz_spec spec;
  if (g.n > 0 && cJSON_GetObjectItemCaseSensitive(one, "vjp")) {
    compare(a, one, "vjp", r->n_x, rig_gradients(r, g.values), 1e-12);
  }
  if (dx.n > 0 && cJSON_GetObjectItemCaseSensitive(one, "jvp")) {
    compare(a, one, "jvp", r->n_y, rig_jvp(r, dx.values), 1e-12);
  }
  if (cJSON_GetObjectItemCaseSensitive(one, "log_abs_det")) {
    double* const each = rig_log_abs_det(r, &spec);
    double* const sum = calloc(1, sizeof(*sum));
    const bool lacks_schur = !each && strstr(pz_error_message(), "schur of"); /* the reference */
    ck_assert_msg(each || lacks_schur, "%s: %s", a->chain, pz_error_message());
    for (int64_t k = 0; each && k < pz_spec_count(&spec); ++k) {
      sum[0] += each[k];
    }
    if (each) {
      compare(a, one, "log_abs_det", 1, sum, 1e-12);
    } else {
      free(sum);
    }
    free(each);
  }
  if (cJSON_GetObjectItemCaseSensitive(one, "log_abs_det_vjp")) {
    ck_assert_ok(pz_chain_density(r->chain, &spec));
    double* const ones = reals(pz_spec_count(&spec));
    double* found = NULL;
    for (int64_t k = 0; k < pz_spec_count(&spec); ++k) {
      ones[k] = 1.0;
    }
    found = rig_log_abs_det_gradients(r, ones);
    if (found || !strstr(pz_error_message(), "schur of")) {
      compare(a, one, "log_abs_det_vjp", r->n_x, found, 1e-12);
    }
    free(ones);
  }
  free(g.values);
  free(dx.values);
}

static void
run_case(rig* const r, const char* const chain, const cJSON* const one)
{
  const cJSON* const terms = cJSON_GetObjectItemCaseSensitive(one, "terms");
  const at a = {chain, cJSON_GetObjectItemCaseSensitive(one, "case")->valuestring,
                terms ? terms->valuedouble : 0.0};
  numbers x = read_numbers(one, "x");
  numbers y = read_numbers(one, "y");
  numbers tensor = read_numbers(one, "tensor");
  numbers state_of = read_numbers(one, "state_of");
  numbers initial = read_numbers(one, "initial");
  const numbers* const like = tensor.n > 0 ? &tensor : &y;
  rig_from_tensor(r, chain, PZ_F64, like->ndim, like->shape);
  rig_initialize(r, initial.n > 0 ? initial.values : like->values);
  if (state_of.n > 0) {
    ck_assert_ok(rig_assign(r, PZ_REGISTER, state_of.values));
  }
  if (tensor.n > 0) {
    ck_assert_ok(rig_assign(r, PZ_REGISTER, tensor.values));
    compare(&a, one, "x", r->n_x, rig_read_originals(r), 1e-9);
    compare(&a, one, "y", r->n_y, rig_forward(r), 1e-9);
  } else {
    rig_write_originals(r, x.values);
    double* const value = rig_forward(r);
    compare(&a, one, "y", r->n_y, rig_forward(r), 1e-12);
    derivatives(r, &a, one);
    if (cJSON_GetObjectItemCaseSensitive(one, "right_inverse_of_y")) {
      ck_assert_ok(rig_assign(r, PZ_ASSIGN, value));
      compare(&a, one, "right_inverse_of_y", r->n_x, rig_read_originals(r), 1e-9);
    }
    free(value);
  }
  free(x.values);
  free(y.values);
  free(tensor.values);
  free(state_of.values);
  free(initial.values);
}

START_TEST(known_answers)
{
  const cJSON* const chain = cJSON_GetArrayItem(chains, _i);
  const cJSON* one = NULL;
  rig r;
  rig_open(&r, NULL, device);
  ck_assert_int_gt(cJSON_GetArraySize(chain), 0);
  cJSON_ArrayForEach(one, chain)
  {
    run_case(&r, chain->string, one);
  }
  rig_close(&r);
}
END_TEST

int
main(const int argc, char** const argv)
{
  char* text = NULL;
  size_t size = 0;
  if (argc != 3) {
    fprintf(stderr, "usage: known DEVICE FILE.json\n");
    return 2;
  }
  device = argv[1];
  if (test_skips_device(device)) {
    return EXIT_SUCCESS;
  }
  FILE* const in = fopen(argv[2], "r");
  if (!in || getdelim(&text, &size, '\0', in) < 0 || !(chains = cJSON_Parse(text))) {
    fprintf(stderr, "known: %s: cannot be read\n", argv[2]);
    return 1;
  }
  fclose(in);
  free(text);
  TCase* const tcase = tcase_create("known");
  tcase_add_loop_test(tcase, known_answers, 0, cJSON_GetArraySize(chains));
  const int status = test_main_case(tcase);
  cJSON_Delete(chains);
  return status;
}
