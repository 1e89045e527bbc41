//! HTML to plain text: tags, scripts, styles and comments out, entities decoded, blocks on lines of their own.
//! Not a renderer, and not a parser of documents: one pass, and any bytes give some text.

use mail_parser::decoders::html::add_html_token;
use memchr::{memchr, memmem};

/// Elements whose content is no text.
const SILENT: [&str; 5] = ["script", "style", "title", "template", "xml"];
/// Elements that stand inside a line; every other one ends it.
const INLINE: [&str; 28] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "o:p", "q", "s", "small", "span", "strike", "strong", "sub",
    "sup", "tt", "u",
];
/// Longest entity that is believed, without its `&` and `;`.
const LONGEST_ENTITY: usize = 32;

/// The text of an HTML document. At most `limit` bytes of text are made.
pub(super) fn to_text(html: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut rest = html;
    // Once an end was searched for in vain, it is not there further on.
    let (mut no_comment_end, mut no_tag_end) = (false, false);
    while !rest.is_empty() && out.len() < limit {
        let text_end = memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        push_text(&rest[..text_end], &mut out);
        rest = &rest[text_end..];
        let is_tag = rest
            .as_bytes()
            .get(1)
            .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'));
        if let Some(inner) = rest.strip_prefix("<!--") {
            let end = if no_comment_end {
                None
            } else {
                memmem::find(inner.as_bytes(), b"-->")
            };
            match end {
                Some(n) => rest = &inner[n + 3..],
                None => {
                    no_comment_end = true;
                    rest = inner;
                }
            }
        } else if is_tag && !no_tag_end {
            match memchr(b'>', rest.as_bytes()) {
                Some(n) => {
                    let tag = &rest[1..n];
                    rest = &rest[n + 1..];
                    push_tag(tag, &mut rest, &mut out);
                }
                None => no_tag_end = true,
            }
        } else if let Some(more) = rest.strip_prefix('<') {
            out.push('<');
            rest = more;
        }
    }
    out
}

/// A tag, without its angle brackets: what it does to the lines, and for a silent element, past its end.
fn push_tag(tag: &str, rest: &mut &str, out: &mut String) {
    let closing = tag.starts_with('/');
    let name = tag.trim_start_matches('/');
    let name = &name[..name
        .find(|c: char| c.is_whitespace() || c == '/')
        .unwrap_or(name.len())];
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    if !closing && !tag.ends_with('/') && SILENT.iter().any(is) {
        *rest = behind_element(rest, name);
    } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
        if !closing && !out.ends_with(['\n', ' ']) {
            out.push(' ');
        }
    } else if !INLINE.iter().any(is) && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// What follows the closing tag of `name`, or nothing where it has none.
fn behind_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(n) = memmem::find(&text.as_bytes()[from..], b"</") {
        let start = from + n + 2;
        let found = text.as_bytes().get(start..start + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return memchr(b'>', &text.as_bytes()[start..])
                .map_or("", |end| &text[start + end + 1..]);
        }
        from = start;
    }
    ""
}

/// Text between tags: entities decoded, white space collapsed.
fn push_text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '&'
            && let Some(end) = memchr(b';', &rest.as_bytes()[..rest.len().min(LONGEST_ENTITY)])
            && rest.as_bytes()[1..end]
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'#')
        {
            add_html_token(out, &rest.as_bytes()[..=end], false);
            rest = &rest[end + 1..];
            continue;
        }
        // A line end in HTML is a space.
        if !c.is_ascii_whitespace() {
            out.push(c);
        } else if !out.ends_with([' ', '\n']) {
            out.push(' ');
        }
        rest = &rest[c.len_utf8()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        to_text(html, usize::MAX).trim().to_owned()
    }

    #[test]
    fn blocks_stand_on_lines_of_their_own() {
        assert_eq!(
            text("<p>Your <b>bail</b>\n date</p><div>is</div><div>Friday</div>"),
            "Your bail date\nis\nFriday"
        );
        assert_eq!(
            text("<tr><td>a</td><td>b</td></tr>a<br/>b<BR>c"),
            "a b\na\nb\nc"
        );
    }

    #[test]
    fn entities_are_decoded() {
        assert_eq!(
            text("Caf&eacute; &amp; &#8364;&#x41; &nothing; & b &lt;c&gt;"),
            "Café & €A &nothing; & b <c>"
        );
    }

    #[test]
    fn scripts_styles_and_comments_are_no_text() {
        let html = "<head><title>t</title><style>p { }</style></head><!-- a > b --><script>if (a<b) {}</script>yes<!--[if mso]>no<![endif]-->";
        assert_eq!(text(html), "yes");
        assert_eq!(text("a<style>never closed"), "a");
    }

    #[test]
    fn broken_html_gives_some_text() {
        assert_eq!(text("a < b <i>c</i> <!-- open"), "a < b c open");
        assert_eq!(text("a <open"), "a <open");
    }

    #[test]
    fn garbage_takes_linear_time() {
        for pattern in [
            "<",
            "<!--",
            "<a",
            "<script>",
            "</",
            "&",
            "&a;",
            "<style></s",
        ] {
            let began = std::time::Instant::now();
            to_text(&pattern.repeat(1_000_000 / pattern.len()), usize::MAX);
            assert!(began.elapsed().as_secs() < 5, "{pattern}");
        }
    }
}
