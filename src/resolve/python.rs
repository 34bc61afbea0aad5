//! Texts in Python's own notation, where dbt hashes them: checksums and ids depend on every character.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use sha2::Sha256;

pub use crate::parse::python::{repr, text};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
