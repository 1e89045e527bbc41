//! Who logs in, as whom, with what: passwords of any letters, a master who opens another's mailbox, tokens. A login that
//! fails is told with the server's own words and a mend.

use crate::builders::{
    Dovecot, Mailbox, PASSWORD, Run, Setup, Store, dovecot, refused, westminster,
};

/// The message of the eighteen in Robin's mailbox; nothing of the kind in Sam's.
fn accounts(setup: Setup) -> Dovecot {
    let server = setup
        .user("robin", PASSWORD)
        .user("sam", "sam's own")
        .start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(10).mail(westminster).each(),
    );
    server.put(
        "sam",
        "Sent",
        Mailbox::numbered_from(50).background(4).each(),
    );
    server
}

#[track_caller]
fn finds_it(run: Run) {
    let case = run.ok();
    assert_eq!(
        (case.found(), case.count("read")),
        (vec!["westminster".into()], 11)
    );
}

/// Robin's account, without a word of how to log in.
fn bare(server: &Dovecot) -> Run {
    server
        .trusted(Run::scan(server.imaps("robin")))
        .org(crate::builders::FORCE)
}

#[test]
fn a_password_of_any_letters_from_the_environment_or_from_a_command() {
    let secret = "pä:ss \"w\\ö\"{3}$ %u 密 ";
    let server = dovecot().user("robin", secret).start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(10).mail(westminster).each(),
    );
    finds_it(bare(&server).env("CCSPILL_PASSWORD", secret));
    // A line break ends what a command prints and is no part of it; a space is.
    for ending in ["", "\n", "\r\n"] {
        let file = Store::file("password", format!("{secret}{ending}"));
        let command = format!("cat '{}'", file.text());
        finds_it(bare(&server).arg("--password-command").arg(command));
    }
}

#[test]
fn a_password_of_any_letters_where_only_login_is_offered() {
    let secret = "pä:ss \"w\\ö\"{3}$ %u 密";
    let server = dovecot().user("robin", secret).mechanisms("login").start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(10).mail(westminster).each(),
    );
    finds_it(bare(&server).env("CCSPILL_PASSWORD", secret));
}

#[test]
fn a_user_is_named_in_the_url_with_any_letters() {
    let server = dovecot().user("robin+dc@force.example", PASSWORD).start();
    server.put(
        "robin+dc@force.example",
        "Sent",
        Mailbox::ordinary(10).mail(westminster).each(),
    );
    for user in [
        "robin%2Bdc%40force.example",
        "robin+dc%40force.example",
        "robin+dc@force.example",
    ] {
        finds_it(server.scan(user));
    }
}

#[test]
fn a_wrong_password_is_told_with_the_servers_words_and_never_repeated() {
    let server = accounts(dovecot());
    let output = refused(
        bare(&server).env("CCSPILL_PASSWORD", "my-first-guess"),
        &["robin", "Authentication failed"],
    );
    assert!(
        !output.said().contains("my-first-guess"),
        "{}",
        output.said()
    );
    let tries = server.log().matches("Password mismatch").count();
    assert_eq!(
        tries,
        1,
        "an account may be locked by tries: {}",
        server.log()
    );
}

#[test]
fn a_password_that_nobody_gave_is_asked_for_in_words() {
    refused(
        bare(&accounts(dovecot())),
        &["CCSPILL_PASSWORD", "--password-command"],
    );
}

#[test]
fn a_password_in_the_url_is_refused_and_not_repeated() {
    // The list of processes and the history of the shell would show it.
    let server = accounts(dovecot());
    let run = Run::scan(format!(
        "imaps://robin:open-sesame@127.0.0.1:{}",
        server.ports().tls
    ));
    let output = refused(server.trusted(run), &["CCSPILL_PASSWORD"]);
    assert!(!output.said().contains("open-sesame"), "{}", output.said());
}

#[test]
fn a_command_for_the_password_that_fails_is_told() {
    let server = accounts(dovecot());
    for command in ["echo no such entry >&2; exit 3", "true", "/no/such/program"] {
        let run = bare(&server).arg("--password-command").arg(command);
        refused(run, &["--password-command"]);
    }
    assert!(!server.log().contains("user=<robin>"), "{}", server.log());
}

#[test]
fn a_master_opens_the_mailbox_of_the_url() {
    for setup in [dovecot(), dovecot().silent_about_unknown_users()] {
        let server = accounts(setup.master("auditor", "audit"));
        finds_it(
            bare(&server)
                .arg("--login")
                .arg("auditor")
                .env("CCSPILL_PASSWORD", "audit"),
        );
        let sam = server
            .trusted(Run::scan(server.imaps("sam")))
            .arg("--login")
            .arg("auditor");
        let case = sam
            .org(crate::builders::FORCE)
            .env("CCSPILL_PASSWORD", "audit")
            .ok();
        assert_eq!(
            (case.count("read"), case.messages().len()),
            (4, 0),
            "this is Sam's mailbox"
        );
    }
}

#[test]
fn a_master_is_first_refused_a_mailbox_that_does_not_exist() {
    // A server that ignores the authorisation identity would open the master's own mailbox and look well.
    let server = accounts(dovecot().master("auditor", "audit"));
    finds_it(
        bare(&server)
            .arg("--login")
            .arg("auditor")
            .env("CCSPILL_PASSWORD", "audit"),
    );
    let log = server.log();
    let logins: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("method=PLAIN"))
        .collect();
    let (first, second) = (logins.first().unwrap(), logins.get(1).unwrap());
    assert!(
        !first.contains("Login:") && !first.contains("user=<robin>"),
        "{log}"
    );
    assert!(second.contains("Login: user=<robin>"), "{log}");
}

#[test]
fn a_mailbox_that_a_login_may_not_open_is_told() {
    let server = accounts(dovecot().master("auditor", "audit"));
    let as_whom = |login: &str, password: &str| {
        bare(&server)
            .arg("--login")
            .arg(login)
            .env("CCSPILL_PASSWORD", password)
    };
    // Sam is nobody's master.
    refused(as_whom("sam", "sam's own"), &["sam", "robin"]);
    refused(as_whom("auditor", "guess"), &["auditor"]);
    let nobody = server
        .trusted(Run::scan(server.imaps("nobody")))
        .arg("--login")
        .arg("auditor");
    refused(
        nobody.env("CCSPILL_PASSWORD", "audit"),
        &["auditor", "nobody"],
    );
}

/// Prints this token; a file of its own, as a token is no part of a command line.
fn prints(token: &str) -> (Store, String) {
    let file = Store::file("token", format!("{token}\n"));
    let command = format!("cat '{}'", file.text());
    (file, command)
}

#[test]
fn a_token_opens_a_mailbox_by_either_mechanism() {
    for mechanisms in [
        "xoauth2",
        "oauthbearer",
        "xoauth2 oauthbearer",
        "plain xoauth2",
    ] {
        let server = accounts(dovecot().mechanisms(mechanisms));
        let (_file, command) = prints(&server.token("robin", 600));
        finds_it(bare(&server).arg("--token-command").arg(command));
        let best = if mechanisms.contains("bearer") {
            "OAUTHBEARER"
        } else {
            "XOAUTH2"
        };
        assert!(
            server.log().contains(&format!("method={best}")),
            "{mechanisms}: {}",
            server.log()
        );
    }
}

#[test]
fn a_token_that_has_expired_or_is_anothers_is_told() {
    for mechanisms in ["xoauth2", "oauthbearer"] {
        let server = accounts(dovecot().mechanisms(mechanisms));
        for token in [
            server.token("robin", -600),
            server.token("sam", 600),
            "eyJ-junk".into(),
        ] {
            let (_file, command) = prints(&token);
            let output = refused(
                bare(&server).arg("--token-command").arg(command),
                &["token", "robin"],
            );
            assert!(!output.said().contains(&token), "{}", output.said());
        }
        let log = server.log();
        assert!(
            log.contains("auth failed, 1 attempts") && !log.contains("Login:"),
            "{log}"
        );
    }
}

#[test]
fn what_a_server_does_not_offer_is_told() {
    let tokens = accounts(dovecot().mechanisms("xoauth2"));
    refused(
        bare(&tokens).env("CCSPILL_PASSWORD", PASSWORD),
        &["--token-command"],
    );
    let passwords = accounts(dovecot());
    let (_file, command) = prints(&passwords.token("robin", 600));
    refused(
        bare(&passwords).arg("--token-command").arg(command),
        &["XOAUTH2"],
    );
    for server in [tokens, passwords] {
        assert!(
            !server.log().contains("user=<robin>"),
            "nothing was sent: {}",
            server.log()
        );
    }
}

#[test]
fn one_connection_will_do_where_a_server_allows_no_more() {
    let server = accounts(dovecot().connections(1));
    finds_it(server.scan("robin").arg("--jobs").arg("4"));
}

#[test]
fn one_master_opens_several_mailboxes_in_one_scan() {
    let server = accounts(dovecot().master("auditor", "audit"));
    let run = bare(&server)
        .arg(server.imaps("sam"))
        .arg("--login")
        .arg("auditor");
    let case = run.env("CCSPILL_PASSWORD", "audit").ok();
    assert_eq!(
        (case.found(), case.count("read")),
        (vec!["westminster".into()], 15)
    );
    assert_eq!(case.counts_by_source().len(), 2);
}
