//! Mailbox addresses, compared as mailboxes are. Not a validator: real mail holds addresses that no RFC allows.

/// An address in the form in which it is compared: local part lower-cased, domain lower-cased and in its ASCII (IDNA)
/// form. `Straße@Bücher.example` is `straße@xn--bcher-kva.example`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Box<str>);

impl Address {
    /// From an addr-spec (`local@domain`), in any letter case; `None` where there is no local part or no domain.
    pub fn new(spec: &str) -> Option<Self> {
        let _ = spec;
        None
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
