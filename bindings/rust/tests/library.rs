// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! The crate against answers computed here.

use parametrize::*;
use std::path::PathBuf;

const ORIGINAL: &str = "parametrizations.weight.original";

/// A rotation of 2 x 2: the Cayley map of [[0, a], [-a, 0]].
fn rotation(a: f64) -> [f64; 4] {
    let d = 1.0 + a * a;
    let (c, s) = ((1.0 - a * a) / d, 2.0 * a / d);
    [c, s, -s, c]
}

fn layer(context: &Context, a: f64) -> Module {
    let mut layer = Module::new(context, "Linear").unwrap();
    let x = [0.0, a, 0.0, 0.0];
    layer
        .add("weight", Kind::Parameter, View::new(&x, &[2, 2]).unwrap())
        .unwrap();
    layer.register("weight", "skew,cayley").unwrap();
    layer
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f - e).abs() <= tolerance,
            "found {:?}, expected {:?}",
            found,
            expected
        );
    }
}

fn assert_fails<T>(result: Result<T>, status: Status, part: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.status(), status, "{}", error);
    assert!(error.message().contains(part), "{}", error);
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("parametrize-rust-{}-{}", std::process::id(), name))
}

#[test]
fn values_and_writes() {
    let context = Context::new().unwrap();
    let mut m = layer(&context, 0.5);
    assert_close(&m.value("weight").unwrap(), &rotation(0.5), 1e-15);
    assert_eq!(m.value::<f64>("weight").unwrap().shape(), [2, 2]);
    assert_eq!(m.chain("weight").unwrap(), "skew,cayley");
    assert!(m.residual("weight").unwrap() < 1e-15);

    m.set(
        ORIGINAL,
        View::new(&[0.0, 0.25, 0.0, 0.0], &[2, 2]).unwrap(),
    )
    .unwrap();
    assert_close(&m.read_vec("weight").unwrap(), &rotation(0.25), 1e-15);
    m.set("weight", View::new(&rotation(-3.0), &[2, 2]).unwrap())
        .unwrap();
    assert_close(&m.read_vec(ORIGINAL).unwrap()[1..2], &[-3.0], 1e-14);

    let mut open = m.edit::<f64>(ORIGINAL).unwrap();
    assert_eq!(open.shape(), [2, 2]);
    open[1] = 2.0;
    open.commit().unwrap();
    assert_close(&m.read_vec("weight").unwrap(), &rotation(2.0), 1e-15);
    m.edit::<f64>(ORIGINAL).unwrap()[1] = 1.0; // dropped
    assert_close(&m.read_vec("weight").unwrap(), &rotation(1.0), 1e-15);
    assert_fails(m.edit::<f32>(ORIGINAL), Status::Mismatch, "float32");
    std::mem::forget(m.edit::<f64>(ORIGINAL).unwrap());
    assert_fails(m.value::<f64>("weight"), Status::Invalid, "open");
}

#[test]
fn gradients_are_those_of_the_formula() {
    let context = Context::new().unwrap();
    let mut m = layer(&context, 0.5);
    let g = [0.3, -1.0, 0.7, 0.2];
    let loss = |a: f64| rotation(a).iter().zip(&g).map(|(q, g)| q * g).sum::<f64>();
    let slope = (loss(0.5 + 1e-5) - loss(0.5 - 1e-5)) / 2e-5;
    m.value::<f64>("weight").unwrap();
    m.zero_gradients().unwrap();
    m.backward("weight", View::new(&g, &[2, 2]).unwrap())
        .unwrap();
    assert_close(
        &m.read_gradient_vec(ORIGINAL).unwrap(),
        &[0.0, slope, 0.0, 0.0],
        1e-9,
    );
    m.step(ORIGINAL, |x: &mut [f64], g| x[1] -= 0.1 * g[1])
        .unwrap();
    assert_close(
        &m.read_vec("weight").unwrap(),
        &rotation(0.5 - 0.1 * slope),
        1e-9,
    );
    assert_fails(
        m.backward("weight", View::new(&[0.0; 2], &[2]).unwrap()),
        Status::Mismatch,
        "2x2",
    );

    // the volume of rotations: log |det| = log (2 / (1 + a^2))
    m.set(ORIGINAL, View::new(&[0.0, 3.0, 0.0, 0.0], &[2, 2]).unwrap())
        .unwrap();
    m.value::<f64>("weight").unwrap();
    let mut density = [0.0];
    m.log_abs_det("weight", ViewMut::new(&mut density, &[]).unwrap())
        .unwrap();
    assert_close(&density, &[(2.0f64 / 10.0).ln()], 1e-14);
    m.zero_gradients().unwrap();
    m.backward_log_abs_det("weight", View::new(&[1.0], &[]).unwrap())
        .unwrap();
    assert_close(
        &m.read_gradient_vec::<f64>(ORIGINAL).unwrap()[1..2],
        &[-0.6],
        1e-14,
    );
}

#[test]
fn modules_nest_move_and_fold() {
    let context = Context::with(&Settings {
        seed: 5,
        ..Settings::default()
    })
    .unwrap();
    let queue = Queue::open(&context, "reference").unwrap();
    assert_eq!(queue.device(), "reference");
    let mut root = Module::on(&queue, "Net").unwrap();
    root.add_child("layer", layer(&context, 0.5)).unwrap();
    root.add("mean", Kind::Buffer, View::new(&[1f32, 2.0], &[2]).unwrap())
        .unwrap();
    let stored = root.tensors().unwrap();
    let names: Vec<_> = stored.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["mean", "layer.parametrizations.weight.original"]);
    assert_eq!(
        (stored[0].kind, stored[0].requires_grad),
        (Kind::Buffer, false)
    );
    assert_eq!(stored[0].spec, Spec::of::<f32>(&[2]));
    assert!(root.to_string().contains("cayley"));

    root.to(&queue).unwrap();
    root.train(false).unwrap();
    root.refresh(2).unwrap();
    root.update().unwrap();
    root.check().unwrap();
    root.require_grad("layer.weight", false).unwrap();
    let mut copy = root.copy().unwrap();
    copy.bake().unwrap();
    assert!(!copy.is_parametrized("layer.weight") && root.is_parametrized("layer.weight"));
    assert_close(
        &copy.read_vec("layer.weight").unwrap(),
        &rotation(0.5),
        1e-15,
    );
    copy.unbake().unwrap();
    copy.to_dtype::<f32>().unwrap();
    assert_eq!(copy.value::<f32>("layer.weight").unwrap().len(), 4);
    copy.remove_parametrizations("layer.weight", Leave::Parametrized)
        .unwrap();
    assert!(!copy.is_parametrized("layer.weight"));

    let other = Context::new().unwrap();
    assert_fails(
        root.add_child("other", layer(&other, 1.0)),
        Status::Mismatch,
        "context",
    );
}

#[test]
fn files() {
    let path = temporary("files.safetensors");
    let context = Context::new().unwrap();
    let mut m = layer(&context, 0.5);
    m.save(&path, &[("step", "12"), ("note", "wörds")]).unwrap();
    let file = File::open(&path).unwrap();
    assert_eq!(file.text("step").as_deref(), Some("12"));
    assert_eq!(file.text("note").as_deref(), Some("wörds"));
    assert_eq!(file.text("steps"), None);
    assert_eq!(file.tensors().unwrap()[0].name, ORIGINAL);
    assert_eq!(file.tensors().unwrap()[0].dtype, "F64");
    assert_eq!(file.chains().unwrap()[0].path, "weight");
    assert_eq!(
        file.chains().unwrap()[0].chain.as_deref(),
        Some("skew,cayley")
    );

    let queue = Queue::open(&context, "reference").unwrap();
    let settings = LoadSettings::default();
    for loaded in [
        Module::from_file(&context, &file, &settings).unwrap(),
        Module::from_file_on(&queue, &file, &settings).unwrap(),
    ] {
        assert_close(&loaded.read_vec("weight").unwrap(), &rotation(0.5), 1e-15);
    }
    let rules = [("weight", "skew,matrix_exp")]; // before what the file says
    let ruled = LoadSettings {
        rules: &rules,
        ..settings.clone()
    };
    let turned = Module::from_file(&context, &file, &ruled).unwrap();
    let (s, c) = 0.5f64.sin_cos();
    assert_close(&turned.read_vec("weight").unwrap(), &[c, s, -s, c], 1e-15);
    m.sample("weight").unwrap();
    m.load(&file, &settings).unwrap();
    assert_close(&m.read_vec("weight").unwrap(), &rotation(0.5), 1e-15);

    // a plain file, and a rule that says what it is
    m.bake().unwrap();
    m.save(&path, &[]).unwrap();
    drop(file);
    let plain = File::open(&path).unwrap();
    let mut fresh = layer(&context, 0.0);
    assert_fails(fresh.load(&plain, &settings), Status::Mismatch, "weight");
    fresh
        .load(
            &plain,
            &LoadSettings {
                assign: true,
                ..settings.clone()
            },
        )
        .unwrap();
    assert_close(
        &fresh.read_vec::<f64>(ORIGINAL).unwrap()[1..2],
        &[0.5],
        1e-15,
    );
    std::fs::remove_file(&path).unwrap();
    assert_fails(File::open(&path), Status::NotFound, "files.safetensors");
}

#[test]
fn chains() {
    let context = Context::new().unwrap();
    let queue = Queue::open(&context, "cpu").unwrap();
    let chain = Chain::new(&context, "skew,cayley", &Spec::of::<f64>(&[2, 2])).unwrap();
    assert_eq!(chain.text(), "skew,cayley");
    assert_eq!(chain.value().shape, [2, 2]);
    assert_eq!(chain.tensors(Role::Original).unwrap()[0].0, "original");
    assert!(chain.tensors(Role::StateBuffer).unwrap().is_empty());
    assert_eq!(chain.density().unwrap().count(), 1);
    let mut state = State::new(&chain, &queue).unwrap();
    let mut eval = Eval::new(&chain, &queue).unwrap();
    state.set(Role::Original, 0, &[0.0, 0.5, 0.0, 0.0]).unwrap();
    assert_fails(
        state.set(Role::Original, 0, &[0.0f64; 3]),
        Status::Mismatch,
        "expected 4",
    );
    assert_close(&eval.forward(&state).unwrap(), &rotation(0.5), 1e-15);
    let mut y = [0.0; 4];
    eval.forward_into(&state, ViewMut::new(&mut y, &[2, 2]).unwrap())
        .unwrap();
    assert_close(&y, &rotation(0.5), 1e-15);

    // <g, J t> = <J^T g, t>
    let (g, t) = ([0.3, -1.0, 0.7, 0.2], [0.0, 2.0, 0.0, 0.0]);
    let (mut jt, mut jg, mut density) = ([0.0; 4], [0.0; 4], [0.0]);
    let direction = [View::new(&t, &[2, 2]).unwrap()];
    eval.jvp(&state, &direction, ViewMut::new(&mut jt, &[2, 2]).unwrap())
        .unwrap();
    let mut gradients = [ViewMut::new(&mut jg, &[2, 2]).unwrap()];
    eval.vjp(&state, View::new(&g, &[2, 2]).unwrap(), &mut gradients)
        .unwrap();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    assert!(dot(&g, &jt) != 0.0);
    assert_close(&[dot(&g, &jt)], &[dot(&jg, &t)], 1e-15);
    eval.log_abs_det(&state, ViewMut::new(&mut density, &[]).unwrap())
        .unwrap();
    assert_close(&density, &[(2.0f64 / 1.25).ln()], 1e-14);
    assert_fails(
        eval.vjp(&state, View::new(&g, &[2, 2]).unwrap(), &mut []),
        Status::Mismatch,
        "expected 1",
    );

    eval.assign(&mut state, View::new(&rotation(-2.0), &[2, 2]).unwrap())
        .unwrap();
    assert_close(
        &state.get::<f64>(Role::Original, 0).unwrap()[1..2],
        &[-2.0],
        1e-14,
    );
    assert_fails(
        eval.assign(&mut state, View::new(&[1.0; 4], &[2, 2]).unwrap()),
        Status::Outside,
        "cayley",
    );
    eval.sample(&mut state).unwrap();
    eval.update(&mut state).unwrap();
    eval.check().unwrap();

    let positive = Chain::from_originals(&context, "positive", &[Spec::of::<f64>(&[2])]).unwrap();
    let of_another = State::new(&positive, &queue).unwrap();
    assert_fails(eval.forward::<f64>(&of_another), Status::Invalid, "");
}

#[test]
fn errors() {
    let context = Context::new().unwrap();
    let mut m = layer(&context, 0.5);
    assert_fails(m.register("weight", "cayly"), Status::NotFound, "cayley");
    assert_fails(m.value::<f64>("weigth"), Status::NotFound, "weigth");
    assert_fails(
        m.value::<f32>("weight"),
        Status::Mismatch,
        "found float64, expected float32",
    );
    assert_fails(m.read_vec::<f32>("weight"), Status::Mismatch, "float32");
    assert_fails(
        m.value::<f64>("we\0ight"),
        Status::Invalid,
        "zero byte at 2",
    );
    assert_fails(View::new(&[1.0; 5], &[2, 3]), Status::Mismatch, "found 5");
    assert_fails(View::new(&[1.0], &[1; 9]), Status::Invalid, "8");
    assert_fails(
        View::new(&[1.0], &[usize::MAX / 2, 4]),
        Status::Mismatch,
        "found 1",
    );
    assert_fails(Queue::open(&context, "cppu"), Status::NotFound, "cpu");
    assert_fails(m.spec("absent"), Status::NotFound, "absent");
    let absent = PathBuf::from("/absent.so");
    // SAFETY: no file is opened.
    unsafe {
        assert_fails(context.add_folder(&absent), Status::NotFound, "/absent.so");
        assert_fails(context.add_file(&absent), Status::NotFound, "/absent.so");
    }
    let error: Box<dyn std::error::Error> = Box::new(m.sample("absent").unwrap_err());
    assert!(error.to_string().contains("absent"));
}

#[test]
fn found() {
    let context = Context::new().unwrap();
    let all = context.parametrizations().unwrap();
    let cayley = all.iter().find(|p| p.id == "cayley").expect("cayley");
    assert!(!cayley.summary.is_empty() && !cayley.version.is_empty());
    assert!(context
        .devices()
        .unwrap()
        .iter()
        .any(|d| d.name == "reference" && d.usable));
    let alone = Context::with(&Settings {
        only_given_folders: true,
        ..Settings::default()
    })
    .unwrap();
    assert!(alone.parametrizations().unwrap().is_empty());
}

#[test]
fn dtypes_are_those_of_the_library() {
    for (name, code) in [
        ("float32\0", f32::DTYPE),
        ("float64\0", f64::DTYPE),
        ("int64\0", i64::DTYPE),
    ] {
        // SAFETY: a text with its zero byte.
        assert_eq!(unsafe { ffi::pz_dtype_named(name.as_ptr().cast()) }, code);
    }
}

#[test]
fn what_uses_a_context_outlives_it() {
    let context = Context::new().unwrap();
    let queue = Queue::open(&context, "reference").unwrap();
    let chain = Chain::new(&context, "positive", &Spec::of::<f64>(&[2])).unwrap();
    let mut m = Module::on(&queue, "Gains").unwrap();
    let mut state = State::new(&chain, &queue).unwrap();
    let mut eval = Eval::new(&chain, &queue).unwrap();
    drop((context, queue, chain));
    m.add(
        "gains",
        Kind::Parameter,
        View::new(&[1.0, 2.0], &[2]).unwrap(),
    )
    .unwrap();
    m.register("gains", "positive").unwrap();
    assert_close(&m.value("gains").unwrap(), &[1.0, 2.0], 1e-15);
    state.set(Role::Original, 0, &[0.0, 1.0]).unwrap();
    assert_close(
        &eval.forward(&state).unwrap(),
        &[1.0, std::f64::consts::E],
        1e-15,
    );
}

#[test]
fn threads_read_side_by_side() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<(Context, Queue, Module, File, Chain, State, Eval)>();
    is_shared::<(View<f64>, ViewMut<f64>, Edit<f64>, Error)>();
    let context = Context::new().unwrap();
    let mut m = layer(&context, 0.0);
    for round in 0..50 {
        let a = f64::from(round) / 10.0;
        m.set(ORIGINAL, View::new(&[0.0, a, 0.0, 0.0], &[2, 2]).unwrap())
            .unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_close(&m.value("weight").unwrap(), &rotation(a), 1e-15));
            }
        });
    }
    // messages belong to the thread of the call
    let m = &m;
    std::thread::scope(|scope| {
        for name in ["first", "second", "third"] {
            scope.spawn(move || {
                for _ in 0..200 {
                    assert_fails(m.value::<f64>(name), Status::NotFound, name);
                }
            });
        }
    });
}
