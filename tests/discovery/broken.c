/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every way a file can be wrong, what must be said of it, and that it stops nobody else. */

#include "scene.h"

typedef struct expectation {
  const char* module;
  const char* said;
} expectation;

static const expectation refused[] = {
    {"no_symbol", "exports no symbol pz_plugin_v1"},
    {"borrowed_symbol", "exports no symbol pz_plugin_v1"},
    {"next_major", "found symbol pz_plugin_v2, expected pz_plugin_v1"},
    {"wrong_major", "made for parametrize 2.0 (little-endian, pointer 8, tensor 48, spec 80), "
                    "expected 1.0 (little-endian, pointer 8, tensor 48, spec 80)"},
    {"wrong_pointer", "made for parametrize 1.0 (little-endian, pointer 4, tensor 48, spec 80), "
                      "expected 1.0 (little-endian, pointer 8, tensor 48, spec 80)"},
    {"newer_minor", "needs parametrize 1.7 or newer, this is 1.0"},
    {"short_table", "table of a parametrization of 64 bytes, expected at least 72"},
    {"null_forward", "\"broken\": forward is NULL"},
    {"null_id", "id is NULL"},
    {"bad_id", "id \"Not An Id\", expected [a-z][a-z0-9_]*"},
    {"two_lines", "\"broken\": summary has the control character U+000A in it, expected one line"},
    {"null_table", "table of a parametrization is NULL"},
    {"null_items", "1000 items at NULL"},
    {"small_items", "items of 4 bytes, expected 16 to "},
#ifndef __SANITIZE_THREAD__ /* which fills the address space behind a file */
    {"wild_items", "of 1024 lies outside readable memory"},
#endif
    {"wild_pointer", "lies outside readable memory"},
    {"no_items", "0 items, expected 1 to 1024"},
    {"zero_size", "descriptor of 0 bytes, expected at least 52"},
    {"small_symbol", "descriptor of 56 bytes in a symbol of 20"},
    {"missing_dependency", "libnowhere.so"},
    {"undefined_function", "undefined symbol: function_that_nobody_has"},
};

START_TEST(test_refused)
{
  const expectation* const e = &refused[_i];
  scene_copy("good", "good.so");
  scene_copy(e->module, "a.so"); /* before good.so */
  pz_context* const context = scene_context("", NULL);
  scene_refused(context, "a.so", e->said);
  scene_loaded(context, "good.so", "good");

  /* The same words where the host names the file itself. */
  ck_assert_fails(
      pz_context_add_file(context, scene_path("a.so")),
      strstr(e->module, "missing") || strstr(e->module, "undefined") ? PZ_IO : PZ_PLUGIN, e->said);
  /* And where the map is asked for that it should have had. */
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "a", &info), PZ_NOT_FOUND, e->said);
  pz_context_free(context);
}
END_TEST

START_TEST(test_unknown_kind)
{
  scene_copy("unknown_kind", "unknown_kind.so");
  pz_context* const context = scene_context("", NULL);
  scene_loaded(context, "unknown_kind.so", "known");
  const pz_plugin_report report = scene_report(context, "unknown_kind.so");
  ck_assert_str_eq(report.reason, "item of unknown kind 9, expected 1 or 2");
  pz_context_free(context);
}
END_TEST

START_TEST(test_older_table)
{
  scene_copy("older_table", "older_table.so");
  pz_context* const context = scene_context("", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_context_find(context, "older", &info));
  ck_assert_uint_eq(info.flags, 0); /* what stands behind the table's end was not read */
  ck_assert_str_eq(info.formula, "");
  pz_context_free(context);
}
END_TEST

START_TEST(test_bad_options)
{
  static const char* const said[] = {
      "\"unnamed\": name of an option is NULL",
      "\"misnamed\": name of an option \"a-b\", expected [a-z][a-z0-9_]*",
      "\"undocumented\": option \"x\": doc is NULL",
      "\"repeated\": option \"x\" twice",
      "\"too_small\": option \"x\": default -1, expected one within 0 .. 1",
      "\"not_a_number\": option \"x\": default nan, expected one within 0 .. 1",
      "\"too_large\": option \"x\": default 9, expected one within 0 .. 8",
      "\"no_flag\": option \"x\": default 2, expected one within 0 .. 1",
      "\"no_choice\": option \"x\": default 2, expected one within 0 .. 1",
      "\"null_choice\": option \"x\": choice is NULL",
      "\"blank_choice\": option \"x\": choice \"two words\", expected a word",
      "\"same_choice\": option \"x\": choice \"one\" twice",
      "\"unchosen\": option \"x\": 0 choices, expected 1 to 256",
      "\"untyped\": option \"x\": type 17, expected 1 to 5",
      "\"fractional\": option \"x\": default 0.5, expected an integer up to 2^53",
      "\"unsized\": options of 0 bytes, expected at least",
      "\"nowhere\": 3 options at NULL",
  };
  scene_copy("bad_options", "bad_options.so");
  pz_context* const context = scene_context("", NULL);
  for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); ++i) {
    scene_refused(context, "bad_options.so", said[i]);
  }
  pz_context_free(context);
}
END_TEST

START_TEST(test_bad_backend)
{
  scene_copy("bad_backend", "bad_backend.so");
  pz_context* const context = scene_context("", NULL);
  scene_loaded(context, "bad_backend.so", "mandatory");
  const pz_plugin_report report = scene_report(context, "bad_backend.so");
  ck_assert_str_eq(report.reason, "backend \"no_sync\": sync is NULL; table of a backend of 48 "
                                  "bytes, expected at least 88");
  pz_context_free(context);
}
END_TEST

START_TEST(test_not_a_module)
{
  scene_write("text.so", "not a shared object at all");
  scene_write("empty.so", "");
  scene_write("torn.so", "\177ELF");
  scene_write("README", "not looked at");
  scene_write("libgood.so.1", "not looked at");
  scene_write(".hidden.so", "not looked at");
  scene_folder("folder.so");
  ck_assert_int_eq(mkfifo(scene_path("pipe.so"), 0644), 0);
  ck_assert_int_eq(symlink("nowhere", scene_path("dangling.so")), 0);
  ck_assert_int_eq(symlink("loop.so", scene_path("loop.so")), 0);
  pz_context* const context = scene_context("", NULL);
  scene_refused(context, "text.so", "not an ELF file, expected a shared object");
  scene_refused(context, "empty.so", "empty, expected a shared object");
  scene_refused(context, "torn.so", "cut off: 4 bytes, expected at least 64");
  scene_refused(context, "folder.so", "a folder, expected a file");
  scene_refused(context, "pipe.so", "neither file nor folder");
  scene_refused(context, "dangling.so", "dangling symbolic link");
  scene_refused(context, "loop.so", "symbolic links");

  pz_plugin_report report = {.size = sizeof(report)};
  ck_assert(!scene_find_report(context, scene_path("README"), &report));
  ck_assert(!scene_find_report(context, scene_path("libgood.so.1"), &report));
  ck_assert(!scene_find_report(context, scene_path(".hidden.so"), &report));
  pz_context_free(context);
}
END_TEST

START_TEST(test_unreadable)
{
  const uid_t user = geteuid();
  scene_copy("good", "good.so");
  ck_assert_int_eq(chmod(scene_path("good.so"), 0), 0);
  if (user == 0) { /* root reads everything */
    ck_assert_int_eq(chown(scene, STRANGER, (gid_t)-1), 0);
    ck_assert_int_eq(seteuid(STRANGER), 0);
  }
  pz_context* const context = scene_context("", NULL);
  scene_refused(context, "good.so", "Permission denied");
  pz_context_free(context);
  ck_assert_int_eq(seteuid(user), 0);
}
END_TEST

START_TEST(test_add_file)
{
  pz_context* const context = scene_context("", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  scene_copy("good", "given.so");
  scene_write("text.so", "no");
  ck_assert_fails(pz_context_add_file(context, "given.so"), PZ_INVALID, "expected an absolute");
  ck_assert_fails(pz_context_add_file(context, ""), PZ_INVALID, "expected an absolute");
  ck_assert_fails(pz_context_add_file(context, scene_path("none.so")), PZ_NOT_FOUND, "No such");
  ck_assert_fails(pz_context_add_file(context, scene_path("text.so")), PZ_PLUGIN, "not an ELF");
  ck_assert_fails(pz_context_add_file(context, scene), PZ_INVALID, "ends in .so");
  ck_assert_ok(pz_context_add_file(context, scene_path("given.so")));
  ck_assert_ok(pz_context_add_file(context, scene_path("given.so"))); /* there already */
  ck_assert_ok(pz_context_find(context, "good", &info));
  ck_assert_str_eq(info.path, scene_path("given.so"));
  ck_assert_str_eq(info.version, "1.2.3");

  scene_copy("duplicate_id", "late.so");
  ck_assert_fails(pz_context_add_file(context, scene_path("late.so")), PZ_EXISTS,
                  scene_path("given.so"));
  pz_context_free(context);
}
END_TEST

START_TEST(test_strange_names)
{
  /* libltdl has views of its own on colons, slashes and endings. */
  scene_folder("a::b:");
  scene_copy("good", "a::b:/good.so");
  scene_copy("two_maps", "a::b:/it's ; (x) %s.la.so");
  scene_folder("$ORIGIN");
  scene_copy("older_table", "$ORIGIN/older.so");
  pz_context* const context = scene_context("a::b:/", "$ORIGIN", NULL);
  scene_refused(context, "$ORIGIN/older.so", "which the dynamic linker would expand");
  scene_loaded(context, "a::b:/good.so", "good");
  scene_loaded(context, "a::b:/it's ; (x) %s.la.so", "first second");
  pz_context_free(context);
}
END_TEST

int
main(void)
{
  TCase* const cases = scene_case("broken plugins");
  tcase_add_loop_test(cases, test_refused, 0, (int)(sizeof(refused) / sizeof(refused[0])));
  tcase_add_test(cases, test_unknown_kind);
  tcase_add_test(cases, test_older_table);
  tcase_add_test(cases, test_bad_options);
  tcase_add_test(cases, test_bad_backend);
  tcase_add_test(cases, test_not_a_module);
  tcase_add_test(cases, test_unreadable);
  tcase_add_test(cases, test_add_file);
  tcase_add_test(cases, test_strange_names);
  return test_main_case(cases);
}
