// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

// Chains on tensors of the program's own, in C++17. Include <parametrize/parametrize.hpp>.

#ifndef PARAMETRIZE_CHAIN_HPP
#define PARAMETRIZE_CHAIN_HPP

#include <parametrize/parametrize.hpp>

namespace pz {

// The spec of a tensor.
template <typename T>
[[nodiscard]] pz_spec
spec(std::initializer_list<std::int64_t> shape)
{
  return pz_spec_make(dtype_of<T>::value, static_cast<std::int32_t>(shape.size()), shape.begin());
}

class chain : public handle<pz_chain, pz_chain_free> {
public:
  // For values of a spec.
  chain(const context& context, const std::string& text, const pz_spec& value)
      : handle(made<pz_chain*>(pz_chain_new, context.get(), text.c_str(), nullptr, 0U,
                               PZ_FROM_TENSOR, &value, 1U))
  {
  }
  // For originals of these specs.
  chain(const context& context, const std::string& text, const std::vector<pz_spec>& originals)
      : handle(made<pz_chain*>(pz_chain_new, context.get(), text.c_str(), nullptr, 0U,
                               PZ_FROM_INPUT, originals.data(),
                               static_cast<std::uint32_t>(originals.size())))
  {
  }
  [[nodiscard]] std::string text() const
  {
    return pz_chain_text(get());
  }
  [[nodiscard]] const pz_spec& value() const
  {
    return *pz_chain_value(get());
  }
  [[nodiscard]] std::uint32_t count(pz_role role) const
  {
    return pz_chain_count(get(), role);
  }
  [[nodiscard]] pz_spec density() const
  {
    return made<pz_spec>(pz_chain_density, get());
  }
  [[nodiscard]] std::vector<pz_stage_info> stages() const
  {
    return all<pz_stage_info>([this](auto k, auto* to) { return pz_chain_stage(get(), k, to); });
  }
  [[nodiscard]] std::vector<pz_chain_tensor_info> tensors(pz_role role) const
  {
    return all<pz_chain_tensor_info>(
        [this, role](auto k, auto* to) { return pz_chain_tensor(get(), role, k, to); });
  }
};

class state : public handle<pz_state, pz_state_free> {
public:
  state(const chain& chain, queue_ref queue)
      : handle(made<pz_state*>(pz_state_new, chain.get(), queue.get()))
  {
  }
  [[nodiscard]] pz_tensor tensor(pz_role role, std::uint32_t index) const
  {
    return made<pz_tensor>(pz_state_tensor, get(), role, index);
  }
  void bind(pz_role role, std::uint32_t index, tensor_arg tensor)
  {
    check(pz_state_bind(get(), role, index, tensor));
  }
  void touch()
  {
    pz_state_touch(get());
  }
  [[nodiscard]] std::uint64_t version() const
  {
    return pz_state_version(get());
  }
};

class eval : public handle<pz_eval, pz_eval_free> {
public:
  eval(const chain& chain, queue_ref queue)
      : handle(made<pz_eval*>(pz_eval_new, chain.get(), queue.get()))
  {
  }
  // A view of the evaluation's own memory.
  pz_tensor forward(const state& state, std::uint32_t flags = 0)
  {
    return made<pz_tensor>(pz_eval_forward, get(), state.get(), flags,
                           static_cast<const pz_tensor*>(nullptr));
  }
  void forward_into(const state& state, tensor_arg into, std::uint32_t flags = 0)
  {
    check(pz_eval_forward(get(), state.get(), flags, into, nullptr));
  }
  void check_device()
  {
    check(pz_eval_check(get()));
  }
  // The gradient of every original and own parameter whose bit is set in `want`.
  void vjp(const state& state, tensor_arg cotangent, std::uint64_t want,
           const std::vector<pz_tensor>& gradients, bool accumulate = false)
  {
    check(pz_eval_vjp(get(), state.get(), cotangent, 1, want, accumulate, gradients.data()));
  }
  // One direction: a tensor for each original and own parameter.
  void jvp(const state& state, const std::vector<pz_tensor>& tangent, tensor_arg out)
  {
    check(pz_eval_jvp(get(), state.get(), tangent.data(), 1, out));
  }
  void log_abs_det(const state& state, tensor_arg out)
  {
    check(pz_eval_log_abs_det(get(), state.get(), out));
  }
  void assign(state& state, tensor_arg value, pz_intent intent = PZ_ASSIGN)
  {
    check(pz_eval_assign(get(), state.get(), intent, value));
  }
  void update(state& state)
  {
    check(pz_eval_update(get(), state.get()));
  }
  void sample(state& state)
  {
    check(pz_eval_sample(get(), state.get()));
  }
};

} // namespace pz

#endif // PARAMETRIZE_CHAIN_HPP
