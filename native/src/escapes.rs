//! Escapes in strings of JSON.

use crate::json::{Odd, Read};

/// The text that a string with escapes stands for.
pub fn unescape(mut text: &[u8], plain: &mut Vec<u8>) -> Read<()> {
    while let Some(place) = text.iter().position(|&one| one == b'\\') {
        plain.extend_from_slice(&text[..place]);
        let (character, length) = escaped_char(&text[place..])?;
        plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        text = &text[place + length..];
    }
    plain.extend_from_slice(text);
    Ok(())
}

/// The character that an escape stands for, and the escape's length.
pub fn escaped_char(text: &[u8]) -> Read<(char, usize)> {
    let character = match text.get(1).ok_or(Odd)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return of_unit(text),
        _ => return Err(Odd),
    };
    Ok((character, 2))
}

/// The character of an escaped UTF-16 unit, or of two.
fn of_unit(text: &[u8]) -> Read<(char, usize)> {
    let first = unit(text)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    let second = unit(text.get(6..).ok_or(Odd)?)?;
    if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
        return Err(Odd);
    }
    let character = 0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00));
    char::from_u32(character).map(|character| (character, 12)).ok_or(Odd)
}

fn unit(text: &[u8]) -> Read<u32> {
    let [b'\\', b'u', digits @ ..] = text.get(..6).ok_or(Odd)? else { return Err(Odd) };
    digits.iter().try_fold(0, |unit, &digit| Ok(unit << 4 | char::from(digit).to_digit(16).ok_or(Odd)?))
}
