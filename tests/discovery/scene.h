/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A scene for a test of discovery: a folder of its own, files put into it, a context that
   looks there, and what it says. */

#ifndef SCENE_H
#define SCENE_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of the running test, fresh and ours alone. */
extern char scene[256];

/* The folder of temporary files, which scenes are in. */
const char* scene_parent(void);

/* A user other than the one who runs the tests. */
enum { STRANGER = 54321 };

/* A case whose tests each have a scene, and the environment variables that discovery reads
   cleared. The folders go when the case is over, whether its tests succeed or not. */
TCase* scene_case(const char* name);

/* "SCENE/name" in a buffer that the next eight calls leave alone. */
const char* scene_path(const char* name);

/* Copies module `module` of this folder's build ("good") or a file by absolute path into
   the scene under `name`; writes `text` to it; makes a folder, with those above it. */
void scene_copy(const char* module, const char* name);
void scene_write(const char* name, const char* text);
void scene_folder(const char* name);

/* A context that looks into these folders of the scene (NULL ends them) and nowhere else;
   and one that looks everywhere it would by itself. */
pz_context* scene_context(const char* first, ...);
pz_context* scene_default_context(void);

/* The report on a path of the scene, or on any path; fails the test where there is none. */
pz_plugin_report scene_report(pz_context* context, const char* name);
bool scene_find_report(pz_context* context, const char* path, pz_plugin_report* out);

/* The file is loaded, or is not, and its reason contains `part`. */
void scene_loaded(pz_context* context, const char* name, const char* ids);
void scene_refused(pz_context* context, const char* name, const char* part);

/* Is a file of this path mapped into the process? */
bool scene_mapped(const char* name);

#endif /* SCENE_H */
