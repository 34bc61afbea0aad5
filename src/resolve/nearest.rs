//! Which known name was probably meant.

/// The known name that is closest to `name`, if any is close enough to be a slip of the keyboard.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 4);
    let lower = name.to_lowercase();
    known
        .into_iter()
        .filter(|other| other.len().abs_diff(name.len()) <= limit + 3)
        .map(|other| (distance(&lower, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, other)| (*distance, *other))
        .map(|(_, other)| other)
}

/// A hint for a diagnostic: `did you mean 'x'?`.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|other| format!("did you mean '{other}'?"))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (right, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let cost = if left == *right { diagonal } else { diagonal + 1 };
            diagonal = *cell;
            before = cost.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        assert_eq!(nearest("stg_order", ["stg_orders", "stg_customers"]), Some("stg_orders"));
        assert_eq!(nearest("payments", ["stg_orders", "customers"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
