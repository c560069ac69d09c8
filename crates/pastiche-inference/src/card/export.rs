//! The library's side of the border: any [`Cards`] behind the C functions of [`abi`](super::abi).
//!
//! ```
//! use pastiche_inference::card::{CardError, CardInfo, Card, Cards, abi::Table, export::{Exported, table}};
//!
//! struct NoCards;
//!
//! impl Cards for NoCards {
//!     fn list(&self) -> Result<Vec<CardInfo>, CardError> {
//!         Ok(Vec::new())
//!     }
//!
//!     fn open(&self, number: usize) -> Result<Box<dyn Card>, CardError> {
//!         Err(CardError::Failed { reason: format!("there is no card {number}") })
//!     }
//! }
//!
//! impl Exported for NoCards {
//!     fn cards() -> &'static dyn Cards {
//!         &NoCards
//!     }
//! }
//!
//! static TABLE: Table = table::<NoCards>();
//! // A library gives `&raw const TABLE` out as `pastiche_cards`.
//! ```
#![allow(unsafe_code, reason = "what a program hands over comes as pointers")]

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    slice,
};

use candle_core::Device;
use pastiche_nn::WeightsFile;

use super::{
    Card, CardError, CardPlan, Cards,
    abi::{Failure, Handle, RawInfo, Table, VERSION, precision_of},
};

/// The cards that a library gives to programs.
pub trait Exported {
    /// They live as long as the program.
    fn cards() -> &'static dyn Cards;
}

/// The table for the cards of `E`.
pub const fn table<E: Exported>() -> Table {
    Table {
        version: VERSION,
        list: list::<E>,
        open: open::<E>,
        close,
        place,
        remove,
        weight_bytes,
        memory_bytes,
        release,
        paint,
        submit,
        collect,
    }
}

/// Runs `body`, and writes what goes wrong to `failure`, a panic too.
///
/// # Safety
/// `failure` can be written to.
unsafe fn guarded(failure: *mut Failure, body: impl FnOnce() -> Result<(), CardError>) -> bool {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(crashed(panic.as_ref())));
    if let Err(error) = &result {
        // SAFETY: the caller's promise.
        unsafe { failure.write(Failure::from(error)) };
    }
    result.is_ok()
}

fn crashed(panic: &(dyn Any + Send)) -> CardError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    CardError::Failed {
        reason: format!("its engine crashed, which is a defect in the program; please report it: {text}"),
    }
}

/// What `body` gives, or nothing much where it panics.
fn guarded_value<T: Default>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_default()
}

/// # Safety
/// It is a plan of ours that is not given back, and nobody else uses it meanwhile.
unsafe fn plan_of<'a>(plan: Handle) -> &'a mut dyn CardPlan {
    // SAFETY: `place` made it of a box of just this type.
    unsafe { &mut **plan.cast::<Box<dyn CardPlan>>() }
}

/// # Safety
/// `pixels` points to 3 bytes for each pixel of a picture of that size, which nobody writes to meanwhile.
unsafe fn picture<'a>(pixels: *const u8, height: usize, width: usize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(pixels, 3 * height * width) }
}

unsafe extern "C" fn list<E: Exported>(
    cards: *mut RawInfo,
    capacity: usize,
    count: *mut usize,
    failure: *mut Failure,
) -> bool {
    let body = || {
        let found = E::cards().list()?;
        for (at, info) in found.iter().take(capacity).enumerate() {
            // SAFETY: `cards` has room for `capacity`, and `at` is less.
            unsafe { cards.add(at).write(RawInfo::from(info)) };
        }
        // SAFETY: the table says that it can be written to.
        unsafe { count.write(found.len()) };
        Ok(())
    };
    // SAFETY: the table says that it can be written to.
    unsafe { guarded(failure, body) }
}

unsafe extern "C" fn open<E: Exported>(number: usize, card: *mut Handle, failure: *mut Failure) -> bool {
    let body = || {
        let opened = Box::new(E::cards().open(number)?);
        // SAFETY: the table says that it can be written to.
        unsafe { card.write(Box::into_raw(opened).cast()) };
        Ok(())
    };
    // SAFETY: the table says that it can be written to.
    unsafe { guarded(failure, body) }
}

unsafe extern "C" fn close(card: Handle) {
    // SAFETY: `open` made it of a box of just this type, and the caller gives it back.
    let card = unsafe { Box::from_raw(card.cast::<Box<dyn Card>>()) };
    guarded_value(|| drop(card));
}

unsafe extern "C" fn place(
    card: Handle,
    weights: *const u8,
    len: usize,
    precision: u32,
    plan: *mut Handle,
    failure: *mut Failure,
) -> bool {
    let body = || {
        // SAFETY: `open` made it of a box of just this type, and it is only read.
        let card = unsafe { &**card.cast::<Box<dyn Card>>() };
        // SAFETY: the table says that there are so many bytes.
        let bytes = unsafe { slice::from_raw_parts(weights, len) }.to_vec();
        let failed = |what: String| CardError::Failed { reason: what };
        let precision =
            precision_of(precision).ok_or_else(|| failed(format!("it knows no precision {precision}")))?;
        let network = WeightsFile::from_bytes(bytes)
            .and_then(|file| file.any_network(&Device::Cpu))
            .map_err(|error| failed(format!("the network did not reach it: {error}")))?;
        let placed = Box::new(card.place(&network, precision)?);
        // SAFETY: the table says that it can be written to.
        unsafe { plan.write(Box::into_raw(placed).cast()) };
        Ok(())
    };
    // SAFETY: the table says that it can be written to.
    unsafe { guarded(failure, body) }
}

unsafe extern "C" fn remove(plan: Handle) {
    // SAFETY: `place` made it of a box of just this type, and the caller gives it back.
    let plan = unsafe { Box::from_raw(plan.cast::<Box<dyn CardPlan>>()) };
    guarded_value(|| drop(plan));
}

unsafe extern "C" fn weight_bytes(plan: Handle) -> u64 {
    // SAFETY: the table says what a handle is.
    guarded_value(|| unsafe { plan_of(plan) }.weight_bytes())
}

unsafe extern "C" fn memory_bytes(plan: Handle, height: usize, width: usize) -> u64 {
    // SAFETY: the table says what a handle is.
    guarded_value(|| unsafe { plan_of(plan) }.memory_bytes((height, width)))
}

unsafe extern "C" fn release(plan: Handle) {
    // SAFETY: the table says what a handle is.
    guarded_value(|| unsafe { plan_of(plan) }.release());
}

unsafe extern "C" fn paint(
    plan: Handle,
    pixels: *const u8,
    height: usize,
    width: usize,
    painting: *mut f32,
    len: usize,
    failure: *mut Failure,
) -> bool {
    let body = || {
        // SAFETY: the table says what these are.
        let (plan, pixels) = unsafe { (plan_of(plan), picture(pixels, height, width)) };
        // SAFETY: the table says that there is room for so many, which nobody else sees meanwhile.
        let painting = unsafe { slice::from_raw_parts_mut(painting, len) };
        plan.paint(pixels, (height, width), painting)
    };
    // SAFETY: the table says that it can be written to.
    unsafe { guarded(failure, body) }
}

unsafe extern "C" fn submit(
    plan: Handle,
    pixels: *const u8,
    height: usize,
    width: usize,
    failure: *mut Failure,
) -> bool {
    let body = || {
        // SAFETY: the table says what these are.
        let (plan, pixels) = unsafe { (plan_of(plan), picture(pixels, height, width)) };
        plan.submit(pixels, (height, width))
    };
    // SAFETY: the table says that it can be written to.
    unsafe { guarded(failure, body) }
}

unsafe extern "C" fn collect(plan: Handle, painting: *mut u8, len: usize, failure: *mut Failure) -> bool {
    let body = || {
        // SAFETY: the table says what a handle is.
        let plan = unsafe { plan_of(plan) };
        // SAFETY: the table says that there is room for so many, which nobody else sees meanwhile.
        plan.collect(unsafe { slice::from_raw_parts_mut(painting, len) })
    };
    // SAFETY: the table says that it can be written to.
    unsafe { guarded(failure, body) }
}
