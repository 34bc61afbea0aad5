//! Compile: one node and a session become its SQL.

pub mod ctes;
pub mod query_comment;
pub mod relation_cache;
