//! AVX2 with FMA, and AVX-512.

use std::arch::x86_64::*;

use super::Simd;

/// Proof of AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Proof of AVX-512 F and VL.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

/// Proof of AVX-512 F, VL and BF16.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Bf16(());

impl Avx512Bf16 {
    #[target_feature(enable = "avx512bf16,avx512f,avx512vl")]
    #[inline]
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Avx2 {
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Avx512 {
    #[target_feature(enable = "avx512f,avx512vl")]
    #[inline]
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// Implements [`Simd`] by intrinsics of one width.
macro_rules! simd {
    ($name:ident, $vector:ty, $lanes:expr, $sums:expr, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident,
     $mul:ident, $mul_add:ident, $max:ident $(, $more:item)*) => {
        impl Simd for $name {
            type V = $vector;
            const LANES: usize = $lanes;
            const SUMS: usize = $sums;

            #[inline(always)]
            fn splat(self, value: f32) -> Self::V {
                // SAFETY: `self` proves that the processor has the instructions.
                unsafe { $splat(value) }
            }

            #[inline(always)]
            unsafe fn load(self, from: *const f32) -> Self::V {
                // SAFETY: `self` proves the instructions, the caller the memory.
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32, value: Self::V) {
                // SAFETY: `self` proves the instructions, the caller the memory.
                unsafe { $store(to, value) }
            }

            #[inline(always)]
            fn prefetch(self, at: *const f32) {
                // SAFETY: every x86-64 processor has the instruction, which never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
            }

            #[inline(always)]
            fn add(self, a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: `self` proves that the processor has the instructions.
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            fn sub(self, a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $sub(a, b) }
            }

            #[inline(always)]
            fn mul(self, a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $mul(a, b) }
            }

            #[inline(always)]
            fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $mul_add(a, b, c) }
            }

            #[inline(always)]
            fn max(self, a: Self::V, b: Self::V) -> Self::V {
                // SAFETY: as above.
                unsafe { $max(a, b) }
            }

            $($more)*
        }
    };
}

simd!(
    Avx2,
    __m256,
    8,
    12,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_fmadd_ps,
    _mm256_max_ps,
    #[inline(always)]
    fn where_positive(self, value: Self::V, by: Self::V) -> Self::V {
        // SAFETY: `self` proves that the processor has the instructions.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(by, _mm256_setzero_ps()), value) }
    },
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: `self` proves the instructions, the caller the memory.
        unsafe { transpose_8x8(from, from_stride, to, to_stride) }
    },
    #[inline(always)]
    fn add_pairs(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the instructions.
        unsafe {
            let upper = _mm256_castsi256_ps(_mm256_set1_epi32(0xffff_0000_u32 as i32));
            let low_a = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(a)));
            let low_b = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(b)));
            let low = _mm256_fmadd_ps(low_a, low_b, c);
            _mm256_fmadd_ps(_mm256_and_ps(a, upper), _mm256_and_ps(b, upper), low)
        }
    }
);
/// [`simd`] for the two sets of 512 bits, which differ in bf16 only.
macro_rules! simd_512 {
    ($name:ident $(, $more:item)*) => {
        simd!(
            $name,
            __m512,
            16,
            24,
            _mm512_set1_ps,
            _mm512_loadu_ps,
            _mm512_storeu_ps,
            _mm512_add_ps,
            _mm512_sub_ps,
            _mm512_mul_ps,
            _mm512_fmadd_ps,
            _mm512_max_ps,
            #[inline(always)]
            fn where_positive(self, value: Self::V, by: Self::V) -> Self::V {
                // SAFETY: `self` proves that the processor has the instructions.
                unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(by, _mm512_setzero_ps()), value) }
            }
            $(, $more)*
        );
    };
}

simd_512!(Avx512);
simd_512!(
    Avx512Bf16,
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16, value: __m512) {
        // SAFETY: `self` proves the instructions, the caller the memory; the types are the same 256 bits.
        unsafe {
            let pairs = std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(value));
            _mm256_storeu_si256(to.cast(), pairs);
        }
    },
    #[inline(always)]
    fn add_pairs(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves the instructions; the types are the same 512 bits.
        unsafe {
            let [a, b] =
                [std::mem::transmute::<__m512, __m512bh>(a), std::mem::transmute::<__m512, __m512bh>(b)];
            _mm512_dpbf16_ps(c, a, b)
        }
    }
);

/// Turns 8 rows of 8 numbers into columns: pairs, then fours, then halves change places.
///
/// # Safety
/// The processor has AVX2; the rows can be read and written.
#[inline(always)]
unsafe fn transpose_8x8(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut rows = [_mm256_setzero_ps(); 8];
        for (y, row) in rows.iter_mut().enumerate() {
            *row = _mm256_loadu_ps(from.add(y * from_stride));
        }
        let mut pairs = rows;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
        }
        let mut fours = pairs;
        for half in 0..2 {
            let at = 4 * half;
            for i in 0..2 {
                fours[at + 2 * i] = _mm256_shuffle_ps::<0x44>(pairs[at + i], pairs[at + 2 + i]);
                fours[at + 2 * i + 1] = _mm256_shuffle_ps::<0xEE>(pairs[at + i], pairs[at + 2 + i]);
            }
        }
        for i in 0..4 {
            let (low, high) = (fours[i], fours[4 + i]);
            _mm256_storeu_ps(to.add(i * to_stride), _mm256_permute2f128_ps::<0x20>(low, high));
            _mm256_storeu_ps(to.add((4 + i) * to_stride), _mm256_permute2f128_ps::<0x31>(low, high));
        }
    }
}
