/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The reader of state dicts of torch.save. An input is an archive, or, behind the byte 1, a pickle that
   is put into an archive with two storages, so that most of them come past the checksums. Tensors that
   are accepted must lie in memory that is there. */

#include "../../tools/formats/torch_file.h"

#include "../../tools/say.h"
#include "fuzz.h"

#include <string.h>

enum { STORAGE = 24, HEADER = 30, RECORD = 46, END = 22, N_ENTRIES = 3 };

/* torch_file_read prints nothing. */
int
say(const char* const what, const char* const format, ...)
{
  (void)what;
  FUZZ_ENSURE(format == NULL);
  return EXIT_ERROR;
}

int
say_system(const char* const what, const int error)
{
  return say(what, "%d", error);
}

/* ---- archives ------------------------------------------------------------------ */

static uint8_t*
put(uint8_t* const to, const uint64_t x, const int n)
{
  for (int k = 0; k < n; ++k) {
    to[k] = k < 8 ? (uint8_t)(x >> (8 * k)) : 0;
  }
  return to + n;
}

static uint32_t
checksum(const uint8_t* const data, const size_t size)
{
  uint32_t crc = UINT32_MAX;
  for (size_t k = 0; k < size; ++k) {
    crc ^= data[k];
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
    }
  }
  return ~crc;
}

/* What the header and the record of an entry share. */
static uint8_t*
put_common(uint8_t* at, const uint8_t* const data, const size_t size, const size_t n_name)
{
  at = put(at, 0, 8); /* flags, method, time, date */
  at = put(at, checksum(data, size), 4);
  at = put(at, size, 4);
  at = put(at, size, 4);
  at = put(at, n_name, 2);
  return put(at, 0, 2);
}

/* Makes an archive of a pickle and two storages; returns its length. */
static size_t
wrap(const uint8_t* const pickle, const size_t size, uint8_t* const out)
{
  static const char* const names[N_ENTRIES] = {"a/data.pkl", "a/data/0", "a/data/1"};
  static const uint8_t storage[STORAGE] = {0, 0, 128, 63, 0, 0, 0, 64};
  uint64_t offsets[N_ENTRIES];
  uint8_t* at = out;
  for (int k = 0; k < N_ENTRIES; ++k) {
    const uint8_t* const data = k == 0 ? pickle : storage;
    const size_t n = k == 0 ? size : STORAGE;
    const size_t n_name = strlen(names[k]);
    offsets[k] = (uint64_t)(at - out);
    at = put_common(put(put(at, 0x04034b50, 4), 10, 2), data, n, n_name);
    memcpy(at, names[k], n_name);
    memcpy(at + n_name, data, n);
    at += n_name + n;
  }
  const uint64_t directory = (uint64_t)(at - out);
  for (int k = 0; k < N_ENTRIES; ++k) {
    const size_t n_name = strlen(names[k]);
    at = put(put(at, 0x02014b50, 4), 10, 2);
    at = put_common(put(at, 10, 2), k == 0 ? pickle : storage, k == 0 ? size : STORAGE, n_name);
    at = put(put(at, 0, 10), offsets[k], 4);
    memcpy(at, names[k], n_name);
    at += n_name;
  }
  const uint64_t end = (uint64_t)(at - out);
  at = put(put(at, 0x06054b50, 4), 0, 4);
  at = put(put(at, N_ENTRIES, 2), N_ENTRIES, 2);
  at = put(put(at, end - directory, 4), directory, 4);
  return (size_t)(put(at, 0, 2) - out);
}

/* ---- seeds and mutations --------------------------------------------------------- */

#define PICKLE_TENSOR(class, key, n, rest)                                                         \
  "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" class "Storage\nX\1\0\0\0" key   \
                                                                        "X\3\0\0\0cpuK" n          \
                                                                        "tQ" rest "\x89"           \
                                                                        "ccollections\nOrderedDic" \
                                                                        "t\n)RtR"

static const struct {
  const char* text;
  size_t length;
} pickles[] = {
#define SEED(text)         \
  {                        \
    text, sizeof(text) - 1 \
  }
    SEED("\x80\2}q\0(X\1\0\0\0x" PICKLE_TENSOR("Float", "0", "\6", "K\0K\2K\3\x86K\3K\1\x86") "u."),
    SEED("\x80\2}(X\1\0\0\0x" PICKLE_TENSOR("Double", "1", "\3", "K\1K\2\x85K\1\x85") "X\1\0\0\0y"
                                                                                      "K\1u."),
    SEED("\x80\2ccollections\nOrderedDict\n)Rq\1X\1\0\0\0t" PICKLE_TENSOR(
        "Half", "0", "\14", "K\0K\3K\4\x86K\1K\3\x86") "s}X\1\0\0\0m]sb."),
    SEED("\x80\2}X\1\0\0\0g}X\1\0\0\0x" PICKLE_TENSOR("Bool", "0", "\30", "K\0))") "ss."),
    SEED("\x80\2}(X\1\0\0\0x" PICKLE_TENSOR("Long", "0", "\3",
                                            "K\0K\1K\3\x86K\3K\1\x86") "K\7J\1\0\0\0M\1\2NX\0\0\0"
                                                                       "\0G\0\0\0\0\0\0\0\0\x88("
                                                                       "\x8a\1\5lu."),
};
enum { N_PICKLES = sizeof(pickles) / sizeof(pickles[0]) };

static size_t
torch_seed(const size_t index, uint8_t* const out)
{
  const size_t k = index / 2;
  if (k >= N_PICKLES) {
    return 0;
  }
  if (index % 2 == 0) {
    out[0] = 1;
    memcpy(out + 1, pickles[k].text, pickles[k].length);
    return pickles[k].length + 1;
  }
  return wrap((const uint8_t*)pickles[k].text, pickles[k].length, out);
}

static size_t
torch_mutate(uint8_t* const data, size_t size, const size_t most, uint64_t* const random)
{
  static const char operations[] = "(t)]}suaeb.NKMJXGqrhjcQR\x85\x86\x87\x88\x89\x8a";
  for (size_t k = fuzz_below(random, 4); k-- > 0 && size > 1;) {
    data[1 + fuzz_below(random, size - 1)] =
        (uint8_t)operations[fuzz_below(random, sizeof(operations) - 1)];
  }
  for (size_t k = fuzz_below(random, 3); k-- > 0;) {
    size = fuzz_mutate_bytes(data, size, most, random);
  }
  return size;
}

/* ---- runs ---------------------------------------------------------------------- */

static bool
torch_run(const uint8_t* const data, const size_t size)
{
  static uint8_t archive[FUZZ_MOST + 1024];
  torch_file t = {0};
  char error[512] = "";
  if (size == 0 || size > FUZZ_MOST) {
    return false;
  }
  const bool wrapped = data[0] == 1;
  const size_t length = wrapped ? wrap(data + 1, size - 1, archive) : size;
  uint8_t* const bytes = malloc(length); /* of this very length, for AddressSanitizer */
  FUZZ_ENSURE(bytes);
  memcpy(bytes, wrapped ? archive : data, length);
  const bool good = torch_file_read(&t, bytes, length, NULL, error);
  FUZZ_ENSURE(good || (error[0] != '\0' && memchr(error, 0, sizeof(error)) != NULL));
  uint32_t sum = 0;
  for (uint32_t k = 0; good && k < t.n; ++k) {
    const pz_file_tensor_info* const one = &t.tensors[k];
    FUZZ_ENSURE(one->name && one->dtype && one->bytes <= length);
    for (uint64_t i = 0; i < one->bytes; ++i) {
      sum += ((const uint8_t*)one->data)[i];
    }
  }
  pz_file* file = NULL;
  if (good && pz_file_from_tensors(t.tensors, t.n, NULL, 0, &file) == PZ_OK) {
    pz_file_close(file);
  }
  torch_file_close(&t);
  free(bytes);
  return good && sum + 1 > 0;
}

const fuzz_harness fuzz = {
    .seed = torch_seed,
    .mutate = torch_mutate,
    .run = torch_run,
};
