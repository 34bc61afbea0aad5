//! The program: everything is in the library.

use std::process::ExitCode;

/// Start-up and parsing are mostly small allocations: a fifth of their instructions with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc's `mi_option_purge_delay` (mimalloc.h; the bindings do not name it): after how many milliseconds memory that
/// is free goes back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    keep_memory_for_a_minute();
    lineal::cli::main()
}

/// A large seed frees and takes the same memory again and again: where it goes back at once, as is usual, the system
/// clearing its pages takes a fifth of the time.
#[expect(unsafe_code, reason = "options of the allocator are set through its C interface")]
fn keep_memory_for_a_minute() {
    // SAFETY: it stores a number, and no other thread runs yet.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 60_000) };
}
