//! The only test binary: what users see, through the program itself, and rules about the code.

#![expect(clippy::disallowed_methods, reason = "tests set up folders of their own")]

mod artifacts;
mod deps;
mod docs_site;
mod examples;
mod interruption;
mod json_log;
mod postgres;
mod postgres_faults;
mod postgres_login;
mod postgres_replacing;
mod postgres_server;
mod program;
mod projects;
mod python_models;
mod selection;
mod tidy;
