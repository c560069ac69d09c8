//! Whether a picture fits into memory, told before the work begins.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::{InferenceError, resize::Size, stylizer::MIN_SIDE};

/// Bytes a pixel of the frame: itself, and the painting at its size.
pub(crate) const FRAME_BYTES_PER_PIXEL: u64 = 3 + 3;
/// Bytes a pixel that the network sees, beside what it takes: the painting as floats and as bytes, what smoothing remembers.
pub(crate) const BYTES_PER_PIXEL: u64 = 3 * 4 + 3 + 3 + 3 * 8 + 2 * 4;
/// Part of the free memory that a picture may take; other programs go on living.
const SHARE: f64 = 0.9;

/// Bytes that are free for use, in this container where it has a limit; nothing where the system does not tell.
fn available() -> Option<u64> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory).ok()?;
    // Not what the limits call free, which leaves out what files in the cache take and would give back.
    let limit = system.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss));
    Some(system.available_memory()).into_iter().chain(limit).filter(|bytes| *bytes > 0).min()
}

/// Fails where painting at `size` takes more than is free; `needed` tells how much a size takes.
pub(crate) fn check(
    size: Size,
    needed: impl Fn(Size) -> Result<u64, InferenceError>,
) -> Result<(), InferenceError> {
    // Where nobody knows what is free, the picture gets the benefit of the doubt.
    usable().map_or(Ok(()), |usable| check_within(usable, size, needed))
}

/// Bytes that a picture may take; nothing where the system does not tell.
pub(crate) fn usable() -> Option<u64> {
    available().map(|available| (available as f64 * SHARE) as u64)
}

fn check_within(
    available: u64,
    size: Size,
    needed: impl Fn(Size) -> Result<u64, InferenceError>,
) -> Result<(), InferenceError> {
    let bytes = needed(size)?;
    if bytes <= available {
        return Ok(());
    }
    let fits = largest_fitting(size, |size| Ok(needed(size)? <= available))?;
    let fits = fits.map(|Size { width, height }| (width, height));
    Err(InferenceError::Memory { width: size.width, height: size.height, needed: bytes, available, fits })
}

/// The largest size of the same shape that fits, in steps of a 64th of its sides.
pub(crate) fn largest_fitting(
    size: Size,
    fits: impl Fn(Size) -> Result<bool, InferenceError>,
) -> Result<Option<Size>, InferenceError> {
    const STEPS: u64 = 64;
    let scaled = |step: u64| {
        let side = |side: u32| (u64::from(side) * step / STEPS) as u32;
        Size { width: side(size.width) / 4 * 4, height: side(size.height) / 4 * 4 }
    };
    let (mut good, mut bad) = (0, STEPS);
    while bad - good > 1 {
        let middle = (good + bad) / 2;
        let candidate = scaled(middle);
        if candidate.width.min(candidate.height) < MIN_SIDE || fits(candidate)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    let found = scaled(good);
    Ok((found.width.min(found.height) >= MIN_SIDE).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(Size { width, height }: Size) -> Result<u64, InferenceError> {
        Ok(200 * u64::from(width) * u64::from(height))
    }

    #[test]
    fn what_fits_passes_and_what_does_not_is_told_with_a_size_that_does() {
        let size = Size { width: 4000, height: 2000 };
        check_within(2_000_000_000, size, bytes).unwrap();
        let error = check_within(400_000_000, size, bytes).unwrap_err();
        let InferenceError::Memory { needed, fits: Some((width, height)), .. } = error else {
            panic!("{error}")
        };
        assert_eq!(needed, 1_600_000_000);
        let fitting = bytes(Size { width, height }).unwrap();
        assert!((380_000_000..=400_000_000).contains(&fitting), "{width}x{height}");
        assert!(width.abs_diff(2 * height) <= 8);
        let message = check_within(400_000_000, size, bytes).unwrap_err().to_string();
        assert!(message.contains("1.6 GB") && message.contains("--process-size 2000x1000"), "{message}");
    }

    #[test]
    fn where_nothing_fits_no_size_is_offered() {
        let error = check_within(1000, Size { width: 4000, height: 20 }, bytes).unwrap_err();
        assert!(matches!(error, InferenceError::Memory { fits: None, .. }), "{error}");
    }

    #[test]
    fn this_machine_has_some_memory() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
