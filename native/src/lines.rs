//! Many lines to columns.

use std::ops::Range;

use crate::columns::Column;
use crate::plan::Plan;
use crate::reader::Rows;
use crate::scan::find;
use crate::Fates;

/// A line longer than this is for others to judge.
const LONGEST: usize = 32 << 20;
/// More than a view of a text can tell the place of.
const MOST: usize = 1 << 30;
/// One odd line of so many, from some on, and all are better read by other means.
const ODD_OF: usize = 16;
const ODD_FROM: usize = 64;

/// Lines that tell how many there will be.
const SAMPLED: usize = 128;

/// What was decoded of some lines, and where the odd ones are.
pub struct Decoded {
    /// The place of each row's line.
    pub rows: Vec<u32>,
    pub columns: Vec<Column>,
    pub counts: Vec<usize>,
    lines: usize,
    other: usize,
    odd: Vec<u64>,
}

impl Decoded {
    /// What became of the lines.
    pub fn fates(&self) -> Fates {
        Fates {
            lines: self.lines as u64,
            other: self.other as u64,
            odd: self.odd.len() as u64 / 3,
            odd_places: self.odd.as_ptr(),
        }
    }
}

/// Decodes complete lines; None where too many are odd.
pub fn decode(plan: &Plan, data: &[u8]) -> Option<Decoded> {
    if data.len() > MOST {
        return None;
    }
    let mut rows = Rows::new(plan);
    let mut decoded =
        Decoded { rows: vec![], columns: vec![], counts: vec![], lines: 0, other: 0, odd: vec![] };
    // to ask once is faster where all lines are looked at
    let text = plan.markers.is_empty() && std::str::from_utf8(data).is_ok();
    let mut start = 0;
    while start < data.len() {
        let end = find(data, start, b'\n');
        decoded.line(plan, &mut rows, data, start..end, text);
        let odd = decoded.odd.len() / 3;
        if odd > ODD_FROM && odd > decoded.lines / ODD_OF {
            return None;
        }
        start = end + 1;
        if decoded.lines == SAMPLED {
            rows.reserve(data.len() / start);
        }
    }
    for (column, declared) in rows.columns.iter_mut().zip(&plan.columns) {
        if declared.group > 0 || !column.is_empty() {
            column.finish(rows.counts[declared.group]);
        }
    }
    decoded.columns = rows.columns;
    decoded.counts = rows.counts;
    decoded.rows.shrink_to_fit();
    Some(decoded)
}

impl Decoded {
    /// One line more; `text`: it is known to be UTF-8.
    fn line(&mut self, plan: &Plan, rows: &mut Rows<'_>, data: &[u8], range: Range<usize>, text: bool) {
        let line = &data[range.clone()];
        let place = self.lines;
        self.lines += 1;
        let trimmed = line.trim_ascii();
        let object = trimmed.first() == Some(&b'{') && trimmed.last() == Some(&b'}');
        if object && !plan.markers.any_in(line) {
            self.other += 1;
        } else if object
            && line.len() <= LONGEST
            && (text || std::str::from_utf8(line).is_ok())
            && rows.read(data, range.start, range.end).is_ok()
        {
            self.rows.push(place as u32);
        } else {
            self.odd.extend([place, range.start, range.end].map(|number| number as u64));
        }
    }
}
