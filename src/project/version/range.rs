//! Ranges of versions, for packages of the hub: how several requests are joined, and which version then fits
//! (dbt: `dbt_common.semver`).

use std::cmp::Ordering;
use std::fmt;

use super::{Bound, DBT_VERSION, Matcher, prerelease_order};

/// From a lowest to a highest version, each open where there is none; one exact version has it at both ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    start: Option<Bound>,
    end: Option<Bound>,
}

impl Range {
    /// What satisfies all bounds; None where nothing can.
    pub fn of(bounds: &[Bound]) -> Option<Self> {
        // The last one comes first, as in dbt: which of two equal bounds stays shows in messages.
        let Some((last, others)) = bounds.split_last() else { return Some(Self::default()) };
        others.iter().try_fold(Self::from(last), |range, bound| range.and(Self::from(bound)))
    }

    fn and(self, other: Self) -> Option<Self> {
        let (start, end) = match (&self.start, &other.start) {
            (Some(ours), Some(theirs)) if ours.is_exact() && theirs.is_exact() => {
                let one = (ours.against(theirs) == Ordering::Equal).then(|| ours.clone())?;
                (Some(one.clone()), Some(one))
            }
            _ => (
                tighter(self.start, other.start, Ordering::Less, Matcher::AtLeast)?,
                tighter(self.end, other.end, Ordering::Greater, Matcher::AtMost)?,
            ),
        };
        let crossed = matches!((&start, &end), (Some(start), Some(end)) if start.against(end) == Ordering::Greater);
        (!crossed).then_some(Self { start, end })
    }

    fn admits(&self, version: &Bound) -> bool {
        let bounds: Vec<Bound> = [Some(version), self.start.as_ref(), self.end.as_ref()].into_iter().flatten().cloned().collect();
        Self::of(&bounds).is_some()
    }

    /// The highest of those versions that lies within.
    pub fn highest<'a>(&self, versions: &'a [Installable]) -> Option<&'a Installable> {
        versions
            .iter()
            .filter(|one| self.admits(&one.bound))
            .reduce(|best, one| if best.bound.against(&one.bound) == Ordering::Less { one } else { best })
    }
}

/// The tighter of two bounds of the same end. `outward` says how the looser compares with an exact one that it allows.
#[expect(clippy::option_option, reason = "a contradiction, an open end, a bound")]
fn tighter(ours: Option<Bound>, theirs: Option<Bound>, outward: Ordering, closed: Matcher) -> Option<Option<Bound>> {
    let (ours, theirs) = match (ours, theirs) {
        (one, None) | (None, one) => return Some(one),
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    if !ours.is_exact() && !theirs.is_exact() {
        return Some(Some(if ours.against(&theirs) == outward { theirs } else { ours }));
    }
    let (exact, bound) = if ours.is_exact() { (ours, theirs) } else { (theirs, ours) };
    let order = bound.against(&exact);
    let allowed = order == outward || (order == Ordering::Equal && bound.matcher == closed);
    allowed.then_some(Some(exact))
}

impl From<&Bound> for Range {
    fn from(bound: &Bound) -> Self {
        let one = Some(bound.clone());
        match bound.matcher {
            Matcher::Exact => Self { start: one.clone(), end: one },
            Matcher::Above | Matcher::AtLeast => Self { start: one, end: None },
            Matcher::Below | Matcher::AtMost => Self { start: None, end: one },
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.start, &self.end) {
            (None, None) => out.write_str("ANY"),
            (Some(one), None) | (None, Some(one)) => write!(out, "{one}"),
            (Some(start), Some(end)) => write!(out, "{start}, {end}"),
        }
    }
}

impl Bound {
    pub fn is_prerelease(&self) -> bool {
        self.prerelease.is_some()
    }

    fn is_exact(&self) -> bool {
        self.matcher == Matcher::Exact
    }

    fn is_lower(&self) -> bool {
        matches!(self.matcher, Matcher::Above | Matcher::AtLeast)
    }

    fn is_upper(&self) -> bool {
        matches!(self.matcher, Matcher::Below | Matcher::AtMost)
    }

    /// As bounds, not versions only: `<1.0.0` comes before `<=1.0.0`, and before every prerelease of 1.0.0.
    fn against(&self, other: &Self) -> Ordering {
        let versions = self.numbers.cmp(&other.numbers).then_with(|| match (&self.prerelease, &other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) if self.matcher == Matcher::Below => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(ours), Some(theirs)) => prerelease_order(ours, theirs),
        });
        versions.then_with(|| self.matchers_against(other))
    }

    fn matchers_against(&self, other: &Self) -> Ordering {
        use Matcher::{Above, AtLeast, AtMost, Below};
        match (self.matcher, other.matcher) {
            (AtLeast, AtMost) | (AtMost, AtLeast) => Ordering::Equal,
            (Below, AtMost) | (AtLeast, Above) => Ordering::Less,
            (AtMost, Below) | (Above, AtLeast) => Ordering::Greater,
            _ if self.is_upper() && other.is_lower() => Ordering::Less,
            _ if self.is_lower() && other.is_upper() => Ordering::Greater,
            _ => Ordering::Equal,
        }
    }
}

/// A version that the hub has.
#[derive(Debug, Clone)]
pub struct Installable {
    /// As the hub writes it.
    pub text: String,
    bound: Bound,
}

/// Of the versions that a package has those that may be installed, lowest first; what is no version is left out.
pub fn installable<'a>(versions: impl IntoIterator<Item = &'a str>, prereleases: bool) -> Vec<Installable> {
    let read = |text: &str| Some(Installable { text: text.to_owned(), bound: Bound::parse(text).ok()? });
    let mut found: Vec<Installable> = versions.into_iter().filter_map(read).collect();
    found.retain(|one| prereleases || !one.bound.is_prerelease());
    found.sort_by(|one, other| one.bound.against(&other.bound));
    found
}

/// Does the dbt that we are compatible with satisfy a package's `require_dbt_version`?
pub fn suits_our_dbt(required: &[Bound]) -> bool {
    let ours = Bound::parse(DBT_VERSION).ok();
    let bounds: Vec<Bound> = ours.into_iter().chain(required.iter().cloned()).collect();
    Range::of(&bounds).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(asked: &[&str], versions: &[&str], prereleases: bool) -> Option<String> {
        let bounds: Vec<Bound> = asked.iter().map(|text| Bound::parse(text).expect(text)).collect();
        let range = Range::of(&bounds)?;
        range.highest(&installable(versions.iter().copied(), prereleases)).map(|one| one.text.clone())
    }

    /// What dbt 1.12.6 chooses for the same input.
    #[test]
    fn the_highest_version_in_range_is_chosen() {
        let hub = ["0.9.0", "1.0.0-b1", "1.0.0", "1.1.0", "1.2.0-rc.2", "1.2.0-rc.10", "2.0.0-a1", "0.10.0"];
        let cases: &[(&[&str], bool, Option<&str>)] = &[
            (&[">=0.9.0", "<1.0.0"], false, Some("0.10.0")),
            (&[">=0.9.0", "<1.0.0"], true, Some("0.10.0")),
            (&[">=0.9.0", "<=1.0.0"], true, Some("1.0.0")),
            (&["1.1.0"], false, Some("1.1.0")),
            (&["=1.1.0", ">=1.0.0"], false, Some("1.1.0")),
            (&[">1.0.0", "<2.0.0"], false, Some("1.1.0")),
            (&[">1.0.0", "<2.0.0"], true, Some("1.2.0-rc.10")),
            (&[">=1.0.0"], true, Some("2.0.0-a1")),
            (&["1.0.0-b1"], true, Some("1.0.0-b1")),
            (&["1.0.0", "1.1.0"], false, None),
            (&[">=2.0.0", "<1.0.0"], false, None),
            (&[">1.1.0", "1.1.0"], false, None),
            (&["<1.1.0", "1.1.0"], false, None),
            (&["<=1.1.0", "1.1.0"], false, Some("1.1.0")),
            (&[], false, Some("1.1.0")),
            (&[">=3.0.0"], true, None),
        ];
        for (asked, prereleases, expected) in cases {
            assert_eq!(chosen(asked, &hub, *prereleases).as_deref(), *expected, "{asked:?}");
        }
    }

    #[test]
    fn ranges_are_shown_as_dbt_shows_them() {
        let shown = |asked: &[&str]| {
            let bounds: Vec<Bound> = asked.iter().map(|text| Bound::parse(text).expect(text)).collect();
            Range::of(&bounds).expect("a range").to_string()
        };
        assert_eq!(shown(&[]), "ANY");
        assert_eq!(shown(&["1.0.0"]), "=1.0.0, =1.0.0");
        assert_eq!(shown(&[">=1.0.0", "<2.0.0"]), ">=1.0.0, <2.0.0");
        assert_eq!(shown(&["<2.0.0"]), "<2.0.0");
    }
}
