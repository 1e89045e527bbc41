//! One POST to a token endpoint, and what may come back (RFC 6749 5).

use super::super::secret::{Secret, heard};
use super::{Failure, Grant, is_token};
use crate::source::plain;
use anyhow::{Result, anyhow, bail};
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::time::Duration;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, http};
use url::{Host, Url};

/// How long an answer may take, from the name's look-up to its last byte.
pub(super) const TIME: Duration = Duration::from_secs(30);
/// Longest answer that is read.
const LONGEST: u64 = 64 << 10;
/// How long a token lives where the answer does not say.
const USUAL_LIFE: i64 = 3600;
/// Longest life that is believed.
const LONGEST_LIFE: i64 = 24 * 3600;

/// Where tokens are asked for.
pub(super) struct Endpoint {
    url: Url,
    time: Duration,
    agent: Agent,
}

/// The server's own words where it gave no token.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// RFC 6749 5.2: `invalid_client` …
    pub(super) error: String,
    /// For people; cleaned and cut.
    pub(super) words: String,
    /// Microsoft's number for it (AADSTS).
    pub(super) number: Option<u64>,
}

/// What a person reads: why, and the mend.
pub(super) type Reason = (String, String);

impl Endpoint {
    /// `name` is what it was named by, for people.
    pub(super) fn new(name: &str, text: &str, time: Duration) -> Result<Self> {
        let url = Url::parse(text).map_err(|why| {
            anyhow!(
                "{name} is not the address of a token endpoint: {why}\n  try: one that begins with https://"
            )
        })?;
        let host = url.host();
        let near = match &host {
            Some(Host::Domain(name)) => *name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if host.is_none() || !(url.scheme() == "https" || near && url.scheme() == "http") {
            bail!(
                "{name} would send secrets in clear text: its address begins with {}:\n  try: https: (http: is for this machine alone)",
                url.scheme()
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            bail!("{name} holds a user or a password\n  try: the address without these");
        }
        Ok(Self {
            url,
            time,
            agent: agent(near, time),
        })
    }

    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Asks for a token. `secrets` are what no error may repeat; `explain` says what a refusal means.
    pub(super) fn ask(
        &self,
        form: &[(&str, &str)],
        secrets: &[&str],
        explain: &dyn Fn(&Refusal) -> Reason,
    ) -> Result<Grant> {
        let (status, body) = self
            .post(form)
            .map_err(|why| self.unanswered(&why, secrets))?;
        if body.len() as u64 > LONGEST {
            return Err(self.strange("its answer is too long"));
        }
        if (300..400).contains(&status) {
            return Err(self.strange(&format!(
                "it sends ccspill elsewhere (status {status}), where no secret may follow"
            )));
        }
        // The parser's own error would show what it read.
        let reply = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let token = reply.get("access_token").and_then(Value::as_str);
        match token.filter(|_| (200..300).contains(&status)) {
            Some(token) if is_token(token) && is_bearer(&reply) => Ok(Grant {
                token: Secret::new(token.to_owned()),
                life: life(&reply),
            }),
            Some(_) => Err(self.strange("what it gave is no bearer token")),
            None => Err(self.refused(status, &reply, secrets, explain)),
        }
    }

    fn post(&self, form: &[(&str, &str)]) -> Result<(u16, Vec<u8>), ureq::Error> {
        let mut answer: http::Response<Body> = self
            .agent
            .post(self.url.as_str())
            .header("Accept", "application/json")
            .send_form(form.iter().copied())?;
        let mut body = Vec::new();
        let reader = answer.body_mut().as_reader();
        reader.take(LONGEST + 1).read_to_end(&mut body)?;
        Ok((answer.status().as_u16(), body))
    }

    fn refused(
        &self,
        status: u16,
        reply: &Value,
        secrets: &[&str],
        explain: &dyn Fn(&Refusal) -> Reason,
    ) -> anyhow::Error {
        let busy = status == 429 || status >= 500;
        let refusal = refusal(reply, secrets);
        if refusal.error.is_empty() {
            let why = format!("it answered with status {status}, and without a token");
            return if busy {
                self.failure(&why, "again in some minutes", true)
            } else {
                self.strange(&why)
            };
        }
        let passing = busy || matches!(&*refusal.error, "temporarily_unavailable" | "server_error");
        let (why, mend) = if passing {
            ("it is too busy".into(), "again in some minutes".into())
        } else {
            explain(&refusal)
        };
        let colon = if refusal.words.is_empty() { "" } else { ": " };
        let why = format!("{why} ({}{colon}{})", refusal.error, refusal.words);
        self.failure(&why, &mend, passing)
    }

    fn unanswered(&self, why: &ureq::Error, secrets: &[&str]) -> anyhow::Error {
        use ureq::Error::{
            ConnectProxyFailed, HostNotFound, InvalidProxyUrl, Io, NativeTls, Timeout,
        };
        let network = "check the network, and HTTPS_PROXY where it needs a proxy";
        let (why, mend, passing) = match why {
            Timeout(_) => (
                format!(
                    "it did not answer within {} seconds",
                    self.time.as_secs_f32()
                ),
                network,
                true,
            ),
            HostNotFound => ("its name is not known".into(), network, true),
            // What a proxy's variable holds may have a password.
            ConnectProxyFailed(_) | InvalidProxyUrl => (
                "the proxy does not let ccspill through".into(),
                "check HTTPS_PROXY",
                false,
            ),
            NativeTls(why) => (
                format!("no secure connection: {}", heard(&why.to_string(), secrets)),
                "check the clock, and that this machine trusts the certificate: a proxy that looks inside has its own",
                false,
            ),
            Io(why) => (heard(&plain(why), secrets), network, true),
            other => (heard(&other.to_string(), secrets), network, true),
        };
        self.failure(&why, mend, passing)
    }

    /// What no token endpoint says.
    fn strange(&self, why: &str) -> anyhow::Error {
        let mend = "check the address of the token endpoint (CCSPILL_OAUTH_TOKEN_URL, or token_uri in the key file)";
        self.failure(why, mend, false)
    }

    fn failure(&self, why: &str, mend: &str, passing: bool) -> anyhow::Error {
        let text = format!(
            "cannot get an access token from {}: {why}\n  try: {mend}",
            self.host()
        );
        Failure { text, passing }.into()
    }
}

impl fmt::Debug for Endpoint {
    /// The agent would show the proxy, which may have a password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Endpoint({})", self.host())
    }
}

fn agent(near: bool, time: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::NativeTls)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(time))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("ccspill/", env!("CARGO_PKG_VERSION")));
    // A proxy is another machine: what goes to this one goes there straight.
    let config = if near { config.proxy(None) } else { config };
    config.build().new_agent()
}

fn is_bearer(reply: &Value) -> bool {
    let kind = reply.get("token_type").and_then(Value::as_str);
    kind.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"))
}

/// `expires_in`, which some servers write as text.
fn life(reply: &Value) -> i64 {
    let life = match reply.get("expires_in") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let life = life.filter(|life| !life.is_nan());
    life.map_or(USUAL_LIFE, |life| (life as i64).clamp(0, LONGEST_LIFE))
}

fn refusal(reply: &Value, secrets: &[&str]) -> Refusal {
    let text = |key| reply.get(key).and_then(Value::as_str);
    // Google's other services: {"error": {"status": …, "message": …}}.
    let inner = |key| reply.get("error")?.get(key)?.as_str();
    let words = text("error_description")
        .or_else(|| inner("message"))
        .unwrap_or_default();
    // Behind it stand numbers that only Microsoft can look up.
    let words = words.split("Trace ID:").next().unwrap_or_default();
    let error = text("error")
        .or_else(|| inner("status"))
        .unwrap_or_default();
    let listed = reply
        .get("error_codes")
        .and_then(|list| list.get(0)?.as_u64());
    let named = words.split_once("AADSTS").and_then(|(_, rest)| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    });
    Refusal {
        error: heard(error, secrets),
        words: heard(words, secrets),
        number: named.or(listed),
    }
}
