/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An installation that was moved, and a host with privileges that its caller has not. */

#include "scene.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

/* Runs a program of the scene in the scene, under the name `called`, and returns what it
   prints. */
static const char*
run(const char* const program, const char* const called, const uid_t user, const char* const first,
    const char* const second)
{
  static char output[4096];
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  const pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    const bool ready = dup2(ends[1], STDOUT_FILENO) >= 0 && chdir(scene) == 0 &&
                       (user == 0 || (setgid(user) == 0 && setuid(user) == 0));
    if (ready) {
      (void)execl(scene_path(program), called, first, second, (char*)NULL);
    }
    _exit(127);
  }
  (void)close(ends[1]);
  size_t n = 0;
  for (ssize_t k; (k = read(ends[0], output + n, sizeof(output) - 1 - n)) > 0;) {
    n += (size_t)k;
  }
  output[n] = '\0';
  (void)close(ends[0]);
  int status = -1;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %s", program, output);
  return output;
}

/* The layout of the build: the host finds the library by a relative path of its own. */
static void
install(const char* const root, const char* const module)
{
  char name[256];
  snprintf(name, sizeof(name), "%s/core/parametrize-1/plugins", root);
  scene_folder(name);
  snprintf(name, sizeof(name), "%s/tests/discovery", root);
  scene_folder(name);
  snprintf(name, sizeof(name), "%s/tests/discovery/host", root);
  scene_copy(DISCOVERY_HOST, name);
  ck_assert_int_eq(chmod(scene_path(name), 0755), 0);
  snprintf(name, sizeof(name), "%s/core/%s", root, DISCOVERY_SONAME);
  scene_copy(DISCOVERY_LIBRARY, name);
  snprintf(name, sizeof(name), "%s/core/parametrize-1/plugins/%s.so", root, module);
  scene_copy(module, name);
}

static void
expect_path(const char* const output, const char* const name)
{
  char expected[1024];
  snprintf(expected, sizeof(expected), "%s\n", scene_path(name));
  ck_assert_str_eq(output, expected);
}

START_TEST(test_moved)
{
  install("here", "good");
  expect_path(run("here/tests/discovery/host", "host", 0, "good", NULL),
              "here/core/parametrize-1/plugins/good.so");
  ck_assert_int_eq(rename(scene_path("here"), scene_path("there")), 0);
  expect_path(run("there/tests/discovery/host", "host", 0, "good", NULL),
              "there/core/parametrize-1/plugins/good.so");

  /* The library by a relative path, and through a link. */
  ck_assert_int_eq(setenv("LD_LIBRARY_PATH", "there/core", 1), 0);
  expect_path(run("there/tests/discovery/host", "host", 0, "good", NULL),
              "there/core/parametrize-1/plugins/good.so");
  ck_assert_int_eq(symlink("there", scene_path("link")), 0);
  ck_assert_int_eq(setenv("LD_LIBRARY_PATH", scene_path("link/core"), 1), 0);
  expect_path(run("there/tests/discovery/host", "host", 0, "good", NULL),
              "there/core/parametrize-1/plugins/good.so");
}
END_TEST

/* Linked into the program, the library is where the program is, whatever that calls
   itself. */
START_TEST(test_static)
{
  scene_folder("bin/parametrize-1/plugins");
  scene_folder("decoy/parametrize-1/plugins");
  scene_copy(DISCOVERY_STATIC_HOST, "bin/host");
  ck_assert_int_eq(chmod(scene_path("bin/host"), 0755), 0);
  scene_copy("good", "bin/parametrize-1/plugins/good.so");
  scene_copy("good", "decoy/parametrize-1/plugins/good.so");
  scene_write("decoy/host", "");
  expect_path(run("bin/host", scene_path("decoy/host"), 0, "good", NULL),
              "bin/parametrize-1/plugins/good.so");
  expect_path(run("bin/host", "decoy/host", 0, "good", NULL), "bin/parametrize-1/plugins/good.so");
}
END_TEST

START_TEST(test_elevated)
{
  scene_folder("bin/parametrize-1/plugins");
  scene_folder("path");
  scene_folder("data/parametrize-1/plugins");
  scene_copy(DISCOVERY_STATIC_HOST, "bin/host");
  scene_copy("good", "bin/parametrize-1/plugins/good.so");
  scene_copy("two_maps", "path/first.so");
  scene_copy("two_maps", "data/parametrize-1/plugins/second.so");
  ck_assert_int_eq(chmod(scene, 0755), 0);
  ck_assert_int_eq(chmod(scene_path("bin/host"), 0755), 0);
  ck_assert_int_eq(setenv("PARAMETRIZE_PLUGIN_PATH", scene_path("path"), 1), 0);
  ck_assert_int_eq(setenv("XDG_DATA_HOME", scene_path("data"), 1), 0);
  expect_path(run("bin/host", "host", STRANGER, "first", NULL), "path/first.so");

  ck_assert_int_eq(chmod(scene_path("bin/host"), 04755), 0);
  expect_path(run("bin/host", "host", STRANGER, "good", NULL), "bin/parametrize-1/plugins/good.so");
  const char* const output = run("bin/host", "host", STRANGER, "first", "second");
  ck_assert_ptr_nonnull(strstr(output, "no parametrization \"first\""));
  ck_assert_ptr_nonnull(strstr(output, "no parametrization \"second\""));
  ck_assert_ptr_null(strstr(output, scene_path("path")));
  ck_assert_ptr_nonnull(strstr(run("bin/host", "host", STRANGER, scene_path("path/first.so"), NULL),
                               "elevated privileges"));
}
END_TEST

/* The loader of OpenCL opens what the environment names. A program with privileges must not reach
   it, by whatever name of a device. */
START_TEST(test_elevated_devices)
{
  static const char* const names[] = {"@auto", "@opencl", "@opencl:0:0", "@cuda:0", "@nowhere"};
  static const char* const backends[] = {"opencl", "cuda"};
  scene_folder("bin/parametrize-1/backends");
  scene_folder("vendors");
  scene_folder("marks");
  scene_copy(DISCOVERY_STATIC_HOST, "bin/host");
  for (size_t k = 0; k < 2; ++k) {
    char from[300];
    char to[100];
    snprintf(from, sizeof(from), TEST_BACKEND_DIR "/%s.so", backends[k]);
    snprintf(to, sizeof(to), "bin/parametrize-1/backends/%s.so", backends[k]);
    if (access(from, R_OK) == 0) {
      scene_copy(from, to);
    }
  }
  scene_copy("marking", "marking.so");
  scene_write("vendors/hostile.icd", scene_path("marking.so"));
  ck_assert_int_eq(chmod(scene, 0755), 0);
  ck_assert_int_eq(chmod(scene_path("marks"), 0777), 0);
  ck_assert_int_eq(setenv("OCL_ICD_VENDORS", scene_path("vendors"), 1), 0);
  ck_assert_int_eq(setenv("DISCOVERY_MARK", scene_path("marks/mark"), 1), 0);

  /* Without privileges, the library runs: that is what the variable is for. */
  ck_assert_int_eq(chmod(scene_path("bin/host"), 0755), 0);
  (void)run("bin/host", "host", STRANGER, "@opencl", NULL);
  ck_assert_int_eq(unlink(scene_path("marks/mark")), 0);

  ck_assert_int_eq(chmod(scene_path("bin/host"), 04755), 0);
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); ++k) {
    const char* const output = run("bin/host", "host", STRANGER, names[k], NULL);
    ck_assert_int_ne(access(scene_path("marks/mark"), F_OK), 0);
    if (strcmp(names[k], "@opencl") == 0 ||
        (strcmp(names[k], "@cuda:0") == 0 && access(TEST_BACKEND_DIR "/cuda.so", R_OK) == 0)) {
      ck_assert_msg(strstr(output, "elevated privileges") != NULL, "%s: %s", names[k], output);
    }
  }
}
END_TEST

/* Why test_elevated cannot run here, or NULL. */
static const char*
not_elevated(void)
{
  struct statvfs system;
  if (geteuid() != 0) {
    return "only root can give a program privileges";
  }
  const bool ignored = statvfs(scene_parent(), &system) != 0 || (system.f_flag & ST_NOSUID);
  return ignored ? "the file system of temporary files ignores setuid" : NULL;
}

int
main(void)
{
  TCase* const cases = scene_case("install");
  tcase_add_test(cases, test_moved);
  tcase_add_test(cases, test_static);
  test_add_or_skip(cases, test_elevated, not_elevated());
  const bool opencl = access(TEST_BACKEND_DIR "/opencl.so", R_OK) == 0;
  test_add_or_skip(cases, test_elevated_devices, opencl ? not_elevated() : "no opencl backend");
  return test_main_case(cases);
}
