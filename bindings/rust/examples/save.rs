// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Saves a module with a text of its own, and loads it twice: as the file describes it, and into one that
//! is there.

use parametrize::{Context, File, Kind, LoadSettings, Module, Result, View};

fn show(layer: &Module) -> Result<()> {
    let q: Vec<f32> = layer.read_vec("weight")?;
    println!("{:.6} {:.6} {:.6}", q[0], q[1], q[2]);
    Ok(())
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut layer = Module::new(&context, "Linear")?;
    layer.add("weight", Kind::Parameter, View::new(&[0f32; 9], &[3, 3])?)?;
    layer.register("weight", "skew,cayley")?;
    layer.sample("weight")?;
    show(&layer)?;
    layer.save("layer.safetensors", &[("step", "1000")])?;

    let file = File::open("layer.safetensors")?;
    println!("step {}", file.text("step").unwrap_or_default());
    let second = Module::from_file(&context, &file, &LoadSettings::default())?; // another program
    show(&second)?;
    layer.sample("weight")?;
    layer.load(&file, &LoadSettings::default())?; // this one, later
    show(&layer)
}
