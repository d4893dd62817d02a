/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* rows, cols = item *("+" item)
   item       = dim [ "-" dim ] / "*"
   split      = dim ":" parts *("+" dim ":" parts)
   dim        = [ "-" ] digits
   tensor     = digits *("x" digits)

   Numbers are resolved later, against a tensor (reading.c). */

#include "view_text.h"

#include "status.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 9 }; /* of a number; it then fits into 32 bits */

/* ---- reading -------------------------------------------------------------------------- */

static bool
read_number(const char** const at, int64_t* const out)
{
  int64_t number = 0;
  int digits = 0;
  for (; **at >= '0' && **at <= '9'; ++*at) {
    if (++digits > DIGITS) {
      return false;
    }
    number = 10 * number + (**at - '0');
  }
  *out = number;
  return digits > 0;
}

static bool
read_dim(const char** const at, int32_t* const out)
{
  const bool negative = **at == '-';
  int64_t number = 0;
  *at += negative;
  if (!read_number(at, &number)) {
    return false;
  }
  *out = (int32_t)(negative ? -number : number);
  return true;
}

static bool
read_item(const char** const at, pzi_view_item* const out)
{
  *out = (pzi_view_item){.rest = **at == '*'};
  if (out->rest) {
    ++*at;
    return true;
  }
  if (!read_dim(at, &out->first)) {
    return false;
  }
  out->last = out->first;
  if (**at == '-') {
    ++*at;
    return read_dim(at, &out->last);
  }
  return true;
}

static pz_status
read_list(const pzi_option_words* const option, pzi_view_list* const out)
{
  const char* at = option->value;
  bool good = out->n < PZ_MAX_DIMS && read_item(&at, &out->items[out->n++]);
  while (good && *at == '+') {
    ++at;
    good = out->n < PZ_MAX_DIMS && read_item(&at, &out->items[out->n++]);
  }
  return good && *at == '\0'
             ? PZ_OK
             : pzi_fail(PZ_INVALID,
                        "view: %s: found \"%.100s\", expected dimensions as in 1, 0+2, 1-3 or *",
                        option->name, option->value);
}

static bool
read_cut(const char** const at, pzi_view* const out)
{
  pzi_view_cut cut = {0};
  if (out->n_cuts == PZ_MAX_DIMS || !read_dim(at, &cut.dim) || **at != ':') {
    return false;
  }
  ++*at;
  if (!read_number(at, &cut.parts) || cut.parts == 0) {
    return false;
  }
  out->cuts[out->n_cuts++] = cut;
  return true;
}

static pz_status
read_cuts(const pzi_option_words* const option, pzi_view* const out)
{
  const char* at = option->value;
  bool good = read_cut(&at, out);
  while (good && *at == '+') {
    ++at;
    good = read_cut(&at, out);
  }
  return good && *at == '\0'
             ? PZ_OK
             : pzi_fail(PZ_INVALID,
                        "view: split: found \"%.100s\", expected dimensions with their parts as in "
                        "0:8 or 0:8+2:4",
                        option->value);
}

static pz_status
read_shape(const pzi_option_words* const option, pzi_view* const out)
{
  const char* at = option->value;
  bool good = read_number(&at, &out->shape[out->ndim++]);
  while (good && *at == 'x') {
    ++at;
    good = out->ndim < PZ_MAX_DIMS && read_number(&at, &out->shape[out->ndim++]);
  }
  return good && *at == '\0'
             ? PZ_OK
             : pzi_fail(PZ_INVALID,
                        "view: tensor: found \"%.100s\", expected a shape as in 16x8x3x3",
                        option->value);
}

static uint32_t
count_rests(const pzi_view_list* const list)
{
  uint32_t n = 0;
  for (uint32_t k = 0; k < list->n; ++k) {
    n += list->items[k].rest;
  }
  return n;
}

pz_status
pzi_view_parse(const pzi_stage_words* const words, pzi_view* const out)
{
  static const char* const names[] = {"split", "rows", "cols", "tensor"};
  enum { SPLIT, ROWS, COLS, TENSOR, NAMES };
  bool given[NAMES] = {false};
  pzi_view view = {0};
  for (uint32_t k = 0; k < words->n_options; ++k) {
    const pzi_option_words* const option = &words->options[k];
    uint32_t which = 0;
    while (which < NAMES && strcmp(names[which], option->name) != 0) {
      ++which;
    }
    if (which == NAMES) {
      return pzi_fail(PZ_NOT_FOUND,
                      "view: no option \"%.100s\", there is split, rows, cols, tensor",
                      option->name);
    }
    if (given[which]) {
      return pzi_fail(PZ_INVALID, "view: found option \"%s\" twice, expected it once",
                      option->name);
    }
    given[which] = true;
    PZ_TRY(which == SPLIT    ? read_cuts(option, &view)
           : which == TENSOR ? read_shape(option, &view)
                             : read_list(option, which == ROWS ? &view.rows : &view.cols));
  }
  if (!given[ROWS] && !given[COLS]) { // rows=0
    view.rows.n = 1;
  }
  if (!given[COLS]) { // cols=*
    view.cols.n = 1;
    view.cols.items[0].rest = true;
  }
  if (count_rests(&view.rows) + count_rests(&view.cols) > 1) {
    return pzi_fail(PZ_INVALID, "view: found * in rows and cols more than once%s, expected it once",
                    given[COLS] ? "" : " (cols is * where not given)");
  }
  *out = view;
  return PZ_OK;
}

/* ---- writing -------------------------------------------------------------------------- */

static void
add_list(pzi_text* const text, const char* const before, const pzi_view_list* const list)
{
  char buffer[32];
  pzi_text_add(text, before);
  for (uint32_t k = 0; k < list->n; ++k) {
    const pzi_view_item* const item = &list->items[k];
    pzi_text_add(text, k > 0 ? "+" : "");
    snprintf(buffer, sizeof(buffer),
             item->first == item->last ? "%" PRId32 : "%" PRId32 "-%" PRId32, item->first,
             item->last);
    pzi_text_add(text, item->rest ? "*" : buffer);
  }
}

pz_status
pzi_view_text(const pzi_view* const view, char** const out)
{
  pzi_text text = {0};
  char buffer[64];
  pzi_text_add(&text, "view(");
  for (uint32_t k = 0; k < view->n_cuts; ++k) {
    snprintf(buffer, sizeof(buffer), "%s%" PRId32 ":%" PRId64,
             k > 0 ? "+" : "split=", view->cuts[k].dim, view->cuts[k].parts);
    pzi_text_add(&text, buffer);
  }
  pzi_text_add(&text, view->n_cuts > 0 ? "," : "");
  if (view->rows.n > 0) {
    add_list(&text, "rows=", &view->rows);
    pzi_text_add(&text, ",");
  }
  add_list(&text, "cols=", &view->cols);
  pzi_text_add(&text, ")");
  return pzi_text_finish(&text, out);
}
