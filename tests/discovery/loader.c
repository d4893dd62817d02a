/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What opening a file must not do: run a file of somebody else's, block who needs nothing
   of it, or give two threads two answers. */

#include "scene.h"

#include <pthread.h>
#include <stdatomic.h>

/* Called by the constructor of busy_constructor.c, found in the program by its name. */
PZ_EXPORT void discovery_constructor_hook(void);

static atomic_int constructed;
static atomic_int failures;
static void (*hook)(void);

void
discovery_constructor_hook(void)
{
  atomic_fetch_add(&constructed, 1);
  if (hook) {
    hook();
  }
}

/* Tests may run in one process. */
static void
start_counting(void (*const called)(void))
{
  atomic_store(&constructed, 0);
  atomic_store(&failures, 0);
  hook = called;
}

/* The private names under which files are opened are paths that nothing has, whatever
   lies in the current folder or is searched by libltdl and the linker. */
START_TEST(test_decoys)
{
  start_counting(NULL);
  static const char* const folders[] = {"", "null/", "dev/null/", "decoys/dev/null/", "decoys/"};
  static const char* const endings[] = {"", ".so", ".la"};
  scene_folder("dev/null");
  scene_folder("null");
  scene_folder("decoys/dev/null");
  for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); ++i) {
    for (int k = 0; k < 12; ++k) {
      char name[64];
      snprintf(name, sizeof(name), "%s%d%s", folders[i], k % 4, endings[k / 4]);
      scene_copy("busy_constructor", name);
    }
  }
  ck_assert_int_eq(chdir(scene), 0);
  ck_assert_int_eq(setenv("LTDL_LIBRARY_PATH", scene_path("decoys"), 1), 0);
  ck_assert_int_eq(setenv("LD_LIBRARY_PATH", scene_path("decoys"), 1), 0);
  scene_folder("plugins");
  scene_copy("good", "plugins/good.so");
  scene_copy("missing_dependency", "plugins/missing.so"); /* every loader has its turn */
  scene_copy("undefined_function", "plugins/undefined.so");
  pz_context* const context = scene_context("plugins", NULL);
  scene_loaded(context, "plugins/good.so", "good");
  scene_refused(context, "plugins/missing.so", "libnowhere.so");
  scene_refused(context, "plugins/undefined.so", "undefined symbol");
  ck_assert_int_eq(atomic_load(&constructed), 0);

  /* The hook does get called when the file itself is opened. */
  scene_copy("busy_constructor", "plugins/busy_constructor.so");
  ck_assert_ok(pz_context_rescan(context));
  scene_loaded(context, "plugins/busy_constructor.so", "busy_constructor");
  ck_assert_int_eq(atomic_load(&constructed), 1);
  pz_context_free(context);
}
END_TEST

static pz_context* shared;

static bool
finds(pz_context* const context, const char* const id)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  return pz_context_find(context, id, &info) == PZ_OK && strcmp(info.id, id) == 0;
}

static void*
read_what_is_loaded(void* const data)
{
  (void)data;
  pz_context* const own = scene_context("", NULL);
  const bool found = finds(own, "good") && finds(shared, "good");
  pz_context_free(own);
  return found ? shared : NULL;
}

/* What a constructor may do: make a context, open another file, ask for its own map, and
   wait for a thread that uses what is loaded. */
static void
busy_hook(void)
{
  pthread_t thread;
  void* found = NULL;
  pz_context* const own = scene_context("", NULL);
  atomic_fetch_add(&failures, !finds(own, "first"));
  atomic_fetch_add(&failures, !finds(shared, "second"));
  atomic_fetch_add(&failures, !finds(shared, "busy_constructor"));
  atomic_fetch_add(&failures, pz_context_rescan(shared) != PZ_OK);
  pz_context_free(own);
  if (pthread_create(&thread, NULL, read_what_is_loaded, NULL) == 0) {
    (void)pthread_join(thread, &found);
  }
  atomic_fetch_add(&failures, !found);
}

START_TEST(test_busy_constructor)
{
  start_counting(busy_hook);
  scene_copy("good", "good.so");
  scene_copy("two_maps", "two_maps.so");
  scene_copy("busy_constructor", "busy_constructor.so");
  shared = scene_context("", NULL);
  ck_assert(finds(shared, "good"));
  ck_assert(finds(shared, "busy_constructor"));
  ck_assert_int_eq(atomic_load(&failures), 0);
  ck_assert_int_eq(atomic_load(&constructed), 1);
  scene_loaded(shared, "busy_constructor.so", "busy_constructor");
  scene_loaded(shared, "two_maps.so", "first second");
  pz_context_free(shared);
}
END_TEST

enum { THREADS = 8, ROUNDS = 50 };

static void*
look_up(void* const data)
{
  static const char* const ids[] = {"good", "first", "second", "older", "known"};
  const size_t start = (size_t)(uintptr_t)data;
  pz_context* const own = scene_context("", NULL);
  for (size_t i = 0; i < ROUNDS; ++i) {
    pz_context* const context = i % 2 == 0 ? shared : own;
    pz_parametrization_info info = {.size = sizeof(info)};
    pz_plugin_report report = {.size = sizeof(report)};
    bool good = finds(context, ids[(start + i) % 5]);
    good = good && pz_context_find(context, "olde", &info) == PZ_NOT_FOUND &&
           strstr(pz_error_message(), "nearest is \"older\"");
    good = good && pz_context_parametrization(context, 4, &info) == PZ_OK &&
           strcmp(info.id, "second") == 0;
    good = good && pz_context_parametrization(context, 5, &info) == PZ_NOT_FOUND;
    good = good && pz_context_plugin(context, 1, &report) == PZ_OK && report.loaded == 0;
    good = good && (i % 10 != 0 || pz_context_rescan(context) == PZ_OK);
    atomic_fetch_add(&failures, !good);
  }
  pz_context_free(own);
  return NULL;
}

START_TEST(test_threads)
{
  start_counting(NULL);
  pthread_t threads[THREADS];
  scene_copy("no_symbol", "a.so");
  scene_copy("good", "good.so");
  scene_copy("two_maps", "any.so");
  scene_copy("older_table", "older.so");
  scene_copy("unknown_kind", "zzz.so");
  shared = scene_context("", NULL);
  for (size_t i = 0; i < THREADS; ++i) {
    ck_assert_int_eq(pthread_create(&threads[i], NULL, look_up, (void*)(uintptr_t)i), 0);
  }
  for (size_t i = 0; i < THREADS; ++i) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
  }
  ck_assert_int_eq(atomic_load(&failures), 0);
  pz_context_free(shared);
}
END_TEST

/* Each thread has its own last error, and a call that succeeds leaves it alone, whatever it
   came across. */
START_TEST(test_messages)
{
  pz_context* const context = scene_context("", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_find(context, "mine", &info), PZ_NOT_FOUND, "mine");
  char before[1024];
  snprintf(before, sizeof(before), "%s", pz_error_message());
  shared = context;
  pthread_t thread;
  scene_copy("good", "good.so");
  scene_copy("no_symbol", "a.so");
  scene_copy("unknown_kind", "b.so");
  ck_assert_ok(pz_context_rescan(context));
  ck_assert(finds(context, "known"));
  ck_assert_ok(pz_context_parametrization(context, 0, &info));
  ck_assert_str_eq(pz_error_message(), before);
  ck_assert_int_eq(pthread_create(&thread, NULL, read_what_is_loaded, NULL), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_str_eq(pz_error_message(), before);
  ck_assert_str_eq(pz_version(), "1.0.0");
  for (int status = PZ_OK; status <= PZ_DEVICE; ++status) {
    for (int other = PZ_OK; other < status; ++other) {
      ck_assert_str_ne(pz_status_text((pz_status)status), pz_status_text((pz_status)other));
    }
  }
  pz_context_free(context);
}
END_TEST

int
main(void)
{
  TCase* const cases = scene_case("loader");
  tcase_add_test(cases, test_decoys);
  tcase_add_test(cases, test_busy_constructor);
  tcase_add_test(cases, test_threads);
  tcase_add_test(cases, test_messages);
  return test_main_case(cases);
}
