//! The program: everything is in the library.

use std::process::ExitCode;

/// Start-up and parsing are mostly small allocations: a fifth of their instructions with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc's `mi_option_purge_delay` (mimalloc.h; the bindings name neither): after how many milliseconds memory that
/// is free goes back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// mimalloc's `mi_option_destroy_on_exit`: above 1, nothing at all is done at the exit.
const DESTROY_ON_EXIT: libmimalloc_sys::mi_option_t = 22;

fn main() -> ExitCode {
    set_up_memory();
    lineal::cli::main()
}

/// A large seed frees and takes the same memory again and again: where it goes back at once, as is usual, the system
/// clearing its pages takes a fifth of the time. At the exit the system takes all back at once: giving it page by page
/// before is a twentieth of a short command's time.
#[expect(unsafe_code, reason = "options of the allocator are set through its C interface")]
fn set_up_memory() {
    // SAFETY: they store a number, and no other thread runs yet.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 60_000);
        libmimalloc_sys::mi_option_set(DESTROY_ON_EXIT, 2);
    }
}
