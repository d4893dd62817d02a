/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* parametrize: everything the library does with arrays, from the shell. It uses the public
   interface alone. The table below lists the subcommands. */

#include "arguments.h"
#include "commands.h"
#include "say.h"

#include <parametrize/parametrize.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char main_chain_text[] =
    "CHAIN is a sequence of parametrizations, applied from first to last, with their options:\n"
    "  skew,cayley,pruning(p_drop=0.2,seed=7)\n"
    "Arrays are .npy files of float32 or float64, models are .safetensors files.\n"
    "Parametrizations of matrices act on the last two dimensions, batched over the others;\n"
    "view(rows=0,cols=*) before them reads the tensor otherwise (parametrize info view).\n";

const command commands[] = {
    {
        .name = "list",
        .summary = "List the installed parametrizations and devices, and their files",
        .text = "Searches the folders of PARAMETRIZE_PLUGIN_PATH (absolute, separated by colons),\n"
                "the user's folder and the folder of the installation. A file that ends the\n"
                "process when it is opened is an error, after the list of the others.\n",
        .usage = "[--tag WORD] [--json]",
        .takes = OPTION_TAG | OPTION_LIMIT | OPTION_JSON,
        .run = run_list,
    },
    {
        .name = "info",
        .usage = "[NAME] [--device DEVICE] [--json]",
        .summary = "Show a parametrization's formula and options, or the operations of a device",
        .text = "An operation of a device is native (its own), composed (of other operations on\n"
                "the device), host (computed on the host, with copies) or unsupported.\n",
        .takes = OPTION_DEVICE | OPTION_JSON,
        .most_operands = 1,
        .run = run_info,
    },
    {
        .name = "doctor",
        .usage = "[--json]",
        .summary = "Show every file and folder searched, and why a plugin was not loaded",
        .text = "A plugin that was not loaded is not an error: the exit status is 0. Files are\n"
                "opened in a child process, so those that crash, exit or hang are named too.\n",
        .takes = OPTION_LIMIT | OPTION_JSON,
        .run = run_doctor,
    },
    {
        .name = "apply",
        .usage = "-p CHAIN IN.npy [IN2.npy ...] -o OUT.npy",
        .summary = "Compute the value of a chain from its originals",
        .text =
            "The originals are used as they are, without a right inverse. Without --state the\n"
            "parametrizations initialize their buffers; random ones depend on --seed. Updates,\n"
            "as after steps of training, run only where --updates asks for them.\n"
            "A line on standard error says if rounding leaves an orthogonal value further from\n"
            "the set than invert accepts.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUT | OPTION_READ_STATE | OPTION_UPDATES | OPTION_SEED |
                 OPTION_DEVICE | OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUT,
        .least_operands = 1,
        .most_operands = SIZE_MAX,
        .run = run_apply,
    },
    {
        .name = "invert",
        .usage = "-p CHAIN VALUE.npy -o ORIGINAL.npy [-o ORIGINAL1.npy ...]",
        .summary = "Compute originals whose value under a chain is the given array",
        .text =
            "A value outside the set of the last stage is an error. Buffers (a mask, signs) are\n"
            "written to --state, from which apply and vjp read them. Without --state, a value\n"
            "that changes them (the signs of cayley) is an error.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUTS | OPTION_WRITE_STATE | OPTION_SEED | OPTION_DEVICE |
                 OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUTS,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_invert,
    },
    {
        .name = "vjp",
        .usage = "-p CHAIN IN.npy [IN2.npy ...] --grad G.npy -o GIN.npy [-o GIN2.npy ...]",
        .summary = "Compute the gradients of originals from the gradient of the value",
        .text = "Each original has one output: the transposed Jacobian times G.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUTS | OPTION_GRADIENT | OPTION_READ_STATE |
                 OPTION_UPDATES | OPTION_SEED | OPTION_DEVICE | OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUTS | OPTION_GRADIENT,
        .least_operands = 1,
        .most_operands = SIZE_MAX,
        .run = run_vjp,
    },
    {
        .name = "jvp",
        .usage = "-p CHAIN IN.npy [IN2.npy ...] --tangent T.npy [--tangent T2.npy ...] -o OUT.npy",
        .summary = "Compute the derivative of a chain along a direction",
        .text = "One direction for each original: the Jacobian times T.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUT | OPTION_TANGENTS | OPTION_READ_STATE |
                 OPTION_UPDATES | OPTION_SEED | OPTION_DEVICE | OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUT | OPTION_TANGENTS,
        .least_operands = 1,
        .most_operands = SIZE_MAX,
        .run = run_jvp,
    },
    {
        .name = "logdet",
        .usage = "-p CHAIN IN.npy [IN2.npy ...] -o OUT.npy [--grad G.npy -o GIN.npy ...]",
        .summary = "Compute log |det| of the Jacobian of a chain, for densities",
        .text =
            "One number for each determinant, over entries, vectors or matrices, as the chain\n"
            "has it. With --grad, the gradient of the sum of G * log |det| is written for each\n"
            "original. docs/densities.md tells the coordinates.\n",
        .takes = OPTION_CHAIN | OPTION_DENSITY_OUTPUTS | OPTION_WEIGHTS | OPTION_READ_STATE |
                 OPTION_UPDATES | OPTION_SEED | OPTION_DEVICE | OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_DENSITY_OUTPUTS,
        .least_operands = 1,
        .most_operands = SIZE_MAX,
        .run = run_logdet,
    },
    {
        .name = "sample",
        .usage = "-p CHAIN N [N ...] -o OUT.npy",
        .summary = "Draw a random value of a chain, for skew,cayley a uniform rotation",
        .text = "N ... is the shape of the value. Buffers are written to --state.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUT | OPTION_WRITE_STATE | OPTION_DTYPE | OPTION_SEED |
                 OPTION_DEVICE | OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUT,
        .least_operands = 1,
        .most_operands = PZ_MAX_DIMS,
        .run = run_sample,
    },
    {
        .name = "bake",
        .usage = "MODEL.safetensors [--map GLOB=CHAIN ...] -o PLAIN.safetensors",
        .summary = "Write a model with its parametrized tensors replaced by their values",
        .text =
            "Each value has the name of its tensor and the dtype of its originals (F16 and BF16\n"
            "are computed in float32). All other tensors are copied byte for byte. The chain of a\n"
            "tensor is that of the first --map whose GLOB is its name or matches it, else the one\n"
            "in the file, else what names and shapes tell: weight_norm, spectral_norm and pruning\n"
            "of PyTorch, today's and older. GLOB is a shell pattern in which * also matches dots.\n"
            "A tensor whose chain is not known is an error:\n"
            "  --map 'rnn.weight_hh*=skew,matrix_exp' --map '*=symmetric'\n"
            "A view may need the tensor's shape: --map 'w=view(cols=*,tensor=4x3),simplex'.\n"
            "MODEL may be an index (model.safetensors.index.json), a folder with one, or a state\n"
            "dict of torch.save (.pt, .bin), of which no code runs.\n"
            "Values that are not finite, and numbers beyond a smaller dtype, are errors without\n"
            "--lenient.\n",
        .takes = OPTION_RULES | OPTION_OUTPUT | OPTION_DEVICE | OPTION_FORCE | OPTION_LENIENT |
                 OPTION_FLOATS | OPTION_DRY_RUN | OPTION_JSON | OPTION_PARTIAL | OPTION_STRIP |
                 OPTION_SHARD_SIZE | OPTION_KEY,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_bake,
    },
    {
        .name = "constrain",
        .usage = "PLAIN.safetensors --map GLOB=CHAIN ... -o MODEL.safetensors",
        .summary = "Write a model with originals in place of plain tensors: the way back from bake",
        .text =
            "For each tensor whose name a GLOB matches, right inverses give originals, which have\n"
            "its dtype and PyTorch's names. A tensor outside of the set is moved into it; the\n"
            "distance is printed, relative to the norm of the tensor. All other tensors are\n"
            "copied byte for byte. The chains are not in the file: give the same --map to bake.\n",
        .takes = OPTION_RULES | OPTION_OUTPUT | OPTION_DEVICE | OPTION_FORCE | OPTION_SEED |
                 OPTION_SHARD_SIZE | OPTION_KEY,
        .needs = OPTION_RULES | OPTION_OUTPUT,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_constrain,
    },
    {
        .name = "inspect",
        .usage = "MODEL.safetensors [--map GLOB=CHAIN ...] [--values] [--json]",
        .summary = "Show the tensors, chains and values of a model",
        .text =
            "For every parametrized tensor: its chain, the installed version of each stage, and\n"
            "the tensors that tell it if the file does not. With --values also the distance of\n"
            "its value from the set of the last stage, and the largest condition number (in the\n"
            "2-norm) of its matrices; or the reason why there is none. This decomposes every\n"
            "matrix. --map works as in bake.\n",
        .takes = OPTION_RULES | OPTION_DEVICE | OPTION_LENIENT | OPTION_VALUES | OPTION_STRIP |
                 OPTION_KEY | OPTION_JSON,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_inspect,
    },
    {
        .name = "new",
        .usage = "[FOLDER/]NAME [--kind KIND]",
        .summary = "Begin a plugin: a folder with sources, a build and a check",
        .text =
            "The plugin compiles as it is, a map passes check; then you edit it. KIND says what "
            "it\n"
            "acts on: entries by themselves (a kernel), rows (sums along a dimension), matrices\n"
            "(operations, a triangle, log |det|); or it is a backend.\n",
        .takes = OPTION_KIND,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_new,
    },
    {
        .name = "check",
        .usage = "FILE.so [--id ID] [--rule RULE] [--device DEVICE] [--seed NUMBER] [--json] "
                 "[--plot FILE.svg]",
        .summary = "Check that the parametrizations and backends of a plugin keep their contract",
        .text =
            "Loads the file and tries each of its parametrizations on many shapes, options and\n"
            "both dtypes, and each operation of its backends on their first devices. Every rule\n"
            "runs in a process of its own. A broken rule is an error, with the chain and shape\n"
            "where it broke; the exit status is then 1. The same seed gives the same numbers\n"
            "(default: 1). --plot draws the errors of float32, of values, gradients and values\n"
            "that are assigned, against n.\n",
        .takes = OPTION_ID | OPTION_RULE | OPTION_DEVICE | OPTION_SEED | OPTION_JSON | OPTION_PLOT |
                 OPTION_FORCE,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_check,
    },
    {
        .name = "bench",
        .usage = "-p CHAIN -n N [-b BATCH] [--json]",
        .summary = "Time a chain on a device, and compare it with a bound",
        .text =
            "Prints medians and quartiles of 15 rounds. A copy of the same size and a product of\n"
            "large matrices are timed in the same rounds. The bound is the time to copy the\n"
            "originals and the value, or that of the products that the chain needs, at the rates\n"
            "of the best rounds, whichever is longer; each line says which.\n",
        .takes =
            OPTION_CHAIN | OPTION_ORDER | OPTION_BATCH | OPTION_DTYPE | OPTION_DEVICE | OPTION_JSON,
        .needs = OPTION_CHAIN | OPTION_ORDER,
        .run = run_bench,
    },
    {
        .name = "generate",
        .usage = "bash|zsh|fish|man",
        .summary = "Write a shell's completion of this command, or its man page",
        .text =
            "Prints the text to standard output. An installation has all four where the shells\n"
            "and man look for them. The texts come from the table behind --help.\n",
        .least_operands = 1,
        .most_operands = 1,
        .run = run_generate,
    },
};
const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

static const command*
find_command(const char* const name)
{
  for (size_t k = 0; k < n_commands; ++k) {
    if (strcmp(commands[k].name, name) == 0) {
      return &commands[k];
    }
  }
  return NULL;
}

static void
print_help(void)
{
  puts("usage: parametrize COMMAND [ARGUMENTS]\n\n"
       "Constrained parameters: functions from unconstrained arrays to structured ones, with\n"
       "their right inverses and gradients.\n\n"
       "commands:");
  for (size_t k = 0; k < n_commands; ++k) {
    printf("  %-10s%s\n", commands[k].name, commands[k].summary);
  }
  printf("  %-10s%s\n", "help", "Show this text, or the help of a command");
  printf("\n%s\n"
         "parametrize COMMAND --help describes a command. parametrize --version prints the\n"
         "version. An error prints one line to standard error; the exit status is then 1, or 2\n"
         "for a wrong command line. Output files are written completely or not at all.\n",
         main_chain_text);
}

static int
run_help(const int argc, char** const argv)
{
  const command* const c = argc > 1 ? find_command(argv[1]) : NULL;
  if (argc > 2) {
    return say_usage(NULL, argv[2], "one operand too many");
  }
  if (argc > 1 && c == NULL && strcmp(argv[1], "--help") != 0) {
    return say_usage(NULL, argv[1], "no such command");
  }
  if (c != NULL) {
    arguments_help(c);
  } else {
    print_help();
  }
  return EXIT_GOOD;
}

static int
run(const int argc, char** const argv)
{
  if (argc < 2) {
    return say_usage(NULL, NULL, "found no command");
  }
  const char* const name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    print_help();
    return EXIT_GOOD;
  }
  if (strcmp(name, "--version") == 0) {
    printf("parametrize %s\n", pz_version());
    return EXIT_GOOD;
  }
  if (strcmp(name, "help") == 0) {
    return run_help(argc - 1, argv + 1);
  }
  const command* const c = find_command(name);
  if (c == NULL) {
    return say_usage(NULL, name, *name == '-' ? "no such option" : "no such command");
  }
  arguments a;
  int status = arguments_read(c, argc - 1, argv + 1, &a);
  if (status < 0) {
    status = c->run(&a);
  }
  arguments_free(&a);
  return status;
}

/* Opens /dev/null in place of each standard stream that is closed. Otherwise the first files that
   the program opens would get these descriptors, and messages would be written into them. */
static void
occupy_standard_streams(void)
{
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
  }
}

static pid_t running; /* this process, until the command has returned */

_Noreturn static void
end_process(const int status)
{
  for (;;) {
    (void)syscall(SYS_exit_group, status);
  }
}

/* A plugin or a library that calls exit would end the program with a status of its choice, success
   perhaps, and without the outputs. */
static void
check_return(void)
{
  if (running == getpid()) { // not a child of theirs
    (void)fflush(stdout);
    (void)say(NULL, "a plugin or a library ended the program");
    end_process(EXIT_ERROR);
  }
}

/* The same of _exit, whose caller can be named by an address in it. */
_Noreturn static void
end_by(const void* const address, const int status)
{
  Dl_info caller;
  if (running != getpid()) {
    end_process(status);
  }
  const bool known = dladdr(address, &caller) != 0 && caller.dli_fname;
  (void)fflush(stdout);
  (void)say(known ? caller.dli_fname : NULL, "a plugin or a library ended the program");
  end_process(EXIT_ERROR);
}

/* For every object of the process, these two come before those of the C library. */
__attribute__((visibility("default"))) void
_exit(const int status)
{
  end_by(__builtin_return_address(0), status);
}

__attribute__((visibility("default"))) void
_Exit(const int status)
{
  end_by(__builtin_return_address(0), status);
}

void
main_end(const int status)
{
  end_process(status);
}

int
main(int argc, char** argv)
{
  occupy_standard_streams();
  running = getpid();
  (void)atexit(check_return);
  (void)at_quick_exit(check_return);
  signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error like a full disk */
  const int status = run(argc, argv);
  running = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    const int error = errno;
    return status == EXIT_GOOD ? say_system("standard output", error) : status;
  }
  return status;
}
