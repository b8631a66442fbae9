//! Columns that grow by a value, and need nothing where a line has none.

use crate::bits::{Bits, Valid};

/// What a column holds.
#[derive(Clone, Copy)]
pub enum Kind {
    Text,
    Count,
    Number,
    Flag,
    /// How many elements an array has.
    Items,
    /// Whether there is an object.
    Present,
}

/// The most bytes that a view holds by itself.
const INLINE: usize = 12;

/// A text within a larger one.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    pub within: &'a [u8],
    pub start: usize,
    pub end: usize,
}

impl Text<'_> {
    /// Its first bytes, and what comes after them.
    #[inline]
    fn first(&self) -> u128 {
        let mut bytes = [0; 16];
        match self.within.get(self.start..self.start + 16) {
            Some(sixteen) => bytes.copy_from_slice(sixteen),
            None => {
                let rest = &self.within[self.start..];
                bytes[..rest.len()].copy_from_slice(rest);
            }
        }
        u128::from_le_bytes(bytes)
    }
}

/// Texts as Arrow has them: a view each (its length, then itself or its first bytes and place) and the bytes.
#[derive(Default)]
pub struct Texts {
    pub views: Vec<u128>,
    pub bytes: Vec<u8>,
    last: (usize, usize),
}

impl Texts {
    #[inline]
    fn push(&mut self, text: Text<'_>) {
        let length = text.end - text.start;
        let first = text.first();
        let rest = if length <= INLINE {
            first & !(u128::MAX << (8 * length))
        } else {
            let start = self.placed(&text.within[text.start..text.end]);
            first & u128::from(u32::MAX) | (start as u128) << 64
        };
        self.views.push(length as u128 | rest << 32);
    }

    /// Where a text lies; one that is the same as the one before (a session, a model) lies there once.
    fn placed(&mut self, text: &[u8]) -> usize {
        if self.bytes.get(self.last.0..self.last.1) != Some(text) {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(text);
            self.last = (start, self.bytes.len());
        }
        self.last.0
    }
}

/// The values of one kind.
pub enum Values {
    Text(Texts),
    Count(Vec<i64>),
    Number(Vec<f64>),
    Flag(Bits),
    Items(Vec<i64>),
    Present,
}

/// A column: its values, and which rows have one. Rows from its length on have none.
pub struct Column {
    pub values: Values,
    pub valid: Valid,
}

impl Column {
    /// An empty one.
    pub fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Texts::default()),
            Kind::Count => Values::Count(vec![]),
            Kind::Number => Values::Number(vec![]),
            Kind::Flag => Values::Flag(Bits::default()),
            Kind::Items => Values::Items(vec![]),
            Kind::Present => Values::Present,
        };
        Column { values, valid: Valid::default() }
    }

    /// Whether no row has a value.
    pub fn is_empty(&self) -> bool {
        self.valid.nulls() == self.valid.length
    }

    /// A text in a row; false where the column holds something else.
    #[inline(always)]
    pub fn push_text(&mut self, row: usize, text: Text<'_>) -> bool {
        self.fill(row);
        match &mut self.values {
            Values::Text(texts) => texts.push(text),
            _ => return false,
        }
        self.valid.push();
        true
    }

    /// A whole number, or how many items.
    #[inline(always)]
    pub fn push_count(&mut self, row: usize, count: i64) {
        self.fill(row);
        if let Values::Count(values) | Values::Items(values) = &mut self.values {
            values.push(count);
            self.valid.push();
        }
    }

    /// A number.
    #[inline(always)]
    pub fn push_number(&mut self, row: usize, number: f64) {
        self.fill(row);
        if let Values::Number(values) = &mut self.values {
            values.push(number);
            self.valid.push();
        }
    }

    /// True or false.
    #[inline(always)]
    pub fn push_flag(&mut self, row: usize, flag: bool) {
        self.fill(row);
        if let Values::Flag(values) = &mut self.values {
            values.push(flag);
            self.valid.push();
        }
    }

    /// That there is an object.
    pub fn push_present(&mut self, row: usize) {
        self.fill(row);
        self.valid.push();
    }

    /// Null for all rows up to `rows` that have no value.
    #[inline(always)]
    pub fn fill(&mut self, rows: usize) {
        if self.valid.length < rows {
            self.fill_up(rows);
        }
    }

    /// Room for so many times what there is, so that a column does not move as it grows.
    pub fn reserve(&mut self, times: usize) {
        match &mut self.values {
            Values::Text(texts) => {
                reserve(&mut texts.views, times);
                reserve(&mut texts.bytes, times);
            }
            Values::Count(values) | Values::Items(values) => reserve(values, times),
            Values::Number(values) => reserve(values, times),
            Values::Flag(values) => reserve(&mut values.bytes, times),
            Values::Present => {}
        }
    }

    #[cold]
    fn fill_up(&mut self, rows: usize) {
        self.valid.fill(rows);
        match &mut self.values {
            Values::Text(texts) => texts.views.resize(rows, 0),
            Values::Count(values) | Values::Items(values) => values.resize(rows, 0),
            Values::Number(values) => values.resize(rows, 0.0),
            Values::Flag(values) => values.fill(rows),
            Values::Present => {}
        }
    }

    /// All rows, in no more memory than they need.
    pub fn finish(&mut self, rows: usize) {
        self.fill(rows);
        match &mut self.values {
            Values::Text(texts) => {
                texts.views.shrink_to_fit();
                texts.bytes.shrink_to_fit();
            }
            Values::Count(values) | Values::Items(values) => values.shrink_to_fit(),
            Values::Number(values) => values.shrink_to_fit(),
            Values::Flag(values) => values.bytes.shrink_to_fit(),
            Values::Present => {}
        }
    }

    /// Takes back the values of all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        if self.valid.length <= rows {
            return;
        }
        self.valid.truncate(rows);
        match &mut self.values {
            Values::Text(texts) => texts.views.truncate(rows),
            Values::Count(values) | Values::Items(values) => values.truncate(rows),
            Values::Number(values) => values.truncate(rows),
            Values::Flag(values) => values.truncate(rows),
            Values::Present => {}
        }
    }
}

/// If there is no room now, none may be needed: how much comes is a guess.
fn reserve<T>(values: &mut Vec<T>, times: usize) {
    let _ = values.try_reserve(values.len().saturating_mul(times));
}
