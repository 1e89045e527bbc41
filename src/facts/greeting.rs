//! Greetings to nobody in particular: `Dear all`, `Annwyl bawb`. Part of the shape of a mail-out.

use crate::query::pattern::fold;

const HAILS: [&str; 16] = [
    "dear",
    "hi",
    "hello",
    "hey",
    "greetings",
    "morning",
    "afternoon",
    "evening",
    "good",
    "annwyl",
    "helo",
    "liebe",
    "guten",
    "bonjour",
    "chers",
    "hola",
];
const CROWDS: [&str; 44] = [
    "all",
    "everyone",
    "everybody",
    "folks",
    "colleagues",
    "members",
    "friends",
    "team",
    "applicant",
    "applicants",
    "patients",
    "patient",
    "complainants",
    "complainant",
    "survivors",
    "survivor",
    "victims",
    "witnesses",
    "students",
    "student",
    "parents",
    "carers",
    "clients",
    "client",
    "tenants",
    "resident",
    "residents",
    "volunteers",
    "customer",
    "customers",
    "claimants",
    "claimant",
    "sir",
    "madam",
    "sirs",
    "participant",
    "participants",
    "service",
    "bawb",
    "alle",
    "zusammen",
    "tous",
    "todos",
    "supporters",
];

/// A greeting to nobody in particular (`Dear all`, `Dear complainants`), from the first lines of a text.
pub(super) fn greeting(text: &str) -> Option<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(2);
    // Only the greeting itself: what follows it on its line is the body's, and stays out of the case.
    let mut heads = lines.map(|line| {
        line.split([',', '.', ':', ';', '!', '?', '–', '—'])
            .next()
            .unwrap_or_default()
            .trim()
    });
    let head = heads.find(|head| {
        let folded = fold(head);
        let mut words = folded.split_whitespace();
        let hail = words.next().unwrap_or_default();
        let crowd = words.take(4).any(|word| CROWDS.contains(&word));
        head.len() <= 48
            && (HAILS.contains(&hail) && crowd
                || matches!(folded.trim(), "all" | "everyone" | "helo bawb"))
    })?;
    Some(head.to_owned())
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn a_greeting_to_a_crowd_is_told_from_one_to_a_person() {
        assert_eq!(greeting("Dear all,\nplease").as_deref(), Some("Dear all"));
        assert_eq!(
            greeting("\nDear complainants\n").as_deref(),
            Some("Dear complainants")
        );
        assert_eq!(greeting("Dear Nia,\nall is well"), None);
        assert_eq!(greeting("Hi Nia, all your injuries are logged"), None);
        assert_eq!(
            greeting("Dear all, she was hurt.").as_deref(),
            Some("Dear all")
        );
    }
}
