/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The dynamic linker maps the segments that the program headers name, whether the file reaches
   that far or not. The first access to a page behind the file's end then kills the process
   (SIGBUS). A file that was copied only in part is therefore recognized here: every segment must
   lie within the file. Files for other machines get a message of their own; the linker calls some
   of them "No such file". */

#include "elf_file.h"

#include "status.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The header of the file that this code is part of, from the static linker. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static pz_status
cut_off(const uint64_t bytes, const uint64_t expected)
{
  return pzi_fail(PZ_PLUGIN, "cut off: %" PRIu64 " bytes, expected at least %" PRIu64, bytes,
                  expected);
}

static pz_status
read_at(const int fd, const uint64_t offset, const size_t n, void* const out)
{
  const ssize_t got = pread(fd, out, n, (off_t)offset);
  return got == (ssize_t)n ? PZ_OK
         : got < 0         ? pzi_fail_system(errno)
                           : pzi_fail(PZ_PLUGIN, "cut off while it was read");
}

enum { MACHINE_TEXT = 64 };

static const char*
machine_text(const ElfW(Ehdr) * const h, char out[MACHINE_TEXT])
{
  static const struct {
    uint16_t machine;
    const char* name;
  } names[] = {
      {EM_386, "x86"},   {EM_AARCH64, "aarch64"},     {EM_ARM, "arm"},
      {EM_MIPS, "mips"}, {EM_PPC64, "powerpc"},       {EM_RISCV, "riscv"},
      {EM_S390, "s390"}, {EM_LOONGARCH, "loongarch"}, {EM_X86_64, "x86-64"},
  };
  char number[32];
  (void)snprintf(number, sizeof(number), "machine %u", (unsigned)h->e_machine);
  const char* name = number;
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); ++k) {
    name = names[k].machine == h->e_machine ? names[k].name : name;
  }
  (void)snprintf(out, MACHINE_TEXT, "%s (%s-bit, %s-endian)", name,
                 h->e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32",
                 h->e_ident[EI_DATA] == ELFDATA2MSB ? "big" : "little");
  return out;
}

/* Reads the header of a file for this machine. */
static pz_status
read_header(const int fd, const uint64_t bytes, ElfW(Ehdr) * const h)
{
  /* Up to the machine, all classes have the same header. */
  const size_t common = offsetof(ElfW(Ehdr), e_version);
  if (bytes < SELFMAG) {
    return pzi_fail(PZ_PLUGIN, "not an ELF file, expected a shared object");
  }
  PZ_TRY(read_at(fd, 0, SELFMAG, h));
  if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0) {
    return pzi_fail(PZ_PLUGIN, "not an ELF file, expected a shared object");
  }
  if (bytes < common) {
    return cut_off(bytes, sizeof(*h));
  }
  PZ_TRY(read_at(fd, 0, common, h));
  if (h->e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA]) {
    h->e_machine = (uint16_t)(h->e_machine << 8 | h->e_machine >> 8);
  }
  if (h->e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
      h->e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
      h->e_machine != __ehdr_start.e_machine) {
    char found[MACHINE_TEXT];
    char expected[MACHINE_TEXT];
    return pzi_fail(PZ_PLUGIN, "made for %s, expected %s", machine_text(h, found),
                    machine_text(&__ehdr_start, expected));
  }
  if (bytes < sizeof(*h)) {
    return cut_off(bytes, sizeof(*h));
  }
  return read_at(fd, 0, sizeof(*h), h);
}

/* A program that reserves a file's bytes before it copies them leaves zeros in place of the rest.
   The dynamic section is in the last segment. */
static pz_status
check_dynamic(const int fd, const ElfW(Phdr) * const segment)
{
  ElfW(Dyn) first = {.d_tag = DT_NULL};
  if (segment->p_filesz >= sizeof(first)) {
    PZ_TRY(read_at(fd, segment->p_offset, sizeof(first), &first));
  }
  return first.d_tag != DT_NULL
             ? PZ_OK
             : pzi_fail(PZ_PLUGIN, "its dynamic section is empty: not copied completely");
}

pz_status
pzi_elf_file_check(const int fd, const uint64_t bytes)
{
  ElfW(Ehdr) h = {0};
  PZ_TRY(read_header(fd, bytes, &h));
  if (h.e_type != ET_DYN || h.e_phentsize != sizeof(ElfW(Phdr))) {
    return pzi_fail(PZ_PLUGIN, "an ELF file of type %u, expected a shared object (%d)",
                    (unsigned)h.e_type, ET_DYN);
  }
  const uint64_t table = (uint64_t)h.e_phnum * sizeof(ElfW(Phdr));
  if (h.e_phoff > bytes || table > bytes - h.e_phoff) {
    return cut_off(bytes, h.e_phoff + table);
  }
  for (uint32_t k = 0; k < h.e_phnum; ++k) {
    ElfW(Phdr) segment;
    PZ_TRY(read_at(fd, h.e_phoff + k * sizeof(segment), sizeof(segment), &segment));
    const bool mapped = segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC;
    if (mapped && (segment.p_offset > bytes || segment.p_filesz > bytes - segment.p_offset)) {
      return cut_off(bytes, segment.p_offset + segment.p_filesz);
    }
    if (segment.p_type == PT_DYNAMIC) {
      PZ_TRY(check_dynamic(fd, &segment));
    }
  }
  return PZ_OK;
}
