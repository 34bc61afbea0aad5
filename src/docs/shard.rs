//! Data for scripts, as scripts: pages opened from a folder may load nothing else.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use super::templates::File;

/// `data/<name>.js`, which puts the base64 of deflated bytes at `lineal.data[name]`.
pub fn packed(name: &str, bytes: &[u8], level: Compression) -> File {
    let mut encoder = DeflateEncoder::new(Vec::new(), level);
    // Writing into memory does not fail.
    let deflated = encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default();
    let mut out = format!("lineal.data[{}]=\"", serde_json::json!(name));
    out.push_str(&base64(&deflated));
    out.push_str("\";\n");
    File::new(format!("data/{name}.js"), out)
}

/// The same of a value's JSON.
pub fn shard(name: &str, value: &impl Serialize) -> File {
    packed(name, &serde_json::to_vec(value).unwrap_or_default(), Compression::new(6))
}

/// Standard base64, padded.
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64() {
        assert_eq!([b"".as_slice(), b"f", b"fo", b"foo", b"foob"].map(base64), ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
    }

    #[test]
    fn a_shard_registers_itself() {
        let file = shard("words/ab", &[1, 2]);
        assert_eq!(file.path, "data/words/ab.js");
        assert!(String::from_utf8(file.content).expect("text").starts_with("lineal.data[\"words/ab\"]=\""));
    }
}
