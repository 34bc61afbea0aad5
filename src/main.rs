//! The program: everything is in the library.

use std::process::ExitCode;

/// Start-up and parsing are mostly small allocations: a fifth of their instructions with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lineal::cli::main()
}
