/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Where is looked, in which order, what is opened when, and what looking again finds. */

#include "scene.h"

#include <malloc.h>

static const char*
path_of(pz_context* const context, const char* const id)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_context_find(context, id, &info));
  return info.path;
}

START_TEST(test_first_wins)
{
  scene_folder("one");
  scene_folder("two");
  scene_copy("good", "one/good.so");
  scene_copy("good", "two/good.so");
  pz_context* context = scene_context("two", "one", NULL);
  ck_assert_str_eq(path_of(context, "good"), scene_path("two/good.so"));
  scene_loaded(context, "two/good.so", "good");
  char said[600];
  snprintf(said, sizeof(said), "\"good\" comes from %s, not from %s", scene_path("two/good.so"),
           scene_path("one/good.so"));
  scene_refused(context, "one/good.so", said);
  pz_context_free(context);

  context = scene_context("one", "two", NULL);
  ck_assert_str_eq(path_of(context, "good"), scene_path("one/good.so"));
  pz_context_free(context);
}
END_TEST

START_TEST(test_named_file_is_opened_alone)
{
  scene_folder("one");
  scene_folder("two");
  scene_copy("two_maps", "one/aaa.so");
  scene_copy("good", "two/good.so");
  scene_copy("two_maps", "two/zzz.so");
  pz_context* const context = scene_context("one", "two", NULL);
  ck_assert_str_eq(path_of(context, "good"), scene_path("two/good.so"));
  ck_assert(scene_mapped("two/good.so"));
  ck_assert(!scene_mapped("one/aaa.so"));
  ck_assert(!scene_mapped("two/zzz.so"));

  /* Named after none of its maps: found on a miss, and no further than needed. */
  ck_assert_str_eq(path_of(context, "second"), scene_path("one/aaa.so"));
  ck_assert(!scene_mapped("two/zzz.so"));
  scene_refused(context, "two/zzz.so", "\"first\" comes from");
  ck_assert(scene_mapped("two/zzz.so"));
  pz_context_free(context);
}
END_TEST

/* Which file wins must not depend on whether one or all were opened first. */
START_TEST(test_order_of_asking)
{
  scene_copy("duplicate_id", "aaa.so");
  scene_copy("good", "good.so");
  pz_context* context = scene_context("", NULL);
  ck_assert_str_eq(path_of(context, "good"), scene_path("good.so"));
  pz_context_free(context);

  context = scene_context("", NULL);
  scene_loaded(context, "good.so", "good"); /* opens everything */
  scene_refused(context, "aaa.so", "\"good\" comes from");
  ck_assert_str_eq(path_of(context, "good"), scene_path("good.so"));
  pz_context_free(context);
}
END_TEST

START_TEST(test_environment)
{
  char variable[2048];
  scene_folder("a");
  scene_folder("b");
  scene_copy("good", "a/good.so");
  scene_copy("two_maps", "b/two_maps.so");
  ck_assert_int_eq(chdir(scene), 0);
  snprintf(variable, sizeof(variable), "%s/:a::%s:b/:%s/none:./b", scene_path("a"), scene_path("b"),
           scene);
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", variable, 1), 0);
  pz_context* context = scene_default_context();
  ck_assert_int_eq(unsetenv("PARAMETRIZE_PLUGIN_PATH"), 0); /* read once, when made */
  scene_loaded(context, "a/good.so", "good");
  scene_loaded(context, "b/two_maps.so", "first second");
  ck_assert_str_eq(scene_report(context, "a/good.so").origin, "PARAMETRIZE_PLUGIN_PATH");
  static const char* const wrong[] = {"a", "", "b", "./b"};
  for (size_t i = 0; i < 4; ++i) {
    pz_plugin_report report = {.size = sizeof(report)};
    ck_assert(scene_find_report(context, wrong[i], &report));
    ck_assert_uint_eq(report.loaded, 0);
    ck_assert_ptr_nonnull(strstr(report.reason, "expected an absolute"));
  }
  scene_refused(context, "none", "no such folder");
  pz_context_free(context);

  /* Unset and empty are the same; and only given folders means it. */
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", "", 1), 0);
  context = scene_default_context();
  pz_plugin_report report = {.size = sizeof(report)};
  ck_assert(!scene_find_report(context, "", &report));
  pz_context_free(context);
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", scene_path("a"), 1), 0);
  context = scene_context("b", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "good", &info), PZ_NOT_FOUND, "no parametrization");
  pz_context_free(context);
}
END_TEST

START_TEST(test_user_folder)
{
  scene_folder("data/parametrize-1/plugins");
  scene_folder("data/parametrize-1/backends");
  scene_folder("home/.local/share/parametrize-1/plugins");
  scene_copy("good", "data/parametrize-1/plugins/good.so");
  scene_copy("bad_backend", "data/parametrize-1/backends/any.so");
  scene_copy("good", "home/.local/share/parametrize-1/plugins/good.so");
  ck_assert_int_eq(setenv("HOME", scene_path("home"), 1), 0);
  ck_assert_int_eq(setenv("XDG_DATA_HOME", scene_path("data"), 1), 0);
  pz_context* context = scene_default_context();
  scene_loaded(context, "data/parametrize-1/plugins/good.so", "good");
  scene_loaded(context, "data/parametrize-1/backends/any.so", "mandatory");
  pz_context_free(context);

  ck_assert_int_eq(unsetenv("XDG_DATA_HOME"), 0);
  context = scene_default_context();
  ck_assert_str_eq(path_of(context, "good"),
                   scene_path("home/.local/share/parametrize-1/plugins/good.so"));
  pz_context_free(context);

  /* Relative: refused, and the current folder not searched. */
  ck_assert_int_eq(chdir(scene), 0);
  ck_assert_int_eq(setenv("XDG_DATA_HOME", "data", 1), 0);
  context = scene_default_context();
  pz_plugin_report report = {.size = sizeof(report)};
  ck_assert(scene_find_report(context, "data/parametrize-1/plugins", &report));
  ck_assert_ptr_nonnull(strstr(report.reason, "relative"));
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "good", &info), PZ_NOT_FOUND, "no parametrization");
  pz_context_free(context);

  /* Whoever asks for a parametrization hears why its folder was not searched. */
  static const char* const elements[] = {
      "\"data\" (PARAMETRIZE_PLUGIN_PATH): a relative path, expected an absolute one",
      "\"\" (PARAMETRIZE_PLUGIN_PATH): an empty element, expected an absolute path",
      "/none\" (PARAMETRIZE_PLUGIN_PATH): no such folder",
  };
  char variable[600];
  snprintf(variable, sizeof(variable), "data::%s", scene_path("none"));
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", variable, 1), 0);
  for (size_t k = 0; k < sizeof(elements) / sizeof(elements[0]); ++k) {
    context = scene_default_context();
    ck_assert_fails(pz_context_find(context, "good", &info), PZ_NOT_FOUND, elements[k]);
    pz_context_free(context);
  }
  ck_assert_int_eq(unsetenv("PARAMETRIZE_PLUGIN_PATH"), 0);
}
END_TEST

START_TEST(test_links)
{
  scene_folder("real");
  scene_folder("links");
  scene_copy("good", "real/good.so");
  ck_assert_int_eq(symlink("../real/good.so", scene_path("links/good.so")), 0);
  ck_assert_int_eq(link(scene_path("real/good.so"), scene_path("links/hard.so")), 0);
  ck_assert_int_eq(symlink("links", scene_path("again")), 0);
  pz_context* const context = scene_context("links", "real", "again", NULL);
  scene_loaded(context, "links/good.so", "good");
  char said[300];
  snprintf(said, sizeof(said), "the same file as %s, loaded once", scene_path("links/good.so"));
  scene_refused(context, "links/hard.so", said);
  scene_refused(context, "real/good.so", said);

  /* The same folder by another name is searched once. */
  pz_plugin_report report = {.size = sizeof(report)};
  ck_assert(!scene_find_report(context, scene_path("again/good.so"), &report));
  pz_context_free(context);
}
END_TEST

START_TEST(test_missing_and_empty)
{
  scene_folder("empty");
  scene_write("file", "");
  pz_context* const context = scene_context("none", "empty", "file", NULL);
  scene_refused(context, "none", "no such folder");
  scene_refused(context, "empty", "no file in it ends in .so");
  scene_refused(context, "file", "a file, expected a folder");
  pz_plugin_report report = {.size = sizeof(report)};
  ck_assert_ok(pz_context_plugin(context, 0, &report));
  ck_assert_str_eq(report.path, "(built in)");
  ck_assert_str_eq(report.ids, "reference");
  ck_assert_uint_eq(report.loaded, 1);

  ck_assert_fails(pz_context_add_folder(context, scene_path("none")), PZ_NOT_FOUND, "none");
  ck_assert_fails(pz_context_add_folder(context, scene_path("file")), PZ_INVALID, "a file");
  ck_assert_fails(pz_context_add_folder(context, "empty"), PZ_INVALID, "absolute");
  ck_assert_fails(pz_context_add_folder(context, ""), PZ_INVALID, "absolute");
  pz_context_free(context);

  const char* const relative[] = {"plugins"};
  const pz_context_settings settings = {
      .size = sizeof(settings), .folders = relative, .n_folders = 1};
  pz_context* none = NULL;
  ck_assert_fails(pz_context_new(&settings, &none), PZ_INVALID, "absolute");
  ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_added_folder)
{
  scene_folder("first");
  scene_folder("second");
  scene_folder("environment");
  scene_copy("two_maps", "first/any.so");
  scene_copy("good", "second/good.so");
  scene_copy("good", "environment/good.so");
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", scene_path("environment"), 1), 0);
  pz_context* const context = scene_default_context();
  ck_assert_ok(pz_context_add_folder(context, scene_path("first")));
  ck_assert_ok(pz_context_add_folder(context, scene_path("second")));
  /* The host's folders come before the environment's. */
  ck_assert_str_eq(path_of(context, "good"), scene_path("second/good.so"));
  ck_assert_str_eq(path_of(context, "first"), scene_path("first/any.so"));
  pz_context_free(context);
}
END_TEST

START_TEST(test_rescan)
{
  scene_copy("good", "good.so");
  scene_copy("two_maps", "two_maps.so");
  scene_write("later.so", "not yet");
  pz_context* const context = scene_context("", NULL);
  const char* const good = path_of(context, "good");
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "older", &info), PZ_NOT_FOUND, "older");
  scene_refused(context, "later.so", "not an ELF file");

  /* A file that came, one that was mended, one that went, one that was replaced. */
  scene_copy("older_table", "older.so");
  ck_assert_int_eq(unlink(scene_path("later.so")), 0);
  scene_copy("unknown_kind", "later.so");
  ck_assert_int_eq(unlink(scene_path("two_maps.so")), 0);
  ck_assert_int_eq(unlink(scene_path("good.so")), 0);
  scene_copy("duplicate_id", "good.so");
  ck_assert_fails(pz_context_find(context, "older", &info), PZ_NOT_FOUND, "older");
  ck_assert_ok(pz_context_rescan(context));
  ck_assert_ok(pz_context_find(context, "older", &info));
  scene_loaded(context, "later.so", "known");
  ck_assert_str_eq(path_of(context, "good"), good);
  ck_assert_ok(pz_context_find(context, "good", &info));
  ck_assert_str_eq(info.version, "1.2.3"); /* what is loaded stays */
  ck_assert_ok(pz_context_find(context, "second", &info));
  scene_loaded(context, "two_maps.so", "first second");
  ck_assert_str_eq(scene_report(context, "two_maps.so").reason,
                   "no longer there, what is loaded stays");
  ck_assert_str_eq(scene_report(context, "good.so").reason,
                   "another file by now, what is loaded stays");
  pz_context_free(context);
}
END_TEST

/* Of files that stay, that are refused, that come and go, and of folders without any. */
START_TEST(test_rescans_keep_no_memory)
{
  enum { BEFORE = 3, ALL = 60 };
  scene_copy("good", "good.so");
  scene_copy("no_symbol", "refused.so");
  scene_folder("empty");
  pz_context* const context = scene_context("", "empty", "none", NULL);
  pz_plugin_report report = {.size = sizeof(report)};
  size_t used = 0;
  for (int k = 0; k < ALL; ++k) {
    if (k % 2 == 0) {
      scene_write("guest.so", "no object");
    } else {
      ck_assert_int_eq(unlink(scene_path("guest.so")), 0);
    }
    ck_assert_ok(pz_context_rescan(context));
    ck_assert_ok(pz_context_plugin(context, 0, &report));
    used = k == BEFORE ? mallinfo2().uordblks : used;
  }
  const size_t after = mallinfo2().uordblks;
  ck_assert_msg(after < used + 64 * (ALL - BEFORE), "%zu bytes, then %zu", used, after);
  pz_context_free(context);
}
END_TEST

/* Both libltdl and the linker answer a name they know with what they have under it. */
START_TEST(test_replaced_under_its_name)
{
  scene_copy("no_symbol", "good.so");
  scene_copy("two_maps", "first.so");
  pz_context* const context = scene_context("", NULL);
  scene_refused(context, "good.so", "exports no symbol"); /* but is mapped */
  scene_loaded(context, "first.so", "first second");
  for (int version = 0; version < 3; ++version) {
    ck_assert_int_eq(unlink(scene_path("good.so")), 0);
    scene_copy(version < 2 ? "no_symbol" : "good", "good.so");
    ck_assert_int_eq(unlink(scene_path("first.so")), 0);
    scene_copy(version % 2 == 0 ? "unknown_kind" : "older_table", "first.so");
    ck_assert_ok(pz_context_rescan(context));
    pz_context* const other = scene_context("", NULL);
    scene_loaded(other, "first.so", version % 2 == 0 ? "known" : "older");
    pz_context_free(other);
  }
  scene_loaded(context, "good.so", "good");
  scene_loaded(context, "first.so", "first second");
  pz_context_free(context);
}
END_TEST

START_TEST(test_enumeration)
{
  scene_copy("good", "good.so");
  scene_copy("two_maps", "any.so");
  scene_copy("unknown_kind", "zzz.so");
  pz_context* const context = scene_context("", NULL);
  static const char* const ids[] = {"first", "good", "known", "second"};
  pz_parametrization_info info = {.size = sizeof(info)};
  for (uint32_t i = 0; i < 4; ++i) {
    ck_assert_ok(pz_context_parametrization(context, i, &info));
    ck_assert_str_eq(info.id, ids[i]);
    ck_assert_str_eq(info.summary, "A map for tests");
  }
  ck_assert_fails(pz_context_parametrization(context, 4, &info), PZ_NOT_FOUND, "4");
  pz_context_free(context);
}
END_TEST

START_TEST(test_nearest)
{
  scene_copy("good", "good.so");
  scene_copy("two_maps", "two_maps.so");
  pz_context* const context = scene_context("", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "godo", &info), PZ_NOT_FOUND, "nearest is \"good\"");
  ck_assert_fails(pz_context_find(context, "secnod", &info), PZ_NOT_FOUND, "nearest is \"second\"");
  ck_assert_fails(pz_context_find(context, "qqqq", &info), PZ_NOT_FOUND, scene);
  ck_assert_ptr_null(strstr(pz_error_message(), "nearest"));
  pz_context_free(context);
}
END_TEST

int
main(void)
{
  TCase* const cases = scene_case("folders");
  tcase_add_test(cases, test_first_wins);
  tcase_add_test(cases, test_named_file_is_opened_alone);
  tcase_add_test(cases, test_order_of_asking);
  tcase_add_test(cases, test_environment);
  tcase_add_test(cases, test_user_folder);
  tcase_add_test(cases, test_links);
  tcase_add_test(cases, test_missing_and_empty);
  tcase_add_test(cases, test_added_folder);
  tcase_add_test(cases, test_rescan);
  tcase_add_test(cases, test_rescans_keep_no_memory);
  tcase_add_test(cases, test_replaced_under_its_name);
  tcase_add_test(cases, test_enumeration);
  tcase_add_test(cases, test_nearest);
  return test_main_case(cases);
}
