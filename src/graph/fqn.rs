//! Names as `fqn:` (the default method) takes them: a node's own name, or the beginning of its fully qualified name.

use super::wildcard;

/// A value of the method, taken apart once for many nodes.
pub(super) struct NamePattern {
    text: String,
    parts: Vec<String>,
    /// The first part with a wildcard, and the pattern from there on.
    wild: Option<(usize, String)>,
}

impl NamePattern {
    pub(super) fn new(text: &str) -> Self {
        let parts: Vec<String> = text.split('.').map(ToString::to_string).collect();
        let wild = parts.iter().position(|part| wildcard::is_pattern(part)).map(|at| (at, parts[at..].join(".")));
        Self { text: text.to_string(), parts, wild }
    }

    /// Does it select a node of that fqn, with or without the package in front? A versioned model's fqn ends in `name`, `v1`.
    pub(super) fn selects(&self, fqn: &[String], versioned: bool) -> bool {
        if fqn.is_empty() {
            return false;
        }
        self.names(fqn, versioned) || self.begins(fqn, versioned) || self.begins(&fqn[1..], versioned)
    }

    /// The node's own name: `orders`; of a versioned model also `orders.v1` and `orders_v1`.
    fn names(&self, fqn: &[String], versioned: bool) -> bool {
        let Some((last, before)) = fqn.split_last() else { return false };
        if !versioned {
            return *last == self.text;
        }
        let Some(name) = before.last() else { return false };
        if *name == self.text {
            return true;
        }
        let tail = &self.parts[self.parts.len().saturating_sub(2)..];
        let joined = tail.join("_");
        joined.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('_')).is_some_and(|version| version == last)
    }

    /// The parts of the name from the front, dots inside of a part counting as separators; from the first wildcard on, the
    /// whole rest. A lone wildcard is also compared with the node's own name.
    fn begins(&self, fqn: &[String], versioned: bool) -> bool {
        let plain = self.wild.as_ref().map_or(self.parts.len(), |(at, _)| *at);
        let mut flat = fqn.iter().flat_map(|part| part.split('.'));
        if !self.parts[..plain].iter().all(|part| flat.next() == Some(part.as_str())) {
            return false;
        }
        let Some((_, pattern)) = &self.wild else { return true };
        let rest: Vec<&str> = flat.collect();
        if plain + rest.len() < self.parts.len() {
            return false;
        }
        if wildcard::matches(&rest.join("."), pattern) {
            return true;
        }
        let leaf = if versioned { fqn.len().checked_sub(2) } else { fqn.len().checked_sub(1) };
        self.parts.len() == 1 && leaf.and_then(|at| fqn.get(at)).is_some_and(|leaf| wildcard::matches(leaf, &self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::NamePattern;

    #[test]
    fn names_and_qualified_names_select() {
        for (fqn, versioned, value, expected) in [
            ("shop/marts/orders", false, "orders", true),
            ("shop/marts/orders", false, "marts", true),
            ("shop/marts/orders", false, "shop", true),
            ("shop/marts/orders", false, "shop.marts", true),
            ("shop/marts/orders", false, "marts.orders", true),
            ("shop/marts/orders", false, "shop.orders", false),
            ("shop/marts/orders", false, "order", false),
            ("shop/marts/orders", false, "shop.marts.orders.x", false),
            ("shop/marts/orders", false, "*", true),
            ("shop/marts/orders", false, "ord*", true),
            ("shop/marts/orders", false, "mar*s", true),
            ("shop/marts/orders", false, "shop.*.orders", true),
            ("shop/marts/orders", false, "shop.*", true),
            ("shop/marts/orders", false, "*.orders", true),
            ("shop/marts/orders", false, "shop.ord*", false),
            ("shop/marts/orders", false, "o?ders", true),
            ("shop/marts/orders", false, "[n-p]rders", true),
            ("shop/a.b/orders", false, "a.b.orders", true),
            ("shop/a.b", false, "a.b", true),
            ("shop/dim/v1", true, "dim", true),
            ("shop/dim/v1", true, "dim.v1", true),
            ("shop/dim/v1", true, "dim_v1", true),
            ("shop/dim/v1", true, "shop.dim.v1", true),
            ("shop/dim/v1", true, "dim.v2", false),
            ("shop/dim/v1", true, "v1", false),
            ("shop/dim/v1", true, "d?m", true),
            ("shop/dim/v1", true, "v?", false),
            ("shop/sub/dim/v1", true, "sub.*", true),
        ] {
            let fqn: Vec<String> = fqn.split('/').map(ToString::to_string).collect();
            assert_eq!(NamePattern::new(value).selects(&fqn, versioned), expected, "{fqn:?} by {value}");
        }
    }
}
