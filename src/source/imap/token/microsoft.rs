//! Microsoft 365: an application's own token (client credentials). Other servers that grant these work as well.
//!
//! The application proves itself with a secret, or with an assertion that its certificate's key signed:
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.

use super::endpoint::{Endpoint, Reason, Refusal};
use super::{Grant, Secret};
use anyhow::{Result, anyhow};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use std::hash::{BuildHasher, RandomState};

/// What an application's assertion is signed with: Entra asks for PS256.
pub(super) const ALGORITHM: Algorithm = Algorithm::PS256;
/// How long an assertion holds, in seconds: Entra advises five to ten minutes.
const ASSERTION: i64 = 10 * 60;

/// An application that may read mailboxes.
#[derive(Debug)]
pub(super) struct App {
    pub(super) endpoint: Endpoint,
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) proof: Proof,
}

/// What it proves itself with.
#[derive(Debug)]
pub(super) enum Proof {
    Secret(Secret),
    Certificate {
        key: EncodingKey,
        thumbprint: String,
    },
}

/// RFC 7523 3.
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl App {
    /// Asks for a token. It serves all mailboxes.
    pub(super) fn grant(&self, now: i64) -> Result<Grant> {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &*self.id),
            ("scope", &*self.scope),
        ];
        let proof = match &self.proof {
            Proof::Secret(secret) => secret.clone(),
            Proof::Certificate { key, thumbprint } => self.assertion(key, thumbprint, now)?,
        };
        if let Proof::Secret(_) = self.proof {
            form.push(("client_secret", proof.reveal()));
        } else {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form.push(("client_assertion_type", kind));
            form.push(("client_assertion", proof.reveal()));
        }
        let secrets = [proof.reveal()];
        self.endpoint
            .ask(&form, &secrets, &|refusal| self.explain(refusal))
    }

    fn assertion(&self, key: &EncodingKey, thumbprint: &str, now: i64) -> Result<Secret> {
        let mut header = Header::new(ALGORITHM);
        header.x5t_s256 = Some(thumbprint.to_owned());
        let claims = Claims {
            aud: self.endpoint.url(),
            iss: &self.id,
            sub: &self.id,
            jti: fresh_id(now),
            nbf: now,
            iat: now,
            exp: now.saturating_add(ASSERTION),
        };
        let signed = encode(&header, &claims, key);
        signed
            .map(Secret::new)
            .map_err(|_| anyhow!("cannot sign with the certificate's key\n  try: another key"))
    }

    fn explain(&self, refusal: &Refusal) -> Reason {
        let id = &self.id;
        let (why, mend) = match (refusal.number, &*refusal.error) {
            (Some(700_016), _) => {
                return (
                    format!("the tenant has no application '{id}'"),
                    "check CCSPILL_OAUTH_CLIENT_ID (the application's ID, not its object ID) and CCSPILL_OAUTH_TENANT".into(),
                );
            }
            (Some(90_002 | 900_023), _) => (
                "there is no such tenant",
                "check CCSPILL_OAUTH_TENANT: the directory's ID or a domain of it; other clouds also need CCSPILL_OAUTH_TOKEN_URL",
            ),
            (Some(7_000_215), _) => (
                "the application's secret is wrong",
                "put the secret's value into CCSPILL_OAUTH_CLIENT_SECRET, not its ID",
            ),
            (Some(7_000_222), _) => (
                "the application's secret has expired",
                "make a new secret under Certificates & secrets, or use a certificate",
            ),
            (Some(700_024), _) => (
                "it takes the assertion for one of another time",
                "set this machine's clock",
            ),
            (Some(700_027), _) => (
                "the certificate is not registered with the application",
                "upload the certificate, without its key, under Certificates & secrets, and check that it has not expired",
            ),
            (Some(7_000_112), _) => (
                "the application is disabled",
                "enable it under Enterprise applications",
            ),
            (Some(70_011 | 1_002_012 | 500_011), _) | (_, "invalid_scope" | "invalid_resource") => {
                (
                    "it does not grant the scope that was asked for",
                    "unset CCSPILL_OAUTH_SCOPE, or set it to one that ends in /.default",
                )
            }
            (_, "invalid_client") => (
                "it does not accept the application's secret or certificate",
                "check CCSPILL_OAUTH_CLIENT_SECRET or CCSPILL_OAUTH_CERTIFICATE, and CCSPILL_OAUTH_CLIENT_ID",
            ),
            (_, "unauthorized_client") => (
                "the application may not ask for a token of its own",
                "check CCSPILL_OAUTH_CLIENT_ID and the application's permissions",
            ),
            _ => (
                "it refused",
                "check the CCSPILL_OAUTH variables against the application's registration",
            ),
        };
        (why.into(), mend.into())
    }
}

/// An id that was never used before, in the form of a UUID. It need not be hard to guess.
fn fresh_id(now: i64) -> String {
    // Each RandomState has keys of its own, which the standard library seeds at random.
    let number = || RandomState::new().hash_one(now);
    let (a, b) = (number(), number());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        0x8000 | b >> 48 & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}
