//! Looking for bytes, sixteen at a time.

const WIDTH: usize = 16;

/// The first place from `at` on that is `byte`, or the end.
pub fn find(text: &[u8], at: usize, byte: u8) -> usize {
    find_by(text, at, |chunk| mask_of(chunk, byte), |one| one == byte)
}

/// How many lines there are; the last may lack its end.
pub fn line_count(text: &[u8]) -> usize {
    // sums of a byte each are added up before they overflow
    let mut parts = text.chunks_exact(WIDTH * usize::from(u8::MAX));
    let ends: usize = parts.by_ref().map(|part| count_in(part, b'\n')).sum();
    let rest = parts.remainder().iter().filter(|&&one| one == b'\n').count();
    ends + rest + usize::from(text.last().is_some_and(|&last| last != b'\n'))
}

/// The first place from `at` on that ends a run of plain characters of a JSON text: a quote, a backslash or a
/// control character. Or the end.
pub fn find_special(text: &[u8], at: usize) -> usize {
    find_by(text, at, mask_of_specials, |one| one == b'"' || one == b'\\' || one < 0x20)
}

/// Whether a text goes on with another from `at` on.
#[inline(always)]
pub fn goes_on(text: &[u8], at: usize, with: &[u8]) -> bool {
    let length = with.len();
    let Some(here) = text.get(at..at + length) else { return false };
    if length < 4 {
        return here.iter().eq(with);
    }
    if length < 8 {
        return number::<4>(here) == number::<4>(with)
            && number::<4>(&here[length - 4..]) == number::<4>(&with[length - 4..]);
    }
    let mut next = 0;
    while next + 8 < length {
        if number::<8>(&here[next..]) != number::<8>(&with[next..]) {
            return false;
        }
        next += 8;
    }
    number::<8>(&here[length - 8..]) == number::<8>(&with[length - 8..])
}

/// The first bytes as a number, the least first.
#[inline(always)]
pub fn number<const N: usize>(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight[..N].copy_from_slice(&bytes[..N]);
    u64::from_le_bytes(eight)
}

/// Where `mask` has a bit, or `single` holds near the end.
#[inline(always)]
fn find_by(
    text: &[u8],
    mut at: usize,
    mask: impl Fn(&[u8; WIDTH]) -> u32,
    single: impl Fn(u8) -> bool,
) -> usize {
    while let Some(chunk) = chunk_at(text, at) {
        let found = mask(chunk);
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += WIDTH;
    }
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().position(|&one| single(one)).map_or(text.len(), |place| at + place)
}

#[inline(always)]
fn chunk_at(text: &[u8], at: usize) -> Option<&[u8; WIDTH]> {
    text.get(at..at + WIDTH)?.try_into().ok()
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_sad_epu8, _mm_set1_epi8, _mm_setzero_si128, _mm_srli_si128, _mm_sub_epi8,
    };

    use super::WIDTH;

    #[inline(always)]
    fn loaded(chunk: &[u8; WIDTH]) -> __m128i {
        // SAFETY: the load needs no alignment and reads the sixteen bytes; SSE2 is part of x86-64
        unsafe { _mm_loadu_si128(chunk.as_ptr().cast()) }
    }

    #[allow(unused_unsafe)] // newer compilers know that these are safe where SSE2 is
    #[inline(always)]
    pub fn mask_of(chunk: &[u8; WIDTH], byte: u8) -> u32 {
        // SAFETY: SSE2 is part of x86-64
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(loaded(chunk), _mm_set1_epi8(byte as i8))) as u32 }
    }

    /// How often a byte comes in at most 255 times sixteen others.
    #[allow(unused_unsafe)]
    pub fn count_in(part: &[u8], byte: u8) -> usize {
        // SAFETY: SSE2 is part of x86-64
        unsafe {
            let (zeros, wanted) = (_mm_setzero_si128(), _mm_set1_epi8(byte as i8));
            let chunks = part.chunks_exact(WIDTH).filter_map(|chunk| chunk.try_into().ok());
            let sums =
                chunks.fold(zeros, |sums, chunk| _mm_sub_epi8(sums, _mm_cmpeq_epi8(loaded(chunk), wanted)));
            let halves = _mm_sad_epu8(sums, zeros);
            (_mm_cvtsi128_si64(halves) + _mm_cvtsi128_si64(_mm_srli_si128(halves, 8))) as usize
        }
    }

    #[allow(unused_unsafe)]
    #[inline(always)]
    pub fn mask_of_specials(chunk: &[u8; WIDTH]) -> u32 {
        let all = loaded(chunk);
        // SAFETY: SSE2 is part of x86-64
        unsafe {
            let quotes = _mm_cmpeq_epi8(all, _mm_set1_epi8(b'"' as i8));
            let escapes = _mm_cmpeq_epi8(all, _mm_set1_epi8(b'\\' as i8));
            let controls = _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(0x1f)), all);
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, escapes), controls)) as u32
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod wide {
    use super::WIDTH;

    fn mask_by(chunk: &[u8; WIDTH], holds: impl Fn(u8) -> bool) -> u32 {
        chunk.iter().enumerate().fold(0, |mask, (place, &one)| mask | u32::from(holds(one)) << place)
    }

    pub fn count_in(part: &[u8], byte: u8) -> usize {
        part.iter().filter(|&&one| one == byte).count()
    }

    pub fn mask_of(chunk: &[u8; WIDTH], byte: u8) -> u32 {
        mask_by(chunk, |one| one == byte)
    }

    pub fn mask_of_specials(chunk: &[u8; WIDTH]) -> u32 {
        mask_by(chunk, |one| one == b'"' || one == b'\\' || one < 0x20)
    }
}

use wide::{count_in, mask_of, mask_of_specials};

/// Texts that begin with a quote, of which a line must have one.
pub struct Markers {
    texts: Vec<Vec<u8>>,
    /// Which bytes come after their first quotes.
    seconds: [bool; 256],
}

impl Default for Markers {
    fn default() -> Self {
        Markers { texts: vec![], seconds: [false; 256] }
    }
}

impl Markers {
    /// One more; false where it does not begin with a quote and go on.
    pub fn add(&mut self, text: &[u8]) -> bool {
        let fits = text.len() > 1 && text[0] == b'"';
        if fits {
            self.texts.push(text.to_vec());
            self.seconds[usize::from(text[1])] = true;
        }
        fits
    }

    /// Whether none is wanted.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a line has one of them, or none is wanted.
    pub fn any_in(&self, line: &[u8]) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut at = 0;
        while let Some(chunk) = chunk_at(line, at) {
            let mut quotes = mask_of(chunk, b'"');
            while quotes != 0 {
                if self.begin(&line[at + quotes.trailing_zeros() as usize..]) {
                    return true;
                }
                quotes &= quotes - 1;
            }
            at += WIDTH;
        }
        (at..line.len()).any(|place| self.begin(&line[place..]))
    }

    #[inline(always)]
    fn begin(&self, rest: &[u8]) -> bool {
        let second = rest.get(1).copied().unwrap_or_default();
        self.seconds[usize::from(second)] && self.texts.iter().any(|text| rest.starts_with(text))
    }
}
