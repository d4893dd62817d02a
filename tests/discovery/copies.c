/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies of the library in one process: that which is linked into this program, the shared one,
   and another file of it. All hand their plugins to the same libltdl. A lock that one copy takes
   from another ends in the time limit of the test. */

#include "scene.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

enum { COPIES = 3, THREADS = 2, FILES = 12 };

/* What the tests call of a copy. */
typedef struct copy {
  pz_status (*new_context)(const pz_context_settings* settings, pz_context** out);
  void (*free_context)(pz_context* context);
  pz_status (*add_file)(pz_context* context, const char* path);
  pz_status (*find)(pz_context* context, const char* id, pz_parametrization_info* out);
  const char* (*message)(void);
} copy;

static copy copies[COPIES];

static void
find_function(void* const library, const char* const name, void* const out)
{
  void* const function = dlsym(library, name);
  ck_assert_msg(function != NULL, "%s", name);
  memcpy(out, &function, sizeof(function));
}

static void
open_copies(void)
{
  scene_copy(DISCOVERY_LIBRARY, "another.so");
  copies[0] = (copy){pz_context_new, pz_context_free, pz_context_add_file, pz_context_find,
                     pz_error_message};
  for (int k = 1; k < COPIES; ++k) {
    void* const library =
        dlopen(k == 1 ? DISCOVERY_LIBRARY : scene_path("another.so"), RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    find_function(library, "pz_context_new", &copies[k].new_context);
    find_function(library, "pz_context_free", &copies[k].free_context);
    find_function(library, "pz_context_add_file", &copies[k].add_file);
    find_function(library, "pz_context_find", &copies[k].find);
    find_function(library, "pz_error_message", &copies[k].message);
    for (int other = 0; other < k; ++other) {
      ck_assert(copies[k].new_context != copies[other].new_context);
    }
  }
}

/* Opens a file by a copy, and finds its parametrization. */
static bool
opens(const copy* const c, const char* const path)
{
  const pz_context_settings settings = {.size = sizeof(settings), .flags = PZ_ONLY_GIVEN_FOLDERS};
  pz_parametrization_info info = {.size = sizeof(info)};
  pz_context* context = NULL;
  const bool good = c->new_context(&settings, &context) == PZ_OK &&
                    c->add_file(context, path) == PZ_OK &&
                    c->find(context, "good", &info) == PZ_OK && strcmp(info.path, path) == 0;
  if (!good) {
    fprintf(stderr, "%s: %s\n", path, c->message());
  }
  c->free_context(context);
  return good;
}

/* Each copy opens files of its own, and all open the same one. */
START_TEST(test_in_turn)
{
  open_copies();
  scene_copy("good", "same.so");
  for (int k = 0; k < FILES; ++k) {
    char name[32];
    snprintf(name, sizeof(name), "good%d.so", k);
    scene_copy("good", name);
    ck_assert(opens(&copies[k % COPIES], scene_path(name)));
    ck_assert(opens(&copies[k % COPIES], scene_path("same.so")));
  }
}
END_TEST

static atomic_int failures;
static char paths[COPIES * THREADS * FILES][300];

static void*
open_files(void* const data)
{
  const size_t thread = (size_t)(uintptr_t)data;
  for (size_t k = 0; k < FILES; ++k) {
    atomic_fetch_add(&failures, !opens(&copies[thread % COPIES], paths[thread * FILES + k]));
  }
  return NULL;
}

START_TEST(test_at_once)
{
  pthread_t threads[COPIES * THREADS];
  open_copies();
  for (size_t k = 0; k < COPIES * THREADS * FILES; ++k) {
    char name[32];
    snprintf(name, sizeof(name), "good%zu.so", k);
    scene_copy("good", name);
    snprintf(paths[k], sizeof(paths[k]), "%s", scene_path(name));
  }
  for (size_t k = 0; k < COPIES * THREADS; ++k) {
    ck_assert_int_eq(pthread_create(&threads[k], NULL, open_files, (void*)(uintptr_t)k), 0);
  }
  for (size_t k = 0; k < COPIES * THREADS; ++k) {
    ck_assert_int_eq(pthread_join(threads[k], NULL), 0);
  }
  ck_assert_int_eq(atomic_load(&failures), 0);
}
END_TEST

int
main(void)
{
  TCase* const cases = scene_case("copies");
  tcase_add_test(cases, test_in_turn);
  tcase_add_test(cases, test_at_once);
  return test_main_case(cases);
}
