//! One line of JSON against a plan.

use std::ops::Range;

use crate::columns::{Column, Kind, Text};
use crate::escapes::unescape;
use crate::json::{Cursor, Odd, Quoted, Read, DEEPEST};
use crate::plan::{Id, Keys, Node, Place, Plan};
use crate::scan::goes_on;

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
        let mut reader = Reader { json: Cursor { lines, at: start }, rows: self };
        let read = reader.line(end);
        if read.is_err() {
            self.take_back();
        } else {
            self.counts[0] += 1;
        }
        read
    }

    /// Room for so many times the values that there are.
    pub fn reserve(&mut self, times: usize) {
        for column in &mut self.columns {
            column.reserve(times);
        }
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
    json: Cursor<'lines>,
    rows: &'rows mut Rows<'plan>,
}

impl<'lines> Reader<'lines, '_, '_> {
    /// A line that is one object and ends at `end`.
    fn line(&mut self, end: usize) -> Read<()> {
        self.json.blanks();
        self.object(0, 0)?;
        self.json.blanks();
        if self.json.at == end {
            Ok(())
        } else {
            Err(Odd)
        }
    }

    /// What a node wants of the value here. A null is met, and is nothing.
    fn value(&mut self, id: Id, depth: usize) -> Read<()> {
        let plan = self.rows.plan;
        if self.json.peek()? == b'n' {
            return self.json.word(b"null");
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
                let count = self.json.count()?;
                let (values, row) = self.rows.next(column, group);
                values.push_count(row, count);
            }
            Kind::Number => {
                let number = self.json.number()?;
                let (values, row) = self.rows.next(column, group);
                values.push_number(row, number);
            }
            Kind::Flag => {
                let flag = self.json.peek()? == b't';
                self.json.word(if flag { b"true" } else { b"false" })?;
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
        self.json.take(b'{')?;
        if depth >= DEEPEST {
            return Err(Odd);
        }
        if let Some(column) = present {
            let (values, row) = self.rows.next(*column, plan.item_group(id));
            values.push_present(row);
        }
        self.rows.objects += 1;
        let object = self.rows.objects;
        self.json.blanks();
        if self.json.takes(b'}')? {
            return Ok(());
        }
        for turn in 0.. {
            match self.key(id, turn, keys)? {
                Some(child) => {
                    self.rows.meets(child, object)?;
                    self.value(child, depth + 1)?;
                }
                None => self.json.skip(depth + 1)?,
            }
            if self.json.ends(b'}')? {
                break;
            }
        }
        Ok(())
    }

    /// A key with its colon: the node that wants its value.
    #[inline(always)]
    fn key(&mut self, id: Id, turn: usize, keys: &Keys) -> Read<Option<Id>> {
        self.json.take(b'"')?;
        let start = self.json.at;
        if let Some(guess) = self.rows.guesses[id as usize].get(turn) {
            if goes_on(self.json.lines, start, &guess.written) {
                self.json.at += guess.written.len();
                let wanted = guess.wanted;
                self.json.blanks();
                return Ok(wanted);
            }
        }
        let key = self.json.rest_of_string(start)?;
        if key.escaped {
            return Err(Odd);
        }
        let wanted = keys.get(&self.json.lines[key.range]);
        if self.json.peek()? == b':' {
            self.rows.guess(id, turn, &self.json.lines[start..=self.json.at], wanted);
        }
        self.json.colon()?;
        Ok(wanted)
    }

    fn array(&mut self, places: &[(usize, Id)], depth: usize) -> Read<()> {
        self.json.take(b'[')?;
        if depth >= DEEPEST {
            return Err(Odd);
        }
        self.json.blanks();
        if self.json.takes(b']')? {
            return Ok(());
        }
        for place in 0.. {
            match places.iter().find(|(wanted, _)| *wanted == place) {
                Some((_, child)) => self.value(*child, depth + 1)?,
                None => self.json.skip(depth + 1)?,
            }
            if self.json.ends(b']')? {
                break;
            }
        }
        Ok(())
    }

    fn items(&mut self, column: usize, each: Id, depth: usize) -> Read<()> {
        let plan = self.rows.plan;
        let group = plan.item_group(each);
        self.json.take(b'[')?;
        self.json.blanks();
        let mut count = 0;
        if !self.json.takes(b']')? {
            loop {
                self.object(each, depth + 1)?;
                self.rows.counts[group] += 1;
                count += 1;
                if self.json.ends(b']')? {
                    break;
                }
            }
        }
        let (values, row) = self.rows.next(column, 0);
        values.push_count(row, count);
        Ok(())
    }

    /// A text, or a whole number as it is written.
    #[inline(always)]
    fn text(&mut self, column: usize, group: usize) -> Read<()> {
        let Quoted { range, escaped } = match self.json.peek()? {
            b'"' => self.json.quoted()?,
            _ => Quoted { range: self.json.printed()?, escaped: false },
        };
        if escaped {
            return self.escaped_text(column, group, range);
        }
        let (values, row) = self.rows.next(column, group);
        pushed(values.push_text(row, Text { within: self.json.lines, start: range.start, end: range.end }))
    }

    fn escaped_text(&mut self, column: usize, group: usize, range: Range<usize>) -> Read<()> {
        let mut plain = std::mem::take(&mut self.rows.text);
        plain.clear();
        unescape(&self.json.lines[range], &mut plain)?;
        let (values, row) = self.rows.next(column, group);
        let fits = values.push_text(row, Text { within: &plain, start: 0, end: plain.len() });
        self.rows.text = plain;
        pushed(fits)
    }
}

fn pushed(fits: bool) -> Read<()> {
    if fits {
        Ok(())
    } else {
        Err(Odd)
    }
}
