//! Every way in which there is no token: what people are told, and what they never are.

use super::{
    NOW, SECRET, Server, Tokens, USER, hides, is_passing, key_file, path, read, reply_with, tokens,
};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

/// The error in full, which hides what it must.
pub(super) fn shown(why: &anyhow::Error) -> String {
    hides(&format!("{why} {why:?} {why:#} {why:#?}"));
    why.to_string()
}

fn refusal(tokens: &Tokens) -> (String, bool) {
    let why = tokens.token(USER, NOW).unwrap_err();
    (shown(&why), is_passing(&why))
}

/// What an application is told when it is answered so.
fn answered(status: u16, body: &str) -> (String, bool) {
    let answer = reply_with(status, body);
    let server = Server::start(move |_| answer.clone());
    refusal(&tokens(&server.app()))
}

pub(super) fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
    assert_eq!(text.matches("\n  try: ").count(), 1, "{text}");
}

#[test]
fn microsoft_says_no() {
    for (number, why, mend) in [
        (
            700_016,
            "the tenant has no application 'the-app'",
            "CCSPILL_OAUTH_CLIENT_ID",
        ),
        (7_000_215, "secret is wrong", "the secret's value"),
        (7_000_222, "secret has expired", "make a new secret"),
        (700_027, "not registered", "upload the certificate"),
        (700_024, "another time", "set this machine's clock"),
        (90_002, "no such tenant", "CCSPILL_OAUTH_TENANT"),
        (70_011, "does not grant the scope", "CCSPILL_OAUTH_SCOPE"),
        (1_002_012, "does not grant the scope", "ends in /.default"),
        (7_000_112, "disabled", "Enterprise applications"),
        (
            1,
            "does not accept the application's secret",
            "CCSPILL_OAUTH_CLIENT_SECRET",
        ),
    ] {
        let words = format!("AADSTS{number}: Said {SECRET} so.\r\nTrace ID: 0-0 Timestamp: 1");
        let body = json!({"error": "invalid_client", "error_description": words});
        let (text, passing) = answered(401, &body.to_string());
        let said = format!("(invalid_client: AADSTS{number}: Said … so.)\n  try: ");
        has(
            &text,
            &[
                "cannot get an access token from 127.0.0.1: ",
                why,
                mend,
                &said,
            ],
        );
        assert!(!passing);
    }
    let body = json!({"error": "invalid_client", "error_codes": [700_016]}).to_string();
    has(
        &answered(400, &body).0,
        &["no application 'the-app' (invalid_client)\n"],
    );
    let body = json!({"error": "unauthorized_client"}).to_string();
    has(
        &answered(400, &body).0,
        &["may not ask for a token of its own"],
    );
    let body = json!({"error": "odd\u{1b}[0m\u{202e}"}).to_string();
    has(&answered(400, &body).0, &["it refused (odd[0m)\n"]);
}

#[test]
fn google_says_no() {
    for (error, words, why, mend) in [
        (
            "unauthorized_client",
            "Client is unauthorized",
            "may not act for",
            "add client ID 1234567890 with scope https://www.googleapis.com/auth/gmail.imap_admin",
        ),
        (
            "access_denied",
            "",
            "may not act for",
            "domain-wide delegation",
        ),
        (
            "invalid_grant",
            "Invalid email or User ID",
            "does not know the user 'ann@x.example', or has suspended it",
            "primary address, and this machine's clock",
        ),
        (
            "invalid_grant",
            "Invalid JWT: … Check your iat and exp values",
            "another time",
            "clock",
        ),
        (
            "invalid_grant",
            "Invalid JWT Signature.",
            "key is deleted or disabled",
            "new key",
        ),
        (
            "invalid_client",
            "The OAuth client was not found.",
            "account 'reader@project.example' is deleted or disabled",
            "console",
        ),
        (
            "invalid_scope",
            "",
            "does not know the scope",
            "unset CCSPILL_OAUTH_SCOPE",
        ),
        ("admin_policy_enforced", "", "forbid", "API controls"),
        (
            "org_internal",
            "",
            "refused a token for 'ann@x.example'",
            "delegation",
        ),
    ] {
        let answer = reply_with(
            400,
            &json!({"error": error, "error_description": words}).to_string(),
        );
        let server = Server::start(move |_| answer.clone());
        let key = key_file(&server.url);
        let tokens = tokens(&[("CCSPILL_GOOGLE_KEY_FILE", path(&key))]);
        let (text, passing) = refusal(&tokens);
        has(&text, &[why, mend, error, words]);
        assert!(!passing);
    }
}

#[test]
fn an_assertion_that_is_sent_back_stays_hidden() {
    let ask = |server: &Server| {
        let key = key_file(&server.url);
        refusal(&tokens(&[("CCSPILL_GOOGLE_KEY_FILE", path(&key))])).0
    };
    let server = Server::start(|_| reply_with(400, "{}"));
    ask(&server);
    let assertion = server.asked()[0]["assertion"].clone();
    assert!(assertion.starts_with("eyJ") && assertion.len() > 300);
    // What a server might send back, whole or in part.
    for part in [&*assertion, &assertion[..300]] {
        let reply = json!({"error": part, "error_description": part}).to_string();
        let server = Server::start(move |_| reply_with(400, &reply));
        has(
            &ask(&server),
            &["it refused a token for 'ann@x.example' (…: …)"],
        );
    }
}

#[test]
fn what_may_pass_is_told_apart() {
    let busy = json!({"error": "temporarily_unavailable"}).to_string();
    for (status, body) in [
        (400, &*busy),
        (503, "<html>"),
        (429, "{}"),
        (500, "{\"error\":\"x\"}"),
    ] {
        let (text, passing) = answered(status, body);
        has(&text, &["try: again in some minutes"]);
        assert!(passing, "{text}");
    }
    let (text, passing) = answered(404, "<html>token1</html>");
    has(
        &text,
        &["it answered with status 404, and without a token\n  try: check the address"],
    );
    assert!(!passing);
}

#[test]
fn what_is_no_token_is_refused() {
    for body in [
        json!({"access_token": "token1\u{1}auth=x"}),
        json!({"access_token": ""}),
        json!({"access_token": "token1", "token_type": "mac"}),
    ] {
        has(
            &answered(200, &body.to_string()).0,
            &["what it gave is no bearer token"],
        );
    }
    for body in [
        "",
        "token1",
        "[]",
        "{\"access_token\":7}",
        "{\"access_token\":\"token1\"",
    ] {
        has(&answered(200, body).0, &["status 200, and without a token"]);
    }
    has(
        &answered(400, "{\"access_token\":\"token1\"}").0,
        &["status 400, and without"],
    );
    let (text, _) = answered(
        200,
        &format!("{{\"access_token\":\"{}\"}}", "x".repeat(70_000)),
    );
    has(&text, &["its answer is too long"]);
    let endless = "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &" ".repeat(10 << 20);
    let server = Server::start(move |_| endless.clone());
    has(
        &refusal(&tokens(&server.app())).0,
        &["its answer is too long"],
    );
}

#[test]
fn no_secret_follows_elsewhere() {
    for status in [301, 302, 303, 307, 308] {
        let other = Server::giving(json!(3600));
        let url = other.url.clone();
        let server = Server::start(move |_| {
            format!(
                "HTTP/1.1 {status} Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        });
        let (text, passing) = refusal(&tokens(&server.app()));
        has(
            &text,
            &[&format!("sends ccspill elsewhere (status {status})")],
        );
        assert!(!passing && other.asked().is_empty());
    }
}

#[test]
fn a_server_that_does_not_answer_is_left() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_secs(20));
        String::new()
    });
    let slow = read(&server.app(), Duration::from_millis(200))
        .unwrap()
        .unwrap();
    let began = Instant::now();
    let (text, passing) = refusal(&slow);
    has(
        &text,
        &["it did not answer within 0.2 seconds\n  try: check the network"],
    );
    assert!(passing && began.elapsed() < Duration::from_secs(10));

    // Also where it began to.
    let server = Server::start(|number| {
        let begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
        if number == 1 {
            begun.into()
        } else {
            String::new()
        }
    });
    let (text, passing) = refusal(&tokens(&server.app()));
    has(&text, &["cannot get an access token from 127.0.0.1: "]);
    assert!(passing, "{text}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let mut variables = server.app();
    variables[1].1 = url;
    let (text, passing) = refusal(&tokens(&variables));
    has(&text, &["connection refused"]);
    assert!(passing);
    // No TLS at the other end.
    let server = Server::start(|_| String::new());
    let mut variables = server.app();
    variables[1].1 = server.url.replace("http:", "https:");
    refusal(
        &read(&variables, Duration::from_millis(300))
            .unwrap()
            .unwrap(),
    );
}

#[test]
#[cfg(unix)]
fn a_command_that_gives_no_token() {
    let failed = |text| refusal(&Tokens::command(text));
    let (text, passing) = failed("echo token1; echo 'no token1 for you' >&2; exit 4");
    has(
        &text,
        &["the token command ended with status 4: no … for you\n"],
    );
    assert!(!passing);
    for text in [
        "echo 'not a token1'",
        "printf 'token1\\001x\\n'",
        "echo '{\"access_token\":\"token1\"}'",
    ] {
        has(
            &failed(text).0,
            &["the first line of the token command is no access token"],
        );
    }
    has(&failed("true").0, &["the token command printed nothing"]);
}
