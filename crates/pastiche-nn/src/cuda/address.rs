//! Places in memory before there is any.

use crate::plan::arena::{Arena, BufferId};

/// A piece of the card's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// Nothing: a null pointer.
    Nothing,
    /// A buffer of the arena.
    Buffer(BufferId),
    /// The tables of rows and columns, one after another.
    Tables,
    /// The weights, one after another.
    Parameters,
    /// The picture that is painted.
    Picture,
    /// Where the painting goes.
    Painting,
}

/// A place in a piece of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) region: Region,
    /// From the beginning of the region.
    pub(super) bytes: usize,
}

impl Address {
    /// None.
    pub(super) const NULL: Self = Self::start(Region::Nothing);

    /// The beginning of a region.
    pub(super) const fn start(region: Region) -> Self {
        Self { region, bytes: 0 }
    }

    /// So many bytes further on.
    pub(super) const fn plus(self, bytes: usize) -> Self {
        Self { region: self.region, bytes: self.bytes + bytes }
    }
}

/// The arena counts in these; places in it begin on multiples of 16 of them.
pub(super) const UNIT_BYTES: usize = 16;

/// Where the regions are, once there is memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bases {
    pub(super) arena: u64,
    pub(super) tables: u64,
    pub(super) parameters: u64,
    pub(super) picture: u64,
    pub(super) painting: u64,
}

impl Bases {
    /// The pointer that an address becomes.
    pub(super) fn pointer(&self, arena: &Arena, address: Address) -> u64 {
        let base = match address.region {
            Region::Nothing => return 0,
            Region::Buffer(id) => self.arena + (arena.place(id) * UNIT_BYTES) as u64,
            Region::Tables => self.tables,
            Region::Parameters => self.parameters,
            Region::Picture => self.picture,
            Region::Painting => self.painting,
        };
        base + address.bytes as u64
    }
}
