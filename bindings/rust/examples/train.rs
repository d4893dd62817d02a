// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Trains the original of a rotation by gradient descent, on the device that is given or on the default
//! one: train [DEVICE]. The loss is |Q - target|^2 / 2.

use parametrize::{Context, Kind, Module, Queue, Result, View};

const ORIGINAL: &str = "parametrizations.weight.original";

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "cpu".to_string());
    let target = [0.6, -0.8, 0.8, 0.6];
    let mut x = [0.0; 4];
    let context = Context::new()?;
    let queue = Queue::open(&context, &device)?;
    let mut layer = Module::on(&queue, "Linear")?;
    layer.add("weight", Kind::Parameter, View::new(&x, &[2, 2])?)?;
    layer.register("weight", "skew,cayley")?;
    for step in 0..=60 {
        let q: Vec<f64> = layer.read_vec("weight")?;
        let g: Vec<f64> = q.iter().zip(&target).map(|(q, t)| q - t).collect();
        if step % 20 == 0 {
            println!(
                "step {}: loss {:.3e}",
                step,
                g.iter().map(|g| g * g).sum::<f64>() / 2.0
            );
        }
        layer.zero_gradients()?;
        layer.backward("weight", View::new(&g, &[2, 2])?)?;
        let gx: Vec<f64> = layer.read_gradient_vec(ORIGINAL)?;
        x.iter_mut().zip(&gx).for_each(|(x, g)| *x -= 0.1 * g);
        layer.set(ORIGINAL, View::new(&x, &[2, 2])?)?;
    }
    let q: Vec<f64> = layer.read_vec("weight")?;
    println!("{:.4} {:.4}", q[0], q[1]);
    Ok(())
}
