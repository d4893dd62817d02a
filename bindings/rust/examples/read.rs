// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Parametrizes a tensor and reads its value: in place, and as a copy.

use parametrize::{Context, Kind, Module, Result, View};

fn main() -> Result<()> {
    let x: Vec<f64> = (0..9).map(f64::from).collect();
    let context = Context::new()?;
    let mut layer = Module::new(&context, "Linear")?;
    layer.add("weight", Kind::Parameter, View::new(&x, &[3, 3])?)?;
    layer.register("weight", "skew,cayley")?;

    let q = layer.value::<f64>("weight")?; // borrowed: until the module changes
    println!(
        "a rotation {:?}: {:.3} {:.3} {:.3}",
        q.shape(),
        q[0],
        q[1],
        q[2]
    );
    let copy: Vec<f64> = layer.read_vec("weight")?; // from any device
    assert_eq!(copy, q.data());
    println!("{}", layer);
    Ok(())
}
