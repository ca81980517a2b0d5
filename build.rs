//! Says to the linker what cannot be said in the manifest.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The profile that the compiler is called with.
    println!("cargo:rerun-if-changed=.cargo");
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

/// Whether the linker is rustc's own, as it is for this target where it comes with one and nobody chose another.
fn links_by_lld() -> bool {
    let target = "x86_64-unknown-linux-gnu";
    let is_usual = std::env::var("TARGET").is_ok_and(|name| name == target);
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_chosen = std::env::var_os("RUSTC_LINKER").is_some()
        || ["-fuse-ld", "linker"]
            .iter()
            .any(|word| flags.contains(word));
    let lld = rustc("--print=sysroot").map(|sysroot| {
        let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(target);
        libraries.join("bin/gcc-ld/ld.lld").exists()
    });
    is_usual && !is_chosen && lld == Some(true)
}

/// What the compiler says when it is asked.
fn rustc(question: &str) -> Option<String> {
    let compiler = std::env::var_os("RUSTC")?;
    let said = Command::new(compiler).arg(question).output().ok()?;
    String::from_utf8(said.stdout).ok()
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
