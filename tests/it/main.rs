//! The only test binary: what users see, through the program itself, and rules about the code.

mod artifacts;
mod examples;
mod program;
mod projects;
mod selection;
mod tidy;
