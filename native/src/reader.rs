//! One line of JSON against a plan.

use std::ops::Range;

use crate::columns::{Column, Kind, Text};
use crate::plan::{Id, Keys, Node, Place, Plan};
use crate::scan::{find_special, goes_on};

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
    /// Of each node, the object in which it was met last: a key that comes twice in one is odd.
    met: Vec<u64>,
    objects: u64,
    /// Of each node, the members that the last such object had, in their order: the next has them again.
    guesses: Vec<Vec<Guess>>,
    text: Vec<u8>,
}

/// A key as it is written, from its second character to the colon, and its node.
struct Guess {
    written: Vec<u8>,
    wanted: Option<Id>,
}

/// Members of an object that are worth a guess.
const GUESSES: usize = 64;

impl<'plan> Rows<'plan> {
    /// No rows yet.
    pub fn new(plan: &'plan Plan) -> Self {
        Rows {
            plan,
            columns: plan.columns.iter().map(|declared| Column::new(declared.kind)).collect(),
            counts: vec![0; plan.groups],
            before: vec![0; plan.groups],
            guesses: plan.nodes.iter().map(|_| vec![]).collect(),
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
        read
    }

    fn take_back(&mut self) {
        for (column, declared) in self.columns.iter_mut().zip(&self.plan.columns) {
            column.truncate(self.before[declared.group]);
        }
        self.counts.clone_from(&self.before);
    }

    /// The column to be written to, and its row.
    #[inline(always)]
    fn next(&mut self, column: usize, group: usize) -> (&mut Column, usize) {
        (&mut self.columns[column], self.counts[group])
    }

    fn guess(&mut self, node: Id, turn: usize, written: &[u8], wanted: Option<Id>) {
        let guesses = &mut self.guesses[node as usize];
        match guesses.get_mut(turn) {
            Some(guess) => {
                guess.written.clear();
                guess.written.extend_from_slice(written);
                guess.wanted = wanted;
            }
            None if turn < GUESSES => guesses.push(Guess { written: written.to_vec(), wanted }),
            None => {}
        }
    }

    #[inline(always)]
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
        self.blanks();
        self.object(0, 0)?;
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
            Node::Value(place) => self.single(*place),
            Node::Object { .. } => self.object(id, depth),
            Node::Array(places) => self.array(places, depth),
            Node::Items { column, each } => self.items(*column, *each, depth),
        }
    }

    /// A value of a kind.
    #[inline(always)]
    fn single(&mut self, place: Place) -> Read<()> {
        let Place { kind, column, group } = place;
        match kind {
            Kind::Text => return self.text(column, group),
            Kind::Count => {
                let count = self.count()?;
                let (values, row) = self.rows.next(column, group);
                values.push_count(row, count);
            }
            Kind::Number => {
                let number = self.number()?;
                let (values, row) = self.rows.next(column, group);
                values.push_number(row, number);
            }
            Kind::Flag => {
                let flag = self.peek()? == b't';
                self.word(if flag { b"true" } else { b"false" })?;
                let (values, row) = self.rows.next(column, group);
                values.push_flag(row, flag);
            }
            Kind::Items | Kind::Present => return Err(Odd),
        }
        Ok(())
    }

    fn object(&mut self, id: Id, depth: usize) -> Read<()> {
        let plan = self.rows.plan;
        let Node::Object { keys, present } = &plan.nodes[id as usize] else { return Err(Odd) };
        self.take(b'{')?;
        if depth >= DEEPEST {
            return Err(Odd);
        }
        if let Some(column) = present {
            let (values, row) = self.rows.next(*column, plan.item_group(id));
            values.push_present(row);
        }
        self.rows.objects += 1;
        let object = self.rows.objects;
        self.blanks();
        if self.takes(b'}')? {
            return Ok(());
        }
        for turn in 0.. {
            match self.key(id, turn, keys)? {
                Some(child) => {
                    self.rows.meets(child, object)?;
                    self.value(child, depth + 1)?;
                }
                None => self.skip(depth + 1)?,
            }
            if self.ends(b'}')? {
                break;
            }
        }
        Ok(())
    }

    /// A key with its colon: the node that wants its value.
    #[inline(always)]
    fn key(&mut self, id: Id, turn: usize, keys: &Keys) -> Read<Option<Id>> {
        self.take(b'"')?;
        let start = self.at;
        if let Some(guess) = self.rows.guesses[id as usize].get(turn) {
            if goes_on(self.lines, start, &guess.written) {
                self.at += guess.written.len();
                let wanted = guess.wanted;
                self.blanks();
                return Ok(wanted);
            }
        }
        let key = self.rest_of_string(start)?;
        if key.escaped {
            return Err(Odd);
        }
        let wanted = keys.get(&self.lines[key.range]);
        if self.peek()? == b':' {
            self.rows.guess(id, turn, &self.lines[start..=self.at], wanted);
        }
        self.colon()?;
        Ok(wanted)
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
                self.object(each, depth + 1)?;
                self.rows.counts[group] += 1;
                count += 1;
                if self.ends(b']')? {
                    break;
                }
            }
        }
        let (values, row) = self.rows.next(column, 0);
        values.push_count(row, count);
        Ok(())
    }

    /// A text, or a number where it is written as it is printed.
    #[inline(always)]
    fn text(&mut self, column: usize, group: usize) -> Read<()> {
        let Quoted { range, escaped } = match self.peek()? {
            b'"' => self.quoted()?,
            _ => Quoted { range: self.printed()?, escaped: false },
        };
        if escaped {
            return self.escaped_text(column, group, range);
        }
        let (values, row) = self.rows.next(column, group);
        pushed(values.push_text(row, Text { within: self.lines, start: range.start, end: range.end }))
    }

    fn escaped_text(&mut self, column: usize, group: usize, range: Range<usize>) -> Read<()> {
        let mut plain = std::mem::take(&mut self.rows.text);
        plain.clear();
        unescape(&self.lines[range], &mut plain)?;
        let (values, row) = self.rows.next(column, group);
        let fits = values.push_text(row, Text { within: &plain, start: 0, end: plain.len() });
        self.rows.text = plain;
        pushed(fits)
    }

    /// A string with its quotes. Its escapes are right.
    #[inline(always)]
    fn quoted(&mut self) -> Read<Quoted> {
        self.take(b'"')?;
        self.rest_of_string(self.at)
    }

    /// A string from its first character on, with its closing quote.
    #[inline(always)]
    fn rest_of_string(&mut self, start: usize) -> Read<Quoted> {
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

fn pushed(fits: bool) -> Read<()> {
    if fits {
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
