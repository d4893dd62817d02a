/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The reader of .npy files, on a file in memory and on a pipe, which must agree. What it
   accepts is compared, element by element, with the bytes at the places that order and
   byte order of the header give; written again it must be the same array. */

#include "../../tools/npy.h"
#include "../../tools/say.h"

#include "fuzz.h"

#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- what the reader says --------------------------------------------------- */

/* As the command's, but a reason must be there and be one line. */
static unsigned said;

int
say(const char* const what, const char* const format, ...)
{
  char text[1024];
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  FUZZ_ENSURE(what && n > 0 && (size_t)n < sizeof(text) && !strchr(text, '\n'));
  ++said;
  return EXIT_ERROR;
}

int
say_system(const char* const what, const int error)
{
  return say(what, "%s", strerror(error));
}

int
say_no_memory(const char* const what)
{
  FUZZ_ENSURE(what && "memory beyond what the file holds");
  return EXIT_ERROR;
}

/* ---- seeds and mutations ---------------------------------------------------- */

typedef struct text_seed {
  uint8_t major;
  const char* text;
  size_t bytes; /* of elements */
} text_seed;

static const text_seed seeds[] = {
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", 24},
    {1, "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2, 2), }\n", 96},
    {2, "{'descr': '>f8', 'fortran_order': False, 'shape': (5,), }\n", 40},
    {3, "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 1, 3, 2), }", 48},
    {1, "{\"shape\":(),\"fortran_order\":False,\"descr\":\"=f8\"}", 8},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4L, 0, 7L), }\n", 0},
    {1, "{'descr':'|f4','fortran_order':True,'shape':(1,1,1,1,1,1,1,2)}", 8},
    {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (33, 34), }\n", 4488},
};

static const char* const words[] = {
    "{",      "}",        "(",
    ")",      "(2,",      ",",
    ":",      "'",        "\"",
    "<",      ">",        "=",
    "|",      "True",     "L",
    "-",      "\\",       "\n",
    "False",  "descr",    "fortran_order",
    "shape",  "'<f4'",    "f4",
    "f8",     "f2",       "c16",
    "i8",     "O",        "[('a', '<f4')]",
    "M8[ns]", "'shape':", "(3,)",
    "()",     "0",        NULL,
};

/* The parts of a file put together; `length` is what the prefix says. */
static size_t
assemble(uint8_t* const out, const size_t most, const uint8_t major, const size_t length,
         const char* const text, const size_t text_size, const size_t bytes)
{
  const size_t prefix = major == 1 ? 10 : NPY_PREFIX_BYTES;
  if (prefix + text_size + bytes > most) {
    return 0;
  }
  memcpy(out, "\x93NUMPY", 6);
  out[6] = major;
  out[7] = 0;
  for (size_t k = 0; k < prefix - 8; ++k) {
    out[8 + k] = (uint8_t)(length >> (8 * k));
  }
  memcpy(out + prefix, text, text_size);
  for (size_t k = 0; k < bytes; ++k) {
    out[prefix + text_size + k] = (uint8_t)(k * 37 % 251);
  }
  return prefix + text_size + bytes;
}

static size_t
npy_seed(const size_t index, uint8_t* const out)
{
  if (index >= sizeof(seeds) / sizeof(seeds[0])) {
    return 0;
  }
  const text_seed* const s = &seeds[index];
  return assemble(out, FUZZ_MOST, s->major, strlen(s->text), s->text, strlen(s->text), s->bytes);
}

/* The place and length of the dictionary; false where there is none. */
static bool
find_text(const uint8_t* const data, const size_t size, size_t* const begin, size_t* const length)
{
  *begin = size > 6 && data[6] > 1 ? NPY_PREFIX_BYTES : 10;
  if (size < *begin) {
    return false;
  }
  *length = (size_t)data[8] | (size_t)data[9] << 8;
  if (*begin == NPY_PREFIX_BYTES) {
    *length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
  }
  return *length <= size - *begin;
}

/* Changes the dictionary, then mostly makes length and elements fit it again. */
static size_t
npy_mutate(uint8_t* const data, const size_t size, const size_t most, uint64_t* const random)
{
  char text[2048];
  char reason[NPY_REASON_BYTES];
  size_t begin;
  size_t length;
  if (fuzz_below(random, 8) == 0 || !find_text(data, size, &begin, &length) ||
      length > sizeof(text)) {
    return fuzz_mutate_bytes(data, size, most, random);
  }
  memcpy(text, data + begin, length);
  const size_t changed = fuzz_mutate_text((uint8_t*)text, length, sizeof(text), words, random);
  size_t bytes = size - begin - length;
  npy_layout layout;
  size_t expected;
  if (fuzz_below(random, 4) > 0 && npy_parse(text, changed, &layout, reason) &&
      npy_bytes(&layout.spec, &expected) && expected < FUZZ_MOST) {
    bytes = expected;
  }
  const uint8_t major = (uint8_t)(fuzz_below(random, 32) == 0 ? fuzz_below(random, 5) : data[6]);
  const size_t told = fuzz_below(random, 32) == 0 ? fuzz_below(random, 1 << 17) : changed;
  const size_t made = assemble(data, most, major, told, text, changed, bytes);
  return made > 0 ? made : size;
}

/* ---- running ---------------------------------------------------------------- */

static int file = -1;
static char file_path[64];

static void
npy_open(void)
{
  file = memfd_create("npy", MFD_CLOEXEC);
  FUZZ_ENSURE(file >= 0);
  snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file);
}

/* Refusals give one reason, and only they give one. */
static bool
read_path(const char* const path, npy_array* const out)
{
  said = 0;
  memset(out, 0, sizeof(*out));
  const bool good = npy_read(path, out);
  FUZZ_ENSURE(said == (good ? 0 : 1));
  FUZZ_ENSURE(good == (out->data != NULL));
  return good;
}

static bool
read_file(const uint8_t* const data, const size_t size, npy_array* const out)
{
  FUZZ_ENSURE(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
  return read_path(file_path, out);
}

/* `size` is less than a pipe holds. */
static bool
read_pipe(const uint8_t* const data, const size_t size, npy_array* const out)
{
  int ends[2];
  char path[64];
  FUZZ_ENSURE(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size);
  close(ends[1]);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
  const bool good = read_path(path, out);
  close(ends[0]);
  return good;
}

static void
expect_same(const npy_array* const a, const npy_array* const b)
{
  FUZZ_ENSURE(pz_spec_equal(&a->spec, &b->spec) && a->bytes == b->bytes);
  FUZZ_ENSURE(memcmp(a->data, b->data, a->bytes) == 0);
}

/* Every element against the bytes of the file it comes from. */
static void
check_elements(const npy_array* const array, const uint8_t* const data, const size_t size)
{
  char reason[NPY_REASON_BYTES];
  size_t begin = 0;
  size_t length = 0;
  npy_layout layout;
  FUZZ_ENSURE(find_text(data, size, &begin, &length));
  FUZZ_ENSURE(npy_parse((const char*)data + begin, length, &layout, reason));
  FUZZ_ENSURE(pz_spec_equal(&layout.spec, &array->spec) && size - begin - length == array->bytes);
  const uint8_t* const elements = data + begin + length;
  const size_t element = array->spec.dtype == PZ_F32 ? 4 : 8;
  int64_t at[PZ_MAX_DIMS] = {0};
  for (size_t k = 0; k < array->bytes / element; ++k) {
    size_t place = 0;
    for (int32_t i = 0; i < layout.spec.ndim; ++i) {
      const int32_t dim = layout.fortran_order ? layout.spec.ndim - 1 - i : i;
      place = place * (size_t)layout.spec.shape[dim] + (size_t)at[dim];
    }
    for (size_t i = 0; i < element; ++i) {
      const size_t byte = layout.swapped ? element - 1 - i : i;
      FUZZ_ENSURE(((const uint8_t*)array->data)[k * element + i] ==
                  elements[place * element + byte]);
    }
    for (int32_t i = layout.spec.ndim - 1; i >= 0 && ++at[i] == layout.spec.shape[i]; --i) {
      at[i] = 0;
    }
  }
}

static void
check_rewritten(const npy_array* const array)
{
  static uint8_t again[FUZZ_MOST + NPY_HEADER_BYTES];
  npy_array second;
  const size_t header = npy_header(&array->spec, (char*)again);
  FUZZ_ENSURE(header <= NPY_HEADER_BYTES && header % 64 == 0);
  memcpy(again + header, array->data, array->bytes);
  FUZZ_ENSURE(read_file(again, header + array->bytes, &second));
  expect_same(array, &second);
  npy_free(&second);
}

static bool
npy_run(const uint8_t* const data, const size_t size)
{
  npy_array array;
  npy_array piped;
  if (size > FUZZ_MOST) {
    return false;
  }
  const bool good = read_file(data, size, &array);
  FUZZ_ENSURE(read_pipe(data, size, &piped) == good);
  if (good) {
    expect_same(&array, &piped);
    check_elements(&array, data, size);
    check_rewritten(&array);
  }
  npy_free(&array);
  npy_free(&piped);
  return good;
}

const fuzz_harness fuzz = {
    .open = npy_open,
    .seed = npy_seed,
    .mutate = npy_mutate,
    .run = npy_run,
    .seeds_are_good = true,
};
