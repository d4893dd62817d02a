/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a host gets from parametrize.h, as in plugin.c; and what it does not get: the plugin's
   interface and the mathematics of kernels. */

#include <parametrize/parametrize.h>

#if defined(PARAMETRIZE_PLUGIN_H) || defined(PARAMETRIZE_KERNEL_H) || defined(pz_exp) || \
    defined(pz_fail) || defined(HUGE_VAL)
#error "parametrize.h includes the plugin's interface or <math.h>"
#endif

pz_status pz_test_host(pz_context* context, void* data);

pz_status
pz_test_host(pz_context* const context, void* const data)
{
  const int64_t shape[2] = {3, 3};
  const pz_tensor t = pz_host_tensor(PZ_F32, data, 2, shape);
  const pz_spec spec = pz_spec_of(&t);
  const uint32_t dtypes[] = {PZ_F16, PZ_BF16, PZ_F32, PZ_F64, PZ_I64, PZ_C64, PZ_C128};
  pz_module* module = NULL;
  PZ_TRY(pz_module_new(context, NULL, "Linear", &module));
  PZ_TRY(pz_module_add(module, "weight", PZ_PARAMETER, &t));
  PZ_TRY(pz_register_parametrization(module, "weight", "skew", NULL));
  return pz_spec_equal(&spec, &spec) && pz_spec_count(&spec) == pz_count(&t) &&
                 pz_dtype_size(dtypes[0]) == 2 && pz_dtype_epsilon(dtypes[4]) == 0.0
             ? PZ_OK
             : PZ_MISMATCH;
}
