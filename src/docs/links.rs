//! Where pages lie: names become paths that survive a rebuild and any file system.

use std::collections::{HashMap, HashSet};

/// Longer names are cut: file systems allow 255 bytes, and a link should be readable.
const LONGEST: usize = 100;

/// A name as one part of a path. What a file system or an address might take amiss is replaced, and a mark made of `id` is
/// added then, so that two names never meet.
pub fn slug(name: &str, id: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    let mut changed = !name.chars().all(allowed);
    let mut text = if changed { name.replace(|letter| !allowed(letter), "-") } else { name.to_owned() };
    if text.len() > LONGEST {
        text.truncate(LONGEST - 7);
        changed = true;
    }
    let stem = text.split('.').next().unwrap_or_default();
    changed |= text.is_empty() || text.starts_with('.') || text.ends_with('.') || is_reserved(stem);
    if changed { format!("{}-{}", text.trim_matches('.'), mark(id)) } else { text }
}

/// Names that Windows keeps for devices, and the one that servers show for a folder, in any case.
fn is_reserved(stem: &str) -> bool {
    let is = |text: &str, names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
    let number = stem.strip_suffix(|last: char| last.is_ascii_digit());
    is(stem, &["con", "prn", "aux", "nul", "index"]) || number.is_some_and(|device| is(device, &["com", "lpt"]))
}

fn mark(id: &str) -> String {
    blake3::hash(id.as_bytes()).to_hex()[..6].to_owned()
}

/// Paths of pages, as (folder, name, id) each. Where two differ in nothing but case, all are marked that are not in lower case.
pub fn urls<'a>(pages: impl Iterator<Item = (String, &'a str, &'a str)>) -> Vec<String> {
    let pages: Vec<(String, String, &str)> = pages.map(|(folder, name, id)| (folder, slug(name, id), id)).collect();
    let mut count: HashMap<String, usize> = HashMap::with_capacity(pages.len());
    for (folder, slug, _) in &pages {
        *count.entry(format!("{folder}/{slug}").to_ascii_lowercase()).or_default() += 1;
    }
    let mut seen = HashSet::with_capacity(pages.len());
    let finished = pages.into_iter().map(|(folder, slug, id)| {
        let path = format!("{folder}/{slug}");
        let folded = path.to_ascii_lowercase();
        let alone = count.get(&folded).is_none_or(|count| *count == 1);
        let first = seen.insert(path.clone());
        if alone || (folded == path && first) { format!("{path}.html") } else { format!("{path}-{}.html", mark(id)) }
    });
    finished.collect()
}

/// The anchor of a column on its node's page.
pub fn anchor(column: &str) -> String {
    format!("c-{}", slug(&column.to_lowercase(), column))
}

/// From a page's address back to the site's folder: `../` for each folder it is in.
pub fn root(url: &str) -> String {
    "../".repeat(url.matches('/').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<String> {
        urls(names.iter().map(|name| ("node/shop".to_owned(), *name, *name)))
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        assert_eq!(
            paths(&["orders", "orders.v2", "Customers"]),
            ["node/shop/orders.html", "node/shop/orders.v2.html", "node/shop/Customers.html"]
        );
    }

    #[test]
    fn names_that_collide_without_case_are_marked() {
        let paths = paths(&["Orders", "orders", "ORDERS"]);
        assert_eq!(paths[1], "node/shop/orders.html");
        assert!(paths[0].starts_with("node/shop/Orders-") && paths[2].starts_with("node/shop/ORDERS-"), "{paths:?}");
    }

    #[test]
    fn what_file_systems_refuse_is_marked() {
        for name in ["con", "Aux.v2", "index", "a/b", "..", "prix €", "", "a\"b<", &"x".repeat(300)] {
            let slug = slug(name, name);
            assert!(slug != name && slug.len() <= LONGEST && !slug.contains(['/', '<', '"']), "{name}: {slug}");
            assert!(!slug.starts_with('.'), "{slug}");
        }
    }

    #[test]
    fn the_way_back() {
        assert_eq!((root("index.html"), root("node/shop/a.html")), (String::new(), "../../".to_owned()));
    }
}
