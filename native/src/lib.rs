//! Lines of JSON to columns, for `llmtel.sources.native`.
//!
//! Only what is regular is decoded here: a line that is one valid object whose wanted values have the wanted
//! types. Whatever else a line is (damaged, of another type, with a wanted key twice), it is *odd* and goes back
//! to the reader in Python, which alone says what becomes of it. So there is one place that judges, and this one
//! need only be sure.
//!
//! Nothing here keeps a pointer to the lines after `llmtel_decode` returns.

mod arrow;
mod bits;
mod columns;
mod escapes;
mod interface;
mod json;
mod lines;
mod plan;
mod reader;
mod scan;
mod texts;
mod times;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

use interface::{ArrowArray, ArrowArrayStream, ArrowSchema};
use lines::Decoded;
use plan::Plan;

/// Goes up when a function or its meaning changes; the reader in Python uses no other version than its own.
const ABI: u32 = 3;

/// The version of this interface.
#[no_mangle]
pub extern "C" fn llmtel_abi() -> u32 {
    ABI
}

/// How many lines some bytes have; the last may lack its end.
///
/// # Safety
/// `data` has `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn llmtel_line_count(data: *const u8, length: usize) -> usize {
    // SAFETY: as the caller promises
    scan::line_count(unsafe { slice::from_raw_parts(data, length) })
}

/// A new plan that wants nothing yet. Its root, node 0, is the object of a line.
#[no_mangle]
pub extern "C" fn llmtel_plan_new() -> *mut Plan {
    Box::into_raw(Box::new(Plan::new()))
}

/// Wants the value of a key of a node: the new node's number, or -1 where `parent` cannot have it.
///
/// `kind`: 'o' an object, 'a' an array, 'i' the objects of an array, and values: 't' text, 'c' whole number,
/// 'n' number, 'f' true or false.
///
/// # Safety
/// `plan` is of `llmtel_plan_new` and in no other use now; `key` has `length` bytes of UTF-8.
#[no_mangle]
pub unsafe extern "C" fn llmtel_plan_key(
    plan: *mut Plan,
    parent: u32,
    key: *const u8,
    length: usize,
    kind: u8,
) -> i64 {
    // SAFETY: as the caller promises
    let (plan, key) = unsafe { (&mut *plan, slice::from_raw_parts(key, length)) };
    plan.add_key(parent, key, kind).map_or(-1, i64::from)
}

/// Wants the element of an array at a place: the new node's number, or -1 where `parent` is no array.
///
/// # Safety
/// `plan` is of `llmtel_plan_new` and in no other use now.
#[no_mangle]
pub unsafe extern "C" fn llmtel_plan_place(plan: *mut Plan, parent: u32, place: u32, kind: u8) -> i64 {
    // SAFETY: as the caller promises
    let plan = unsafe { &mut *plan };
    plan.add_place(parent, place as usize, kind).map_or(-1, i64::from)
}

/// A text that a line must have, with its first quote; of several, one is enough. False where it has no quote.
///
/// # Safety
/// `plan` is of `llmtel_plan_new` and in no other use now; `text` has `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn llmtel_plan_marker(plan: *mut Plan, text: *const u8, length: usize) -> bool {
    // SAFETY: as the caller promises
    let (plan, text) = unsafe { (&mut *plan, slice::from_raw_parts(text, length)) };
    plan.markers.add(text)
}

/// Ends a plan.
///
/// # Safety
/// `plan` is of `llmtel_plan_new`, and is not used after this.
#[no_mangle]
pub unsafe extern "C" fn llmtel_plan_free(plan: *mut Plan) {
    // SAFETY: as the caller promises
    drop(unsafe { Box::from_raw(plan) });
}

/// Decodes complete lines; null where they are better decoded by other means, or after a fault of ours.
///
/// # Safety
/// `plan` is of `llmtel_plan_new` and nobody changes it now; `data` has `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn llmtel_decode(plan: *const Plan, data: *const u8, length: usize) -> *mut Decoded {
    // SAFETY: as the caller promises
    let (plan, data) = unsafe { (&*plan, slice::from_raw_parts(data, length)) };
    match catch_unwind(AssertUnwindSafe(|| lines::decode(plan, data))) {
        Ok(Some(decoded)) => Box::into_raw(Box::new(decoded)),
        _ => std::ptr::null_mut(),
    }
}

/// What became of lines.
#[repr(C)]
pub struct Fates {
    /// How many there are, the last of which may lack its end.
    pub lines: u64,
    /// Lines without a marker, which are not looked at.
    pub other: u64,
    /// How many lines are odd, and where they are: three numbers of each, the line's place among all, its first
    /// byte and its end in the data.
    pub odd: u64,
    /// The numbers.
    pub odd_places: *const u64,
}

/// What became of the lines; its pointer is good until `llmtel_decoded_free`.
///
/// # Safety
/// `decoded` is of `llmtel_decode`; `fates` can be written.
#[no_mangle]
pub unsafe extern "C" fn llmtel_fates(decoded: *const Decoded, fates: *mut Fates) {
    // SAFETY: as the caller promises
    unsafe { *fates = (*decoded).fates() };
}

/// Moves the values at a node out in Arrow's C data interface; of node 0 the place of each row's line among all.
/// False, and nothing is written, where no line has a value.
///
/// # Safety
/// `decoded` is of `llmtel_decode` with this plan and in no other use now; the structs can be written.
#[no_mangle]
pub unsafe extern "C" fn llmtel_export(
    plan: *const Plan,
    decoded: *mut Decoded,
    node: u32,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
) -> bool {
    // SAFETY: as the caller promises
    let (plan, decoded) = unsafe { (&*plan, &mut *decoded) };
    let Some((made, described)) = arrow::exported(plan, decoded, node) else { return false };
    // SAFETY: as the caller promises
    unsafe {
        array.write(made);
        schema.write(described);
    }
    true
}

/// Ends what `llmtel_decode` made.
///
/// # Safety
/// `decoded` is of `llmtel_decode`, and is not used after this.
#[no_mangle]
pub unsafe extern "C" fn llmtel_decoded_free(decoded: *mut Decoded) {
    // SAFETY: as the caller promises
    drop(unsafe { Box::from_raw(decoded) });
}

/// Reads times: moves them out as `llmtel_export`, with null for a text that is none in a form known here. How
/// many of them did not tell their offset from UTC, and were read as UTC; -1, and nothing is written, where the
/// stream does not give texts as views, or after a fault of ours.
///
/// # Safety
/// `stream` is one of Arrow's C stream interface that nobody else reads; the structs can be written.
#[no_mangle]
pub unsafe extern "C" fn llmtel_times(
    stream: *mut ArrowArrayStream,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
) -> i64 {
    // SAFETY: as the caller promises
    let read = catch_unwind(AssertUnwindSafe(|| unsafe { texts::moments(stream) }));
    let Ok(Some((column, assumed))) = read else { return -1 };
    let (made, described) = arrow::moments(column);
    // SAFETY: as the caller promises
    unsafe {
        array.write(made);
        schema.write(described);
    }
    assumed
}
