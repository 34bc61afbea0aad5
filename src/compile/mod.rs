//! Compile: one node and a session become its SQL.

pub mod adapter_object;
pub mod ctes;
pub mod foreign_keys;
pub mod query_comment;
pub mod relation_cache;
pub mod session;
mod statement;
pub mod warehouse;
