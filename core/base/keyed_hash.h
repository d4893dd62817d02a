/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Hashes of names that may come from a hostile file, and random numbers from the system. */

#ifndef PZI_KEYED_HASH_H
#define PZI_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of a text under a key that is drawn once per process, so that nobody can prepare names
   that collide. [any thread] */
uint32_t pzi_keyed_hash(const char* text, size_t length);

/* SipHash-2-4 of a text under a given key. [any thread] */
uint64_t pzi_keyed_hash_siphash(const uint64_t key[2], const char* text, size_t length);

/* 64 random bits from the system; from the clocks and the process if it has none yet. [any thread] */
uint64_t pzi_keyed_hash_random(void);

#endif /* PZI_KEYED_HASH_H */
