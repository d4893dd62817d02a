#!/bin/sh
# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
#
# Writes the declarations of the library for Rust, src/ffi.rs, or the file that is named. It takes bindgen
# 0.60, that of Debian 12. A test compares src/ffi.rs with a new run.

set -eu
here=$(dirname "$(readlink -f "$0")")
include=$here/../../core/include
made=$(bindgen --no-layout-tests --no-doc-comments --no-prepend-enum-name --default-enum-style consts \
  --generate-inline-functions --size_t-is-usize --disable-header-comment \
  --allowlist-function 'pz_.*' --allowlist-type 'pz_.*' --allowlist-var 'PZ_.*' \
  "$include/parametrize/parametrize.h" -- -std=c11 "-I$include")
{
  printf '%s\n' '// Copyright (c) 2026 the libparametrize authors' '// SPDX-License-Identifier: MIT' '' \
    '// Made by bindgen.sh. Change that or the headers, not this.' ''
  printf '%s\n' "$made" | grep -v '^pub type __' # names of one C library
} >"${1:-$here/src/ffi.rs}"
