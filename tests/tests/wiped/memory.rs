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

/// What to look for, masked, so that it is not what is found.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    masked: [u8; LENGTH],
    length: usize,
}

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

    /// Its first bytes, for what holds no more than so many.
    pub(crate) fn first<const N: usize>(self) -> [u8; N] {
        assert!(N <= LENGTH, "it would begin again");
        std::array::from_fn(|at| self.byte(at))
    }

    pub(crate) fn is(self, text: &str) -> bool {
        text.len() == WHOLE && text.bytes().enumerate().all(|(at, byte)| byte == self.byte(at % LENGTH))
    }
}

impl From<Pattern> for Wanted {
    fn from(pattern: Pattern) -> Self {
        Self { masked: std::array::from_fn(|at| !pattern.byte(at)), length: LENGTH }
    }
}

impl From<&[u8; 32]> for Wanted {
    fn from(bytes: &[u8; 32]) -> Self {
        let mut masked = [0; LENGTH];
        masked.iter_mut().zip(bytes).for_each(|(to, from)| *to = !from);
        Self { masked, length: bytes.len() }
    }
}

impl Wanted {
    /// How many sixteenth bytes of a page stand amid `PART` of what is wanted.
    fn places_in(&self, page: &[u8], may_be: &[bool; 256]) -> usize {
        if page == &[0; PAGE][..page.len()] {
            return 0;
        }
        let places = (0..page.len()).step_by(PART).filter(|&place| may_be[usize::from(page[place])]);
        places.filter(|&place| (0..self.length).any(|at| self.run(page, place, at) >= PART)).count()
    }

    /// How many bytes around `place` are those around `at`.
    fn run(&self, page: &[u8], place: usize, at: usize) -> usize {
        let masked = &self.masked[..self.length];
        if page[place] != !masked[at] {
            return 0;
        }
        let is_same = |(byte, other): &(&u8, &u8)| **byte == !**other;
        let after = page[place..].iter().zip(&masked[at..]).take_while(is_same).count();
        let before = page[..place].iter().rev().zip(masked[..at].iter().rev()).take_while(is_same).count();
        before + after
    }
}

/// Runs `work` deep down in the stack, where nothing that runs later comes: what it leaves behind there stays.
#[allow(clippy::large_stack_arrays, reason = "the stack is what it is about")]
pub(crate) fn deep<T>(work: impl FnOnce() -> T) -> T {
    let mut above = [1_u8; 256 * 1024];
    black_box(&mut above);
    let done = work();
    black_box(&mut above);
    done
}

impl Memory {
    /// In how many places parts of a secret are to be found in the memory of this process, in use or freed.
    pub(crate) fn places(&mut self, wanted: impl Into<Wanted>) -> usize {
        self.read_ranges();
        let wanted = wanted.into();
        let mut may_be = [false; 256];
        wanted.masked[..wanted.length].iter().for_each(|byte| may_be[usize::from(!byte)] = true);
        let memory = File::open("/proc/self/mem").unwrap();
        let (mut searched, mut found) = (0, 0);
        for &(start, end) in &self.ranges {
            let mut at = start;
            while at < end {
                let size = usize::try_from(end - at).unwrap().min(self.room.len());
                // What cannot be read (any more) is nobody's to read.
                let Ok(length @ 1..) = memory.read_at(&mut self.room[..size], at) else { break };
                searched += length;
                let pages = self.room[..length].chunks(PAGE);
                found += pages.map(|page| wanted.places_in(page, &may_be)).sum::<usize>();
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
