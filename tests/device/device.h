/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An accelerator as a host meets it. */

#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

#include <support.h>

#include <stdlib.h>
#include <string.h>

/* "opencl:0": what the program was asked to test, and its backend's id. */
extern const char* device_name;
extern char device_backend[32];

/* A checked fixture: the build tree's context, a queue on the device and one on the
   reference. */
extern pz_context* device_context;
extern pz_queue* device_queue;
extern pz_queue* reference_queue;
void device_start(void);
void device_finish(void);

/* One chain on float32 matrices (batch, n, n), with its state and evaluation. */
typedef struct life {
  pz_queue* queue;
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  pz_spec spec;
} life;

void life_open(life* l, pz_queue* queue, const char* chain, int64_t batch, int64_t n);
void life_close(life* l);
/* Writes the original; and the value, downloaded through `queue`, to be freed. */
void life_write(life* l, const float* x);
float* life_read(const pz_tensor* value, pz_queue* queue);
/* `n` normal numbers times `scale`, to be freed. */
float* life_normal(int64_t n, double scale);

TCase* device_case(void);
TCase* deciding_case(void);
TCase* opencl_case(void);
TCase* steps_case(void);

#endif /* TEST_DEVICE_H */
