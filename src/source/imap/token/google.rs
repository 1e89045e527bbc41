//! Google Workspace: a service account that may act for the domain's users (domain-wide delegation).
//!
//! <https://developers.google.com/identity/protocols/oauth2/service-account>. Each user needs a token of its own.

use super::endpoint::{Endpoint, Reason, Refusal};
use super::key::private_key;
use super::{Grant, Secret};
use crate::message::text::clean;
use anyhow::{Context, Result, anyhow, bail};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

const ALGORITHM: Algorithm = Algorithm::RS256;
/// How long an assertion holds, in seconds: as long as Google allows.
const ASSERTION: i64 = 3600;
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A service account.
#[derive(Debug)]
pub(super) struct Account {
    endpoint: Endpoint,
    email: String,
    /// The number that the delegation is given to.
    client_id: String,
    key: EncodingKey,
    key_id: Option<String>,
    scope: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl Account {
    /// From the text of a key file, as Google hands it out. `file` is its name for people.
    pub(super) fn new(text: &str, file: &str, scope: String, time: Duration) -> Result<Self> {
        let mend = "the JSON file that was saved when the service account's key was made";
        // The parser's own error would show what it read.
        let parts: Value = serde_json::from_str(text)
            .map_err(|_| anyhow!("{file} is no key file: it is not JSON\n  try: {mend}"))?;
        let part = |name| parts.get(name).and_then(Value::as_str);
        if let Some(kind) = part("type").filter(|kind| *kind != "service_account") {
            let kind: String = clean(kind).chars().take(40).collect();
            bail!("{file} is of the kind '{kind}', and not of a service account\n  try: {mend}");
        }
        let needed = |name| {
            part(name)
                .with_context(|| format!("{file} is no key file: it has no {name}\n  try: {mend}"))
        };
        let email = needed("client_email")?;
        let key = private_key(needed("private_key")?, file, ALGORITHM)?;
        let uri = part("token_uri").unwrap_or(TOKEN_URI);
        Ok(Self {
            endpoint: Endpoint::new(&format!("token_uri in {file}"), uri, time)?,
            email: clean(email),
            client_id: clean(part("client_id").unwrap_or_default()),
            key,
            key_id: part("private_key_id").map(str::to_owned),
            scope,
        })
    }

    /// Asks for a token for one user's mailbox.
    pub(super) fn grant(&self, user: &str, now: i64) -> Result<Grant> {
        let mut header = Header::new(ALGORITHM);
        header.kid.clone_from(&self.key_id);
        let claims = Claims {
            iss: &self.email,
            sub: user,
            scope: &self.scope,
            aud: self.endpoint.url(),
            iat: now,
            exp: now.saturating_add(ASSERTION),
        };
        let assertion = encode(&header, &claims, &self.key)
            .map(Secret::new)
            .map_err(|_| anyhow!("cannot sign with the service account's key\n  try: a new key"))?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.reveal()),
        ];
        self.endpoint.ask(&form, &[assertion.reveal()], &|refusal| {
            self.explain(user, refusal)
        })
    }

    fn explain(&self, user: &str, refusal: &Refusal) -> Reason {
        let user = clean(user);
        let account = if self.client_id.is_empty() {
            &self.email
        } else {
            &self.client_id
        };
        match &*refusal.error {
            "unauthorized_client" | "access_denied" => (
                "the service account may not act for the domain's users with this scope".into(),
                format!(
                    "add client ID {account} with scope {} under domain-wide delegation in the Admin console; it can take a day to count",
                    self.scope
                ),
            ),
            "admin_policy_enforced" => (
                "the domain's rules forbid this scope".into(),
                "ask the domain's administrator to allow it under API controls".into(),
            ),
            "invalid_scope" => (
                "it does not know the scope that was asked for".into(),
                "unset CCSPILL_OAUTH_SCOPE".into(),
            ),
            "invalid_client" | "disabled_client" => (
                format!(
                    "the service account '{}' is deleted or disabled",
                    self.email
                ),
                "enable it in the Google Cloud console, or make a key for another".into(),
            ),
            // Google has one code for all of these; its words tell them apart, and may change.
            "invalid_grant" if refusal.words.contains("iat") => (
                "it takes the assertion for one of another time".into(),
                "set this machine's clock".into(),
            ),
            "invalid_grant" if refusal.words.contains("ignature") => (
                "the key is deleted or disabled".into(),
                "make a new key for the service account".into(),
            ),
            "invalid_grant" => (
                format!("it does not know the user '{user}', or has suspended it"),
                "check the user's primary address, and this machine's clock".into(),
            ),
            _ => (
                format!("it refused a token for '{user}'"),
                "check the service account and its domain-wide delegation".into(),
            ),
        }
    }
}
