//! Dates of mail, read leniently: RFC 5322 3.3 and 4.3, asctime, ISO 8601.
//! Not a calendar: nothing here knows today's date or a time zone's history.

/// Most words of a date that are looked at.
const MOST_TOKENS: usize = 40;

/// Seconds since 1970 UTC of a date as mail writes it; `None` where no day or no time of year can be made out.
///
/// Named zones, two-digit years, missing seconds, zones or week days, and any order of the parts are read. An unknown
/// zone counts as UTC (RFC 5322 4.3).
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut date = Parts::default();
    let tokens = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';'));
    tokens
        .filter(|token| !token.is_empty())
        .take(MOST_TOKENS)
        .for_each(|token| date.take(token));
    date.seconds()
}

/// As [`parse`], for the form that nearly all mail has: `Fri, 22 Feb 2008 17:06:23 +0000`, without the week day too, with
/// a comment of capitals behind it (`(CEST)`). `None` for every other form, which [`parse`] then reads.
pub(super) fn quick(value: &[u8]) -> Option<i64> {
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u32, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let value = value.trim_ascii();
    let rest = match value {
        [a, b, c, b',', b' ', rest @ ..]
            if [a, b, c].iter().all(|l| l.is_ascii_alphabetic())
                && month_of(&value[..3]).is_none() =>
        {
            rest
        }
        _ => value,
    };
    let (day, rest) = match rest {
        [_, b' ', ..] => (number(&rest[..1])?, &rest[2..]),
        [_, _, b' ', ..] => (number(&rest[..2])?, &rest[3..]),
        _ => return None,
    };
    let (front, tail) = rest.split_at_checked(23)?;
    let shape =
        [3, 8, 17].iter().all(|at| front[*at] == b' ') && front[11] == b':' && front[14] == b':';
    let comment = match tail {
        [] => true,
        [b' ', b'(', name @ .., b')'] => {
            (3..=5).contains(&name.len()) && name.iter().all(u8::is_ascii_uppercase)
        }
        _ => false,
    };
    if !shape || !comment || front[4] == b'0' {
        return None;
    }
    let (hours, minutes) = (number(&front[19..21])?, number(&front[21..23])?);
    if hours >= 24 || minutes >= 60 {
        return None;
    }
    let zone = i64::from(hours * 3600 + minutes * 60);
    let parts = Parts {
        day: Some(day),
        month: Some(month_of(&front[..3])?),
        year: Some(i64::from(number(&front[4..8])?)),
        time: Some((
            number(&front[9..11])?,
            number(&front[12..14])?,
            number(&front[15..17])?,
        )),
        zone: Some(match front[18] {
            b'+' => zone,
            b'-' => -zone,
            _ => return None,
        }),
        afternoon: None,
    };
    parts.seconds()
}

/// What has been found so far.
#[derive(Default)]
struct Parts {
    day: Option<u32>,
    month: Option<u32>,
    year: Option<i64>,
    time: Option<(u32, u32, u32)>,
    zone: Option<i64>,
    afternoon: Option<bool>,
}

impl Parts {
    fn take(&mut self, token: &str) {
        if token.starts_with(['+', '-']) && self.time.is_some() {
            self.zone = self.zone.or_else(|| offset(token));
        } else if token.contains(':') {
            self.take_time(token);
        } else if token.bytes().all(|b| b.is_ascii_digit()) {
            self.take_number(token);
        } else if token.starts_with(|c: char| c.is_ascii_digit()) {
            self.take_joined(token);
        } else if let Some(month) = month(token).filter(|_| self.month.is_none()) {
            self.month = Some(month);
        } else if token.eq_ignore_ascii_case("am") || token.eq_ignore_ascii_case("pm") {
            self.afternoon = Some(token.eq_ignore_ascii_case("pm"));
        } else if self.time.is_some() && self.zone.is_none() {
            self.zone = named_zone(token);
        }
    }

    fn take_number(&mut self, token: &str) {
        let Ok(number) = token.parse::<u32>() else {
            return;
        };
        match token.len() {
            1 | 2 if self.day.is_none() => self.day = Some(number),
            2..=4 if self.year.is_none() => {
                self.year = Some(full_year(i64::from(number), token.len()))
            }
            // Some mailers leave the sign of the zone out.
            4 if self.time.is_some() && self.zone.is_none() => {
                self.zone = offset(&format!("+{token}"))
            }
            _ => {}
        }
    }

    /// `22-Feb-2008`, `2008-02-22`, `2008-02-22T17:06:23Z`, `20080222T170623Z`, `1st`.
    fn take_joined(&mut self, token: &str) {
        let (date, time) = match token.split_once(['T', 't']) {
            Some((date, time)) if time.starts_with(|c: char| c.is_ascii_digit()) => {
                (date, Some(time))
            }
            _ => (token, None),
        };
        let mut parts = date.split(['-', '/', '.']);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(year), Some(month), Some(day), None) if year.len() == 4 => {
                if let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) {
                    (self.year, self.month, self.day) = (Some(year), Some(month), Some(day));
                }
            }
            (Some(day), Some(name), Some(year), None) if month(name).is_some() => {
                self.month = month(name);
                self.take_number(day);
                self.take_number(year);
            }
            (Some(day), None, ..) => {
                if let Some(number) = ["st", "nd", "rd", "th"]
                    .iter()
                    .find_map(|end| day.strip_suffix(end))
                {
                    self.take_number(number);
                }
            }
            _ => {}
        }
        if let Some(time) = time {
            self.take_time(time);
        }
    }

    /// `17:06`, `17:06:23.5`, `17:06:23+0100`, `2008-02-22T17:06:23Z`, `5:06pm`.
    fn take_time(&mut self, token: &str) {
        if self.time.is_some() {
            return;
        }
        let digits = token.find(':').unwrap_or(token.len());
        if token[..digits].contains(['T', 't', '-']) {
            return self.take_joined(token);
        }
        let end = token
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
            .unwrap_or(token.len());
        let (clock, rest) = token.split_at(end);
        let mut numbers = clock
            .split(':')
            .map(|part| part.split('.').next().unwrap_or("").parse::<u32>().ok());
        if let (Some(Some(hour)), Some(Some(minute))) = (numbers.next(), numbers.next()) {
            let second = numbers.next().flatten().unwrap_or(0);
            self.time = Some((hour, minute, second));
            if !rest.is_empty() {
                self.take(rest);
            }
        }
    }

    fn seconds(&self) -> Option<i64> {
        let (day, month, year) = (self.day?, self.month?, self.year?);
        let (mut hour, minute, second) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        // A leap second is the last second of its minute.
        if !(1..=length).contains(&day)
            || hour > 24
            || minute > 59
            || second > 60
            || !(1..=9999).contains(&year)
        {
            return None;
        }
        let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second.min(59));
        Some(days_since_1970(year, month, day) * 86400 + clock - self.zone.unwrap_or(0))
    }
}

/// A year of two or three digits in full (RFC 5322 4.3).
fn full_year(year: i64, digits: usize) -> i64 {
    match digits {
        2 if year < 50 => year + 2000,
        2 | 3 => year + 1900,
        _ => year,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
pub(crate) fn days_since_1970(year: i64, month: u32, day: u32) -> i64 {
    // Years begin in March, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The number of the English month that `token` begins with.
fn month(token: &str) -> Option<u32> {
    month_of(token.as_bytes().get(..3)?)
}

/// The number of the English month whose first three letters these are.
fn month_of(front: &[u8]) -> Option<u32> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
        b"dec",
    ];
    MONTHS
        .iter()
        .position(|month| front.eq_ignore_ascii_case(*month))
        .map(|n| n as u32 + 1)
}

/// Seconds east of UTC of `+0100`, `-05:30`, `+01`; `None` where it is no offset of less than a day.
fn offset(token: &str) -> Option<i64> {
    let sign = if token.starts_with('-') { -1 } else { 1 };
    let digits: String = token[1..]
        .chars()
        .filter(|c| *c != ':')
        .take_while(char::is_ascii_digit)
        .collect();
    let number: i64 = digits.parse().ok()?;
    let (hours, minutes) = match digits.len() {
        1 | 2 => (number, 0),
        3 | 4 => (number / 100, number % 100),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Seconds east of UTC of a zone by its name: those of RFC 5322 4.3, and those that other mailers write.
fn named_zone(token: &str) -> Option<i64> {
    const ZONES: &[(&str, i64)] = &[
        ("UT", 0),
        ("UTC", 0),
        ("GMT", 0),
        ("Z", 0),
        ("WET", 0),
        ("WEST", 60),
        ("BST", 60),
        ("CET", 60),
        ("MET", 60),
        ("MEZ", 60),
        ("CEST", 120),
        ("MEST", 120),
        ("MESZ", 120),
        ("EET", 120),
        ("SAST", 120),
        ("EEST", 180),
        ("MSK", 180),
        ("IST", 330),
        ("SGT", 480),
        ("HKT", 480),
        ("AWST", 480),
        ("JST", 540),
        ("KST", 540),
        ("ACST", 570),
        ("AEST", 600),
        ("ACDT", 630),
        ("AEDT", 660),
        ("NZST", 720),
        ("NZDT", 780),
        ("BRT", -180),
        ("ADT", -180),
        ("NDT", -150),
        ("NST", -210),
        ("AST", -240),
        ("EDT", -240),
        ("EST", -300),
        ("CDT", -300),
        ("CST", -360),
        ("MDT", -360),
        ("MST", -420),
        ("PDT", -420),
        ("PST", -480),
        ("AKDT", -480),
        ("AKST", -540),
        ("HST", -600),
    ];
    let name = token.trim_end_matches('.');
    if let Some((_, minutes)) = ZONES
        .iter()
        .find(|(zone, _)| name.eq_ignore_ascii_case(zone))
    {
        return Some(minutes * 60);
    }
    // `GMT+0100`, `UTC-5`.
    let number = name
        .find(['+', '-'])
        .filter(|at| matches!(name.get(..*at), Some("GMT" | "UTC" | "UT")))?;
    offset(&name[number..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_form_is_the_same_moment() {
        for text in [
            "Fri, 22 Feb 2008 17:06:23 +0000",
            "22 Feb 2008 17:06:23 GMT",
            "Fri, 22 Feb 08 17:06:23 Z",
            "Fri, 22 Feb 108 17:06:23 UT",
            "Fri,22 Feb 2008 12:06:23 EST",
            "Fri, 22 Feb 2008 18:06:23 CET",
            "Fri, 22 Feb 2008 18:06:23 +01:00 (CET)",
            "Fri, 22 Feb 2008 18:06:23 GMT+0100",
            "Fri Feb 22 17:06:23 2008",
            "Fri Feb 22 17:06:23 UTC 2008",
            "2008-02-22T17:06:23Z",
            "2008-02-22 17:06:23.5",
            "2008-02-22T18:06:23+01:00",
            "22-Feb-2008 17:06:23",
            "February 22, 2008 5:06:23 PM",
            "22nd February 2008 5:06:23pm",
            "Fri, 22 Feb 2008 17:06:23 XYZ",
            "Fri, 22 Feb 2008 17:06:23 +9999",
        ] {
            assert_eq!(parse(text), Some(1_203_699_983), "{text}");
        }
    }

    #[test]
    fn the_quick_way_reads_what_the_long_way_reads_or_nothing() {
        let mut read = 0;
        for day in ["1", "01", "9", "31", "29", "0", "00", "1x", "111"] {
            for front in ["", "Fri, ", "Feb, ", "F1i, ", "Fri,"] {
                for month in ["Jan", "feb", "DEC", "Mai", "J n"] {
                    for year in ["2008", "1999", "0008", "9999", "08", "20 8"] {
                        for clock in [
                            "17:06:23", "00:00:00", "24:00:00", "23:59:60", "23:60:00", "7:06:23",
                            "17:06",
                        ] {
                            for zone in [
                                "+0000",
                                "-0530",
                                "+9999",
                                "GMT",
                                "+01:00",
                                "+0100 (CET)",
                                "+0100 (PM)",
                                "+0100 (a b)",
                                "0100",
                                "+0100 2",
                            ] {
                                let text = format!("{front}{day} {month} {year} {clock} {zone}");
                                if let Some(seconds) = quick(text.as_bytes()) {
                                    assert_eq!(parse(&text), Some(seconds), "{text}");
                                    read += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(read > 500, "{read}");
        assert_eq!(
            quick(b"Fri, 22 Feb 2008 17:06:23 +0000"),
            Some(1_203_699_983)
        );
    }

    #[test]
    fn seconds_may_be_missing_and_60() {
        assert_eq!(parse("22 Feb 2008 17:06 +0000"), Some(1_203_699_960));
        assert_eq!(
            parse("31 Dec 2008 23:59:60 +0000"),
            parse("31 Dec 2008 23:59:59 +0000")
        );
        assert_eq!(parse("1 Jul 2024 10:00 BST"), parse("1 Jul 2024 09:00 UTC"));
    }

    #[test]
    fn old_and_far_years_are_read() {
        assert_eq!(parse("1 Jan 1970 00:00:00 +0000"), Some(0));
        assert_eq!(parse("31 Dec 69 23:59:59 +0000"), Some(-1));
        assert_eq!(parse("29 Feb 2000 00:00:00 +0000"), Some(951_782_400));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "Malformed Date.",
            "30 Feb 2008 00:00",
            "22 Feb",
            "::",
            "2008-13-01T00:00:00Z",
            "é",
            "--",
            "1:2:3",
            "99999999999999 Feb 1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
