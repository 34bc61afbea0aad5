//! Compile: one node and a session become its SQL.

pub mod ctes;
