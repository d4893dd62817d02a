/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes three files into the current folder: model.safetensors, a module with chains of every kind
   as a host saves it, values.safetensors, the values of its tensors in evaluation mode, and
   folded.safetensors, the module as a host folds and saves it. */

#include <parametrize/parametrize.h>

#include <stdio.h>
#include <stdlib.h>

enum { N_VALUES = 7, BYTES_MOST = 1024 };

static const struct {
  const char* name;
  uint32_t dtype;
  int32_t ndim;
  int64_t shape[3];
} values[N_VALUES] = {
    {"weight", PZ_F32, 2, {4, 4}},      {"bias", PZ_F32, 1, {4}},
    {"running", PZ_F64, 0, {0}},        {"layer.weight", PZ_F64, 3, {2, 3, 3}},
    {"layer.mask", PZ_F32, 2, {5, 7}},  {"layer.deep", PZ_F32, 2, {3, 3}},
    {"layer.plain", PZ_F32, 2, {2, 3}},
};

static void
expect(const pz_status status, const char* const what)
{
  if (status != PZ_OK) {
    fprintf(stderr, "%s: %s\n", what, pz_error_message());
    exit(1);
  }
}

/* Numbers in (-1, 1), all different. */
static void
add(pz_module* const module, const size_t k, const char* const name, const pz_tensor_kind kind)
{
  double data[BYTES_MOST / sizeof(double)];
  const bool wide = values[k].dtype == PZ_F64;
  for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); ++i) {
    const double x = (double)((i + 3) * (k + 11) * 7919 % 2003) / 1001.5 - 1.0;
    if (wide) {
      data[i] = x;
    } else {
      ((float*)(void*)data)[i] = (float)x;
    }
  }
  const pz_tensor tensor = pz_host_tensor(values[k].dtype, data, values[k].ndim, values[k].shape);
  expect(pz_module_add(module, name, kind, &tensor), name);
}

static void
write_values(pz_module* const module)
{
  static double data[N_VALUES][BYTES_MOST / sizeof(double)];
  pz_writer_tensor entries[N_VALUES];
  pz_writer* writer = NULL;
  for (size_t k = 0; k < N_VALUES; ++k) {
    const pz_spec spec = pz_spec_make(values[k].dtype, values[k].ndim, values[k].shape);
    const pz_tensor host =
        pz_host_tensor(values[k].dtype, data[k], values[k].ndim, values[k].shape);
    expect(pz_module_read(module, values[k].name, &host), values[k].name);
    entries[k] = (pz_writer_tensor){
        .name = values[k].name,
        .dtype = values[k].dtype == PZ_F64 ? "F64" : "F32",
        .spec = spec,
        .bytes = (uint64_t)pz_spec_count(&spec) * pz_dtype_size(spec.dtype),
    };
  }
  expect(pz_writer_open("values.safetensors", 0, entries, N_VALUES, NULL, 0, &writer), "open");
  for (size_t k = 0; k < N_VALUES; ++k) {
    expect(pz_writer_put(writer, k, data[k], entries[k].bytes), values[k].name);
  }
  expect(pz_writer_commit(writer), "commit");
}

int
main(void)
{
  const pz_metadata texts[] = {{.key = "epoch", .text = "12"},
                               {.key = "note", .text = "a host's \"own\" words"}};
  pz_context* context;
  pz_module* model;
  pz_module* layer;
  expect(pz_context_new(NULL, &context), "context");
  expect(pz_module_new(context, NULL, "Model", &model), "model");
  expect(pz_module_new(context, NULL, "Layer", &layer), "layer");
  add(model, 0, "weight", PZ_PARAMETER);
  add(model, 1, "bias", PZ_PARAMETER);
  add(model, 2, "running", PZ_BUFFER);
  add(layer, 3, "weight", PZ_PARAMETER);
  add(layer, 4, "mask", PZ_PARAMETER);
  add(layer, 5, "deep", PZ_PARAMETER);
  add(layer, 6, "plain", PZ_PARAMETER);
  expect(pz_module_add_child(model, "layer", layer), "child");
  static const char* const lists[][2] = {
      {"weight", "skew,cayley"},
      {"layer.weight", "symmetric,matrix_exp"},
      {"layer.mask", "pruning(p_drop=0.4,seed=3)"},
      {"layer.deep", "skew(lower=1)"},
      {"layer.parametrizations.deep.original", "pruning(p_drop=0.5,seed=5)"},
  };
  static const char* const frozen[] = {"bias", "layer.weight", "layer.deep"};
  for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); ++k) {
    expect(pz_register_parametrization(model, lists[k][0], lists[k][1], NULL), lists[k][0]);
  }
  for (size_t k = 0; k < sizeof(frozen) / sizeof(frozen[0]); ++k) {
    expect(pz_module_require_grad(model, frozen[k], false), frozen[k]);
  }
  expect(pz_module_train(model, false), "mode");
  const pz_save_settings settings = {.size = sizeof(settings), .metadata = texts, .n_metadata = 2};
  expect(pz_module_save(model, "model.safetensors", &settings), "save");
  write_values(model);
  expect(pz_module_bake(model), "bake");
  expect(pz_module_save(model, "folded.safetensors", &settings), "save");
  pz_module_free(model);
  pz_context_free(context);
  return 0;
}
