/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What right inverses refuse alike. */

#ifndef PLUGINS_COMMON_REFUSE_H
#define PLUGINS_COMMON_REFUSE_H

#include <parametrize/plugin.h>

/* Unless it is registered, a matrix of the batch that is not finite is refused. */
static inline pz_status
refuse_not_finite(pz_call* const c, const bool finite, const int64_t k)
{
  return finite || c->intent == PZ_REGISTER
             ? PZ_OK
             : pz_fail(c, c->intent == PZ_ASSIGN ? PZ_OUTSIDE : PZ_SINGULAR,
                       "found matrix %lld of the batch with an entry that is not finite, expected "
                       "finite ones",
                       (long long)k);
}

#endif /* PLUGINS_COMMON_REFUSE_H */
