// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Errors of the library inside those of the program, with a way on for some of them.

use parametrize::{Context, File, Kind, LoadSettings, Module, Status, View};
use std::fmt;

#[derive(Debug)]
enum Failure {
    Constraint(parametrize::Error),
    NoModel(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Constraint(error) => write!(f, "{:?}: {}", error.status(), error),
            Failure::NoModel(path) => write!(f, "no model at {}", path),
        }
    }
}

impl std::error::Error for Failure {}

impl From<parametrize::Error> for Failure {
    fn from(error: parametrize::Error) -> Failure {
        Failure::Constraint(error)
    }
}

fn load(context: &Context, path: &'static str) -> Result<Module, Failure> {
    match File::open(path) {
        Ok(file) => Ok(Module::from_file(context, &file, &LoadSettings::default())?),
        Err(error) if error.status() == Status::NotFound => Err(Failure::NoModel(path)),
        Err(error) => Err(error.into()),
    }
}

fn run() -> Result<(), Failure> {
    let context = Context::new()?;
    match load(&context, "absent.safetensors") {
        Err(Failure::NoModel(path)) => println!("beginning anew, without {}", path),
        other => drop(other?),
    }
    let mut layer = Module::new(&context, "Linear")?;
    layer.add("gains", Kind::Parameter, View::new(&[1.0, 2.0], &[2])?)?;
    layer.register("gains", "positive")?;
    layer.set("gains", View::new(&[1.0, -2.0], &[2])?)?; // outside of the set
    Ok(())
}

fn main() {
    if let Err(failure) = run() {
        println!("{}", failure);
    }
}
