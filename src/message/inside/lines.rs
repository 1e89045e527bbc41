//! Content lines of calendars and cards (RFC 5545 3.1, RFC 6350 3.3): `NAME;PARAM="value":value`, folded over lines that
//! begin with white space. What the lines mean is no matter here.

use crate::message::text::clean;

/// Longest line that is read, unfolded, in bytes; the rest of it is dropped.
const LONGEST: usize = 8 << 10;

/// One line, unfolded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    text: String,
    /// Where the name ends.
    name: usize,
    /// Where the value begins.
    value: usize,
}

/// Every line that has a name and a value.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    let mut rows = text.split(['\r', '\n']).filter(|row| !row.is_empty());
    let mut next = rows.next();
    std::iter::from_fn(move || {
        let mut whole = next.take()?.to_owned();
        whole.truncate(whole.floor_char_boundary(LONGEST));
        for row in rows.by_ref() {
            // vCard 2.1 breaks quoted-printable values with `=` and does not indent what follows.
            let soft = whole.ends_with('=') && quoted_printable(&whole);
            let folded = row.strip_prefix([' ', '\t']);
            if folded.is_none() && !soft {
                next = Some(row);
                break;
            }
            if soft {
                whole.pop();
            }
            let more = folded.unwrap_or(row);
            let room = LONGEST.saturating_sub(whole.len());
            whole.push_str(&more[..more.floor_char_boundary(room)]);
        }
        Some(whole)
    })
    .filter_map(Line::new)
}

fn quoted_printable(line: &str) -> bool {
    let head = line.split(':').next().unwrap_or_default();
    head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

impl Line {
    fn new(text: String) -> Option<Self> {
        let mut quoted = false;
        let mut name = None;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b';' if !quoted && name.is_none() => name = Some(at),
                b':' if !quoted => {
                    let name = name.unwrap_or(at);
                    return Some(Line {
                        text,
                        name,
                        value: at + 1,
                    });
                }
                _ => {}
            }
        }
        None
    }

    /// True where its name is this, in any letter case, with or without a group before it (`item1.EMAIL`).
    pub(super) fn is(&self, name: &str) -> bool {
        let own = self.text[..self.name].trim();
        let own = own.rsplit('.').next().unwrap_or_default();
        own.eq_ignore_ascii_case(name)
    }

    /// The value as it stands.
    pub(super) fn value(&self) -> &str {
        self.text[self.value..].trim()
    }

    /// The value as text: decoded, escapes undone (RFC 5545 3.3.11), clean.
    pub(super) fn plain(&self) -> String {
        let value = self.value();
        let encoding = self.param("ENCODING").unwrap_or_default();
        if !encoding.eq_ignore_ascii_case("QUOTED-PRINTABLE") {
            return clean(&unescaped(value));
        }
        let mut bytes = Vec::new();
        crate::message::text::unescape(value.as_bytes(), b'=', None, &mut bytes);
        let charset = self.param("CHARSET").unwrap_or_default();
        clean(&unescaped(&crate::message::text::from_charset(
            charset.as_bytes(),
            &bytes,
        )))
    }

    /// The text of a parameter, without quotes and with RFC 6868 escapes undone.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        let mut rest = &self.text[self.name..self.value - 1];
        while let Some(more) = rest.strip_prefix(';') {
            let mut quoted = false;
            let end = more.bytes().position(|byte| {
                quoted ^= byte == b'"';
                byte == b';' && !quoted
            });
            let end = end.unwrap_or(more.len());
            let (key, value) = more[..end].split_once('=').unwrap_or((&more[..end], ""));
            if key.trim().eq_ignore_ascii_case(name) {
                let value = value.trim().trim_matches('"');
                let value = value.replace("^n", " ").replace("^'", "'");
                return Some(clean(&unescaped(&value.replace("^^", "^"))));
            }
            // vCard 2.1 writes `;QUOTED-PRINTABLE` for `;ENCODING=QUOTED-PRINTABLE`.
            if value.is_empty()
                && name == "ENCODING"
                && key.eq_ignore_ascii_case("quoted-printable")
            {
                return Some(key.to_owned());
            }
            rest = &more[end..];
        }
        None
    }
}

/// `\,`, `\;`, `\\` as what they stand for, `\n` as a space.
fn unescaped(value: &str) -> String {
    if !value.contains('\\') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                other => out.extend(other),
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Line> {
        lines(text).collect()
    }

    #[test]
    fn folded_lines_are_joined() {
        let found = all("ATTENDEE;CN=\"Bee; Ann: A\":mai\r\n lto:ann@\r\n\tx.example\r\nend:x\r\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].is("attendee") && !found[0].is("end"));
        assert_eq!(found[0].value(), "mailto:ann@x.example");
        assert_eq!(found[0].param("cn").as_deref(), Some("Bee; Ann: A"));
        assert_eq!(found[0].param("role"), None);
    }

    #[test]
    fn values_of_every_version_of_cards_are_decoded() {
        let found = all(
            "item1.FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=\n=BCrg\nFN:Bee\\, Ann\nFN;QUOTED-PRINTABLE:a=20b\n",
        );
        let plain: Vec<String> = found.iter().map(Line::plain).collect();
        assert_eq!(plain, ["Jürg", "Bee, Ann", "a b"]);
        assert!(found[0].is("FN"));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let endless = format!("ATTENDEE:{}", "\n x".repeat(1_000_000));
        let found = all(&endless);
        assert_eq!(found.len(), 1);
        assert!(found[0].value().len() <= LONGEST);
        assert_eq!(all("\"::::;;;\n\n:\n").len(), 1);
    }
}
