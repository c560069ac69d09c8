//! What a library with an engine for cards shows to a program: one function without arguments, [`SYMBOL`], that gives a
//! [`Table`] of functions. Both sides are ours, in one file each: [`export`](super::export) and [`library`](super).
//!
//! Whoever changes anything here changes [`VERSION`], so that a library and a program of different kinds refuse each other
//! before they read more than that number. Nothing is allocated on one side and given back on the other; no panic crosses
//! the border; strings are UTF-8, cut where they do not fit.

use std::ffi::c_void;

use super::{CardError, CardInfo, CardPrecision};

/// The version of everything in this file.
pub const VERSION: u32 = 1;

/// The name of the function that gives the table, an [`Entry`].
pub const SYMBOL: &str = "pastiche_cards";

/// The function that gives the table, which lives as long as the program.
pub type Entry = unsafe extern "C" fn() -> *const Table;

/// A card or a plan on the library's side.
pub type Handle = *mut c_void;

/// The functions. Those that can fail return whether they have not, and fill in a [`Failure`] where they have.
///
/// Pointers are valid for what is said beside them, handles are those that this library gave and that were not given back; a
/// handle is used by one thread at a time, but a card's may be used by several.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// [`VERSION`]; nothing else is read where it is another.
    pub version: u32,
    /// Writes the first `capacity` cards to `cards`, and how many there are to `count`.
    pub list: unsafe extern "C" fn(
        cards: *mut RawInfo,
        capacity: usize,
        count: *mut usize,
        failure: *mut Failure,
    ) -> bool,
    /// Makes a card ready, and writes its handle to `card`.
    pub open: unsafe extern "C" fn(number: usize, card: *mut Handle, failure: *mut Failure) -> bool,
    /// Gives a card back; plans on it are given back before.
    pub close: unsafe extern "C" fn(card: Handle),
    /// Places the network of a `.safetensors` file of `len` bytes on a card, and writes its handle to `plan`.
    pub place: unsafe extern "C" fn(
        card: Handle,
        weights: *const u8,
        len: usize,
        precision: u32,
        plan: *mut Handle,
        failure: *mut Failure,
    ) -> bool,
    /// Gives a plan back.
    pub remove: unsafe extern "C" fn(plan: Handle),
    /// As [`CardPlan::weight_bytes`](super::CardPlan::weight_bytes).
    pub weight_bytes: unsafe extern "C" fn(plan: Handle) -> u64,
    /// As [`CardPlan::memory_bytes`](super::CardPlan::memory_bytes).
    pub memory_bytes: unsafe extern "C" fn(plan: Handle, height: usize, width: usize) -> u64,
    /// As [`CardPlan::release`](super::CardPlan::release).
    pub release: unsafe extern "C" fn(plan: Handle),
    /// As [`CardPlan::paint`](super::CardPlan::paint): `pixels` has 3 bytes a pixel, `painting` `len` numbers.
    pub paint: unsafe extern "C" fn(
        plan: Handle,
        pixels: *const u8,
        height: usize,
        width: usize,
        painting: *mut f32,
        len: usize,
        failure: *mut Failure,
    ) -> bool,
    /// As [`CardPlan::submit`](super::CardPlan::submit): `pixels` has 3 bytes a pixel.
    pub submit: unsafe extern "C" fn(
        plan: Handle,
        pixels: *const u8,
        height: usize,
        width: usize,
        failure: *mut Failure,
    ) -> bool,
    /// As [`CardPlan::collect`](super::CardPlan::collect): `painting` has `len` bytes.
    pub collect:
        unsafe extern "C" fn(plan: Handle, painting: *mut u8, len: usize, failure: *mut Failure) -> bool,
}

/// A short text.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text<const CAPACITY: usize> {
    len: u32,
    bytes: [u8; CAPACITY],
}

impl<const CAPACITY: usize> Text<CAPACITY> {
    const EMPTY: Self = Self { len: 0, bytes: [0; CAPACITY] };

    fn new(text: &str) -> Self {
        let mut result = Self::EMPTY;
        let len = text.floor_char_boundary(CAPACITY);
        result.bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        // No capacity here is near what a u32 holds.
        result.len = len as u32;
        result
    }

    fn read(&self) -> String {
        let len = CAPACITY.min(self.len as usize);
        String::from_utf8_lossy(&self.bytes[..len]).into_owned()
    }
}

/// A [`CardInfo`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RawInfo {
    memory_bytes: u64,
    capability: [u32; 2],
    driver: [u32; 2],
    name: Text<256>,
}

impl RawInfo {
    /// To be written to.
    pub const EMPTY: Self = Self { memory_bytes: 0, capability: [0; 2], driver: [0; 2], name: Text::EMPTY };
}

impl From<&CardInfo> for RawInfo {
    fn from(info: &CardInfo) -> Self {
        Self {
            memory_bytes: info.memory_bytes,
            capability: info.capability.into(),
            driver: info.driver.into(),
            name: Text::new(&info.name),
        }
    }
}

impl From<&RawInfo> for CardInfo {
    fn from(raw: &RawInfo) -> Self {
        Self {
            name: raw.name.read(),
            memory_bytes: raw.memory_bytes,
            capability: raw.capability.into(),
            driver: raw.driver.into(),
        }
    }
}

/// A [`CardError`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    kind: u32,
    needed: u64,
    free: u64,
    reason: Text<1024>,
}

const NOT_INSTALLED: u32 = 1;
const OUT_OF_MEMORY: u32 = 2;
const LOST: u32 = 3;
const FAILED: u32 = 4;

impl Failure {
    /// To be written to.
    pub const EMPTY: Self = Self { kind: FAILED, needed: 0, free: 0, reason: Text::EMPTY };
}

impl From<&CardError> for Failure {
    fn from(error: &CardError) -> Self {
        let with = |kind, reason: &str| Self { kind, reason: Text::new(reason), ..Self::EMPTY };
        match error {
            CardError::NotInstalled { reason } => with(NOT_INSTALLED, reason),
            CardError::OutOfMemory { needed, free } => {
                Self { kind: OUT_OF_MEMORY, needed: *needed, free: *free, ..Self::EMPTY }
            }
            CardError::Lost { reason } => with(LOST, reason),
            CardError::Failed { reason } => with(FAILED, reason),
        }
    }
}

impl From<&Failure> for CardError {
    fn from(failure: &Failure) -> Self {
        let reason = failure.reason.read();
        match failure.kind {
            NOT_INSTALLED => Self::NotInstalled { reason },
            OUT_OF_MEMORY => Self::OutOfMemory { needed: failure.needed, free: failure.free },
            LOST => Self::Lost { reason },
            _ => Self::Failed { reason },
        }
    }
}

/// A [`CardPrecision`] as a number.
#[cfg_attr(feature = "cuda", allow(dead_code, reason = "a build that is the library loads none"))]
pub(super) const fn raw_precision(precision: CardPrecision) -> u32 {
    match precision {
        CardPrecision::F32 => 32,
        CardPrecision::F16 => 16,
    }
}

/// The [`CardPrecision`] of a number.
pub(super) const fn precision_of(raw: u32) -> Option<CardPrecision> {
    match raw {
        32 => Some(CardPrecision::F32),
        16 => Some(CardPrecision::F16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_cards_cross_the_border_whole() {
        for error in [
            CardError::NotInstalled { reason: "nowhere".to_owned() },
            CardError::OutOfMemory { needed: 1 << 40, free: 7 },
            CardError::Lost { reason: "while painting (unknown error)".to_owned() },
            CardError::Failed { reason: String::new() },
        ] {
            assert_eq!(CardError::from(&Failure::from(&error)), error);
        }
        let info = CardInfo {
            name: "Karte №1".to_owned(),
            memory_bytes: 80_000_000_000,
            capability: (9, 0),
            driver: (13, 0),
        };
        assert_eq!(CardInfo::from(&RawInfo::from(&info)), info);
        for precision in [CardPrecision::F32, CardPrecision::F16] {
            assert_eq!(precision_of(raw_precision(precision)), Some(precision));
        }
        assert_eq!(precision_of(8), None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let error = CardError::Failed { reason: "é".repeat(2000) };
        let CardError::Failed { reason } = CardError::from(&Failure::from(&error)) else { panic!("{error}") };
        assert_eq!(reason, "é".repeat(512));
        let odd: Text<3> = Text::new("éé");
        assert_eq!(odd.read(), "é");
    }
}
