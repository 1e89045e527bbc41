//! Which folders of an account are read, and as what: sent mail by the server's flag, by name in any language, by the
//! person's word; the others for what else was sent from them, and for history.

use crate::builders::{
    Case, Dovecot, FORCE, Mail, Mailbox, PASSWORD, Row, Run, Setup, Store, column, dovecot, people,
    victims,
};
use std::collections::BTreeMap;

fn start(setup: Setup) -> Dovecot {
    setup.user("robin", PASSWORD).start()
}

/// A list of survivors, told apart from others by its number.
fn survivors(m: Mail, number: usize) -> Mail {
    m.id(&format!("list{number}@force.example"))
        .cc(people(30, 8 + number as u64))
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

/// A folder with one such list and some ordinary mail in it.
fn with_list(number: usize) -> impl Iterator<Item = Vec<u8>> {
    let mailbox = Mailbox::numbered_from(100 * number).background(4);
    mailbox
        .mail(|m| survivors(m, number))
        .each()
        .collect::<Vec<_>>()
        .into_iter()
}

/// Mail from outside to the constable.
fn from_outside(n: usize) -> impl Iterator<Item = Vec<u8>> {
    let mailbox = Mailbox::numbered_from(5000).mails(victims().into_iter().take(n), |m, who| {
        m.from(who).to(["robin.ashdown@force.example"])
    });
    mailbox.each().collect::<Vec<_>>().into_iter()
}

/// Folder to what the manifest says it was read as.
fn roles(case: &Case) -> BTreeMap<String, String> {
    let sources = case.manifest()["sources"].as_array().unwrap().clone();
    let folders = sources
        .iter()
        .flat_map(|source| source["folders"].as_array().unwrap().clone());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    folders
        .map(|folder| (text(&folder["folder"]), text(&folder["role"])))
        .collect()
}

/// The rows of `ccspill folders` by folder: messages, read as, why. Two spaces part the columns.
fn listed(run: Run) -> BTreeMap<String, [String; 3]> {
    let output = run.output();
    output.must_exit(0);
    let rows = output
        .stdout
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty());
    let cells = |line: &str| -> Vec<String> {
        line.split("  ")
            .map(|cell| cell.trim().to_owned())
            .filter(|cell| !cell.is_empty())
            .collect()
    };
    rows.map(|line| {
        let [folder, messages, read_as, why] = <[String; 4]>::try_from(cells(line))
            .unwrap_or_else(|cells| panic!("not four columns: {cells:?} in\n{}", output.stdout));
        (folder, [messages, read_as, why])
    })
    .collect()
}

fn by_folder(rows: &[Row]) -> BTreeMap<String, String> {
    rows.iter()
        .map(|row| (row["folder"].to_owned(), row["message_id"].to_owned()))
        .collect()
}

#[test]
fn a_folder_that_the_server_flags_holds_sent_mail_whatever_its_name() {
    let server = start(dovecot().flagged(&[("Post/Weg", "\\Sent")]));
    server.put("robin", "Post/Weg", with_list(1));
    let case = server.scan("robin").ok();
    assert_eq!(
        by_folder(&case.messages()),
        [("Post/Weg".into(), "list1@force.example".into())].into()
    );
    assert_eq!(roles(&case)["Post/Weg"], "sent");
}

#[test]
fn a_folder_without_a_flag_is_known_by_its_name_in_any_language() {
    let names = [
        "Gesendet",
        "Éléments envoyés",
        "Отправленные",
        "已发送",
        "Sent Items",
        "Gönderilmiş Öğeler",
    ];
    // Each is the folder of a mailbox of its own.
    let user = |at: usize| format!("officer{at}");
    let setup = dovecot().flagged(&[]);
    let server = (0..names.len())
        .fold(setup, |all, at| all.user(&user(at), PASSWORD))
        .start();
    for (at, name) in names.into_iter().enumerate() {
        server.put(&user(at), name, with_list(1));
        let case = server.scan(&user(at)).ok();
        assert_eq!(
            (&case.only_message()["folder"], roles(&case)[name].as_str()),
            (name, "sent")
        );
    }
}

#[test]
fn every_folder_of_sent_mail_is_read_where_somebody_has_changed_programs() {
    let server = start(dovecot());
    for (number, folder) in ["Sent", "Sent Items", "Gesendete Elemente", "Sent/2023"]
        .iter()
        .enumerate()
    {
        server.put("robin", folder, with_list(number));
    }
    let case = server.scan("robin").arg("--sent-only").ok();
    let folders = column(&case.messages(), "folder");
    assert_eq!(
        folders,
        ["Sent", "Sent Items", "Gesendete Elemente", "Sent/2023"]
            .map(String::from)
            .into()
    );
    assert_eq!(case.count("read"), 20);
}

#[test]
fn folders_below_the_inbox_are_known_as_well() {
    for flags in [&[("INBOX.Sent", "\\Sent")][..], &[]] {
        let server = start(dovecot().below_inbox().flagged(flags));
        server.put("robin", "INBOX.Sent", with_list(1));
        server.put("robin", "INBOX.Éléments envoyés", with_list(2));
        server.put("robin", "INBOX", from_outside(3));
        let case = server.scan("robin").ok();
        let folders = column(&case.messages(), "folder");
        assert_eq!(
            folders,
            ["INBOX.Sent", "INBOX.Éléments envoyés"]
                .map(String::from)
                .into()
        );
        assert_eq!((case.count("judged"), case.count("received")), (10, 3));
    }
}

#[test]
fn names_that_need_quoting_are_read() {
    let server = start(dovecot());
    for (number, folder) in ["Q&A \"x\" 100%", "back\\slash", "star*", "{5}"]
        .iter()
        .enumerate()
    {
        server.put("robin", folder, with_list(number));
    }
    let case = server.scan("robin").ok();
    let folders = column(&case.messages(), "folder");
    assert_eq!(
        folders,
        ["Q&A \"x\" 100%", "back\\slash", "star*", "{5}"]
            .map(String::from)
            .into()
    );
}

#[test]
fn mail_of_the_organisation_counts_as_sent_wherever_it_lies() {
    let server = start(dovecot().flagged(&[("Sent", "\\Sent"), ("Trash", "\\Trash")]));
    server.put("robin", "Sent", with_list(1));
    server.put("robin", "Trash", with_list(2));
    server.put("robin", "INBOX", with_list(3).chain(from_outside(6)));
    let case = server.scan("robin").ok();
    let due = [("INBOX", 3), ("Sent", 1), ("Trash", 2)];
    let due = due.map(|(folder, list)| (folder.to_owned(), format!("list{list}@force.example")));
    assert_eq!(by_folder(&case.messages()), due.into());
    assert_eq!(
        (
            case.count("judged"),
            case.count("received"),
            case.count("unread")
        ),
        (15, 6, 0)
    );
}

#[test]
fn a_copy_in_another_folder_is_a_duplicate_and_both_places_are_named() {
    let server = start(dovecot());
    server.put("robin", "Sent", with_list(1));
    server.put("robin", "Archive/2024", with_list(1));
    let case = server.scan("robin").ok();
    assert_eq!((case.count("judged"), case.count("duplicates")), (5, 5));
    let row = case.only_message();
    let places = format!("{} {}", &row["folder"], &row["also_at"]);
    assert!(
        places.contains("Sent") && places.contains("Archive/2024"),
        "{places}"
    );
}

#[test]
fn drafts_were_never_sent() {
    let server = start(dovecot().flagged(&[("Sent", "\\Sent"), ("Unfertig", "\\Drafts")]));
    server.put("robin", "Sent", Mailbox::ordinary(5).each());
    server.put("robin", "Unfertig", with_list(1));
    server.put_flagged("robin", "INBOX", "DS", with_list(2));
    let case = server.scan("robin").ok();
    assert!(case.messages().is_empty(), "{:?}", case.found());
    assert_eq!((case.count("judged"), case.count("received")), (5, 10));
    assert_eq!(roles(&case)["Unfertig"], "drafts");
}

#[test]
fn with_sent_only_the_other_folders_are_not_opened_and_the_summary_says_so() {
    let server = start(dovecot());
    server.put("robin", "Sent", with_list(1));
    server.put("robin", "Trash", with_list(2));
    server.put("robin", "INBOX", from_outside(6));
    let case = server.scan("robin").arg("--sent-only").ok();
    assert_eq!(case.found(), ["list1"]);
    assert_eq!((case.count("read"), case.count("judged")), (5, 5));
    let said = case
        .output
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.contains("INBOX") && said.contains("Trash"), "{said}");
    let asked = server.asked("robin");
    let opened: Vec<_> = asked
        .iter()
        .filter(|line| line.starts_with("EXAMINE"))
        .collect();
    assert!(
        !opened.is_empty() && opened.iter().all(|line| line.contains("Sent")),
        "{asked:#?}"
    );
}

#[test]
fn with_sent_only_and_no_such_folder_nothing_is_judged_and_the_mend_is_told() {
    let server = start(dovecot());
    server.put("robin", "INBOX", from_outside(2));
    server.put("robin", "Ablage", with_list(1));
    let output = server.scan("robin").arg("--sent-only").refused();
    for word in ["Ablage", "--folder", "\n  try: "] {
        assert!(
            output.stderr.contains(word),
            "no '{word}': {}",
            output.stderr
        );
    }
    let case = server
        .scan("robin")
        .arg("--sent-only")
        .arg("--folder")
        .arg("Ablage")
        .ok();
    assert_eq!(
        (case.found(), case.count("read")),
        (vec!["list1".into()], 5)
    );
}

#[test]
fn a_folder_in_the_url_is_all_that_is_read() {
    let server = start(dovecot());
    server.put("robin", "Éléments envoyés", with_list(1));
    server.put("robin", "Sent", with_list(2));
    let url = format!(
        "{}/%C3%89l%C3%A9ments%20envoy%C3%A9s",
        server.imaps("robin")
    );
    let case = server.scan_url(&url).ok();
    assert_eq!(
        (case.found(), case.count("read")),
        (vec!["list1".into()], 5)
    );
    assert_eq!(&case.only_message()["source"], url, "as it was given");
    assert_eq!(&case.only_message()["folder"], "Éléments envoyés");
}

#[test]
fn a_folder_that_is_not_there_is_answered_with_those_that_are() {
    let server = start(dovecot());
    server.put("robin", "Sent", with_list(1));
    server.put("robin", "Trash", with_list(2));
    for url in ["Snet", "sent%20mail"] {
        let output = server
            .scan_url(&format!("{}/{url}", server.imaps("robin")))
            .refused();
        for word in ["Sent", "\n  try: "] {
            assert!(
                output.stderr.contains(word),
                "no '{word}': {}",
                output.stderr
            );
        }
    }
}

#[test]
fn the_list_of_folders_says_what_would_be_read_as_sent_and_why() {
    let server = start(dovecot().flagged(&[
        ("Weg", "\\Sent"),
        ("Trash", "\\Trash"),
        ("Entwürfe", "\\Drafts"),
    ]));
    server.put("robin", "Weg", with_list(1));
    server.put(
        "robin",
        "Éléments envoyés",
        with_list(2).chain(with_list(3)),
    );
    server.put("robin", "Trash", with_list(4).take(2));
    server.put("robin", "Entwürfe", with_list(5).take(1));
    server.put_undelivered("robin", "INBOX", from_outside(3));
    let before = server.state("robin", "INBOX");
    let rows = listed(server.folders("robin"));
    let row = |folder: &str| {
        rows.get(folder)
            .unwrap_or_else(|| panic!("no {folder} in {rows:#?}"))
    };
    assert_eq!(
        (row("Weg")[0].as_str(), row("Weg")[1].as_str()),
        ("5", "sent mail")
    );
    assert!(row("Weg")[2].contains("server"), "{rows:#?}");
    assert_eq!(
        (
            row("Éléments envoyés")[0].as_str(),
            row("Éléments envoyés")[1].as_str()
        ),
        ("10", "sent mail")
    );
    assert!(row("Éléments envoyés")[2].contains("name"), "{rows:#?}");
    for (folder, messages) in [("Trash", "2"), ("Entwürfe", "1"), ("INBOX", "3")] {
        assert_eq!(row(folder)[0], messages, "{rows:#?}");
        assert_ne!(row(folder)[1], "sent mail", "{rows:#?}");
    }
    assert_eq!(rows.len(), 5, "{rows:#?}");
    assert_eq!(
        server.state("robin", "INBOX"),
        before,
        "a look at the folders changes nothing"
    );
}

#[test]
fn what_holds_folders_and_no_mail_is_no_trouble() {
    let server = start(dovecot());
    server.put("robin", "Archive/2023/Sent", with_list(1));
    server.put("robin", "Empty", std::iter::empty());
    let case = server.scan("robin").ok();
    assert_eq!(&case.only_message()["folder"], "Archive/2023/Sent");
    assert_eq!(listed(server.folders("robin"))["Empty"][0], "0");
}

#[test]
fn the_history_of_a_mailbox_lies_in_its_other_folders() {
    // They have all written to the constable before, in answer to an open list: they know one another.
    let circle = people(14, 31);
    let server = start(dovecot());
    let talk = Mailbox::numbered_from(300).mails(&circle, |m, who| {
        let others = circle.iter().filter(|other| *other != who);
        m.from(who)
            .to(["robin.ashdown@force.example"])
            .cc(others)
            .day(1)
    });
    server.put("robin", "INBOX", talk.each());
    let list = Mailbox::new().mail(|m| m.to(&circle).subject("Rota").day(9));
    server.put("robin", "Sent", list.each());
    let files = [talk.mbox(), list.mbox()];
    let with_history = Run::scan_all(files.iter().map(Store::path)).org(FORCE).ok();
    let without = Run::scan(files[1].path()).org(FORCE).ok();
    assert_ne!(
        with_history.messages().len(),
        without.messages().len(),
        "history matters here"
    );
    let all = server.scan("robin").ok();
    assert_eq!(all.messages().len(), with_history.messages().len());
    let sent = server.scan("robin").arg("--sent-only").ok();
    assert_eq!(sent.messages().len(), without.messages().len());
}

#[test]
fn an_empty_folder_of_sent_mail_does_not_make_the_senders_of_an_inbox_the_organisation() {
    let received = |m: Mail| {
        m.header(
            "Received",
            "from mx.example by mail.force.example; Fri, 1 Mar 2024 09:00:00 +0000",
        )
    };
    // One of them is a list; of the others nothing but the header fields is of interest.
    let outside = |m: Mail, n: usize| {
        let m = received(m)
            .id(&format!("outside{n}@elsewhere.example"))
            .from(format!("x{n}@elsewhere.example"));
        match n {
            0 => m.to(people(40, 71)).subject("Hello all"),
            _ => m.to(["robin.ashdown@force.example"]),
        }
    };
    let stored = Mailbox::ordinary(12)
        .mail(|m| survivors(m, 5))
        .mails(0..60, outside);
    let nobody = Mailbox::new().mails(0..60, outside);
    for (mailbox, known) in [(stored, true), (nobody, false)] {
        let server = start(dovecot());
        server.put("robin", "Sent", []);
        server.put("robin", "INBOX", mailbox.each());
        let run = server.trusted(Run::scan(server.imaps("robin")));
        let account = run.env("CCSPILL_PASSWORD", PASSWORD).ok();
        let file = Run::scan(Store::file("INBOX", mailbox.rd()).path()).ok();
        assert_eq!(
            account.manifest()["organisation"],
            file.manifest()["organisation"]
        );
        assert_eq!(
            account.output.stdout.contains("force.example"),
            known,
            "{}",
            account.output.stdout
        );
        assert_eq!(account.found(), file.found());
        assert_eq!(account.exposed(), file.exposed());
        for what in ["judged", "received"] {
            assert_eq!(account.count(what), file.count(what), "{what}");
        }
        if known {
            assert_eq!(account.found(), ["list5"]);
        }
    }
}
