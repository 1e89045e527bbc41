//! Header text to plain text: RFC 2047 words, raw 8-bit, control characters.
