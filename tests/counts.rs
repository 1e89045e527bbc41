//! A clean result is a claim, so its counts add up: read = judged + received + duplicates + unread, in each source
//! and in total.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Run, Store, gzip, people, victims, westminster,
};

const PARTS: [&str; 4] = ["judged", "received", "duplicates", "unread"];

/// The four parts, after checking that they are all of what was read, in each source and in total.
#[track_caller]
fn parts(case: &Case) -> [u64; 4] {
    let mut sum = [0; 5];
    for counts in case.counts_by_source() {
        let number = |what| {
            counts[what]
                .as_u64()
                .unwrap_or_else(|| panic!("no '{what}' in {counts}"))
        };
        assert_eq!(
            number("read"),
            PARTS.map(number).iter().sum::<u64>(),
            "one source: {counts}"
        );
        for (total, what) in sum.iter_mut().zip(["read"].into_iter().chain(PARTS)) {
            *total += number(what);
        }
    }
    assert_eq!(
        case.count("read"),
        PARTS.map(|p| case.count(p)).iter().sum::<u64>(),
        "{}",
        case.manifest()["counts"]
    );
    assert_eq!(
        sum[0],
        case.count("read"),
        "the sources add up to the total"
    );
    assert_eq!(
        sum[1..],
        PARTS.map(|p| case.count(p)),
        "the sources add up to the total"
    );
    PARTS.map(|p| case.count(p))
}

/// Mail from outside to the constable.
fn from_outside(m: Mail, who: &Person) -> Mail {
    m.from(who).to(["robin.ashdown@force.example"])
}

#[test]
fn sent_received_and_doubled_mail_are_told_apart() {
    let mailbox = Mailbox::ordinary(40)
        .mail(westminster)
        .mails(&victims(), from_outside);
    let again = Mailbox::ordinary(40);
    let file = [mailbox.rd(), again.rd()].concat();
    let case = Run::scan(Store::file("Sent.mbox", file).path())
        .org(FORCE)
        .ok();
    assert_eq!(parts(&case), [41, 18, 40, 0]);
}

#[test]
fn a_mail_in_two_sources_is_a_duplicate_in_one_of_them() {
    let (one, two) = (
        Mailbox::ordinary(10).mail(westminster).mbox(),
        Mailbox::ordinary(10).mail(westminster).eml(),
    );
    let case = Run::scan(one.path()).arg(two.path()).org(FORCE).ok();
    assert_eq!(parts(&case), [11, 0, 11, 0]);
    assert_eq!(case.counts_by_source().len(), 2);
}

#[test]
fn a_draft_was_never_sent_and_counts_as_received() {
    let files = [
        (
            "Maildir/cur/1.M1.host:2,DS",
            westminster(Mail::new(1)).bytes(),
        ),
        (
            "Maildir/.Drafts/cur/2.M2.host:2,S",
            westminster(Mail::new(2).id("")).bytes(),
        ),
        (
            "Maildir/.Sent/cur/3.M3.host:2,S",
            Mail::new(3).to(["colleague@force.example"]).bytes(),
        ),
        ("Maildir/new/", Vec::new()),
        ("Maildir/tmp/", Vec::new()),
        ("Maildir/.Drafts/new/", Vec::new()),
        ("Maildir/.Drafts/tmp/", Vec::new()),
        ("Maildir/.Sent/new/", Vec::new()),
        ("Maildir/.Sent/tmp/", Vec::new()),
    ];
    let case = Run::scan(Store::folder(files).path()).org(FORCE).ok();
    let [judged, received, duplicates, unread] = parts(&case);
    assert_eq!((judged, received + duplicates, unread), (1, 2, 0));
    assert!(case.messages().is_empty());
}

#[test]
fn mail_sent_on_behalf_of_an_outsider_is_judged() {
    let outsider = Person::new("Helen Guest", "guest@elsewhere.example");
    let mailbox = Mailbox::ordinary(5).mail(|m| {
        westminster(m)
            .from(&outsider)
            .header("Sender", "desk@force.example")
    });
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert_eq!(parts(&case), [6, 0, 0, 0]);
    assert_eq!(case.found(), ["westminster"]);
}

#[test]
fn with_received_the_mail_of_outsiders_is_judged_too() {
    let outsider = Person::new("Helen Guest", "guest@elsewhere.example");
    let mailbox = Mailbox::ordinary(5).mail(|m| westminster(m).from(&outsider));
    let store = mailbox.mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!((parts(&case), case.messages().len()), ([5, 1, 0, 0], 0));
    let case = Run::scan(store.path()).org(FORCE).arg("--received").ok();
    assert_eq!((parts(&case), case.messages().len()), ([6, 0, 0, 0], 1));
}

#[test]
fn mail_of_other_days_is_outside_and_not_in_the_sum() {
    let mailbox = Mailbox::new()
        .mails(0..4, |m, i| m.day(i).to(["colleague@force.example"]))
        .mail(|m| westminster(m).day(20))
        .mails(30..33, |m, i| m.day(i).to(["colleague@force.example"]));
    let store = mailbox.mbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--since")
        .arg("2024-03-15")
        .arg("--until")
        .arg("2024-03-25")
        .ok();
    assert_eq!((parts(&case), case.count("outside")), ([1, 0, 0, 0], 7));
    assert_eq!(case.found(), ["westminster"]);
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--until")
        .arg("2024-03-15")
        .ok();
    assert_eq!((parts(&case), case.count("outside")), ([4, 0, 0, 0], 4));
    assert!(case.found().is_empty());
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--since")
        .arg("2024-03-15")
        .ok();
    assert_eq!((parts(&case), case.count("outside")), ([4, 0, 0, 0], 4));
}

#[test]
fn mail_of_other_folders_is_outside_and_not_in_the_sum() {
    let mut files = Mailbox::ordinary(4).in_maildir("Archive");
    files.extend(
        Mailbox::numbered_from(50)
            .mail(westminster)
            .in_maildir("Sent"),
    );
    files.extend(Mailbox::numbered_from(80).background(3).in_maildir("Inbox"));
    let store = Store::folder(files);
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--folder")
        .arg("Sent")
        .ok();
    assert_eq!((parts(&case), case.count("outside")), ([1, 0, 0, 0], 7));
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--folder")
        .arg("Sent")
        .arg("--folder")
        .arg("Inbox")
        .ok();
    assert_eq!((parts(&case), case.count("outside")), ([4, 0, 0, 0], 4));
}

#[test]
fn a_cut_archive_is_read_as_far_as_it_goes_and_its_torn_tail_is_one_row() {
    let whole = gzip(&Mailbox::new().mail(westminster).background(400).rd());
    let store = Store::file("cut.mbox.gz", &whole[..whole.len() / 2]);
    let case = Run::scan(store.path()).org(FORCE).exits(3);
    parts(&case);
    assert!(case.count("read") > 10, "{}", case.manifest()["counts"]);
    assert_eq!(
        (case.found(), case.unread().len()),
        (vec!["westminster".into()], 1)
    );
    let row = &case.unread()[0];
    assert_eq!(
        (&row["source"], row["reason"].is_empty()),
        (store.text().as_str(), false)
    );
}

#[test]
fn counts_stay_true_when_a_case_is_added_to() {
    let (one, two) = (
        Mailbox::ordinary(10).mbox(),
        Mailbox::numbered_from(40)
            .background(5)
            .mail(westminster)
            .mbox(),
    );
    let case = Run::scan(one.path()).org(FORCE).ok();
    let case = Run::scan(two.path()).org(FORCE).onto(&case).ok();
    assert_eq!(parts(&case), [16, 0, 0, 0]);
}

#[test]
fn the_summary_says_how_many_messages_were_read() {
    let case = Run::scan(Mailbox::ordinary(123).mail(westminster).mbox().path())
        .org(FORCE)
        .ok();
    assert!(case.output.stdout.contains("124"), "{}", case.output.stdout);
}

#[test]
fn a_thousand_people_at_once_are_all_counted() {
    let crowd = people(1000, 4);
    let mailbox = Mailbox::ordinary(3).mail(|m| {
        m.id("crowd@force.example")
            .to(&crowd)
            .subject("Change of room")
    });
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let row = case.only_message();
    assert_eq!(
        (
            row.number("visible"),
            row.number("exposed"),
            row.number("audience")
        ),
        (1000, 1000, 1001)
    );
    assert_eq!((case.people().len(), case.exposures().len()), (1000, 1000));
    assert!(case.people().iter().all(|p| p.number("seen_by") == 999));
}
