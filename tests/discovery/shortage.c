/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Descriptors and memory that are short at the first use. A call either does what it always does
   or says PZ_NO_MEMORY, and the same call succeeds when all is back: a shortage says nothing about
   a file, a folder or a device. */

#include "allocator.h"
#include "scene.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* `expected`, or PZ_NO_MEMORY where the shortage allows it. Others end the process. */
static bool
expect(const pz_status status, const pz_status expected, const bool shortage,
       const char* const what)
{
  if (status != expected && !(shortage && status == PZ_NO_MEMORY)) {
    fprintf(stderr, "%s: found \"%s\" (%s), expected \"%s\"\n", what, pz_status_text(status),
            pz_error_message(), pz_status_text(expected));
    _exit(1);
  }
  return status == expected;
}

#define EXPECT(expected, call) expect(call, expected, shortage, #call)

/* ---- descriptors -------------------------------------------------------------------- */

static rlim_t
limit_descriptors(const rlim_t most)
{
  struct rlimit limit;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = most;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  return before;
}

/* Leaves `n` free descriptors and returns the limit before. */
static rlim_t
leave_descriptors(const int n)
{
  int all[64];
  rlim_t most = 0;
  for (int k = 0; k <= n; ++k) {
    all[k] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(all[k], 0);
    most = (rlim_t)all[k];
  }
  for (int k = 0; k <= n; ++k) {
    (void)close(all[k]);
  }
  return limit_descriptors(most);
}

/* Runs `life` in a process for each number of free descriptors, from none on, and requires that
   the first found a shortage and the last none. */
static void
with_few_descriptors(bool (*const life)(bool shortage), const int most)
{
  for (int n = 0; n <= most; n += n < 4 ? 1 : 4) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
      const rlim_t before = leave_descriptors(n);
      const bool complete = life(true);
      (void)limit_descriptors(before);
      _exit(!life(false) ? 1 : complete ? 2 : 3);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ck_assert_msg(code == 2 || code == 3, "with %d descriptors: status %#x", n, (unsigned)status);
    ck_assert_msg(n > 0 || code == 3, "without descriptors: no shortage found");
    ck_assert_msg(n < most || code == 2, "with %d descriptors: a shortage", n);
  }
}

static pz_context* context; /* of a process, made in plenty */

static bool
find_files(const bool shortage)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  pz_plugin_report report = {.size = sizeof(report)};
  bool complete = EXPECT(PZ_OK, pz_context_find(context, "good", &info));
  complete = EXPECT(PZ_OK, pz_context_add_file(context, scene_path("given/older.so"))) && complete;
  complete = EXPECT(PZ_OK, pz_context_find(context, "second", &info)) && complete;
  complete = EXPECT(PZ_NOT_FOUND, pz_context_find(context, "nowhere", &info)) && complete;
  uint32_t loaded = 0;
  pz_status status = PZ_OK;
  for (uint32_t k = 0; (status = pz_context_plugin(context, k, &report)) == PZ_OK; ++k) {
    loaded += report.loaded;
  }
  complete = expect(status, PZ_NOT_FOUND, shortage, "the reports") && complete;
  return complete && loaded == 4; /* with the reference backend */
}

START_TEST(test_descriptors)
{
  scene_folder("plugins");
  scene_folder("given");
  scene_copy("good", "plugins/good.so");
  scene_copy("two_maps", "plugins/any.so");
  scene_copy("older_table", "given/older.so");
  context = scene_context("plugins", NULL);
  with_few_descriptors(find_files, 8);
  pz_context_free(context);
}
END_TEST

/* The library's own place is looked for when the first context is made. */
static bool
make_context(const bool shortage)
{
  pz_context* made = NULL;
  const bool complete = EXPECT(PZ_OK, pz_context_new(NULL, &made));
  pz_plugin_report report = {.size = sizeof(report)};
  if (made && !shortage) {
    char own[300];
    snprintf(own, sizeof(own), "%s/parametrize-1/plugins", DISCOVERY_FOLDER);
    if (!scene_find_report(made, own, &report)) {
      fprintf(stderr, "%s is not searched\n", own);
      _exit(1);
    }
  }
  pz_context_free(made);
  return complete;
}

START_TEST(test_own_place)
{
  with_few_descriptors(make_context, 2);
}
END_TEST

static int usable_devices; /* in plenty */

static int
count_usable(void)
{
  pz_device_report report = {.size = sizeof(report)};
  int n = 0;
  for (uint32_t k = 0; pz_context_device(context, k, &report) == PZ_OK; ++k) {
    n += report.usable != 0;
  }
  return n;
}

/* The default queue is that of "cpu", never silently another, and an enumeration of the devices
   does not end early, nor lacks any later. */
static bool
open_devices(const bool shortage)
{
  pz_queue* queue = NULL;
  pz_device_report report = {.size = sizeof(report)};
  const bool opened = EXPECT(PZ_OK, pz_queue_open(context, NULL, NULL, &queue));
  if (opened && strcmp(pz_queue_device(queue, NULL), "cpu") != 0) {
    fprintf(stderr, "opened %s, expected cpu\n", pz_queue_device(queue, NULL));
    _exit(1);
  }
  pz_queue_close(queue);
  bool cpu = false;
  pz_status status = PZ_OK;
  for (uint32_t k = 0; (status = pz_context_device(context, k, &report)) == PZ_OK; ++k) {
    cpu = cpu || (report.usable && strcmp(report.name, "cpu") == 0);
  }
  const bool ended = expect(status, PZ_NOT_FOUND, shortage, "the devices");
  if ((ended && !cpu) || (!shortage && count_usable() != usable_devices)) {
    fprintf(stderr, "found %d usable devices, expected cpu and %d\n", count_usable(),
            usable_devices);
    _exit(1);
  }
  queue = NULL;
  const bool named = EXPECT(PZ_NOT_FOUND, pz_queue_open(context, "nowhere", NULL, &queue));
  return opened && ended && named;
}

START_TEST(test_devices)
{
  context = test_context();
  const pid_t child = fork(); /* an OpenCL platform does not survive a fork */
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    _exit(count_usable());
  }
  int status = -1;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status));
  usable_devices = WEXITSTATUS(status);
  ck_assert_int_ge(usable_devices, 2);
  with_few_descriptors(open_devices, 24);
  pz_context_free(context);
}
END_TEST

static bool
open_model(const bool shortage)
{
  pz_file* file = NULL;
  const bool complete = EXPECT(PZ_OK, pz_file_open(scene_path("model"), &file));
  pz_file_close(file);
  return complete;
}

static void
write_model(void)
{
  static const char header[] = "{\"__metadata__\":{\"a\":\"b\"},"
                               "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}";
  const unsigned char length[8] = {sizeof(header) - 1};
  FILE* const out = fopen(scene_path("model"), "wb");
  ck_assert_ptr_nonnull(out);
  ck_assert_uint_eq(fwrite(length, 1, 8, out), 8);
  ck_assert_uint_eq(fwrite(header, 1, sizeof(header) - 1, out), sizeof(header) - 1);
  ck_assert_int_eq(fclose(out), 0);
}

START_TEST(test_model)
{
  write_model();
  with_few_descriptors(open_model, 1);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------- */

/* Refuses each request of `life` in turn, each in a process of its own. */
static void
with_refused_requests(bool (*const life)(bool shortage), const unsigned long least)
{
  int code = 3; /* 3: a request was refused, 2: there are no more */
  unsigned long n = 0;
  while (code == 3) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    ++n;
    if (child == 0) {
      allocator_start(n);
      (void)life(true);
      (void)allocator_stop();
      _exit(!life(false) ? 1 : allocator_refused() ? 3 : 2);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ck_assert_msg(code == 2 || code == 3, "request %lu: status %#x", n, (unsigned)status);
  }
  ck_assert_msg(n > least, "found %lu requests, expected more than %lu", n, least);
}

START_TEST(test_memory)
{
  scene_folder("plugins");
  scene_folder("given");
  scene_copy("good", "plugins/good.so");
  scene_copy("two_maps", "plugins/any.so");
  scene_copy("older_table", "given/older.so");
  context = scene_context("plugins", NULL);
  with_refused_requests(find_files, 100);
  pz_context_free(context);
}
END_TEST

static bool
list_devices(const bool shortage)
{
  pz_device_report report = {.size = sizeof(report)};
  pz_queue* queue = NULL;
  uint32_t n = 0;
  pz_status status = PZ_OK;
  while ((status = pz_context_device(context, n, &report)) == PZ_OK) {
    ++n;
  }
  const bool ended = expect(status, PZ_NOT_FOUND, shortage, "the devices");
  const bool opened = EXPECT(PZ_OK, pz_queue_open(context, NULL, NULL, &queue));
  pz_queue_close(queue);
  return ended && opened && n == 2;
}

START_TEST(test_memory_of_devices)
{
  scene_copy("bad_backend", "any.so");
  context = scene_context("", NULL);
  with_refused_requests(list_devices, 50);
  pz_context_free(context);
}
END_TEST

START_TEST(test_memory_of_model)
{
  write_model();
  with_refused_requests(open_model, 10);
}
END_TEST

int
main(void)
{
#ifdef TEST_NO_ALLOCATOR
  const char* const no_allocator = "the sanitizer has an allocator of its own";
#else
  const char* const no_allocator = NULL;
#endif
  TCase* const cases = scene_case("shortage");
  tcase_add_test(cases, test_descriptors);
  tcase_add_test(cases, test_own_place);
  test_add_or_skip(cases, test_devices,
                   access(TEST_BACKEND_DIR "/cpu.so", R_OK) == 0 ? NULL : "no cpu backend");
  tcase_add_test(cases, test_model);
  test_add_or_skip(cases, test_memory, no_allocator);
  test_add_or_skip(cases, test_memory_of_devices, no_allocator);
  test_add_or_skip(cases, test_memory_of_model, no_allocator);
  return test_main_case(cases);
}
