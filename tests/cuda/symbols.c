/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every function that the CUDA backend looks up is in the toolkit's libraries, under that
   name; those of the driver in the stub that the toolkit carries. No GPU needed. */

#include <libraries.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define NAME_(function) TEXT(function),

static const char* const driver_names[] = {CUDA_DRIVER_LIST(NAME_) CUDA_DRIVER_OPTIONAL_LIST(NAME_)
                                               NULL};

static int n;

static int
report(const char* const library, const bool there, const char* const reason)
{
  const bool missing = !there && strstr(reason, "cannot open shared object") != NULL;
  printf("%s %d - %s%s%s\n", there || missing ? "ok" : "not ok", ++n, library,
         missing ? " # SKIP "
         : there ? ""
                 : ": ",
         there ? "" : reason);
  return !there && !missing;
}

static bool
stub_has_all(char* const reason)
{
  void* const stub = dlopen(CUDA_LIBRARY_FOLDER "/stubs/libcuda.so", RTLD_LAZY | RTLD_LOCAL);
  if (!stub) {
    snprintf(reason, 256, "%s", dlerror());
    return false;
  }
  for (size_t k = 0; driver_names[k]; ++k) {
    if (!dlsym(stub, driver_names[k])) {
      snprintf(reason, 256, "the stub has no %s", driver_names[k]);
      return false;
    }
  }
  return true;
}

int
main(void)
{
  char reason[256] = "";
  int failed = 0;
  printf("1..4\n");
  failed += report("driver", stub_has_all(reason), reason);
  failed += report("NVRTC", cuda_nvrtc_open(reason), reason);
  failed += report("cuBLAS", cuda_blas_open(reason), reason);
  failed += report("cuSOLVER", cuda_solver_open(reason), reason);
  return failed > 0;
}
