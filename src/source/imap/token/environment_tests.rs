//! What is said of variables and files that cannot be used.

use super::refusals::{has, shown};
use super::{
    NOW, SECRET, Server, TIME, USER, claims_of, file, key_file, pair, path, read, token, tokens,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// What is said of the environment.
fn environment(variables: &[(&str, &str)]) -> String {
    let variables: Vec<_> = variables
        .iter()
        .map(|(n, v)| (*n, (*v).to_owned()))
        .collect();
    match read(&variables, TIME) {
        Ok(tokens) => format!("{tokens:?}"),
        Err(why) => shown(&why),
    }
}

#[test]
fn secrets_are_sent_in_clear_text_to_this_machine_only() {
    let app = |url| {
        environment(&[
            ("CCSPILL_OAUTH_CLIENT_ID", "the-app"),
            ("CCSPILL_OAUTH_CLIENT_SECRET", SECRET),
            ("CCSPILL_OAUTH_TOKEN_URL", url),
        ])
    };
    for url in [
        "http://login.example/token",
        "http://127.0.0.1.example/",
        "http://10.0.0.1/",
        "http://[fe80::1]/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ] {
        has(
            &app(url),
            &["CCSPILL_OAUTH_TOKEN_URL would send secrets in clear text"],
        );
    }
    for url in [
        "http://localhost:8080/",
        "http://127.8.9.1/",
        "http://[::1]/",
        "https://login.example/token",
    ] {
        assert!(app(url).starts_with("Some(Tokens("), "{}", app(url));
    }
    has(
        &app("login.example"),
        &["is not the address of a token endpoint"],
    );
    has(
        &app("https://a:s3cr3t@login.example/"),
        &["holds a user or a password"],
    );
    let key = key_file("http://login.example/token");
    let text = environment(&[("CCSPILL_GOOGLE_KEY_FILE", &path(&key))]);
    has(&text, &["token_uri in '", "in clear text"]);
}

#[test]
fn variables_that_contradict_or_miss_one_another() {
    const ID: (&str, &str) = ("CCSPILL_OAUTH_CLIENT_ID", "the-app");
    const TENANT: (&str, &str) = ("CCSPILL_OAUTH_TENANT", "x.example");
    const VALUE: (&str, &str) = ("CCSPILL_OAUTH_CLIENT_SECRET", SECRET);
    const FILE: (&str, &str) = ("CCSPILL_OAUTH_CERTIFICATE", "no-such.pem");
    const KEY: (&str, &str) = ("CCSPILL_OAUTH_KEY", "no-such.key");
    const GOOGLE: (&str, &str) = ("CCSPILL_GOOGLE_KEY_FILE", "no-such.json");
    assert_eq!(environment(&[]), "None");
    assert_eq!(environment(&[("CCSPILL_OAUTH_CLIENT_ID", " ")]), "None");
    let text = environment(&[ID, TENANT, VALUE]);
    assert!(
        text.contains("Endpoint(login.microsoftonline.com)"),
        "{text}"
    );
    for (variables, why) in [
        (
            vec![GOOGLE, ID],
            "CCSPILL_GOOGLE_KEY_FILE and CCSPILL_OAUTH_CLIENT_ID are both set",
        ),
        (
            vec![GOOGLE, VALUE],
            "CCSPILL_GOOGLE_KEY_FILE and CCSPILL_OAUTH_CLIENT_SECRET are both set",
        ),
        (
            vec![VALUE],
            "CCSPILL_OAUTH_CLIENT_SECRET is set, but CCSPILL_OAUTH_CLIENT_ID is not",
        ),
        (
            vec![("CCSPILL_OAUTH_SCOPE", "x")],
            "CCSPILL_OAUTH_SCOPE is set, but CCSPILL_OAUTH_CLIENT_ID is not",
        ),
        (
            vec![ID, VALUE],
            "CCSPILL_OAUTH_CLIENT_ID is set, but CCSPILL_OAUTH_TENANT is not",
        ),
        (
            vec![ID, TENANT],
            "but neither CCSPILL_OAUTH_CERTIFICATE nor CCSPILL_OAUTH_CLIENT_SECRET is",
        ),
        (
            vec![ID, TENANT, VALUE, FILE],
            "CCSPILL_OAUTH_CLIENT_SECRET and CCSPILL_OAUTH_CERTIFICATE are both set",
        ),
        (
            vec![ID, TENANT, VALUE, KEY],
            "CCSPILL_OAUTH_KEY is set, but CCSPILL_OAUTH_CERTIFICATE is not",
        ),
        (
            vec![ID, TENANT, FILE],
            "cannot read 'no-such.pem', which CCSPILL_OAUTH_CERTIFICATE names: it is not there",
        ),
        (
            vec![GOOGLE],
            "cannot read 'no-such.json', which CCSPILL_GOOGLE_KEY_FILE names: it is not there",
        ),
        (
            vec![ID, VALUE, ("CCSPILL_OAUTH_TENANT", "a/b")],
            "CCSPILL_OAUTH_TENANT is no tenant",
        ),
        (
            vec![ID, VALUE, ("CCSPILL_OAUTH_TENANT", "common")],
            "CCSPILL_OAUTH_TENANT names no tenant of its own",
        ),
    ] {
        has(&environment(&variables), &[why]);
    }
}

#[test]
fn keys_that_cannot_be_used() {
    let certificate = |text: &str, key: Option<&str>| {
        let (file, key) = (file(text), key.map(file));
        let mut variables = vec![
            ("CCSPILL_OAUTH_CLIENT_ID", "the-app".to_owned()),
            ("CCSPILL_OAUTH_TENANT", "x.example".to_owned()),
            ("CCSPILL_OAUTH_CERTIFICATE", path(&file)),
        ];
        variables.extend(key.iter().map(|key| ("CCSPILL_OAUTH_KEY", path(key))));
        read(&variables, TIME).map_or_else(|why| shown(&why), |_| "fine".into())
    };
    let (own, other) = (pair(0), pair(1));
    let (cert, key) = (own.certificate.pem(), own.key.serialize_pem());
    assert_eq!(certificate(&cert, Some(&key)), "fine");
    has(&certificate(&cert, None), &["holds no private key"]);
    has(&certificate(&key, None), &["holds no certificate"]);
    has(
        &certificate(&other.certificate.pem(), Some(&key)),
        &["does not belong to the certificate"],
    );
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    has(
        &certificate(&cert, Some(&locked)),
        &["needs a passphrase", "openssl pkey -in FILE -out COPY"],
    );
    let damaged = key.replacen("MII", "MIJ", 1);
    has(
        &certificate(&cert, Some(&damaged)),
        &["is no RSA key of 2048 bits or more"],
    );
    let curve = rcgen::KeyPair::generate().unwrap().serialize_pem();
    has(
        &certificate(&cert, Some(&curve)),
        &["is no RSA key of 2048 bits or more"],
    );
    has(
        &certificate(
            &format!("{key}-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"),
            None,
        ),
        &["damaged"],
    );
    has(&certificate(&"x".repeat(2 << 20), None), &["is too long"]);

    let google = |text: &str| environment(&[("CCSPILL_GOOGLE_KEY_FILE", &path(&file(text)))]);
    has(&google(&key), &["is no key file: it is not JSON"]);
    has(
        &google("{\"type\":\"authorized_user\"}"),
        &["is of the kind 'authorized_user'"],
    );
    has(&google("{}"), &["it has no client_email"]);
    has(
        &google("{\"client_email\":\"a\"}"),
        &["it has no private_key\n"],
    );
    has(
        &google("{\"client_email\":\"a\",\"private_key\":\"b\"}"),
        &["holds no private key"],
    );
}

#[test]
#[cfg(unix)]
fn binary_files_are_no_pem() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"\x30\x82\xff").unwrap();
    let text = environment(&[
        ("CCSPILL_OAUTH_CLIENT_ID", "the-app"),
        ("CCSPILL_OAUTH_TENANT", "x.example"),
        ("CCSPILL_OAUTH_CERTIFICATE", &path(&file)),
    ]);
    has(&text, &["is no text file\n  try: turn a .pfx into PEM"]);
}

/// Runs the openssl program in a folder. `.ci/install test` installs it.
#[cfg(unix)]
fn openssl(folder: &Path, arguments: &str) -> String {
    let mut command = Command::new("openssl");
    let output = command
        .current_dir(folder)
        .args(arguments.split(' '))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[cfg(unix)]
fn files_of_openssl_and_the_commands_that_mend_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &str| openssl(folder.path(), arguments);
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    run(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=ccspill -days 2",
    );
    run("rsa -in key.pem -traditional -out old.pem");
    run("rsa -in key.pem -traditional -aes128 -passout pass:x -out old-locked.pem");
    run("pkcs8 -topk8 -in key.pem -passout pass:x -out locked.pem");
    run("pkcs12 -export -in cert.pem -inkey key.pem -passout pass:x -out both.pfx");
    // What the errors tell people to do; they are asked for the passphrase.
    run("pkey -in locked.pem -passin pass:x -out unlocked.pem");
    run("pkey -in old-locked.pem -passin pass:x -out old-unlocked.pem");
    run("pkcs12 -in both.pfx -passin pass:x -nodes -out both.pem");

    let fingerprint = run("x509 -in cert.pem -noout -fingerprint -sha256");
    let hex = fingerprint.trim().rsplit('=').next().unwrap();
    let bytes: Vec<u8> = hex
        .split(':')
        .map(|b| u8::from_str_radix(b, 16).unwrap())
        .collect();
    let thumbprint = URL_SAFE_NO_PAD.encode(bytes);
    let server = Server::giving(json!(3600));
    let app = |certificate: &str, key: &str| {
        let mut variables = server.app();
        variables.pop();
        variables.push(("CCSPILL_OAUTH_CERTIFICATE", at(certificate)));
        variables.push(("CCSPILL_OAUTH_KEY", at(key)));
        variables
    };
    for (certificate, key) in [
        ("cert.pem", "key.pem"),
        ("cert.pem", "old.pem"),
        ("cert.pem", "unlocked.pem"),
        ("cert.pem", "old-unlocked.pem"),
        ("both.pem", "both.pem"),
    ] {
        token(&tokens(&app(certificate, key)), USER, NOW);
        let form = server.asked().pop().unwrap();
        let (header, _) = claims_of(&form["client_assertion"]);
        assert_eq!(header["x5t#S256"], *thumbprint);
        // Another program than the one that signed.
        let assertion = &form["client_assertion"];
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        std::fs::write(at("signed"), signed).unwrap();
        std::fs::write(at("signature"), URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        run("x509 -in cert.pem -noout -pubkey -out public.pem");
        run(
            "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -verify public.pem -signature signature signed",
        );
    }
    for key in ["locked.pem", "old-locked.pem"] {
        let why = read(&app("cert.pem", key), TIME).unwrap_err();
        has(&shown(&why), &["needs a passphrase"]);
    }
    let why = read(&app("both.pfx", "key.pem"), TIME).unwrap_err();
    has(
        &shown(&why),
        &["both.pfx', which CCSPILL_OAUTH_CERTIFICATE names, is no text file"],
    );
}
