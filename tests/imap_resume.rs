//! A scan of an account goes on: with what is new since the last one, past a server that dies, past Ctrl-C, past mail that
//! comes and goes meanwhile. It ends in the tables of one undisturbed scan of everything.

use crate::builders::{
    Case, Dovecot, Format, Gate, Mail, Mailbox, PASSWORD, Wire, column, dovecot, people,
    westminster,
};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::mpsc::channel;

fn start() -> Dovecot {
    dovecot().user("robin", PASSWORD).start()
}

/// A list of survivors, told apart from others by its number.
fn survivors(m: Mail, number: usize) -> Mail {
    m.id(&format!("list{number}@force.example"))
        .cc(people(16, 8 + number as u64))
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

/// So many ordinary mails, and a list among them at each of these places.
fn with_lists(first: usize, n: usize, places: &[usize]) -> Mailbox {
    places
        .iter()
        .fold(Mailbox::numbered_from(first), |all, place| {
            let so_far = all.each().count();
            all.background(place - so_far)
                .mail(|m| survivors(m, first + place))
        })
        .background(n - places.last().map_or(0, |last| last + 1))
}

/// The same tables and counts.
#[track_caller]
pub(crate) fn same(one: &Case, other: &Case, what: &str) {
    for (name, text) in one.exports() {
        assert!(
            text == other.exports()[name],
            "{what}, {name}:\n{text}\n---\n{}",
            other.exports()[name]
        );
    }
    for what in ["read", "judged", "received", "duplicates", "unread"] {
        assert_eq!(one.count(what), other.count(what), "{what}");
    }
}

/// Every UID within these ranges.
fn uids(ranges: &[(u64, u64)]) -> BTreeSet<u64> {
    ranges
        .iter()
        .flat_map(|(first, last)| *first..=*last)
        .collect()
}

#[test]
fn the_next_scan_asks_for_what_is_new_and_ends_like_one_scan_of_everything() {
    let server = start();
    server.put("robin", "Sent", with_lists(0, 60, &[20]).each());
    server.put(
        "robin",
        "INBOX",
        Mailbox::numbered_from(500).background(10).each(),
    );
    let case = server.scan("robin").ok();
    assert_eq!(uids(&server.fetched("robin")), (1..=60).collect());
    server.put("robin", "Sent", with_lists(100, 30, &[7]).each());
    let before = server.asked("robin").len();
    let fetched = server.fetched("robin").len();
    let case = server.scan("robin").onto(&case).ok();
    assert_eq!(
        uids(&server.fetched("robin")[fetched..]),
        (61..=90).collect(),
        "{:#?}",
        &server.asked("robin")[before..]
    );
    same(&server.scan("robin").ok(), &case, "in two parts");
    // Nothing is new: nothing is asked for.
    let fetched = server.fetched("robin").len();
    let again = server.scan("robin").onto(&case).ok();
    assert_eq!(server.fetched("robin")[fetched..], []);
    same(&case, &again, "again");
    assert!(
        again.output.said().contains("90") || again.output.said().contains("100"),
        "{}",
        again.output.said()
    );
}

/// Writes this into the column `review` of the one finding.
fn review(case: &Case, word: &str) {
    case.decide(&case.only_message()["exposure_id"], word);
}

#[test]
fn a_folder_with_another_uidvalidity_is_read_again_and_known_by_its_mail() {
    let server = start();
    let mailbox = Mailbox::ordinary(30).mail(westminster);
    server.put("robin", "Sent", mailbox.each());
    let other_number = || {
        let now = server.status("robin", "Sent", "uidvalidity");
        // A lower one will do as well as a higher one.
        let other = (now - 1).to_string();
        server.doveadm([
            "mailbox",
            "update",
            "-u",
            "robin",
            "--uid-validity",
            &other,
            "Sent",
        ]);
    };
    let made_anew = || {
        server.doveadm(["mailbox", "delete", "-s", "-u", "robin", "Sent"]);
        server.put("robin", "Sent", mailbox.each());
    };
    let [number, anew]: [&dyn Fn(); 2] = [&other_number, &made_anew];
    let mut case = server.scan("robin").ok();
    review(&case, "confirmed");
    for change in [number, anew] {
        let before = server.status("robin", "Sent", "uidvalidity");
        change();
        let validity = server.status("robin", "Sent", "uidvalidity");
        assert_ne!(before, validity);
        case = server.scan("robin").onto(&case).ok();
        let row = case.only_message();
        assert_eq!((case.people().len(), &row["review"]), (18, "confirmed"));
        assert_eq!((case.count("judged"), case.count("unread")), (31, 0));
        // It stands where it can be found now.
        let places = format!("{} {}", &row["position"], &row["also_at"]);
        assert!(places.contains(&format!("{validity}:31")), "{places}");
    }
}

#[test]
fn a_folder_made_anew_with_other_mail_takes_nothing_back() {
    let server = start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(30).mail(westminster).each(),
    );
    let case = server.scan("robin").ok();
    server.doveadm(["mailbox", "delete", "-s", "-u", "robin", "Sent"]);
    server.put("robin", "Sent", with_lists(400, 20, &[11]).each());
    let case = server.scan("robin").onto(&case).ok();
    assert_eq!(
        column(&case.messages(), "message_id"),
        ["westminster@force.example", "list411@force.example"]
            .map(String::from)
            .into()
    );
}

/// Twenty thousand mails with a few findings in them, behind a gate.
struct Large {
    server: Dovecot,
    gate: Gate,
    url: String,
    /// An undisturbed scan, and how many bytes of answers it took.
    whole: Case,
    bytes: u64,
}

impl Large {
    fn new() -> Self {
        let server = dovecot()
            .user("robin", PASSWORD)
            .format(Format::Mdbox)
            .start();
        server.put(
            "robin",
            "Sent",
            with_lists(0, 20_000, &[3, 9_000, 19_990]).each(),
        );
        let gate = Gate::to(server.ports().tls);
        let url = format!("imaps://robin@127.0.0.1:{}", gate.port());
        let whole = server.scan_url(&url).ok();
        assert_eq!((whole.messages().len(), whole.count("judged")), (3, 20_000));
        let bytes = gate.passed();
        Large {
            server,
            gate,
            url,
            whole,
            bytes,
        }
    }
    /// Does this when a part of the bytes of a scan has passed.
    fn at(&self, part: f64, act: impl FnOnce(&Dovecot) + Send + 'static) {
        let server = self.server.clone();
        self.gate
            .after((self.bytes as f64 * part) as u64, move || act(&server));
    }
}

#[test]
fn a_server_that_dies_in_the_middle_and_comes_back_changes_nothing() {
    let large = Large::new();
    let dies = |server: &Dovecot| {
        server.kill();
        server.restart();
    };
    let kicks = |server: &Dovecot| assert!(server.kick("robin"));
    for (how, part) in [
        ("killed", 0.3),
        ("kicked", 0.3),
        ("killed", 0.7),
        ("kicked", 0.7),
    ] {
        large.at(part, if how == "killed" { dies } else { kicks });
        let case = large.server.scan_url(&large.url).ok();
        assert!(large.gate.acted(), "the scan was over before it was {how}");
        same(&large.whole, &case, how);
        assert_eq!(case.unread(), []);
    }
}

#[test]
fn after_ctrl_c_the_same_command_goes_on_where_it_stopped() {
    let large = Large::new();
    let (tell, told) = channel::<u32>();
    large.at(0.6, move |_| {
        let pid = told.recv().expect("a scan").to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
    });
    let fetched = large.server.fetched("robin").len();
    let run = large.server.scan_url(&large.url);
    let path = run.case_path().to_owned();
    let (mut child, home) = run.start();
    tell.send(child.id()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(large.gate.acted());
    let first = uids(&large.server.fetched("robin")[fetched..]);
    let fetched = large.server.fetched("robin").len();
    let case = large
        .server
        .scan_url(&large.url)
        .onto(&Case::at(home, path))
        .ok();
    let second = uids(&large.server.fetched("robin")[fetched..]);
    same(&large.whole, &case, "stopped and gone on");
    assert!(
        first.contains(&1) && !second.contains(&1),
        "it began again: {:?}",
        large.server.fetched("robin")
    );
    assert_eq!(first.union(&second).count(), 20_000);
    let twice = first.intersection(&second).count();
    // Three windows of up to 2,500 may have been under way, and a fourth asked for in advance.
    assert!(twice <= 10_000, "{twice} were asked for twice");
}

#[test]
fn mail_that_comes_and_goes_during_a_scan_loses_nothing_else() {
    let large = Large::new();
    large.at(0.4, |server| {
        server.put("robin", "Sent", with_lists(30_000, 50, &[20]).each());
        server.doveadm([
            "expunge",
            "-u",
            "robin",
            "mailbox",
            "Sent",
            "uid",
            "15001:15100",
        ]);
        server.doveadm(["expunge", "-u", "robin", "mailbox", "Sent", "uid", "11:20"]);
    });
    let case = large.server.scan_url(&large.url).ok();
    assert!(large.gate.acted());
    assert_eq!(case.unread(), [], "what its owner deleted is no failure");
    let judged = case.count("judged");
    assert!((19_890..=20_050).contains(&judged), "{judged}");
    let case = large.server.scan_url(&large.url).onto(&case).ok();
    let lists: BTreeSet<String> = case.found().into_iter().collect();
    assert_eq!(
        lists,
        ["list3", "list9000", "list19990", "list30020"]
            .map(String::from)
            .into()
    );
    let gained = case.count("judged");
    assert!((19_940..=20_050).contains(&gained), "{gained}");
}

#[test]
fn a_folder_that_is_deleted_during_a_scan_is_told_and_the_others_are_read() {
    let server = start();
    server.put(
        "robin",
        "Ablage",
        Mailbox::numbered_from(1000).background(2_000).each(),
    );
    server.put("robin", "Sent", with_lists(0, 500, &[250]).each());
    let gate = Gate::to(server.ports().tls);
    let url = format!("imaps://robin@127.0.0.1:{}", gate.port());
    let whole = server.scan_url(&url).ok();
    let at = gate.passed() / 3;
    let owner = server.clone();
    gate.after(at, move || {
        owner.doveadm(["mailbox", "delete", "-s", "-u", "robin", "Ablage"]);
    });
    let output = server.scan_url(&url);
    let path = output.case_path().to_owned();
    let (mut child, home) = output.start();
    let status = child.wait().unwrap().code();
    assert!(gate.acted());
    let case = Case::at(home, path);
    assert!([Some(0), Some(3)].contains(&status), "exit {status:?}");
    assert_eq!(case.found(), whole.found());
    if status == Some(3) {
        assert_eq!(
            column(&case.unread(), "folder"),
            ["Ablage".to_owned()].into()
        );
    }
}

#[test]
fn a_message_that_is_marked_meanwhile_is_not_read_twice() {
    // The server tells of the new flag in the midst of its answers, in the shape of an answer.
    let server = start();
    server.put("robin", "Sent", with_lists(0, 3_000, &[1_500]).each());
    let gate = Gate::to(server.ports().tls);
    let url = format!("imaps://robin@127.0.0.1:{}", gate.port());
    let whole = server.scan_url(&url).ok();
    let owner = server.clone();
    gate.after(gate.passed() / 2, move || {
        let mut wire = Wire::of(&owner, "robin");
        wire.ask("SELECT Sent");
        wire.ask("UID STORE 1:* +FLAGS (\\Flagged)");
    });
    let case = server.scan_url(&url).ok();
    assert!(gate.acted());
    same(&whole, &case, "marked");
}

#[test]
fn a_mail_that_the_server_cannot_read_is_one_row_and_costs_no_other() {
    // Dovecot answers with BYE in the middle of the reply, and hangs up.
    let mailbox = with_lists(0, 400, &[3, 390]);
    let server = start();
    server.put("robin", "Sent", mailbox.each());
    server.spoil("robin", "Sent", "m200@force.example");
    server.spoil("robin", "Sent", "m399@force.example");
    let case = server.scan("robin").exits(3);
    assert_eq!(case.messages().len(), 2);
    assert_eq!((case.count("judged"), case.count("unread")), (398, 2));
    let validity = server.status("robin", "Sent", "uidvalidity");
    let due = [201, 400].map(|uid| format!("{validity}:{uid}"));
    assert_eq!(column(&case.unread(), "position"), due.into());
    assert_eq!(column(&case.unread(), "folder"), ["Sent".to_owned()].into());
    // The next scan does not believe that these are known.
    let mended = server.home().join("mail/robin/Maildir/.Sent/cur");
    for mail in std::fs::read_dir(mended).unwrap() {
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(mail.unwrap().path(), all).unwrap();
    }
    let case = server.scan("robin").onto(&case).ok();
    assert_eq!((case.count("judged"), case.count("unread")), (400, 0));
}

#[test]
fn a_finding_whose_text_the_server_cannot_read_is_told_and_not_dropped() {
    // Its head was read, and then its file was gone: nothing says that it exposes nobody.
    let server = start();
    server.put("robin", "Sent", with_lists(0, 400, &[3, 390]).each());
    let gate = Gate::to(server.ports().tls);
    let url = format!("imaps://robin@127.0.0.1:{}", gate.port());
    server.scan_url(&url).ok();
    let owner = server.clone();
    gate.after(gate.passed() / 2, move || {
        owner.spoil("robin", "Sent", "list390@force.example")
    });
    let case = server.scan_url(&url).exits(3);
    assert!(gate.acted());
    // Its head says enough to judge it by.
    assert_eq!(case.found(), ["list3", "list390"]);
    let validity = server.status("robin", "Sent", "uidvalidity");
    assert_eq!(
        column(&case.unread(), "position"),
        [format!("{validity}:391")].into()
    );
    let parts = ["judged", "received", "duplicates", "unread"].map(|part| case.count(part));
    assert_eq!(parts.iter().sum::<u64>(), case.count("read"), "{parts:?}");
}

/// Which UIDs of which folder header fields were asked for, behind the first `skip` command lines.
fn fetched_of(server: &Dovecot, skip: usize) -> BTreeSet<(String, u64)> {
    let (mut folder, mut out) = (String::new(), BTreeSet::new());
    for line in server.asked("robin").into_iter().skip(skip) {
        if let Some(name) = line.strip_prefix("EXAMINE ") {
            folder = name.trim_matches('"').to_owned();
        }
        // Which there are may be asked of all; it is no reading.
        let rest = line.strip_prefix("UID FETCH ");
        let Some(rest) = rest.filter(|rest| !rest.ends_with(" (UID)")) else {
            continue;
        };
        for range in rest.split(' ').next().unwrap_or_default().split(',') {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            out.extend((first..=last).map(|uid| (folder.clone(), uid)));
        }
    }
    out
}

#[test]
fn a_folder_that_is_new_does_not_make_the_others_be_read_again() {
    let server = start();
    server.put("robin", "Sent", with_lists(0, 60, &[20]).each());
    let inbox = Mailbox::numbered_from(500).background(10);
    server.put("robin", "INBOX", inbox.each());
    let case = server.scan("robin").ok();
    let asked = server.asked("robin").len();
    server.put("robin", "Projekte", with_lists(200, 20, &[4]).each());
    server.put("robin", "Sent", with_lists(100, 5, &[2]).each());
    let case = server.scan("robin").onto(&case).ok();
    let due = |folder: &str, uids: std::ops::RangeInclusive<u64>| {
        let folder = folder.to_owned();
        uids.map(move |uid| (folder.clone(), uid))
    };
    let due: BTreeSet<_> = due("Projekte", 1..=20)
        .chain(due("Sent", 61..=65))
        .collect();
    assert_eq!(
        fetched_of(&server, asked),
        due,
        "{:#?}",
        &server.asked("robin")[asked..]
    );
    assert_eq!(case.messages().len(), 3);
    same(&server.scan("robin").ok(), &case, "in two parts");
}
