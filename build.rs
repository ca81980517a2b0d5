//! Says to the linker what cannot be said in the manifest.

fn main() {
    // A megabyte less: relocations in a packed form, which glibc reads since 2.36. Linkers that do not know it leave
    // it out.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    println!("cargo:rerun-if-changed=build.rs");
}
