/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random views of random tensors before every map: originals that a chain made give the same tensor
   again, bit for bit and in its own shape, or are refused in one line where they are of tensors of
   several shapes. Whether they are is found by trying shapes. */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 256, MANY = 24, PARTS = 8, MOST_DIMS = 4 };

static const char* const maps[] = {
    "simplex",       "simplex(map=softmax)",
    "ordered",       "sum_to_zero",
    "sphere",        "positive",
    "weight_norm",   "weight_norm(dim=1)",
    "spectral_norm", "orthogonal",
    "skew,cayley",   "symmetric",
    "correlation",   "psd(rank=2)",
    "grassmannian",  "correlation(of=matrix)",
    "cholesky",      "pruning(seed=3)",
    "stationary",
};
enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

/* ---- random views ---------------------------------------------------------------------- */

static int64_t
below(const int64_t n)
{
  return (int64_t)(test_bits(&seed) % (uint64_t)n);
}

static pz_spec
random_spec(void)
{
  pz_spec spec = pz_spec_make(PZ_F32, 0, NULL);
  const int32_t n = 1 + (int32_t)below(4);
  for (; spec.ndim < n; ++spec.ndim) {
    const int64_t room = MANY / pz_spec_count(&spec);
    spec.shape[spec.ndim] = 1 + below(room < 4 ? room : 4);
  }
  return spec;
}

static void
add(char* const text, const char* const before, const int64_t number)
{
  const size_t length = strlen(text);
  snprintf(text + length, TEXT - length, "%s%d", before, (int)number);
}

/* Some of the dimensions in any order, as rows or cols. */
static void
random_view(const pz_spec* const tensor, char* const text)
{
  int64_t order[PZ_MAX_DIMS];
  int64_t n = tensor->ndim;
  strcpy(text, "view(");
  if (below(3) == 0) {
    const int64_t d = below(n);
    const int64_t parts = 1 + below(tensor->shape[d]);
    if (tensor->shape[d] % parts == 0) {
      add(text, "split=", d);
      add(text, ":", parts);
      strcat(text, ",");
      ++n;
    }
  }
  for (int64_t d = 0; d < n; ++d) {
    const int64_t other = below(d + 1);
    order[d] = order[other];
    order[other] = d;
  }
  const int64_t rows = n > 1 && below(3) > 0 ? 1 + below(n - 1) : 0;
  const int64_t cols = 1 + below(n - rows);
  for (int64_t k = 0; k < rows; ++k) {
    add(text, k > 0 ? "+" : "rows=", order[k]);
  }
  strcat(text, rows > 0 ? ",cols=" : "cols=");
  if (below(3) == 0) {
    strcat(text, "*");
    return;
  }
  for (int64_t k = rows; k < rows + cols; ++k) {
    add(text, k > rows ? "+" : "", order[k]);
  }
}

/* One text without the tensor's shape, and one with it. */
static void
random_chain(const pz_spec* const tensor, char* const plain, char* const with)
{
  char view[TEXT] = "";
  char shape[TEXT] = "";
  const char* const map = maps[below(MAPS)];
  const bool twice = below(4) == 0;
  random_view(tensor, view);
  for (int32_t d = 0; d < tensor->ndim; ++d) {
    add(shape, d > 0 ? "x" : "", tensor->shape[d]);
  }
  snprintf(plain, 3 * (size_t)TEXT, "%s),%s%s", view, map, twice ? ",back,positive" : "");
  snprintf(with, 3 * (size_t)TEXT, "%s,tensor=%s),%s%s", view, shape, map,
           twice ? ",back,positive" : "");
}

static pz_status
plan(const char* const text, const pz_direction direction, const pz_spec* const given,
     const uint32_t n, pz_chain** const out)
{
  *out = NULL;
  return pz_chain_new(context, text, NULL, 0, direction, given, n, out);
}

static uint32_t
originals_of(const pz_chain* const chain, pz_spec* const out)
{
  const uint32_t n = pz_chain_count(chain, PZ_ORIGINAL);
  pz_chain_tensor_info info = {.size = sizeof(info)};
  ck_assert_uint_le(n, PARTS);
  for (uint32_t k = 0; k < n; ++k) {
    ck_assert_ok(pz_chain_tensor(chain, PZ_ORIGINAL, k, &info));
    out[k] = info.spec;
  }
  return n;
}

static bool
has_originals(const pz_chain* const chain, const pz_spec* const expected, const uint32_t n)
{
  pz_spec found[PARTS];
  bool same = originals_of(chain, found) == n;
  for (uint32_t k = 0; same && k < n; ++k) {
    same = pz_spec_equal(&found[k], &expected[k]);
  }
  return same;
}

/* ---- shapes ------------------------------------------------------------------------------ */

/* Is there another tensor of `left` more entries in dimensions from spec->ndim on with these
   originals? */
static bool
another(const char* const text, const pz_spec* const tensor, const pz_spec* const originals,
        const uint32_t n, const pz_spec* const begun, const int64_t left)
{
  pz_spec spec = *begun;
  bool found = false;
  if (left == 1 && spec.ndim > 0 && !pz_spec_equal(&spec, tensor)) {
    pz_chain* chain = NULL;
    found =
        plan(text, PZ_FROM_TENSOR, &spec, 1, &chain) == PZ_OK && has_originals(chain, originals, n);
    pz_chain_free(chain);
  }
  if (spec.ndim++ == MOST_DIMS) {
    return found;
  }
  for (int64_t extent = 1; extent <= left && !found; ++extent) {
    spec.shape[spec.ndim - 1] = extent;
    found = left % extent == 0 && another(text, tensor, originals, n, &spec, left / extent);
  }
  return found;
}

/* Of the same number of entries, or of fewer or more. */
static bool
any_other(const char* const text, const pz_spec* const tensor, const pz_spec* const originals,
          const uint32_t n)
{
  const pz_spec none = pz_spec_make(PZ_F32, 0, NULL);
  const int64_t count = pz_spec_count(tensor);
  bool found = another(text, tensor, originals, n, &none, count);
  for (int64_t other = 1; other <= 2 * count + 2 && !found; ++other) {
    found = another(text, tensor, originals, n, &none, other);
  }
  return found;
}

START_TEST(originals_tell_one_shape_or_none)
{
  const int trials = test_thorough() ? 5000 : 400;
  int made = 0;
  int refused = 0;
  for (int trial = 0; trial < trials; ++trial) {
    char plain[3 * TEXT];
    char with[3 * TEXT];
    pz_spec originals[PARTS];
    pz_chain* chain = NULL;
    const pz_spec tensor = random_spec();
    random_chain(&tensor, plain, with);
    if (plan(plain, PZ_FROM_TENSOR, &tensor, 1, &chain) != PZ_OK) {
      continue;
    }
    ++made;
    const uint32_t n = originals_of(chain, originals);
    pz_chain* given = NULL;
    pz_chain* again = NULL;
    ck_assert_ok(plan(with, PZ_FROM_INPUT, originals, n, &given));
    ck_assert(pz_spec_equal(pz_chain_value(given), &tensor));
    ck_assert(has_originals(given, originals, n));
    ck_assert_str_eq(pz_chain_text(given), pz_chain_text(chain));
    const pz_status status = plan(plain, PZ_FROM_INPUT, originals, n, &again);
    char message[256];
    snprintf(message, sizeof(message), "%s", pz_error_message());
    const bool many = any_other(plain, &tensor, originals, n);
    if (status == PZ_OK) {
      ck_assert_msg(!many, "%s: originals of several tensors are accepted", with);
      ck_assert_msg(pz_spec_equal(pz_chain_value(again), &tensor), "%s: another shape", with);
    } else {
      ++refused;
      ck_assert_msg(status == PZ_MISMATCH && strstr(message, "more than one shape"), "%s: %s", with,
                    message);
      bool empty = false; // then tensors of any number of entries may have them
      for (uint32_t k = 0; k < n; ++k) {
        empty = empty || pz_spec_count(&originals[k]) == 0;
      }
      ck_assert_msg(many || empty, "%s: its own originals are refused", with);
    }
    pz_chain_free(again);
    pz_chain_free(given);
    pz_chain_free(chain);
  }
  ck_assert_int_gt(made, trials / 8);
  ck_assert_int_gt(refused, made / 50);
}
END_TEST

/* ---- values ------------------------------------------------------------------------------ */

static pz_module*
plain_module(const pz_spec* const spec)
{
  pz_module* made = NULL;
  const pz_tensor w = host_normal(spec, &seed, 1.0);
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &made));
  ck_assert_ok(pz_module_add(made, "weight", PZ_PARAMETER, &w));
  return made;
}

/* Writes the tensors of the file alone, as another program would; opens that. */
static void
drop_description(void)
{
  part parts[16];
  pz_tensor tensors[16];
  char names[16][64];
  pz_file_tensor_info info = {.size = sizeof(info)};
  uint32_t n = 0;
  for (; pz_file_tensor(file, n, &info) == PZ_OK; ++n) {
    tensors[n] = host_zeros(&info.spec);
    memcpy(tensors[n].data, info.data, info.bytes);
    snprintf(names[n], sizeof(names[n]), "%s", info.name);
    parts[n] = (part){names[n], "F32", &tensors[n]};
  }
  make_file(parts, n);
}

/* Into a new module, which may be saved in place of the file. */
static void
expect_loaded(const char* const rule, const bool saves, const pz_tensor* const value)
{
  const pz_chain_rule rules[] = {{.pattern = "weight", .text = rule}};
  const pz_load_settings settings = settings_of(0, rules, rule ? 1 : 0);
  pz_module* loaded = NULL;
  ck_assert_ok(
      test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &loaded));
  fixture_expect_of(loaded, "weight", value);
  if (saves) {
    ck_assert_ok(pz_module_save(loaded, path, NULL));
    reopen();
  }
  pz_module_free(loaded);
}

/* Into a module whose tensor is plain: its shape is known. */
static void
expect_loaded_there(const char* const rule, const pz_spec* const spec, const pz_tensor* const value)
{
  const pz_chain_rule rules[] = {{.pattern = "weight", .text = rule}};
  const pz_load_settings settings = settings_of(0, rules, rule ? 1 : 0);
  pz_module* const there = plain_module(spec);
  ck_assert_ok(pz_module_load(there, file, &settings));
  fixture_expect_of(there, "weight", value);
  pz_module_free(there);
}

START_TEST(files_give_the_tensor_in_its_shape)
{
  const int trials = test_thorough() ? 1000 : 150;
  int made = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const void* const mark = host_mark();
    char plain[3 * TEXT];
    char with[3 * TEXT];
    const pz_spec spec = random_spec();
    random_chain(&spec, plain, with);
    pz_module* const made_here = plain_module(&spec);
    if (pz_register_parametrization(made_here, "weight", plain, NULL) == PZ_OK) {
      ++made;
      const pz_tensor value = fixture_read_of(made_here, "weight");
      const pz_spec found = pz_spec_of(&value);
      ck_assert(pz_spec_equal(&found, &spec));
      ck_assert_ok(pz_module_save(made_here, path, NULL));
      reopen();
      expect_loaded(NULL, false, &value);
      expect_loaded(plain, false, &value); // the description knows the shape
      expect_loaded_there(NULL, &spec, &value);
      drop_description();
      expect_loaded_there(plain, &spec, &value);
      expect_loaded_there(with, &spec, &value);
      expect_loaded(with, true, &value);
      expect_loaded(NULL, false, &value);
    }
    pz_module_free(made_here);
    host_release(mark);
  }
  ck_assert_int_gt(made, trials / 8);
}
END_TEST

/* What the shape of the text does not fit is refused, and so is a text that is no shape. */
START_TEST(shapes_in_texts_are_checked)
{
  static const int64_t wide[] = {4, 3};
  static const int64_t less[] = {11};
  const pz_spec tensor = pz_spec_make(PZ_F32, 2, wide);
  const pz_spec original = pz_spec_make(PZ_F32, 1, less);
  pz_chain* chain = NULL;
  ck_assert_fails(plan("view(cols=*),simplex", PZ_FROM_INPUT, &original, 1, &chain), PZ_MISMATCH,
                  "view: found originals of tensors of more than one shape, expected the tensor's "
                  "shape in the text, as in view(tensor=16x8x3x3)");
  ck_assert_fails(plan("view(cols=*,tensor=4x4),simplex", PZ_FROM_INPUT, &original, 1, &chain),
                  PZ_MISMATCH,
                  "view: original 0: found float32 11, expected float32 15 for a tensor of float32 "
                  "4x4");
  ck_assert_fails(plan("view(cols=*,tensor=3x4),simplex", PZ_FROM_TENSOR, &tensor, 1, &chain),
                  PZ_MISMATCH,
                  "view: found a tensor of float32 4x3, expected float32 3x4 as the text gives it");
  ck_assert_fails(plan("positive,view(tensor=3x4),positive", PZ_FROM_TENSOR, &tensor, 1, &chain),
                  PZ_MISMATCH,
                  "view: found a tensor of float32 4x3, expected float32 3x4 as the text gives it");
  ck_assert_fails(plan("view(tensor=4x),simplex", PZ_FROM_TENSOR, &tensor, 1, &chain), PZ_INVALID,
                  "view: tensor: found \"4x\", expected a shape as in 16x8x3x3");
  ck_assert_ok(plan("view(cols=*,tensor=4x3),simplex", PZ_FROM_TENSOR, &tensor, 1, &chain));
  ck_assert_str_eq(pz_chain_text(chain), "view(cols=*),simplex");
  pz_chain_free(chain);
}
END_TEST

/* A rule may not give a value another shape than the file describes. */
START_TEST(rules_keep_the_shape)
{
  static const int64_t wide[] = {4, 3};
  static const pz_chain_rule rules[] = {{.pattern = "weight", .text = "simplex"}};
  const pz_load_settings settings = settings_of(0, rules, 1);
  const pz_spec tensor = pz_spec_make(PZ_F32, 2, wide);
  pz_module* const saved = plain_module(&tensor);
  pz_module* loaded = NULL;
  ck_assert_ok(pz_register_parametrization(saved, "weight", "view(cols=*),simplex", NULL));
  ck_assert_ok(pz_module_save(saved, path, NULL));
  pz_module_free(saved);
  reopen();
  ck_assert_fails(
      test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &loaded),
      PZ_MISMATCH, "\"weight\": \"simplex\" gives float32 12, expected float32 4x3 as in the file");
}
END_TEST

int
main(void)
{
  TCase* const tests = folder_case("view_shapes");
  tcase_add_test(tests, originals_tell_one_shape_or_none);
  tcase_add_test(tests, files_give_the_tensor_in_its_shape);
  tcase_add_test(tests, rules_keep_the_shape);
  tcase_add_test(tests, shapes_in_texts_are_checked);
  return test_main_case(tests);
}
