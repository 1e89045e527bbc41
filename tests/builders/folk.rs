//! Invented people as a real address book holds them: full names, parts of names, nicknames; at providers of personal
//! mailboxes, at firms, at offices. The same for the same seed, no address twice.

use std::collections::BTreeSet;

/// Domains that the program takes for personal mail providers.
const PROVIDERS: [&str; 7] = [
    "webmail.example",
    "mailbox.test",
    "inbox.test",
    "freemail.example",
    "homemail.example",
    "postbox.example",
    "post.test",
];
const FIRST: &str = "Aaliyah Abigail Adaeze Agnes Ahmed Aidan Alun Amara Andrzej Angharad Anjali Arthur Asha Barbara Ben \
Bethan Bogdan Bronwen Callum Catrin Cerys Chloe Claire Connor Dafydd Daniel Deborah Derek Dewi Divya Eirlys Elin Emeka Emma \
Esther Fatima Ffion Fiona Frank Gareth Gemma George Gillian Grace Gwen Harpreet Hassan Heather Helen Hywel Ibrahim Ifan Ioan \
Isla Ivana Jack Jamal Janet Jasmine Jean Joan Joyce Julia Kamal Karen Keith Kirsty Kwame Laszlo Leah Lech Leila Liam Linda \
Lloyd Lucy Luis Maeve Maggie Malik Marek Maria Martin Megan Meera Mohammed Moira Nadia Nerys Nigel Niamh Noor Olive Olu \
Pamela Patrick Paula Pawel Peter Phyllis Rachel Rajesh Rebecca Rhian Rita Robert Rosa Ruth Sadia Samuel Sandra Sean Shanice \
Sheila Sian Simon Sofia Stephen Steffan Sunita Susan Tamara Teresa Thandi Thomas Tina Tunde Ursula Valerie Vera Victor Wendy \
William Winston Yusuf Zainab Zara";
const LAST: &str = "Abbott Achebe Adeyemi Ainsworth Allsop Anand Appleby Asante Atkinson Badger Bains Balogun Barlow Batty \
Beddoes Begum Bennion Bishop Blackett Boateng Bowen Brierley Bright Bukowski Burgess Butt Cairns Capstick Chaudhry Chilvers \
Clegg Coleman Colley Craddock Cross Cullen Dalby Daniels Darby Das Dempsey Desai Diallo Dobson Drake Dudek Duffy Dunne Earnshaw \
Edwards Ellis Emmanuel Entwistle Evans Farrow Fielding Finch Flanagan Forster Foulkes Fraser Gibb Gill Goddard Gorman Grabowski \
Greaves Griffiths Hale Hanif Hardcastle Harris Hepworth Hewitt Hinds Hobbs Holt Hughes Hussain Ingham Jacobs Jarvis Jha Jones \
Kaczmarek Kapoor Kaur Kelly Kemp Khan Kirkham Knott Lamb Langley Lawal Leary Lever Lewis Lister Lloyd Lock Lowther Lynch \
Mahmood Malone Mensah Metcalfe Mistry Molloy Moorcroft Morgan Morris Moyo Nair Naylor Ndlovu Newbold Nolan Nowak Nuttall Obi \
Ogden Olsen Osei Owen Oxley Parry Patel Peacock Pearce Pike Plant Powell Prosser Pugh Quigley Quinn Rahman Ramsden Rees \
Reilly Roberts Rojas Rossi Sandhu Saunders Scholes Sharma Sharples Shaw Siddiqui Silva Singh Skelton Slater Sowerby Stanton \
Stubbs Sutcliffe Sykes Szabo Tandy Tanner Tattersall Thorpe Tierney Tomlin Tudor Turner Unsworth Vance Vaughan Vickers Wade \
Wainwright Walsh Warburton Wardle Watkins Webb Whalley Whitaker Wilde Wood Woźniak Yates Yeo Yilmaz Young Zhou";
const NICK: &str = "bluebird sunnyday mad-hatter nightowl oakleaf redkite rosiepose silverfox skylark teapot tigger wanderer \
wildgarlic bookworm daydreamer greenfingers happycamper lostinmusic moonchild puddleduck rainydays seashell stargazer \
thistledown treacle ladybird crumpet biscuit hillwalker";

/// Numbers that are the same for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }
    /// From 0 up to and without `most`.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 33) as usize % most.max(1)
    }
    /// From `least` to `most`.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }
    /// True in so many of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
    /// So many different ones of `all`, in a mixed order.
    pub(crate) fn some<T: Clone>(&mut self, all: &[T], count: usize) -> Vec<T> {
        let mut rest = all.to_vec();
        for at in 0..count.min(rest.len()) {
            let other = at + self.below(rest.len() - at);
            rest.swap(at, other);
        }
        rest.truncate(count);
        rest
    }
}

/// How people let themselves be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Full,
    Partial,
    None,
    /// Of each some, as in real lists: more than half in full.
    Mixed,
}

/// Somebody's name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    /// First name, as a greeting says it.
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) address: String,
    /// As a header field shows her.
    pub(crate) shown: String,
}

/// Makes people.
#[derive(Clone, Debug)]
pub(crate) struct Folk {
    pub(crate) dice: Dice,
    first: Vec<&'static str>,
    last: Vec<&'static str>,
    nick: Vec<&'static str>,
    taken: BTreeSet<String>,
}

impl Folk {
    pub(crate) fn new(seed: u64) -> Self {
        Folk {
            dice: Dice::new(seed),
            first: FIRST.split_whitespace().collect(),
            last: LAST.split_whitespace().collect(),
            nick: NICK.split_whitespace().collect(),
            taken: BTreeSet::new(),
        }
    }

    /// Nobody else gets this address.
    pub(crate) fn take(&mut self, address: &str) {
        self.taken.insert(address.to_lowercase());
    }

    /// A last name.
    pub(crate) fn last(&mut self) -> &'static str {
        *self.dice.pick::<&'static str>(&self.last)
    }

    /// Somebody at a personal mailbox.
    pub(crate) fn private(&mut self, shown: Shown) -> Contact {
        let last = self.last();
        self.relative(last, shown)
    }

    /// Somebody of this last name at a personal mailbox.
    pub(crate) fn relative(&mut self, last: &str, shown: Shown) -> Contact {
        loop {
            let host = *self.dice.pick(&PROVIDERS);
            let one = self.make(last, host, shown);
            if self.taken.insert(one.address.clone()) {
                return one;
            }
        }
    }

    /// Somebody at her place of work.
    pub(crate) fn at(&mut self, domain: &str) -> Contact {
        loop {
            let (first, last) = (*self.dice.pick(&self.first), self.last());
            let local = match domain.len() % 3 {
                0 => format!("{first}.{last}"),
                1 => format!("{}.{last}", &first[..1]),
                _ => format!("{first}{last}"),
            };
            let address = format!("{}@{domain}", plain(&local));
            if self.taken.insert(address.clone()) {
                return contact(first, last, &address, &format!("{first} {last}"));
            }
        }
    }

    fn make(&mut self, last: &str, host: &str, shown: Shown) -> Contact {
        let first = *self.dice.pick(&self.first);
        let number = self.dice.below(97);
        let shown = match (shown, self.dice.below(100)) {
            (Shown::Mixed, 0..58) => Shown::Full,
            (Shown::Mixed, 58..83) => Shown::Partial,
            (Shown::Mixed, _) => Shown::None,
            (shown, _) => shown,
        };
        let (local, name) = match shown {
            Shown::None => (
                format!("{}{number}", self.dice.pick(&self.nick)),
                String::new(),
            ),
            Shown::Partial => match self.dice.below(3) {
                0 => (format!("{first}{number}"), first.to_owned()),
                1 => (
                    format!("{first}.{}{number}", &plain(last)[..1]),
                    String::new(),
                ),
                _ => (
                    format!("{}{number}", self.dice.pick(&self.nick)),
                    first.to_owned(),
                ),
            },
            _ => {
                let local = match self.dice.below(5) {
                    0 => format!("{first}.{last}"),
                    1 => format!("{first}{last}{number}"),
                    2 => format!("{}{last}{number}", &first[..1]),
                    3 => format!("{last}.{first}"),
                    _ => format!("{first}_{last}{number}"),
                };
                (local, format!("{first} {last}"))
            }
        };
        contact(first, last, &format!("{}@{host}", plain(&local)), &name)
    }
}

fn contact(first: &str, last: &str, address: &str, name: &str) -> Contact {
    let shown = if name.is_empty() {
        address.to_owned()
    } else {
        super::letter::shown(&format!("{name} <{address}>"))
    };
    Contact {
        first: first.to_owned(),
        last: last.to_owned(),
        address: address.to_owned(),
        shown,
    }
}

/// In lower-case ASCII, as an address has it.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('ź', "z")
}

/// People as the text of a header field, folded.
pub(crate) fn listed<'a>(people: impl IntoIterator<Item = &'a Contact>) -> String {
    let mut out = String::new();
    for person in people {
        if !out.is_empty() {
            out += ",\n ";
        }
        out += &person.shown;
    }
    out
}
