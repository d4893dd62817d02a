/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "shared_object.h"

#include "outcome.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory. */
typedef struct image {
  const unsigned char* bytes;
  size_t size;
} image;

/* Functions that a plugin does not call: they end the process, or change what belongs to the program. */
static const char* const forbidden[] = {
    "_Exit",     "__sigaction", "_exit",      "exit",   "fesetenv",  "fesetround",
    "fork",      "putenv",      "quick_exit", "setenv", "setlocale", "signal",
    "sigaction", "system",      "unsetenv",   "vfork",
};

/* And those that are a backend's: a parametrization has the scratch of its call (pz_work). */
static const char* const of_backends[] = {
    "aligned_alloc",  "calloc",         "malloc",  "mmap",
    "posix_memalign", "pthread_create", "realloc", "thrd_create",
};

/* `count` items of `size` bytes at `offset`, or NULL if the file does not reach that far or they are
   not aligned. */
static const void*
part(const image* const file, const uint64_t offset, const uint64_t count, const uint64_t size)
{
  const bool inside = offset <= file->size && count <= (file->size - offset) / size &&
                      offset % (size < sizeof(void*) ? 1 : sizeof(void*)) == 0;
  return inside ? file->bytes + offset : NULL;
}

static const ElfW(Ehdr) * header_of(const image* const file)
{
  const ElfW(Ehdr)* const h = part(file, 0, 1, sizeof(*h));
  if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_type != ET_DYN ||
      h->e_ident[EI_CLASS] != (sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32)) {
    outcome_breach("found no shared object of this kind of machine, expected one");
  }
  return h;
}

/* Memory that can be written and executed is refused by some systems. */
static void
check_segments(const image* const file, const ElfW(Ehdr) * const h)
{
  const ElfW(Phdr)* const segments = part(file, h->e_phoff, h->e_phnum, sizeof(*segments));
  bool stack = false;
  for (unsigned k = 0; segments && k < h->e_phnum; ++k) {
    const ElfW(Phdr)* const one = &segments[k];
    stack = stack || one->p_type == PT_GNU_STACK;
    if (one->p_type == PT_GNU_STACK && (one->p_flags & PF_X)) {
      outcome_breach("found an executable stack, expected none (cc -Wl,-z,noexecstack)");
    }
    if (one->p_type == PT_LOAD && (one->p_flags & PF_X) && (one->p_flags & PF_W)) {
      outcome_breach("found a segment that is writable and executable, expected none");
    }
    if (one->p_type != PT_DYNAMIC) {
      continue;
    }
    const size_t n = one->p_filesz / sizeof(ElfW(Dyn));
    const ElfW(Dyn)* const entries = part(file, one->p_offset, n, sizeof(*entries));
    for (size_t e = 0; entries && e < n && entries[e].d_tag != DT_NULL; ++e) {
      if (entries[e].d_tag == DT_TEXTREL ||
          (entries[e].d_tag == DT_FLAGS && (entries[e].d_un.d_val & DF_TEXTREL))) {
        outcome_breach("found relocations in the code, expected none (cc -fPIC)");
      }
    }
  }
  if (!stack) {
    outcome_breach("found no mark of a stack that is not executable (cc -Wl,-z,noexecstack)");
  }
}

static bool
is_among(const char* const name, const char* const* const all, const size_t n)
{
  for (size_t k = 0; k < n; ++k) {
    if (strcmp(name, all[k]) == 0) {
      return true;
    }
  }
  return false;
}

static void
check_import(const char* const name, const bool has_backend)
{
  if (is_among(name, forbidden, sizeof(forbidden) / sizeof(forbidden[0]))) {
    outcome_breach("found a call of %s, expected none in a plugin", name);
  }
  if (!has_backend && is_among(name, of_backends, sizeof(of_backends) / sizeof(of_backends[0]))) {
    outcome_breach("found a call of %s, expected none in a parametrization", name);
  }
  if (strcmp(name, "abort") == 0 || strcmp(name, "__assert_fail") == 0) {
    outcome_remark(VERDICT_WARNING, "found a call of %s, which ends the program of the user", name);
  }
}

/* A name as a terminal may show it. */
static void
printable(const char* const name, char* const out, const size_t size)
{
  size_t n = 0;
  for (; name[n] != '\0' && n + 1 < size; ++n) {
    out[n] = name[n];
    if (name[n] < ' ' || name[n] > '~') {
      out[n] = '?';
    }
  }
  out[n] = '\0';
}

/* The section of dynamic symbols, or NULL. */
static const ElfW(Shdr) *
    symbols_of(const image* const file, const ElfW(Ehdr) * const h, const ElfW(Shdr) * *names)
{
  const ElfW(Shdr)* const sections = part(file, h->e_shoff, h->e_shnum, sizeof(*sections));
  for (unsigned k = 0; sections && k < h->e_shnum; ++k) {
    if (sections[k].sh_type == SHT_DYNSYM && sections[k].sh_link < h->e_shnum) {
      *names = &sections[sections[k].sh_link];
      return &sections[k];
    }
  }
  return NULL;
}

static void
check_symbols(const image* const file, const ElfW(Ehdr) * const h, const bool has_backend)
{
  const ElfW(Shdr)* names = NULL;
  const ElfW(Shdr)* const section = symbols_of(file, h, &names);
  if (!section) {
    outcome_remark(VERDICT_NOTE, "found no section of symbols, so calls were not looked at");
    return;
  }
  const size_t n = section->sh_size / sizeof(ElfW(Sym));
  const ElfW(Sym)* const symbols = part(file, section->sh_offset, n, sizeof(*symbols));
  const char* const texts = part(file, names->sh_offset, names->sh_size, 1);
  bool exported = false;
  for (size_t k = 0; symbols && texts && k < n; ++k) {
    const ElfW(Sym)* const one = &symbols[k];
    if (one->st_name >= names->sh_size ||
        !memchr(texts + one->st_name, '\0', names->sh_size - one->st_name)) {
      outcome_breach("found a symbol whose name is outside the file");
    }
    char name[128];
    printable(texts + one->st_name, name, sizeof(name));
    const unsigned binding = one->st_info >> 4;
    if (one->st_shndx == SHN_UNDEF) {
      check_import(name, has_backend);
    } else if (strncmp(name, "pz_plugin_v", strlen("pz_plugin_v")) == 0) {
      exported = true;
    } else if (binding == STB_GLOBAL && strncmp(name, "__", 2) != 0) { /* those of the compiler */
      outcome_remark(VERDICT_WARNING,
                     "found the exported symbol %s, which may meet that of another file "
                     "(make it static, or cc -fvisibility=hidden)",
                     name);
    }
  }
  if (!exported) {
    outcome_breach("found no symbol of PZ_PLUGIN, expected one");
  }
}

void
shared_object_check(const char* const path, const bool has_backend)
{
  struct stat about;
  image file = {.size = 0};
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
    file.size = (size_t)about.st_size;
    file.bytes = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
  }
  if (file.size == 0 || file.bytes == MAP_FAILED) {
    outcome_breach("found no file that can be read, expected a shared object");
  }
  const ElfW(Ehdr)* const h = header_of(&file);
  check_segments(&file, h);
  check_symbols(&file, h, has_backend);
  (void)munmap((void*)file.bytes, file.size);
  (void)close(fd);
}
