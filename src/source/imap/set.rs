//! Sets of UIDs as a server is asked for them (RFC 9051 sequence-set). Pure.

use std::fmt;

/// Most UIDs that are named one by one in a command.
const MOST_NAMED: usize = 700;

/// Some UIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Uids {
    /// All from the first to the last.
    Range(u64, u64),
    /// These, in order.
    List(Vec<u32>),
}

impl Uids {
    pub(super) fn range(first: u64, last: u64) -> Self {
        Uids::Range(first, last)
    }

    /// `uids` are in order, each once.
    pub(super) fn list(uids: Vec<u32>) -> Self {
        Uids::List(uids)
    }

    /// Cuts a long list so that the sizes of each piece add up to about `bytes`.
    pub(super) fn batches(uids: &[u32], bytes: u64, size: &dyn Fn(&u32) -> u64) -> Vec<Self> {
        let (mut out, mut piece, mut sum) = (Vec::new(), Vec::new(), 0);
        for uid in uids {
            let size = size(uid);
            if !piece.is_empty() && (sum + size > bytes || piece.len() >= MOST_NAMED) {
                out.push(Uids::List(std::mem::take(&mut piece)));
                sum = 0;
            }
            piece.push(*uid);
            sum += size;
        }
        if !piece.is_empty() {
            out.push(Uids::List(piece));
        }
        out
    }

    /// The highest of them.
    pub(super) fn last(&self) -> u64 {
        match self {
            Uids::Range(_, last) => *last,
            Uids::List(uids) => uids.last().map_or(0, |uid| u64::from(*uid)),
        }
    }

    /// Whether one of them is this.
    pub(super) fn holds(&self, uid: u32) -> bool {
        match self {
            Uids::Range(first, last) => (*first..=*last).contains(&u64::from(uid)),
            Uids::List(uids) => uids.binary_search(&uid).is_ok(),
        }
    }

    /// The lower and the higher half; `None` where there is only one.
    pub(super) fn halves(&self) -> Option<(Self, Self)> {
        match self {
            Uids::Range(first, last) if first < last => {
                let middle = first + (last - first) / 2;
                Some((Uids::Range(*first, middle), Uids::Range(middle + 1, *last)))
            }
            Uids::List(uids) if uids.len() > 1 => {
                let (low, high) = uids.split_at(uids.len() / 2);
                Some((Uids::List(low.to_vec()), Uids::List(high.to_vec())))
            }
            _ => None,
        }
    }

    /// Each of them.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Uids::Range(first, last) => {
                Box::new((*first..=*last).filter_map(|uid| u32::try_from(uid).ok()))
            }
            Uids::List(uids) => Box::new(uids.iter().copied()),
        }
    }
}

impl fmt::Display for Uids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uids::Range(first, last) if first == last => write!(f, "{first}"),
            Uids::Range(first, last) => write!(f, "{first}:{last}"),
            Uids::List(uids) => {
                let runs = uids.chunk_by(|a, b| a.checked_add(1) == Some(*b));
                for (at, run) in runs.enumerate() {
                    if at > 0 {
                        f.write_str(",")?;
                    }
                    match run {
                        [one] => write!(f, "{one}")?,
                        [first, .., last] => write!(f, "{first}:{last}")?,
                        [] => {}
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Uids;

    #[test]
    fn sets_are_written_short() {
        assert_eq!(Uids::range(5, 5).to_string(), "5");
        assert_eq!(Uids::range(1, 500).to_string(), "1:500");
        assert_eq!(
            Uids::list(vec![1, 2, 3, 7, 9, 10]).to_string(),
            "1:3,7,9:10"
        );
    }

    #[test]
    fn halving_ends_at_one() {
        let mut rest = vec![Uids::range(1, 8)];
        let mut single = Vec::new();
        while let Some(uids) = rest.pop() {
            match uids.halves() {
                Some((low, high)) => rest.extend([high, low]),
                None => single.extend(uids.iter()),
            }
        }
        assert_eq!(single, (1..=8).collect::<Vec<u32>>());
        assert_eq!(Uids::list(vec![4]).halves(), None);
    }

    #[test]
    fn batches_hold_so_many_bytes() {
        let all: Vec<u32> = (1..=10).collect();
        let batches = Uids::batches(&all, 100, &|uid| if *uid == 4 { 1000 } else { 40 });
        let shown: Vec<String> = batches.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["1:2", "3", "4", "5:6", "7:8", "9:10"]);
    }
}
