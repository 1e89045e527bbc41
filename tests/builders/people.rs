//! Invented people at unrelated personal mailboxes.

use std::collections::BTreeSet;
use std::fmt;

const FIRST: [&str; 28] = [
    "Aled", "Beatriz", "Carys", "Dilwyn", "Eluned", "Fatou", "Gwilym", "Hedda", "Imogen", "Jarek",
    "Katya", "Leopold", "Morwenna", "Nkechi", "Osian", "Petra", "Rashida", "Siwan", "Tariq",
    "Undine", "Valmai", "Wilf", "Yasmin", "Zoran", "Anwen", "Bashir", "Cosima", "Dorota",
];
const LAST: [&str; 28] = [
    "Arkwright",
    "Birtwell",
    "Cadogan",
    "Delacourt",
    "Eastham",
    "Fothergill",
    "Gwynne",
    "Harbottle",
    "Ishikawa",
    "Jamieson",
    "Kettering",
    "Llewelyn",
    "Montague",
    "Nwachukwu",
    "Ollerton",
    "Pemberton",
    "Quennell",
    "Ravenscroft",
    "Satterthwaite",
    "Trevelyan",
    "Urquhart",
    "Vasquez",
    "Winstanley",
    "Yelland",
    "Zamoyski",
    "Ashworth",
    "Brockbank",
    "Culpepper",
];
/// Domains that the program takes for personal mail providers.
const PROVIDERS: [&str; 6] = [
    "webmail.example",
    "freemail.example",
    "homemail.example",
    "postbox.example",
    "inbox.test",
    "mailbox.test",
];

/// Somebody who does not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Person {
    /// First and last name.
    pub(crate) name: String,
    /// Lower-case address.
    pub(crate) address: String,
}

impl Person {
    /// Of this name, at this address.
    pub(crate) fn new(name: &str, address: &str) -> Self {
        Person {
            name: name.into(),
            address: address.into(),
        }
    }
}

/// As a recipient field shows her: `"Carys Gwynne" <carys.gwynne7@inbox.test>`.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" <{}>", self.name, self.address)
    }
}

/// An endless row of numbers that is the same for the same seed (splitmix64).
pub(crate) fn numbers(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 33) as usize
    })
}

/// `n` people, the same for the same seed. Of one name and one number there is one only: two such addresses would be one
/// person's.
pub(crate) fn people(n: usize, seed: u64) -> Vec<Person> {
    let mut number = numbers(seed);
    let mut pick = |from: &[&'static str]| from[number.next().expect("endless") % from.len()];
    let mut taken = BTreeSet::new();
    let mut crowd = Vec::with_capacity(n);
    while crowd.len() < n {
        let (first, last, host) = (pick(&FIRST), pick(&LAST), pick(&PROVIDERS));
        let local = format!(
            "{}.{}{}",
            first.to_lowercase(),
            last.to_lowercase(),
            seed * 7 + 3 + crowd.len() as u64 % 5
        );
        if taken.insert(local.clone()) {
            crowd.push(Person {
                name: format!("{first} {last}"),
                address: format!("{local}@{host}"),
            });
        }
    }
    crowd
}
