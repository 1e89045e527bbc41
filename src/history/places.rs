//! Sets of places in a list of people, as bits: a [`Row`] has one for everybody, [`Places`] only the words that hold any.

/// One bit for each place.
#[derive(Clone, Debug)]
pub(super) struct Row(Vec<u64>);

impl Row {
    /// For so many people; holds nobody.
    pub(super) fn new(people: usize) -> Self {
        Row(vec![0; people.div_ceil(64)])
    }

    pub(super) fn empty(&mut self) {
        self.0.fill(0);
    }

    pub(super) fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn clear(&mut self, at: usize) {
        self.0[at / 64] &= !(1 << (at % 64));
    }

    /// Whether all of `other` are in it.
    pub(super) fn holds(&self, other: &Row) -> bool {
        let mut words = self.0.iter().zip(&other.0);
        words.all(|(here, there)| here & there == *there)
    }

    /// How many are in it and in `other`.
    pub(super) fn both(&self, other: &Row) -> u64 {
        let words = self.0.iter().zip(&other.0);
        words
            .map(|(here, there)| u64::from((here & there).count_ones()))
            .sum()
    }
}

/// A few places: which word of a [`Row`], and its bits. Never larger than sixteen bytes for each.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(usize, u64)>);

impl Places {
    /// Adds one that is not before the last.
    pub(super) fn push(&mut self, at: usize) {
        let (word, bit) = (at / 64, 1 << (at % 64));
        match self.0.last_mut() {
            Some((last, bits)) if *last == word => *bits |= bit,
            _ => self.0.push((word, bit)),
        }
    }

    /// Sets all of them in a row.
    pub(super) fn mark(&self, row: &mut Row) {
        for (word, bits) in &self.0 {
            row.0[*word] |= bits;
        }
    }
}

impl FromIterator<usize> for Places {
    /// From places in order.
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut out = Places::default();
        places.into_iter().for_each(|at| out.push(at));
        out
    }
}
