// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

// Modules and their files in C++17. Include <parametrize/parametrize.hpp>.

#ifndef PARAMETRIZE_MODULE_HPP
#define PARAMETRIZE_MODULE_HPP

#include <parametrize/parametrize.hpp>

namespace pz {

// ---- files --------------------------------------------------------------------------------

class file : public handle<pz_file, pz_file_close> {
public:
  explicit file(const std::string& path) : handle(made<pz_file*>(pz_file_open, path.c_str()))
  {
  }
  [[nodiscard]] std::vector<pz_file_tensor_info> tensors() const
  {
    return all<pz_file_tensor_info>(
        [this](auto k, auto* to) { return pz_file_tensor(get(), k, to); });
  }
  // No value if the file has no tensor of this name.
  [[nodiscard]] std::optional<pz_file_tensor_info> find(const std::string& name) const
  {
    return described<pz_file_tensor_info>(
        [&](auto* to) { return pz_file_find(get(), name.c_str(), to); });
  }
  [[nodiscard]] std::vector<pz_file_chain_info> chains() const
  {
    return all<pz_file_chain_info>(
        [this](auto k, auto* to) { return pz_file_chain(get(), k, to); });
  }
  // The text of a key of the metadata.
  [[nodiscard]] std::optional<std::string> text(const std::string& key) const
  {
    const char* const found = pz_file_text(get(), key.c_str());
    return found ? std::optional<std::string>(found) : std::nullopt;
  }
};

// ---- modules --------------------------------------------------------------------------------

// A handle of one tensor, valid as long as its module.
class slot_ref {
public:
  explicit slot_ref(pz_slot* slot) noexcept : slot_(slot)
  {
  }
  [[nodiscard]] pz_tensor value() const
  {
    return made<pz_tensor>(pz_slot_get, slot_);
  }

private:
  pz_slot* slot_;
};

// A tensor open for writing in place. `commit` ends it; so does the end of its life, without saying
// whether that failed.
class edit {
public:
  edit(pz_module* module, std::string name)
      : module_(module), name_(std::move(name)),
        tensor_(made<pz_tensor>(pz_module_edit, module, name_.c_str()))
  {
  }
  edit(edit&& other) noexcept
      : module_(std::exchange(other.module_, nullptr)), name_(std::move(other.name_)),
        tensor_(other.tensor_)
  {
  }
  edit& operator=(edit&&) = delete;
  ~edit()
  {
    if (module_) {
      (void)pz_module_commit(module_, name_.c_str());
    }
  }
  [[nodiscard]] const pz_tensor& tensor() const noexcept
  {
    return tensor_;
  }
  void commit()
  {
    check(pz_module_commit(std::exchange(module_, nullptr), name_.c_str()));
  }

private:
  pz_module* module_;
  std::string name_;
  pz_tensor tensor_;
};

class module;

class module_ref {
public:
  using name = const std::string&;

  explicit module_ref(pz_module* module) noexcept : module_(module)
  {
  }
  [[nodiscard]] pz_module* get() const noexcept
  {
    return module_;
  }
  // Building.
  inline void add_child(name child_name, module&& child);
  [[nodiscard]] module_ref child(name path)
  {
    return module_ref(made<pz_module*>(pz_module_child, module_, path.c_str()));
  }
  [[nodiscard]] queue_ref queue() const
  {
    return queue_ref(pz_module_queue(module_));
  }
  void add(name tensor_name, tensor_arg tensor, pz_tensor_kind kind = PZ_PARAMETER)
  {
    check(pz_module_add(module_, tensor_name.c_str(), kind, tensor));
  }
  void require_grad(name tensor, bool require)
  {
    check(pz_module_require_grad(module_, tensor.c_str(), require));
  }
  void train(bool training = true)
  {
    check(pz_module_train(module_, training));
  }
  // Parametrizing.
  void register_parametrization(name tensor, name text, std::uint32_t flags = 0)
  {
    pz_register_settings settings{};
    settings.size = sizeof(settings);
    settings.flags = flags;
    check(pz_register_parametrization(module_, tensor.c_str(), text.c_str(), &settings));
  }
  void remove_parametrizations(name tensor, pz_leave leave = PZ_LEAVE_PARAMETRIZED)
  {
    check(pz_remove_parametrizations(module_, tensor.c_str(), leave));
  }
  void remove_stage(name tensor, std::uint32_t index)
  {
    check(pz_remove_stage(module_, tensor.c_str(), index));
  }
  [[nodiscard]] bool is_parametrized(name tensor) const
  {
    return pz_is_parametrized(module_, tensor.c_str());
  }
  // The text of a tensor's chain.
  [[nodiscard]] std::string chain(name tensor) const
  {
    return pz_chain_text(made<const pz_chain*>(pz_module_chain, module_, tensor.c_str()));
  }
  // Reading.
  [[nodiscard]] pz_tensor value(name tensor) const
  {
    return made<pz_tensor>(pz_module_get, module_, tensor.c_str());
  }
  void read(name tensor, tensor_arg host) const
  {
    check(pz_module_read(module_, tensor.c_str(), host));
  }
  // A copy of a value or a stored tensor, whose dtype is that of T.
  template <typename T> [[nodiscard]] std::vector<T> read(name tensor) const
  {
    const pz_spec found = spec(tensor);
    std::vector<T> out(static_cast<std::size_t>(pz_spec_count(&found)));
    read(tensor, view<T>(out.data(), found));
    return out;
  }
  [[nodiscard]] slot_ref slot(name tensor) const
  {
    return slot_ref(made<pz_slot*>(pz_module_slot, module_, tensor.c_str()));
  }
  void refresh(std::uint32_t threads = 0)
  {
    check(pz_module_refresh(module_, threads));
  }
  void cache_policy(pz_cache_policy policy)
  {
    check(pz_module_cache_policy(module_, policy));
  }
  [[nodiscard]] double residual(name tensor)
  {
    return made<double>(pz_module_residual, module_, tensor.c_str());
  }
  void check_device()
  {
    check(pz_module_check(module_));
  }
  // Dtype and shape of a value or a stored tensor.
  [[nodiscard]] pz_spec spec(name tensor) const
  {
    if (is_parametrized(tensor)) {
      return *pz_chain_value(made<const pz_chain*>(pz_module_chain, module_, tensor.c_str()));
    }
    for (const pz_tensor_info& stored : tensors()) {
      if (tensor == stored.name) {
        return stored.spec;
      }
    }
    throw error(PZ_NOT_FOUND, "\"" + tensor + "\": found no tensor of this name");
  }
  // Writing.
  void set(name tensor, tensor_arg value)
  {
    check(pz_module_set(module_, tensor.c_str(), value));
  }
  [[nodiscard]] pz::edit edit(name tensor)
  {
    return pz::edit(module_, tensor);
  }
  void touch(name tensor)
  {
    check(pz_module_touch(module_, tensor.c_str()));
  }
  void sample(name tensor)
  {
    check(pz_module_sample(module_, tensor.c_str()));
  }
  void update()
  {
    check(pz_module_update(module_, nullptr));
  }
  // Gradients.
  void backward(name tensor, tensor_arg gradient)
  {
    check(pz_module_backward(module_, tensor.c_str(), gradient));
  }
  void log_abs_det(name tensor, tensor_arg out)
  {
    check(pz_module_log_abs_det(module_, tensor.c_str(), out));
  }
  void backward_log_abs_det(name tensor, tensor_arg g_out)
  {
    check(pz_module_backward_log_abs_det(module_, tensor.c_str(), g_out));
  }
  [[nodiscard]] pz_tensor gradient(name tensor)
  {
    return made<pz_tensor>(pz_module_gradient, module_, tensor.c_str());
  }
  template <typename T> [[nodiscard]] std::vector<T> read_gradient(name tensor)
  {
    const pz_spec found = spec(tensor);
    std::vector<T> out(static_cast<std::size_t>(pz_spec_count(&found)));
    check(pz_module_read_gradient(module_, tensor.c_str(), tensor_arg(view<T>(out.data(), found))));
    return out;
  }
  void zero_gradients()
  {
    check(pz_module_zero_gradients(module_));
  }
  // Enumerating, copying, moving.
  [[nodiscard]] std::vector<pz_tensor_info> tensors() const
  {
    return all<pz_tensor_info>(
        [this](auto k, auto* to) { return pz_module_tensor(module_, k, to); });
  }
  [[nodiscard]] std::string print() const
  {
    std::string text(pz_module_print(module_, nullptr, 0) + 1, '\0');
    text.resize(pz_module_print(module_, text.data(), text.size()));
    return text;
  }
  [[nodiscard]] inline module copy() const;
  void transfer_parametrizations_to(module_ref to, const char* tensor = nullptr)
  {
    check(pz_transfer_parametrizations(module_, to.get(), tensor));
  }
  void to(queue_ref queue)
  {
    check(pz_module_to(module_, queue.get()));
  }
  template <typename T> void to_dtype()
  {
    check(pz_module_to_dtype(module_, dtype_of<T>::value));
  }
  void bake()
  {
    check(pz_module_bake(module_));
  }
  void unbake()
  {
    check(pz_module_unbake(module_));
  }
  [[nodiscard]] bool is_baked() const
  {
    return pz_module_is_baked(module_);
  }
  // Files.
  void save(name path, const std::vector<std::pair<std::string, std::string>>& texts = {}) const
  {
    std::vector<pz_metadata> metadata(texts.size());
    for (std::size_t k = 0; k < texts.size(); ++k) {
      metadata[k].key = texts[k].first.c_str();
      metadata[k].text = texts[k].second.c_str();
    }
    pz_save_settings settings{};
    settings.size = sizeof(settings);
    settings.metadata = metadata.data();
    settings.n_metadata = static_cast<std::uint32_t>(metadata.size());
    check(pz_module_save(module_, path.c_str(), &settings));
  }
  void load(const file& from, const pz_load_settings* settings = nullptr)
  {
    check(pz_module_load(module_, from.get(), settings));
  }

private:
  pz_module* module_;
};

class module : private handle<pz_module, pz_module_free>, public module_ref {
public:
  // On the default device.
  explicit module(const context& context, name type = "Module")
      : module(made<pz_module*>(pz_module_new, context.get(), nullptr, type.c_str()))
  {
  }
  module(const context& context, queue_ref queue,
         name type = "Module") :module(made<pz_module*>(pz_module_new, context.get(), queue.get(),
                                                        type.c_str()))
  {
  }
  // As a file describes it, on the default device.
  module(const context& context, const file& from,
         const pz_load_settings* settings = nullptr) :module(context, queue_ref(nullptr), from,
                                                             settings)
  {
  }
  module(const context& context, queue_ref queue, const file& from,
         const pz_load_settings* settings =
             nullptr) :module(made<pz_module*>(pz_module_from_file, context.get(), queue.get(),
                                               from.get(), nullptr, settings))
  {
  }
  // Takes over an object of the C interface.
  explicit module(pz_module* taken) : handle(taken), module_ref(taken)
  {
  }
  // What is moved from is no module, and its members say so.
  module(module&& other) noexcept :handle(std::move(other)),
      module_ref(std::exchange(static_cast<module_ref&>(other), module_ref(nullptr)))
  {
  }
  module& operator=(module&& other) noexcept
  {
    handle::operator=(std::move(other));
    module_ref::operator=(std::exchange(static_cast<module_ref&>(other), module_ref(nullptr)));
    return *this;
  }
  using handle::release;
  using module_ref::get;
};

inline void
module_ref::add_child(name child_name, module&& child)
{
  check(pz_module_add_child(module_, child_name.c_str(), child.get()));
  (void)child.release(); // nested: freed with this module
}

inline module
module_ref::copy() const
{
  return module(made<pz_module*>(pz_module_copy, module_));
}

} // namespace pz

#endif // PARAMETRIZE_MODULE_HPP
