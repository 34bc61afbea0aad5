//! `require-dbt-version`: dbt's version ranges, compared with the dbt version that lineal is compatible with.

mod range;

use std::cmp::Ordering;
use std::fmt;

pub use range::{Range, installable, suits_our_dbt};

/// The dbt release whose behaviour lineal has: what `dbt_version` says, and what packages' requirements are checked against.
pub const DBT_VERSION: &str = "1.12.6";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matcher {
    Above,
    AtLeast,
    Below,
    AtMost,
    Exact,
}

/// One bound, such as `>=1.3.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    matcher: Matcher,
    numbers: [u64; 3],
    prerelease: Option<String>,
}

impl Bound {
    /// Reads `[>|>=|<|<=|=]major.minor.patch[-prerelease][+build]`; the error is the sentence to show.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text.trim()).ok_or_else(|| format!("'{text}' is not a version like '>=1.3.0'"))
    }

    fn read(text: &str) -> Option<Self> {
        let (matcher, rest) = [
            (">=", Matcher::AtLeast),
            ("<=", Matcher::AtMost),
            (">", Matcher::Above),
            ("<", Matcher::Below),
            ("=", Matcher::Exact),
        ]
        .into_iter()
        .find_map(|(sign, matcher)| text.strip_prefix(sign).map(|rest| (matcher, rest)))
        .unwrap_or((Matcher::Exact, text));
        let (rest, build) = rest.split_once('+').map_or((rest, ""), |(rest, build)| (rest, build));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !build.bytes().all(allowed) {
            return None;
        }
        let mut parts = rest.splitn(3, '.');
        let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = patch.bytes().take_while(u8::is_ascii_digit).count();
        let (patch, prerelease) = patch.split_at(digits);
        let prerelease = prerelease.strip_prefix('-').unwrap_or(prerelease);
        if !prerelease.bytes().all(allowed) {
            return None;
        }
        let number = |part: &str| (part == "0" || !part.starts_with('0')).then(|| part.parse().ok()).flatten();
        Some(Self {
            matcher,
            numbers: [number(major)?, number(minor)?, number(patch)?],
            prerelease: (!prerelease.is_empty()).then(|| prerelease.to_owned()),
        })
    }

    /// Does the version fall within this bound?
    fn admits(&self, version: &Self) -> bool {
        let order = version.order(self);
        match self.matcher {
            Matcher::Above => order == Ordering::Greater,
            Matcher::AtLeast => order != Ordering::Less,
            // A prerelease of the excluded version is excluded as well.
            Matcher::Below => order == Ordering::Less && (self.prerelease.is_some() || version.numbers != self.numbers),
            Matcher::AtMost => order != Ordering::Greater,
            Matcher::Exact => order == Ordering::Equal,
        }
    }

    /// By version alone; a prerelease comes before its release.
    fn order(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (&self.prerelease, &other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(ours), Some(theirs)) => prerelease_order(ours, theirs),
        })
    }
}

/// Part by part; numbers come before words.
fn prerelease_order(ours: &str, theirs: &str) -> Ordering {
    for (our, their) in ours.split('.').zip(theirs.split('.')) {
        let order = match (our.parse::<u64>(), their.parse::<u64>()) {
            (Ok(our), Ok(their)) => our.cmp(&their),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => our.cmp(their),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    ours.len().cmp(&theirs.len())
}

impl fmt::Display for Bound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.matcher {
            Matcher::Above => ">",
            Matcher::AtLeast => ">=",
            Matcher::Below => "<",
            Matcher::AtMost => "<=",
            Matcher::Exact => "=",
        };
        let [major, minor, patch] = self.numbers;
        write!(out, "{sign}{major}.{minor}.{patch}")?;
        self.prerelease.as_ref().map_or(Ok(()), |prerelease| write!(out, "-{prerelease}"))
    }
}

/// What a set of bounds says of the dbt version we are compatible with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// Another dbt is asked for.
    Differs,
    /// No version could ever satisfy all of them.
    Impossible,
}

/// Compares our dbt version with all bounds together.
pub fn check(bounds: &[Bound]) -> Verdict {
    let is_lower = |bound: &&Bound| matches!(bound.matcher, Matcher::Above | Matcher::AtLeast);
    let is_upper = |bound: &&Bound| matches!(bound.matcher, Matcher::Below | Matcher::AtMost);
    let open = |low: &Bound, high: &Bound| match low.order(high) {
        Ordering::Less => true,
        Ordering::Equal => low.matcher == Matcher::AtLeast && high.matcher == Matcher::AtMost,
        Ordering::Greater => false,
    };
    let ranges_meet = bounds.iter().filter(is_lower).all(|low| bounds.iter().filter(is_upper).all(|high| open(low, high)));
    let exact_fit =
        bounds.iter().filter(|bound| bound.matcher == Matcher::Exact).all(|one| bounds.iter().all(|bound| bound.admits(one)));
    if !ranges_meet || !exact_fit {
        return Verdict::Impossible;
    }
    match Bound::read(DBT_VERSION) {
        Some(ours) if bounds.iter().all(|bound| bound.admits(&ours)) => Verdict::Holds,
        _ => Verdict::Differs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bounds: &[&str]) -> Verdict {
        check(&bounds.iter().map(|bound| Bound::parse(bound).expect(bound)).collect::<Vec<_>>())
    }

    #[test]
    fn bounds_are_checked_against_our_dbt() {
        assert_eq!(verdict(&[]), Verdict::Holds);
        assert_eq!(verdict(&[">=1.0.0", "<2.0.0"]), Verdict::Holds);
        assert_eq!(verdict(&[">=1.3.0-rc1", " <1.13.0 "]), Verdict::Holds);
        assert_eq!(verdict(&["1.12.6"]), Verdict::Holds);
        assert_eq!(verdict(&["=1.12.5"]), Verdict::Differs);
        assert_eq!(verdict(&[">1.12.6"]), Verdict::Differs);
        assert_eq!(verdict(&["<1.12.6"]), Verdict::Differs);
        assert_eq!(verdict(&["<=1.12.6"]), Verdict::Holds);
        assert_eq!(verdict(&[">=2.0.0"]), Verdict::Differs);
        assert_eq!(verdict(&[">=1.0.0", "<1.0.0"]), Verdict::Impossible);
        assert_eq!(verdict(&[">2.0.0", "<1.0.0"]), Verdict::Impossible);
        assert_eq!(verdict(&["1.0.0", "1.1.0"]), Verdict::Impossible);
    }

    #[test]
    fn what_is_no_version_is_said() {
        for text in ["1.0", ">=1", "~1.0.0", "latest", "01.0.0", ""] {
            assert!(Bound::parse(text).is_err(), "{text}");
        }
        assert_eq!(Bound::parse(">=1.0.0-b1+x").unwrap().to_string(), ">=1.0.0-b1");
    }
}
