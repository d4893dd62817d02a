/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Its constructor calls a function of the host's, if there is one, before anybody has looked
   at its descriptor. */

#include "broken.h"

#include <dlfcn.h>

__attribute__((constructor)) static void
construct(void)
{
  void (*hook)(void);
  *(void**)&hook = dlsym(RTLD_DEFAULT, "discovery_constructor_hook");
  if (hook) {
    hook();
  }
}

static const pz_parametrization table = {BROKEN_TABLE("busy_constructor")};

PZ_PLUGIN(busy_constructor, "1.0.0", PZ_PARAMETRIZATION(&table));
