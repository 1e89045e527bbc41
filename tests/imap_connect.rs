//! An account is reached over TLS or not at all: with a private authority, by STARTTLS, with a client certificate; what is
//! not what it should be is refused in words, with the mend, and before any password is sent.

use crate::builders::{
    Authority, Dovecot, FORCE, Mailbox, PASSWORD, Run, Setup, Store, dovecot, refused, westminster,
};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Robin's account, with the message of the eighteen in it.
fn account(setup: Setup) -> Dovecot {
    let server = setup.user("robin", PASSWORD).start();
    server.put(
        "robin",
        "Sent",
        Mailbox::ordinary(10).mail(westminster).each(),
    );
    server
}

#[track_caller]
fn finds_it(run: Run) {
    let case = run.ok();
    assert_eq!(case.found(), ["westminster"], "{}", case.output.stdout);
    assert_eq!(case.count("read"), 11);
}

/// Nobody has tried to log in.
#[track_caller]
fn was_told_no_password(server: &Dovecot) {
    let log = server.log();
    for trace in ["Login:", "auth failed", "method=", "user=<robin>"] {
        assert!(!log.contains(trace), "somebody tried to log in: {log}");
    }
}

#[test]
fn tls_from_the_first_byte_with_a_private_authority() {
    let server = account(dovecot());
    finds_it(server.scan("robin"));
    assert!(server.log().contains("TLS"), "{}", server.log());
}

#[test]
fn starttls_with_a_private_authority() {
    let server = account(dovecot());
    finds_it(server.scan_url(&server.imap("robin")));
    assert!(server.log().contains("TLS"), "{}", server.log());
}

#[test]
fn a_server_that_listens_on_one_of_its_addresses_is_reached_by_name() {
    // `localhost` is ::1 as well, where nobody listens.
    let server = account(dovecot());
    finds_it(server.scan_url(&format!("imaps://robin@localhost:{}", server.ports().tls)));
    finds_it(server.scan_url(&format!(
        "imap://robin@localhost:{}",
        server.ports().starttls
    )));
}

#[test]
fn tls_1_3_alone_will_do() {
    finds_it(account(dovecot().tls_minimum("TLSv1.3")).scan("robin"));
}

#[test]
fn a_server_whose_authority_nobody_knows_is_refused() {
    let server = account(dovecot());
    let url = server.imaps("robin");
    let run = || Run::scan(&url).org(FORCE).env("CCSPILL_PASSWORD", PASSWORD);
    refused(run(), &["certificate", "--ca-file"]);
    let elsewhere = Store::folder([("elsewhere/", "")]);
    let other = Authority::new(elsewhere.path());
    refused(run().arg("--ca-file").arg(other.file()), &["certificate"]);
    let starttls = Run::scan(server.imap("robin"))
        .org(FORCE)
        .env("CCSPILL_PASSWORD", PASSWORD);
    refused(starttls, &["certificate", "--ca-file"]);
    was_told_no_password(&server);
}

#[test]
fn an_authority_that_cannot_be_read_is_refused() {
    let server = account(dovecot());
    let store = Store::file("ca.pem", "no certificate\n");
    let run = |file: &str| {
        Run::scan(server.imaps("robin"))
            .org(FORCE)
            .env("CCSPILL_PASSWORD", PASSWORD)
            .arg("--ca-file")
            .arg(file)
    };
    refused(run(&store.text()), &["ca.pem"]);
    refused(run("missing.pem"), &["missing.pem"]);
    was_told_no_password(&server);
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let server = account(dovecot().hosts(&["mail.elsewhere.example"]));
    refused(server.scan("robin"), &["127.0.0.1", "certificate"]);
    refused(
        server.scan_url(&server.imap("robin")),
        &["127.0.0.1", "certificate"],
    );
    was_told_no_password(&server);
}

#[test]
fn a_client_certificate_is_shown_where_one_is_given() {
    let server = account(dovecot().client_certificates());
    let [certificate, key] = server.authority().certify("auditor", &[]);
    let with = |run: Run| {
        run.arg("--client-cert")
            .arg(&certificate)
            .arg("--client-key")
            .arg(&key)
    };
    finds_it(with(server.scan("robin")));
    finds_it(with(server.scan_url(&server.imap("robin"))));
}

#[test]
fn a_missing_or_strange_client_certificate_is_told_as_such() {
    let server = account(dovecot().client_certificates());
    refused(server.scan("robin"), &["certificate", "--client-cert"]);
    let elsewhere = Store::folder([("elsewhere/", "")]);
    let [certificate, key] = Authority::new(elsewhere.path()).certify("stranger", &[]);
    let run = server.scan("robin").arg("--client-cert").arg(certificate);
    refused(run.arg("--client-key").arg(key), &["certificate"]);
}

#[test]
fn a_server_without_starttls_is_refused() {
    let server = account(dovecot().without_tls());
    refused(
        server.scan_url(&server.imap("robin")),
        &["127.0.0.1", "encryption"],
    );
    was_told_no_password(&server);
}

#[test]
fn plain_text_goes_to_loopback_alone_and_only_when_asked_for() {
    let server = account(dovecot().without_tls());
    finds_it(
        server
            .scan_url(&server.imap("robin"))
            .arg("--insecure-plaintext"),
    );
    let away = Run::scan("imap://robin@192.0.2.7")
        .org(FORCE)
        .env("CCSPILL_PASSWORD", PASSWORD);
    refused(
        away.arg("--insecure-plaintext"),
        &["--insecure-plaintext", "192.0.2.7"],
    );
}

#[test]
fn a_server_that_takes_no_passwords_is_not_sent_one() {
    let server = account(dovecot().login_disabled());
    let run = server
        .scan_url(&server.imap("robin"))
        .arg("--insecure-plaintext");
    refused(run, &["127.0.0.2", "password", "encryption"]);
    was_told_no_password(&server);
}

/// A server that speaks no TLS newer than 1.1.
struct Old {
    child: Child,
    port: u16,
}

impl Old {
    fn start(certified_by: &Dovecot) -> Self {
        let port = free_port();
        let [certificate, key] = certified_by.authority().certify("old", &["127.0.0.1"]);
        let child = Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-tls1_1",
                "-cipher",
                "ALL:@SECLEVEL=0",
                "-accept",
            ])
            .arg(format!("127.0.0.1:{port}"))
            .arg("-cert")
            .arg(certificate)
            .arg("-key")
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|why| {
                panic!("openssl: {why}\n  try: sudo apt-get install openssl (or .ci/install test)")
            });
        let old = Old { child, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "openssl s_server does not listen"
            );
            sleep(Duration::from_millis(5));
        }
        old
    }
    /// What a program that would speak TLS 1.1 gets.
    fn speaks_to_old_programs(&self) -> bool {
        let said = Command::new("openssl")
            .args([
                "s_client",
                "-tls1_1",
                "-cipher",
                "ALL:@SECLEVEL=0",
                "-connect",
            ])
            .arg(format!("127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&said.stdout).contains("Protocol  : TLSv1.1")
    }
}

impl Drop for Old {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_server_whose_tls_is_too_old_is_refused() {
    let server = account(dovecot());
    let old = Old::start(&server);
    assert!(old.speaks_to_old_programs());
    refused(
        server.scan_url(&format!("imaps://robin@127.0.0.1:{}", old.port)),
        &["TLS", "1.2"],
    );
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn a_server_that_is_not_there_is_told_by_its_name() {
    let run = |url: &str| Run::scan(url).org(FORCE).env("CCSPILL_PASSWORD", PASSWORD);
    refused(
        run(&format!("imaps://robin@127.0.0.1:{}", free_port())),
        &["127.0.0.1", "refused"],
    );
    refused(
        run("imaps://robin@no-such-host.invalid"),
        &["no-such-host.invalid"],
    );
}

#[test]
fn a_port_with_the_other_kind_of_tls_is_told() {
    let server = account(dovecot());
    let tls_there = format!("imaps://robin@127.0.0.1:{}", server.ports().starttls);
    refused(server.scan_url(&tls_there), &["imap://"]);
    let starttls_there = format!("imap://robin@127.0.0.1:{}", server.ports().tls);
    refused(
        server.scan_url(&starttls_there).arg("--timeout").arg("2"),
        &["imaps://"],
    );
    was_told_no_password(&server);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for scheme in ["imaps", "imap"] {
        let run = Run::scan(format!("{scheme}://robin@127.0.0.1:{port}")).org(FORCE);
        let run = run
            .env("CCSPILL_PASSWORD", PASSWORD)
            .arg("--timeout")
            .arg("1");
        refused(run, &["127.0.0.1", "time"]);
    }
}

#[test]
fn an_account_that_is_refused_leaves_no_case() {
    let server = account(dovecot());
    let desk = Store::folder([("desk/", "")]);
    let case = desk.path().join("case");
    let url = server.imaps("robin");
    let scan = || {
        let run = Run::new(["scan", &url, "--org", FORCE, "--case"]).arg(&case);
        server.trusted(run).within(desk.path())
    };
    refused(scan().env("CCSPILL_PASSWORD", "guess"), &["robin"]);
    assert!(!case.exists());
    scan()
        .env("CCSPILL_PASSWORD", PASSWORD)
        .output()
        .must_exit(0);
    assert!(case.exists());
}
