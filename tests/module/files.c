/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: what is saved comes back, and files appear whole or not at all. */

#include "folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(semantics_20_what_is_saved_comes_back)
{
  pz_module* child = NULL;
  pz_tensor w = fixture_add(module, "weight", 3, 3);
  w = fixture_normal(PZ_F64, 2, 5);
  ck_assert_ok(pz_module_add(module, "double", PZ_PARAMETER, &w));
  w = fixture_zeros(PZ_F32, 0, 3);
  ck_assert_ok(pz_module_add(module, "empty", PZ_BUFFER, &w));
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Block", &child));
  w = fixture_add(child, "w\"\\\xc3\xa9", 1, 3);
  ck_assert_ok(pz_module_add_child(module, "child", child));
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,affine,pruning", NULL));
  const pz_tensor value = fixture_read("weight");
  char* const picture = fixture_picture();
  ck_assert_ok(pz_module_save(module, path, NULL));

  w = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.original", &w));
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.2.mask", &w));
  w = fixture_normal(PZ_F64, 2, 5);
  ck_assert_ok(pz_module_set(module, "double", &w));
  ck_assert_ok(test_module_load(module, path));
  fixture_unchanged(picture);
  fixture_expect("weight", &value); /* the value follows */
}
END_TEST

START_TEST(semantics_20_the_format)
{
  size_t size = 0;
  pz_tensor w = fixture_add(module, "weight", 1, 3);
  w = fixture_normal(PZ_F64, 1, 1);
  ck_assert_ok(pz_module_add(module, "double", PZ_BUFFER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "pruning(p_drop=0)", NULL));
  ck_assert_ok(pz_module_save(module, path, NULL));
  char* const data = read_file(&size);
  uint64_t length = 0;
  for (int k = 8; k-- > 0;) {
    length = length << 8 | (unsigned char)data[k];
  }
  ck_assert_uint_eq(length % 8, 0);
  ck_assert_uint_eq(size, 8 + length + 8 + 12 + 12);
  const char* const header = data + 8;
  ck_assert_ptr_nonnull(
      strstr(header, "\"double\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]}"));
  ck_assert_ptr_nonnull(strstr(header, "\"parametrizations.weight.original\":{\"dtype\":\"F32\","
                                       "\"shape\":[1,3],\"data_offsets\":[8,20]}"));
  ck_assert_int_eq(strncmp(header, "{\"__metadata__\":{\"parametrize\":\"", 32), 0);
  free(data);
}
END_TEST

START_TEST(semantics_20_a_foreign_file_loads)
{
  /* any order, any spacing, odd lengths: data at odd addresses */
  fixture_add(module, "a", 1, 2);
  fixture_add(module, "b", 1, 2);
  write_file("{ \"b\" : {\"shape\": [1, 2],\n \"data_offsets\" : [8, 16], \"dtype\":\"F32\"},"
             "\"__metadata__\":{\"format\":\"pt\"},\t"
             "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}    ",
             16);
  ck_assert_ok(test_module_load(module, path));
  const pz_tensor now = fixture_read("b");
  const unsigned char bytes[8] = {8, 9, 10, 11, 12, 13, 14, 15};
  ck_assert_mem_eq(now.data, bytes, 8);
}
END_TEST

START_TEST(files_appear_whole_or_not_at_all)
{
  size_t size = 0;
  struct stat there;
  fixture_add(module, "a", 1, 2);
  ck_assert_int_eq(pz_module_save(module, folder, NULL), PZ_IO);
  ck_assert_int_eq(pz_module_save(module, "/nowhere/at/all", NULL), PZ_IO);
  ck_assert_int_eq(pz_module_save(module, "", NULL), PZ_IO);
  ck_assert_fails(pz_module_save(module, "/dev/null", NULL), PZ_IO, "/dev/null");
  ck_assert_int_eq(stat("/dev/null", &there), 0);
  ck_assert(S_ISCHR(there.st_mode));

  ck_assert_ok(pz_module_save(module, path, NULL));
  free(read_file(&size));
  ck_assert_int_eq(chmod(path, 0640), 0);
  ck_assert_ok(pz_module_save(module, path, NULL)); /* replaces, keeps the permissions */
  ck_assert_int_eq(stat(path, &there), 0);
  ck_assert_uint_eq(there.st_mode & 0777, 0640);
  DIR* const entries = opendir(folder);
  int n = 0;
  while (readdir(entries)) {
    ++n;
  }
  closedir(entries);
  ck_assert_int_eq(n, 3); /* ., .. and the file: no leftover */
}
END_TEST

/* Makes the link `name` of the folder. */
static void
link_to(const char* const target, const char* const name)
{
  char from[192];
  snprintf(from, sizeof(from), "%s/%s", folder, name);
  ck_assert_int_eq(symlink(target, from), 0);
}

/* Saves through the link `name` of the folder, which must stay a link, and takes it away. */
static pz_status
save_through(const char* const name)
{
  char from[192];
  struct stat there;
  snprintf(from, sizeof(from), "%s/%s", folder, name);
  const pz_status status = pz_module_save(module, from, NULL);
  ck_assert_int_eq(lstat(from, &there), 0);
  ck_assert(S_ISLNK(there.st_mode));
  ck_assert_int_eq(unlink(from), 0);
  return status;
}

START_TEST(files_appear_where_links_lead)
{
  struct stat there;
  fixture_add(module, "a", 1, 2);
  for (int exists = 0; exists <= 1; ++exists) {
    link_to(path, "absolute");
    ck_assert_ok(save_through("absolute"));
    ck_assert_ok(test_module_load(module, path));
    ck_assert(exists || unlink(path) == 0);
    link_to("x.safetensors", "relative");
    link_to("./relative", "twice");
    ck_assert_ok(save_through("twice"));
    ck_assert_ok(save_through("relative"));
    ck_assert_ok(test_module_load(module, path));
  }
  ck_assert_int_eq(unlink(path), 0);

  link_to("nowhere/x", "astray");
  ck_assert_int_eq(save_through("astray"), PZ_IO);
  link_to("circle", "circle");
  const pz_status status = save_through("circle");
  ck_assert_fails(status, PZ_IO, "symbolic links");
  ck_assert_int_ne(stat(path, &there), 0);
}
END_TEST

START_TEST(states_are_saved_without_originals)
{
  pz_queue* queue = NULL;
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  pz_state* other = NULL;
  pz_tensor tensor;
  pz_tensor w = fixture_normal(PZ_F64, 3, 3);
  const pz_spec spec = pz_spec_of(&w);
  ck_assert_ok(pz_queue_open(context, getenv("TEST_DEVICE"), NULL, &queue));
  ck_assert_ok(
      pz_chain_new(context, "affine,pruning(seed=5)", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain));
  ck_assert_ok(pz_state_new(chain, queue, &state));
  ck_assert_ok(pz_state_new(chain, queue, &other));
  for (uint32_t role = PZ_ORIGINAL; role <= PZ_STATE_BUFFER; ++role) {
    for (uint32_t k = 0; pz_state_tensor(state, (pz_role)role, k, &tensor) == PZ_OK; ++k) {
      w = fixture_normal(PZ_F64, 3, 3);
      ck_assert_ok(pz_queue_upload(queue, &w, &tensor));
    }
  }
  ck_assert_ok(pz_state_save(state, path, PZ_KEEP_EXISTING));
  ck_assert_fails(pz_state_save(state, path, PZ_KEEP_EXISTING), PZ_EXISTS, path);
  ck_assert_ok(pz_state_save(state, path, 0));
  ck_assert_int_eq(pz_state_save(state, path, 4), PZ_INVALID);
  const uint64_t version = pz_state_version(other);
  ck_assert_ok(pz_state_load(other, path));
  ck_assert_uint_ne(pz_state_version(other), version);
  for (uint32_t role = PZ_ORIGINAL; role <= PZ_STATE_BUFFER; ++role) {
    for (uint32_t k = 0; pz_state_tensor(state, (pz_role)role, k, &tensor) == PZ_OK; ++k) {
      const pz_tensor a = fixture_zeros(PZ_F64, 3, 3);
      const pz_tensor b = fixture_zeros(PZ_F64, 3, 3);
      ck_assert_ok(pz_queue_download(queue, &tensor, &a));
      ck_assert_ok(pz_state_tensor(other, (pz_role)role, k, &tensor));
      ck_assert_ok(pz_queue_download(queue, &tensor, &b));
      ck_assert_int_eq(host_distance(&a, &b) == 0.0, role != PZ_ORIGINAL);
    }
  }
  pz_state_free(other);
  pz_state_free(state);
  pz_chain_free(chain);
  pz_queue_close(queue);
}
END_TEST

/* Loads the file into the state of a chain; its own tensors are then what it had. */
static pz_status
load_state(pz_queue* const queue, const char* const text, const int64_t rows, const int64_t cols)
{
  const int64_t shape[] = {rows, cols};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  ck_assert_ok(pz_chain_new(context, text, NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain));
  ck_assert_ok(pz_state_new(chain, queue, &state));
  const pz_status status = pz_state_load(state, path);
  pz_state_free(state);
  pz_chain_free(chain);
  return status;
}

START_TEST(states_belong_to_a_chain)
{
  static const int64_t shape[] = {4, 3};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  const pz_tensor mask = fixture_zeros(PZ_F32, 4, 3);
  const part parts[] = {{"0.mask", "F32", &mask}};
  pz_queue* queue = NULL;
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  ck_assert_ok(pz_queue_open(context, getenv("TEST_DEVICE"), NULL, &queue));
  ck_assert_ok(
      pz_chain_new(context, "view(cols=*),sphere", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain));
  ck_assert_ok(pz_state_new(chain, queue, &state));
  ck_assert_ok(pz_state_save(state, path, 0));
  pz_state_free(state);
  pz_chain_free(chain);
  ck_assert_ok(load_state(queue, "view(cols=*),sphere", 4, 3));
  ck_assert_ok(load_state(queue, "view(cols=*,tensor=4x3),sphere", 4, 3));
  ck_assert_fails(load_state(queue, "view(cols=*),sphere", 2, 6), PZ_MISMATCH,
                  ": found the state of a chain with the value float64 4x3, expected float64 2x6");
  ck_assert_fails(load_state(queue, "view(cols=0),sphere", 4, 3), PZ_MISMATCH,
                  ": found the state of \"view(cols=*),sphere\", expected one of "
                  "\"view(cols=0),sphere\"");
  ck_assert_fails(load_state(queue, "view(cols=*),sphere(radius=2)", 4, 3), PZ_MISMATCH,
                  "expected one of \"view(cols=*),sphere(radius=2)\"");
  ck_assert_fails(load_state(queue, "pruning", 4, 3), PZ_MISMATCH, "expected one of \"pruning\"");
  /* other programs do not say which chain they mean */
  ck_assert_ok(pz_chain_new(context, "pruning", NULL, 0, PZ_FROM_TENSOR,
                            &(pz_spec){.dtype = PZ_F32, .ndim = 2, .shape = {4, 3}}, 1, &chain));
  ck_assert_ok(pz_state_new(chain, queue, &state));
  make_file(parts, 1);
  ck_assert_ok(pz_state_load(state, path));
  pz_state_free(state);
  pz_chain_free(chain);
  pz_queue_close(queue);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("files");
  tcase_add_test(tcase, semantics_20_what_is_saved_comes_back);
  tcase_add_test(tcase, semantics_20_the_format);
  tcase_add_test(tcase, semantics_20_a_foreign_file_loads);
  tcase_add_test(tcase, files_appear_whole_or_not_at_all);
  tcase_add_test(tcase, files_appear_where_links_lead);
  tcase_add_test(tcase, states_are_saved_without_originals);
  tcase_add_test(tcase, states_belong_to_a_chain);
  return test_main_case(tcase);
}
