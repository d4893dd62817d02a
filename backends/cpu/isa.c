/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which instructions the loops use. One build carries them compiled for every set in the
   table below, and the widest that the processor has is chosen when the first queue is
   looked for. The environment variable PARAMETRIZE_CPU_ISA asks for one by name, for tests
   and comparisons; it is read once. */

#include "isa.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
always(void)
{
  return true;
}

#define ISA_TABLES(isa)                          \
  extern const pz_backend_ops cpu_ops_f32_##isa; \
  extern const pz_backend_ops cpu_ops_f64_##isa;

ISA_TABLES(portable)

#ifdef CPU_X86
ISA_TABLES(avx2)
ISA_TABLES(avx512)

/* These ask for the system's support too. */
static bool
has_avx2(void)
{
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool
has_avx512(void)
{
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && has_avx2();
}
#endif

typedef struct offer {
  cpu_isa isa;
  bool (*here)(void);
} offer;

/* From the narrowest to the widest. */
static const offer offers[] = {
    {{"portable", &cpu_ops_f32_portable, &cpu_ops_f64_portable}, always},
#ifdef CPU_X86
    {{"avx2", &cpu_ops_f32_avx2, &cpu_ops_f64_avx2}, has_avx2},
    {{"avx512", &cpu_ops_f32_avx512, &cpu_ops_f64_avx512}, has_avx512},
#endif
};

enum { N_OFFERS = sizeof(offers) / sizeof(offers[0]) };

static const cpu_isa*
choose(const size_t reason_size, char* const reason)
{
  const char* const asked = getenv("PARAMETRIZE_CPU_ISA");
  const cpu_isa* widest = NULL;
  for (int k = 0; k < N_OFFERS; ++k) {
    const bool here = offers[k].here();
    if (asked && strcmp(asked, offers[k].isa.name) == 0) {
      if (!here && reason) {
        snprintf(reason, reason_size, "PARAMETRIZE_CPU_ISA asks for %s, which this processor lacks",
                 asked);
      }
      return here ? &offers[k].isa : NULL;
    }
    widest = here ? &offers[k].isa : widest;
  }
  if (asked && asked[0] != '\0') {
    if (reason) {
      snprintf(reason, reason_size, "PARAMETRIZE_CPU_ISA is \"%.40s\", expected one of", asked);
      for (int k = 0; k < N_OFFERS; ++k) {
        const size_t length = strlen(reason);
        snprintf(reason + length, reason_size - length, " %s", offers[k].isa.name);
      }
    }
    return NULL;
  }
  return widest;
}

const cpu_isa*
cpu_isa_chosen(const size_t reason_size, char* const reason)
{
  static _Atomic(const cpu_isa*) chosen;
  const cpu_isa* isa = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (!isa) {
    isa = choose(reason_size, reason);
    atomic_store_explicit(&chosen, isa, memory_order_relaxed);
  }
  return isa;
}
