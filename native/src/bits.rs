//! Which rows have a value.

/// Bits that grow by one.
#[derive(Default)]
pub struct Bits {
    pub bytes: Vec<u8>,
    pub length: usize,
    pub zeros: usize,
}

impl Bits {
    /// One more.
    #[inline(always)]
    pub fn push(&mut self, one: bool) {
        if self.length % 8 == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(one) << (self.length % 8);
        }
        self.zeros += usize::from(!one);
        self.length += 1;
    }

    /// Zeros up to a length, or nothing where it is reached.
    pub fn fill(&mut self, length: usize) {
        if length > self.length {
            self.zeros += length - self.length;
            self.bytes.resize(length.div_ceil(8), 0);
            self.length = length;
        }
    }

    /// Takes back all from a length on.
    pub fn truncate(&mut self, length: usize) {
        while self.length > length {
            self.length -= 1;
            let bit = 1 << (self.length % 8);
            if let Some(last) = self.bytes.get_mut(self.length / 8) {
                self.zeros -= usize::from(*last & bit == 0);
                *last &= !bit;
            }
        }
        self.bytes.truncate(length.div_ceil(8));
    }
}

/// Which rows have a value. Nothing is held of them until one has none: in most columns all have one.
#[derive(Default)]
pub struct Valid {
    pub length: usize,
    held: Option<Bits>,
}

impl Valid {
    /// How many rows have none.
    pub fn nulls(&self) -> usize {
        self.held.as_ref().map_or(0, |bits| bits.zeros)
    }

    /// A bit for each row; nothing where all have a value.
    pub fn bits(self) -> Option<Vec<u8>> {
        self.held.filter(|bits| bits.zeros > 0).map(|bits| bits.bytes)
    }

    /// A row with a value.
    #[inline(always)]
    pub fn push(&mut self) {
        self.length += 1;
        if let Some(bits) = &mut self.held {
            bits.push(true);
        }
    }

    /// No value in the rows up to a length.
    pub fn fill(&mut self, length: usize) {
        let before = self.length;
        if length > before {
            self.held.get_or_insert_with(|| ones(before)).fill(length);
            self.length = length;
        }
    }

    /// Takes back all from a length on.
    pub fn truncate(&mut self, length: usize) {
        if let Some(bits) = &mut self.held {
            bits.truncate(length);
        }
        self.length = length;
    }
}

fn ones(length: usize) -> Bits {
    let mut bits =
        Bits { bytes: vec![u8::MAX; length.div_ceil(8)], length: length.next_multiple_of(8), zeros: 0 };
    bits.truncate(length);
    bits
}
