//! A set of the graph's nodes, as bits by position: selections of many thousand nodes are combined word by word.

/// Positions of nodes in one graph. Sets that are combined must come from the same graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// The empty set, with room for `nodes` positions.
    pub fn empty(nodes: usize) -> Self {
        Self { words: vec![0; nodes.div_ceil(64)] }
    }

    /// Adds a position; true if it was not there. Grows where it must.
    pub fn insert(&mut self, position: usize) -> bool {
        let (word, bit) = (position / 64, 1_u64 << (position % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        fresh
    }

    pub fn contains(&self, position: usize) -> bool {
        self.words.get(position / 64).is_some_and(|word| word & (1_u64 << (position % 64)) != 0)
    }

    pub fn union_with(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
    }

    pub fn intersect_with(&mut self, other: &Self) {
        for (index, mine) in self.words.iter_mut().enumerate() {
            *mine &= other.words.get(index).copied().unwrap_or(0);
        }
    }

    pub fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine &= !theirs;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The positions in it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

impl FromIterator<usize> for NodeSet {
    fn from_iter<T: IntoIterator<Item = usize>>(positions: T) -> Self {
        let mut set = Self::default();
        for position in positions {
            set.insert(position);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::NodeSet;

    #[test]
    fn positions_come_back_in_order_across_words() {
        let set: NodeSet = [200, 3, 64, 63, 3].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 64, 200]);
        assert!(set.contains(200) && !set.contains(201) && !set.contains(100_000));
    }

    #[test]
    fn sets_of_different_length_combine() {
        let short: NodeSet = [1, 2].into_iter().collect();
        let long: NodeSet = [2, 300].into_iter().collect();
        let mut both = short.clone();
        both.union_with(&long);
        assert_eq!(both.iter().collect::<Vec<_>>(), [1, 2, 300]);
        let mut common = long.clone();
        common.intersect_with(&short);
        assert_eq!(common.iter().collect::<Vec<_>>(), [2]);
        let mut rest = long;
        rest.subtract(&short);
        assert_eq!(rest.iter().collect::<Vec<_>>(), [300]);
    }
}
