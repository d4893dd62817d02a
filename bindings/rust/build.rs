// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Finds the library by pkg-config. The tests and examples of this crate find it again when they run;
//! other programs need LD_LIBRARY_PATH or an rpath of their own.

use std::process::{exit, Command};

fn fail(message: &str) -> ! {
    eprintln!("{}", message);
    exit(1)
}

/// The words of what pkg-config prints, in which a backslash keeps the character after it.
fn words(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut characters = text.trim().chars();
    while let Some(c) = characters.next() {
        let last = all.len() - 1;
        match c {
            '\\' => all[last].extend(characters.next()),
            c if c.is_whitespace() => all.push(String::new()),
            c => all[last].push(c),
        }
    }
    all
}

fn main() {
    for name in ["PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"] {
        println!("cargo:rerun-if-env-changed={}", name);
    }
    let command = std::env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_string());
    let done = Command::new(&command)
        .args(["--libs", "parametrize-1 >= 1.0"])
        .output();
    let out = match done {
        Ok(out) if out.status.success() => out.stdout,
        Ok(out) => fail(&String::from_utf8_lossy(&out.stderr)),
        Err(error) => fail(&format!("{}: {}", command, error)),
    };
    for word in words(&String::from_utf8_lossy(&out)) {
        if let Some(folder) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={}", folder);
            println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder);
        } else if let Some(name) = word.strip_prefix("-l") {
            println!("cargo:rustc-link-lib={}", name);
        }
    }
}
