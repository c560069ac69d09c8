//! Winograd's minimal filtering F(4x4, 3x3): 36 products where a direct convolution takes 144.
//!
//! Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", section 4.3: a tile of 4x4 outputs is
//! `A^T [(G g G^T) * (B^T d B)] A`, for 6x6 inputs `d` and 3x3 weights `g`.
#![allow(unsafe_code)] // pointers into blocks, whose bounds the callers know

use crate::simd::Simd;

// The polynomials are evaluated at 0, +-NEAR, +-FAR and infinity. With the usual +-1 and +-2 the rounding errors are about
// twice as large; all powers and products of these that are used are exact in `f32`.
const NEAR: f32 = 0.625;
const FAR: f32 = 1.5;
const NEAR_2: f32 = NEAR * NEAR;
const FAR_2: f32 = FAR * FAR;

/// Side of the outputs of a tile.
pub(crate) const OUT: usize = 4;
/// Side of its inputs.
pub(crate) const IN: usize = 6;
/// Side of a kernel.
pub(crate) const TAPS: usize = 3;
/// Products of a tile.
pub(crate) const PRODUCTS: usize = IN * IN;

/// Floats between the products of a tile: a little more than they take, since with a power of two between them they
/// would all compete for the same few places of the cache.
pub(crate) const fn product_stride(floats: usize) -> usize {
    floats + 16
}

/// `factor * a + b`.
#[inline(always)]
fn times<S: Simd>(simd: S, factor: f32, a: S::V, b: S::V) -> S::V {
    simd.mul_add(simd.splat(factor), a, b)
}

/// `B^T d` for one column.
#[inline(always)]
fn input_column<S: Simd>(simd: S, d: &[S::V; IN]) -> [S::V; IN] {
    let (even_near, odd_near) = (times(simd, -FAR_2, d[2], d[4]), times(simd, -FAR_2, d[1], d[3]));
    let (even_far, odd_far) = (times(simd, -NEAR_2, d[2], d[4]), times(simd, -NEAR_2, d[1], d[3]));
    [
        times(simd, NEAR_2 * FAR_2, d[0], times(simd, -(NEAR_2 + FAR_2), d[2], d[4])),
        times(simd, NEAR, odd_near, even_near),
        times(simd, -NEAR, odd_near, even_near),
        times(simd, FAR, odd_far, even_far),
        times(simd, -FAR, odd_far, even_far),
        times(simd, NEAR_2 * FAR_2, d[1], times(simd, -(NEAR_2 + FAR_2), d[3], d[5])),
    ]
}

/// `A^T m` for one column.
#[inline(always)]
fn output_column<S: Simd>(simd: S, m: &[S::V; IN]) -> [S::V; OUT] {
    let (sum, difference) = (simd.add(m[1], m[2]), simd.sub(m[1], m[2]));
    let (far_sum, far_difference) = (simd.add(m[3], m[4]), simd.sub(m[3], m[4]));
    [
        simd.add(m[0], simd.add(sum, far_sum)),
        times(simd, FAR, far_difference, simd.mul(simd.splat(NEAR), difference)),
        times(simd, FAR_2, far_sum, simd.mul(simd.splat(NEAR_2), sum)),
        times(simd, FAR_2 * FAR, far_difference, times(simd, NEAR_2 * NEAR, difference, m[5])),
    ]
}

/// `B^T d` for the six vectors at `input`, `stride` floats apart.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn read_column<S: Simd>(simd: S, input: *const f32, stride: usize) -> [S::V; IN] {
    let mut column = [simd.splat(0.0); IN];
    for (y, value) in column.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *value = unsafe { simd.load(input.add(y * stride)) };
    }
    input_column(simd, &column)
}

/// Transforms the inputs of `tiles` tiles that lie side by side: 6 rows, `row_stride` floats apart, of vectors; product
/// `i` of tile `t` goes to vector `t` from `output + i * product_stride` on.
///
/// # Safety
/// The rows can be read for `4 * tiles + 2` vectors, the outputs written.
#[inline(always)]
pub(crate) unsafe fn inputs<S: Simd>(
    simd: S,
    tiles: usize,
    mut input: *const f32,
    row_stride: usize,
    mut output: *mut f32,
    product_stride: usize,
) {
    let mut columns = [[simd.splat(0.0); IN]; IN];
    // SAFETY: the caller's promise.
    unsafe {
        // The last two columns of a tile are the first two of the next.
        columns[OUT] = read_column(simd, input, row_stride);
        columns[OUT + 1] = read_column(simd, input.add(S::LANES), row_stride);
        for _ in 0..tiles {
            (columns[0], columns[1]) = (columns[OUT], columns[OUT + 1]);
            for (x, column) in columns.iter_mut().enumerate().skip(2) {
                *column = read_column(simd, input.add(x * S::LANES), row_stride);
            }
            for y in 0..IN {
                let mut row = [simd.splat(0.0); IN];
                for (value, column) in row.iter_mut().zip(&columns) {
                    *value = column[y];
                }
                let row = input_column(simd, &row);
                for (x, value) in row.iter().enumerate() {
                    simd.store(output.add((y * IN + x) * product_stride), *value);
                }
            }
            input = input.add(OUT * S::LANES);
            output = output.add(S::LANES);
        }
    }
}

/// The 4x4 outputs of one tile, plus `bias`: product `i` is read at `input + i * product_stride`.
///
/// # Safety
/// The products can be read.
#[inline(always)]
pub(crate) unsafe fn outputs<S: Simd>(
    simd: S,
    input: *const f32,
    product_stride: usize,
    bias: S::V,
) -> [[S::V; OUT]; OUT] {
    let mut columns = [[simd.splat(0.0); OUT]; IN];
    for (x, column) in columns.iter_mut().enumerate() {
        let mut products = [simd.splat(0.0); IN];
        for (y, product) in products.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *product = unsafe { simd.load(input.add((y * IN + x) * product_stride)) };
        }
        *column = output_column(simd, &products);
    }
    let mut rows = [[simd.splat(0.0); OUT]; OUT];
    for (y, row) in rows.iter_mut().enumerate() {
        let mut values = [simd.splat(0.0); IN];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column[y];
        }
        *row = output_column(simd, &values);
        for value in row {
            *value = simd.add(*value, bias);
        }
    }
    rows
}

/// Writes the part of a tile that lies inside the picture, of which `height` x `width` pixels are left.
///
/// # Safety
/// That part can be written, rows and pixels the given strides apart.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd>(
    simd: S,
    values: &[[S::V; OUT]; OUT],
    output: *mut f32,
    (row_stride, pixel_stride): (usize, usize),
    (height, width): (usize, usize),
) {
    let whole = height >= OUT && width >= OUT;
    for (y, row) in values.iter().enumerate() {
        for (x, value) in row.iter().enumerate() {
            if whole || (y < height && x < width) {
                // SAFETY: the caller's promise.
                unsafe { simd.store(output.add(y * row_stride + x * pixel_stride), *value) };
            }
        }
    }
}

/// `factor * a`.
#[inline(always)]
fn scaled<S: Simd>(simd: S, factor: f32, a: S::V) -> S::V {
    simd.mul(simd.splat(factor), a)
}

/// `G g` for one column.
#[inline(always)]
fn kernel_column<S: Simd>(simd: S, g: &[S::V; TAPS]) -> [S::V; IN] {
    const NEAR_FACTOR: f32 = 1.0 / (2.0 * NEAR_2 * (NEAR_2 - FAR_2));
    const FAR_FACTOR: f32 = 1.0 / (2.0 * FAR_2 * (FAR_2 - NEAR_2));
    let near = scaled(simd, NEAR_FACTOR, times(simd, NEAR_2, g[2], g[0]));
    let near_middle = scaled(simd, NEAR_FACTOR * NEAR, g[1]);
    let far = scaled(simd, FAR_FACTOR, times(simd, FAR_2, g[2], g[0]));
    let far_middle = scaled(simd, FAR_FACTOR * FAR, g[1]);
    [
        scaled(simd, 1.0 / (NEAR_2 * FAR_2), g[0]),
        simd.add(near, near_middle),
        simd.sub(near, near_middle),
        simd.add(far, far_middle),
        simd.sub(far, far_middle),
        g[2],
    ]
}

/// `G g G^T` for a vector of 3x3 kernels, whose nine taps lie side by side; product `i` goes to
/// `output + i * product_stride`. Single precision: for weights that are packed anew in every step of training.
///
/// # Safety
/// The taps can be read, the products written.
#[inline(always)]
pub(crate) unsafe fn kernels<S: Simd>(simd: S, taps: *const f32, output: *mut f32, product_stride: usize) {
    let mut columns = [[simd.splat(0.0); IN]; TAPS];
    for (x, column) in columns.iter_mut().enumerate() {
        let mut values = [simd.splat(0.0); TAPS];
        for (y, value) in values.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *value = unsafe { simd.load(taps.add((y * TAPS + x) * S::LANES)) };
        }
        *column = kernel_column(simd, &values);
    }
    let [left, middle, right] = &columns;
    for (y, ((left, middle), right)) in left.iter().zip(middle).zip(right).enumerate() {
        let row = kernel_column(simd, &[*left, *middle, *right]);
        for (x, value) in row.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { simd.store(output.add((y * IN + x) * product_stride), *value) };
        }
    }
}

/// `G g G^T` for one 3x3 kernel.
pub(crate) fn weights(kernel: [[f64; 3]; 3]) -> [[f64; IN]; IN] {
    let (near, far) = (f64::from(NEAR), f64::from(FAR));
    let (near_2, far_2) = (near * near, far * far);
    let at = |point: f64, divisor: f64| [1.0, point, point * point].map(|power| power / divisor);
    let near_divisor = 2.0 * near_2 * (near_2 - far_2);
    let far_divisor = 2.0 * far_2 * (far_2 - near_2);
    let g: [[f64; 3]; IN] = [
        at(0.0, near_2 * far_2),
        at(near, near_divisor),
        at(-near, near_divisor),
        at(far, far_divisor),
        at(-far, far_divisor),
        [0.0, 0.0, 1.0],
    ];
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    std::array::from_fn(|y| {
        let row: [f64; 3] = std::array::from_fn(|x| dot(g[y], [kernel[0][x], kernel[1][x], kernel[2][x]]));
        std::array::from_fn(|x| dot(row, g[x]))
    })
}
