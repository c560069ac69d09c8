//! Where the rows and columns of a picture come from that is padded or enlarged only in thought.

use super::PlanError;
use crate::{Margins, PadMode, description::Padding, kernels::pad};

/// For each position along one side, the position in memory that it is read from; negative for a zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis(pub(crate) Vec<i32>);

impl Axis {
    /// As in memory.
    pub(crate) fn identity(len: usize) -> Self {
        Self((0..len as i32).collect())
    }

    /// `len` positions continued to `padded` by mirroring at the far edge, as often as it takes.
    pub(crate) fn mirrored(len: usize, padded: usize) -> Self {
        let period = (2 * (len - 1)).max(1);
        let source = |at: usize| if at % period < len { at % period } else { period - at % period };
        Self((0..padded).map(|at| source(at) as i32).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_identity(&self, len: usize) -> bool {
        *self == Self::identity(len)
    }

    pub(crate) fn padded(&self, mode: PadMode, before: usize, after: usize) -> Self {
        let sources = pad::sources(mode, before, self.len(), after).into_iter();
        Self(sources.map(|source| source.map_or(-1, |at| self.0[at])).collect())
    }

    /// One more position at each end: a copy of the outermost, or a zero.
    pub(crate) fn extended(&self, mode: PadMode) -> Self {
        let end = |source: i32| if mode == PadMode::Zero { -1 } else { source };
        let (first, last) = (self.0[0], self.0[self.len() - 1]);
        let ends = (end(first), end(last));
        Self([ends.0].into_iter().chain(self.0.iter().copied()).chain([ends.1]).collect())
    }

    /// At least `len` positions: the last is repeated.
    pub(crate) fn continued(&self, len: usize) -> Self {
        let mut sources = self.0.clone();
        let last = sources.last().copied().unwrap_or(-1);
        sources.resize(len.max(sources.len()), last);
        Self(sources)
    }

    /// Every position `factor` times.
    pub(crate) fn enlarged(&self, factor: usize) -> Self {
        Self(self.0.iter().flat_map(|source| std::iter::repeat_n(*source, factor)).collect())
    }

    /// Looks up, for every position, where `self` says that the position `inner` gives is.
    pub(crate) fn of(&self, inner: &Self) -> Self {
        Self(inner.0.iter().map(|&at| if at < 0 { -1 } else { self.0[at as usize] }).collect())
    }

    /// Positions that each stand for `factor` neighbours, taken apart.
    pub(crate) fn taken_apart(&self, factor: usize) -> Self {
        let apart = |source: i32| {
            (0..factor as i32).map(move |part| if source < 0 { -1 } else { source * factor as i32 + part })
        };
        Self(self.0.iter().flat_map(|source| apart(*source)).collect())
    }
}

/// Rows and columns padded together.
///
/// # Errors
/// A reflection would reach past the other edge.
pub(crate) fn padded(rows: &Axis, columns: &Axis, padding: Padding) -> Result<(Axis, Axis), PlanError> {
    let (mode, margins) = padding.margins(rows.len(), columns.len());
    let fits = |side: usize, before: usize, after: usize| mode == PadMode::Zero || before.max(after) < side;
    let Margins { top, bottom, left, right } = margins;
    if !fits(rows.len(), top, bottom) || !fits(columns.len(), left, right) {
        return Err(PlanError::TooSmall { margins, height: rows.len(), width: columns.len() });
    }
    Ok((rows.padded(mode, top, bottom), columns.padded(mode, left, right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_what_their_names_say() {
        let abc = Axis::identity(3);
        assert!(abc.is_identity(3));
        assert_eq!(abc.padded(PadMode::Reflect, 2, 1).0, [2, 1, 0, 1, 2, 1]);
        assert_eq!(abc.padded(PadMode::Zero, 1, 2).0, [-1, 0, 1, 2, -1, -1]);
        assert_eq!(abc.extended(PadMode::Reflect).0, [0, 0, 1, 2, 2]);
        assert_eq!(abc.extended(PadMode::Zero).0, [-1, 0, 1, 2, -1]);
        assert_eq!(abc.continued(5).0, [0, 1, 2, 2, 2]);
        assert_eq!(abc.enlarged(2).0, [0, 0, 1, 1, 2, 2]);
        assert_eq!(Axis::mirrored(3, 8).0, [0, 1, 2, 1, 0, 1, 2, 1]);
        assert_eq!(Axis::mirrored(1, 3).0, [0, 0, 0]);
        assert_eq!(Axis(vec![5, -1]).of(&Axis(vec![1, 0, -1])).0, [-1, 5, -1]);
        assert_eq!(Axis(vec![1, -1]).taken_apart(2).0, [2, 3, -1, -1]);
    }
}
