//! The files of `docs-site/`, carried by the binary: templates, styles and scripts.

use std::borrow::Cow;

macro_rules! carried {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../docs-site/", $name)))),*]
    };
}

/// Name and text. `*.html` are templates, the others lie in the site's `assets/`.
pub static FILES: &[(&str, &str)] = carried![
    "404.html",
    "base.html",
    "changes.html",
    "column.html",
    "entries.html",
    "entry-markdown.js",
    "entry.css",
    "entry.html",
    "entry.js",
    "freshness.html",
    "group.html",
    "index.html",
    "lineage-data.js",
    "lineage-erd.html",
    "lineage-erd.js",
    "lineage-graph.html",
    "lineage-layout.js",
    "lineage-look.js",
    "lineage-paint.js",
    "lineage-scene.js",
    "lineage-select.js",
    "lineage-state.js",
    "lineage-view.js",
    "lineage.css",
    "lineage.html",
    "lineage.js",
    "list.html",
    "macro.html",
    "node.html",
    "parts.html",
    "run.html",
    "runs.html",
    "search.js",
    "site.css",
    "site.js",
    "test.html",
    "tests-of.html",
    "tests.html",
    "theme.js",
    "tree.html",
];

/// The parts of `assets/lineage.js`, in the order in which they build on each other: one script is read faster than ten.
const LINEAGE: [&str; 10] = [
    "lineage-data.js",
    "lineage-select.js",
    "lineage-layout.js",
    "lineage-scene.js",
    "lineage-look.js",
    "lineage-paint.js",
    "lineage-view.js",
    "lineage-state.js",
    "lineage-erd.js",
    "lineage.js",
];

/// The files of `assets/`. `entry*` are put into pages that stand alone.
pub fn assets() -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
    let apart = |name: &str| !name.ends_with(".html") && !name.starts_with("entry") && !LINEAGE.contains(&name);
    let lineage = LINEAGE.map(text).concat();
    let single = FILES.iter().filter(move |(name, _)| apart(name)).map(|(name, text)| (*name, Cow::Borrowed(*text)));
    single.chain([("lineage.js", Cow::Owned(lineage))])
}

/// The text of one of them.
pub fn text(name: &str) -> &'static str {
    FILES.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Disk, FileSystem};

    #[test]
    fn all_files_are_carried() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs-site");
        let there = Disk.entries(&folder).expect("lists");
        let names = there.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        let names: Vec<String> = names.filter(|name| name != "README.md").collect();
        let carried: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, carried);
        let scripts: Vec<&str> =
            carried.into_iter().filter(|name| name.starts_with("lineage") && name.ends_with(".js")).collect();
        let mut joined = LINEAGE;
        joined.sort_unstable();
        assert_eq!(scripts, joined);
    }
}
