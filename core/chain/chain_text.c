/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* chain  = stage *("," stage)
   stage  = id [ "(" option *("," option) ")" ]
   option = name "=" value

   ASCII white space between words is ignored. A word consists of letters, digits and
   underscores; a value of any bytes except white space, comma and parentheses. The text is
   copied once, and words are terminated in the copy. The number of commas and opening
   parentheses, plus one, bounds the number of stages and of options. */

#include "chain_text.h"

#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 200 }; /* bytes of the text shown in a message */

typedef struct parser {
  const char* text;
  char* copy;
  size_t at;
} parser;

static bool
is_space(const char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_word(const char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
is_value(const char c)
{
  return c != '\0' && c != ',' && c != '(' && c != ')' && !is_space(c);
}

static char
look(parser* const p)
{
  while (is_space(p->text[p->at])) {
    ++p->at;
  }
  return p->text[p->at];
}

/* Reports the next character, or the whole word or value. */
static pz_status
unexpected(parser* const p, const char* const expected)
{
  char shown[SHOWN + 4] = {0};
  char found[64] = "the end";
  const char* const dots = strlen(p->text) > SHOWN ? "..." : "";
  strncpy(shown, p->text, SHOWN);
  if (look(p) != '\0') {
    size_t n = 1;
    while (n < 40 && is_value(p->text[p->at]) && is_value(p->text[p->at + n])) {
      ++n;
    }
    found[0] = '"';
    memcpy(found + 1, p->text + p->at, n);
    found[n + 1] = '"';
    found[n + 2] = '\0';
  }
  return pzi_fail(PZ_INVALID, "chain \"%s%s\": found %s at column %zu, expected %s", shown, dots,
                  found, p->at + 1, expected);
}

/* Reads the bytes for which `belongs` holds, at least one. */
static pz_status
cut(parser* const p, bool (*const belongs)(char c), const char* const expected,
    const char** const out, size_t* const end)
{
  look(p);
  const size_t start = p->at;
  size_t stop = start;
  while (belongs(p->text[stop])) {
    ++stop;
  }
  if (stop == start) {
    return unexpected(p, expected);
  }
  p->at = stop;
  *out = p->copy + start;
  *end = stop;
  return PZ_OK;
}

/* Reads options and the closing parenthesis. */
static pz_status
parse_options(parser* const p, pzi_stage_words* const stage, pzi_option_words* const options)
{
  stage->options = options;
  do {
    pzi_option_words* const option = &options[stage->n_options];
    size_t end = 0;
    ++p->at; /* the parenthesis or comma */
    PZ_TRY(cut(p, is_word, "the name of an option", &option->name, &end));
    if (look(p) != '=') {
      return unexpected(p, "\"=\"");
    }
    p->copy[end] = '\0';
    ++p->at;
    PZ_TRY(cut(p, is_value, "a value", &option->value, &end));
    ++stage->n_options;
    look(p);
    if (p->text[p->at] != ',' && p->text[p->at] != ')') {
      return unexpected(p, "\",\" or \")\"");
    }
    p->copy[end] = '\0';
  } while (p->text[p->at] == ',');
  ++p->at;
  return PZ_OK;
}

static pz_status
parse(parser* const p, pzi_chain_words* const words, pzi_option_words* options)
{
  for (;;) {
    pzi_stage_words* const stage = &words->stages[words->n_stages];
    size_t end = 0;
    PZ_TRY(cut(p, is_word, "the name of a parametrization", &stage->id, &end));
    ++words->n_stages;
    if (look(p) == '(') {
      PZ_TRY(parse_options(p, stage, options));
      options += stage->n_options;
      if (look(p) != '\0' && p->text[p->at] != ',') {
        return unexpected(p, "\",\" or the end");
      }
    } else if (p->text[p->at] != '\0' && p->text[p->at] != ',') {
      return unexpected(p, "\",\", \"(\" or the end");
    }
    p->copy[end] = '\0';
    if (p->text[p->at] == '\0') {
      return PZ_OK;
    }
    ++p->at;
  }
}

pz_status
pzi_chain_text_parse(const char* const text, pzi_chain_words** const out)
{
  if (!text) {
    return pzi_fail(PZ_INVALID, "chain: found no text, expected the name of a parametrization");
  }
  const size_t length = strlen(text);
  size_t most = 1;
  for (size_t i = 0; i < length; ++i) {
    most += text[i] == ',' || text[i] == '(';
  }
  if (most > UINT32_MAX) {
    return pzi_fail(PZ_INVALID, "chain: found %zu words, expected fewer", most);
  }
  const size_t bytes = sizeof(pzi_chain_words) +
                       most * (sizeof(pzi_stage_words) + sizeof(pzi_option_words)) + length + 1;
  pzi_chain_words* const words = calloc(1, bytes);
  if (!words) {
    return pzi_no_memory(bytes);
  }
  words->stages = (pzi_stage_words*)(words + 1);
  pzi_option_words* const options = (pzi_option_words*)(words->stages + most);
  parser p = {.text = text, .copy = (char*)(options + most)};
  memcpy(p.copy, text, length + 1);
  const pz_status status = parse(&p, words, options);
  if (status != PZ_OK) {
    free(words);
    return status;
  }
  *out = words;
  return PZ_OK;
}
