/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The folders to search for plugins and backends. */

#ifndef PZI_SEARCH_PATH_H
#define PZI_SEARCH_PATH_H

#include "file_trust.h"

/* Receives a folder; `refusal` is the reason not to search it, or "". Copies `path`; origin and
   refusal are never freed. `given`: the environment named it. */
typedef pz_status (*pzi_search_path_take)(void* data, const char* path, const char* origin,
                                          bool given, const char* refusal);

/* Passes the default folders to `take` in order: environment, user, installed. */
pz_status pzi_search_path_default_folders(pzi_search_path_take take, void* data);

/* Finds the owner of libparametrize's own file. */
pz_status pzi_search_path_find_trust(pzi_file_trust* out);

/* The names in a folder that end in .so and do not begin with a dot, sorted by bytes, to be freed
   with pzi_search_path_free_names. PZ_NOT_FOUND and PZ_IO with the reason. */
pz_status pzi_search_path_list_folder(const char* path, char*** names, size_t* n);
void pzi_search_path_free_names(char** names, size_t n);

#endif /* PZI_SEARCH_PATH_H */
