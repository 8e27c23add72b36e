//! Searches the memory of this process, through the file that the system shows it in.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

const LENGTH: usize = 64;
/// How long a secret is that is made of it: the longest that a password may be, nearly. What is allocated meanwhile,
/// and what an allocator notes in freed blocks, hides little of that.
pub(crate) const WHOLE: usize = 15 * LENGTH;
/// So many bytes of it in a row are no chance.
const PART: usize = 16;
const PAGE: usize = 4096;

/// What it takes to search. All of its room is made before there is anything to be found: what a search allocates would lie
/// over what was freed.
pub(crate) struct Memory {
    maps: String,
    ranges: Vec<(u64, u64)>,
    room: Vec<u8>,
}

/// A text that stands nowhere in memory unless somebody was given it: it is computed, a byte at a time.
#[derive(Clone, Copy)]
pub(crate) struct Pattern(u64);

/// Others wait meanwhile: what they allocate might lie over what is looked for.
pub(crate) fn alone() -> MutexGuard<'static, Memory> {
    static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(|| {
        let maps = String::with_capacity(1 << 20);
        Mutex::new(Memory { maps, ranges: Vec::with_capacity(10_000), room: vec![0; 256 * PAGE] })
    });
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pattern {
    pub(crate) fn new() -> Self {
        Self(black_box(RandomState::new().hash_one(0)))
    }

    /// A letter or digit, which no form encodes (splitmix64).
    fn byte(self, at: usize) -> u8 {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut z = self.0.wrapping_add((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        LETTERS[((z ^ (z >> 31)) % 32) as usize]
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(WHOLE);
        self.append(&mut bytes);
        bytes
    }

    /// Writes it where there is room for it.
    pub(crate) fn append(self, bytes: &mut Vec<u8>) {
        assert!(bytes.capacity() - bytes.len() >= WHOLE, "growing would leave a copy behind");
        bytes.extend((0..WHOLE).map(|at| self.byte(at % LENGTH)));
    }

    pub(crate) fn is(self, text: &str) -> bool {
        text.len() == WHOLE && text.bytes().enumerate().all(|(at, byte)| byte == self.byte(at % LENGTH))
    }
}

impl Memory {
    /// In how many places parts of a pattern are to be found in the memory of this process, in use or freed.
    pub(crate) fn places(&mut self, pattern: Pattern) -> usize {
        self.read_ranges();
        let masked: [u8; LENGTH] = std::array::from_fn(|at| !pattern.byte(at));
        let memory = File::open("/proc/self/mem").unwrap();
        let (mut searched, mut found) = (0, 0);
        for &(start, end) in &self.ranges {
            let mut at = start;
            while at < end {
                let wanted = usize::try_from(end - at).unwrap().min(self.room.len());
                // What cannot be read (any more) is nobody's to read.
                let Ok(length @ 1..) = memory.read_at(&mut self.room[..wanted], at) else { break };
                searched += length;
                found += self.room[..length].chunks(PAGE).map(|page| places_in(page, &masked)).sum::<usize>();
                at += length as u64;
            }
        }
        self.room.fill(0);
        assert!(searched > 100_000, "only {searched} bytes could be read");
        found
    }

    /// What this process may write to, and so may have written a secret to.
    fn read_ranges(&mut self) {
        self.maps.clear();
        self.ranges.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let read = |line: &str| {
            let (range, rights) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            rights.starts_with("rw").then_some((number(start)?, number(end)?))
        };
        self.ranges.extend(self.maps.lines().filter_map(read));
    }
}

/// How many sixteenth bytes of a page stand amid `PART` of the pattern's. The pattern is masked, so that it is not what
/// is found.
fn places_in(page: &[u8], masked: &[u8; LENGTH]) -> usize {
    if page == &[0; PAGE][..page.len()] {
        return 0;
    }
    let places = (0..page.len()).step_by(PART).filter(|&place| page[place].is_ascii_alphanumeric());
    places.filter(|&place| (0..LENGTH).any(|at| run(page, place, masked, at) >= PART)).count()
}

/// How many bytes around `place` are those around `at`.
fn run(page: &[u8], place: usize, masked: &[u8; LENGTH], at: usize) -> usize {
    if page[place] != !masked[at] {
        return 0;
    }
    let is_same = |(byte, other): &(&u8, &u8)| **byte == !**other;
    let after = page[place..].iter().zip(&masked[at..]).take_while(is_same).count();
    let before = page[..place].iter().rev().zip(masked[..at].iter().rev()).take_while(is_same).count();
    before + after
}
