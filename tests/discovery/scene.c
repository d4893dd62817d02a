/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "scene.h"

#include <ftw.h>
#include <stdarg.h>

char scene[256];

static char room[200]; /* of all scenes of a case; the runner's, whatever becomes of a test */

const char*
scene_parent(void)
{
  const char* const temporary = getenv("TMPDIR");
  return temporary && temporary[0] == '/' ? temporary : "/tmp";
}

static void
room_setup(void)
{
  snprintf(room, sizeof(room), "%s/parametrize-XXXXXX", scene_parent());
  ck_assert_ptr_nonnull(mkdtemp(room));
  ck_assert_int_eq(chmod(room, 0711), 0); /* a scene may be opened to other users */
}

static int
remove_one(const char* const path, const struct stat* const s, const int type,
           struct FTW* const walk)
{
  (void)s;
  (void)type;
  (void)walk;
  return remove(path);
}

static void
room_teardown(void)
{
  ck_assert_int_eq(nftw(room, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void
scene_setup(void)
{
  (void)unsetenv("PARAMETRIZE_PLUGIN_PATH");
  (void)unsetenv("XDG_DATA_HOME");
  (void)unsetenv("LD_LIBRARY_PATH"); /* the test runner's, for programs started here */
  snprintf(scene, sizeof(scene), "%s/XXXXXX", room);
  ck_assert_ptr_nonnull(mkdtemp(scene));
  (void)umask(022);
}

TCase*
scene_case(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_unchecked_fixture(tcase, room_setup, room_teardown);
  tcase_add_checked_fixture(tcase, scene_setup, NULL);
  return tcase;
}

const char*
scene_path(const char* const name)
{
  static _Thread_local char paths[8][1024];
  static _Thread_local unsigned next;
  char* const path = paths[next++ % 8];
  snprintf(path, sizeof(paths[0]), "%s/%s", scene, name);
  return path;
}

void
scene_copy(const char* const module, const char* const name)
{
  char from[1024];
  char block[65536];
  const bool absolute = module[0] == '/';
  snprintf(from, sizeof(from), "%s%s%s", absolute ? "" : DISCOVERY_BUILD "/", module,
           absolute ? "" : ".so");
  FILE* const in = fopen(from, "rb");
  FILE* const out = fopen(scene_path(name), "wb");
  ck_assert_msg(in && out, "%s to %s", from, scene_path(name));
  for (size_t n; (n = fread(block, 1, sizeof(block), in)) > 0;) {
    ck_assert_uint_eq(fwrite(block, 1, n, out), n);
  }
  ck_assert_int_eq(fclose(in), 0);
  ck_assert_int_eq(fclose(out), 0);
}

void
scene_write(const char* const name, const char* const text)
{
  FILE* const out = fopen(scene_path(name), "wb");
  ck_assert_ptr_nonnull(out);
  ck_assert_uint_eq(fwrite(text, 1, strlen(text), out), strlen(text));
  ck_assert_int_eq(fclose(out), 0);
}

void
scene_folder(const char* const name)
{
  char path[1024];
  snprintf(path, sizeof(path), "%s", scene_path(name));
  for (char* slash = path + strlen(scene) + 1; (slash = strchr(slash, '/')); ++slash) {
    *slash = '\0';
    (void)mkdir(path, 0755);
    *slash = '/';
  }
  (void)mkdir(path, 0755);
  struct stat s;
  ck_assert_int_eq(stat(path, &s), 0);
}

pz_context*
scene_context(const char* const first, ...)
{
  const char* folders[8];
  uint32_t n = 0;
  va_list args;
  va_start(args, first);
  for (const char* name = first; name; name = va_arg(args, const char*)) {
    folders[n++] = scene_path(name);
  }
  va_end(args);
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS,
      .folders = folders,
      .n_folders = n,
      .seed = 1,
  };
  pz_context* context = NULL;
  ck_assert_ok(pz_context_new(&settings, &context));
  return context;
}

pz_context*
scene_default_context(void)
{
  pz_context* context = NULL;
  ck_assert_ok(pz_context_new(NULL, &context));
  return context;
}

bool
scene_find_report(pz_context* const context, const char* const path, pz_plugin_report* const out)
{
  pz_plugin_report report = {.size = sizeof(report)};
  pz_status status;
  for (uint32_t i = 0; (status = pz_context_plugin(context, i, &report)) == PZ_OK; ++i) {
    ck_assert_ptr_nonnull(report.path);
    ck_assert_ptr_nonnull(report.origin);
    ck_assert_ptr_nonnull(report.ids);
    ck_assert_ptr_null(strchr(report.reason, '\n'));
    if (strcmp(report.path, path) == 0) {
      *out = report;
      return true;
    }
  }
  ck_assert_msg(status == PZ_NOT_FOUND, "%s: %s", pz_status_text(status), pz_error_message());
  return false;
}

pz_plugin_report
scene_report(pz_context* const context, const char* const name)
{
  pz_plugin_report report = {.size = sizeof(report)};
  ck_assert_msg(scene_find_report(context, scene_path(name), &report), "no report on %s", name);
  return report;
}

void
scene_loaded(pz_context* const context, const char* const name, const char* const ids)
{
  const pz_plugin_report report = scene_report(context, name);
  ck_assert_msg(report.loaded == 1, "%s: %s", name, report.reason);
  ck_assert_str_eq(report.ids, ids);
}

void
scene_refused(pz_context* const context, const char* const name, const char* const part)
{
  const pz_plugin_report report = scene_report(context, name);
  ck_assert_uint_eq(report.loaded, 0);
  ck_assert_str_eq(report.ids, "");
  ck_assert_msg(strstr(report.reason, part) != NULL, "%s: \"%s\" lacks \"%s\"", name, report.reason,
                part);
}

bool
scene_mapped(const char* const name)
{
  char line[2048];
  bool mapped = false;
  FILE* const maps = fopen("/proc/self/maps", "r");
  ck_assert_ptr_nonnull(maps);
  while (fgets(line, sizeof(line), maps)) {
    line[strcspn(line, "\n")] = '\0';
    const char* const path = strchr(line, '/');
    mapped = mapped || (path && strcmp(path, scene_path(name)) == 0);
  }
  ck_assert_int_eq(fclose(maps), 0);
  return mapped;
}
