//! Says to the linker what cannot be said in the manifest.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of_gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if of_gnu && glibc().is_some_and(|version| version >= (2, 36)) {
        // A megabyte less: relocations in a packed form, which an older glibc would not load.
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let is_optimized = std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    if is_optimized && links_by_lld() {
        // Half a megabyte less: functions that came out the same are there once.
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// Whether the linker is rustc's own, as it is for this target from 1.90 on where nobody chose another.
fn links_by_lld() -> bool {
    let is_usual = std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_chosen = std::env::var_os("RUSTC_LINKER").is_some() || flags.contains("-fuse-ld");
    is_usual && !is_chosen && rustc().is_some_and(|version| version >= (1, 90))
}

/// The version of the compiler.
fn rustc() -> Option<(u32, u32)> {
    let said = Command::new(std::env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let mut parts = said.strip_prefix("rustc ")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The version of this machine's C library.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
