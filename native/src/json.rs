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
/// Digits of a number that a float has exactly, as it has these powers of ten: their quotient is the float that
/// is nearest to the decimal fraction (Clinger 1990, "How to read floating point numbers accurately").
const EXACT_DIGITS: usize = 15;
const POWERS: [f64; EXACT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

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
    #[inline(always)]
    pub fn count(&mut self) -> Read<i64> {
        self.numeral()?.count()
    }

    /// A finite number; the whole number -0 is 0.
    #[inline(always)]
    pub fn number(&mut self) -> Read<f64> {
        let start = self.at;
        let numeral = self.numeral()?;
        if !numeral.scientific {
            match numeral.fraction {
                0 => return Ok(numeral.count()? as f64),
                fraction if numeral.digits <= EXACT_DIGITS => {
                    let number = numeral.value as f64 / POWERS[fraction];
                    return Ok(if numeral.minus { -number } else { number });
                }
                _ => {}
            }
        }
        self.parsed(start)
    }

    /// The number from `start` on, of any number of digits.
    #[cold]
    fn parsed(&self, start: usize) -> Read<f64> {
        let text = std::str::from_utf8(&self.lines[start..self.at]).map_err(|_| Odd)?;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(Odd),
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
    fn numeral(&mut self) -> Read<Numeral> {
        let minus = self.takes(b'-')?;
        let mut numeral = Numeral { minus, value: 0, digits: 1, fraction: 0, scientific: false };
        if !self.takes(b'0')? {
            numeral.digits = self.digits(&mut numeral.value)?;
        }
        if self.lines.get(self.at) == Some(&b'.') {
            self.at += 1;
            numeral.fraction = self.digits(&mut numeral.value)?;
            numeral.digits += numeral.fraction;
        }
        if let Some(b'e' | b'E') = self.lines.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.lines.get(self.at) {
                self.at += 1;
            }
            self.digits(&mut 0)?;
            numeral.scientific = true;
        }
        Ok(numeral)
    }

    /// Digits, of which there is one at least, behind those of `value`; how many there are.
    #[inline(always)]
    fn digits(&mut self, value: &mut u64) -> Read<usize> {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.lines.get(self.at) {
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        if self.at > start {
            Ok(self.at - start)
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
        let start = self.at;
        let numeral = self.numeral()?;
        if numeral.scientific || numeral.digits > DIGITS {
            self.parsed(start)?;
        }
        Ok(())
    }
}

/// A number as it is written: its digits as a whole number (good for up to 19 of them), and what is told of it.
struct Numeral {
    minus: bool,
    value: u64,
    digits: usize,
    /// How many of the digits come after a point.
    fraction: usize,
    /// Whether there is an exponent.
    scientific: bool,
}

impl Numeral {
    /// The whole number that it is, of up to 18 digits.
    #[inline(always)]
    fn count(&self) -> Read<i64> {
        if self.fraction > 0 || self.scientific || self.digits > DIGITS {
            return Err(Odd);
        }
        let count = self.value as i64;
        Ok(if self.minus { -count } else { count })
    }
}
