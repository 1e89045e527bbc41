//! Years of ordinary mail in offices of every sort, in which nobody is exposed: how many circles of people the program
//! takes for victims all the same. What counts is the circle, one set of people with one author, and not the message: an
//! officer who has dismissed a circle once should not be asked again.
//!
//! `CIRCLES=60` simulates so many mailboxes instead of twelve.

use crate::builders::{Folk, Plan, Run, SORTS, Store, live, mboxes, tell};
use std::collections::{BTreeMap, BTreeSet};

/// Three months of a mailbox.
const QUARTER: usize = 90;
/// Quarters that each mailbox lasts.
const QUARTERS: usize = 6;

/// A circle that was wrongly taken for victims: the author, the people, and the first words of one message.
type Circles = BTreeMap<(String, BTreeSet<String>), String>;

fn mailbox(number: usize) -> (u64, Circles) {
    let sort = SORTS[number % SORTS.len()];
    let domain = format!("{sort}{number}.example");
    let seed = 9000 + number as u64;
    let mut folk = Folk::new(seed);
    let owner = format!("Robin Quayle <robin.quayle@{domain}>");
    folk.take(&format!("robin.quayle@{domain}"));
    let letters = live(
        &mut folk,
        &Plan {
            sort,
            owner: &owner,
            days: QUARTER * QUARTERS,
            sent_a_month: 667,
            seed,
        },
    );
    let sent = letters.iter().filter(|letter| !letter.received).count() as u64;
    let (outbox, inbox) = mboxes(letters);
    let store = Store::folder([("Sent.mbox", outbox), ("Inbox.mbox", inbox)]);
    let case = Run::scan(store.path()).org(&domain).ok();
    let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in case.exposures() {
        let shown = people.entry(row["exposure_id"].to_owned()).or_default();
        shown.insert(row["address"].to_owned());
    }
    let mut circles = Circles::new();
    for row in case.messages() {
        let shown = people.remove(&row["exposure_id"]).unwrap_or_default();
        let says = format!(
            "{sort} at {}: '{}': {}",
            &row["confidence"], &row["subject"], &row["why"]
        );
        circles
            .entry((row["from"].to_owned(), shown))
            .or_insert(says);
    }
    (sent, circles)
}

#[test]
fn hardly_a_circle_of_people_in_years_of_ordinary_mail_is_taken_for_victims() {
    let count = std::env::var("CIRCLES").map_or(12, |text| text.parse().unwrap());
    let (mut sent, mut wrong) = (0, Vec::new());
    for number in 0..count {
        let (letters, circles) = mailbox(number);
        sent += letters;
        wrong.extend(circles.into_values());
    }
    let share = 100.0 * wrong.len() as f64 / (count * QUARTERS) as f64;
    tell(&format!(
        "{count} mailboxes, {QUARTERS} quarters, {sent} messages sent: {} circles wrongly reported, {share:.2} in 100 \
         mailboxes a quarter",
        wrong.len()
    ));
    for says in &wrong {
        tell(says);
    }
    assert!(
        share <= 1.0,
        "{share:.2} false circles in 100 mailboxes a quarter"
    );
}
