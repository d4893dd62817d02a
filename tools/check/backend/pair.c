/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs an operation on both sides and watches over everything it must not touch. */

#include "pair.h"

#include <dlfcn.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

extern const pz_plugin pz_plugin_v1_reference;

enum { MAX_NAMES = 40, MAX_PASSES = 5 };

/* Calls over all tests: tests are processes of their own, so in shared memory. */
typedef struct tally {
  char name[24];
  unsigned calls[2]; /* by dtype */
  unsigned not_offered[2];
} tally;

static const pz_backend* subject;
static int mandatory_count;
static char* const* mandatory_names;
static tally* tallies;
static char last_message[256];

static pz_status PZ_PRINTF(2, 3)
    record_failure(const pz_status status, const char* const format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(last_message, sizeof(last_message), format, args);
  va_end(args);
  return status;
}

static const pz_backend_host host = {
    .size = sizeof(host),
    .fail = record_failure,
    .parallel = loop_parallel,
};

/* The backend `id` of a descriptor; the first where `id` is NULL. */
static const pz_backend*
find_backend(const pz_plugin* const plugin, const char* const id)
{
  for (uint32_t k = 0; k < plugin->n_items; ++k) {
    const pz_item* const item =
        (const pz_item*)(const void*)((const char*)plugin->items + (size_t)k * plugin->item_size);
    const pz_backend* const b = item->kind == PZ_ITEM_BACKEND ? item->table : NULL;
    if (b && (!id || strcmp(id, b->id) == 0)) {
      return b;
    }
  }
  return NULL;
}

static bool is_routed;

bool
pair_is_routed(void)
{
  return is_routed;
}

/* Why there is no such subject, or NULL. */
static const char*
load_subject(const char* const name, pair_wrapper* const wrapper)
{
  static char file[4096];
  const pz_plugin* plugin = &pz_plugin_v1_reference;
  snprintf(file, sizeof(file), "%s", name);
  char* id = strstr(file, ".so:");
  if (id) {
    id[3] = '\0';
    id += 4;
  }
  if (strcmp(file, "reference") != 0) {
    void* const handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    plugin = handle ? dlsym(handle, PZ_PLUGIN_SYMBOL) : NULL;
    if (!plugin) {
      return dlerror();
    }
  }
  subject = find_backend(plugin, id);
  if (!subject) {
    return "the file carries no such backend";
  }
  subject = wrapper ? wrapper(file, subject) : subject;
  is_routed = wrapper != NULL;
  return NULL;
}

const char*
pair_subject(const char* const name, pair_wrapper* const wrapper, const int n_mandatory,
             char* const* const mandatory)
{
  static char reason[512];
  const char* const why = load_subject(name, wrapper);
  if (why) {
    return why;
  }
  mandatory_count = n_mandatory;
  mandatory_names = mandatory;
  tallies = mmap(NULL, MAX_NAMES * sizeof(*tallies), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (tallies == MAP_FAILED) {
    return "no shared memory to count calls in";
  }
  pz_device_info info = {.size = sizeof(info)};
  if (subject->probe(&host, 0, &info) != PZ_OK) {
    return last_message;
  }
  snprintf(reason, sizeof(reason), "%s", info.reason);
  return info.usable ? NULL : reason;
}

bool
pair_in_host_memory(void)
{
  pz_device_info info = {.size = sizeof(info)};
  return subject->probe(&host, 0, &info) == PZ_OK && info.memory == PZ_MEMORY_HOST;
}

static bool
is_mandatory(const char* const op)
{
  bool wanted = false;
  for (int k = 0; k < mandatory_count; ++k) {
    const char* const name = mandatory_names[k];
    wanted = wanted || strcmp(name, "all") == 0 || strcmp(name, op) == 0;
    if (name[0] == '-' && strcmp(name + 1, op) == 0) {
      return false;
    }
  }
  return wanted;
}

static void
count_call(const pair* const r)
{
  const int which = r->dtype == PZ_F64;
  for (int k = 0; k < MAX_NAMES; ++k) {
    if (tallies[k].name[0] == '\0') {
      snprintf(tallies[k].name, sizeof(tallies[k].name), "%s", r->op);
    }
    if (strcmp(tallies[k].name, r->op) == 0) {
      tallies[k].calls[which] += 1;
      tallies[k].not_offered[which] += r->offered ? 0 : 1;
      return;
    }
  }
}

bool
pair_offered(void)
{
  bool offered = false;
  for (int k = 0; k < MAX_NAMES && tallies[k].name[0]; ++k) {
    for (int which = 0; which < 2; ++which) {
      offered = offered || tallies[k].not_offered[which] < tallies[k].calls[which];
    }
  }
  return offered;
}

void
pair_report(void)
{
  pz_device_info info = {.size = sizeof(info)};
  if (subject->probe(&host, 0, &info) == PZ_OK) {
    fprintf(stderr, "%s: %s; %s\n", subject->id, info.name, info.detail);
  }
  fprintf(stderr, "%-16s %10s %10s\n", "calls", "float32", "float64");
  for (int k = 0; k < MAX_NAMES && tallies[k].name[0]; ++k) {
    fprintf(stderr, "%-16s", tallies[k].name);
    for (int which = 0; which < 2; ++which) {
      const bool none = tallies[k].not_offered[which] == tallies[k].calls[which];
      fprintf(stderr, " %10u", tallies[k].calls[which]);
      if (tallies[k].not_offered[which] > 0) {
        fprintf(stderr, " (%u not offered%s)", tallies[k].not_offered[which], none ? ", all" : "");
      }
    }
    fprintf(stderr, "\n");
  }
}

pz_backend_queue*
pair_open_queue(const pair* const r)
{
  pz_backend_queue* queue = NULL;
  ck_assert_msg(r->sides[TESTED].backend->open(&host, 0, NULL, &queue) == PZ_OK,
                "open of another queue: %s", last_message);
  return queue;
}

void
pair_open(pair* const r, const int which)
{
  static const pz_backend_ops none = {.size = sizeof(none)};
  static uint64_t opened;
  memset(r, 0, sizeof(*r));
  r->dtype = which == 0 ? PZ_F32 : PZ_F64;
  r->epsilon = pz_dtype_epsilon(r->dtype);
  r->random = test_seed() + (uint64_t)which + 2U * opened++;
  r->sides[TESTED].backend = subject;
  r->sides[REFERENCE].backend = find_backend(&pz_plugin_v1_reference, NULL);
  for (int k = 0; k < 2; ++k) {
    side* const s = &r->sides[k];
    ck_assert_msg(s->backend->open(&host, 0, NULL, &s->queue) == PZ_OK, "open: %s", last_message);
    s->ops = s->backend->operations ? s->backend->operations(s->queue, r->dtype) : NULL;
    s->integers = s->backend->operations ? s->backend->operations(s->queue, PZ_I64) : NULL;
    s->ops = s->ops ? s->ops : &none;
    s->integers = s->integers ? s->integers : &none;
    ck_assert_int_eq(s->backend->alloc(s->queue, 2 * sizeof(int64_t), &s->fault.data), PZ_OK);
  }
}

void
pair_close(pair* const r)
{
  pair_trial(r, 0);
  for (int k = 0; k < 2; ++k) {
    side* const s = &r->sides[k];
    s->backend->free(s->queue, s->fault.data);
    s->backend->close(s->queue);
  }
}

pz_status
pair_probe(const pair* const r, const uint32_t index, pz_device_info* const info)
{
  return r->sides[TESTED].backend->probe(&host, index, info);
}

int
pair_trials(void)
{
  return test_thorough() ? 24 : 6;
}

/* Whether the trial is one of the last, whose matrices are large. */
static bool
is_large(const pair* const r)
{
  return r->trial >= pair_trials() - (test_thorough() ? 2 : 1);
}

void
pair_trial(pair* const r, const int trial)
{
  for (size_t k = 0; k < r->n_operands; ++k) {
    operand_free(r, &r->operands[k]);
  }
  r->n_operands = 0;
  r->extent = 1;
  r->trial = trial;
}

int64_t
pair_pick(pair* const r, const int64_t n)
{
  return (int64_t)(test_bits(&r->random) % (uint64_t)n);
}

int64_t
pair_size(pair* const r)
{
  static const int64_t small[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 20, 31, 32, 33, 40};
  static const int64_t large[] = {65, 127, 200};
  return is_large(r) ? large[pair_pick(r, 3)]
                     : small[pair_pick(r, sizeof(small) / sizeof(small[0]))];
}

int64_t
pair_batch(pair* const r)
{
  static const int64_t sizes[] = {1, 2, 7};
  return sizes[pair_pick(r, is_large(r) ? 2 : 3)];
}

int64_t
pair_small_order(pair* const r)
{
  return 1 + pair_pick(r, 33);
}

int64_t
pair_small_batch(pair* const r)
{
  static const int64_t sizes[] = {2, 4, 5, 7, 8, 9, 15, 16, 17, 31, 35, 70};
  return sizes[pair_pick(r, sizeof(sizes) / sizeof(sizes[0]))];
}

double
pair_real(pair* const r)
{
  static const double plain[] = {0.0, 1.0, -1.0};
  const int64_t k = pair_pick(r, 6);
  return k < 3 ? plain[k] : test_normal(&r->random);
}

static void
upload(pair* const r)
{
  const int64_t clear[2] = {0, -1};
  side* const s = &r->sides[r->turn];
  for (size_t k = 0; k < r->n_operands; ++k) {
    const operand* const o = &r->operands[k];
    ck_assert_int_eq(s->backend->copy(s->queue, PZ_HOST_TO_DEVICE, o->mat[r->turn].data, 0,
                                      o->image[BEFORE], 0, o->bytes),
                     PZ_OK);
  }
  ck_assert_int_eq(
      s->backend->copy(s->queue, PZ_HOST_TO_DEVICE, s->fault.data, 0, clear, 0, sizeof(clear)),
      PZ_OK);
  ck_assert_int_eq(s->backend->sync(s->queue), PZ_OK);
  last_message[0] = '\0';
}

static void
download(pair* const r)
{
  int64_t word[2];
  side* const s = &r->sides[r->turn];
  ck_assert_int_eq(s->backend->sync(s->queue), PZ_OK);
  snprintf(s->message, sizeof(s->message), "%s", last_message);
  for (size_t k = 0; k < r->n_operands; ++k) {
    const operand* const o = &r->operands[k];
    ck_assert_int_eq(s->backend->copy(s->queue, PZ_DEVICE_TO_HOST, o->image[r->turn], 0,
                                      o->mat[r->turn].data, 0, o->bytes),
                     PZ_OK);
  }
  ck_assert_int_eq(
      s->backend->copy(s->queue, PZ_DEVICE_TO_HOST, word, 0, s->fault.data, 0, sizeof(word)),
      PZ_OK);
  s->status = r->result;
  s->fault_place = -1;
  if (r->result == PZ_OK && word[0] != 0) {
    if (!(s->backend->flags & PZ_BACKEND_ASYNC)) {
      pair_fail(r, "a synchronous backend wrote the fault word");
    }
    s->status = (pz_status)word[0];
    s->fault_place = word[1];
  }
}

/* Everything but the entries of outputs kept its bytes; with `nothing`, these too. */
static void
check_untouched(const pair* const r, const bool nothing)
{
  for (size_t k = 0; k < r->n_operands; ++k) {
    const operand* const o = &r->operands[k];
    const size_t size = pz_dtype_size(o->mat[0].dtype);
    for (size_t e = 0; e < o->bytes / size; ++e) {
      const bool writable = o->inside[e] && o->role != OPERAND_IN && !nothing;
      if (!writable && memcmp(o->image[BEFORE] + e * size, o->image[r->turn] + e * size, size)) {
        pair_fail(r, "operand %zu: element %zu of the buffer changed, %s", k, e,
                  !o->inside[e]           ? "which lies outside the matrices"
                  : o->role == OPERAND_IN ? "an input's entry"
                                          : "though the operation refused");
      }
    }
  }
}

/* One call lies behind (unless this is the first step); is there another to make? The
   tested side repeats until a repetition allocates nothing, then the reference runs. */
bool
pair_step(pair* const r)
{
  if (r->pass > 0) {
    const uint64_t allocated = allocation_end();
    download(r);
    r->offered = r->turn == TESTED ? r->result != PZ_UNSUPPORTED : r->offered;
    check_untouched(r, r->result == PZ_UNSUPPORTED);
    if (r->turn == REFERENCE) {
      r->turn = TESTED;
      r->pass = 0;
      return false;
    }
    const bool settled = r->pass > 1 && allocated == 0;
    if (allocation_counted() && r->offered && r->pass == MAX_PASSES && !settled) {
      pair_fail(r, "every repetition allocates, the last one %llu times",
                (unsigned long long)allocated);
    }
    if (settled || !allocation_counted() || !r->offered) {
      count_call(r);
      if (!r->offered && is_mandatory(r->op)) {
        pair_fail(r, "not offered, though it must be");
      }
      r->turn = REFERENCE;
    }
  }
  r->pass += 1;
  upload(r);
  allocation_begin();
  return true;
}

void
pair_fail(const pair* const r, const char* const format, ...)
{
  char text[2048];
  char operands[1600] = "";
  va_list args;
  for (size_t k = 0; k < r->n_operands; ++k) {
    const size_t used = strlen(operands);
    snprintf(operands + used, sizeof(operands) - used, "; ");
    operand_describe(&r->operands[k], operands + strlen(operands),
                     sizeof(operands) - strlen(operands));
  }
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  ck_abort_msg("%s %s, trial %d: %s%s", r->op ? r->op : "?",
               r->dtype == PZ_F32 ? "float32" : "float64", r->trial, text, operands);
}
