//! Memory of planes that are gone, kept for those to come: a training step needs the same sizes over and over, and fresh
//! pages cost more time than much of what is computed on them.

use std::sync::{Mutex, PoisonError};

use crate::plan::lines::Lines;

/// Floats that are kept at most: 256 MiB.
const MAX_SPARE_FLOATS: usize = 64 << 20;

/// The longest unused first.
static SPARE: Mutex<Vec<Lines>> = Mutex::new(Vec::new());

/// `len` floats of any value.
pub(super) fn take(len: usize) -> Lines {
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    match spare.iter().rposition(|lines| lines.len() == len) {
        Some(place) => spare.remove(place),
        None => {
            drop(spare);
            Lines::zeros(len)
        }
    }
}

/// Takes memory back; what is larger than all that may be kept goes to the system.
pub(super) fn give_back(lines: Lines) {
    if lines.len() > MAX_SPARE_FLOATS {
        return;
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    spare.push(lines);
    let mut floats: usize = spare.iter().map(Lines::len).sum();
    while floats > MAX_SPARE_FLOATS {
        floats -= spare.remove(0).len();
    }
}
