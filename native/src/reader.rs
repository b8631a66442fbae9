//! One line of JSON against a plan.

use std::ops::Range;

use crate::columns::{Column, Kind};
use crate::plan::{Id, Node, Plan};
use crate::scan::find_special;

/// A line is not regular, and nothing is said of it.
pub struct Odd;

type Read<T> = Result<T, Odd>;

/// Objects and arrays inside each other.
const DEEPEST: usize = 100;
/// Digits of a whole number that is read without a thought of what it may hold.
const DIGITS: usize = 18;
/// Digits of a whole number that a float holds exactly.
const EXACT: usize = 15;

/// The columns while they grow.
pub struct Rows<'plan> {
    plan: &'plan Plan,
    pub columns: Vec<Column>,
    /// How many rows each group has; that of group 0 are lines.
    pub counts: Vec<usize>,
    before: Vec<usize>,
    touched: Vec<usize>,
    /// Of each node, the object in which it was met last: a key that comes twice in one is odd.
    met: Vec<u64>,
    objects: u64,
    text: Vec<u8>,
}

impl<'plan> Rows<'plan> {
    /// No rows yet.
    pub fn new(plan: &'plan Plan) -> Self {
        Rows {
            plan,
            columns: plan.columns.iter().map(|declared| Column::new(declared.kind)).collect(),
            counts: vec![0; plan.groups],
            before: vec![0; plan.groups],
            touched: vec![],
            met: vec![0; plan.nodes.len()],
            objects: 0,
            text: vec![],
        }
    }

    /// Reads the line that begins at `start`, of complete lines: a row more, or none where it is odd.
    pub fn read(&mut self, lines: &[u8], start: usize, end: usize) -> Read<()> {
        self.before.clone_from(&self.counts);
        let mut reader = Reader { lines, at: start, rows: self };
        let read = reader.line(end);
        if read.is_err() {
            self.take_back();
        } else {
            self.counts[0] += 1;
        }
        self.touched.clear();
        read
    }

    fn take_back(&mut self) {
        for &column in &self.touched {
            self.columns[column].truncate(self.before[self.plan.columns[column].group]);
        }
        self.counts.clone_from(&self.before);
    }

    /// The column to be written to, and its row.
    fn next(&mut self, column: usize) -> (&mut Column, usize) {
        self.touched.push(column);
        (&mut self.columns[column], self.counts[self.plan.columns[column].group])
    }

    fn meets(&mut self, node: Id, object: u64) -> Read<()> {
        let before = std::mem::replace(&mut self.met[node as usize], object);
        if before == object {
            Err(Odd)
        } else {
            Ok(())
        }
    }
}

struct Reader<'lines, 'rows, 'plan> {
    lines: &'lines [u8],
    at: usize,
    rows: &'rows mut Rows<'plan>,
}

/// A string between its quotes, and whether something in it is escaped.
struct Quoted {
    range: Range<usize>,
    escaped: bool,
}

impl<'lines> Reader<'lines, '_, '_> {
    /// A line that is one object and ends at `end`.
    fn line(&mut self, end: usize) -> Read<()> {
        let plan = self.rows.plan;
        self.blanks();
        self.object(&plan.nodes[0], 0)?;
        self.blanks();
        if self.at == end {
            Ok(())
        } else {
            Err(Odd)
        }
    }

    #[inline(always)]
    fn peek(&self) -> Read<u8> {
        self.lines.get(self.at).copied().ok_or(Odd)
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> Read<()> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(Odd)
        }
    }

    #[inline(always)]
    fn takes(&mut self, byte: u8) -> Read<bool> {
        let is = self.peek()? == byte;
        self.at += usize::from(is);
        Ok(is)
    }

    /// Goes over blanks; a line end is none.
    #[inline(always)]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.lines.get(self.at) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> Read<()> {
        if self.lines.get(self.at..self.at + word.len()) == Some(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(Odd)
        }
    }

    /// What a node wants of the value here. A null is met, and is nothing.
    fn value(&mut self, id: Id, depth: usize) -> Read<()> {
        let plan = self.rows.plan;
        if self.peek()? == b'n' {
            return self.word(b"null");
        }
        match &plan.nodes[id as usize] {
            node @ Node::Object { .. } => self.object(node, depth),
            Node::Array(places) => self.array(places, depth),
            Node::Items { column, each } => self.items(*column, *each, depth),
            Node::Value(column) => match plan.columns[*column].kind {
                Kind::Text => self.text(*column),
                Kind::Count => {
                    let count = self.count()?;
                    let (values, row) = self.rows.next(*column);
                    values.push_count(row, count);
                    Ok(())
                }
                Kind::Number => {
                    let number = self.number()?;
                    let (values, row) = self.rows.next(*column);
                    values.push_number(row, number);
                    Ok(())
                }
                Kind::Flag => {
                    let flag = self.peek()? == b't';
                    self.word(if flag { b"true" } else { b"false" })?;
                    let (values, row) = self.rows.next(*column);
                    values.push_flag(row, flag);
                    Ok(())
                }
                Kind::Items | Kind::Present => Err(Odd),
            },
        }
    }

    fn object(&mut self, node: &Node, depth: usize) -> Read<()> {
        let Node::Object { keys, present } = node else { return Err(Odd) };
        self.take(b'{')?;
        if depth >= DEEPEST {
            return Err(Odd);
        }
        if let Some(column) = present {
            let (values, row) = self.rows.next(*column);
            values.push_present(row);
        }
        self.rows.objects += 1;
        let object = self.rows.objects;
        self.blanks();
        if self.takes(b'}')? {
            return Ok(());
        }
        loop {
            let key = self.quoted()?;
            if key.escaped {
                return Err(Odd);
            }
            let wanted = keys.get(&self.lines[key.range]);
            self.colon()?;
            match wanted {
                Some(child) => {
                    self.rows.meets(child, object)?;
                    self.value(child, depth + 1)?;
                }
                None => self.skip(depth + 1)?,
            }
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    /// After a key: its colon, with blanks around it.
    #[inline(always)]
    fn colon(&mut self) -> Read<()> {
        self.blanks();
        self.take(b':')?;
        self.blanks();
        Ok(())
    }

    /// After a member or an element: whether the last was read, or the next one begins here.
    #[inline(always)]
    fn ends(&mut self, bracket: u8) -> Read<bool> {
        self.blanks();
        if self.takes(bracket)? {
            return Ok(true);
        }
        self.take(b',')?;
        self.blanks();
        Ok(false)
    }

    fn array(&mut self, places: &[(usize, Id)], depth: usize) -> Read<()> {
        self.take(b'[')?;
        if depth >= DEEPEST {
            return Err(Odd);
        }
        self.blanks();
        if self.takes(b']')? {
            return Ok(());
        }
        for place in 0.. {
            match places.iter().find(|(wanted, _)| *wanted == place) {
                Some((_, child)) => self.value(*child, depth + 1)?,
                None => self.skip(depth + 1)?,
            }
            if self.ends(b']')? {
                break;
            }
        }
        Ok(())
    }

    fn items(&mut self, column: usize, each: Id, depth: usize) -> Read<()> {
        let plan = self.rows.plan;
        let group = plan.item_group(each);
        self.take(b'[')?;
        self.blanks();
        let mut count = 0;
        if !self.takes(b']')? {
            loop {
                self.object(&plan.nodes[each as usize], depth + 1)?;
                self.rows.counts[group] += 1;
                count += 1;
                if self.ends(b']')? {
                    break;
                }
            }
        }
        let (values, row) = self.rows.next(column);
        values.push_count(row, count);
        Ok(())
    }

    /// A text, or a number where it is written as it is printed.
    fn text(&mut self, column: usize) -> Read<()> {
        if self.peek()? != b'"' {
            let number = self.printed()?;
            let text = &self.lines[number];
            return push(self.rows.next(column), text);
        }
        let quoted = self.quoted()?;
        let text = &self.lines[quoted.range];
        if !quoted.escaped {
            return push(self.rows.next(column), text);
        }
        let mut plain = std::mem::take(&mut self.rows.text);
        plain.clear();
        unescape(text, &mut plain)?;
        let pushed = push(self.rows.next(column), &plain);
        self.rows.text = plain;
        pushed
    }

    /// A string with its quotes. Its escapes are right.
    #[inline(always)]
    fn quoted(&mut self) -> Read<Quoted> {
        self.take(b'"')?;
        let start = self.at;
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
    fn count(&mut self) -> Read<i64> {
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

    fn number(&mut self) -> Read<f64> {
        let start = self.at;
        let range = self.numeral()?;
        if range.len() <= EXACT && self.lines[range.clone()].iter().all(u8::is_ascii_digit) {
            self.at = start;
            return Ok(self.count()? as f64);
        }
        let text = std::str::from_utf8(&self.lines[range]).map_err(|_| Odd)?;
        if text.len() > DIGITS && !text.contains(['.', 'e', 'E']) {
            return Err(Odd);
        }
        let number: f64 = text.parse().map_err(|_| Odd)?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(Odd)
        }
    }

    /// A number that is written as it is printed, so that its text is known.
    fn printed(&mut self) -> Read<Range<usize>> {
        let range = self.numeral()?;
        let text = std::str::from_utf8(&self.lines[range.clone()]).map_err(|_| Odd)?;
        let same = match text.strip_prefix('-').unwrap_or(text) {
            whole if whole.bytes().all(|one| one.is_ascii_digit()) => whole.len() <= DIGITS && text != "-0",
            _ => text.parse::<f64>().is_ok_and(|number| number.to_string() == text),
        };
        if same {
            Ok(range)
        } else {
            Err(Odd)
        }
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
    fn skip(&mut self, depth: usize) -> Read<()> {
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

fn push((column, row): (&mut Column, usize), text: &[u8]) -> Read<()> {
    if column.push_text(row, text) {
        Ok(())
    } else {
        Err(Odd)
    }
}

/// The text that a string with escapes stands for.
fn unescape(mut text: &[u8], plain: &mut Vec<u8>) -> Read<()> {
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
fn escaped_char(text: &[u8]) -> Read<(char, usize)> {
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
