//! Addresses that reach the same mailbox by their provider's own, documented rule. Not what a person does with two
//! mailboxes: that is `merge`. The canonical form of an address (`message::address`) drops letter case and quotes only; these
//! rules change no address and no key, they only say which addresses go together.

use super::merge::Reason;
use super::personal_provider;

/// Providers whose users have the same local part at several domains.
///
/// - Gmail: `googlemail.com` is `gmail.com` (support.google.com/mail/answer/10313).
/// - Apple: whoever has an address at `me.com` or `mac.com` has the same one at `icloud.com` (support.apple.com/118230).
/// - Proton: a user name belongs to one account at all of its domains (proton.me/support/addresses-and-aliases).
/// - Yandex: a user name is linked to one account at all of its domains (yandex.com/support/id/authorization/email.html).
///
/// Not Microsoft: at `outlook.com` and `hotmail.com` one user name may be two people.
const FAMILIES: [(Reason, &[&str]); 4] = [
    (Reason::Gmail, &["gmail.com", "googlemail.com"]),
    (Reason::Apple, &["icloud.com", "me.com", "mac.com"]),
    (
        Reason::Proton,
        &["proton.me", "protonmail.com", "pm.me", "protonmail.ch"],
    ),
    (
        Reason::Yandex,
        &[
            "yandex.ru",
            "ya.ru",
            "yandex.com",
            "yandex.by",
            "yandex.kz",
            "yandex.ua",
        ],
    ),
];

/// Providers where `anything@nia.fastmail.com` is `nia@fastmail.com` (fastmail.help, plus and subdomain addressing).
const SUBDOMAINS: [&str; 2] = ["fastmail.com", "fastmail.fm"];

/// The mailbox that an address reaches, in a form that is the same for all addresses of it; `None` where that is the address
/// itself, as it nearly always is. `address` is canonical.
pub fn reached(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let base = without_tag(local);
    let family = FAMILIES
        .iter()
        .find(|(_, domains)| domains.contains(&domain));
    let reached = match family {
        Some((Reason::Gmail, domains)) => format!("{}@{}", base.replace('.', ""), domains[0]),
        Some((_, domains)) => format!("{base}@{}", domains[0]),
        None => match of_subdomain(domain) {
            Some((user, domain)) => format!("{user}@{domain}"),
            None => format!("{base}@{domain}"),
        },
    };
    (reached != address).then_some(reached)
}

/// Why two addresses that reach the same mailbox do so.
pub fn rule(one: &str, other: &str) -> Reason {
    let plain = |address: &str| {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        format!("{}@{domain}", without_tag(local))
    };
    if plain(one) == plain(other) {
        return Reason::Plus;
    }
    let domain = one.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut families = FAMILIES.iter();
    families
        .find(|(_, domains)| domains.contains(&domain))
        .map_or(Reason::Fastmail, |(reason, _)| *reason)
}

/// Whether a domain's plus signs are known to separate a person's tags, and not what a machine counts its tickets by.
pub fn tags_are_personal(address: &str) -> bool {
    address
        .rsplit_once('@')
        .is_some_and(|(_, domain)| personal_provider(domain))
}

/// A local part without the tag behind its first plus sign (RFC 5233). One with `=` in it holds another's address
/// (`bounce+nia=inbox.test@…`) and is left whole.
fn without_tag(local: &str) -> &str {
    match local.split_once('+') {
        Some((base, tag)) if !base.is_empty() && !tag.contains('=') => base,
        _ => local,
    }
}

fn of_subdomain(domain: &str) -> Option<(&str, &str)> {
    SUBDOMAINS.iter().find_map(|provider| {
        let user = domain.strip_suffix(provider)?.strip_suffix('.')?;
        (!user.is_empty() && !user.contains('.')).then_some((user, *provider))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Local parts that these providers give to nobody: too short, or too long.
    fn same(one: &str, other: &str) -> bool {
        reached(one).unwrap_or(one.into()) == reached(other).unwrap_or(other.into())
    }

    #[test]
    fn a_tag_behind_a_plus_sign_is_no_part_of_the_mailbox() {
        assert!(same("nia+club@inbox.test", "nia@inbox.test"));
        assert!(same("nia+club@inbox.test", "nia+bank@inbox.test"));
        assert!(!same("+club@inbox.test", "+bank@inbox.test"));
        assert!(!same(
            "bounce+nia=inbox.test@lists.example",
            "bounce+tom=inbox.test@lists.example"
        ));
        assert_eq!(rule("nia+club@inbox.test", "nia@inbox.test"), Reason::Plus);
    }

    #[test]
    fn dots_count_everywhere_but_at_gmail() {
        assert!(same("n.ia@gmail.com", "nia@googlemail.com"));
        assert!(same("n.i.a+club@gmail.com", "nia@gmail.com"));
        assert!(!same("n.ia@inbox.test", "nia@inbox.test"));
        assert!(!same("n.ia@outlook.com", "nia@outlook.com"));
        assert_eq!(rule("n.ia@gmail.com", "nia@gmail.com"), Reason::Gmail);
    }

    #[test]
    fn one_user_name_at_the_domains_of_one_provider_is_one_mailbox() {
        assert!(same("nm@icloud.com", "nm@mac.com"));
        assert!(same("nm@proton.me", "nm@pm.me"));
        assert!(same("nm@ya.ru", "nm@yandex.com"));
        assert!(same("shop@nm.fastmail.com", "nm@fastmail.com"));
        assert_eq!(rule("nm@me.com", "nm@icloud.com"), Reason::Apple);
        assert_eq!(
            rule("shop@nm.fastmail.com", "nm@fastmail.com"),
            Reason::Fastmail
        );
    }

    #[test]
    fn two_providers_are_never_one() {
        assert!(!same("nm@outlook.com", "nm@hotmail.com"));
        assert!(!same("nm@gmail.com", "nm@icloud.com"));
        assert!(!same("nm@fastmail.com", "nm@fastmail.fm"));
        assert_eq!(reached("nia.marsh@inbox.test"), None);
    }
}
