//! Winograd's minimal filtering F(4x4, 3x3): 36 products where a direct convolution takes 144.
//!
//! Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", section 4.3: a tile of 4x4 outputs is
//! `A^T [(G g G^T) * (B^T d B)] A`, for 6x6 inputs `d` and 3x3 weights `g`.
#![allow(unsafe_code)] // pointers into blocks, whose bounds the callers know

use crate::simd::Simd;

/// Side of the outputs of a tile.
pub(crate) const OUT: usize = 4;
/// Side of its inputs.
pub(crate) const IN: usize = 6;
/// Side of a kernel.
pub(crate) const TAPS: usize = 3;
/// Products of a tile.
pub(crate) const PRODUCTS: usize = IN * IN;

/// `factor * a + b`.
#[inline(always)]
fn times<S: Simd>(simd: S, factor: f32, a: S::V, b: S::V) -> S::V {
    simd.mul_add(simd.splat(factor), a, b)
}

/// `B^T d` for one column.
#[inline(always)]
fn input_column<S: Simd>(simd: S, d: &[S::V; IN]) -> [S::V; IN] {
    let (even, odd) = (times(simd, -4.0, d[2], d[4]), times(simd, -4.0, d[1], d[3]));
    let (outer, inner) = (simd.sub(d[4], d[2]), simd.sub(d[3], d[1]));
    [
        times(simd, 4.0, d[0], times(simd, -5.0, d[2], d[4])),
        simd.add(even, odd),
        simd.sub(even, odd),
        times(simd, 2.0, inner, outer),
        times(simd, -2.0, inner, outer),
        times(simd, 4.0, d[1], times(simd, -5.0, d[3], d[5])),
    ]
}

/// `A^T m` for one column.
#[inline(always)]
fn output_column<S: Simd>(simd: S, m: &[S::V; IN]) -> [S::V; OUT] {
    let (sum, difference) = (simd.add(m[1], m[2]), simd.sub(m[1], m[2]));
    let (far_sum, far_difference) = (simd.add(m[3], m[4]), simd.sub(m[3], m[4]));
    [
        simd.add(m[0], simd.add(sum, far_sum)),
        times(simd, 2.0, far_difference, difference),
        times(simd, 4.0, far_sum, sum),
        simd.add(times(simd, 8.0, far_difference, difference), m[5]),
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
/// `i` of tile `t` goes to `output + i * product_stride + t * tile_stride`.
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
    tile_stride: usize,
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
            output = output.add(tile_stride);
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

/// `G g` for one column.
#[inline(always)]
fn kernel_column<S: Simd>(simd: S, g: &[S::V; TAPS]) -> [S::V; IN] {
    let ends = simd.mul(simd.splat(-1.0 / 6.0), simd.add(g[0], g[2]));
    let middle = simd.mul(simd.splat(1.0 / 6.0), g[1]);
    let far = times(simd, 1.0 / 24.0, g[0], simd.mul(simd.splat(1.0 / 6.0), g[2]));
    let far_middle = simd.mul(simd.splat(1.0 / 12.0), g[1]);
    [
        simd.mul(simd.splat(1.0 / 4.0), g[0]),
        simd.sub(ends, middle),
        simd.add(ends, middle),
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
    for y in 0..IN {
        let mut row = [simd.splat(0.0); TAPS];
        for (value, column) in row.iter_mut().zip(&columns) {
            *value = column[y];
        }
        let row = kernel_column(simd, &row);
        for (x, value) in row.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { simd.store(output.add((y * IN + x) * product_stride), *value) };
        }
    }
}

/// `G g G^T` for one 3x3 kernel.
pub(crate) fn weights(kernel: [[f64; 3]; 3]) -> [[f64; IN]; IN] {
    const G: [[f64; 3]; IN] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    std::array::from_fn(|y| {
        let row: [f64; 3] = std::array::from_fn(|x| dot(G[y], [kernel[0][x], kernel[1][x], kernel[2][x]]));
        std::array::from_fn(|x| dot(row, G[x]))
    })
}
