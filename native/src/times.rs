//! Times as most programs write them: `2026-09-01T10:00:00.123Z`, with any fraction, with an offset or without.

/// The year from which on times are read here: what is older may be no time at all, and is for others to judge.
const FIRST_YEAR: i64 = 2015;
/// Digits of a fraction that are looked at, and those that are kept.
const FRACTION: usize = 9;
const MICROS: usize = 6;

/// A moment in UTC, and whether its text told the offset from it.
pub struct Moment {
    /// Microseconds since the beginning of 1970.
    pub micros: i64,
    pub offset_told: bool,
}

/// The moment that a text is; None where it is written in another way, or is none.
pub fn moment(text: &[u8]) -> Option<Moment> {
    let (start, rest) = text.split_at_checked("2026-09-01T10:00:00".len())?;
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if marks.iter().any(|&(at, mark)| start[at] != mark) || !matches!(start[10], b'T' | b' ') {
        return None;
    }
    let year = pair(start, 0)? * 100 + pair(start, 2)?;
    let (month, day) = (pair(start, 5)?, pair(start, 8)?);
    let (hour, minute, second) = (pair(start, 11)?, pair(start, 14)?, pair(start, 17)?);
    if year < FIRST_YEAR || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = fraction(rest)?;
    let offset = offset(rest)?;
    let minutes = (days(year, month, day)? * 24 + hour) * 60 + minute - offset.unwrap_or_default();
    let micros = (minutes * 60 + second) * 1_000_000 + fraction;
    Some(Moment { micros, offset_told: offset.is_some() })
}

/// Two digits as a number.
#[inline(always)]
fn pair(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Microseconds after a point, if there is one, and what comes after them.
#[inline(always)]
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = text.iter().take_while(|one| one.is_ascii_digit()).count();
    if !(1..=FRACTION).contains(&digits) {
        return None;
    }
    let micros = (0..MICROS).fold(0, |sum, place| {
        let digit = if place < digits { text[place] - b'0' } else { 0 };
        sum * 10 + i64::from(digit)
    });
    Some((micros, &text[digits..]))
}

/// The offset from UTC in minutes that a text is; Some(None) where there is none.
#[inline(always)]
fn offset(text: &[u8]) -> Option<Option<i64>> {
    match text {
        [] => Some(None),
        b"Z" => Some(Some(0)),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (pair(text, 1)?, pair(text, 4)?);
            let offset = hours * 60 + minutes;
            let fits = hours < 24 && minutes < 60;
            fits.then_some(Some(if *sign == b'-' { -offset } else { offset }))
        }
        _ => None,
    }
}

/// Days since the beginning of 1970; None where the month has no such day.
///
/// The year begins in March, so that its months' days follow a line and a leap day comes last: `days_from_civil`
/// of https://howardhinnant.github.io/date_algorithms.html.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468)
}
