//! Decoded columns on their way out, by Arrow's C data interface.

use std::ffi::{c_void, CString};
use std::ptr;

use crate::bits::Valid;
use crate::columns::{Column, Values};
use crate::interface::{ArrowArray, ArrowSchema};
use crate::lines::Decoded;
use crate::plan::{Id, Node, Place, Plan};

const NULLABLE: i64 = 2;

/// The memory of one buffer.
enum Buffer {
    None,
    Bytes(Vec<u8>),
    Rows(Vec<u32>),
    Counts(Vec<i64>),
    Numbers(Vec<f64>),
    Views(Vec<u128>),
}

impl Buffer {
    fn pointer(&self) -> *const c_void {
        match self {
            Buffer::None => ptr::null(),
            Buffer::Bytes(held) => held.as_ptr().cast(),
            Buffer::Rows(held) => held.as_ptr().cast(),
            Buffer::Counts(held) => held.as_ptr().cast(),
            Buffer::Numbers(held) => held.as_ptr().cast(),
            Buffer::Views(held) => held.as_ptr().cast(),
        }
    }
}

/// An array with its type, before it is handed over.
struct Made {
    name: String,
    format: &'static str,
    length: usize,
    nulls: usize,
    buffers: Vec<Buffer>,
    children: Vec<Made>,
}

/// What the release of an array frees.
struct HeldArray {
    _buffers: Vec<Buffer>,
    pointers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
}

/// What the release of a schema frees.
struct HeldSchema {
    name: CString,
    format: CString,
    children: Vec<*mut ArrowSchema>,
}

/// The values at a node, moved out; of the root the places of the lines. None where no line has a value.
///
/// Each column is an array of its own, so that it is freed when nobody needs it, whatever becomes of others.
pub fn exported(plan: &Plan, decoded: &mut Decoded, node: Id) -> Option<(ArrowArray, ArrowSchema)> {
    let name = String::new();
    let made = match plan.nodes.get(node as usize)? {
        Node::Object { .. } if node == 0 => {
            let rows = std::mem::take(&mut decoded.rows);
            primitive(name, "I", rows.len(), Valid::default(), Buffer::Rows(rows))
        }
        Node::Value(Place { column, group: 0, .. }) | Node::Items { column, .. }
            if !decoded.columns[*column].is_empty() =>
        {
            let Decoded { columns, counts, .. } = decoded;
            Parts { plan, columns, counts }.made(node, name)
        }
        _ => return None,
    };
    Some(handed_over(made))
}

/// Moments (a column of whole numbers: microseconds since 1970) on their way out.
pub fn moments(column: Column) -> (ArrowArray, ArrowSchema) {
    let Column { values, valid } = column;
    let micros = if let Values::Count(micros) = values { micros } else { vec![] };
    handed_over(primitive(String::new(), "tsu:UTC", micros.len(), valid, Buffer::Counts(micros)))
}

/// Columns on their way out.
struct Parts<'a> {
    plan: &'a Plan,
    columns: &'a mut [Column],
    counts: &'a [usize],
}

impl Parts<'_> {
    fn taken(&mut self, column: usize) -> Column {
        let kind = self.plan.columns[column].kind;
        std::mem::replace(&mut self.columns[column], Column::new(kind))
    }

    /// What stands at a node, by a name.
    fn made(&mut self, id: Id, name: String) -> Made {
        match &self.plan.nodes[id as usize] {
            Node::Value(place) => values(name, self.taken(place.column)),
            Node::Items { column, each } => {
                let Column { values, valid } = self.taken(*column);
                let counts = if let Values::Items(counts) = values { counts } else { vec![] };
                let length = counts.len();
                let elements = self.object(*each, "item".into());
                Made {
                    name,
                    format: "+L",
                    length,
                    nulls: valid.nulls(),
                    buffers: vec![validity(valid), Buffer::Counts(ends(&counts))],
                    children: vec![elements],
                }
            }
            _ => self.object(id, name),
        }
    }

    fn object(&mut self, id: Id, name: String) -> Made {
        let (keys, present) = match &self.plan.nodes[id as usize] {
            Node::Object { keys, present } => (keys.entries(), *present),
            _ => (&[][..], None),
        };
        let length = self.counts[self.plan.item_group(id)];
        let valid = present.map(|column| self.taken(column).valid).unwrap_or_default();
        let children = keys
            .iter()
            .map(|(key, child)| self.made(*child, String::from_utf8_lossy(key).into_owned()))
            .collect();
        Made { name, format: "+s", length, nulls: valid.nulls(), buffers: vec![validity(valid)], children }
    }
}

/// Where the elements of each row end, after a zero.
fn ends(counts: &[i64]) -> Vec<i64> {
    let sums = counts.iter().scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

fn validity(valid: Valid) -> Buffer {
    valid.bits().map_or(Buffer::None, Buffer::Bytes)
}

fn primitive(name: String, format: &'static str, length: usize, valid: Valid, buffer: Buffer) -> Made {
    Made {
        name,
        format,
        length,
        nulls: valid.nulls(),
        buffers: vec![validity(valid), buffer],
        children: vec![],
    }
}

fn values(name: String, column: Column) -> Made {
    let Column { values, valid } = column;
    let length = valid.length;
    match values {
        Values::Text(texts) => {
            let sizes = Buffer::Counts(vec![texts.bytes.len() as i64]);
            let nulls = valid.nulls();
            let buffers =
                vec![validity(valid), Buffer::Views(texts.views), Buffer::Bytes(texts.bytes), sizes];
            Made { name, format: "vu", length, nulls, buffers, children: vec![] }
        }
        Values::Number(held) => primitive(name, "g", length, valid, Buffer::Numbers(held)),
        Values::Flag(held) => primitive(name, "b", length, valid, Buffer::Bytes(held.bytes)),
        Values::Count(held) | Values::Items(held) => {
            primitive(name, "l", length, valid, Buffer::Counts(held))
        }
        Values::Present => {
            Made { name, format: "n", length, nulls: length, buffers: vec![], children: vec![] }
        }
    }
}

fn handed_over(made: Made) -> (ArrowArray, ArrowSchema) {
    let (arrays, schemas): (Vec<_>, Vec<_>) = made
        .children
        .into_iter()
        .map(handed_over)
        .map(|(array, schema)| (Box::into_raw(Box::new(array)), Box::into_raw(Box::new(schema))))
        .unzip();
    let schema = described(&made.name, made.format, schemas);
    let pointers = made.buffers.iter().map(Buffer::pointer).collect();
    let held = Box::into_raw(Box::new(HeldArray { _buffers: made.buffers, pointers, children: arrays }));
    // SAFETY: just made, and held by nobody else
    let inside = unsafe { &mut *held };
    let array = ArrowArray {
        length: made.length as i64,
        null_count: made.nulls as i64,
        offset: 0,
        n_buffers: inside.pointers.len() as i64,
        n_children: inside.children.len() as i64,
        buffers: inside.pointers.as_mut_ptr(),
        children: inside.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_array),
        private_data: held.cast(),
    };
    (array, schema)
}

fn described(name: &str, format: &str, children: Vec<*mut ArrowSchema>) -> ArrowSchema {
    let text = |of: &str| CString::new(of.replace('\0', " ")).unwrap_or_default();
    let held = Box::into_raw(Box::new(HeldSchema { name: text(name), format: text(format), children }));
    // SAFETY: just made, and held by nobody else
    let inside = unsafe { &mut *held };
    ArrowSchema {
        format: inside.format.as_ptr(),
        name: inside.name.as_ptr(),
        metadata: ptr::null(),
        flags: NULLABLE,
        n_children: inside.children.len() as i64,
        children: inside.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: held.cast(),
    }
}

unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: the interface calls this once, with what `handed_over` made or a copy of it whose owner it is
    unsafe {
        let held = Box::from_raw((*array).private_data.cast::<HeldArray>());
        for &child in &held.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*array).release = None;
    }
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: as above
    unsafe {
        let held = Box::from_raw((*schema).private_data.cast::<HeldSchema>());
        for &child in &held.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*schema).release = None;
    }
}
