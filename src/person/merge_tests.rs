//! Tests of `merge`: what is one person, and what must stay two.

use super::*;

fn known<'a>(address: &'a str, shown: &'a [&'a str]) -> Known<'a> {
    Known {
        address,
        shown,
        ..Known::default()
    }
}

fn all(mut all: Vec<Known<'_>>) -> Vec<Merge> {
    all.sort_by(|a, b| a.address.cmp(b.address));
    merges(&all)
}

/// The reason for which two addresses with these names are one person.
fn pair(one: (&str, &str), other: (&str, &str)) -> Option<Reason> {
    let found = all(vec![known(one.0, &[one.1]), known(other.0, &[other.1])]);
    assert!(found.len() <= 1);
    found.first().map(|merge| merge.reason)
}

#[test]
fn the_same_mailbox_is_one_person_whatever_is_shown() {
    assert_eq!(
        pair(("nia+club@inbox.test", ""), ("nia@inbox.test", "Nia Marsh")),
        Some(Reason::Plus)
    );
    assert_eq!(
        pair(
            ("n.ia@gmail.com", "Nia"),
            ("nia@googlemail.com", "Nia Marsh")
        ),
        Some(Reason::Gmail)
    );
    assert_eq!(
        pair(("nm@icloud.com", ""), ("nm@me.com", "")),
        Some(Reason::Apple)
    );
}

#[test]
fn two_people_at_one_mailbox_stay_two() {
    assert_eq!(
        pair(
            ("nia+nia@inbox.test", "Nia Marsh"),
            ("nia+tom@inbox.test", "Tom Marsh")
        ),
        None
    );
}

#[test]
fn the_tickets_of_a_machine_are_not_one_person() {
    let addresses = ["a1", "b2", "c3", "d4"].map(|tag| format!("case+{tag}@desk.example"));
    let tickets = addresses.iter().map(|address| known(address, &[]));
    assert!(all(tickets.collect()).is_empty());
}

#[test]
fn the_same_full_name_that_both_addresses_hold_is_one_person() {
    for (one, other) in [
        ("nia.marsh@inbox.test", "n.marsh@firm.example"),
        ("niamarsh77@inbox.test", "nia.marsh@webmail.example"),
        ("marsh.nia@inbox.test", "nia1977@webmail.example"),
    ] {
        assert_eq!(
            pair((one, "Nia Marsh"), (other, "MARSH, Nia")),
            Some(Reason::FullName),
            "{one} {other}"
        );
    }
    let found = all(vec![
        known("n.marsh@firm.example", &["Nia Marsh"]),
        known("nia.marsh@inbox.test", &["Dr Nia J Marsh"]),
    ]);
    assert_eq!(
        found[0].says,
        "the same full name 'Nia Marsh' at a personal mailbox and at an organisation"
    );
    assert!(found[0].unless_together, "shown otherwise");
}

#[test]
fn the_same_local_part_of_letters_of_the_name_is_one_person() {
    assert_eq!(
        pair(
            ("nm1977@inbox.test", "Nia Marsh"),
            ("nm1977@webmail.example", "Nia Marsh")
        ),
        Some(Reason::LocalPart)
    );
    assert_eq!(
        pair(
            ("x71q@inbox.test", "Nia Marsh"),
            ("x71q@webmail.example", "Nia Marsh")
        ),
        None
    );
}

#[test]
fn a_first_name_alone_never_merges() {
    assert_eq!(
        pair(("nia@inbox.test", "Nia"), ("nia@webmail.example", "Nia")),
        None
    );
    assert_eq!(
        pair(
            ("nia@inbox.test", "Nia M."),
            ("nia.m@webmail.example", "Nia M.")
        ),
        None
    );
    assert_eq!(
        pair(("nia@inbox.test", ""), ("nia@webmail.example", "")),
        None
    );
}

#[test]
fn another_number_another_given_name_or_an_address_without_the_name_stays_apart() {
    for (one, other) in [
        ("nia.marsh77@inbox.test", "nia.marsh82@webmail.example"),
        ("nia.marsh@inbox.test", "nia.marsh2@inbox.test"),
        ("nia.marsh@inbox.test", "bluebird@webmail.example"),
        ("n.marsh@firm.example", "nia.marsh@firm.example"),
        ("n.marsh@firm.example", "nia.marsh@mail.firm.example"),
    ] {
        assert_eq!(
            pair((one, "Nia Marsh"), (other, "Nia Marsh")),
            None,
            "{one} {other}"
        );
    }
    let (one, other) = ("nia.marsh@inbox.test", "n.marsh@firm.example");
    for (mine, theirs) in [
        ("Nia Marsh", "Nora Marsh"),
        ("Nia J Marsh", "Nia K Marsh"),
        ("Nia Jane Marsh", "Nia Marsh"),
        ("Mr Nia Marsh", "Mrs Nia Marsh"),
        ("Nia Marsh", "Nia Marsh Jr"),
    ] {
        assert_eq!(pair((one, mine), (other, theirs)), None, "{mine}, {theirs}");
    }
}

#[test]
fn a_name_that_three_mailboxes_carry_is_nobodys_in_particular() {
    let addresses = [
        "nia.marsh@inbox.test",
        "nia.marsh@webmail.example",
        "nmarsh@firm.example",
    ];
    let three = addresses.map(|address| known(address, &["Nia Marsh"]));
    assert!(all(three.to_vec()).is_empty());
    let mut tagged = three[..2].to_vec();
    tagged.push(known("nia.marsh+club@inbox.test", &["Nia Marsh"]));
    assert_eq!(all(tagged).len(), 2, "a tag makes no third mailbox");
}

#[test]
fn an_insider_and_an_outsider_need_the_whole_name_in_both_addresses() {
    let of = |inside: &'static str, outside: &'static str| {
        let mut one = known(inside, &["Nia Marsh"]);
        one.inside = true;
        all(vec![one, known(outside, &["Nia Marsh"])]).len()
    };
    assert_eq!(of("n.marsh@force.example", "nia.marsh@inbox.test"), 0);
    assert_eq!(of("nia.marsh@force.example", "niamarsh@inbox.test"), 1);
}

#[test]
fn another_name_on_a_roster_and_a_shared_address_stay_apart() {
    let two = |change: fn(&mut Known<'_>, &mut Known<'_>)| {
        let mut one = known("n.marsh@firm.example", &["Nia Marsh"]);
        let mut other = known("nia.marsh@inbox.test", &["Nia Marsh"]);
        change(&mut one, &mut other);
        vec![one, other]
    };
    assert_eq!(all(two(|_, _| {})).len(), 1);
    assert!(
        all(two(|one, other| {
            one.roster_name = Some("Nia Marsh");
            other.roster_name = Some("Nia Marsh the elder");
        }))
        .is_empty()
    );
    assert!(all(two(|one, _| one.shared = true)).is_empty());
}

#[test]
fn a_name_that_chance_explains_in_a_large_crowd_is_not_merged() {
    let mut texts = vec![
        (
            "david.jones@inbox.test".to_owned(),
            "David Jones".to_owned(),
        ),
        (
            "d.jones@webmail.example".to_owned(),
            "David Jones".to_owned(),
        ),
    ];
    for n in 0..100 {
        let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
        let word = format!("x{}{}o", letter(n), letter(n / 26));
        texts.push((format!("{word}a@inbox.test"), format!("David {word}")));
        texts.push((format!("{word}b@inbox.test"), format!("{word} Jones")));
    }
    let shown: Vec<(&str, [&str; 1])> = texts
        .iter()
        .map(|(address, name)| (address.as_str(), [name.as_str()]))
        .collect();
    let crowd = |most: usize| {
        let crowd = shown.iter().take(most);
        all(crowd.map(|(address, name)| known(address, name)).collect()).len()
    };
    assert_eq!((crowd(2), crowd(202)), (1, 0));
}

#[test]
fn a_hundred_thousand_namesakes_cost_no_more_than_their_number() {
    let texts: Vec<String> = (0..100_000)
        .map(|n| format!("nia.marsh{n:06}@inbox.test"))
        .collect();
    let crowd: Vec<Known<'_>> = texts
        .iter()
        .map(|address| known(address, &["Nia Marsh"]))
        .collect();
    assert!(merges(&crowd).is_empty());
}
