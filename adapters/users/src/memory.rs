use std::collections::TryReserveError;

use argon2::Block;

/// What a turn keeps at most, 32 MiB in blocks of 1 KiB. The current parameters need 19 of them.
///
/// More is for one hash only, so that no costly one keeps its memory for ever. Allocators take pieces this large from the
/// system and give them back at once; smaller ones they may keep, for each thread that has freed some.
const MOST_KEPT: usize = 32 * 1024;

/// The memory that hashes fill, one after another: allocated when it is first needed, then kept.
///
/// It is not wiped between two hashes. The argon2 crate does not wipe its own either, and each hash overwrites every
/// block before it reads it. Whoever can read the memory of this process reads the passwords as they come in anyway.
#[derive(Default)]
pub(crate) struct Memory {
    blocks: Vec<Block>,
    #[cfg(test)]
    pub(crate) allocations: usize,
}

impl Memory {
    /// What `work` makes of at least so many blocks, whatever is in them.
    pub(crate) fn lend<T>(
        &mut self,
        number: usize,
        work: impl FnOnce(&mut [Block]) -> T,
    ) -> Result<T, TryReserveError> {
        if self.blocks.len() >= number {
            return Ok(work(&mut self.blocks));
        }
        #[cfg(test)]
        {
            self.allocations += 1;
        }
        if number > MOST_KEPT {
            return Ok(work(&mut allocate(number)?));
        }
        // The old ones go first: nobody needs both at the same time.
        self.blocks = Vec::new();
        self.blocks = allocate(number)?;
        Ok(work(&mut self.blocks))
    }
}

/// Unlike `vec!`, it survives when there is not so much memory.
fn allocate(number: usize) -> Result<Vec<Block>, TryReserveError> {
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(number)?;
    blocks.resize(number, Block::new());
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Memory {
        pub(crate) fn kept(&self) -> usize {
            self.blocks.len()
        }
    }

    fn lent(memory: &mut Memory, number: usize) -> usize {
        memory.lend(number, |blocks| blocks.len()).unwrap()
    }

    #[test]
    fn memory_is_allocated_when_needed_and_grows() {
        let mut memory = Memory::default();
        assert_eq!(memory.kept(), 0);
        assert_eq!([16, 8, 16, 32, 16].map(|number| lent(&mut memory, number)), [16, 16, 16, 32, 32]);
        assert_eq!((memory.allocations, memory.kept()), (2, 32));
    }

    #[test]
    fn the_memory_of_a_costly_hash_goes_back_after_it() {
        let mut memory = Memory::default();
        lent(&mut memory, 8);
        assert_eq!(lent(&mut memory, MOST_KEPT + 1), MOST_KEPT + 1);
        assert_eq!(memory.kept(), 8);
        lent(&mut memory, MOST_KEPT);
        assert_eq!(memory.kept(), MOST_KEPT);
    }

    #[test]
    fn too_little_memory_is_an_error() {
        let mut memory = Memory::default();
        assert!(memory.lend(usize::MAX, |_| ()).is_err());
        assert!(memory.lend(8, |_| ()).is_ok());
    }
}
