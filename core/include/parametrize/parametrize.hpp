// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

// The library in C++17: objects that free themselves, exceptions, views of memory.
//
//   pz::context context;
//   pz::module layer(context, "Linear");
//   layer.add("weight", pz::view(numbers, {3, 3}));
//   layer.register_parametrization("weight", "skew,cayley");
//   std::vector<double> q = layer.read<double>("weight");
//
// A class stands for each object of the C interface, and a member for each function that most programs
// need. Contracts are those of parametrize.h and the headers that it includes. What fails throws
// pz::error, with the status and the message. Objects can be moved and not copied. A module, a queue or
// a slot that another object owns is a `_ref`. `get()` gives the C object, for all other functions.

#ifndef PARAMETRIZE_HPP
#define PARAMETRIZE_HPP

#include <parametrize/kernel.h>
#include <parametrize/parametrize.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pz {

// ---- errors -------------------------------------------------------------------------------

class error : public std::runtime_error {
public:
  error(pz_status status, const std::string& message)
      : std::runtime_error(message.empty() ? pz_status_text(status) : message), status_(status)
  {
  }
  [[nodiscard]] pz_status status() const noexcept
  {
    return status_;
  }

private:
  pz_status status_;
};

// Throws unless `status` is PZ_OK.
inline void
check(pz_status status)
{
  if (status != PZ_OK) {
    throw error(status, pz_error_message());
  }
}

// ---- tensors ------------------------------------------------------------------------------

template <typename T> struct dtype_of;
template <> struct dtype_of<float> {
  static constexpr std::uint32_t value = PZ_F32;
};
template <> struct dtype_of<double> {
  static constexpr std::uint32_t value = PZ_F64;
};
template <> struct dtype_of<std::int64_t> {
  static constexpr std::uint32_t value = PZ_I64;
};

// C-contiguous host memory of the caller with a shape, as a tensor. It holds its shape: copies are
// views of the same memory.
template <typename T> class view {
public:
  view(T* data, std::initializer_list<std::int64_t> shape)
      : data_(data), ndim_(static_cast<std::int32_t>(shape.size()))
  {
    if (shape.size() > PZ_MAX_DIMS) {
      throw error(PZ_INVALID, "found more dimensions than PZ_MAX_DIMS");
    }
    std::size_t i = 0;
    for (const std::int64_t extent : shape) {
      shape_[i++] = extent;
    }
  }
  view(T* data, const pz_spec& spec) : data_(data), ndim_(spec.ndim)
  {
    for (std::size_t i = 0; i < PZ_MAX_DIMS; ++i) {
      shape_[i] = spec.shape[i];
    }
  }
  // The vector must have as many elements as the shape, and must outlive the view.
  template <typename V>
  view(std::vector<V>& values, std::initializer_list<std::int64_t> shape)
      : view(values.data(), shape)
  {
    expect_size(values.size());
  }
  template <typename V>
  view(const std::vector<V>& values, std::initializer_list<std::int64_t> shape)
      : view(values.data(), shape)
  {
    expect_size(values.size());
  }
  template <typename V>
  view(const std::vector<V>&& values, std::initializer_list<std::int64_t> shape) = delete;
  [[nodiscard]] T* data() const noexcept
  {
    return data_;
  }
  [[nodiscard]] std::int64_t size() const noexcept
  {
    return pz_shape_count(ndim_, shape_.data());
  }
  // Valid as long as this view. The library writes only where a function's contract says so.
  [[nodiscard]] pz_tensor tensor() const noexcept
  {
    using value = std::remove_const_t<T>;
    return pz_host_tensor(dtype_of<value>::value, const_cast<value*>(data_), ndim_, shape_.data());
  }

private:
  void expect_size(std::size_t found) const
  {
    if (static_cast<std::int64_t>(found) != size()) {
      throw error(PZ_MISMATCH,
                  "found " + std::to_string(found) + " values, expected " + std::to_string(size()));
    }
  }

  T* data_;
  std::int32_t ndim_;
  std::array<std::int64_t, PZ_MAX_DIMS> shape_{};
};
template <typename V> view(std::vector<V>&, std::initializer_list<std::int64_t>) -> view<V>;
template <typename V>
view(const std::vector<V>&, std::initializer_list<std::int64_t>) -> view<const V>;

// Any tensor as an argument: of the library, or a view of host memory.
class tensor_arg {
public:
  tensor_arg(const pz_tensor& tensor) : tensor_(tensor)
  {
  }
  template <typename T> tensor_arg(const view<T>& view) : tensor_(view.tensor())
  {
  }
  operator const pz_tensor*() const noexcept
  {
    return &tensor_;
  }

private:
  pz_tensor tensor_;
};

// ---- ownership ------------------------------------------------------------------------------

// Owns an object of the C interface.
template <typename T, void (*Free)(T*)> class handle {
public:
  handle() noexcept = default;
  explicit handle(T* object) noexcept : object_(object)
  {
  }
  handle(handle&& other) noexcept : object_(other.release())
  {
  }
  handle& operator=(handle&& other) noexcept
  {
    if (this != &other) {
      Free(object_);
      object_ = other.release();
    }
    return *this;
  }
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle()
  {
    Free(object_);
  }
  [[nodiscard]] T* get() const noexcept
  {
    return object_;
  }
  T* release() noexcept
  {
    return std::exchange(object_, nullptr);
  }

private:
  T* object_ = nullptr;
};

// What a function of the C interface gives in its last argument.
template <typename T, typename... Parameters, typename... Arguments>
[[nodiscard]] T
made(pz_status (*function)(Parameters...), Arguments... arguments)
{
  T out{};
  check(function(arguments..., &out));
  return out;
}

// A struct that begins with its size, as a function fills it; without a value after the last.
template <typename Info, typename Function>
[[nodiscard]] std::optional<Info>
described(Function&& function)
{
  Info info{};
  info.size = sizeof(info);
  const pz_status status = function(&info);
  if (status == PZ_NOT_FOUND) {
    return std::nullopt;
  }
  check(status);
  return info;
}

// All that a function with an index describes.
template <typename Info, typename Function>
[[nodiscard]] std::vector<Info>
all(Function&& function)
{
  std::vector<Info> out;
  while (auto info = described<Info>(
             [&](Info* to) { return function(static_cast<std::uint32_t>(out.size()), to); })) {
    out.push_back(*info);
  }
  return out;
}

// ---- contexts and queues ----------------------------------------------------------------------

class context : public handle<pz_context, pz_context_free> {
public:
  explicit context(const pz_context_settings* settings = nullptr)
      : handle(made<pz_context*>(pz_context_new, settings))
  {
  }
  // With flags such as PZ_DEVICE_TENSORS, and a seed (0: from the system).
  explicit context(std::uint32_t flags, std::uint64_t seed = 0) : handle(with(flags, seed))
  {
  }
  void seed(std::uint64_t seed)
  {
    pz_context_seed(get(), seed);
  }
  void add_plugin(const pz_plugin& plugin)
  {
    check(pz_context_add_plugin(get(), &plugin));
  }
  void add_file(const std::string& path)
  {
    check(pz_context_add_file(get(), path.c_str()));
  }
  void add_folder(const std::string& path)
  {
    check(pz_context_add_folder(get(), path.c_str()));
  }
  void rescan()
  {
    check(pz_context_rescan(get()));
  }
  [[nodiscard]] std::vector<pz_parametrization_info> parametrizations() const
  {
    return all<pz_parametrization_info>(
        [this](auto k, auto* to) { return pz_context_parametrization(get(), k, to); });
  }
  [[nodiscard]] std::vector<pz_option_info> options(const std::string& id) const
  {
    return all<pz_option_info>(
        [&](auto k, auto* to) { return pz_context_option(get(), id.c_str(), k, to); });
  }
  [[nodiscard]] std::vector<pz_device_report> devices() const
  {
    return all<pz_device_report>(
        [this](auto k, auto* to) { return pz_context_device(get(), k, to); });
  }
  [[nodiscard]] std::vector<pz_plugin_report> plugins() const
  {
    return all<pz_plugin_report>(
        [this](auto k, auto* to) { return pz_context_plugin(get(), k, to); });
  }

private:
  static pz_context* with(std::uint32_t flags, std::uint64_t seed)
  {
    pz_context_settings settings{};
    settings.size = sizeof(settings);
    settings.flags = flags;
    settings.seed = seed;
    return made<pz_context*>(pz_context_new, &settings);
  }
};

using event = handle<pz_event, pz_event_free>;

class queue_ref {
public:
  explicit queue_ref(pz_queue* queue) noexcept : queue_(queue)
  {
  }
  [[nodiscard]] pz_queue* get() const noexcept
  {
    return queue_;
  }
  [[nodiscard]] std::string device() const
  {
    return pz_queue_device(queue_, nullptr);
  }
  void synchronize()
  {
    check(pz_queue_synchronize(queue_));
  }
  [[nodiscard]] event record()
  {
    return event(made<pz_event*>(pz_queue_record, queue_));
  }
  void wait(const event& earlier)
  {
    check(pz_queue_wait(queue_, earlier.get()));
  }
  void forbid_host_fallback(bool forbid = true)
  {
    pz_queue_forbid_host_fallback(queue_, forbid);
  }
  void upload(tensor_arg host, const pz_tensor& device)
  {
    check(pz_queue_upload(queue_, host, &device));
  }
  void download(const pz_tensor& device, tensor_arg host)
  {
    check(pz_queue_download(queue_, &device, host));
  }
  void launch(const pz_kernel& kernel, std::int64_t n_items,
              std::initializer_list<const pz_tensor*> tensors,
              std::initializer_list<double> reals = {},
              std::initializer_list<std::int64_t> integers = {})
  {
    if (tensors.size() != kernel.n_tensors || reals.size() != kernel.n_reals ||
        integers.size() != kernel.n_integers) {
      throw error(PZ_INVALID, std::string("launch of ") + kernel.name +
                                  ": found other numbers of arguments than the kernel has");
    }
    check(pz_queue_launch(queue_, &kernel, n_items, tensors.begin(), reals.begin(),
                          integers.begin()));
  }

private:
  pz_queue* queue_;
};

class queue : private handle<pz_queue, pz_queue_close>, public queue_ref {
public:
  // nullptr: the default device.
  explicit queue(const context& context, const char* device = nullptr, const void* native = nullptr)
      : queue(made<pz_queue*>(pz_queue_open, context.get(), device, native))
  {
  }
  queue(queue&& other) noexcept
      : handle(std::move(other)),
        queue_ref(std::exchange(static_cast<queue_ref&>(other), queue_ref(nullptr)))
  {
  }
  queue& operator=(queue&& other) noexcept
  {
    handle::operator=(std::move(other));
    queue_ref::operator=(std::exchange(static_cast<queue_ref&>(other), queue_ref(nullptr)));
    return *this;
  }
  using queue_ref::get;

private:
  explicit queue(pz_queue* opened) : handle(opened), queue_ref(opened)
  {
  }
};

} // namespace pz

#include <parametrize/chain.hpp>
#include <parametrize/module.hpp>

#endif // PARAMETRIZE_HPP
