/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The subcommand check. Each rule runs in a process of its own with a time limit, so that a plugin
   which crashes, ends the process or never returns breaks that rule alone. */

#include "../commands.h"
#include "../json.h"
#include "../say.h"
#include "backends.h"
#include "outcome.h"
#include "process_state.h"
#include "rules.h"
#include "shared_object.h"

#include <atomic_file.h>

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
  json json;     /* of the report, if it is wanted */
  FILE* picture; /* its panels; NULL: not wanted */
  int panels;
} run;

/* ---- in the child --------------------------------------------------------------------------- */

/* What the file tells without being loaded; number 1: it has a backend. */
static void
examine(const run* const r, const char* const id, const size_t number)
{
  (void)id;
  shared_object_check(r->file, number == 1);
}

/* Loads the file, and tells the ids of its tables. */
static void
load(const run* const r, const char* const id, const size_t number)
{
  (void)id;
  (void)number;
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
  backends_list(r->file, outcome_now->backends, sizeof(outcome_now->backends));
  if (ids[0] == '\0' && outcome_now->backends[0] == '\0') {
    outcome_breach("found no parametrization and no backend in the file, expected one");
  }
  outcome_now->trials = 1;
}

static void
keep_parametrization_rule(const run* const r, const char* const id, const size_t number)
{
  parametrization_keep(r->file, r->a->device, r->a->seed, id, &parametrization_rules[number]);
}

static void
measure_errors(const run* const r, const char* const id, const size_t number)
{
  (void)number;
  parametrization_measure(r->file, r->a->device, r->a->seed, id);
}

static void
keep_backend_rule(const run* const r, const char* const id, const size_t number)
{
  backend_keep(r->file, id, r->a->seed, &backend_rules[number]);
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
run_child(run* const r, void (*const body)(const run* r, const char* id, size_t number),
          const char* const id, const size_t number)
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
    body(r, id, number);
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

static void
report(run* const r, const char* const id, const char* const name, const char* const summary)
{
  const outcome* const o = r->outcome;
  if (r->a->json) {
    json_open(&r->json, NULL, '{');
    json_text(&r->json, "id", id ? id : "");
    json_text(&r->json, "rule", name);
    json_text(&r->json, "verdict", names[o->verdict]);
    json_number(&r->json, "trials", o->trials);
    json_number(&r->json, "refused", o->refused);
    json_text(&r->json, "at", o->verdict >= VERDICT_NOTE ? o->at : "");
    json_text(&r->json, "text", o->text);
    json_close(&r->json);
  } else {
    printf("%-8s %-20s %s", names[o->verdict], name, summary);
    printf(o->trials > 1 ? " (%u trials)\n" : "\n", o->trials);
    if (o->verdict >= VERDICT_NOTE) {
      printf("         %s%s%s\n", o->at, o->at[0] != '\0' ? ": " : "", o->text);
    }
  }
  r->counts[o->verdict] += 1;
}

static bool
takes_rule(const run* const r, const char* const id)
{
  return !r->a->rule || strcmp(r->a->rule, id) == 0;
}

static void
check_parametrization(run* const r, const char* const id)
{
  if (!r->a->json) {
    printf("\n%s on %s, seed %" PRIu64 "\n", id, r->a->device ? r->a->device : "the default device",
           r->a->seed);
  }
  for (size_t k = 0; k < n_parametrization_rules; ++k) {
    const rule* const one = &parametrization_rules[k];
    if (takes_rule(r, one->id)) {
      run_child(r, keep_parametrization_rule, id, k);
      report(r, id, one->id, one->summary);
      (void)fflush(stdout);
    }
  }
  if (r->picture) {
    run_child(r, measure_errors, id, 0);
    report(r, id, "errors", "errors of float32 are measured for the picture");
    if (r->outcome->verdict == VERDICT_OK) {
      picture_panel(r->picture, r->panels++, id, &r->outcome->curves);
    }
  }
}

static void
check_backend(run* const r, const char* const id)
{
  if (!r->a->json) {
    printf("\nbackend %s, its first device, seed %" PRIu64 "\n", id, r->a->seed);
  }
  for (size_t k = 0; k < n_backend_rules; ++k) {
    const backend_rule* const one = &backend_rules[k];
    if (takes_rule(r, one->id)) {
      run_child(r, keep_backend_rule, id, k);
      report(r, id, one->id, one->summary);
      (void)fflush(stdout);
    }
  }
}

/* Checks those of the ids, which are separated by spaces, that are asked for. */
static bool
check_each(run* const r, char* const ids, void (*const check)(run* r, const char* id))
{
  bool found = false;
  char* rest = ids;
  for (char* id = strtok_r(rest, " ", &rest); id; id = strtok_r(NULL, " ", &rest)) {
    if (!r->a->id || strcmp(id, r->a->id) == 0) {
      found = true;
      check(r, id);
    }
  }
  return found;
}

/* Loads the file and checks those of its tables that are asked for. */
static int
check_file(run* const r)
{
  run_child(r, load, NULL, 0);
  outcome loaded = *r->outcome;
  run_child(r, examine, NULL, loaded.backends[0] != '\0');
  report(r, NULL, "file", "the file exports and calls what a plugin may");
  *r->outcome = loaded;
  report(r, NULL, "load", "loading changes nothing in the process");
  if (loaded.verdict == VERDICT_ERROR) {
    return EXIT_GOOD;
  }
  const bool found = check_each(r, loaded.ids, check_parametrization);
  return check_each(r, loaded.backends, check_backend) || found || !r->a->id
             ? EXIT_GOOD
             : say(r->a->id, "no parametrization or backend of this id in %s", r->a->operands[0]);
}

/* Writes the panels as a whole picture. */
static int
write_picture(const arguments* const a, const char* const panels, const size_t length,
              const int number)
{
  char* text = NULL;
  size_t size = 0;
  pzi_atomic_file file = {.target = NULL};
  FILE* const out = open_memstream(&text, &size);
  if (out) {
    picture_begin(out, number);
    (void)fwrite(panels, 1, length, out);
    picture_end(out);
  }
  int error = !out || fclose(out) != 0 ? ENOMEM : pzi_atomic_file_open(&file, a->plot, !a->force);
  error = error ? error : pzi_atomic_file_write(&file, text, size);
  error = error ? error : pzi_atomic_file_commit(&file, !a->force);
  pzi_atomic_file_abandon(&file);
  free(text);
  return error == EEXIST ? say_exists(a->plot) : error ? say_system(a->plot, error) : EXIT_GOOD;
}

int
run_check(const arguments* const a)
{
  arguments with_seed = *a;
  with_seed.seed = a->seed != 0 ? a->seed : 1;
  bool known = a->rule == NULL;
  for (size_t k = 0; k < n_parametrization_rules; ++k) {
    known = known || strcmp(a->rule, parametrization_rules[k].id) == 0;
  }
  for (size_t k = 0; k < n_backend_rules; ++k) {
    known = known || strcmp(a->rule, backend_rules[k].id) == 0;
  }
  if (!known) {
    return say_usage("check", "--rule", "found \"%s\", expected a rule of the report", a->rule);
  }
  run r = {.a = &with_seed, .file = realpath(a->operands[0], NULL)};
  if (!r.file) {
    return say_system(a->operands[0], errno);
  }
  char* panels = NULL;
  size_t length = 0;
  if (a->plot && !a->force && access(a->plot, F_OK) == 0) {
    free(r.file);
    return say_exists(a->plot);
  }
  r.picture = a->plot ? open_memstream(&panels, &length) : NULL;
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
    json_open(&r.json, NULL, '{');
    json_text(&r.json, "file", r.file);
    json_open(&r.json, "checks", '[');
  }
  int status = check_file(&r);
  if (r.picture) {
    (void)fclose(r.picture);
    status = status == EXIT_GOOD ? write_picture(a, panels, length, r.panels) : status;
    free(panels);
  }
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
    json_close(&r.json);
    json_number(&r.json, "errors", r.counts[VERDICT_ERROR]);
    json_number(&r.json, "warnings", r.counts[VERDICT_WARNING]);
    json_number(&r.json, "notes", r.counts[VERDICT_NOTE]);
    json_close(&r.json);
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
