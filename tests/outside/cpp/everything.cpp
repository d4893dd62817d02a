// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

// A program in C++17 that uses every class and member of parametrize.hpp. Ends with a line on standard
// error and 1 where something is not as expected.

#define PZ_STATIC
#include <parametrize/parametrize.hpp>
#include <parametrize/plugin.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#define EXPECT(condition)                                                  \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

namespace {

const char* const ORIGINAL = "parametrizations.weight.original";

// A call that must throw an error of this status.
template <typename Function>
void
expect_error(pz_status status, const std::string& part, Function&& function)
{
  try {
    function();
  } catch (const pz::error& error) {
    EXPECT(error.status() == status);
    EXPECT(std::string(error.what()).find(part) != std::string::npos);
    return;
  }
  EXPECT(false && "an exception");
}

bool
near(double a, double b)
{
  return std::fabs(a - b) < 1e-6;
}

PZ_KERNEL(descend, 2, 1, 0, PZ_TENSOR_ARG(0, x); PZ_TENSOR_ARG(1, g); PZ_REAL_ARG(0, rate);
          x[i] -= rate * g[i];)

pz_status
forward(pz_call* c, const pz_tensor* x, pz_tensor* y)
{
  return pz_copy(c, x, y);
}

pz_parametrization
nothing()
{
  pz_parametrization map{};
  map.size = sizeof(map);
  map.id = "nothing";
  map.summary = "the identity";
  map.forward = forward;
  return map;
}

const pz_parametrization map = nothing();

PZ_PLUGIN(own, "1.0.0", PZ_PARAMETRIZATION(&map));

void
contexts(pz::context& context, const std::string& plugin)
{
  context.seed(7);
  context.add_plugin(pz_plugin_v1_own);
  expect_error(PZ_EXISTS, "nothing", [&] { context.add_plugin(pz_plugin_v1_own); });
  context.add_file(plugin);
  context.add_folder("/");
  context.rescan();
  expect_error(PZ_NOT_FOUND, "/absent", [&] { context.add_folder("/absent"); });
  bool found = false;
  for (const auto& info : context.parametrizations()) {
    found = found || std::string(info.id) == "nothing";
  }
  EXPECT(found);
  EXPECT(context.options("skew").size() == 1);
  EXPECT(!context.devices().empty());
  EXPECT(!context.plugins().empty());
  pz::context other(PZ_ONLY_GIVEN_FOLDERS, 3);
  const pz_context_settings settings{
      sizeof(settings), PZ_ONLY_GIVEN_FOLDERS, nullptr, 0, 0, 3, nullptr, nullptr, nullptr};
  pz::context third(&settings);
  third = std::move(other);
  EXPECT(third.get() && !other.get());
}

void
queues(const pz::context& context)
{
  pz::queue opened(context, "reference");
  pz::queue queue(std::move(opened));
  EXPECT(queue.device() == "reference" && !opened.get());
  pz::queue second(context);
  const pz::event event = queue.record();
  second.wait(event);
  queue.synchronize();
  queue.forbid_host_fallback();
  std::vector<float> numbers{1, 2, 3, 4};
  std::vector<float> device(4);
  pz::view from(numbers, {2, 2});
  const pz::view to(device, {2, 2});
  const pz_tensor there = to.tensor();
  EXPECT(from.data() == numbers.data() && from.size() == 4);
  queue.upload(from, there);
  EXPECT(near(static_cast<double>(device[3]), 4));
  const pz_tensor x = from.tensor();
  queue.launch(descend, 4, {&x, &there}, {0.5});
  queue.download(x, to);
  EXPECT(near(static_cast<double>(device[3]), 2));
  expect_error(PZ_INVALID, "descend", [&] { queue.launch(descend, 4, {&x}, {0.5}); });
  expect_error(PZ_MISMATCH, "expected 9", [&] { pz::view wrong(numbers, {3, 3}); });
  const std::vector<float> fixed{5, 6, 7, 8};
  const pz::view constant(fixed, {2, 2});
  static_assert(std::is_same_v<decltype(constant.data()), const float*>);
  static_assert(!std::is_constructible_v<pz::view<const float>, std::vector<float>&&,
                                         std::initializer_list<std::int64_t>>);
  queue.upload(constant, there);
  EXPECT(near(static_cast<double>(device[3]), 8));
  queue.upload(pz::view<const float>(numbers, {4}), pz::view(device, {4}).tensor());
  EXPECT(near(static_cast<double>(device[3]), 2));
  expect_error(PZ_MISMATCH, "expected 9", [&] { pz::view wrong(fixed, {3, 3}); });
  expect_error(PZ_NOT_FOUND, "cpp", [&] { pz::queue none(context, "cpp"); });
}

void
modules(const pz::context& context)
{
  const std::array<double, 9> start{0, 1, 2, 3, 4, 5, 6, 7, 8};
  pz::queue queue(context, "cpu");
  pz::module made(context, queue, "Linear");
  pz::module layer(std::move(made));
  const pz::queue_ref home = layer.queue();
  EXPECT(home.device() == "cpu" && home.get() == queue.get() && !made.get());
  layer.add("weight", pz::view(start.data(), {3, 3}));
  layer.add("bias", pz::view(start.data(), {3}), PZ_BUFFER);
  layer.register_parametrization("weight", "skew,cayley");
  layer.register_parametrization("weight", "nothing", PZ_UNSAFE);
  EXPECT(layer.chain("weight") == "skew,cayley,nothing" && layer.is_parametrized("weight"));
  layer.remove_stage("weight", 2);
  expect_error(PZ_NOT_FOUND, "weigth", [&] { (void)layer.read<double>("weigth"); });

  const std::vector<double> q = layer.read<double>("weight");
  const pz::slot_ref slot = layer.slot("weight");
  EXPECT(near(static_cast<const double*>(slot.value().data)[0], q[0]));
  EXPECT(near(static_cast<const double*>(layer.value("weight").data)[8], q[8]));
  EXPECT(near(q[0] * q[0] + q[1] * q[1] + q[2] * q[2], 1));
  EXPECT(layer.residual("weight") < 1e-14);
  expect_error(PZ_MISMATCH, "float32", [&] { (void)layer.read<float>("weight"); });

  layer.zero_gradients();
  layer.backward("weight", pz::view(start.data(), {3, 3}));
  const std::vector<double> g = layer.read_gradient<double>(ORIGINAL);
  const double x = layer.read<double>(ORIGINAL)[1];
  {
    const pz_tensor gradient = layer.gradient(ORIGINAL);
    pz::edit open = layer.edit(ORIGINAL);
    pz::edit taken(std::move(open));
    layer.queue().launch(descend, 9, {&taken.tensor(), &gradient}, {0.25});
    expect_error(PZ_INVALID, "open", [&] { (void)layer.read<double>("weight"); });
    taken.commit();
    const pz::edit ended = layer.edit(ORIGINAL);
  }
  EXPECT(near(layer.read<double>(ORIGINAL)[1], x - 0.25 * g[1]));
  double log_det = 0;
  (void)layer.read<double>("weight");
  layer.log_abs_det("weight", pz::view(&log_det, {}));
  EXPECT(std::isfinite(log_det));
  const double one = 1;
  layer.backward_log_abs_det("weight", pz::view(&one, {}));
  layer.touch(ORIGINAL);
  pz::check(pz_module_check_writes(layer.get(), false));
  layer.set("weight", pz::view(q.data(), {3, 3}));
  EXPECT(near(layer.read<double>(ORIGINAL)[1], x));
  layer.sample("weight");
  layer.update();
  layer.refresh(2);
  layer.check_device();
  layer.cache_policy(PZ_CACHE_AUTOMATIC);
  layer.train(false);
  layer.require_grad("weight", false);

  pz::module root(context);
  root.add_child("layer", std::move(layer));
  pz::module_ref child = root.child("layer");
  const std::vector<pz_tensor_info> stored = root.tensors();
  EXPECT(stored.size() == 2 && std::string(stored[0].name) == std::string("layer.") + ORIGINAL);
  EXPECT(!stored[0].requires_grad && child.spec("bias").ndim == 1);
  EXPECT(root.print().find("cayley") != std::string::npos);

  pz::module copy = child.copy();
  pz::module target(context);
  child.transfer_parametrizations_to(target, "weight");
  EXPECT(target.chain("weight") == "skew,cayley");
  target.remove_parametrizations("weight", PZ_LEAVE_PARAMETRIZED);
  copy.to(queue);
  copy.to_dtype<float>();
  EXPECT(copy.read<float>("weight").size() == 9);
  copy.bake();
  EXPECT(copy.is_baked());
  copy.unbake();

  root.save("cpp.safetensors", {{"step", "12"}});
  const pz::file file("cpp.safetensors");
  EXPECT(file.text("step") == "12" && !file.text("steps"));
  EXPECT(file.tensors().size() == 2 && file.find("layer.bias") && !file.find("bias"));
  EXPECT(file.chains().size() == 1 && std::string(file.chains()[0].path) == "layer.weight");
  pz::module loaded(context, file);
  pz::queue reference(context, "reference");
  const pz::module there(context, reference, file);
  EXPECT(there.queue().device() == "reference" && there.spec("layer.weight").ndim == 2);
  EXPECT(loaded.read<double>("layer.weight") == root.read<double>("layer.weight"));
  root.child("layer").sample("weight");
  root.load(file);
  EXPECT(loaded.read<double>("layer.weight") == root.read<double>("layer.weight"));
  pz::module taken_over(loaded.release());
  EXPECT(taken_over.get());
  expect_error(PZ_NOT_FOUND, "absent", [] { pz::file none("absent"); });
  std::remove("cpp.safetensors");
}

void
chains(const pz::context& context)
{
  pz::queue queue(context);
  pz::chain chain(context, "positive", pz::spec<double>({2}));
  const pz::chain same(context, "positive", std::vector<pz_spec>{pz::spec<double>({2})});
  EXPECT(chain.text() == "positive" && same.value().ndim == 1 && chain.density().shape[0] == 2);
  EXPECT(chain.count(PZ_ORIGINAL) == 1 && chain.stages().size() == 1);
  EXPECT(std::string(chain.tensors(PZ_ORIGINAL)[0].name) == "original");
  pz::state state(chain, queue);
  pz::eval eval(chain, queue);
  std::array<double, 2> x{0, std::log(3.0)};
  std::array<double, 2> y{};
  std::array<double, 2> d{1, 1};
  const pz::view<double> value(y.data(), {2});
  const pz::view<double> direction(d.data(), {2});
  state.bind(PZ_ORIGINAL, 0, pz::view(x.data(), {2}));
  EXPECT(near(static_cast<double*>(state.tensor(PZ_ORIGINAL, 0).data)[1], x[1]));
  const std::uint64_t version = state.version();
  state.touch();
  EXPECT(state.version() != version);
  EXPECT(near(static_cast<const double*>(eval.forward(state).data)[1], 3));
  eval.forward_into(state, value, PZ_CALL_SAVING);
  EXPECT(near(y[1], 3));
  eval.jvp(state, {direction.tensor()}, value);
  EXPECT(near(y[1], 3));
  eval.log_abs_det(state, value);
  EXPECT(near(y[1], std::log(3.0)));
  eval.vjp(state, direction, 1, {value.tensor()});
  EXPECT(near(y[1], 3));
  eval.assign(state, direction);
  EXPECT(near(x[1], 0));
  eval.sample(state);
  eval.update(state);
  eval.check_device();
  d[0] = -1;
  expect_error(PZ_OUTSIDE, "positive", [&] { eval.assign(state, direction); });
}

} // namespace

int
main(int argc, char** argv)
{
  EXPECT(argc == 2);
  pz::context context;
  contexts(context, argv[1]);
  queues(context);
  modules(context);
  chains(context);
  return 0;
}
