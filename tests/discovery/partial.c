/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files that are not complete yet, and files for other machines, must be refused before they are
   mapped: behind the end of a mapped file, every access kills the process. */

#include "scene.h"

#include <elf.h>
#include <link.h>

enum { SHARES = 20, LENGTHS = 40 };

static const char* const files[] = {TEST_PLUGIN_DIR "/orthogonal.so", TEST_BACKEND_DIR "/cpu.so"};
static const char* const ids[] = {"orthogonal", "cpu"};

typedef struct whole {
  char* bytes;
  size_t n;
  size_t needed;  /* the bytes up to the end of the last segment */
  size_t dynamic; /* where the dynamic section begins */
} whole;

static whole
read_whole(const char* const path)
{
  whole w = {0};
  FILE* const in = fopen(path, "rb");
  ck_assert_msg(in != NULL, "%s", path);
  ck_assert_int_eq(fseek(in, 0, SEEK_END), 0);
  w.n = (size_t)ftell(in);
  rewind(in);
  w.bytes = malloc(w.n);
  ck_assert_uint_eq(fread(w.bytes, 1, w.n, in), w.n);
  ck_assert_int_eq(fclose(in), 0);
  ElfW(Ehdr) head;
  memcpy(&head, w.bytes, sizeof(head));
  for (int k = 0; k < head.e_phnum; ++k) {
    ElfW(Phdr) segment;
    memcpy(&segment, w.bytes + head.e_phoff + (size_t)k * sizeof(segment), sizeof(segment));
    const size_t end = segment.p_offset + segment.p_filesz;
    if (segment.p_type == PT_LOAD && end > w.needed) {
      w.needed = end;
    }
    if (segment.p_type == PT_DYNAMIC) {
      w.dynamic = segment.p_offset;
    }
  }
  ck_assert_uint_gt(w.needed, w.dynamic);
  ck_assert_uint_gt(w.dynamic, 4096);
  return w;
}

/* Writes the first `n` bytes, and zeros up to `total`. */
static void
write_part(const char* const name, const whole* const w, const size_t n, const size_t total)
{
  FILE* const out = fopen(scene_path(name), "wb");
  ck_assert_ptr_nonnull(out);
  ck_assert_uint_eq(fwrite(w->bytes, 1, n, out), n);
  ck_assert_int_eq(fflush(out), 0);
  ck_assert_int_eq(ftruncate(fileno(out), (off_t)total), 0);
  ck_assert_int_eq(fclose(out), 0);
}

/* The file of this length is refused, or is loaded where all its segments are there. */
static void
check_cut(const whole* const w, const int kind, const size_t n, const char* const name)
{
  write_part(name, w, n, n);
  pz_context* const context = scene_context("", NULL);
  if (n >= w->needed) {
    scene_loaded(context, name, ids[kind]);
  } else {
    char said[64];
    snprintf(said, sizeof(said), "cut off: %zu bytes, expected at least ", n);
    scene_refused(context, name, n == 0 ? "empty" : n < 4 ? "not an ELF file" : said);
    ck_assert_fails(pz_context_add_file(context, scene_path(name)), PZ_PLUGIN,
                    n == 0  ? "empty"
                    : n < 4 ? "not an ELF file"
                            : "cut off");
    ck_assert(!scene_mapped(name));
  }
  pz_context_free(context);
  ck_assert_int_eq(unlink(scene_path(name)), 0);
}

START_TEST(test_cut)
{
  char name[32];
  whole w = read_whole(files[_i]);
  for (size_t k = 1; k <= SHARES; ++k) {
    snprintf(name, sizeof(name), "share%zu.so", k);
    check_cut(&w, _i, w.n * k / SHARES, name);
  }
  /* The ends of headers and pages, the last segment, and lengths at random. */
  const size_t ends[] = {0,
                         1,
                         3,
                         4,
                         16,
                         63,
                         64,
                         65,
                         119,
                         120,
                         567,
                         1000,
                         4095,
                         4096,
                         4097,
                         5000,
                         w.dynamic,
                         w.dynamic + 1,
                         w.needed,
                         w.needed - 1,
                         w.needed - 2,
                         w.needed - 4096};
  const size_t n_ends = sizeof(ends) / sizeof(ends[0]);
  uint64_t state = test_seed();
  for (size_t k = 0; k < LENGTHS; ++k) {
    snprintf(name, sizeof(name), "length%zu.so", k);
    check_cut(&w, _i, k < n_ends ? ends[k] : (size_t)(test_uniform(&state) * (double)w.needed),
              name);
  }
  free(w.bytes);
}
END_TEST

/* A program that reserves the bytes first leaves zeros where the rest will come. */
START_TEST(test_reserved)
{
  whole w = read_whole(files[_i]);
  for (size_t k = 0; k < SHARES; ++k) {
    const size_t n = w.dynamic * k / (SHARES - 1);
    write_part("reserved.so", &w, n, w.n);
    pz_context* const context = scene_context("", NULL);
    scene_refused(context, "reserved.so", n == 0 ? "not an ELF file" : "not copied completely");
    ck_assert(!scene_mapped("reserved.so"));
    pz_context_free(context);
  }
  free(w.bytes);
}
END_TEST

/* Another attempt, after the copy was completed, finds it. */
START_TEST(test_completed)
{
  whole w = read_whole(files[_i]);
  write_part("late.so", &w, w.needed / 2, w.needed / 2);
  pz_context* const context = scene_context("", NULL);
  scene_refused(context, "late.so", "cut off");
  write_part("late.so", &w, w.n, w.n);
  ck_assert_ok(pz_context_rescan(context));
  scene_loaded(context, "late.so", ids[_i]);
  pz_context_free(context);
  free(w.bytes);
}
END_TEST

START_TEST(test_machines)
{
  static const struct {
    uint16_t machine; /* as the bytes of that machine's files */
    uint8_t bits;
    uint8_t order;
    const char* said;
  } others[] = {
      {EM_AARCH64, ELFCLASS64, ELFDATA2LSB, "made for aarch64 (64-bit, little-endian), expected "},
      {EM_X86_64, ELFCLASS64, ELFDATA2LSB, "made for x86-64 (64-bit, little-endian), expected "},
      {EM_386, ELFCLASS32, ELFDATA2LSB, "made for x86 (32-bit, little-endian), expected "},
      {EM_S390, ELFCLASS64, ELFDATA2MSB, "made for s390 (64-bit, big-endian), expected "},
      {0x1234, ELFCLASS64, ELFDATA2LSB, "made for machine 4660 (64-bit, little-endian), "},
  };
  whole w = read_whole(files[0]);
  ElfW(Ehdr) own;
  memcpy(&own, w.bytes, sizeof(own));
  for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); ++k) {
    const bool big = others[k].order == ELFDATA2MSB;
    if (others[k].machine == own.e_machine && others[k].bits == own.e_ident[EI_CLASS]) {
      continue;
    }
    w.bytes[EI_CLASS] = (char)others[k].bits;
    w.bytes[EI_DATA] = (char)others[k].order;
    w.bytes[18 + big] = (char)(others[k].machine & 0xff);
    w.bytes[19 - big] = (char)(others[k].machine >> 8);
    write_part("other.so", &w, w.n, w.n);
    pz_context* const context = scene_context("", NULL);
    scene_refused(context, "other.so", others[k].said);
    pz_context_free(context);
  }
  free(w.bytes);
}
END_TEST

START_TEST(test_types)
{
  whole w = read_whole(files[0]);
  ElfW(Ehdr) head;
  memcpy(&head, w.bytes, sizeof(head));
  for (int type = ET_NONE; type <= ET_CORE; ++type) {
    if (type == ET_DYN) {
      continue;
    }
    char said[64];
    head.e_type = (uint16_t)type;
    memcpy(w.bytes, &head, sizeof(head));
    write_part("other.so", &w, w.n, w.n);
    snprintf(said, sizeof(said), "an ELF file of type %d, expected a shared object", type);
    pz_context* const context = scene_context("", NULL);
    scene_refused(context, "other.so", said);
    pz_context_free(context);
  }
  free(w.bytes);
}
END_TEST

int
main(void)
{
  const int n = access(files[1], R_OK) == 0 ? 2 : 1;
  TCase* const cases = scene_case("partial files");
  tcase_add_loop_test(cases, test_cut, 0, n);
  tcase_add_loop_test(cases, test_reserved, 0, n);
  tcase_add_loop_test(cases, test_completed, 0, n);
  tcase_add_test(cases, test_machines);
  tcase_add_test(cases, test_types);
  return test_main_case(cases);
}
