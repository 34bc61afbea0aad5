//! Tells the linker where the shared DuckDB library is found at run time, unless it is compiled in.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=macros");
    println!("cargo:rerun-if-changed=models");
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_none() {
        // target/<profile>/lineal and target/<profile>/deps/<test> both look into target/libduckdb.
        for depth in ["..", "../.."] {
            println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/{depth}/libduckdb");
        }
    }
}
