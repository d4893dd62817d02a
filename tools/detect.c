/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The tensors that tell, for a value T:

     weight_norm      T_g, T_v            or originals 0 and 1 of T
     spectral_norm    T_orig, T_u, T_v    or the original of T, 0._u, 0._v
     pruning          T_orig, T_mask      or the original of T, 0.mask

   A finding without a chain is a value that has such tensors, but not of such shapes. */

#include "detect.h"

#include "floats.h"
#include "spectral_dim.h"

#include <stdlib.h>
#include <string.h>

typedef pz_file_tensor_info info;

typedef struct search {
  findings* out;
  const info** by_name; /* the tensors, sorted */
  const char** today;   /* their new names, by index; NULL where the name stays */
  size_t room;
} search;

/* ---- lookup ------------------------------------------------------------------ */

static int
compare(const char* const name, const char* const path, const char* const ending)
{
  const size_t length = strlen(path);
  const int order = strncmp(name, path, length);
  return order != 0 ? order : strcmp(name + length, ending);
}

/* The tensor with the name `path` and `ending`, or NULL. */
static const info*
find(const search* const s, const char* const path, const char* const ending)
{
  size_t low = 0;
  size_t high = s->out->n_tensors;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = compare(s->by_name[middle]->name, path, ending);
    if (order == 0) {
      return s->by_name[middle];
    }
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return NULL;
}

static int
by_name(const void* const a, const void* const b)
{
  return strcmp((*(const info* const*)a)->name, (*(const info* const*)b)->name);
}

/* "weight_g 4x1x1", without the folders of the name. */
static const char*
show(search* const s, const info* const tensor)
{
  const char* const dot = strrchr(tensor->name, '.');
  return texts_add(&s->out->texts, "%s %s", dot ? dot + 1 : tensor->name,
                   texts_extents(&s->out->texts, tensor));
}

static void
add(search* const s, const char* const path, const char* const text, const char* const why)
{
  findings* const f = s->out;
  if (f->n == s->room) {
    s->room = s->room ? 2 * s->room : 64;
    void* const grown = realloc(f->all, s->room * sizeof(*f->all));
    if (grown == NULL) {
      f->failed = true;
      return;
    }
    f->all = grown;
  }
  f->all[f->n++] = (finding){path, text, why};
}

/* ---- shapes ------------------------------------------------------------------ */

/* The number d >= 0 for which g has the extent of v along d and else ones; -1 for a scalar g. -2 if g
   has as many entries as weight_norm needs, but another shape; -3 if v and g have nothing in common. */
static int32_t
norm_dim(const pz_spec* const g, const pz_spec* const v)
{
  const int64_t count = pz_spec_count(g);
  int32_t dim = count == 1 ? -2 : -3;
  if (g->ndim == 0) {
    return v->ndim > 0 ? -1 : -3; /* numbers have no direction */
  }
  for (int32_t i = v->ndim; i-- > 0;) {
    const bool along = g->ndim == v->ndim && g->shape[i] == v->shape[i] && count == g->shape[i];
    dim = along ? i : dim == -3 && v->shape[i] == count ? -2 : dim;
  }
  return dim;
}

/* "id(dim=K)", or "id" for K = 0. */
static const char*
with_dim(search* const s, const char* const id, const int32_t dim)
{
  return dim == 0 ? id : texts_add(&s->out->texts, "%s(dim=%d)", id, (int)dim);
}

static void
add_weight_norm(search* const s, const char* const path, const info* const g, const info* const v)
{
  const int32_t dim = norm_dim(&g->spec, &v->spec);
  const char* const why = texts_add(&s->out->texts, "%s beside %s", show(s, g), show(s, v));
  if (dim == -3 || !floats_known(g->dtype) || !floats_known(v->dtype)) {
    return; /* other tensors that have such names */
  }
  add(s, path,
      dim == -2   ? NULL
      : dim == -1 ? "weight_norm(dim=all)"
                  : with_dim(s, "weight_norm", dim),
      dim == -2 ? texts_add(&s->out->texts, "%s, of no shape that weight_norm has", why) : why);
}

static void
add_spectral_norm(search* const s, const char* const path, const info* const w, const info* const u,
                  const info* const v)
{
  texts* const t = &s->out->texts;
  spectral_dim found = {.dim = -1, .other = -1};
  if (floats_known(w->dtype) && floats_known(u->dtype) && floats_known(v->dtype) &&
      !spectral_dim_find(w, u, v, &found)) {
    s->out->failed = true;
  }
  const char* why = texts_add(t, "%s with %s and %s", show(s, w), show(s, u), show(s, v));
  const char* text = NULL;
  if (found.dim >= 0) {
    text = with_dim(s, "spectral_norm", found.dim);
    why = found.other < 0 ? why
                          : texts_add(t, "%s, which fit to %.1e (to %.1e along dim=%d)", why,
                                      found.residual, found.other_residual, (int)found.other);
  } else if (found.other >= 0) {
    why = texts_add(t, "%s, which fit neither spectral_norm (to %.1e) nor another dim (to %.1e)",
                    why, found.residual, found.other_residual);
  } else {
    why = texts_add(t, "%s, whose lengths fit no dim of spectral_norm", why);
  }
  add(s, path, text, why);
}

static void
add_pruning(search* const s, const char* const path, const info* const w, const info* const mask)
{
  pz_spec spec = mask->spec;
  spec.dtype = w->spec.dtype;
  const bool same = pz_spec_equal(&w->spec, &spec) && floats_known(mask->dtype);
  const char* const why = texts_add(&s->out->texts, "%s times %s%s%s", show(s, w), show(s, mask),
                                    same ? "" : ", of dtype ", same ? "" : mask->dtype);
  add(s, path, same ? "pruning" : NULL, why);
}

/* ---- older names ------------------------------------------------------------- */

static const char* const endings[] = {"_g", "_v", "_orig", "_u", "_mask"};
enum { N_ENDINGS = sizeof(endings) / sizeof(endings[0]), G = 0, ORIG = 2 };

/* The index of the ending of a name with a value's name before it; N_ENDINGS for none. */
static size_t
ending_of(const char* const name)
{
  const size_t length = strlen(name);
  size_t k = 0;
  for (; k < N_ENDINGS; ++k) {
    const size_t n = strlen(endings[k]);
    if (length > n && strcmp(name + length - n, endings[k]) == 0 && name[length - n - 1] != '.') {
      break;
    }
  }
  return k;
}

static const char*
without(search* const s, const char* const name, const size_t ending)
{
  return texts_add(&s->out->texts, "%.*s", (int)(strlen(name) - strlen(endings[ending])), name);
}

/* Gives a tensor with an older name that of today. */
static void
rename_tensor(search* const s, const char* const path, const info* const tensor,
              const char* const today)
{
  const char* const dot = strrchr(path, '.');
  const int folder = dot ? (int)(dot + 1 - path) : 0;
  s->today[tensor - s->out->tensors] =
      texts_add(&s->out->texts, "%.*sparametrizations.%s.%s", folder, path, path + folder, today);
  s->out->renamed = true;
}

/* Is there a tensor of this name, or one of a chain on it? */
static bool
is_made(const search* const s, const char* const name)
{
  const size_t n = strlen(name);
  const char* const last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
  for (uint32_t k = 0; k < s->out->n_tensors; ++k) {
    const char* const inner = strstr(s->out->tensors[k].name, "parametrizations.");
    if (strncmp(s->out->tensors[k].name, name, n) == 0 ||
        (inner != NULL && strncmp(strchr(inner, '.') + 1, last, strlen(last)) == 0)) {
      return true;
    }
  }
  return false;
}

/* Remarks on what is half of a parametrization, or of one that no map has. */
static void
add_unknown(search* const s, const info* const tensor)
{
  static const char g[] = "weight_g";
  static const char bar[] = "weight_bar";
  const char* const name = tensor->name;
  const char* const last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
  const bool is_bar = strcmp(last, bar) == 0;
  if (!is_bar && strcmp(last, g) != 0) {
    return;
  }
  const char* const path = texts_add(&s->out->texts, "%.*sweight", (int)(last - name), name);
  if (!is_bar && !is_made(s, texts_add(&s->out->texts, "%s_v", path))) {
    add(s, path, NULL, texts_add(&s->out->texts, "%s without weight_v", show(s, tensor)));
  } else if (is_bar && find(s, path, "_u") != NULL && find(s, path, "_v") != NULL) {
    add(s, path, NULL,
        texts_add(&s->out->texts, "%s with weight_u and weight_v, as of SAGAN's spectral norm",
                  show(s, tensor)));
  }
}

/* Adds the value of which this tensor is the first, if it has an older name. */
static void
add_older(search* const s, const info* const first)
{
  const size_t ending = ending_of(first->name);
  if ((ending != G && ending != ORIG) || strstr(first->name, "parametrizations.") != NULL) {
    return;
  }
  const char* const path = without(s, first->name, ending);
  const size_t before = s->out->n;
  const info* const v = find(s, path, "_v");
  const info* const u = ending == ORIG ? find(s, path, "_u") : NULL;
  const info* const mask = ending == ORIG ? find(s, path, "_mask") : NULL;
  if (ending == G && v != NULL) {
    add_weight_norm(s, path, first, v);
  } else if (u != NULL && v != NULL && mask == NULL) {
    add_spectral_norm(s, path, first, u, v);
  } else if (u != NULL) {
    add(s, path, NULL,
        texts_add(&s->out->texts, "%s with %s %s", show(s, first), show(s, u),
                  mask ? "and a mask" : "and no _v, as before PyTorch 1.1"));
  } else if (mask != NULL) {
    add_pruning(s, path, first, mask);
  }
  if (s->out->n == before) {
    return;
  }
  finding* const found = &s->out->all[before];
  if (find(s, path, "") != NULL) {
    found->text = NULL;
    found->why = texts_add(&s->out->texts, "%s beside %s itself", found->why, path);
  }
  if (found->text == NULL) {
    return;
  }
  if (ending == G) {
    rename_tensor(s, path, first, "original0");
    rename_tensor(s, path, v, "original1");
    return;
  }
  rename_tensor(s, path, first, "original");
  if (mask != NULL) {
    rename_tensor(s, path, mask, "0.mask");
  } else {
    rename_tensor(s, path, u, "0._u");
    rename_tensor(s, path, v, "0._v");
  }
}

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const finding*)a)->path, ((const finding*)b)->path);
}

static void
sort(findings* const f)
{
  if (f->n > 0) {
    qsort(f->all, f->n, sizeof(*f->all), by_path);
  }
}

/* A value that is itself a tensor of another one, as where a direction weight_v is pruned: the outer
   value needs another run. */
static void
add_outer(search* const s)
{
  const size_t n = s->out->n;
  sort(s->out);
  for (size_t k = 0; k < n && !s->out->failed; ++k) {
    const char* const inner = s->out->all[k].path;
    const size_t ending = ending_of(inner);
    if (ending == N_ENDINGS) {
      continue;
    }
    const char* const path = without(s, inner, ending);
    for (size_t i = 0; i < N_ENDINGS; ++i) {
      const char* const sibling = texts_add(&s->out->texts, "%s%s", path, endings[i]);
      const finding key = {.path = sibling};
      const bool is_value = bsearch(&key, s->out->all, n, sizeof(key), by_path) != NULL;
      if (i != ending && (is_value || find(s, sibling, "") != NULL)) {
        add(s, path, NULL,
            texts_add(&s->out->texts, "%s, which is parametrized itself, beside %s", inner,
                      sibling));
        break;
      }
    }
  }
}

/* ---- today's names ------------------------------------------------------------- */

/* Adds a value that has a chain which the file does not describe. */
static void
add_current(search* const s, const pz_file_chain_info* const chain)
{
  const char* const prefix = chain->prefix;
  const char* why = NULL;
  const info* const only = find(s, prefix, "original");
  const info* const g = find(s, prefix, "original0");
  const info* const v = find(s, prefix, "original1");
  const info* const left = find(s, prefix, "0._u");
  const info* const right = find(s, prefix, "0._v");
  const info* const mask = find(s, prefix, "0.mask");
  if (chain->n_tensors == 2 && g != NULL && v != NULL) {
    if (!pz_spec_equal(&g->spec, &v->spec) && norm_dim(&g->spec, &v->spec) >= -1) {
      add_weight_norm(s, chain->path, g, v);
      return;
    }
    why = texts_add(&s->out->texts, "%s beside %s", show(s, g), show(s, v));
  } else if (chain->n_tensors == 3 && only != NULL && left != NULL && right != NULL) {
    add_spectral_norm(s, chain->path, only, left, right);
    return;
  } else if (chain->n_tensors == 2 && only != NULL && mask != NULL) {
    add_pruning(s, chain->path, only, mask);
    return;
  } else if (chain->n_tensors == 2 && only != NULL && find(s, prefix, "0.base") != NULL) {
    why = "original and base, as of orthogonal(base=dense) with one of its maps";
  }
  add(s, chain->path, NULL, why);
}

/* ---- files --------------------------------------------------------------------------- */

static bool
read_tensors(const pz_file* const file, search* const s)
{
  findings* const f = s->out;
  info one = {.size = sizeof(one)};
  while (pz_file_tensor(file, f->n_tensors, &one) == PZ_OK) {
    ++f->n_tensors;
  }
  f->tensors = calloc((size_t)f->n_tensors + 1, sizeof(*f->tensors));
  s->by_name = calloc((size_t)f->n_tensors + 1, sizeof(const info*));
  s->today = calloc((size_t)f->n_tensors + 1, sizeof(const char*));
  if (f->tensors == NULL || s->by_name == NULL || s->today == NULL) {
    return false;
  }
  for (uint32_t k = 0; k < f->n_tensors; ++k) {
    f->tensors[k].size = sizeof(one);
    (void)pz_file_tensor(file, k, &f->tensors[k]);
    s->by_name[k] = &f->tensors[k];
  }
  if (f->n_tensors > 0) {
    qsort(s->by_name, f->n_tensors, sizeof(const info*), by_name);
  }
  return true;
}

bool
detect(const pz_file* const file, findings* const out)
{
  search s = {.out = out};
  pz_file_chain_info chain = {.size = sizeof(chain)};
  memset(out, 0, sizeof(*out));
  out->failed = !read_tensors(file, &s);
  for (uint32_t k = 0; !out->failed && k < out->n_tensors; ++k) {
    add_older(&s, &out->tensors[k]);
    add_unknown(&s, &out->tensors[k]);
  }
  if (!out->failed) {
    add_outer(&s);
  }
  for (uint32_t k = 0; !out->failed && pz_file_chain(file, k, &chain) == PZ_OK; ++k) {
    if (chain.text == NULL) {
      add_current(&s, &chain);
    }
  }
  for (uint32_t k = 0; !out->failed && k < out->n_tensors; ++k) {
    out->tensors[k].name = s.today[k] ? s.today[k] : out->tensors[k].name;
  }
  sort(out);
  free(s.by_name);
  free(s.today);
  return !out->failed && !out->texts.failed;
}

const finding*
findings_on(const findings* const f, const char* const path)
{
  const finding key = {.path = path};
  return f->n > 0 ? bsearch(&key, f->all, f->n, sizeof(key), by_path) : NULL;
}

void
findings_cleanup(findings* const f)
{
  free(f->all);
  free(f->tensors);
  texts_cleanup(&f->texts);
  memset(f, 0, sizeof(*f));
}
