//! lineal runs dbt projects: see ARCHITECTURE.md for the way of one model, from file to table.

pub mod adapter;
pub mod agate;
pub mod artifacts;
pub mod cli;
pub mod compile;
pub mod diagnostic;
pub mod docs;
pub mod event;
pub mod execute;
pub mod fs;
pub mod graph;
pub mod invocation;
pub mod jinja;
pub mod manifest;
pub mod parse;
pub mod plan;
pub mod project;
pub mod report;
pub mod resolve;
pub mod semantic;
pub mod sql;
mod text;
pub mod yaml;

#[cfg(all(feature = "shared", feature = "bundled"))]
compile_error!("DuckDB is either opened as a shared library or compiled in: --no-default-features --features bundled");
