//! Arrow's C data interface (https://arrow.apache.org/docs/format/CDataInterface.html).

use std::ffi::{c_char, c_int, c_void};

/// `ArrowSchema` of the interface.
#[repr(C)]
pub struct ArrowSchema {
    pub format: *const c_char,
    pub name: *const c_char,
    pub metadata: *const c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut ArrowSchema,
    pub dictionary: *mut ArrowSchema,
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub private_data: *mut c_void,
}

/// `ArrowArray` of the interface.
#[repr(C)]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const c_void,
    pub children: *mut *mut ArrowArray,
    pub dictionary: *mut ArrowArray,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub private_data: *mut c_void,
}

impl ArrowSchema {
    /// One that holds nothing yet, for another to fill.
    pub fn empty() -> Self {
        // SAFETY: zeros are null pointers and no release
        unsafe { std::mem::zeroed() }
    }

    /// Gives back what it holds.
    ///
    /// # Safety
    /// Whoever filled it did so as the interface says.
    pub unsafe fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: it holds something, as it can be given back, and does so for the last time
            unsafe { release(self) };
        }
    }
}

impl ArrowArray {
    /// One that holds nothing yet, for another to fill.
    pub fn empty() -> Self {
        // SAFETY: as above
        unsafe { std::mem::zeroed() }
    }

    /// Gives back what it holds.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: as above
            unsafe { release(self) };
        }
    }
}

/// `ArrowArrayStream` of the interface.
#[repr(C)]
pub struct ArrowArrayStream {
    pub get_schema: unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int,
    pub get_next: unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int,
    pub get_last_error: unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    pub private_data: *mut c_void,
}
