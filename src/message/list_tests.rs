//! What the address-list parser makes of sound, malformed and hostile lists.

use super::parse_list;
use crate::message::Mailbox;

/// `address|name|group`, empty parts left out from the end.
fn list(value: &str) -> Vec<String> {
    bytes(value.as_bytes())
}

fn bytes(value: &[u8]) -> Vec<String> {
    let show = |(mailbox, group): (Mailbox, Option<String>)| {
        let address = mailbox
            .address
            .map_or_else(String::new, |a| a.as_str().to_owned());
        let all = format!("{address}|{}|{}", mailbox.name, group.unwrap_or_default());
        all.trim_end_matches('|').to_owned()
    };
    parse_list(value).into_iter().map(show).collect()
}

#[test]
fn the_forms_of_the_standard_are_read() {
    assert_eq!(list("ann@x.example"), ["ann@x.example"]);
    assert_eq!(list("<ANN@x.example>"), ["ann@x.example"]);
    assert_eq!(
        list("Ann Bee <ann@x.example>, bob@y.example"),
        ["ann@x.example|Ann Bee", "bob@y.example"]
    );
    assert_eq!(
        list("\"Bee, Ann \\\"A\\\"\" <ann@x.example>"),
        ["ann@x.example|Bee, Ann \"A\""]
    );
    assert_eq!(
        list("\"ann bee\"@x.example, <\"a>b\"@x.example>"),
        ["\"ann bee\"@x.example", "\"a>b\"@x.example"]
    );
    assert_eq!(
        list("ann@[192.0.2.1], b@[IPv6:2001:db8::1]"),
        ["ann@[192.0.2.1]", "b@[ipv6:2001:db8::1]"]
    );
    assert_eq!(list(""), Vec::<String>::new());
    assert_eq!(list(",,, ;,"), Vec::<String>::new());
}

#[test]
fn comments_are_no_part_of_an_address() {
    assert_eq!(list("ann@x.example (Ann Bee)"), ["ann@x.example|Ann Bee"]);
    assert_eq!(
        list("ann@x.example (Ann (the \\) first) Bee), b@x.example"),
        ["ann@x.example|Ann (the ) first) Bee", "b@x.example"]
    );
    assert_eq!(
        list("Ann <ann@x.example> (home, <old@x.example>)"),
        ["ann@x.example|Ann"]
    );
    assert_eq!(
        list("<ann (a)@ (b) x.example>, ann . bee @ x . example"),
        ["ann@x.example", "ann.bee@x.example"]
    );
}

#[test]
fn encoded_names_hide_separators() {
    assert_eq!(
        list("=?utf-8?Q?Bee,_Ann?= <ann@x.example>, b@x.example"),
        ["ann@x.example|Bee, Ann", "b@x.example"]
    );
    assert_eq!(
        list("=?utf-8?Q?Bee, Ann?= <ann@x.example>"),
        ["ann@x.example|Bee, Ann"]
    );
    assert_eq!(
        list("=?utf-8?Q?a?=\r\n =?utf-8?Q?b=22=3C?= <ann@x.example>"),
        ["ann@x.example|ab\"<"]
    );
    assert_eq!(
        list("\"=?utf-8?Q?Bee,_Ann?=\" <ann@x.example>"),
        ["ann@x.example|Bee, Ann"]
    );
    assert_eq!(
        list("=?utf-8?Q?Ann?=<ann@x.example>"),
        ["ann@x.example|Ann"]
    );
    assert_eq!(
        list("=?utf-8?Q?Ann_<ann=40x.example>?="),
        ["ann@x.example|Ann"]
    );
}

#[test]
fn group_members_carry_the_group() {
    assert_eq!(
        list("HIV clinic patients: a@x.example, Bob <b@y.example>;, c@z.example"),
        [
            "a@x.example||HIV clinic patients",
            "b@y.example|Bob|HIV clinic patients",
            "c@z.example"
        ]
    );
    assert_eq!(list("group:;, group2: (foo) ;"), Vec::<String>::new());
    assert_eq!(
        list("a: b@x.example; c: d@x.example;"),
        ["b@x.example||a", "d@x.example||c"]
    );
    assert_eq!(
        list("=?utf-8?Q?a=3A?= b: c@x.example"),
        ["c@x.example||a: b"]
    );
}

#[test]
fn hidden_lists_are_nobody() {
    for value in [
        "undisclosed-recipients:;",
        "Undisclosed recipients",
        "undisclosed-recipients: ;",
        "<Undisclosed-Recipient:@list.example;>",
        "unlisted-recipients:; (no To-header on input)",
        "\"Undisclosed-Recipient:;\" <>",
        "undisclosed-recipients@x.example",
        "(nobody)",
        "\"\"",
    ] {
        assert_eq!(list(value), Vec::<String>::new(), "{value}");
    }
}

#[test]
fn source_routes_are_dropped() {
    assert_eq!(
        list("<@a.example,@b.example:c@d.example>, Ann <@r.example:ann@x.example>"),
        ["c@d.example", "ann@x.example|Ann"]
    );
    assert_eq!(list("<@ann, b@x.example"), ["|@ann", "b@x.example"]);
}

#[test]
fn outlook_separates_by_semicolons() {
    assert_eq!(
        list("a@x.example; Bob <b@x.example>;"),
        ["a@x.example", "b@x.example|Bob"]
    );
    assert_eq!(
        list("Bee, Ann <a@x.example>; Cee, Bob <b@x.example>"),
        ["a@x.example|Bee, Ann", "b@x.example|Cee, Bob"]
    );
    assert_eq!(list("Bee, Ann; Cee, Bob"), ["|Bee, Ann", "|Cee, Bob"]);
    assert_eq!(
        list("Bee, Ann <a@x.example>, Cee, Bob <b@x.example>"),
        ["a@x.example|Bee, Ann", "b@x.example|Cee, Bob"]
    );
    assert_eq!(
        list("root, Ann <a@x.example>"),
        ["|root", "a@x.example|Ann"]
    );
    assert_eq!(
        list("Alan Bee, Bob Cee <b@x.example>"),
        ["|Alan Bee", "b@x.example|Bob Cee"]
    );
}

#[test]
fn a_missing_comma_costs_nobody() {
    assert_eq!(
        list("Ann <a@x.example> <b@x.example> Bob <c@x.example>"),
        ["a@x.example|Ann", "b@x.example", "c@x.example|Bob"]
    );
    assert_eq!(
        list("a@x.example\r\n b@x.example c@x.example"),
        ["a@x.example", "b@x.example", "c@x.example"]
    );
    assert_eq!(
        list("a@x.example\n \"Bob\" <b@x.example>"),
        ["a@x.example", "b@x.example|Bob"]
    );
    assert_eq!(
        list("<a@x.example>\n b@x.example"),
        ["a@x.example", "b@x.example"]
    );
}

#[test]
fn an_address_as_name_is_a_name() {
    assert_eq!(
        list("a@y.example <b@x.example>"),
        ["b@x.example|a@y.example"]
    );
    assert_eq!(list("a@x.example\r\n <A@x.example>"), ["a@x.example"]);
    assert_eq!(
        list("\"'a@x.example'\" <a@x.example>, 'b@x.example' <b@x.example>"),
        ["a@x.example", "b@x.example"]
    );
    assert_eq!(
        list("\"a@x.example\", 'b@x.example'"),
        ["a@x.example", "b@x.example"]
    );
}

#[test]
fn names_without_addresses_are_kept() {
    assert_eq!(list("root"), ["|root"]);
    assert_eq!(
        list("Alan Bee, Bob C Dee,\n\t Ned\n\t E Cee"),
        ["|Alan Bee", "|Bob C Dee", "|Ned E Cee"]
    );
    assert_eq!(
        list("<Saved by a browser>, Ann <root>"),
        ["|Saved by a browser", "|Ann"]
    );
    assert_eq!(list("Ann ann@x.example"), ["ann@x.example|Ann"]);
    assert_eq!(list("Dr. Bee ann@x.example"), ["ann@x.example|Dr. Bee"]);
}

#[test]
fn exchange_names_are_kept_as_names() {
    let dn = "/O=ORG/OU=SITE (FYDIBOHF)/CN=RECIPIENTS/CN=ANN";
    assert_eq!(list(dn), [format!("|{dn}")]);
    assert_eq!(
        list(&format!("<{dn}>, b@x.example")),
        [format!("|{dn}"), "b@x.example".to_owned()]
    );
    assert_eq!(
        list(&format!("Ann <{dn}>, EX:{dn}")),
        ["|Ann".to_owned(), format!("|{dn}")]
    );
    assert_eq!(
        list("IMCEAEX-_O=ORG_CN=ANN@x.example"),
        ["|imceaex-_o=org_cn=ann@x.example"]
    );
    assert_eq!(list("Ann <IMCEAEX-_O=ORG_CN=ANN@x.example>"), ["|Ann"]);
}

#[test]
fn schemes_are_dropped() {
    assert_eq!(
        list("mailto:a@x.example, <mailto:b@x.example>, SMTP:c@x.example"),
        ["a@x.example", "b@x.example", "c@x.example"]
    );
    assert_eq!(list("Ann [mailto:a@x.example]"), ["a@x.example|Ann"]);
}

#[test]
fn unbalanced_quotes_and_brackets_cost_nobody() {
    let ann_and_bob = |value: &str| {
        let all = list(value);
        let has = |address: &str| all.iter().any(|one| one.split('|').next() == Some(address));
        assert!(
            has("ann@x.example") && has("bob@x.example"),
            "{value}: {all:?}"
        );
    };
    for value in [
        "\"Ann <ann@x.example>, \"Bob\" <bob@x.example>",
        "\"Ann <ann@x.example>, Bob <bob@x.example>",
        "Ann\" <ann@x.example>, Bob\" <bob@x.example>",
        "Ann <ann@x.example, Bob <bob@x.example>",
        "Ann <ann@x.example, bob@x.example",
        "ann@x.example>, <<bob@x.example>>",
        "Ann (home <ann@x.example>, Bob (work) <bob@x.example>",
        "Ann) <ann@x.example>, Bob <bob@x.example>",
        "\"Ann ann@x.example, bob@x.example, \"Cee\" <cee@x.example>",
        "<ann\"@y.example>, <ann@x.example>, \"Bob, B\" <bob@x.example>",
        "d..name@x.example, ann@x.example, .name@x.example, bob@x.example",
        "@, a@, @b, <>, ann@x.example, <@>, bob@x.example, :",
        "Ann [home <ann@x.example>, bob@x.example]",
        "\\, ann@x.example, \\\\ bob@x.example\\",
    ] {
        ann_and_bob(value);
    }
}

#[test]
fn raw_8_bit_is_read() {
    assert_eq!(
        bytes(b"J\xf6rg <joerg@x.example>"),
        ["joerg@x.example|Jörg"]
    );
    assert_eq!(
        list("Jörg <jörg@bücher.example>, δοκιμή@x.example"),
        ["jörg@xn--bcher-kva.example|Jörg", "δοκιμή@x.example"]
    );
    assert_eq!(bytes(b"Ann\0 <ann@x.example>\0\0"), ["ann@x.example|Ann"]);
    assert_eq!(
        bytes("Ann\u{202e} Bee\u{7} <ann@x.example>".as_bytes()),
        ["ann@x.example|Ann Bee"]
    );
}

#[test]
fn a_hundred_thousand_recipients_are_read_fast() {
    let value: String = (0..100_000)
        .map(|n| format!("\"Person, {n}\" <p{n}@x{}.example>,\r\n ", n % 97))
        .collect();
    assert_eq!(parse_list(value.as_bytes()).len(), 100_000);
}

#[test]
fn much_garbage_is_read() {
    for pattern in [
        "\"", "\\\"", "(", "()", "(<a@b>,)", "<", "<\"", "<@a,", "<(", ":", "a@b:", "a ", "a@b ",
        ". ", "=?", "=?a?q?", "a@[", "\"<a@b>,", ";", "a:", ",", "@", "@ ", "\n", "<a@b>", "[",
        "/o=(", "\"a\"", "a\"@", "'", "=?a?q? <", "(\\", "<a@b>\n", "a@b\n ", "<a\"b ", "\u{80}",
    ] {
        let garbage = pattern.repeat(100_000 / pattern.len());
        parse_list(garbage.as_bytes());
        parse_list(format!("{} {garbage}", "a ".repeat(10_000)).as_bytes());
    }
}
