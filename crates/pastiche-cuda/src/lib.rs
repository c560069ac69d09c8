//! The engine for CUDA cards as a library: `libpastiche_cuda.so`, which the program loads from beside itself.
//!
//! candle and cuDNN are linked when a program is built, and such a program starts only where CUDA is. So the program has none
//! of it, and this library has all: the plan for CUDA cards behind the C functions of
//! [`pastiche_inference::card::abi`]. Without the feature `cuda` the library is empty, which the program takes for none.
#![cfg_attr(feature = "cuda", allow(unsafe_code, reason = "the name under which a library shows its table"))]

#[cfg(feature = "cuda")]
mod entry {
    use pastiche_inference::card::{
        Cards, CudaCards,
        abi::Table,
        export::{Exported, table},
    };

    struct Library;

    impl Exported for Library {
        fn cards() -> &'static dyn Cards {
            &CudaCards
        }
    }

    static TABLE: Table = table::<Library>();

    /// What programs look for.
    // SAFETY: no other function of this name is in this library.
    #[unsafe(no_mangle)]
    extern "C" fn pastiche_cards() -> *const Table {
        &raw const TABLE
    }
}
