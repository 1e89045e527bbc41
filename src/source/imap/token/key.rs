//! Private keys and certificates in PEM files (RFC 7468).

use crate::source::plain;
use anyhow::{Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::{sign, verify};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;

/// Longest file that is read.
const LONGEST: u64 = 1 << 20;
/// What is signed to try a key.
const PROBE: &[u8] = b"ccspill";

/// A block of a PEM file: `-----BEGIN label-----` to its end.
struct Block<'a> {
    label: &'a str,
    text: &'a str,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        rest = &rest[at..];
        let Some((label, _)) = rest[BEGIN.len()..].split_once("-----") else {
            break;
        };
        let end = format!("-----END {label}-----");
        let Some(at) = rest.find(&end) else {
            break;
        };
        let (text, behind) = rest.split_at(at + end.len());
        found.push(Block { label, text });
        rest = behind;
    }
    found
}

/// A file as text. `name` is the variable that names it.
pub(super) fn read(name: &str, path: &str) -> Result<String> {
    let mut text = Vec::new();
    let reader = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text));
    reader.map_err(|why| {
        anyhow!(
            "cannot read '{path}', which {name} names: {}\n  try: check the path and that you may read it",
            plain(&why)
        )
    })?;
    if text.len() as u64 > LONGEST {
        bail!(
            "'{path}', which {name} names, is too long\n  try: the file that the key was saved to"
        );
    }
    String::from_utf8(text).map_err(|_| {
        anyhow!(
            "'{path}', which {name} names, is no text file\n  try: turn a .pfx into PEM: openssl pkcs12 -in FILE.pfx -nodes -out FILE.pem"
        )
    })
}

/// The RSA key in a PEM text, tried for `algorithm`. `file` is its name for people.
pub(super) fn private_key(text: &str, file: &str, algorithm: Algorithm) -> Result<EncodingKey> {
    let blocks = blocks(text);
    let Some(block) = blocks.iter().find(|b| b.label.ends_with("PRIVATE KEY")) else {
        bail!(
            "{file} holds no private key\n  try: the PEM file that begins with BEGIN PRIVATE KEY"
        );
    };
    if block.label.starts_with("ENCRYPTED") || block.text.contains("ENCRYPTED") {
        bail!(
            "the private key in {file} needs a passphrase\n  try: a copy without one, that only you may read: openssl pkey -in FILE -out COPY"
        );
    }
    // The crate's own errors might show a part of the key.
    let key = EncodingKey::from_rsa_pem(block.text.as_bytes()).ok();
    match key.filter(|key| sign(PROBE, key, algorithm).is_ok()) {
        Some(key) => Ok(key),
        None => bail!(
            "the private key in {file} is no RSA key of 2048 bits or more\n  try: a key of that kind; other kinds are not accepted"
        ),
    }
}

/// The SHA-256 thumbprint of the certificate that belongs to `key`, as `x5t#S256` (RFC 7515 4.1.8).
pub(super) fn thumbprint(text: &str, file: &str, key: &EncodingKey) -> Result<String> {
    let blocks = blocks(text);
    let certificates: Vec<_> = blocks
        .iter()
        .filter(|b| matches!(b.label, "CERTIFICATE" | "X509 CERTIFICATE"))
        .collect();
    let Some(first) = certificates.first() else {
        bail!("{file} holds no certificate\n  try: a PEM file that has BEGIN CERTIFICATE in it");
    };
    // A file may hold the issuers' certificates too, in any order.
    let own = certificates.iter().find(|block| is_own(block.text, key));
    let unknown = certificates.len() == 1 && public_key(first.text).is_none();
    let Some(block) = own.or(unknown.then_some(first)) else {
        bail!(
            "the private key does not belong to the certificate in {file}\n  try: the key that the certificate was made with (CCSPILL_OAUTH_KEY)"
        );
    };
    let Some(der) = der(block.text) else {
        bail!("the certificate in {file} is damaged\n  try: another copy of it");
    };
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(der)))
}

fn is_own(certificate: &str, key: &EncodingKey) -> bool {
    let Some(public) = public_key(certificate) else {
        return false;
    };
    let signed = sign(PROBE, key, Algorithm::PS256).ok();
    signed.is_some_and(|s| verify(&s, PROBE, &public, Algorithm::PS256).unwrap_or(false))
}

fn public_key(certificate: &str) -> Option<DecodingKey> {
    DecodingKey::from_rsa_pem(certificate.as_bytes()).ok()
}

fn der(block: &str) -> Option<Vec<u8>> {
    let lines = block.lines().map(str::trim);
    let base64: String = lines.filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).ok()
}
