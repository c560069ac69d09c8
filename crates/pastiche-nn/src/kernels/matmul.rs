//! A safe face for the `gemm` crate's matrix product.
#![allow(unsafe_code)] // one call, on bounds that are asserted just before it

use gemm::Parallelism;

/// A matrix inside a slice: element (r, c) is at `r * row_stride + c * column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` x `columns` in row-major order, rows `row_stride` elements apart.
    pub(crate) fn row_major(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Elements from the first to one past the last of a matrix.
fn extent(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row_stride + (columns - 1) * column_stride + 1 }
}

/// `destination = left * right`, or `destination += left * right`, on the calling thread.
///
/// `destination` is row-major with rows `row_stride` elements apart, and has `left.rows` rows and `right.columns`
/// columns.
pub(crate) fn matmul(
    destination: &mut [f32],
    row_stride: usize,
    left: Matrix<'_>,
    right: Matrix<'_>,
    accumulate: bool,
) {
    assert_eq!(left.columns, right.rows, "inner sizes of a matrix product");
    assert!(row_stride >= right.columns, "rows of the product overlap");
    assert!(destination.len() >= extent(left.rows, right.columns, row_stride, 1));
    for matrix in [&left, &right] {
        let needed = extent(matrix.rows, matrix.columns, matrix.row_stride, matrix.column_stride);
        assert!(matrix.data.len() >= needed, "a matrix reaches past its slice");
    }
    // SAFETY: the asserts above show that every element the product reads or writes lies inside its slice; the
    // destination is borrowed mutably, so it overlaps neither factor, and its elements are distinct.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            destination.as_mut_ptr(),
            1,
            row_stride as isize,
            accumulate,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            if accumulate { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
