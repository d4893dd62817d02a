/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Both axes are logarithmic: n from 1 to 128, errors from 1e-9 to 1. */

#include "errors.h"

#include <float.h>
#include <math.h>

enum {
  WIDTH = 560,
  HEIGHT = 320,
  LEFT = 70,
  RIGHT = 130,
  TOP = 36,
  BOTTOM = 44,
  DECADES = 9,
  OCTAVES = 7
};

static double
x_of(const double n)
{
  return LEFT + log2(n) / OCTAVES * (WIDTH - LEFT - RIGHT);
}

static double
y_of(const double error)
{
  const double least = pow(10.0, -DECADES);
  const double shown = error < least ? least : error > 1.0 ? 1.0 : error;
  return TOP - log10(shown) / DECADES * (HEIGHT - TOP - BOTTOM);
}

void
picture_begin(FILE* const out, const int panels)
{
  (void)fprintf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                "font-family=\"sans-serif\" font-size=\"12\">\n"
                "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                (int)WIDTH, panels * HEIGHT);
}

static void
draw_axes(FILE* const out)
{
  for (int k = 0; k <= DECADES; ++k) {
    const double y = y_of(pow(10.0, -k));
    (void)fprintf(out,
                  "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n"
                  "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s%d</text>\n",
                  (int)LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4.0, k > 0 ? "1e-" : "",
                  k > 0 ? k : 1);
  }
  for (int k = 0; k <= OCTAVES; ++k) {
    const double x = x_of(ldexp(1.0, k));
    (void)fprintf(out,
                  "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>\n"
                  "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
                  x, (int)TOP, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18, 1 << k);
  }
  (void)fprintf(out,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">n</text>\n"
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#888\" "
                "stroke-dasharray=\"4 3\"/>\n"
                "<text x=\"%d\" y=\"%.1f\" fill=\"#888\">n eps</text>\n",
                (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_of(1.0), y_of((double)FLT_EPSILON),
                x_of(128.0), y_of(128.0 * (double)FLT_EPSILON), WIDTH - RIGHT + 8,
                y_of(128.0 * (double)FLT_EPSILON) + 4.0);
}

void
picture_panel(FILE* const out, const int number, const char* const title,
              const error_curves* const e)
{
  static const struct {
    const char* name;
    const char* color;
  } kinds[ERROR_KINDS] = {
      [ERROR_VALUE] = {"value", "#1b6ca8"},
      [ERROR_GRADIENT] = {"gradient", "#c8553d"},
      [ERROR_ROUND] = {"round trip", "#3d8b40"},
  };
  (void)fprintf(out,
                "<g transform=\"translate(0 %d)\">\n"
                "<text x=\"%d\" y=\"20\" font-size=\"14\">%s: errors of float32</text>\n",
                number * HEIGHT, (int)LEFT, title);
  draw_axes(out);
  for (int kind = 0; kind < ERROR_KINDS; ++kind) {
    bool any = false;
    for (int k = 0; k < ERROR_SIZES; ++k) {
      if (!isnan(e->of[kind][k])) {
        (void)fprintf(out, "%s%.1f,%.1f", any ? " " : "<polyline points=\"", x_of((double)e->n[k]),
                      y_of(e->of[kind][k]));
        any = true;
      }
    }
    if (any) {
      (void)fprintf(out,
                    "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n"
                    "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n",
                    kinds[kind].color, WIDTH - RIGHT + 8, TOP + 12 + 18 * kind, kinds[kind].color,
                    kinds[kind].name);
    }
  }
  (void)fprintf(out, "</g>\n");
}

void
picture_end(FILE* const out)
{
  (void)fprintf(out, "</svg>\n");
}
