/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the test programs share. */

#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <parametrize/parametrize.h>

#include <check.h>
#include <draws.h>

/* A call that must succeed; the message of the one that did not is shown. */
#define ck_assert_ok(expression)                                                              \
  do {                                                                                        \
    const pz_status ck_status_ = (expression);                                                \
    ck_assert_msg(ck_status_ == PZ_OK, "%s: %s: %s", #expression, pz_status_text(ck_status_), \
                  pz_error_message());                                                        \
  } while (0)

/* A call that must fail with `status` and a message that contains `part`. */
#define ck_assert_fails(expression, status, part)                                                \
  do {                                                                                           \
    const pz_status ck_status_ = (expression);                                                   \
    ck_assert_msg(ck_status_ == (status), "%s: found \"%s\", expected \"%s\"", #expression,      \
                  pz_status_text(ck_status_), pz_status_text(status));                           \
    ck_assert_msg(strstr(pz_error_message(), (part)) != NULL, "%s: message \"%s\" lacks \"%s\"", \
                  #expression, pz_error_message(), (part));                                      \
  } while (0)

/* A context that sees the build tree's plugins and backends, what lies in the folder
   TEST_MORE_PLUGINS of the environment, and nothing else. */
pz_context* test_context(void);

/* Why no queue can be opened on the device in such a context, or NULL. For main. */
const char* test_device_missing(const char* device);

/* Prints a plan that skips all tests and says why, if the device is an accelerator that is absent. */
bool test_skips_device(const char* device);

/* Why tensors of the device (NULL: the default one) cannot be written by their address, or NULL. */
const char* test_no_host_memory(const char* device);

/* Calls that take a queue, with the name of a device in its place (as in pz_queue_open). */
pz_status test_module_new(pz_context* context, const char* device, const char* type,
                          pz_module** out);
pz_status test_module_from_file(pz_context* context, const char* device, const pz_file* file,
                                const char* only, const pz_load_settings* settings,
                                pz_module** out);
pz_status test_module_to(pz_context* context, pz_module* module, const char* device);

/* pz_module_load of a file by its path. */
pz_status test_module_load(pz_module* module, const char* path);

/* Settings of a registration under PZ_UNSAFE. */
extern const pz_register_settings test_unsafe;

/* Adds a test to a case. Where `reason` is not NULL, the test cannot run here: it is reported as
   skipped for that reason instead. */
void test_add_or_skip(TCase* tcase, const TTest* test, const char* reason);

/* Runs a suite: TAP on stdout under meson, no fork when CK_FORK=no. Returns main's status. */
int test_main(Suite* suite);
/* The same for a program of one case. */
int test_main_case(TCase* tcase);

#endif /* TEST_SUPPORT_H */
