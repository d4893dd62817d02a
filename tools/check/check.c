/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The subcommand check. Each rule runs in a process of its own with a time limit, so that a plugin
   which crashes, ends the process or never returns breaks that rule alone. */

#include "../commands.h"
#include "../say.h"
#include "../texts.h"
#include "outcome.h"
#include "process_state.h"
#include "rules.h"
#include "shared_object.h"
#include "variants.h"
#include "witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 300 }; /* for a rule */

static const rule rules[] = {
    {"plan", "a chain planned from its originals is the chain", 0, SETTING_PLAIN, rule_plan},
    {"determined", "the value depends on the originals and the state alone", 0, SETTING_PLAIN,
     rule_determined},
    {"dtypes", "float32 is float64 but for rounding", 0, SETTING_PLAIN, rule_dtypes},
    {"batches", "entries of a batch are what they are alone", 0, SETTING_PLAIN, rule_batches},
    {"structure", "values have the structure that plan promises", 0, SETTING_PLAIN, rule_structure},
    {"pure", "callbacks write nothing but their outputs", 0, SETTING_PLAIN, rule_pure},
    {"bounds", "callbacks stay inside tensors, and read what is written", 0, SETTING_WITNESS,
     rule_bounds},
    {"waits", "the device is waited for a fixed number of times", 0, SETTING_WITNESS, rule_waits},
    {"memory", "a request that is refused is reported, and nothing stays behind", 0,
     SETTING_WITNESS, rule_memory},
    {"devices", "the device, and one with handles, compute what the reference does", 0,
     SETTING_DEVICES, rule_devices},
    {"not-finite", "NaN, infinities and huge entries end and leave no trace", 0, SETTING_PLAIN,
     rule_not_finite},
    {"threads", "evaluations in two threads do not disturb each other", 0, SETTING_PLAIN,
     rule_threads},
    {"vjp-differences", "vjp is the transposed derivative of forward", PZ_HAS_VJP, SETTING_PLAIN,
     rule_vjp_differences},
    {"vjp-repeated", "vjp may run any number of times", PZ_HAS_VJP, SETTING_PLAIN,
     rule_vjp_repeated},
    {"vjp-want", "vjp computes any of the gradients alone", PZ_HAS_VJP, SETTING_PLAIN,
     rule_vjp_want},
    {"jvp-differences", "jvp is the derivative of forward", PZ_HAS_JVP, SETTING_PLAIN,
     rule_jvp_differences},
    {"jvp-adjoint", "jvp and vjp are adjoint", PZ_HAS_JVP | PZ_HAS_VJP, SETTING_PLAIN,
     rule_jvp_adjoint},
    {"density-jacobian", "log_abs_det is log |det| of the Jacobian",
     PZ_HAS_LOG_ABS_DET | PZ_HAS_JVP, SETTING_PLAIN, rule_density_jacobian},
    {"density-differences", "log_abs_det_vjp is the gradient of log_abs_det", PZ_HAS_LOG_ABS_DET,
     SETTING_PLAIN, rule_density_differences},
    {"density-batches", "log |det| of a batch is that of each entry", PZ_HAS_LOG_ABS_DET,
     SETTING_PLAIN, rule_density_batches},
    {"round-trip", "a value that is assigned comes back", PZ_HAS_RIGHT_INVERSE, SETTING_PLAIN,
     rule_round_trip},
    {"members", "values and samples are finite and in the set", 0, SETTING_PLAIN, rule_members},
    {"outsiders", "tensors outside the set are refused and have a residual", 0, SETTING_PLAIN,
     rule_outsiders},
    {"registers", "any tensor registers, or is refused", PZ_HAS_RIGHT_INVERSE, SETTING_PLAIN,
     rule_registers},
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

static const char* const names[] = {
    [VERDICT_OK] = "ok",           [VERDICT_SKIPPED] = "skipped", [VERDICT_NOTE] = "note",
    [VERDICT_WARNING] = "warning", [VERDICT_ERROR] = "error",
};

/* One run of the command. */
typedef struct run {
  const arguments* a;
  char* file;       /* absolute */
  outcome* outcome; /* shared with the child */
  int printed;      /* descriptor of a file that takes the child's standard output */
  unsigned counts[VERDICT_ERROR + 1];
} run;

/* ---- in the child --------------------------------------------------------------------------- */

extern const pz_plugin pz_plugin_v1_minimal; /* examples/backend_minimal */

/* A context with the file, or with a witness of `id` in it. The other devices are there first, before
   a file of the same ids. */
static pz_context*
open_context(const run* const r, const char* const id, const rule_setting setting)
{
  const pz_context_settings settings = {.size = sizeof(settings), .seed = r->a->seed};
  pz_context* context = NULL;
  outcome_expect_ok(pz_context_new(&settings, &context), "a context");
  if (setting == SETTING_WITNESS) {
    witness_add(context, r->file, id);
    return context;
  }
  if (setting == SETTING_DEVICES) {
    outcome_expect_ok(pz_context_add_plugin(context, &pz_plugin_v1_minimal), "handles");
  }
  outcome_expect_ok(pz_context_add_file(context, r->file), "loading");
  return context;
}

/* What the file tells without being loaded. */
static void
examine(const run* const r, const char* const id, const rule* const one)
{
  (void)id;
  (void)one;
  shared_object_check(r->file);
}

/* Loads the file, tells the ids of its parametrizations, and opens the device. */
static void
load(const run* const r, const char* const id, const rule* const one)
{
  (void)id;
  (void)one;
  process_state before;
  pz_parametrization_info info = {.size = sizeof(info)};
  pz_context* context = NULL;
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_ONLY_GIVEN_FOLDERS, .seed = r->a->seed};
  char* const ids = outcome_now->ids;
  outcome_expect_ok(pz_context_new(&settings, &context), "a context");
  process_state_read(&before);
  outcome_expect_ok(pz_context_add_file(context, r->file), "loading");
  process_state_compare(&before, "loading the file");
  for (uint32_t k = 0; pz_context_parametrization(context, k, &info) == PZ_OK; ++k) {
    const size_t used = strlen(ids);
    (void)snprintf(ids + used, sizeof(outcome_now->ids) - used, "%s%s", used > 0 ? " " : "",
                   info.id);
  }
  if (ids[0] == '\0') {
    outcome_breach("found no parametrization in the file, expected one");
  }
  pz_queue* queue = NULL;
  outcome_expect_ok(pz_queue_open(open_context(r, NULL, SETTING_PLAIN), r->a->device, NULL, &queue),
                    "the device");
  outcome_now->trials = 1;
}

static void
keep_rule(const run* const r, const char* const id, const rule* const one)
{
  static bench others[2];
  bench b = {.id = id, .seed = r->a->seed};
  pz_parametrization_info info = {.size = sizeof(info)};
  b.context =
      open_context(r, id, one->setting == SETTING_WITNESS ? SETTING_WITNESS : SETTING_PLAIN);
  outcome_expect_ok(pz_context_find(b.context, id, &info), "the parametrization");
  b.flags = info.flags;
  b.projects = texts_has_word(info.tags, "projects");
  if ((one->needs & ~info.flags) != 0) {
    outcome_now->verdict = VERDICT_SKIPPED;
    (void)snprintf(outcome_now->text, sizeof(outcome_now->text), "not offered");
    return;
  }
  outcome_expect_ok(pz_queue_open(b.context, r->a->device, NULL, &b.queue), "the device");
  if (one->setting == SETTING_DEVICES) {
    static const char* const devices[] = {"reference", "minimal"};
    others[0] = others[1] = b;
    others[0].context = others[1].context = open_context(r, id, SETTING_DEVICES);
    for (int k = 0; k < 2; ++k) {
      outcome_expect_ok(pz_queue_open(others[k].context, devices[k], NULL, &others[k].queue),
                        devices[k]);
    }
    others[1].reference = b.reference = &others[0];
    b.handles = &others[1];
  }
  on_every_trial(&b, one->each);
  if (outcome_now->trials == 0) {
    outcome_breach("found no shape that is taken, of %u tried", outcome_now->refused);
  }
}

/* ---- children --------------------------------------------------------------------------------- */

/* Waits for the child, at most SECONDS; false if it had to be killed. */
static bool
wait_for(const pid_t child, int* const status)
{
  const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
  for (long k = 0; waitpid(child, status, WNOHANG) == 0; ++k) {
    if (k > SECONDS * 200L) {
      (void)kill(child, SIGKILL);
      (void)waitpid(child, status, 0);
      return false;
    }
    (void)nanosleep(&pause, NULL);
  }
  return true;
}

/* Runs `body` in a child; r->outcome has the result. */
static void
run_child(run* const r, void (*const body)(const run* r, const char* id, const rule* one),
          const char* const id, const rule* const one)
{
  outcome* const o = r->outcome;
  int status = 0;
  memset(o, 0, sizeof(*o));
  outcome_now = o;
  (void)fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    (void)dup2(r->printed, STDOUT_FILENO);
    (void)dup2(r->printed, STDERR_FILENO);
    body(r, id, one);
    o->finished = 1;
    _exit(0);
  }
  const char* problem = NULL;
  char text[128];
  if (child < 0) {
    problem = "no process could be started";
  } else if (!wait_for(child, &status)) {
    (void)snprintf(text, sizeof(text), "did not end within %d seconds", SECONDS);
    problem = text;
  } else if (WIFSIGNALED(status)) {
    (void)snprintf(text, sizeof(text), "the process ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
    problem = text;
  } else if (!o->finished) {
    (void)snprintf(text, sizeof(text), "a call of exit ended the process with status %d",
                   WEXITSTATUS(status));
    problem = text;
  }
  if (problem) {
    o->verdict = VERDICT_ERROR;
    (void)snprintf(o->text, sizeof(o->text), "%s", problem);
  }
}

/* ---- reports ----------------------------------------------------------------------------------- */

/* A JSON string. */
static void
print_quoted(const char* text)
{
  putchar('"');
  for (; *text != '\0'; ++text) {
    const unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') {
      printf("\\%c", c);
    } else if (c < 0x20 || c == 0x7f) {
      printf("\\u%04x", (unsigned)c);
    } else {
      putchar(c);
    }
  }
  putchar('"');
}

static void
report(run* const r, const char* const id, const char* const name, const char* const summary)
{
  const outcome* const o = r->outcome;
  if (r->a->json) {
    const unsigned before =
        r->counts[0] + r->counts[1] + r->counts[2] + r->counts[3] + r->counts[4];
    printf("%s\n  {\"id\": ", before > 0 ? "," : "");
    print_quoted(id ? id : "");
    printf(", \"rule\": \"%s\", \"verdict\": \"%s\", \"trials\": %u, \"refused\": %u, \"at\": ",
           name, names[o->verdict], o->trials, o->refused);
    print_quoted(o->verdict >= VERDICT_NOTE ? o->at : "");
    printf(", \"text\": ");
    print_quoted(o->text);
    putchar('}');
  } else {
    printf("%-8s %-20s %s", names[o->verdict], name, summary);
    printf(o->trials > 1 ? " (%u trials)\n" : "\n", o->trials);
    if (o->verdict >= VERDICT_NOTE) {
      printf("         %s%s%s\n", o->at, o->at[0] != '\0' ? ": " : "", o->text);
    }
  }
  r->counts[o->verdict] += 1;
}

static void
check_parametrization(run* const r, const char* const id)
{
  if (!r->a->json) {
    printf("\n%s on %s, seed %" PRIu64 "\n", id, r->a->device ? r->a->device : "the default device",
           r->a->seed);
  }
  for (size_t k = 0; k < N_RULES; ++k) {
    if (!r->a->rule || strcmp(r->a->rule, rules[k].id) == 0) {
      run_child(r, keep_rule, id, &rules[k]);
      report(r, id, rules[k].id, rules[k].summary);
      (void)fflush(stdout);
    }
  }
}

/* Loads the file and checks those of its parametrizations that are asked for. */
static int
check_file(run* const r)
{
  char ids[sizeof(r->outcome->ids)];
  bool found = r->a->id == NULL;
  run_child(r, examine, NULL, NULL);
  report(r, NULL, "file", "the file exports and calls what a plugin may");
  run_child(r, load, NULL, NULL);
  memcpy(ids, r->outcome->ids, sizeof(ids));
  report(r, NULL, "load", "loading changes nothing in the process");
  if (r->outcome->verdict == VERDICT_ERROR) {
    return EXIT_GOOD;
  }
  char* rest = ids;
  for (char* id = strtok_r(rest, " ", &rest); id; id = strtok_r(NULL, " ", &rest)) {
    if (!r->a->id || strcmp(id, r->a->id) == 0) {
      found = true;
      check_parametrization(r, id);
    }
  }
  return found ? EXIT_GOOD
               : say(r->a->id, "no parametrization of this id in %s", r->a->operands[0]);
}

int
run_check(const arguments* const a)
{
  arguments with_seed = *a;
  with_seed.seed = a->seed != 0 ? a->seed : 1;
  bool known = a->rule == NULL;
  for (size_t k = 0; k < N_RULES; ++k) {
    known = known || strcmp(a->rule, rules[k].id) == 0;
  }
  if (!known) {
    return say_usage("check", "--rule", "found \"%s\", expected a rule of the report", a->rule);
  }
  run r = {.a = &with_seed, .file = realpath(a->operands[0], NULL)};
  if (!r.file) {
    return say_system(a->operands[0], errno);
  }
  FILE* const printed = tmpfile();
  void* const memory =
      mmap(NULL, sizeof(outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!printed || memory == MAP_FAILED) {
    free(r.file);
    return say_system(a->operands[0], errno);
  }
  r.outcome = memory;
  r.printed = fileno(printed);
  if (a->json) {
    printf("{\"file\": ");
    print_quoted(r.file);
    printf(", \"checks\": [");
  }
  int status = check_file(&r);
  struct stat about;
  const bool prints = fstat(r.printed, &about) == 0 && about.st_size > 0;
  if (prints && status == EXIT_GOOD) {
    memset(r.outcome, 0, sizeof(*r.outcome));
    r.outcome->verdict = VERDICT_WARNING;
    (void)snprintf(r.outcome->text, sizeof(r.outcome->text),
                   "%lld bytes on standard output or error, expected none",
                   (long long)about.st_size);
    report(&r, NULL, "silent", "nothing is printed");
  }
  if (a->json) {
    printf("\n], \"errors\": %u, \"warnings\": %u, \"notes\": %u}\n", r.counts[VERDICT_ERROR],
           r.counts[VERDICT_WARNING], r.counts[VERDICT_NOTE]);
  } else if (status == EXIT_GOOD) {
    printf("\n%u error%s, %u warning%s, %u note%s\n", r.counts[VERDICT_ERROR],
           r.counts[VERDICT_ERROR] == 1 ? "" : "s", r.counts[VERDICT_WARNING],
           r.counts[VERDICT_WARNING] == 1 ? "" : "s", r.counts[VERDICT_NOTE],
           r.counts[VERDICT_NOTE] == 1 ? "" : "s");
  }
  (void)munmap(memory, sizeof(outcome));
  (void)fclose(printed);
  free(r.file);
  return status != EXIT_GOOD ? status : r.counts[VERDICT_ERROR] > 0 ? EXIT_ERROR : EXIT_GOOD;
}
