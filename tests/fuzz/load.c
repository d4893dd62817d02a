/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modules from files, and into modules that are there. A file that makes a module makes the
   same one after that was saved; a load that is refused changes nothing; one that is not,
   and is asked for nothing special, leaves the file's numbers. */

#include "file.h"
#include "tensors.h"

#include <parametrize/parametrize.h>
#include <string.h>
#include <unistd.h>

enum { MADE = 2, PICTURE = 1 << 16 };

static pz_context* context;
static pz_module* targets[MADE]; /* what is loaded into: plain, and with lists */
static char* pictures[MADE];     /* of targets */
static uint8_t* made[MADE];      /* files of them */
static size_t made_size[MADE];

static const pz_register_settings unsafe = {.size = sizeof(unsafe), .flags = PZ_UNSAFE};

static char path[64];
static char folder[] = "/dev/shm/parametrize-fuzz-XXXXXX";

static void
close_all(void)
{
  for (size_t k = 0; k < MADE; ++k) {
    pz_module_free(targets[k]);
    free(pictures[k]);
    free(made[k]);
  }
  pz_context_free(context);
  unlink(path);
  rmdir(folder);
}

/* ---- modules ---------------------------------------------------------------- */

static void
add(pz_module* const module, const char* const name, const pz_tensor_kind kind,
    const uint32_t dtype, const int32_t ndim)
{
  static const int64_t shape[] = {2, 2};
  const double zeros[4] = {0};
  const pz_tensor tensor = pz_host_tensor(dtype, (void*)(uintptr_t)zeros, ndim, shape);
  FUZZ_ENSURE(pz_module_add(module, name, kind, &tensor) == PZ_OK);
}

/* Everything that a host sees of a module, as text; to be freed. */
static char*
picture(pz_module* const module)
{
  char* const text = calloc(1, PICTURE);
  FUZZ_ENSURE(text);
  size_t n = pz_module_print(module, text, PICTURE / 2);
  n = n < PICTURE / 2 ? n : PICTURE / 2 - 1;
  pz_tensor_info entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; pz_module_tensor(module, k, &entry) == PZ_OK; ++k) {
    pz_tensor tensor;
    FUZZ_ENSURE(pz_module_get(module, entry.name, &tensor) == PZ_OK);
    const size_t bytes = (size_t)pz_count(&tensor) * pz_dtype_size(tensor.dtype);
    uint64_t sum = 14695981039346656037U;
    for (size_t i = 0; i < bytes; ++i) {
      sum = (sum ^ ((const uint8_t*)tensor.data)[i]) * 1099511628211U;
    }
    n += (size_t)snprintf(text + n, PICTURE - n, "%.500s %u %u %d %016llx\n", entry.name,
                          (unsigned)entry.kind, (unsigned)entry.requires_grad, (int)entry.spec.ndim,
                          (unsigned long long)sum);
    n = n < PICTURE ? n : PICTURE - 1;
  }
  return text;
}

static uint8_t*
read_back(size_t* const size)
{
  uint8_t* const data = malloc(FUZZ_MOST);
  FILE* const in = fopen(path, "rb");
  FUZZ_ENSURE(data && in);
  *size = fread(data, 1, FUZZ_MOST, in);
  FUZZ_ENSURE(*size < FUZZ_MOST);
  fclose(in);
  return data;
}

static void
load_open(void)
{
  static const char* const folders[] = {TEST_PLUGIN_DIR};
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS,
      .folders = folders,
      .n_folders = 1,
      .seed = 1,
  };
  FUZZ_ENSURE(mkdtemp(folder) && pz_context_new(&settings, &context) == PZ_OK);
  snprintf(path, sizeof(path), "%s/x.safetensors", folder);
  atexit(close_all);
  for (size_t k = 0; k < MADE; ++k) {
    pz_module* const m =
        pz_module_new(context, NULL, "Linear", &targets[k]) == PZ_OK ? targets[k] : NULL;
    pz_module* child = NULL;
    FUZZ_ENSURE(m && pz_module_new(context, NULL, "Linear", &child) == PZ_OK);
    add(m, "weight", PZ_PARAMETER, PZ_F32, 2);
    add(m, "bias", PZ_PARAMETER, PZ_F64, 1);
    add(m, "mean", PZ_BUFFER, PZ_F32, 0);
    FUZZ_ENSURE(pz_module_require_grad(m, "bias", false) == PZ_OK);
    add(child, "w", PZ_PARAMETER, PZ_F32, 2);
    FUZZ_ENSURE(pz_module_add_child(m, "a", child) == PZ_OK);
    if (k > 0) {
      FUZZ_ENSURE(pz_register_parametrization(m, "weight", "skew,cayley", NULL) == PZ_OK);
      FUZZ_ENSURE(pz_register_parametrization(m, "a.w", "view(rows=1,cols=0),pruning(seed=7)",
                                              NULL) == PZ_OK);
      FUZZ_ENSURE(pz_register_parametrization(m, "parametrizations.weight.original", "symmetric",
                                              &unsafe) == PZ_OK);
    }
    FUZZ_ENSURE(pz_module_save(m, path, NULL) == PZ_OK);
    made[k] = read_back(&made_size[k]);
    pictures[k] = picture(m);
  }
}

static size_t
load_seed(const size_t index, uint8_t* const out)
{
  if (index >= MADE) {
    return fuzz_tensors_seed(index - MADE, out);
  }
  memcpy(out, made[index], made_size[index]);
  return made_size[index];
}

/* ---- running ---------------------------------------------------------------- */

static void
count_report(void* const user, const pz_load_remark remark, const char* const name)
{
  FUZZ_ENSURE(remark >= PZ_LOAD_UNKNOWN && remark <= PZ_LOAD_DTYPE && name);
  ++*(size_t*)user;
}

static void
check_refusal(const pz_status status)
{
  const char* const message = pz_error_message();
  FUZZ_ENSURE(status != PZ_NO_MEMORY && *message != '\0' && !strchr(message, '\n'));
}

/* Every stored tensor is the file's, but for those that the file does not have. */
static void
check_numbers(pz_module* const module, const pz_file* const file)
{
  pz_tensor_info entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; pz_module_tensor(module, k, &entry) == PZ_OK; ++k) {
    pz_file_tensor_info found = {.size = sizeof(found)};
    pz_tensor tensor;
    FUZZ_ENSURE(pz_file_find(file, entry.name, &found) == PZ_OK);
    FUZZ_ENSURE(pz_module_get(module, entry.name, &tensor) == PZ_OK);
    FUZZ_ENSURE(pz_spec_equal(&entry.spec, &found.spec));
    FUZZ_ENSURE(found.bytes == 0 || memcmp(tensor.data, found.data, found.bytes) == 0);
  }
}

/* Saved and made again it is the same. */
static void
check_again(pz_module* const module)
{
  pz_file* file = NULL;
  pz_module* again = NULL;
  FUZZ_ENSURE(pz_module_save(module, path, NULL) == PZ_OK);
  FUZZ_ENSURE(pz_file_open(path, &file) == PZ_OK);
  FUZZ_ENSURE(pz_module_from_file(context, NULL, file, NULL, NULL, &again) == PZ_OK);
  char* const a = picture(module);
  char* const b = picture(again);
  FUZZ_ENSURE(strcmp(a, b) == 0);
  free(a);
  free(b);
  check_numbers(again, file);
  pz_module_free(again);
  pz_file_close(file);
}

/* Values may have no answer for the file's numbers. */
static void
read_values(pz_module* const module, const pz_file* const file)
{
  pz_file_chain_info list = {.size = sizeof(list)};
  for (size_t k = 0; pz_file_chain(file, k, &list) == PZ_OK; ++k) {
    pz_tensor value;
    const pz_status status = pz_module_get(module, list.path, &value);
    if (status != PZ_OK) {
      check_refusal(status);
    }
  }
}

static bool
make(const pz_file* const file, const char* const only, const pz_load_settings* const settings)
{
  pz_module* module = NULL;
  const pz_status status = pz_module_from_file(context, NULL, file, only, settings, &module);
  if (status != PZ_OK) {
    FUZZ_ENSURE(!module);
    check_refusal(status);
    return false;
  }
  read_values(module, file);
  if (!settings && !only) {
    check_numbers(module, file);
  }
  check_again(module);
  pz_module_free(module);
  return true;
}

static void
load(const size_t k, const pz_file* const file, const pz_load_settings* const settings)
{
  pz_module* copy = NULL;
  FUZZ_ENSURE(pz_module_copy(targets[k], &copy) == PZ_OK);
  const pz_status status = pz_module_load(copy, file, settings);
  if (status == PZ_OK) {
    read_values(copy, file);
    if (!settings) {
      check_numbers(copy, file);
    }
    check_again(copy);
  } else {
    check_refusal(status);
    char* const after = picture(copy);
    FUZZ_ENSURE(strcmp(after, pictures[k]) == 0);
    free(after);
  }
  pz_module_free(copy);
}

static bool
load_run(const uint8_t* const data, const size_t size)
{
  pz_file* file = NULL;
  if (size > FUZZ_MOST || pzi_file_from_memory(data, size, &file) != PZ_OK) {
    return false;
  }
  /* The way of loading follows from the bytes, so that an input stays what it is. */
  uint64_t random = size;
  for (size_t k = 0; k < size; k += 7) {
    random = random * 31 + data[k];
  }
  static const pz_chain_rule rules[] = {
      {.pattern = "rnn.*", .text = "weight_norm"},
      {.pattern = "w", .text = "spectral_norm"},
      {.pattern = "a.*", .text = "pruning"},
      {.pattern = "*weight", .text = "skew,cayley"},
      {.pattern = "parametrizations.*", .text = "symmetric"},
      {.pattern = "*", .text = "skew"},
  };
  size_t remarks = 0;
  pz_load_settings settings = {
      .size = sizeof(settings),
      .flags = (uint32_t)fuzz_below(&random, 8),
      .rules = rules,
      .n_rules = (uint32_t)fuzz_below(&random, 1 + sizeof(rules) / sizeof(rules[0])),
      .report = count_report,
      .user = &remarks,
  };
  pz_file_chain_info list = {.size = sizeof(list)};
  const pz_load_settings* const chosen = fuzz_below(&random, 2) == 0 ? NULL : &settings;
  const bool some = fuzz_below(&random, 8) == 0 && pz_file_chain(file, 0, &list) == PZ_OK;
  const bool good = make(file, some ? list.path : NULL, chosen);
  load(fuzz_below(&random, MADE), file, chosen);
  pz_file_close(file);
  return good;
}

const fuzz_harness fuzz = {
    .open = load_open,
    .seed = load_seed,
    .mutate = fuzz_tensors_mutate,
    .run = load_run,
};
