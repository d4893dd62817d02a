// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

#include <parametrize/parametrize.hpp>

#include <cstdio>

int
main()
try {
  std::vector<double> numbers{0, 1, 2, 3, 4, 5, 6, 7, 8};
  pz::context context;
  pz::module layer(context, "Linear");
  layer.add("weight", pz::view(numbers, {3, 3}));
  layer.register_parametrization("weight", "skew,cayley");
  const std::vector<double> q = layer.read<double>("weight");
  std::printf("row 0 of a rotation: %.3f %.3f %.3f\n", q[0], q[1], q[2]);
} catch (const pz::error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
