/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A view cuts dimensions, permutes all of them, and joins runs of neighbours:

     (64, 3, 3, 3)  rows=1, cols=0+2+3   order 1 0 2 3, joined 3 x 576
     (512, 64)      split=0:8, rows=1, cols=2   cut 8 x 64 x 64, order 0 1 2

   Cutting and joining change the shape only. The permutation moves entries unless it is the
   identity on the extents other than 1. */

#include "reading.h"

#include "device_copy.h"
#include "shape.h"
#include "spec_text.h"
#include "status.h"

#include <parametrize/view.h>

#include <inttypes.h>

/* A view with the numbers of one tensor. */
typedef struct layout {
  int32_t n; /* dimensions after the cuts */
  int64_t extent[PZ_MAX_DIMS];
  bool fixed[PZ_MAX_DIMS];  /* the extent follows from the cuts alone */
  int32_t cut[PZ_MAX_DIMS]; /* the dimension that each cut divides */
  int32_t order[PZ_MAX_DIMS];
  int32_t n_read;              /* dimensions of what is read */
  int32_t joined[PZ_MAX_DIMS]; /* how many make up each */
} layout;

/* ---- numbers of dimensions --------------------------------------------------------------- */

static pz_status
resolve(const char* const what, const int32_t dim, const int32_t n, int32_t* const out)
{
  if (dim >= n || dim < -n) {
    return n == 0
               ? pzi_fail(PZ_MISMATCH, "view: found a tensor without dimensions")
               : pzi_fail(PZ_MISMATCH,
                          "view: %s: found dimension %" PRId32 ", expected %" PRId32 " to %" PRId32,
                          what, dim, -n, n - 1);
  }
  *out = dim < 0 ? dim + n : dim;
  return PZ_OK;
}

static pz_status
cut(const pzi_view* const view, layout* const l)
{
  for (uint32_t k = 0; k < view->n_cuts; ++k) {
    const int64_t parts = view->cuts[k].parts;
    int32_t d = 0;
    PZ_TRY(resolve("split", view->cuts[k].dim, l->n, &d));
    if (l->extent[d] % parts != 0) {
      return pzi_fail(PZ_MISMATCH,
                      "view: split: found %" PRId64 " parts for an extent of %" PRId64
                      ", expected a divisor",
                      parts, l->extent[d]);
    }
    if (l->n == PZ_MAX_DIMS) {
      return pzi_fail(PZ_MISMATCH, "view: split: found more than %d dimensions", PZ_MAX_DIMS);
    }
    for (int32_t i = l->n++; i > d; --i) {
      l->extent[i] = l->extent[i - 1];
      l->fixed[i] = l->fixed[i - 1];
    }
    l->extent[d + 1] = l->extent[d] / parts;
    l->extent[d] = parts;
    l->fixed[d] = true; // the rest is as free as the whole was
    l->cut[k] = d;
  }
  size_t bytes = 0;
  const pz_spec spec = pz_spec_make(PZ_F32, l->n, l->extent);
  return pzi_shape_spec_bytes(&spec, &bytes) // then every product of extents fits
             ? PZ_OK
             : pzi_fail(PZ_MISMATCH, "view: split: found too many parts of an empty tensor");
}

/* Undoes the cuts. False if an extent becomes too large. */
static bool
uncut(const pzi_view* const view, layout* const l)
{
  for (uint32_t k = view->n_cuts; k-- > 0;) {
    const int32_t d = l->cut[k];
    if (__builtin_mul_overflow(l->extent[d], l->extent[d + 1], &l->extent[d])) {
      return false;
    }
    --l->n;
    for (int32_t i = d + 1; i < l->n; ++i) {
      l->extent[i] = l->extent[i + 1];
    }
  }
  return true;
}

/* Marks the dimensions that a list names. */
static pz_status
name_dims(const char* const what, const pzi_view_list* const list, const layout* const l,
          bool* const named)
{
  for (uint32_t k = 0; k < list->n; ++k) {
    const pzi_view_item* const item = &list->items[k];
    int32_t first = 0;
    int32_t last = -1;
    if (!item->rest) {
      PZ_TRY(resolve(what, item->first, l->n, &first));
      PZ_TRY(resolve(what, item->last, l->n, &last));
      if (first > last) {
        return pzi_fail(PZ_MISMATCH,
                        "view: %s: found dimensions %" PRId32 "-%" PRId32 ", expected them to rise",
                        what, item->first, item->last);
      }
    }
    for (int32_t d = first; d <= last; ++d) {
      if (named[d]) {
        return pzi_fail(PZ_MISMATCH, "view: found dimension %" PRId32 " twice, expected it once",
                        d);
      }
      named[d] = true;
    }
  }
  return PZ_OK;
}

/* Appends the dimensions of a list to the order, as one dimension of what is read. */
static pz_status
join(const char* const what, const pzi_view_list* const list, const bool* const named, int32_t* at,
     layout* const l)
{
  const int32_t before = *at;
  for (uint32_t k = 0; k < list->n; ++k) {
    const pzi_view_item* const item = &list->items[k];
    const int32_t first = item->rest ? 0 : item->first < 0 ? item->first + l->n : item->first;
    const int32_t last = item->rest ? l->n - 1 : item->last < 0 ? item->last + l->n : item->last;
    for (int32_t d = first; d <= last; ++d) {
      if (!item->rest || !named[d]) {
        l->order[(*at)++] = d;
      }
    }
  }
  l->joined[l->n_read++] = *at - before;
  return *at > before ? PZ_OK
                      : pzi_fail(PZ_MISMATCH, "view: %s: found no dimension left for *", what);
}

static pz_status
lay_out(const pzi_view* const view, const pz_spec* const tensor, layout* const out)
{
  bool named[PZ_MAX_DIMS] = {false};
  int32_t at = 0;
  *out = (layout){.n = tensor->ndim};
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    out->extent[i] = tensor->shape[i];
  }
  PZ_TRY(cut(view, out));
  PZ_TRY(name_dims("rows", &view->rows, out, named));
  PZ_TRY(name_dims("cols", &view->cols, out, named));
  bool rest = false;
  for (uint32_t k = 0; k < PZ_MAX_DIMS; ++k) {
    rest = rest || (k < view->rows.n && view->rows.items[k].rest) ||
           (k < view->cols.n && view->cols.items[k].rest);
  }
  for (int32_t d = 0; d < out->n && !rest; ++d) {
    if (!named[d]) {
      out->order[at++] = d;
      out->joined[out->n_read++] = 1;
    }
  }
  PZ_TRY(view->rows.n > 0 ? join("rows", &view->rows, named, &at, out) : PZ_OK);
  return join("cols", &view->cols, named, &at, out);
}

/* ---- turns ---------------------------------------------------------------------------- */

static bool
same_shape(const pz_spec* const a, const pz_spec* const b)
{
  pz_spec spec = *a;
  spec.dtype = b->dtype;
  return pz_spec_equal(&spec, b);
}

static bool
moves(const layout* const l)
{
  int32_t last = -1;
  bool rising = true;
  for (int32_t j = 0; j < l->n; ++j) {
    const int32_t d = l->order[j];
    if (l->extent[d] == 0) {
      return false;
    }
    rising = rising && (l->extent[d] == 1 || d > last);
    last = l->extent[d] == 1 ? last : d;
  }
  return !rising;
}

pz_status
pzi_reading_begin(const pzi_view* const view, const pz_spec* const tensor, pzi_turn* const out)
{
  layout l;
  PZ_TRY(lay_out(view, tensor, &l));
  pz_spec read = pz_spec_make(tensor->dtype, 0, NULL);
  for (int32_t j = 0; read.ndim < l.n_read; ++read.ndim) {
    int64_t extent = 1;
    for (const int32_t end = j + l.joined[read.ndim]; j < end; ++j) {
      extent *= l.extent[l.order[j]];
    }
    read.shape[read.ndim] = extent;
  }
  *out = (pzi_turn){.from = *tensor, .to = read, .moves = moves(&l), .n = l.n};
  for (int32_t i = 0; i < l.n; ++i) {
    out->extent[i] = l.extent[i];
    out->order[i] = l.order[i];
  }
  out->from.structure = PZ_GENERAL;
  if (!out->moves && same_shape(tensor, &read)) {
    out->from = *tensor; // the same matrices keep their structure
    out->to = *tensor;
  }
  return PZ_OK;
}

/* Gives the dimensions of the layout the extents of what is read. */
static bool
adapt(layout* const l, const pz_spec* const read)
{
  int32_t at = 0;
  if (read->ndim != l->n_read) {
    return false;
  }
  for (int32_t k = 0; k < l->n_read; at += l->joined[k++]) {
    if (l->joined[k] == 1) {
      l->extent[l->order[at]] = read->shape[k];
    }
  }
  return true;
}

pz_status
pzi_reading_end(const pzi_view* const view, const pz_spec* const read, const pz_spec* const like,
                pzi_turn* const out)
{
  layout l;
  pzi_turn turn;
  PZ_TRY(pzi_reading_begin(view, like, &turn));
  pz_spec tensor = turn.from;
  tensor.dtype = read->dtype;
  if (!same_shape(&turn.to, read)) {
    PZ_TRY(lay_out(view, like, &l));
    if (adapt(&l, read) && uncut(view, &l)) {
      tensor = pz_spec_make(read->dtype, l.n, l.extent);
    }
  }
  const pz_status status = pzi_reading_begin(view, &tensor, &turn);
  if (status != PZ_OK || !same_shape(&turn.to, read)) {
    char found[PZI_SPEC_TEXT];
    char expected[PZI_SPEC_TEXT];
    PZ_TRY(pzi_reading_begin(view, like, &turn));
    turn.to.dtype = read->dtype;
    return pzi_fail(PZ_MISMATCH,
                    "view: found %s, expected %s, or another extent where a list has one dimension",
                    pzi_spec_text(read, found), pzi_spec_text(&turn.to, expected));
  }
  *out = pzi_turn_inverse(&turn);
  if (!turn.moves && same_shape(&tensor, read)) {
    out->from = *read; // keeps its structure
    out->to = *read;
  }
  return PZ_OK;
}

bool
pzi_reading_fits(const pzi_view* const view, const pz_spec* const spec, const pz_spec* const like,
                 pzi_turn* const out)
{
  pzi_message before;
  pzi_message_save(&before);
  const bool fits =
      (like ? pzi_reading_end(view, spec, like, out) : pzi_reading_begin(view, spec, out)) == PZ_OK;
  if (!fits) {
    pzi_message_restore(&before);
  }
  return fits;
}

/* Gives the dimensions of list k, from number `at` on, the extent of what is read; the number of ways,
   2 for more. */
static int
divide(layout* const l, const int32_t k, const int32_t at, int64_t extent)
{
  int32_t free = -1;
  int32_t n_free = 0;
  for (int32_t j = at; j < at + l->joined[k]; ++j) {
    const int32_t d = l->order[j];
    if (l->fixed[d] && extent % l->extent[d] != 0) {
      return 0;
    }
    extent /= l->fixed[d] ? l->extent[d] : 1;
    free = l->fixed[d] ? free : d;
    n_free += !l->fixed[d];
  }
  for (int32_t j = at; j < at + l->joined[k]; ++j) {
    l->extent[l->order[j]] = l->fixed[l->order[j]] ? l->extent[l->order[j]] : 1;
  }
  if (n_free > 0) {
    l->extent[free] = extent;
  }
  return n_free > 1 && extent != 1 ? 2 : n_free > 0 || extent == 1;
}

int
pzi_reading_tensors(const pzi_view* const view, const pz_spec* const read, const int32_t ndim,
                    pz_spec* const tensor, uint32_t* const held)
{
  static const int64_t empty[PZ_MAX_DIMS] = {0}; // every number of parts divides 0
  pzi_message before;
  layout l;
  int ways = 1;
  *tensor = pz_spec_make(read->dtype, ndim, empty);
  *held = 0;
  pzi_message_save(&before);
  if (lay_out(view, tensor, &l) != PZ_OK) {
    pzi_message_restore(&before);
    return 0;
  }
  if (l.n_read != read->ndim) {
    return 0;
  }
  for (int32_t k = 0, at = 0; k < l.n_read; at += l.joined[k++]) {
    const int found = divide(&l, k, at, read->shape[k]);
    ways = found == 0 || ways == 0 ? 0 : found > ways ? found : ways;
    *held |= l.joined[k] > 1 || l.fixed[l.order[at]] ? 1U << k : 0;
  }
  if (!uncut(view, &l)) {
    return 0;
  }
  *tensor = pz_spec_make(read->dtype, ndim, l.extent);
  return ways;
}

bool
pzi_way_moves(const pzi_way* const way)
{
  bool moving = false;
  for (uint32_t k = 0; way && k < way->n; ++k) {
    moving = moving || way->turns[k].moves;
  }
  return moving;
}

pzi_turn
pzi_turn_inverse(const pzi_turn* const turn)
{
  pzi_turn inverse = {.from = turn->to, .to = turn->from, .moves = turn->moves, .n = turn->n};
  for (int32_t j = 0; j < turn->n; ++j) {
    inverse.extent[j] = turn->extent[turn->order[j]];
    inverse.order[turn->order[j]] = j;
  }
  return inverse;
}

bool
pzi_turn_undoes(const pzi_turn* const before, const pzi_turn* const after)
{
  const pzi_turn back = pzi_turn_inverse(before);
  bool same = same_shape(&before->from, &after->to) && before->moves == after->moves;
  same = same && (!back.moves || back.n == after->n);
  for (int32_t j = 0; same && back.moves && j < back.n; ++j) {
    same = back.extent[j] == after->extent[j] && back.order[j] == after->order[j];
  }
  return same;
}

void
pzi_way_add(pzi_way* const way, const pzi_turn* const turn)
{
  if (way->n > 0 && pzi_turn_undoes(&way->turns[way->n - 1], turn)) {
    --way->n;
  } else if (turn->moves || !same_shape(&turn->from, &turn->to)) {
    way->turns[way->n++] = *turn;
  }
}

pz_status
pzi_turn_copy(const pzi_turn* const turn, pz_queue* const queue, const pz_tensor* const from,
              const pz_tensor* const to)
{
  int64_t step[PZ_MAX_DIMS];
  int64_t shape[PZ_MAX_DIMS];
  int64_t strides[PZ_MAX_DIMS];
  int64_t count = 1;
  for (int32_t i = turn->n; i-- > 0;) {
    step[i] = count;
    count *= turn->extent[i];
  }
  for (int32_t j = 0; j < turn->n; ++j) {
    shape[j] = turn->extent[turn->order[j]];
    strides[j] = step[turn->order[j]];
  }
  pz_tensor source = *from;
  pz_tensor target = *to;
  source.ndim = target.ndim = turn->n;
  source.shape = target.shape = shape;
  source.strides = strides;
  target.strides = NULL;
  pthread_mutex_lock(&queue->mutex);
  const uint64_t scratch = pzi_arena_mark(&queue->scratch);
  const pz_status status = pzi_device_copy(queue, &source, &target);
  pzi_arena_release(&queue->scratch, scratch);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}
