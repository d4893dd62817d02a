// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

// Made by bindgen.sh. Change that or the headers, not this.

pub const PZ_VERSION_MAJOR: u32 = 1;
pub const PZ_VERSION_MINOR: u32 = 0;
pub const PZ_TARGET_MINOR: u32 = 0;
pub const PZ_OK: pz_status = 0;
pub const PZ_INVALID: pz_status = 1;
pub const PZ_NOT_FOUND: pz_status = 2;
pub const PZ_EXISTS: pz_status = 3;
pub const PZ_MISMATCH: pz_status = 4;
pub const PZ_OUTSIDE: pz_status = 5;
pub const PZ_SINGULAR: pz_status = 6;
pub const PZ_UNSUPPORTED: pz_status = 7;
pub const PZ_STALE: pz_status = 8;
pub const PZ_NO_MEMORY: pz_status = 9;
pub const PZ_IO: pz_status = 10;
pub const PZ_PLUGIN: pz_status = 11;
pub const PZ_DEVICE: pz_status = 12;
pub type pz_status = ::std::os::raw::c_uint;
pub const PZ_MAX_DIMS: _bindgen_ty_1 = 8;
pub type _bindgen_ty_1 = ::std::os::raw::c_uint;
pub const PZ_DEVICE_CPU: _bindgen_ty_2 = 1;
pub const PZ_DEVICE_CUDA: _bindgen_ty_2 = 2;
pub const PZ_DEVICE_OPENCL: _bindgen_ty_2 = 4;
pub const PZ_DEVICE_EXTENSION: _bindgen_ty_2 = 12;
pub type _bindgen_ty_2 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_device {
    pub type_: i32,
    pub id: i32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_tensor {
    pub data: *mut ::std::os::raw::c_void,
    pub device: pz_device,
    pub ndim: i32,
    pub dtype: u32,
    pub shape: *const i64,
    pub strides: *const i64,
    pub byte_offset: u64,
}
pub const PZ_GENERAL: pz_structure = 0;
pub const PZ_SYMMETRIC: pz_structure = 1;
pub const PZ_SKEW: pz_structure = 2;
pub const PZ_SPD: pz_structure = 3;
pub const PZ_ORTHOGONAL: pz_structure = 4;
pub const PZ_UPPER_TRIANGULAR: pz_structure = 5;
pub const PZ_LOWER_TRIANGULAR: pz_structure = 6;
pub const PZ_DIAGONAL: pz_structure = 7;
pub type pz_structure = ::std::os::raw::c_uint;
pub const PZ_BY_UPPER: _bindgen_ty_3 = 256;
pub const PZ_BY_LOWER: _bindgen_ty_3 = 512;
pub const PZ_BY_TRIANGLE: _bindgen_ty_3 = 768;
pub type _bindgen_ty_3 = ::std::os::raw::c_uint;
pub const PZ_ALL_ENTRIES: pz_coordinates = 0;
pub const PZ_UPPER_TRIANGLE: pz_coordinates = 1;
pub const PZ_LOWER_TRIANGLE: pz_coordinates = 2;
pub const PZ_STRICT_UPPER: pz_coordinates = 3;
pub const PZ_STRICT_LOWER: pz_coordinates = 4;
pub const PZ_ROTATION: pz_coordinates = 5;
pub const PZ_ALL_BUT_LAST: pz_coordinates = 6;
pub const PZ_OWN_COORDINATES: pz_coordinates = 7;
pub type pz_coordinates = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_spec {
    pub dtype: u32,
    pub structure: u32,
    pub ndim: i32,
    pub reserved: i32,
    pub shape: [i64; 8usize],
}
pub const PZ_REAL: pz_value_type = 1;
pub const PZ_INTEGER: pz_value_type = 2;
pub const PZ_FLAG: pz_value_type = 3;
pub const PZ_CHOICE: pz_value_type = 4;
pub const PZ_TENSOR: pz_value_type = 5;
pub type pz_value_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pz_value {
    pub type_: u32,
    pub reserved: u32,
    pub as_: pz_value__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union pz_value__bindgen_ty_1 {
    pub real: f64,
    pub integer: i64,
    pub text: *const ::std::os::raw::c_char,
    pub tensor: *const pz_tensor,
}
pub const PZ_REGISTER: pz_intent = 1;
pub const PZ_ASSIGN: pz_intent = 2;
pub const PZ_CHAIN: pz_intent = 3;
pub type pz_intent = ::std::os::raw::c_uint;
pub const PZ_FROM_TENSOR: pz_direction = 1;
pub const PZ_FROM_INPUT: pz_direction = 2;
pub type pz_direction = ::std::os::raw::c_uint;
pub const PZ_CALL_SAVING: _bindgen_ty_4 = 1;
pub const PZ_CALL_TRAINING: _bindgen_ty_4 = 2;
pub type _bindgen_ty_4 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_context {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_queue {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_plugin {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_kernel {
    _unused: [u8; 0],
}
extern "C" {
    pub fn pz_status_text(status: pz_status) -> *const ::std::os::raw::c_char;
}
extern "C" {
    pub fn pz_error_message() -> *const ::std::os::raw::c_char;
}
extern "C" {
    pub fn pz_version() -> *const ::std::os::raw::c_char;
}
extern "C" {
    pub fn pz_dtype_named(name: *const ::std::os::raw::c_char) -> u32;
}
pub const PZ_ONLY_GIVEN_FOLDERS: _bindgen_ty_5 = 1;
pub const PZ_DEVICE_TENSORS: _bindgen_ty_5 = 2;
pub const PZ_CHECK_PLUGINS: _bindgen_ty_5 = 4;
pub type _bindgen_ty_5 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_context_settings {
    pub size: u32,
    pub flags: u32,
    pub folders: *const *const ::std::os::raw::c_char,
    pub n_folders: u32,
    pub reserved: u32,
    pub seed: u64,
    pub devices: *const ::std::os::raw::c_char,
    pub refuse: ::std::option::Option<
        unsafe extern "C" fn(
            data: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
        ) -> *const ::std::os::raw::c_char,
    >,
    pub refuse_data: *mut ::std::os::raw::c_void,
}
extern "C" {
    pub fn pz_context_new(
        settings: *const pz_context_settings,
        out: *mut *mut pz_context,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_context_free(context: *mut pz_context);
}
extern "C" {
    pub fn pz_context_seed(context: *mut pz_context, seed: u64);
}
extern "C" {
    pub fn pz_context_add_plugin(context: *mut pz_context, plugin: *const pz_plugin) -> pz_status;
}
extern "C" {
    pub fn pz_context_add_file(
        context: *mut pz_context,
        path: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_context_add_folder(
        context: *mut pz_context,
        path: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_context_rescan(context: *mut pz_context) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_plugin_report {
    pub size: u32,
    pub loaded: u32,
    pub path: *const ::std::os::raw::c_char,
    pub origin: *const ::std::os::raw::c_char,
    pub ids: *const ::std::os::raw::c_char,
    pub reason: *const ::std::os::raw::c_char,
}
extern "C" {
    pub fn pz_context_plugin(
        context: *mut pz_context,
        index: u32,
        out: *mut pz_plugin_report,
    ) -> pz_status;
}
pub const PZ_HAS_RIGHT_INVERSE: _bindgen_ty_6 = 1;
pub const PZ_HAS_VJP: _bindgen_ty_6 = 2;
pub const PZ_HAS_RESIDUAL: _bindgen_ty_6 = 4;
pub const PZ_HAS_SAMPLE: _bindgen_ty_6 = 8;
pub const PZ_HAS_UPDATE: _bindgen_ty_6 = 16;
pub const PZ_HAS_LOG_ABS_DET: _bindgen_ty_6 = 32;
pub const PZ_HAS_JVP: _bindgen_ty_6 = 64;
pub type _bindgen_ty_6 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_parametrization_info {
    pub size: u32,
    pub flags: u32,
    pub id: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub formula: *const ::std::os::raw::c_char,
    pub version: *const ::std::os::raw::c_char,
    pub path: *const ::std::os::raw::c_char,
    pub n_options: u32,
    pub reserved: u32,
    pub tags: *const ::std::os::raw::c_char,
}
extern "C" {
    pub fn pz_context_parametrization(
        context: *mut pz_context,
        index: u32,
        out: *mut pz_parametrization_info,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_context_find(
        context: *mut pz_context,
        id: *const ::std::os::raw::c_char,
        out: *mut pz_parametrization_info,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_option_info {
    pub size: u32,
    pub type_: u32,
    pub name: *const ::std::os::raw::c_char,
    pub doc: *const ::std::os::raw::c_char,
    pub fallback: *const ::std::os::raw::c_char,
    pub range: *const ::std::os::raw::c_char,
}
extern "C" {
    pub fn pz_context_option(
        context: *mut pz_context,
        id: *const ::std::os::raw::c_char,
        index: u32,
        out: *mut pz_option_info,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_device_report {
    pub size: u32,
    pub usable: u32,
    pub device: pz_device,
    pub f64_: u32,
    pub priority: i32,
    pub name: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub hardware: *const ::std::os::raw::c_char,
    pub detail: *const ::std::os::raw::c_char,
    pub reason: *const ::std::os::raw::c_char,
    pub path: *const ::std::os::raw::c_char,
    pub rank: *const ::std::os::raw::c_char,
}
extern "C" {
    pub fn pz_context_device(
        context: *mut pz_context,
        index: u32,
        out: *mut pz_device_report,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_queue_open(
        context: *mut pz_context,
        device: *const ::std::os::raw::c_char,
        native: *const ::std::os::raw::c_void,
        out: *mut *mut pz_queue,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_queue_close(queue: *mut pz_queue);
}
extern "C" {
    pub fn pz_queue_synchronize(queue: *mut pz_queue) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_event {
    _unused: [u8; 0],
}
extern "C" {
    pub fn pz_queue_record(queue: *mut pz_queue, out: *mut *mut pz_event) -> pz_status;
}
extern "C" {
    pub fn pz_queue_wait(queue: *mut pz_queue, event: *const pz_event) -> pz_status;
}
extern "C" {
    pub fn pz_queue_wait_native(
        queue: *mut pz_queue,
        event: *mut ::std::os::raw::c_void,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_event_native(event: *const pz_event) -> *mut ::std::os::raw::c_void;
}
extern "C" {
    pub fn pz_event_free(event: *mut pz_event);
}
extern "C" {
    pub fn pz_queue_device(
        queue: *const pz_queue,
        device: *mut pz_device,
    ) -> *const ::std::os::raw::c_char;
}
extern "C" {
    pub fn pz_queue_forbid_host_fallback(queue: *mut pz_queue, forbid: bool);
}
pub const PZ_ROUTE_NATIVE: pz_route = 0;
pub const PZ_ROUTE_COMPOSED: pz_route = 1;
pub const PZ_ROUTE_HOST: pz_route = 2;
pub const PZ_ROUTE_UNSUPPORTED: pz_route = 3;
pub type pz_route = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_op_report {
    pub size: u32,
    pub reserved: u32,
    pub name: *const ::std::os::raw::c_char,
    pub count: [u64; 3usize],
    pub f32_: u32,
    pub f64_: u32,
}
extern "C" {
    pub fn pz_queue_op(queue: *mut pz_queue, index: u32, out: *mut pz_op_report) -> pz_status;
}
extern "C" {
    pub fn pz_queue_upload(
        queue: *mut pz_queue,
        host: *const pz_tensor,
        device: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_queue_download(
        queue: *mut pz_queue,
        device: *const pz_tensor,
        host: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_queue_launch(
        queue: *mut pz_queue,
        kernel: *const pz_kernel,
        n_items: i64,
        tensors: *const *const pz_tensor,
        reals: *const f64,
        integers: *const i64,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct DLManagedTensor {
    _unused: [u8; 0],
}
extern "C" {
    pub fn pz_dlpack_view(managed: *const DLManagedTensor) -> *const pz_tensor;
}
extern "C" {
    pub fn pz_dlpack_export(
        queue: *mut pz_queue,
        tensor: *const pz_tensor,
        out: *mut *mut DLManagedTensor,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_chain {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_state {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_eval {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pz_option_setting {
    pub name: *const ::std::os::raw::c_char,
    pub value: pz_value,
    pub stage: u32,
    pub reserved: [u32; 5usize],
}
extern "C" {
    pub fn pz_chain_new(
        context: *mut pz_context,
        text: *const ::std::os::raw::c_char,
        settings: *const pz_option_setting,
        n_settings: u32,
        direction: pz_direction,
        given: *const pz_spec,
        n_given: u32,
        out: *mut *mut pz_chain,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_chain_append(
        chain: *const pz_chain,
        text: *const ::std::os::raw::c_char,
        settings: *const pz_option_setting,
        n_settings: u32,
        out: *mut *mut pz_chain,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_chain_without(
        chain: *const pz_chain,
        index: u32,
        out: *mut *mut pz_chain,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_chain_free(chain: *mut pz_chain);
}
extern "C" {
    pub fn pz_chain_length(chain: *const pz_chain) -> u32;
}
extern "C" {
    pub fn pz_chain_text(chain: *const pz_chain) -> *const ::std::os::raw::c_char;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_stage_info {
    pub size: u32,
    pub reserved: u32,
    pub text: *const ::std::os::raw::c_char,
    pub id: *const ::std::os::raw::c_char,
    pub value: pz_spec,
    pub has_density: u32,
    pub density_dims: u32,
    pub density_in: u32,
    pub density_out: u32,
}
extern "C" {
    pub fn pz_chain_stage(chain: *const pz_chain, index: u32, out: *mut pz_stage_info)
        -> pz_status;
}
pub const PZ_ORIGINAL: pz_role = 1;
pub const PZ_OWN_PARAMETER: pz_role = 2;
pub const PZ_STATE_BUFFER: pz_role = 3;
pub type pz_role = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_chain_tensor_info {
    pub size: u32,
    pub role: u32,
    pub stage: u32,
    pub reserved: u32,
    pub name: *const ::std::os::raw::c_char,
    pub spec: pz_spec,
}
extern "C" {
    pub fn pz_chain_tensor(
        chain: *const pz_chain,
        role: pz_role,
        index: u32,
        out: *mut pz_chain_tensor_info,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_chain_count(chain: *const pz_chain, role: pz_role) -> u32;
}
extern "C" {
    pub fn pz_chain_value(chain: *const pz_chain) -> *const pz_spec;
}
extern "C" {
    pub fn pz_chain_density(chain: *const pz_chain, out: *mut pz_spec) -> pz_status;
}
extern "C" {
    pub fn pz_state_new(
        chain: *const pz_chain,
        queue: *mut pz_queue,
        out: *mut *mut pz_state,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_state_free(state: *mut pz_state);
}
extern "C" {
    pub fn pz_state_tensor(
        state: *const pz_state,
        role: pz_role,
        index: u32,
        out: *mut pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_state_bind(
        state: *mut pz_state,
        role: pz_role,
        index: u32,
        tensor: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_state_touch(state: *mut pz_state);
}
extern "C" {
    pub fn pz_state_version(state: *const pz_state) -> u64;
}
pub const PZ_KEEP_EXISTING: _bindgen_ty_7 = 1;
pub type _bindgen_ty_7 = ::std::os::raw::c_uint;
extern "C" {
    pub fn pz_state_save(
        state: *const pz_state,
        path: *const ::std::os::raw::c_char,
        flags: u32,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_state_load(state: *mut pz_state, path: *const ::std::os::raw::c_char) -> pz_status;
}
extern "C" {
    pub fn pz_eval_new(
        chain: *const pz_chain,
        queue: *mut pz_queue,
        out: *mut *mut pz_eval,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_free(eval: *mut pz_eval);
}
extern "C" {
    pub fn pz_eval_forward(
        eval: *mut pz_eval,
        state: *const pz_state,
        flags: u32,
        into: *const pz_tensor,
        value: *mut pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_check(eval: *mut pz_eval) -> pz_status;
}
extern "C" {
    pub fn pz_eval_vjp(
        eval: *mut pz_eval,
        state: *const pz_state,
        cotangents: *const pz_tensor,
        n_cotangents: u32,
        want: u64,
        accumulate: bool,
        gradients: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_jvp(
        eval: *mut pz_eval,
        state: *const pz_state,
        tangents: *const pz_tensor,
        n_tangents: u32,
        out: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_log_abs_det(
        eval: *mut pz_eval,
        state: *const pz_state,
        out: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_log_abs_det_vjp(
        eval: *mut pz_eval,
        state: *const pz_state,
        g_out: *const pz_tensor,
        want: u64,
        accumulate: bool,
        gradients: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_initialize(
        eval: *mut pz_eval,
        state: *mut pz_state,
        first: u32,
        tensor: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_assign(
        eval: *mut pz_eval,
        state: *mut pz_state,
        intent: pz_intent,
        value: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_eval_update(eval: *mut pz_eval, state: *mut pz_state) -> pz_status;
}
extern "C" {
    pub fn pz_eval_sample(eval: *mut pz_eval, state: *mut pz_state) -> pz_status;
}
extern "C" {
    pub fn pz_eval_residual(
        eval: *mut pz_eval,
        state: *const pz_state,
        index: u32,
        value: *const pz_tensor,
        distance: *mut f64,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_eval_usage {
    pub size: u32,
    pub reserved: u32,
    pub value_bytes: u64,
    pub saved_bytes: u64,
    pub work_bytes: u64,
    pub allocations: u64,
}
extern "C" {
    pub fn pz_eval_memory(eval: *const pz_eval, out: *mut pz_eval_usage) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_module {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_slot {
    _unused: [u8; 0],
}
extern "C" {
    pub fn pz_module_new(
        context: *mut pz_context,
        queue: *mut pz_queue,
        type_: *const ::std::os::raw::c_char,
        out: *mut *mut pz_module,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_queue(module: *const pz_module) -> *mut pz_queue;
}
extern "C" {
    pub fn pz_module_free(module: *mut pz_module);
}
extern "C" {
    pub fn pz_module_add_child(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        child: *mut pz_module,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_child(
        module: *mut pz_module,
        path: *const ::std::os::raw::c_char,
        out: *mut *mut pz_module,
    ) -> pz_status;
}
pub const PZ_PARAMETER: pz_tensor_kind = 1;
pub const PZ_BUFFER: pz_tensor_kind = 2;
pub type pz_tensor_kind = ::std::os::raw::c_uint;
extern "C" {
    pub fn pz_module_add(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        kind: pz_tensor_kind,
        tensor: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_require_grad(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        require: bool,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_train(module: *mut pz_module, training: bool) -> pz_status;
}
pub const PZ_UNSAFE: _bindgen_ty_8 = 1;
pub type _bindgen_ty_8 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_register_settings {
    pub size: u32,
    pub flags: u32,
    pub options: *const pz_option_setting,
    pub n_options: u32,
    pub reserved: u32,
}
extern "C" {
    pub fn pz_register_parametrization(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        text: *const ::std::os::raw::c_char,
        settings: *const pz_register_settings,
    ) -> pz_status;
}
pub const PZ_LEAVE_ORIGINAL: pz_leave = 0;
pub const PZ_LEAVE_PARAMETRIZED: pz_leave = 1;
pub type pz_leave = ::std::os::raw::c_uint;
extern "C" {
    pub fn pz_remove_parametrizations(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        leave: pz_leave,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_remove_stage(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        index: u32,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_is_parametrized(
        module: *const pz_module,
        name: *const ::std::os::raw::c_char,
    ) -> bool;
}
extern "C" {
    pub fn pz_module_chain(
        module: *const pz_module,
        name: *const ::std::os::raw::c_char,
        out: *mut *const pz_chain,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_get(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        out: *mut pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_read(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        host: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_refresh(module: *mut pz_module, threads: u32) -> pz_status;
}
extern "C" {
    pub fn pz_module_slot(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        out: *mut *mut pz_slot,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_slot_get(slot: *mut pz_slot, out: *mut pz_tensor) -> pz_status;
}
pub const PZ_CACHE_AUTOMATIC: pz_cache_policy = 0;
pub const PZ_CACHE_SCOPED: pz_cache_policy = 1;
pub type pz_cache_policy = ::std::os::raw::c_uint;
extern "C" {
    pub fn pz_module_cache_policy(module: *mut pz_module, policy: pz_cache_policy) -> pz_status;
}
extern "C" {
    pub fn pz_cached_begin(module: *mut pz_module) -> pz_status;
}
extern "C" {
    pub fn pz_cached_end(module: *mut pz_module) -> pz_status;
}
extern "C" {
    pub fn pz_module_residual(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        distance: *mut f64,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_check(module: *mut pz_module) -> pz_status;
}
extern "C" {
    pub fn pz_module_set(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        value: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_edit(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        out: *mut pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_commit(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_touch(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_check_writes(module: *mut pz_module, check: bool) -> pz_status;
}
extern "C" {
    pub fn pz_module_sample(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_update(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
pub const PZ_UPDATE_EXPLICIT: pz_update_policy = 0;
pub const PZ_UPDATE_ON_READ: pz_update_policy = 1;
pub type pz_update_policy = ::std::os::raw::c_uint;
extern "C" {
    pub fn pz_module_update_policy(module: *mut pz_module, policy: pz_update_policy) -> pz_status;
}
extern "C" {
    pub fn pz_module_backward(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        gradient: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_log_abs_det(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        out: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_backward_log_abs_det(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        g_out: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_gradient(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        out: *mut pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_read_gradient(
        module: *mut pz_module,
        name: *const ::std::os::raw::c_char,
        host: *const pz_tensor,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_zero_gradients(module: *mut pz_module) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_tensor_info {
    pub size: u32,
    pub kind: u32,
    pub requires_grad: u32,
    pub reserved: u32,
    pub name: *const ::std::os::raw::c_char,
    pub spec: pz_spec,
}
extern "C" {
    pub fn pz_module_tensor(
        module: *const pz_module,
        index: u32,
        out: *mut pz_tensor_info,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_print(
        module: *const pz_module,
        buffer: *mut ::std::os::raw::c_char,
        size: usize,
    ) -> usize;
}
extern "C" {
    pub fn pz_module_copy(module: *mut pz_module, out: *mut *mut pz_module) -> pz_status;
}
extern "C" {
    pub fn pz_transfer_parametrizations(
        from: *mut pz_module,
        to: *mut pz_module,
        name: *const ::std::os::raw::c_char,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_to(module: *mut pz_module, queue: *mut pz_queue) -> pz_status;
}
extern "C" {
    pub fn pz_module_to_dtype(module: *mut pz_module, dtype: u32) -> pz_status;
}
extern "C" {
    pub fn pz_module_bake(module: *mut pz_module) -> pz_status;
}
extern "C" {
    pub fn pz_module_unbake(module: *mut pz_module) -> pz_status;
}
extern "C" {
    pub fn pz_module_is_baked(module: *const pz_module) -> bool;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_metadata {
    pub key: *const ::std::os::raw::c_char,
    pub text: *const ::std::os::raw::c_char,
    pub reserved: [u64; 2usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_save_settings {
    pub size: u32,
    pub flags: u32,
    pub metadata: *const pz_metadata,
    pub n_metadata: u32,
    pub reserved: u32,
}
extern "C" {
    pub fn pz_module_save(
        module: *mut pz_module,
        path: *const ::std::os::raw::c_char,
        settings: *const pz_save_settings,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_chain_rule {
    pub pattern: *const ::std::os::raw::c_char,
    pub text: *const ::std::os::raw::c_char,
    pub reserved: [u64; 2usize],
}
pub const PZ_LOAD_LENIENT: _bindgen_ty_9 = 1;
pub const PZ_LOAD_ASSIGN: _bindgen_ty_9 = 2;
pub const PZ_LOAD_WIDEN: _bindgen_ty_9 = 4;
pub type _bindgen_ty_9 = ::std::os::raw::c_uint;
pub const PZ_LOAD_UNKNOWN: pz_load_remark = 1;
pub const PZ_LOAD_MISSING: pz_load_remark = 2;
pub const PZ_LOAD_DTYPE: pz_load_remark = 3;
pub type pz_load_remark = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_load_settings {
    pub size: u32,
    pub flags: u32,
    pub rules: *const pz_chain_rule,
    pub n_rules: u32,
    pub reserved: u32,
    pub report: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            remark: pz_load_remark,
            name: *const ::std::os::raw::c_char,
        ),
    >,
    pub user: *mut ::std::os::raw::c_void,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_file {
    _unused: [u8; 0],
}
extern "C" {
    pub fn pz_module_load(
        module: *mut pz_module,
        file: *const pz_file,
        settings: *const pz_load_settings,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_module_from_file(
        context: *mut pz_context,
        queue: *mut pz_queue,
        file: *const pz_file,
        only: *const ::std::os::raw::c_char,
        settings: *const pz_load_settings,
        out: *mut *mut pz_module,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_file_open(path: *const ::std::os::raw::c_char, out: *mut *mut pz_file) -> pz_status;
}
extern "C" {
    pub fn pz_file_close(file: *mut pz_file);
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_file_tensor_info {
    pub size: u32,
    pub reserved: u32,
    pub name: *const ::std::os::raw::c_char,
    pub dtype: *const ::std::os::raw::c_char,
    pub spec: pz_spec,
    pub data: *const ::std::os::raw::c_void,
    pub bytes: u64,
    pub extents: *const i64,
    pub n_extents: u32,
    pub reserved2: u32,
}
extern "C" {
    pub fn pz_file_from_tensors(
        tensors: *const pz_file_tensor_info,
        n_tensors: u32,
        metadata: *const pz_metadata,
        n_metadata: u32,
        out: *mut *mut pz_file,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_file_tensor(
        file: *const pz_file,
        index: u32,
        out: *mut pz_file_tensor_info,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_file_find(
        file: *const pz_file,
        name: *const ::std::os::raw::c_char,
        out: *mut pz_file_tensor_info,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_file_metadata(file: *const pz_file, index: u32, out: *mut pz_metadata) -> pz_status;
}
extern "C" {
    pub fn pz_file_text(
        file: *const pz_file,
        key: *const ::std::os::raw::c_char,
    ) -> *const ::std::os::raw::c_char;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_file_chain_info {
    pub size: u32,
    pub n_tensors: u32,
    pub path: *const ::std::os::raw::c_char,
    pub text: *const ::std::os::raw::c_char,
    pub plugins: *const ::std::os::raw::c_char,
    pub prefix: *const ::std::os::raw::c_char,
}
extern "C" {
    pub fn pz_file_chain(
        file: *const pz_file,
        index: u32,
        out: *mut pz_file_chain_info,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_file_with_current_names(
        file: *const pz_file,
        context: *mut pz_context,
        rules: *const pz_chain_rule,
        n_rules: u32,
        out: *mut *mut pz_file,
    ) -> pz_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_writer {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pz_writer_tensor {
    pub name: *const ::std::os::raw::c_char,
    pub dtype: *const ::std::os::raw::c_char,
    pub spec: pz_spec,
    pub bytes: u64,
    pub extents: *const i64,
    pub n_extents: u32,
    pub reserved: u32,
}
extern "C" {
    pub fn pz_writer_open(
        path: *const ::std::os::raw::c_char,
        flags: u32,
        tensors: *const pz_writer_tensor,
        n_tensors: u32,
        metadata: *const pz_metadata,
        n_metadata: u32,
        out: *mut *mut pz_writer,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_writer_put(
        writer: *mut pz_writer,
        index: u32,
        data: *const ::std::os::raw::c_void,
        bytes: u64,
    ) -> pz_status;
}
extern "C" {
    pub fn pz_writer_commit(writer: *mut pz_writer) -> pz_status;
}
extern "C" {
    pub fn pz_writer_abandon(writer: *mut pz_writer);
}
