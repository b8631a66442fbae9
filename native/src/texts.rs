//! Texts that come in by Arrow's C data interface.

use std::ffi::CStr;
use std::slice;

use crate::columns::{Column, Kind};
use crate::interface::{ArrowArray, ArrowArrayStream, ArrowSchema};
use crate::times::moment;

/// A view of a text: its length, and itself or the number of a buffer and its place there.
type View = [u32; 4];
const INLINE: usize = 12;
/// Buffers of an array besides those of bytes: of nulls and views before them, of their lengths behind.
const OTHERS: usize = 3;

/// The moments that the texts of a stream are (a column of whole numbers), and how many of them did not tell their
/// offset from UTC; None where it is no stream of text views.
///
/// # Safety
/// As of `each_text`.
pub unsafe fn moments(stream: *mut ArrowArrayStream) -> Option<(Column, i64)> {
    let mut column = Column::new(Kind::Count);
    let (mut rows, mut assumed) = (0, 0);
    let each = |text: Option<&[u8]>| {
        if let Some(moment) = text.and_then(moment) {
            column.push_count(rows, moment.micros);
            assumed += i64::from(!moment.offset_told);
        }
        rows += 1;
    };
    // SAFETY: as the caller promises
    if !unsafe { each_text(stream, each) } {
        return None;
    }
    column.finish(rows);
    Some((column, assumed))
}

/// Gives each text of a stream to `each`, or None for a null; false where it is no stream of text views.
///
/// # Safety
/// `stream` is one of the interface that nobody else reads.
unsafe fn each_text(stream: *mut ArrowArrayStream, mut each: impl FnMut(Option<&[u8]>)) -> bool {
    // SAFETY: as the caller promises; what the stream gives is as the interface says, and is given back
    unsafe {
        let mut schema = ArrowSchema::empty();
        if ((*stream).get_schema)(stream, &raw mut schema) != 0 {
            return false;
        }
        let is_views = CStr::from_ptr(schema.format).to_bytes() == b"vu";
        schema.release();
        if !is_views {
            return false;
        }
        loop {
            let mut array = ArrowArray::empty();
            if ((*stream).get_next)(stream, &raw mut array) != 0 {
                return false;
            }
            if array.release.is_none() {
                return true;
            }
            Views::of(&array).each(&mut each);
            array.release();
        }
    }
}

/// An array of text views.
struct Views<'array> {
    valid: Option<&'array [u8]>,
    views: &'array [View],
    bytes: &'array [*const u8],
    offset: usize,
}

impl<'array> Views<'array> {
    /// # Safety
    /// `array` is one of text views.
    unsafe fn of(array: &'array ArrowArray) -> Self {
        // SAFETY: the interface says which buffers there are, and how long
        unsafe {
            let (offset, end) = (array.offset as usize, (array.offset + array.length) as usize);
            let buffers = slice::from_raw_parts(array.buffers, array.n_buffers as usize);
            let valid = buffers[0].cast::<u8>();
            Views {
                valid: (!valid.is_null()).then(|| slice::from_raw_parts(valid, end.div_ceil(8))),
                views: if end == 0 { &[] } else { slice::from_raw_parts(buffers[1].cast(), end) },
                bytes: slice::from_raw_parts(buffers[2..].as_ptr().cast(), buffers.len() - OTHERS),
                offset,
            }
        }
    }

    /// # Safety
    /// The views are those of the array, which is still there.
    unsafe fn each(&self, each: &mut impl FnMut(Option<&'array [u8]>)) {
        for (place, view) in self.views.iter().enumerate().skip(self.offset) {
            let null = self.valid.is_some_and(|bits| bits[place / 8] >> (place % 8) & 1 == 0);
            // SAFETY: as the caller promises
            each(if null { None } else { Some(unsafe { self.text(view) }) });
        }
    }

    unsafe fn text(&self, view: &'array View) -> &'array [u8] {
        let length = view[0] as usize;
        // SAFETY: a view is within its own sixteen bytes or one of the buffers
        unsafe {
            if length <= INLINE {
                slice::from_raw_parts(view.as_ptr().cast::<u8>().add(4), length)
            } else {
                slice::from_raw_parts(self.bytes[view[2] as usize].add(view[3] as usize), length)
            }
        }
    }
}
