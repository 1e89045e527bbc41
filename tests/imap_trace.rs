//! Reading an account leaves no trace in it: flags, \Recent, HIGHESTMODSEQ, UIDs and files are as before, and no command
//! was sent that could change any. And no secret leaves a trace on this machine.

use crate::builders::{
    Case, Dovecot, Gate, Mailbox, PASSWORD, Run, Setup, Store, Wire, dovecot, westminster,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The folders of the account, each with mail that was seen, and mail that nobody has seen yet.
const FOLDERS: [&str; 4] = ["INBOX", "Sent", "Trash", "Entwürfe"];

fn account(setup: Setup) -> Dovecot {
    let flags = [
        ("Sent", "\\Sent"),
        ("Trash", "\\Trash"),
        ("Entwürfe", "\\Drafts"),
    ];
    let server = setup.user("robin", PASSWORD).flagged(&flags).start();
    for (number, folder) in FOLDERS.iter().enumerate() {
        server.put(
            "robin",
            folder,
            Mailbox::numbered_from(100 * number).background(5).each(),
        );
        // A mail program looks: what was there is \Recent no more, and some is marked.
        let mut wire = Wire::of(&server, "robin");
        wire.ask(&format!("SELECT \"{}\"", crate::builders::utf7(folder)));
        wire.ask("UID STORE 2,4 +FLAGS (\\Flagged \\Answered $Forwarded)");
        wire.ask("UID STORE 3 +FLAGS (\\Deleted)");
    }
    for (number, folder) in FOLDERS.iter().enumerate() {
        let arrived = Mailbox::numbered_from(1000 + 100 * number)
            .background(3)
            .mail(westminster);
        server.put_undelivered("robin", folder, arrived.each());
    }
    server
}

fn state(server: &Dovecot) -> Vec<String> {
    let folders = FOLDERS.iter().map(|folder| server.state("robin", folder));
    folders.chain([server.files("robin")]).collect()
}

#[test]
fn after_a_scan_an_account_is_as_it_was_before() {
    for setup in [dovecot(), dovecot().compress()] {
        let server = account(setup);
        let before = state(&server);
        assert!(
            before.iter().take(4).all(|text| text.contains("\\Recent")),
            "{before:#?}"
        );
        assert!(before[4].contains("/new/"), "{}", before[4]);
        let case = server.scan("robin").ok();
        assert!(case.count("read") >= 30 && !case.messages().is_empty());
        assert_eq!(state(&server), before);
        server
            .scan("robin")
            .arg("--received")
            .arg("--rejudge")
            .onto(&case)
            .ok();
        server.folders("robin").output().must_exit(0);
        assert_eq!(state(&server), before);
    }
}

#[test]
fn an_account_in_which_nobody_ever_asked_for_a_modseq_is_not_made_to_count_them() {
    // Dovecot keeps HIGHESTMODSEQ from the first CONDSTORE command on: that too would be a trace.
    let server = dovecot().user("robin", PASSWORD).start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(5).mail(westminster).each(),
    );
    let counts = || {
        Wire::of(&server, "robin")
            .ask("EXAMINE Sent")
            .contains("HIGHESTMODSEQ")
    };
    assert!(!counts(), "this server counts them from the start");
    server.scan("robin").ok();
    assert!(!counts());
}

#[test]
fn nothing_is_asked_that_could_change_an_account() {
    let server = account(dovecot());
    let before = server.asked("robin").len();
    let case = server.scan("robin").ok();
    server.scan("robin").onto(&case).ok();
    server.folders("robin").output().must_exit(0);
    let asked = server.asked("robin").split_off(before);
    assert!(
        asked.iter().any(|line| line.starts_with("UID FETCH")),
        "{asked:#?}"
    );
    for line in &asked {
        let harmless = [
            "CAPABILITY",
            "ID",
            "LIST",
            "STATUS",
            "EXAMINE",
            "UID FETCH",
            "NOOP",
            "LOGOUT",
            "COMPRESS",
            "UNSELECT",
            "NAMESPACE",
        ];
        assert!(
            harmless
                .iter()
                .any(|word| line == word || line.starts_with(&format!("{word} "))),
            "{line}"
        );
        assert!(
            !line.contains("BODY[") && !line.contains("RFC822 ") && !line.contains("RFC822.TEXT"),
            "marks as seen: {line}"
        );
        assert!(!line.contains("CONDSTORE"), "{line}");
    }
}

#[test]
fn with_vv_the_conversation_is_shown() {
    let server = account(dovecot());
    let said = server.scan("robin").arg("-vv").ok().output.stderr;
    for part in ["CAPABILITY", "EXAMINE", "UID FETCH", "EXISTS"] {
        assert!(said.contains(part), "no {part}: {said}");
    }
    assert!(
        !said.contains("rota"),
        "what mail says is not shown: {said}"
    );
    assert!(!server.scan("robin").ok().output.stderr.contains("EXAMINE"));
}

/// The secret, and the forms in which a protocol writes it.
fn forms(secret: &str, user: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), STANDARD.encode(secret)];
    for (before, after) in [
        (format!("\0{user}\0"), ""),
        (format!("robin\0{user}\0"), ""),
        (format!("user={user}\x01auth=Bearer "), "\x01\x01"),
    ] {
        forms.push(STANDARD.encode(format!("{before}{secret}{after}")));
    }
    // However it is aligned within a longer Base64.
    forms.extend(
        (0..3).map(|at| STANDARD.encode(&secret[at..]).trim_end_matches('=')[..12].to_owned()),
    );
    forms
}

#[track_caller]
fn keeps(secret: &str, user: &str, case: &Case) {
    let mut seen = vec![
        ("standard output".to_owned(), case.output.stdout.clone()),
        ("standard error".into(), case.output.stderr.clone()),
    ];
    for name in case.files() {
        let bytes = fs::read(case.path().join(&name)).unwrap();
        seen.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    for (place, text) in seen {
        for form in forms(secret, user) {
            assert!(!text.contains(&form), "'{form}' stands in {place}");
        }
    }
}

#[test]
fn no_password_is_said_or_kept() {
    let secret = "velvet-Otter:\"9\\ 417";
    let server = dovecot()
        .user("robin", secret)
        .master("auditor", secret)
        .start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(3).mail(westminster).each(),
    );
    let scan = || {
        server
            .scan("robin")
            .env("CCSPILL_PASSWORD", secret)
            .arg("-vv")
    };
    keeps(secret, "robin", &scan().ok());
    keeps(
        secret,
        "auditor",
        &scan().arg("--login").arg("auditor").ok(),
    );
    let starttls = server
        .scan_url(&server.imap("robin"))
        .env("CCSPILL_PASSWORD", secret)
        .arg("-vv")
        .ok();
    keeps(secret, "robin", &starttls);
}

#[test]
fn no_password_is_said_or_kept_where_it_is_the_login_mechanism_that_carries_it() {
    let secret = "velvet-Otter:\"9\\ 417";
    let server = dovecot().user("robin", secret).mechanisms("login").start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(3).mail(westminster).each(),
    );
    keeps(
        secret,
        "robin",
        &server
            .scan("robin")
            .env("CCSPILL_PASSWORD", secret)
            .arg("-vv")
            .ok(),
    );
}

#[test]
fn no_secret_is_said_where_a_login_fails() {
    let server = dovecot()
        .user("robin", PASSWORD)
        .mechanisms("plain login xoauth2 oauthbearer")
        .start();
    let secret = "velvet-Otter:\"9\\ 417";
    let token = server.token("robin", -60);
    let file = Store::file("token", &token);
    let wrong = server
        .scan("robin")
        .env("CCSPILL_PASSWORD", secret)
        .arg("-vv")
        .output();
    let expired = server
        .scan("robin")
        .arg("--token-command")
        .arg(format!("cat '{}'", file.text()))
        .arg("-vv")
        .output();
    // The server writes that down when it hears that we are gone.
    let tries = || server.log().matches("auth failed, 1 attempts").count();
    let until = Instant::now() + Duration::from_secs(20);
    while tries() < 2 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(tries(), 2, "both were sent: {}", server.log());
    for (output, secret) in [(wrong, secret), (expired, &token)] {
        output.must_exit(2);
        for form in forms(secret, "robin") {
            assert!(
                !output.said().contains(&form),
                "'{form}' is said: {}",
                output.said()
            );
        }
    }
}

#[test]
fn no_token_is_said_or_kept() {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let server = dovecot()
            .user("robin", PASSWORD)
            .mechanisms(mechanism)
            .start();
        server.put(
            "robin",
            "Sent",
            Mailbox::ordinary(3).mail(westminster).each(),
        );
        let token = server.token("robin", 600);
        let file = Store::file("token", &token);
        let run = server
            .scan("robin")
            .arg("--token-command")
            .arg(format!("cat '{}'", file.text()));
        keeps(&token, "robin", &run.arg("-vv").ok());
    }
}

#[test]
fn the_list_of_processes_shows_no_secret() {
    let secret = format!("velvet-otter-{}", std::process::id());
    let server = dovecot().user("robin", &secret).start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(300).mail(westminster).each(),
    );
    let file = Store::file("password", &secret);
    let gate = Gate::to(server.ports().tls);
    let (tell, told) = channel();
    // In the middle of the scan, every process of the machine is asked for its command line.
    gate.after(20_000, move || {
        let lines = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read(entry.unwrap().path().join("cmdline")).ok());
        let lines: Vec<String> = lines
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect();
        tell.send(lines).unwrap();
    });
    let run = server
        .trusted(Run::scan(format!(
            "imaps://robin@127.0.0.1:{}",
            gate.port()
        )))
        .org("force.example");
    run.arg("--password-command")
        .arg(format!("cat '{}'", file.text()))
        .ok();
    let lines = told.try_recv().expect("a scan long enough to be looked at");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("ccspill") && line.contains("imaps://")),
        "{lines:#?}"
    );
    let shown: Vec<_> = lines.iter().filter(|line| line.contains(&secret)).collect();
    assert!(shown.is_empty(), "{shown:#?}");
}
