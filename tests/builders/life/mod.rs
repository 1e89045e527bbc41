//! The ordinary mail of one office, sent and received, over months or years; the same for the same seed. None of it
//! exposes anybody by DESIGN section 2, and all of it looks as daily work does: sensitive words every hour, threads with
//! quoted text, families, case conferences, committees, projects, lists in Bcc, one letter to each of many.
//!
//! It knows nothing of how mail is judged, and must not: it is what judgement is measured on.

mod bank;
mod events;
mod office;
mod talk;

use super::folk::Folk;
use super::letter::{Letter, address, name};
use bank::Bank;
pub(crate) use bank::SORTS;
use office::{Circle, Known};
use std::rc::Rc;

/// Monday, 8 January 2024, eight in the morning.
pub(crate) const START: i64 = 1_704_700_800;

/// What to live through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    /// One of [`SORTS`].
    pub(crate) sort: &'a str,
    /// `Name <address>` at the organisation's domain.
    pub(crate) owner: &'a str,
    pub(crate) days: usize,
    /// About how many messages the owner sends in thirty days.
    pub(crate) sent_a_month: usize,
    pub(crate) seed: u64,
}

/// An office at work.
struct Life<'a> {
    folk: &'a mut Folk,
    bank: Bank,
    owner: Known,
    domain: String,
    circle: Circle,
    letters: Vec<Letter>,
    sent: usize,
    /// Number of the next Message-ID.
    serial: usize,
    seed: u64,
}

/// The letters of an office, in no order.
pub(crate) fn live(folk: &mut Folk, plan: &Plan<'_>) -> Vec<Letter> {
    let bank = Bank::of(plan.sort);
    let owner_address = address(plan.owner).to_owned();
    let domain = owner_address
        .rsplit('@')
        .next()
        .expect("an owner has an address")
        .to_owned();
    let circle = Circle::new(
        folk,
        &domain,
        bank.section("project"),
        bank.section("committee"),
        bank.section("club"),
    );
    let full = name(plan.owner);
    let owner = Rc::new(super::folk::Contact {
        first: full.split(' ').next().unwrap_or_default().to_owned(),
        last: full.rsplit(' ').next().unwrap_or_default().to_owned(),
        shown: super::letter::shown(plan.owner),
        address: owner_address,
    });
    let mut life = Life {
        folk,
        bank,
        owner,
        domain,
        circle,
        letters: Vec::new(),
        sent: 0,
        serial: 0,
        seed: plan.seed,
    };
    for day in 0..plan.days {
        let due = (day + 1) * plan.sent_a_month / 30;
        life.day(day, due);
    }
    life.letters
}
