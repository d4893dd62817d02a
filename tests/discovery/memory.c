/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory runs out at each allocation in turn: the call that meets it says so, nothing has
   changed, and the same call works when there is memory again. */

#include "scene.h"

#include <parametrize/plugin.h>

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/wait.h>

/* ---- the allocations of the library, which is linked into this program ------- */

static long countdown = -1; /* the allocation that fails is the one that finds 0 */

static bool
fails(void)
{
  if (countdown == 0) {
    countdown = -1;
    errno = ENOMEM;
    return true;
  }
  countdown -= countdown > 0;
  return false;
}

#define WRAP(type, name, parameters, arguments)      \
  type __real_##name parameters;                     \
  type __wrap_##name parameters;                     \
  type __wrap_##name parameters                      \
  {                                                  \
    return fails() ? NULL : __real_##name arguments; \
  }

WRAP(void*, malloc, (size_t n), (n))
WRAP(void*, calloc, (size_t n, size_t size), (n, size))
WRAP(void*, realloc, (void* p, size_t n), (p, n))
WRAP(char*, strdup, (const char* s), (s))
WRAP(char*, strndup, (const char* s, size_t n), (s, n))
WRAP(char*, realpath, (const char* path, char* out), (path, out))

int __wrap_asprintf(char** out, const char* format, ...) PZ_PRINTF(2, 3);
int
__wrap_asprintf(char** const out, const char* const format, ...)
{
  if (fails()) {
    return -1;
  }
  va_list args;
  va_start(args, format);
  const int n = vasprintf(out, format, args);
  va_end(args);
  return n;
}

typedef int (*filter_function)(const struct dirent*);
typedef int (*compare_function)(const struct dirent**, const struct dirent**);
int __real_scandir(const char* path, struct dirent*** out, filter_function filter,
                   compare_function compare);
int __wrap_scandir(const char* path, struct dirent*** out, filter_function filter,
                   compare_function compare);
int
__wrap_scandir(const char* const path, struct dirent*** const out, const filter_function filter,
               const compare_function compare)
{
  return fails() ? -1 : __real_scandir(path, out, filter, compare);
}

/* ---- one life of a context ----------------------------------------------------- */

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

static const char* const choices[] = {"a", "b"};
static const pz_option options[] = {PZ_OPTION_CHOICE("choice", 0, choices, "a choice")};
static const pz_parametrization mine = {.size = sizeof(mine),
                                        .option_size = sizeof(pz_option),
                                        .id = "mine",
                                        .summary = "Mine",
                                        PZ_OPTIONS(options),
                                        .forward = forward};
static const pz_item items[] = {PZ_PARAMETRIZATION(&mine)};
static const pz_plugin plugin = {.size = sizeof(plugin),
                                 .item_size = sizeof(pz_item),
                                 .abi = PZ_ABI_INITIALIZER,
                                 .name = "mine",
                                 .version = "1.0",
                                 .items = items,
                                 .n_items = 1};

/* `expected` at once, or, where memory runs out, PZ_NO_MEMORY first and then `expected`. */
#define EXPECT(expected, call)                                                            \
  do {                                                                                    \
    const long before = countdown;                                                        \
    pz_status status = (call);                                                            \
    if (status == PZ_NO_MEMORY && before >= 0 && countdown < 0) {                         \
      status = (call);                                                                    \
    }                                                                                     \
    if (status != (expected)) {                                                           \
      fprintf(stderr, "%s: %s: %s\n", #call, pz_status_text(status), pz_error_message()); \
      return false;                                                                       \
    }                                                                                     \
  } while (0)

static bool
live(void)
{
  pz_context* context = NULL;
  pz_parametrization_info map = {.size = sizeof(map)};
  pz_plugin_report report = {.size = sizeof(report)};
  pz_option_info option = {.size = sizeof(option)};
  EXPECT(PZ_OK, pz_context_new(NULL, &context));
  EXPECT(PZ_OK, pz_context_add_folder(context, scene_path("more")));
  EXPECT(PZ_OK, pz_context_find(context, "second", &map));
  EXPECT(PZ_OK, pz_context_add_plugin(context, &plugin));
  EXPECT(PZ_EXISTS, pz_context_add_plugin(context, &plugin));
  EXPECT(PZ_OK, pz_context_option(context, "mine", 0, &option));
  EXPECT(PZ_NOT_FOUND, pz_context_find(context, "godo", &map));
  EXPECT(PZ_OK, pz_context_add_file(context, scene_path("given/older.so")));
  EXPECT(PZ_OK, pz_context_plugin(context, 3, &report));
  EXPECT(PZ_OK, pz_context_rescan(context));
  EXPECT(PZ_OK, pz_context_parametrization(context, 0, &map));
  const bool good = strcmp(map.id, "first") == 0 && strcmp(option.range, "a|b") == 0;
  pz_context_free(context);
  return good;
}

START_TEST(test_each_allocation)
{
  scene_folder("path");
  scene_folder("more");
  scene_folder("given");
  scene_copy("good", "path/good.so");
  scene_copy("no_symbol", "path/no_symbol.so");
  scene_write("path/text.so", "no");
  scene_copy("two_maps", "more/two_maps.so");
  ck_assert_int_eq(symlink("../path/good.so", scene_path("more/again.so")), 0);
  scene_copy("older_table", "given/older.so");
  char variable[600];
  snprintf(variable, sizeof(variable), "%s:relative", scene_path("path"));
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", variable, 1), 0);
  ck_assert_int_eq(setenv("XDG_DATA_HOME", scene_path("none"), 1), 0);

  /* Each in a process of its own, for what is loaded stays. 3: nothing failed any more. */
  int code = 0;
  long n = 0;
  for (; code == 0 && n < 5000; ++n) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
      countdown = n;
      const bool good = live();
      exit(!good ? 1 : countdown >= 0 ? 3 : 0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
  }
  ck_assert_msg(code == 3, "allocation %ld: code %d", n - 1, code);
  ck_assert_int_gt(n, 100);
}
END_TEST

int
main(void)
{
  TCase* const cases = scene_case("memory");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, test_each_allocation);
  return test_main_case(cases);
}
