/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Whose files are loaded, and who else may write to them. Tests that need files of another user
   are skipped unless root runs them. */

#include "scene.h"

#include <fcntl.h>

START_TEST(test_world_writable)
{
  scene_folder("open");
  scene_copy("good", "good.so");
  scene_copy("two_maps", "open/two_maps.so");
  ck_assert_int_eq(chmod(scene_path("good.so"), 0666), 0);
  ck_assert_int_eq(chmod(scene_path("open"), 0777), 0);
  pz_context* const context = scene_context("", "open", NULL);
  scene_refused(context, "good.so", "world-writable");
  scene_refused(context, "open/two_maps.so", "open is world-writable");
  ck_assert(!scene_mapped("good.so"));
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "good", &info), PZ_NOT_FOUND,
                  "was refused: world-writable");
  ck_assert_fails(pz_context_add_file(context, scene_path("open/two_maps.so")), PZ_INVALID,
                  "open is world-writable");

  /* Mended, it is taken in. */
  ck_assert_int_eq(chmod(scene_path("good.so"), 0644), 0);
  ck_assert_ok(pz_context_rescan(context));
  ck_assert_ok(pz_context_find(context, "good", &info));
  pz_context_free(context);
}
END_TEST

START_TEST(test_group_writable)
{
  scene_folder("group");
  scene_copy("good", "good.so");
  scene_copy("two_maps", "group/two_maps.so");
  ck_assert_int_eq(chmod(scene_path("good.so"), 0664), 0);
  ck_assert_int_eq(chmod(scene_path("group"), 0775), 0);
  pz_context* const context = scene_context("", "group", NULL);
  scene_loaded(context, "good.so", "good");
  ck_assert_str_eq(scene_report(context, "good.so").reason, "group-writable");
  scene_loaded(context, "group/two_maps.so", "first second");
  ck_assert_str_eq(scene_report(context, "group/two_maps.so").reason,
                   "its folder is group-writable");
  pz_context_free(context);
}
END_TEST

START_TEST(test_link_targets)
{
  scene_folder("open");
  scene_copy("good", "open/good.so");
  scene_copy("two_maps", "written");
  ck_assert_int_eq(chmod(scene_path("open"), 0777), 0);
  ck_assert_int_eq(chmod(scene_path("written"), 0666), 0);
  ck_assert_int_eq(symlink("open/good.so", scene_path("good.so")), 0);
  ck_assert_int_eq(symlink("written", scene_path("two_maps.so")), 0);
  pz_context* const context = scene_context("", NULL);
  scene_refused(context, "good.so", "open is world-writable");
  scene_refused(context, "two_maps.so", "world-writable");
  pz_context_free(context);
}
END_TEST

/* Nobody else may redirect the path, at whatever part of it. */
START_TEST(test_on_the_way)
{
  scene_folder("open/inner");
  scene_folder("real");
  scene_folder("links");
  scene_folder("good");
  scene_copy("good", "real/good.so");
  scene_copy("two_maps", "open/inner/two_maps.so");
  ck_assert_int_eq(chmod(scene_path("open"), 0777), 0);
  /* a link to a link in the open folder; a folder by such a link; a folder within */
  ck_assert_int_eq(symlink("../real/good.so", scene_path("open/between.so")), 0);
  ck_assert_int_eq(symlink("../open/between.so", scene_path("links/first.so")), 0);
  ck_assert_int_eq(symlink("../real", scene_path("open/folder")), 0);
  ck_assert_int_eq(symlink("open/folder", scene_path("via")), 0);
  ck_assert_int_eq(symlink(scene_path("via/good.so"), scene_path("links/by_folder.so")), 0);
  pz_context* const context = scene_context("links", "via", "open/inner", "real", NULL);
  scene_refused(context, "links/first.so", "open is world-writable");
  scene_refused(context, "links/by_folder.so", "open is world-writable");
  scene_refused(context, "via/good.so", "open is world-writable");
  scene_refused(context, "open/inner/two_maps.so", "open is world-writable");
  pz_context_free(context);

  /* The same links where the folder is not open to all, in all forms of a target. */
  ck_assert_int_eq(chmod(scene_path("open"), 0755), 0);
  ck_assert_int_eq(symlink("..//links/./../links/first.so", scene_path("good/again.so")), 0);
  pz_context* const closed = scene_context("good", "links", NULL);
  scene_loaded(closed, "good/again.so", "good");
  scene_refused(closed, "links/first.so", "the same file as");
  scene_refused(closed, "links/by_folder.so", "the same file as");
  pz_context_free(closed);
}
END_TEST

static bool exchanging; /* "good.so" and "other", while the linker opens a file */
static int constructed;

PZ_EXPORT void discovery_constructor_hook(void);
void
discovery_constructor_hook(void)
{
  ++constructed;
}

static void
exchange(void)
{
  if (exchanging) {
    ck_assert_int_eq(
        renameat2(AT_FDCWD, scene_path("good.so"), AT_FDCWD, scene_path("other"), RENAME_EXCHANGE),
        0);
  }
}

void* __real_dlopen(const char* path, int flags);
void* __wrap_dlopen(const char* path, int flags);
void*
__wrap_dlopen(const char* const path, const int flags)
{
  exchange();
  void* const handle = __real_dlopen(path, flags);
  exchange();
  return handle;
}

/* The file that is used is the file that was judged, whatever its name stood for meanwhile. */
START_TEST(test_replaced_meanwhile)
{
  scene_copy("good", "good.so");
  scene_copy("busy_constructor", "other");
  ck_assert_int_eq(chmod(scene_path("other"), 0666), 0); /* would be refused */
  pz_context* const context = scene_context("", NULL);
  constructed = 0;
  exchanging = true;
  scene_refused(context, "good.so", "the constructors of the new file have run");
  ck_assert_int_eq(constructed, 1);
  exchanging = false;
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "busy_constructor", &info), PZ_NOT_FOUND, "");

  /* The judged file is opened by the next search. */
  ck_assert_ok(pz_context_rescan(context));
  scene_loaded(context, "good.so", "good");
  pz_context_free(context);
}
END_TEST

static const char*
refuse(void* const data, const char* const path)
{
  ++*(int*)data;
  ck_assert_int_eq(path[0], '/');
  return strstr(path, "two_maps") ? "not\nwanted" : NULL;
}

/* The host is asked about each file before it is opened. */
START_TEST(test_refused_by_host)
{
  int asked = 0;
  const char* const folders[] = {scene};
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS,
      .folders = folders,
      .n_folders = 1,
      .refuse = refuse,
      .refuse_data = &asked,
  };
  scene_copy("good", "good.so");
  scene_copy("two_maps", "two_maps.so");
  pz_context* context = NULL;
  ck_assert_ok(pz_context_new(&settings, &context));
  ck_assert_int_eq(asked, 0);
  scene_loaded(context, "good.so", "good");
  scene_refused(context, "two_maps.so", "not wanted");
  ck_assert_int_eq(asked, 2);
  ck_assert_fails(pz_context_add_file(context, scene_path("two_maps.so")), PZ_INVALID,
                  "two_maps.so\": not wanted");
  ck_assert(!scene_mapped("two_maps.so"));
  pz_context_free(context);
}
END_TEST

/* In a sticky folder, like /tmp, files of ours and of root's are safe from others. */
START_TEST(test_sticky)
{
  scene_folder("sticky");
  scene_copy("good", "sticky/good.so");
  scene_copy("two_maps", "sticky/two_maps.so");
  ck_assert_int_eq(chmod(scene_path("sticky"), 01777), 0);
  pz_context* const context = scene_context("sticky", NULL);
  scene_loaded(context, "sticky/good.so", "good");
  scene_loaded(context, "sticky/two_maps.so", "first second");
  pz_context_free(context);
}
END_TEST

/* ... but those of another user are not. */
START_TEST(test_sticky_stranger)
{
  scene_folder("sticky");
  scene_copy("good", "sticky/good.so");
  scene_copy("two_maps", "sticky/two_maps.so");
  ck_assert_int_eq(chmod(scene_path("sticky"), 01777), 0);
  ck_assert_int_eq(chown(scene_path("sticky/two_maps.so"), STRANGER, STRANGER), 0);
  ck_assert_int_eq(symlink("good.so", scene_path("sticky/link.so")), 0);
  ck_assert_int_eq(lchown(scene_path("sticky/link.so"), STRANGER, STRANGER), 0);
  pz_context* const context = scene_context("sticky", NULL);
  scene_loaded(context, "sticky/good.so", "good");
  scene_refused(context, "sticky/two_maps.so", "belongs to user 54321 in a world-writable folder");
  scene_refused(context, "sticky/link.so", "belongs to user 54321 in a world-writable folder");
  pz_context_free(context);

  /* ... nor are links of theirs on the way, while links of ours are. */
  scene_folder("links");
  ck_assert_int_eq(symlink("../sticky/link.so", scene_path("links/theirs.so")), 0);
  ck_assert_int_eq(symlink("good.so", scene_path("sticky/ours")), 0);
  ck_assert_int_eq(symlink("../sticky/ours", scene_path("links/ours.so")), 0);
  pz_context* const linked = scene_context("links", NULL);
  scene_refused(linked, "links/theirs.so", "sticky/link.so belongs to user 54321");
  scene_loaded(linked, "links/ours.so", "good");
  pz_context_free(linked);
}
END_TEST

START_TEST(test_owner)
{
  scene_folder("given");
  scene_folder("data/parametrize-1/plugins");
  scene_copy("good", "given/good.so");
  scene_copy("two_maps", "data/parametrize-1/plugins/two_maps.so");
  ck_assert_int_eq(chown(scene_path("given"), STRANGER, STRANGER), 0);
  ck_assert_int_eq(chown(scene_path("given/good.so"), STRANGER, STRANGER), 0);
  ck_assert_int_eq(chown(scene_path("data/parametrize-1/plugins/two_maps.so"), STRANGER, STRANGER),
                   0);
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", scene_path("given"), 1), 0);
  ck_assert_int_eq(setenv("XDG_DATA_HOME", scene_path("data"), 1), 0);
  pz_context* context = scene_default_context();
  scene_loaded(context, "given/good.so", "good"); /* named by somebody: may be anyone's */
  scene_refused(context, "data/parametrize-1/plugins/two_maps.so",
                "the file belongs to user 54321, expected root, user 0 or the owner of");
  pz_context_free(context);

  ck_assert_int_eq(chown(scene_path("data/parametrize-1/plugins/two_maps.so"), 0, 0), 0);
  ck_assert_int_eq(chown(scene_path("data/parametrize-1/plugins"), STRANGER, STRANGER), 0);
  context = scene_default_context();
  scene_refused(context, "data/parametrize-1/plugins/two_maps.so", "plugins belongs to user 54321");
  pz_context_free(context);
}
END_TEST

int
main(void)
{
  const char* const not_root = geteuid() == 0 ? NULL : "only root can give files away";
  TCase* const cases = scene_case("trust");
  tcase_add_test(cases, test_world_writable);
  tcase_add_test(cases, test_group_writable);
  tcase_add_test(cases, test_link_targets);
  tcase_add_test(cases, test_on_the_way);
  tcase_add_test(cases, test_replaced_meanwhile);
  tcase_add_test(cases, test_refused_by_host);
  tcase_add_test(cases, test_sticky);
  test_add_or_skip(cases, test_sticky_stranger, not_root);
  test_add_or_skip(cases, test_owner, not_root);
  return test_main_case(cases);
}
