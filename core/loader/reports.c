/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A report names the ids that come from its source, or the reason why none does. */

#include "reports.h"

#include "context_impl.h"
#include "kept_text.h"
#include "status.h"
#include "text.h"
#include "utf8.h"

#include <parametrize/context.h>

#include <stdlib.h>

/* Appends one remark, with a separator after the last. */
static void
remark(pzi_text* const reason, const char* const text)
{
  if (*text != '\0') {
    pzi_text_add(reason, reason->length > 0 ? "; " : "");
    pzi_text_add(reason, text);
  }
}

static void
remark_on_taken(pzi_text* const reason, const char* const id, const pzi_source* const owner,
                const pzi_source* const source)
{
  remark(reason, "\"");
  pzi_text_add(reason, id);
  pzi_text_add(reason, "\" comes from ");
  pzi_text_add(reason, owner->path);
  pzi_text_add(reason, ", not from ");
  pzi_text_add(reason, source->path);
}

/* Collects the ids that a source provides, and remarks on it. */
static void
describe(const pz_context* const context, const pzi_source* const source, pzi_text* const ids,
         pzi_text* const reason)
{
  const pzi_source* twin = NULL; /* another source with the same tables */
  remark(reason, source->reason);
  if (source->state != PZI_LOADED) {
    return;
  }
  remark(reason, source->descriptor->remark);
  for (size_t k = 0; k < 2; ++k) {
    const uint32_t kind = pzi_descriptor_kinds[k];
    for (uint32_t i = 0; i < pzi_descriptor_count(source->descriptor, kind); ++i) {
      const char* const id = pzi_descriptor_id(source->descriptor, kind, i);
      const pzi_source* const owner = pzi_tables_find(context, kind, id)->source;
      if (owner == source) {
        pzi_text_add(ids, ids->length > 0 ? " " : "");
        pzi_text_add(ids, id);
      } else if (owner->descriptor == source->descriptor) {
        twin = owner;
      } else {
        remark_on_taken(reason, id, owner, source);
      }
    }
  }
  if (twin) {
    remark(reason, "the same file as ");
    pzi_text_add(reason, twin->path);
    pzi_text_add(reason, ", loaded once");
  }
  remark(reason, source->gone       ? "no longer there, what is loaded stays"
                 : source->replaced ? "another file by now, what is loaded stays"
                                    : "");
}

static pz_status
report_on(pz_context* const context, const pzi_source* const source, pz_plugin_report* const out)
{
  pzi_text ids = {0};
  pzi_text reason = {0};
  describe(context, source, &ids, &reason);
  if (reason.data) {
    pzi_utf8_clean(reason.data); // it may have paths in it
  }
  *out = (pz_plugin_report){
      .size = sizeof(*out),
      .loaded = ids.length > 0,
      .path = source->path,
      .origin = source->origin,
  };
  const pz_status status = pzi_kept_text_finish(context, &ids, &out->ids);
  if (status != PZ_OK) {
    free(reason.data);
    return status;
  }
  return pzi_kept_text_finish(context, &reason, &out->reason);
}

pz_status
pzi_reports_build(pz_context* const context)
{
  pz_plugin_report* const reports = calloc(context->n_order + 1, sizeof(*reports));
  if (!reports) {
    return pzi_no_memory((context->n_order + 1) * sizeof(*reports));
  }
  for (size_t i = 0; i < context->n_order; ++i) {
    const pz_status status = report_on(context, context->order[i], &reports[i]);
    if (status != PZ_OK) {
      free(reports);
      return status;
    }
  }
  free(context->reports);
  context->reports = reports;
  context->n_reports = context->n_order;
  return PZ_OK;
}
