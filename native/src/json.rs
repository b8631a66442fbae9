//! JSON as it is written, from one place of it on.

use std::ops::Range;

use crate::escapes::escaped_char;
use crate::scan::find_special;

/// A line is not regular, and nothing is said of it.
pub struct Odd;

/// What was read, unless something is odd.
pub type Read<T> = Result<T, Odd>;

/// Objects and arrays inside each other.
pub const DEEPEST: usize = 100;
/// Digits of a whole number that is read without a thought of what it may hold.
const DIGITS: usize = 18;

/// A place in some lines. A line end is no blank, so that nothing is read beyond a line.
pub struct Cursor<'lines> {
    pub lines: &'lines [u8],
    pub at: usize,
}

/// A string between its quotes, and whether something in it is escaped.
pub struct Quoted {
    pub range: Range<usize>,
    pub escaped: bool,
}

impl Cursor<'_> {
    #[inline(always)]
    pub fn peek(&self) -> Read<u8> {
        self.lines.get(self.at).copied().ok_or(Odd)
    }

    #[inline(always)]
    pub fn take(&mut self, byte: u8) -> Read<()> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(Odd)
        }
    }

    #[inline(always)]
    pub fn takes(&mut self, byte: u8) -> Read<bool> {
        let is = self.peek()? == byte;
        self.at += usize::from(is);
        Ok(is)
    }

    /// Goes over blanks; a line end is none.
    #[inline(always)]
    pub fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.lines.get(self.at) {
            self.at += 1;
        }
    }

    pub fn word(&mut self, word: &[u8]) -> Read<()> {
        if self.lines.get(self.at..self.at + word.len()) == Some(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(Odd)
        }
    }

    /// After a key: its colon, with blanks around it.
    #[inline(always)]
    pub fn colon(&mut self) -> Read<()> {
        self.blanks();
        self.take(b':')?;
        self.blanks();
        Ok(())
    }

    /// After a member or an element: whether the last was read, or the next one begins here.
    #[inline(always)]
    pub fn ends(&mut self, bracket: u8) -> Read<bool> {
        self.blanks();
        if self.takes(bracket)? {
            return Ok(true);
        }
        self.take(b',')?;
        self.blanks();
        Ok(false)
    }

    /// A string with its quotes. Its escapes are right.
    #[inline(always)]
    pub fn quoted(&mut self) -> Read<Quoted> {
        self.take(b'"')?;
        self.rest_of_string(self.at)
    }

    /// A string from its first character on, with its closing quote.
    #[inline(always)]
    pub fn rest_of_string(&mut self, start: usize) -> Read<Quoted> {
        let mut escaped = false;
        loop {
            self.at = find_special(self.lines, self.at);
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return Err(Odd),
            }
            escaped = true;
        }
        let range = start..self.at;
        self.at += 1;
        Ok(Quoted { range, escaped })
    }

    /// Goes over an escape; half a character is odd.
    fn escape(&mut self) -> Read<()> {
        let (_, length) = escaped_char(self.lines.get(self.at..).ok_or(Odd)?)?;
        self.at += length;
        Ok(())
    }

    /// A whole number of up to 18 digits.
    pub fn count(&mut self) -> Read<i64> {
        let range = self.numeral()?;
        let text = &self.lines[range];
        let (minus, digits) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
        if digits.len() > DIGITS {
            return Err(Odd);
        }
        let mut count = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return Err(Odd);
            }
            count = count * 10 + i64::from(digit - b'0');
        }
        Ok(if minus { -count } else { count })
    }

    /// A finite number; the whole number -0 is 0.
    pub fn number(&mut self) -> Read<f64> {
        let start = self.at;
        let range = self.numeral()?;
        let text = &self.lines[range];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if digits.iter().all(u8::is_ascii_digit) {
            self.at = start;
            return Ok(self.count()? as f64);
        }
        let number: f64 = std::str::from_utf8(text).map_err(|_| Odd)?.parse().map_err(|_| Odd)?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(Odd)
        }
    }

    /// A whole number that is written as it is printed.
    pub fn printed(&mut self) -> Read<Range<usize>> {
        let start = self.at;
        let count = self.count()?;
        if count == 0 && self.at > start + 1 {
            return Err(Odd);
        }
        Ok(start..self.at)
    }

    /// A number as JSON writes one: a minus, digits with no zero before others, a fraction, an exponent.
    #[inline(always)]
    fn numeral(&mut self) -> Read<Range<usize>> {
        let start = self.at;
        self.takes(b'-')?;
        if !self.takes(b'0')? {
            self.digits()?;
        }
        if self.lines.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.lines.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.lines.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(start..self.at)
    }

    #[inline(always)]
    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.lines.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(Odd)
        }
    }

    /// Goes over a value that nobody wants, which must be right all the same.
    pub fn skip(&mut self, depth: usize) -> Read<()> {
        match self.peek()? {
            b'"' => self.quoted().map(|_| ()),
            b'{' if depth < DEEPEST => self.skip_members(depth),
            b'[' if depth < DEEPEST => self.skip_elements(depth),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'-' | b'0'..=b'9' => self.skip_number(),
            _ => Err(Odd),
        }
    }

    fn skip_members(&mut self, depth: usize) -> Read<()> {
        self.at += 1;
        self.blanks();
        if self.takes(b'}')? {
            return Ok(());
        }
        loop {
            self.quoted()?;
            self.colon()?;
            self.skip(depth + 1)?;
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    fn skip_elements(&mut self, depth: usize) -> Read<()> {
        self.at += 1;
        self.blanks();
        if self.takes(b']')? {
            return Ok(());
        }
        loop {
            self.skip(depth + 1)?;
            if self.ends(b']')? {
                return Ok(());
            }
        }
    }

    /// Goes over a number; one that may be larger than any float is odd.
    fn skip_number(&mut self) -> Read<()> {
        let range = self.numeral()?;
        if range.len() > DIGITS || self.lines[range.clone()].iter().any(|one| matches!(one, b'e' | b'E')) {
            let text = std::str::from_utf8(&self.lines[range]).map_err(|_| Odd)?;
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(Odd);
            }
        }
        Ok(())
    }
}
