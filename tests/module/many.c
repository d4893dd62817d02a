/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20 with many names, with many threads, and with processes that are killed. */

#include "folder.h"
#include "full_module.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void
setup(void)
{
  ck_assert_ok(test_module_to(context, module, "reference")); /* no threads of its own */
}

static void*
save_often(void* const user)
{
  pz_status* const status = user;
  for (int k = 0; k < 20 && *status == PZ_OK; ++k) {
    *status = pz_module_save(module, path, NULL);
  }
  return NULL;
}

static void*
read_often(void* const user)
{
  pz_status* const status = user;
  for (int k = 0; k < 20 && *status == PZ_OK; ++k) {
    pz_tensor value;
    pz_file* own = NULL;
    pz_module* made = NULL;
    *status = pz_module_get(module, "weight", &value);
    *status = *status == PZ_OK ? pz_file_open(path, &own) : *status;
    *status = *status == PZ_OK ? test_module_from_file(context, "reference", k % 2 ? own : file,
                                                       NULL, NULL, &made)
                               : *status;
    pz_module_free(made);
    pz_file_close(own);
  }
  return NULL;
}

START_TEST(semantics_20_many_threads_save_and_read)
{
  enum { THREADS = 6 };
  pthread_t threads[THREADS];
  pz_status status[THREADS] = {PZ_OK};
  full_module_fill(module);
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  for (int k = 0; k < THREADS; ++k) {
    ck_assert_int_eq(
        pthread_create(&threads[k], NULL, k % 3 == 0 ? save_often : read_often, &status[k]), 0);
  }
  for (int k = 0; k < THREADS; ++k) {
    pthread_join(threads[k], NULL);
    ck_assert_int_eq(status[k], PZ_OK);
  }
}
END_TEST

START_TEST(semantics_20_thousands_of_names)
{
  enum { N = 5000 };
  static char names[N][32];
  static pz_writer_tensor entries[N];
  pz_writer* writer = NULL;
  pz_module* made = NULL;
  for (int k = 0; k < N; ++k) {
    snprintf(names[k], sizeof(names[k]), k % 2 ? "layers.%d.weight" : "layers.t%d", k);
    entries[k] = (pz_writer_tensor){.name = names[k], .dtype = "F32", .spec.ndim = 0, .bytes = 4};
  }
  ck_assert_ok(pz_writer_open(path, 0, entries, N, NULL, 0, &writer));
  for (int k = 0; k < N; ++k) {
    const float value = (float)k;
    ck_assert_ok(pz_writer_put(writer, (size_t)k, &value, 4));
  }
  ck_assert_ok(pz_writer_commit(writer));
  reopen();
  ck_assert_ok(test_module_from_file(context, "reference", file, NULL, NULL, &made));
  for (int k = 0; k < N; ++k) {
    const pz_tensor t = fixture_read_of(made, names[k]);
    ck_assert_double_eq(host_at(&t, 0), k);
  }
  pz_module* layers = NULL;
  pz_module* child = NULL;
  pz_tensor there;
  ck_assert_ok(test_module_new(context, "reference", "Layer", &child));
  ck_assert_ok(pz_module_child(made, "layers", &layers));
  ck_assert_ok(pz_module_get(made, "layers.t0", &there));
  ck_assert_int_eq(pz_module_add(layers, "t4998", PZ_BUFFER, &there), PZ_EXISTS);
  ck_assert_int_eq(pz_module_add(layers, "4999", PZ_BUFFER, &there), PZ_EXISTS);
  ck_assert_int_eq(pz_module_add_child(layers, "t4998", child), PZ_EXISTS);
  ck_assert_int_eq(pz_module_get(made, "layers.t1", &there), PZ_NOT_FOUND);
  ck_assert_int_eq(pz_module_child(made, "layers.4998", &layers), PZ_NOT_FOUND);
  pz_module_free(child);
  pz_module_free(made);
}
END_TEST

/* Names that a file could have if the hash of names could be foreseen: FNV-1a takes both words of each
   pair to one value after those before them. With it, this takes minutes, and the time limit ends
   it. */
START_TEST(names_that_once_collided)
{
  static const char* const words[][2] = {
      {"rhijxz", "uckcbu"}, {"zqlusk", "elciuh"}, {"qbxgsz", "ovutuj"}, {"mnfciu", "uamjot"},
      {"gjcxjb", "xebesi"}, {"svlsci", "bbwiqk"}, {"yklsdd", "xjuehc"}, {"irksre", "ejyxay"},
      {"znpepg", "jtrzuw"}, {"qhgnxl", "rbktfc"}, {"gieehv", "hargvn"}, {"tmleen", "xrbjkb"},
      {"rkazti", "dnjlvs"}, {"oknnir", "djjjjc"}, {"hkogxj", "bvcbse"}, {"khssrx", "luorcj"},
      {"dohbhk", "kxvoft"}};
  enum { PAIRS = sizeof(words) / sizeof(words[0]), LETTERS = 6 };
  const pz_tensor one = fixture_zeros(PZ_F32, 1, 1);
  uint32_t hash[2] = {2166136261U, 2166136261U};
  pz_tensor there;
  for (int k = 0; k < PAIRS * LETTERS; ++k) {
    for (int side = 0; side < 2; ++side) {
      hash[side] = (hash[side] ^ (unsigned char)words[k / LETTERS][side][k % LETTERS]) * 16777619U;
    }
    ck_assert((k + 1) % LETTERS != 0 || hash[0] == hash[1]);
  }
  char name[PAIRS * LETTERS + 1] = "";
  for (uint32_t number = 0; number < UINT32_C(1) << PAIRS; ++number) {
    for (int k = 0; k < PAIRS; ++k) {
      memcpy(name + LETTERS * k, words[k][number >> k & 1], LETTERS);
    }
    ck_assert_ok(pz_module_add(module, name, PZ_BUFFER, &one));
  }
  ck_assert_ok(pz_module_get(module, name, &there));
}
END_TEST

/* Far deeper than the stack could follow. Quadratic work would exceed the time limit. */
START_TEST(modules_nest_from_the_bottom_up)
{
  enum { LEVELS = 100000 };
  pz_queue* queue = NULL;
  pz_module* inner = NULL;
  pz_module* found = NULL;
  ck_assert_ok(pz_queue_open(context, "reference", NULL, &queue));
  ck_assert_ok(pz_module_new(context, queue, "Leaf", &inner));
  for (int k = 0; k < LEVELS; ++k) {
    pz_module* outer = NULL;
    ck_assert_ok(pz_module_new(context, queue, "Level", &outer));
    ck_assert_ok(pz_module_add_child(outer, "a", inner));
    inner = outer;
  }
  ck_assert_ok(pz_module_child(inner, "a.a.a", &found));
  pz_module_free(inner);
  pz_queue_close(queue);
}
END_TEST

/* Takes away what a killed process may leave where files have no nameless beginning. */
static void
sweep(void)
{
  DIR* const entries = opendir(folder);
  for (const struct dirent* one = readdir(entries); one; one = readdir(entries)) {
    char name[512];
    if (strncmp(one->d_name, ".parametrize-", 13) == 0) {
      snprintf(name, sizeof(name), "%s/%s", folder, one->d_name);
      ck_assert_int_eq(unlink(name), 0);
    }
  }
  closedir(entries);
}

START_TEST(semantics_20_killed_while_saving)
{
  /* Whatever moment it is, the file is one of those that were saved. */
  enum { KILLS = 20, SIDE = 64 };
  atomic_uint* const saves = mmap(NULL, sizeof(*saves), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0); /* of the child */
  ck_assert_ptr_ne(saves, MAP_FAILED);
  pz_tensor w = fixture_zeros(PZ_F32, SIDE, SIDE);
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_module_save(module, path, NULL));
  for (int k = 0; k < KILLS; ++k) {
    atomic_store(saves, 0);
    float* const values = host_f32(&w); /* the child asserts nothing: that writes to check's file */
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    for (float n = 1.0F; child == 0; n += 1.0F) {
      for (int i = 0; i < SIDE * SIDE; ++i) {
        values[i] = n;
      }
      if (pz_module_set(module, "weight", &w) != PZ_OK ||
          pz_module_save(module, path, NULL) != PZ_OK) {
        atomic_store(saves, UINT_MAX); /* nobody waits any longer */
        _exit(1);
      }
      atomic_fetch_add(saves, 1);
    }
    /* after a number of saves; the yields vary the moment within the next */
    const unsigned after = (unsigned)(test_bits(&seed) % 8);
    const unsigned yields = (unsigned)(test_bits(&seed) % 512);
    while (atomic_load(saves) < after) {
      sched_yield();
    }
    for (unsigned n = 0; n < yields; ++n) {
      sched_yield();
    }
    int status = 0;
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_ok(test_module_load(module, path));
    w = fixture_read("weight");
    for (int i = 1; i < SIDE * SIDE; ++i) {
      ck_assert_float_eq(host_f32(&w)[i], host_f32(&w)[0]);
    }
  }
  ck_assert_int_eq(munmap(saves, sizeof(*saves)), 0);
  sweep();
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("many");
  tcase_add_checked_fixture(tcase, setup, NULL);
  tcase_add_test(tcase, semantics_20_many_threads_save_and_read);
  tcase_add_test(tcase, semantics_20_thousands_of_names);
  tcase_add_test(tcase, names_that_once_collided);
  tcase_add_test(tcase, modules_nest_from_the_bottom_up);
  tcase_add_test(tcase, semantics_20_killed_while_saving);
  return test_main_case(tcase);
}
