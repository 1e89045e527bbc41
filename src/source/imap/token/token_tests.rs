//! Tokens from a server of the tests' own, which looks at what it is asked.

use super::endpoint::TIME;
use super::{Tokens, environment, is_passing};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;
use tempfile::NamedTempFile;

#[path = "environment_tests.rs"]
mod environments;
#[path = "refusal_tests.rs"]
mod refusals;

const NOW: i64 = 1_800_000_000;
const SECRET: &str = "s3cr3t+/~value";
const USER: &str = "ann@x.example";

/// A form as it was sent.
type Form = HashMap<String, String>;

/// A token server on this machine.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Form>>>,
}

impl Server {
    fn start(answer: impl Fn(usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tenant/token", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            url,
            asked: Arc::clone(&asked),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let form = form(&mut BufReader::new(&stream));
                let number = {
                    let mut asked = asked.lock().unwrap();
                    asked.push(form);
                    asked.len()
                };
                // Whoever asked may have gone.
                let _ = stream.write_all(answer(number).as_bytes());
            }
        });
        server
    }

    /// Gives `token1`, `token2` …
    fn giving(life: Value) -> Self {
        Self::start(move |number| {
            let mut reply =
                json!({"access_token": format!("token{number}"), "token_type": "Bearer"});
            if !life.is_null() {
                reply["expires_in"] = life.clone();
            }
            reply_with(200, &reply.to_string())
        })
    }

    fn asked(&self) -> Vec<Form> {
        self.asked.lock().unwrap().clone()
    }

    /// The variables of an application with a secret that asks here.
    fn app(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CCSPILL_OAUTH_CLIENT_ID", "the-app".into()),
            ("CCSPILL_OAUTH_TOKEN_URL", self.url.clone()),
            ("CCSPILL_OAUTH_CLIENT_SECRET", SECRET.into()),
        ]
    }
}

fn form(reader: &mut impl BufRead) -> Form {
    let mut length = 0;
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    assert_eq!(first, "POST /tenant/token HTTP/1.1\r\n");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(number) = line.strip_prefix("content-length: ") {
            length = number.parse().unwrap();
        }
        if let Some(kind) = line.strip_prefix("content-type: ") {
            assert_eq!(kind, "application/x-www-form-urlencoded");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    url::form_urlencoded::parse(&body).into_owned().collect()
}

fn reply_with(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A key and its certificate, made once.
struct Pair {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

fn pair(number: usize) -> &'static Pair {
    static PAIRS: [OnceLock<Pair>; 2] = [OnceLock::new(), OnceLock::new()];
    PAIRS[number].get_or_init(|| {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let parameters = CertificateParams::new(vec!["ccspill".into()]).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Pair { key, certificate }
    })
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> String {
    file.path().to_str().unwrap().to_owned()
}

fn key_file(token_uri: &str) -> NamedTempFile {
    let parts = json!({
        "type": "service_account",
        "client_email": "reader@project.example",
        "client_id": "1234567890",
        "private_key": pair(0).key.serialize_pem(),
        "private_key_id": "key-7",
        "token_uri": token_uri,
    });
    file(&parts.to_string())
}

fn read(variables: &[(&str, String)], time: Duration) -> anyhow::Result<Option<Tokens>> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| value.clone())
    };
    Ok(environment::giver(&variable, time)?.map(Tokens::new))
}

fn tokens(variables: &[(&str, String)]) -> Tokens {
    let tokens = read(variables, TIME).unwrap().unwrap();
    hides(&format!("{tokens:?} {tokens:#?}"));
    tokens
}

/// Nothing that people read may hold one of these.
fn hides(text: &str) {
    let mut secrets = vec![
        SECRET.to_owned(),
        "s3cr3t%2B%2F~value".to_owned(),
        "token1".to_owned(),
        // How every assertion begins, and how every key does.
        "eyJ".to_owned(),
        "PRIVATE KEY-".to_owned(),
    ];
    let key = pair(0).key.serialize_pem();
    secrets.extend(
        key.lines()
            .filter(|l| !l.starts_with('-'))
            .map(str::to_owned),
    );
    for secret in secrets {
        assert!(!text.contains(&secret), "'{secret}' is in: {text}");
    }
}

fn token(tokens: &Tokens, user: &str, now: i64) -> String {
    tokens.token(user, now).unwrap().reveal().to_owned()
}

fn claims(form: &Form, field: &str, algorithm: Algorithm, audience: &str) -> TokenData<Value> {
    let public = DecodingKey::from_rsa_pem(pair(0).key.public_key_pem().as_bytes()).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    decode(&form[field], &public, &validation).unwrap()
}

/// Header and claims as they stand, whoever signed.
fn claims_of(assertion: &str) -> (Value, Value) {
    let mut parts = assertion.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn an_application_asks_with_its_secret() {
    let server = Server::giving(json!(3600));
    let tokens = tokens(&server.app());
    assert_eq!(token(&tokens, USER, NOW), "token1");
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_id", "the-app"),
        ("client_secret", SECRET),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    let expected: Form = expected.map(|(k, v)| (k.into(), v.into())).into();
    assert_eq!(server.asked(), [expected]);
}

#[test]
fn an_application_asks_with_its_certificate() {
    let own = pair(0);
    let both = file(&format!(
        "Bag Attributes\n{}{}{}",
        own.key.serialize_pem(),
        // An issuer's certificate may stand first.
        pair(1).certificate.pem(),
        own.certificate.pem()
    ));
    let (certificate, key) = (file(&own.certificate.pem()), file(&own.key.serialize_pem()));
    for variables in [
        vec![("CCSPILL_OAUTH_CERTIFICATE", path(&both))],
        vec![
            ("CCSPILL_OAUTH_CERTIFICATE", path(&certificate)),
            ("CCSPILL_OAUTH_KEY", path(&key)),
        ],
    ] {
        let server = Server::giving(json!(3600));
        let mut all = server.app();
        all.pop();
        all.extend(variables);
        all.push(("CCSPILL_OAUTH_SCOPE", "other/.default".into()));
        let tokens = tokens(&all);
        assert_eq!(token(&tokens, USER, NOW), "token1");
        tokens.forget(USER);
        assert_eq!(token(&tokens, USER, NOW), "token2");
        let asked = server.asked();
        let form = &asked[0];
        assert_eq!(form.len(), 5, "{form:?}");
        assert_eq!(form["scope"], "other/.default");
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let data = claims(form, "client_assertion", Algorithm::PS256, &server.url);
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(own.certificate.der()));
        assert_eq!(data.header.x5t_s256, Some(thumbprint));
        assert_eq!(data.header.typ.as_deref(), Some("JWT"));
        let mut claim = data.claims;
        let id = claim["jti"].take();
        assert_eq!(id.as_str().unwrap().len(), 36);
        let next = claims(&asked[1], "client_assertion", Algorithm::PS256, &server.url);
        assert_ne!(id, next.claims["jti"]);
        let expected = json!({
            "aud": server.url, "iss": "the-app", "sub": "the-app", "jti": null,
            "nbf": NOW, "iat": NOW, "exp": NOW + 600,
        });
        assert_eq!(claim, expected);
    }
}

#[test]
fn a_service_account_asks_for_each_user() {
    let server = Server::giving(json!(3599));
    let key = key_file(&server.url);
    let tokens = tokens(&[("CCSPILL_GOOGLE_KEY_FILE", path(&key))]);
    assert_eq!(token(&tokens, USER, NOW), "token1");
    assert_eq!(token(&tokens, "bob@x.example", NOW), "token2");
    assert_eq!(token(&tokens, USER, NOW + 60), "token1");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for (form, user) in asked.iter().zip([USER, "bob@x.example"]) {
        assert_eq!(form.len(), 2, "{form:?}");
        assert_eq!(
            form["grant_type"],
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        );
        let data = claims(form, "assertion", Algorithm::RS256, &server.url);
        assert_eq!(data.header.kid.as_deref(), Some("key-7"));
        let expected = json!({
            "iss": "reader@project.example", "sub": user, "aud": server.url,
            "scope": "https://www.googleapis.com/auth/gmail.imap_admin",
            "iat": NOW, "exp": NOW + 3600,
        });
        assert_eq!(data.claims, expected);
    }
}

#[test]
fn a_token_is_kept_until_five_minutes_before_its_end() {
    for life in [
        json!(3600),
        json!("3600"),
        json!(3600.5),
        json!(null),
        json!("soon"),
    ] {
        let server = Server::giving(life);
        let tokens = tokens(&server.app());
        assert_eq!(token(&tokens, USER, NOW), "token1");
        // One token serves all mailboxes.
        assert_eq!(token(&tokens, "bob@x.example", NOW + 3299), "token1");
        assert_eq!(token(&tokens, USER, NOW + 3300), "token2");
        assert_eq!(token(&tokens, USER, NOW + 3301), "token2");
        // A clock that was set back says nothing of the token's age.
        assert_eq!(token(&tokens, USER, NOW), "token3");
        assert_eq!(server.asked().len(), 3);
    }
}

#[test]
fn a_short_life_is_used_by_half() {
    let server = Server::giving(json!(200));
    let short = tokens(&server.app());
    assert_eq!(token(&short, USER, NOW), "token1");
    assert_eq!(token(&short, USER, NOW + 99), "token1");
    assert_eq!(token(&short, USER, NOW + 100), "token2");

    for life in [json!(0), json!(-5), json!("-1e300")] {
        let server = Server::giving(life);
        let dead = tokens(&server.app());
        assert_eq!(token(&dead, USER, NOW), "token1");
        assert_eq!(token(&dead, USER, NOW), "token2");
    }
    // No promise is believed for longer than a day.
    let server = Server::giving(json!(1e300));
    let endless = tokens(&server.app());
    assert_eq!(token(&endless, USER, NOW), "token1");
    assert_eq!(token(&endless, USER, NOW + 86_099), "token1");
    assert_eq!(token(&endless, USER, NOW + 86_100), "token2");
}

#[test]
fn a_token_that_has_ended_is_forgotten() {
    let server = Server::giving(json!(3600));
    let tokens = tokens(&server.app());
    tokens.forget(USER);
    assert_eq!(token(&tokens, USER, NOW), "token1");
    tokens.forget("bob@x.example");
    assert_eq!(token(&tokens, USER, NOW), "token2");
}

#[test]
fn threads_that_ask_at_once_share_one_token() {
    let server = Server::start(|number| {
        thread::sleep(Duration::from_millis(50));
        let reply = json!({"access_token": format!("token{number}")});
        reply_with(200, &reply.to_string())
    });
    let tokens = tokens(&server.app());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(token(&tokens, USER, NOW), "token1"));
        }
    });
    assert_eq!(server.asked().len(), 1);
}

#[test]
#[cfg(unix)]
fn a_command_gives_tokens() {
    let tokens =
        Tokens::command("echo \"tok.$CCSPILL_USER\" | tr @ -; echo more; : s3cr3t+/~value");
    hides(&format!("{tokens:?}"));
    assert_eq!(token(&tokens, USER, NOW), "tok.ann-x.example");
    assert_eq!(token(&tokens, "bob@x.example", NOW), "tok.bob-x.example");

    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    let text = format!(
        "echo x >> '{0}'; wc -l < '{0}' | tr -d ' '",
        count.display()
    );
    let tokens = Tokens::command(&text);
    assert_eq!(token(&tokens, USER, NOW), "1");
    assert_eq!(token(&tokens, USER, NOW), "2");
}
