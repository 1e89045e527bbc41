//! Where the tokens of an address list end that may hold its separators. Lexis only: what a token means is decided in
//! [`super::list`].

use memchr::memchr;

/// True where `text` holds `<…@…>` and a separator behind it: a whole neighbour.
pub(super) fn holds_angle_addr(text: &[u8]) -> bool {
    let Some(open) = memchr(b'<', text) else {
        return false;
    };
    let Some(at) = memchr(b'@', &text[open..]) else {
        return false;
    };
    let text = &text[open + at..];
    let mut from = 0;
    while let Some(n) = memchr(b'>', &text[from..]) {
        let rest = text[from + n + 1..].trim_ascii_start();
        if matches!(rest.first(), Some(b',' | b';')) {
            return true;
        }
        from = text.len() - rest.len();
    }
    false
}

/// Where the encoded word that may begin at `at` ends, or the byte behind `at` where none does. White space is
/// borne inside, as some mailers write it, but then nothing that gives an address its structure.
pub(super) fn encoded_word_end(text: &[u8], at: usize) -> usize {
    let front = |from: usize| memchr(b'?', &text[from.min(text.len())..]).map(|n| from + n);
    let Some(second) =
        front(at + 2).filter(|end| text[at + 2..*end].iter().all(u8::is_ascii_graphic))
    else {
        return at + 1;
    };
    if !matches!(
        text.get(second + 1..second + 3),
        Some([b'B' | b'b' | b'Q' | b'q', b'?'])
    ) {
        return at + 1;
    }
    let start = second + 3;
    match front(start) {
        Some(end) if text.get(end + 1) == Some(&b'=') => {
            let word = &text[start..end];
            let broken = word.iter().any(u8::is_ascii_whitespace)
                && word.iter().any(|b| b"<>@\n".contains(b));
            if broken { at + 1 } else { end + 2 }
        }
        _ => at + 1,
    }
}

/// Where the domain literal that begins with the `[` at `at` ends, or the byte behind `at` where none does.
pub(super) fn literal_end(text: &[u8], at: usize) -> usize {
    let rest = &text[at..text.len().min(at + 64)];
    match memchr(b']', rest) {
        Some(n)
            if !rest[..n]
                .iter()
                .any(|b| b.is_ascii_whitespace() || b"<>,;@\"(".contains(b)) =>
        {
            at + n + 1
        }
        _ => at + 1,
    }
}
