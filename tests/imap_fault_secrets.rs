//! A server that repeats what it was told at login gets no secret onto the terminal, in whatever form it stands there.

use crate::builders::faulty::{
    Fault, Kind, PASSWORD, Script, Then, Watch, once, side_by_side, since,
};
use crate::imap_faults::account;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// With all that a quoted string escapes.
const SECRET: &str = "velvet\\Otter \"9\" 417";
/// Tokens that are known by these words; see [`Watch`].
const TOKEN: &str = "token-1-very-secret";

/// What of a login must not be seen: the secret as it is, as a quoted string has it, as JSON has it, and within Base64.
fn forms(secret: &str, port: u16) -> Vec<String> {
    let quoted = secret.replace('\\', "\\\\").replace('"', "\\\"");
    let mut forms = vec![secret.to_owned(), quoted.replace('\\', "\\\\"), quoted];
    let lines = [
        secret.to_owned(),
        format!("\0u\0{secret}"),
        format!("user=u\u{1}auth=Bearer {secret}\u{1}\u{1}"),
        format!("n,a=u,\u{1}host=127.0.0.1\u{1}port={port}\u{1}auth=Bearer {secret}\u{1}\u{1}"),
    ];
    forms.extend(lines.map(|line| STANDARD.encode(line)));
    // However it is aligned within a longer Base64.
    forms.extend(
        (0..3).map(|at| STANDARD.encode(&secret[at..]).trim_end_matches('=')[..12].to_owned()),
    );
    forms
}

/// A login that is refused by a server that offers this, and repeats what it is told.
fn play(mechanism: &'static str, more: &str, verbose: bool) {
    let offered = match mechanism {
        "LOGIN" => "IMAP4rev1".to_owned(),
        _ => format!("IMAP4rev1 AUTH={mechanism}{more}"),
    };
    let script: Script = account().capabilities(offered.leak());
    let server = script.repeats_logins().start();
    let run = Watch::scan(&server).env("CCSPILL_PASSWORD", SECRET);
    let run = if verbose { run.arg("-vv") } else { run };
    let (run, secret) = if mechanism.contains("AUTH") {
        let command = format!("echo {TOKEN}");
        (run.args(["--token-command", &command]), TOKEN)
    } else {
        (run, SECRET)
    };
    let ended = run.run();
    ended.must_exit(2);
    let said = ended.output.said();
    let log = server.log();
    assert!(
        log.lines().iter().any(|line| line.contains(mechanism)),
        "{:?}",
        log.lines()
    );
    // There was something to strike out.
    assert!(said.contains("You said"), "{said}");
    for form in forms(secret, server.port()) {
        assert!(!said.contains(&form), "'{form}' is said:\n{said}");
    }
}

/// The first answer goes with the question, or after it.
const WAYS: [(&str, &str); 2] = [("on one line", " SASL-IR"), ("on two lines", "")];

#[test]
fn a_server_that_repeats_a_password_shows_no_form_of_it() {
    for verbose in [false, true] {
        side_by_side(WAYS, |more| play("PLAIN", more, verbose));
        play("LOGIN", "", verbose);
    }
}

#[test]
fn a_server_that_repeats_a_token_shows_no_form_of_it() {
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        side_by_side(WAYS, |more| play(mechanism, more, false));
    }
}

#[test]
fn a_server_that_repeats_a_token_shows_no_form_of_it_where_the_conversation_is_shown() {
    // What it says of a token comes as Base64 of JSON.
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        side_by_side(WAYS, |more| play(mechanism, more, true));
    }
}

#[test]
fn a_greeting_that_repeats_a_password_shows_no_form_of_it() {
    let close = Fault::Instead(Then::Close);
    let server = account()
        .fault(once(Kind::Headers).within("Sent"), close)
        .fault(
            since(Kind::Greeting, 2),
            Fault::Instead(Then::Bye(PASSWORD)),
        )
        .start();
    // That no password is said, this looks at too.
    let case = Watch::scan(&server).run().case(3);
    assert_eq!(server.unplayed(), [""; 0]);
    let rows = case.unread();
    assert!(!rows.is_empty());
    for row in rows {
        let reason = &row["reason"];
        assert!(reason.contains("sent us away"), "{reason}");
        assert!(!reason.contains(PASSWORD), "{reason}");
    }
}
