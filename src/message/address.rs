//! Mailbox addresses, compared as mailboxes are. Not a validator: real mail holds addresses that no RFC allows.

use super::text::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// Longest domain that is put through IDNA; a real one has at most 255 bytes.
const LONGEST_DOMAIN: usize = 1000;

/// An address in the form in which it is compared: local part lower-cased, domain lower-cased and in its ASCII (IDNA)
/// form. `Straße@Bücher.example` is `straße@xn--bcher-kva.example`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Address(Box<str>);

impl Address {
    /// From an addr-spec (`local@domain`), in any letter case; `None` where there is no local part or no domain.
    ///
    /// White space and comments are dropped, so are quotes that the local part does not need and a dot that ends the
    /// domain. Both parts are in NFC. Malformed local parts of real mail (`d..name@`, `.name@`) are kept.
    pub fn new(spec: &str) -> Option<Self> {
        if is_plain(spec) {
            return Some(Self(spec.to_ascii_lowercase().into_boxed_str()));
        }
        let spec = strip(spec);
        let (local, domain) = spec.rsplit_once('@')?;
        let local = canonical_local(local)?;
        let domain = canonical_domain(domain)?;
        Some(Self(format!("{local}@{domain}").into_boxed_str()))
    }
    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// What stands before the last `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
    /// What stands behind the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// True where lower-casing is all that is to be done, as for nearly every address.
fn is_plain(spec: &str) -> bool {
    let bytes = spec.as_bytes();
    let Some(at) = bytes.iter().position(|b| !is_atom(*b) && *b != b'.') else {
        return false;
    };
    let domain = &bytes[at + 1..];
    at > 0
        && bytes[at] == b'@'
        && domain
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        && domain.last().is_some_and(|b| *b != b'.')
}

/// The ASCII characters of an atom (RFC 5322 3.2.3).
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// Without white space, comments and invisible characters outside a quoted local part.
fn strip(spec: &str) -> String {
    let mut out = String::with_capacity(spec.len());
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    for c in spec.chars() {
        if is_invisible(c) && !c.is_whitespace() {
            continue;
        }
        let was_escaped = escaped;
        escaped = !escaped && c == '\\';
        match c {
            '"' if depth == 0 && !was_escaped => quoted = !quoted,
            '(' if !quoted && !was_escaped => depth += 1,
            ')' if depth > 0 && !was_escaped => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 && (quoted || !c.is_whitespace()) {
            out.push(c);
        }
    }
    out
}

/// A local part lower-cased, in NFC, quoted only where it must be (RFC 5321 4.1.2).
fn canonical_local(local: &str) -> Option<String> {
    let mut bare = String::with_capacity(local.len());
    let (mut escaped, mut quoted) = (false, false);
    for c in local.chars() {
        match c {
            _ if escaped => {
                bare.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ => bare.push(c),
        }
    }
    let bare: String = bare.to_lowercase().nfc().collect();
    if bare.trim().is_empty() {
        return None;
    }
    if bare.chars().all(|c| {
        !c.is_ascii() && !c.is_whitespace() || c == '.' || c.is_ascii() && is_atom(c as u8)
    }) {
        return Some(bare);
    }
    let mut out = String::with_capacity(bare.len() + 2);
    out.push('"');
    for c in bare.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    Some(out)
}

/// A domain lower-cased and in ASCII; `None` where it is empty or holds what ends a domain in any syntax.
fn canonical_domain(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches(['.', '。']);
    if domain.starts_with('[') && domain.ends_with(']') && domain.len() > 2 {
        return Some(domain.to_lowercase());
    }
    if domain.is_empty()
        || domain.contains(['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\', '/'])
    {
        return None;
    }
    let lower: String = domain.to_lowercase().nfc().collect();
    if lower.is_ascii() || lower.len() > LONGEST_DOMAIN {
        return Some(lower);
    }
    match idna::domain_to_ascii(&lower) {
        Ok(ascii) if !ascii.trim_matches('.').is_empty() => {
            Some(ascii.trim_end_matches('.').to_owned())
        }
        _ => Some(lower),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(spec: &str) -> Option<String> {
        Address::new(spec).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn letter_case_is_dropped() {
        assert_eq!(
            canonical("Ann.Bee@Example.TEST").as_deref(),
            Some("ann.bee@example.test")
        );
        assert_eq!(
            canonical("Straße@Bücher.example").as_deref(),
            Some("straße@xn--bcher-kva.example")
        );
        assert_eq!(
            canonical("ÄNN@x.example"),
            canonical("a\u{308}nn@x.example")
        );
    }

    #[test]
    fn quotes_are_kept_only_where_needed() {
        assert_eq!(
            canonical("\"Ann.Bee\"@x.example").as_deref(),
            Some("ann.bee@x.example")
        );
        assert_eq!(
            canonical("\"ann\".\"bee\"@x.example").as_deref(),
            Some("ann.bee@x.example")
        );
        assert_eq!(
            canonical("\"ann bee\"@x.example").as_deref(),
            Some("\"ann bee\"@x.example")
        );
        assert_eq!(
            canonical("\"a\\\"@b\"@x.example").as_deref(),
            Some("\"a\\\"@b\"@x.example")
        );
    }

    #[test]
    fn malformed_but_real_addresses_are_accepted() {
        for spec in [
            "d..name@x.example",
            ".name@x.example",
            "name.@x.example",
            "a_b@under_score.example",
            "root@localhost",
        ] {
            assert_eq!(canonical(spec).as_deref(), Some(spec));
        }
    }

    #[test]
    fn white_space_comments_and_a_last_dot_are_dropped() {
        assert_eq!(
            canonical(" ann (home) . bee @ x.example. ").as_deref(),
            Some("ann.bee@x.example")
        );
        assert_eq!(
            canonical("ann\u{200b}@x\u{202e}.example").as_deref(),
            Some("ann@x.example")
        );
    }

    #[test]
    fn both_parts_are_needed() {
        for spec in [
            "",
            "ann",
            "@x.example",
            "ann@",
            "ann@.",
            "\"\"@x.example",
            "a@b>c",
            "a@b,c",
        ] {
            assert_eq!(canonical(spec), None, "{spec}");
        }
    }

    #[test]
    fn a_domain_literal_is_kept() {
        assert_eq!(
            canonical("ann@[IPv6:2001:DB8::1]").as_deref(),
            Some("ann@[ipv6:2001:db8::1]")
        );
    }

    #[test]
    fn the_canonical_form_is_its_own_canonical_form() {
        for spec in [
            "\"A b\"@X.example",
            "İ@x.example",
            "a@b@c.example",
            "Å@ÅÅ.example",
            "ann@xn--bcher-kva.example",
            "ß@ẞ.example",
        ] {
            let once = canonical(spec).expect("an address");
            assert_eq!(canonical(&once).as_deref(), Some(once.as_str()));
        }
    }
}
