//! Tells the linker where the shared DuckDB library is found at run time, unless it is compiled in, and reads the macro
//! library once: its texts with an index of their blocks and calls go into the binary as data, so that no start reads them.

#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files by itself")]

#[expect(dead_code, reason = "the parts that the reader of Jinja's text needs")]
#[path = "src/diagnostic.rs"]
mod diagnostic;
#[path = "src/manifest"]
mod manifest {
    mod macro_argument;
    pub use macro_argument::MacroArgument;
}
#[path = "src/jinja"]
mod jinja {
    #[expect(dead_code, unused_imports, reason = "blocks and calls are all that is needed here")]
    mod syntax;
    pub use syntax::blocks::{Block, BlockKind};

    pub fn blocks(source: &crate::diagnostic::SourceText) -> (Vec<Block>, Vec<crate::diagnostic::Diagnostic>) {
        syntax::blocks::blocks(source)
    }

    pub fn macro_calls(text: &str) -> Vec<syntax::calls::StaticCall> {
        syntax::static_calls(text)
    }
}

use std::fmt::Write;
use std::path::{Path, PathBuf};

use jinja::{Block, BlockKind};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=macros");
    println!("cargo:rerun-if-changed=models");
    println!("cargo:rerun-if-changed=src/jinja/syntax");
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_none() {
        // target/<profile>/lineal and target/<profile>/deps/<test> both look into target/libduckdb.
        for depth in ["..", "../.."] {
            println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/{depth}/libduckdb");
        }
    }
    // At a fixed address nothing is relocated at the start: 1.9 MB of tables otherwise, a sixth of a short command's time, and twice
    // that with DuckDB compiled in.
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("macros");
    let into = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo")).join("library.rs");
    std::fs::write(into, library(&root)).expect("the index of the macro library is written");
}

/// The expression `&[LibraryFile { … }, …]`, files in the order of their paths.
fn library(root: &Path) -> String {
    let mut paths = Vec::new();
    collect(root, &mut paths);
    paths.sort();
    let mut out = String::from("&[\n");
    for path in paths {
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        let Some((package, name)) = name.split_once('/') else { continue };
        let _ = writeln!(
            out,
            "LibraryFile {{ package: {package:?}, path: {name:?}, text: include_str!({:?}), blocks: &[",
            path.display().to_string()
        );
        if path.extension().is_some_and(|extension| extension == "sql") {
            let text = std::fs::read_to_string(&path).expect("a macro file is UTF-8");
            let source = diagnostic::SourceText::new(name, text.as_str());
            let (blocks, faults) = jinja::blocks(&source);
            assert!(faults.is_empty(), "macros/{package}/{name}: {faults:?}");
            for found in blocks {
                block(&text, &found, &mut out);
            }
        }
        out.push_str("] },\n");
    }
    out.push_str("]\n");
    out
}

fn block(text: &str, block: &Block, out: &mut String) {
    let kind = match &block.kind {
        BlockKind::Macro { signature } => format!("LibraryKind::Macro(&[{}])", arguments(signature)),
        BlockKind::Test { signature } => format!("LibraryKind::Test(&[{}])", arguments(signature)),
        BlockKind::Materialization { adapter, supported_languages } => {
            format!("LibraryKind::Materialization {{ adapter: {adapter:?}, supported_languages: &{supported_languages:?} }}")
        }
        BlockKind::Snapshot | BlockKind::Docs => return,
    };
    let (start, end) = (block.span.start, block.span.end);
    let (body_start, body_end) = (block.body.start, block.body.end);
    let _ = write!(
        out,
        "LibraryBlock {{ name: {:?}, kind: {kind}, span: ({start}, {end}), body: ({body_start}, {body_end}), calls: &[",
        block.name
    );
    for call in jinja::macro_calls(&text[start..end]) {
        let _ = write!(out, "({:?}, {:?}, {}), ", call.package, call.name, call.dispatch);
    }
    out.push_str("] },\n");
}

fn arguments(signature: &[manifest::MacroArgument]) -> String {
    let mut out = String::new();
    for argument in signature {
        let _ = write!(out, "({:?}, {:?}), ", argument.name, argument.kind);
    }
    out
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("macros/ is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.push(path);
        }
    }
}
