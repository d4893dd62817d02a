/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of a load, each in a file of its own. They fill a pzi_loading; only
   load_commit.c writes to the module. */

#ifndef PZI_LOAD_H
#define PZI_LOAD_H

#include "loading.h"

/* ---- load_plan.c: plans the chains ---- */

/* Plans the chain of a value for `dtype`, or for the dtype of the file (0). `value` (or NULL): the
   spec of its tensor in the module, of which the shape counts. The chain stays NULL without a rule
   and a description, and for a lenient load if an original is missing. */
pz_status pzi_load_plan(pzi_loading* l, pzi_load_chain* incoming, uint32_t dtype,
                        const pz_spec* value);

/* PZ_MISMATCH: neither a rule nor the file defines the chain of this value. */
pz_status pzi_load_plan_undefined(const char* path);

/* The dtype in the module of a tensor of the file; `wanted` is the dtype of the tensor there, or 0.
   Fails with PZ_MISMATCH if modules cannot hold the tensor. */
pz_status pzi_load_plan_dtype(const pzi_loading* l, const pzi_file_tensor* file_tensor,
                              uint32_t wanted, uint32_t* out);

/* ---- load_chains.c: builds the chains beside the module ---- */

/* Finds the slot of every chain. Builds the chain, with its tensors, for a plain slot; checks
   that a parametrized slot has the same chain. */
pz_status pzi_load_chains(pzi_loading* l);

/* ---- load_assign.c: runs right inverses for values, on copies of the states ---- */

/* Assigns every value of the file to a copy of its chain, and appends the copies of the tensors
   that result. */
pz_status pzi_load_assign(pzi_loading* l);

/* Does the slot belong to the chain of an assigned value? */
bool pzi_load_assign_has(const pzi_loading* l, const pz_slot* slot);

/* ---- load_commit.c: writes to the module ---- */

/* Copies all tensors or none, then installs the chains. */
pz_status pzi_load_commit(pzi_loading* l);

/* ---- load.c: runs the parts, collects plain copies and unused names ---- */

/* Runs a load that was initialized. Needs exclusive access to the module; calls no callback of
   the host. */
pz_status pzi_load(pzi_loading* l);

#endif /* PZI_LOAD_H */
