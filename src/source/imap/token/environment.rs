//! What the environment says of tokens, checked before anything is asked.

use super::endpoint::Endpoint;
use super::google::Account;
use super::microsoft::{ALGORITHM, App, Proof};
use super::{Giver, Secret, key};
use anyhow::{Result, bail};
use std::time::Duration;

const CLIENT_ID: &str = "CCSPILL_OAUTH_CLIENT_ID";
const TENANT: &str = "CCSPILL_OAUTH_TENANT";
const SECRET: &str = "CCSPILL_OAUTH_CLIENT_SECRET";
const CERTIFICATE: &str = "CCSPILL_OAUTH_CERTIFICATE";
const KEY: &str = "CCSPILL_OAUTH_KEY";
const TOKEN_URL: &str = "CCSPILL_OAUTH_TOKEN_URL";
const SCOPE: &str = "CCSPILL_OAUTH_SCOPE";
const GOOGLE: &str = "CCSPILL_GOOGLE_KEY_FILE";

/// What only an application has.
const APP: [&str; 6] = [CLIENT_ID, TENANT, SECRET, CERTIFICATE, KEY, TOKEN_URL];

/// All mailboxes that the application was given.
const MICROSOFT_SCOPE: &str = "https://outlook.office365.com/.default";
/// Shows all labels, whatever the user hides from IMAP or limits.
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/gmail.imap_admin";

/// The variables, read through a closure so that tests need no process of their own.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    /// Set to nothing is not set.
    fn get(&self, name: &str) -> Option<String> {
        let text = (self.0)(name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The first that is set.
    fn first<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().find(|n| self.get(n).is_some()).copied()
    }
}

/// Who gives tokens, if the environment names anyone. `time` is how long an answer may take.
pub(super) fn giver(
    variable: &dyn Fn(&str) -> Option<String>,
    time: Duration,
) -> Result<Option<Giver>> {
    let variables = Variables(variable);
    let app = variables.first(&APP);
    if let Some(path) = variables.get(GOOGLE) {
        if let Some(app) = app {
            bail!(
                "{GOOGLE} and {app} are both set, and name different providers\n  try: unset one of the two"
            );
        }
        let text = Secret::new(key::read(GOOGLE, &path)?);
        let scope = variables.get(SCOPE).unwrap_or_else(|| GOOGLE_SCOPE.into());
        let account = Account::new(text.reveal(), &format!("'{path}'"), scope, time)?;
        return Ok(Some(Giver::Google(account)));
    }
    let Some(set) = app.or(variables.first(&[SCOPE])) else {
        return Ok(None);
    };
    let Some(id) = variables.get(CLIENT_ID) else {
        bail!(
            "{set} is set, but {CLIENT_ID} is not\n  try: set it to the application's (client) ID"
        );
    };
    Ok(Some(Giver::Microsoft(App {
        endpoint: endpoint(&variables, time)?,
        id,
        scope: variables
            .get(SCOPE)
            .unwrap_or_else(|| MICROSOFT_SCOPE.into()),
        proof: proof(&variables)?,
    })))
}

fn endpoint(variables: &Variables<'_>, time: Duration) -> Result<Endpoint> {
    if let Some(url) = variables.get(TOKEN_URL) {
        return Endpoint::new(TOKEN_URL, &url, time);
    }
    let Some(tenant) = variables.get(TENANT) else {
        bail!(
            "{CLIENT_ID} is set, but {TENANT} is not\n  try: set it to the directory's (tenant) ID"
        );
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    if !tenant.bytes().all(allowed) {
        bail!("{TENANT} is no tenant\n  try: the directory's ID, or a domain of it");
    }
    // These stand for many tenants, and none has an application's token.
    if ["common", "organizations", "consumers"].contains(&&*tenant.to_ascii_lowercase()) {
        bail!("{TENANT} names no tenant of its own\n  try: the directory's ID, or a domain of it");
    }
    let url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    Endpoint::new(TENANT, &url, time)
}

fn proof(variables: &Variables<'_>) -> Result<Proof> {
    let certificate = variables.get(CERTIFICATE);
    let key_path = variables.get(KEY);
    match (variables.get(SECRET), certificate) {
        (Some(_), Some(_)) => bail!(
            "{SECRET} and {CERTIFICATE} are both set, and one is needed\n  try: unset {SECRET}"
        ),
        (None, Some(path)) => {
            let text = Secret::new(key::read(CERTIFICATE, &path)?);
            let (key_text, key_path) = match &key_path {
                Some(key_path) => (Secret::new(key::read(KEY, key_path)?), key_path),
                None => (text.clone(), &path),
            };
            let key = key::private_key(key_text.reveal(), &format!("'{key_path}'"), ALGORITHM)?;
            let thumbprint = key::thumbprint(text.reveal(), &format!("'{path}'"), &key)?;
            Ok(Proof::Certificate { key, thumbprint })
        }
        (_, None) if key_path.is_some() => bail!(
            "{KEY} is set, but {CERTIFICATE} is not\n  try: set it to the certificate's PEM file"
        ),
        (Some(secret), None) => Ok(Proof::Secret(Secret::new(secret))),
        (None, None) => bail!(
            "{CLIENT_ID} is set, but neither {CERTIFICATE} nor {SECRET} is\n  try: set {CERTIFICATE} to a PEM file with a certificate and its key"
        ),
    }
}
