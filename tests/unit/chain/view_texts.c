/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The texts of the words `view` and `back`, and what is refused. */

#include <maps.h>
#include <rig.h>

#include <string.h>

static rig r;
static const int64_t kernel[] = {4, 3, 2, 2};

static void
setup(void)
{
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_density_maps));
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_triangle_maps));
}

static void
teardown(void)
{
  rig_close(&r);
}

static void
assert_spec(const pz_spec spec, const int32_t ndim, const int64_t* const shape)
{
  const pz_spec expected = pz_spec_make(PZ_F64, ndim, shape);
  ck_assert(pz_spec_equal(&spec, &expected));
}

#define SPEC_IS(spec, ...)                                                         \
  assert_spec(spec, (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
              (const int64_t[]){__VA_ARGS__})

START_TEST(test_texts)
{
  static const char* const texts[][2] = {
      {"view,gain", "view(rows=0,cols=*),gain"},
      {"view(rows=1),gain", "view(rows=1,cols=*),gain"},
      {"view(cols=0+2),gain", "view(cols=0+2),gain"},
      {"view(cols=*,rows=00+2),gain", "view(rows=0+2,cols=*),gain"},
      {"view(cols=-1,rows=0-2),gain", "view(rows=0-2,cols=-1),gain"},
      {"view( rows = -4--3 , cols = -2+-1 ) , gain", "view(rows=-4--3,cols=-2+-1),gain"},
      {"view(cols=1+*+0),gain", "view(cols=1+*+0),gain"},
      {"view(split=0:2+3:1,rows=1,cols=2),gain", "view(split=0:2+3:1,rows=1,cols=2),gain"},
      {"view(split=-1:2),gain,back,gain", "view(split=-1:2,rows=0,cols=*),gain,back,gain"},
      {"gain,view,gain,back", "gain,view(rows=0,cols=*),gain,back"},
  };
  for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); ++k) {
    rig_from_tensor(&r, texts[k][0], PZ_F64, 4, kernel);
    ck_assert_str_eq(pz_chain_text(r.chain), texts[k][1]);
    SPEC_IS(*pz_chain_value(r.chain), 4, 3, 2, 2);
    rig_from_tensor(&r, texts[k][1], PZ_F64, 4, kernel); // the canonical text means the same
    ck_assert_str_eq(pz_chain_text(r.chain), texts[k][1]);
  }
}
END_TEST

static void
refuse(const char* const text, const int32_t ndim, const int64_t* const shape,
       const pz_status status, const char* const message)
{
  const pz_spec spec = pz_spec_make(PZ_F64, ndim, shape);
  const pz_status found = rig_try_chain(&r, text, NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_msg(found == status && strcmp(pz_error_message(), message) == 0,
                "%s: %s: %s, expected %s: %s", text, pz_status_text(found), pz_error_message(),
                pz_status_text(status), message);
}

START_TEST(test_refused_texts)
{
  static const struct {
    const char* text;
    pz_status status;
    const char* message;
  } cases[] = {
      {"view", PZ_INVALID, "view: found no parametrization after it"},
      {"gain,view(cols=0)", PZ_INVALID, "view: found no parametrization after it"},
      {"gain,view,gain,view,gain", PZ_INVALID,
       "view: found a view in a view, expected back before it"},
      {"back", PZ_INVALID, "back: found no view before it"},
      {"gain,back,gain", PZ_INVALID, "back: found no view before it"},
      {"view,gain,back,back", PZ_INVALID, "back: found no view before it"},
      {"view,back,gain", PZ_INVALID, "back: found no parametrization in the view before it"},
      {"view,gain,back(rows=1)", PZ_NOT_FOUND, "back: found option \"rows\", expected none"},
      {"view(row=1),gain", PZ_NOT_FOUND,
       "view: no option \"row\", there is split, rows, cols, tensor"},
      {"view(rows=0,rows=0),gain", PZ_INVALID,
       "view: found option \"rows\" twice, expected it once"},
      {"view(rows=*,cols=*),gain", PZ_INVALID,
       "view: found * in rows and cols more than once, expected it once"},
      {"view(cols=*+*),gain", PZ_INVALID,
       "view: found * in rows and cols more than once, expected it once"},
      {"view(rows=*),gain", PZ_INVALID,
       "view: found * in rows and cols more than once (cols is * where not given), expected it "
       "once"},
#define LIST(option, text)                       \
  {"view(" option "=" text "),gain", PZ_INVALID, \
   "view: " option ": found \"" text "\", expected dimensions as in 1, 0+2, 1-3 or *"}
      LIST("rows", "a"),
      LIST("rows", "0+"),
      LIST("cols", "+0"),
      LIST("cols", "0++1"),
      LIST("cols", "-"),
      LIST("cols", "0-"),
      LIST("cols", "1-2-3"),
      LIST("cols", "*1"),
      LIST("cols", "0.5"),
      LIST("cols", "1234567890"),
      LIST("cols", "0+1+2+3+4+5+6+7+8"),
#define CUTS(text)                          \
  {"view(split=" text "),gain", PZ_INVALID, \
   "view: split: found \"" text "\", expected dimensions with their parts as in 0:8 or 0:8+2:4"}
      CUTS("0"),
      CUTS("0:"),
      CUTS(":2"),
      CUTS("0:0"),
      CUTS("0:-2"),
      CUTS("0:2+"),
      CUTS("0:2:1"),
      CUTS("0-1:2"),
      CUTS("0:2+0:1+0:1+0:1+0:1+0:1+0:1+0:1+0:1"),
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    refuse(cases[k].text, 4, kernel, cases[k].status, cases[k].message);
  }
}
END_TEST

START_TEST(test_refused_tensors)
{
  static const int64_t empty[] = {0, 0, 3};
  refuse("view(rows=4),gain", 4, kernel, PZ_MISMATCH,
         "view: rows: found dimension 4, expected -4 to 3");
  refuse("view(rows=0,cols=-5),gain", 4, kernel, PZ_MISMATCH,
         "view: cols: found dimension -5, expected -4 to 3");
  refuse("view(split=4:2),gain", 4, kernel, PZ_MISMATCH,
         "view: split: found dimension 4, expected -4 to 3");
  refuse("view(split=0:2,rows=5),gain", 4, kernel, PZ_MISMATCH,
         "view: rows: found dimension 5, expected -5 to 4");
  refuse("view(rows=0,cols=0),gain", 4, kernel, PZ_MISMATCH,
         "view: found dimension 0 twice, expected it once");
  refuse("view(rows=1+-3),gain", 4, kernel, PZ_MISMATCH,
         "view: found dimension 1 twice, expected it once");
  refuse("view(rows=0-2,cols=1),gain", 4, kernel, PZ_MISMATCH,
         "view: found dimension 1 twice, expected it once");
  refuse("view(rows=-1-0),gain", 4, kernel, PZ_MISMATCH,
         "view: rows: found dimensions -1-0, expected them to rise");
  refuse("view(rows=0-3),gain", 4, kernel, PZ_MISMATCH,
         "view: cols: found no dimension left for *");
  refuse("view,gain", 1, kernel, PZ_MISMATCH, "view: cols: found no dimension left for *");
  refuse("view,gain", 0, NULL, PZ_MISMATCH, "view: found a tensor without dimensions");
  refuse("view(split=1:2),gain", 4, kernel, PZ_MISMATCH,
         "view: split: found 2 parts for an extent of 3, expected a divisor");
  refuse("view(split=0:2+0:1+0:1+0:1+0:1),gain", 4, kernel, PZ_MISMATCH,
         "view: split: found more than 8 dimensions");
  refuse("view(split=0:999999999+0:999999999+3:999999999),gain", 3, empty, PZ_MISMATCH,
         "view: split: found too many parts of an empty tensor");
}
END_TEST

START_TEST(test_settings)
{
  const pz_spec spec = pz_spec_make(PZ_F64, 4, kernel);
  const pz_option_setting settings[] = {
      {.name = "rows", .value = {.type = PZ_INTEGER, .as.integer = 1}},
      {.name = "rank", .value = {.type = PZ_INTEGER, .as.integer = 2}, .stage = 1},
  };
  ck_assert_fails(rig_try_chain(&r, "view,factors", settings, 1, PZ_FROM_TENSOR, &spec, 1),
                  PZ_INVALID, "view: found setting 0, expected options in the text");
  rig_chain(&r, "view,factors", settings + 1, 1, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_str_eq(pz_chain_text(r.chain), "view(rows=0,cols=*),factors(rank=2)");
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("view_texts");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_texts);
  tcase_add_test(tests, test_refused_texts);
  tcase_add_test(tests, test_refused_tensors);
  tcase_add_test(tests, test_settings);
  return test_main_case(tests);
}
