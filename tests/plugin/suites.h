/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of the plugin contract: what every map owes, and what each of ours does. */

#ifndef TEST_PLUGIN_SUITES_H
#define TEST_PLUGIN_SUITES_H

#include <check.h>

TCase* tests_contract(void);
TCase* tests_derivatives(void); /* jvp and log |det| */
TCase* tests_densities(void);   /* log |det| of our maps */
TCase* tests_not_finite(void);
TCase* tests_taken(void); /* the contract again, of maps that declare folds */
TCase* tests_folds(void); /* symmetric and skew */
TCase* tests_cayley(void);
TCase* tests_signs(void);
TCase* tests_matrix_exp(void);
TCase* tests_logarithm(void);
TCase* tests_nonnormal(void);
TCase* tests_orthogonal(void);
TCase* tests_orthogonal_far(void);
TCase* tests_orthogonal_known(void);
TCase* tests_orthogonal_steps(void);
TCase* tests_pruning(void);
TCase* tests_spectral_norm(void);
TCase* tests_spectral_edges(void);
TCase* tests_weight_norm(void);

#endif /* TEST_PLUGIN_SUITES_H */
