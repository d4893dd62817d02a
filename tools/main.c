/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* parametrize: everything the library does with arrays, from the shell. It uses the public
   interface alone; the table of subcommands at the end is the map of this program. */

#include "arguments.h"
#include "commands.h"
#include "say.h"

#include <parametrize/parametrize.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char chain_text[] =
    "CHAIN is a list of maps, first to last, with their options:\n"
    "  skew,cayley,pruning(p_drop=0.2,seed=7)\n"
    "Arrays are .npy files of float32 or float64, models .safetensors files. Maps of\n"
    "matrices act on the last two dimensions, batched over the others.\n";

static const command commands[] = {
    {
        .name = "list",
        .summary = "Show the maps and devices that are installed, and from where",
        .text =
            "Looks into the folders of PARAMETRIZE_PLUGIN_PATH (absolute, separated by colons),\n"
            "the user's folder and the folder of the installation.\n",
        .usage = "",
        .run = run_list,
    },
    {
        .name = "info",
        .usage = "[NAME] [--device DEVICE]",
        .summary = "Show a map's formula and options, or how a device does each operation",
        .text = "Operations on a device are native (its own), composed (of others of its own),\n"
                "host (done on the host, through copies) or unsupported.\n",
        .takes = OPTION_DEVICE,
        .most_operands = 1,
        .run = run_info,
    },
    {
        .name = "doctor",
        .usage = "",
        .summary = "Show every file and folder looked at, and why some were not loaded",
        .text = "A file that was not loaded is no error: the exit status is 0.\n",
        .run = run_doctor,
    },
    {
        .name = "apply",
        .usage = "-p CHAIN IN.npy [IN2.npy ...] -o OUT.npy",
        .summary = "Compute the value of a chain from its originals",
        .text =
            "The originals are taken as they are: no right inverse comes first. Without --state\n"
            "maps make their buffers afresh; what they draw then depends on --seed.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUT | OPTION_READ_STATE | OPTION_SEED | OPTION_DEVICE |
                 OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUT,
        .least_operands = 1,
        .most_operands = SIZE_MAX,
        .run = run_apply,
    },
    {
        .name = "invert",
        .usage = "-p CHAIN VALUE.npy -o ORIGINAL.npy [-o ORIGINAL1.npy ...]",
        .summary = "Compute originals whose value under a chain is the given one",
        .text = "A value outside the set of the last map is refused. Maps with buffers (a mask,\n"
                "signs) write them to --state, for apply and vjp to read; a value that moves\n"
                "them (cayley's signs) is refused without it.\n",
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
        .summary = "Carry a gradient from the value of a chain to its originals",
        .text = "One output for each original: the transposed Jacobian times G.\n",
        .takes = OPTION_CHAIN | OPTION_OUTPUTS | OPTION_GRADIENT | OPTION_READ_STATE | OPTION_SEED |
                 OPTION_DEVICE | OPTION_FORCE,
        .needs = OPTION_CHAIN | OPTION_OUTPUTS | OPTION_GRADIENT,
        .least_operands = 1,
        .most_operands = SIZE_MAX,
        .run = run_vjp,
    },
    {
        .name = "sample",
        .usage = "-p CHAIN N [N ...] -o OUT.npy",
        .summary = "Draw a value of a chain at random: a uniform rotation for skew,cayley",
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
            "Values have the names and dtypes of plain tensors (F16 and BF16 are computed in\n"
            "float32); everything else is copied byte for byte. Maps come from the file where it\n"
            "names them, and from --map: of several that match a value's name the first holds,\n"
            "before what the file says. GLOB is a pattern as in the shell in which * also matches\n"
            "dots; a file of PyTorch's needs one for every parametrized tensor:\n"
            "  --map 'rnn.weight_hh*=skew,matrix_exp' --map '*=symmetric'\n",
        .takes = OPTION_RULES | OPTION_OUTPUT | OPTION_DEVICE | OPTION_FORCE | OPTION_LENIENT,
        .needs = OPTION_OUTPUT,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_bake,
    },
    {
        .name = "inspect",
        .usage = "MODEL.safetensors [--map GLOB=CHAIN ...]",
        .summary = "Show the tensors and maps of a model, and how good its values are",
        .text = "Of every parametrized tensor: its maps and whether they are installed here, the\n"
                "distance of its value from their set as the last map measures it, the largest\n"
                "quotient of greatest and least singular value over its matrices; or why not.\n"
                "--map as in bake.\n",
        .takes = OPTION_RULES | OPTION_DEVICE | OPTION_LENIENT,
        .least_operands = 1,
        .most_operands = 1,
        .run = run_inspect,
    },
    {
        .name = "bench",
        .usage = "-p CHAIN -n N [-b BATCH]",
        .summary = "Time a chain on a device, beside what the device does at best",
        .text = "Medians and quartiles of 15 rounds; a copy and a product of the same size are\n"
                "timed in the same rounds. The bound is the time in which the originals and the\n"
                "value would be copied and the products done that the maps need, at the rates\n"
                "of the best rounds.\n",
        .takes = OPTION_CHAIN | OPTION_ORDER | OPTION_BATCH | OPTION_DTYPE | OPTION_DEVICE,
        .needs = OPTION_CHAIN | OPTION_ORDER,
        .run = run_bench,
    },
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const command*
find_command(const char* const name)
{
  for (size_t k = 0; k < N_COMMANDS; ++k) {
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
       "Constrained parameters: maps from unconstrained arrays to structured ones, their\n"
       "inverses and gradients.\n\n"
       "commands:");
  for (size_t k = 0; k < N_COMMANDS; ++k) {
    printf("  %-9s%s\n", commands[k].name, commands[k].summary);
  }
  printf("  %-9s%s\n", "help", "Show this text, or that of a command");
  printf("\n%s\n"
         "parametrize COMMAND --help says more. parametrize --version shows the version.\n"
         "Errors are one line on the standard error; the exit status is then 1, or 2 where the\n"
         "command line itself was wrong. Output files appear whole or not at all.\n",
         chain_text);
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

/* A program started with its standard streams closed would give their numbers to the files
   it opens, and write its messages into them. Reading and writing these fails instead. */
static void
occupy_standard_streams(void)
{
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
  }
}

int
main(int argc, char** argv)
{
  occupy_standard_streams();
  signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error like a full disk */
  const int status = run(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    const int error = errno;
    return status == EXIT_GOOD ? say_system("standard output", error) : status;
  }
  return status;
}
