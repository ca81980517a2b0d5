//! Says to the linker what cannot be said in the manifest.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of_gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if of_gnu && glibc().is_some_and(|version| version >= (2, 36)) {
        // A megabyte less: relocations in a packed form, which an older glibc would not load.
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
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
