//! The fake card as a library, in place of the engine for CUDA cards; `FAKE_CARD` says how it is.
#![allow(unsafe_code, reason = "the name under which a library shows its table")]

use std::sync::OnceLock;

use pastiche_fake_card::FakeCards;
use pastiche_inference::card::{
    Cards,
    abi::Table,
    export::{Exported, table},
};

struct Library;

impl Exported for Library {
    fn cards() -> &'static dyn Cards {
        static CARDS: OnceLock<FakeCards> = OnceLock::new();
        CARDS.get_or_init(|| FakeCards::from_environment().unwrap_or_else(|message| panic!("{message}")))
    }
}

static TABLE: Table = table::<Library>();

/// What programs look for.
// SAFETY: no other function of this name is in this library.
#[unsafe(no_mangle)]
pub extern "C" fn pastiche_cards() -> *const Table {
    &raw const TABLE
}
