//! Vectors without instructions of their own: the compiler finds what the processor surely has.

use super::Simd;

/// `N` lanes in plain code; also the reference for the other instruction sets. Programs run with 8 lanes; with 16 the
/// tests walk the paths of AVX-512 on any processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable<const N: usize>;

#[inline(always)]
fn lanes<const N: usize>(value: impl Fn(usize) -> f32) -> [f32; N] {
    std::array::from_fn(value)
}

impl<const N: usize> Simd for Portable<N> {
    type V = [f32; N];
    const LANES: usize = N;
    const SUMS: usize = if N == 8 { 4 } else { 24 };

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        [value; N]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller's promise; `read_unaligned` asks for no more.
        unsafe { from.cast::<Self::V>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: Self::V) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<Self::V>().write_unaligned(value) }
    }

    #[inline(always)]
    fn prefetch(self, _at: *const f32) {}

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        lanes(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        lanes(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        lanes(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Not `f32::mul_add`, which is a slow function call where the processor has no such instruction.
        lanes(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        lanes(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn where_positive(self, value: Self::V, by: Self::V) -> Self::V {
        lanes(|i| if by[i] > 0.0 { value[i] } else { 0.0 })
    }
}
