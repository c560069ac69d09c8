//! What flows from layer to layer while a network is compiled: a value in memory, and what its readers have to do to it.

use super::{address::Address, arguments::Source, lower::unsupported};
use crate::{
    Margins, PadMode, PlanError,
    description::Padding,
    plan::axis::{self, Axis},
};

/// Numbers in the card's memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stored {
    pub(super) source: Source<Address>,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// The picture, RGB8.
    Picture,
    /// What a step has written.
    Stored(Stored),
}

/// The factor and summand of each channel that are owed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Affine {
    /// A convolution's bias, where it has one; the convolution itself does without.
    Bias(Option<String>),
    /// A norm's, which steps have made.
    Norm { scale: Address, shift: Address },
}

/// What is to be done to every number that is read: max(x * scale + shift, 0) + residual.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owed {
    pub(super) affine: Affine,
    pub(super) relu: bool,
    pub(super) residual: Option<Source<Address>>,
}

/// How the next convolution looks at the value, beyond what the axes say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum View {
    Plain,
    /// Enlarged twice, and perhaps then padded by one pixel.
    Enlarged(Option<PadMode>),
    /// Squares of `factor` pixels of the picture stacked as channels; these axes say which square.
    Stacked {
        factor: usize,
        rows: Axis,
        columns: Axis,
    },
}

/// A value, and how it is seen.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) value: Value,
    pub(super) channels: usize,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    pub(super) view: View,
    pub(super) owed: Owed,
}

impl Owed {
    /// Nothing but perhaps a bias.
    pub(super) const fn bias(name: Option<String>) -> Self {
        Self { affine: Affine::Bias(name), relu: false, residual: None }
    }

    /// Whether nothing is owed that a norm would not take away.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self.affine, Affine::Bias(_)) && !self.relu && self.residual.is_none()
    }
}

impl Flow {
    /// The value as it is in memory.
    pub(super) fn of(stored: Stored, channels: usize, owed: Owed) -> Self {
        Self {
            value: Value::Stored(stored),
            channels,
            rows: Axis::identity(stored.height),
            columns: Axis::identity(stored.width),
            view: View::Plain,
            owed,
        }
    }

    /// The value in memory, where it is seen as it lies, neither padded nor enlarged.
    pub(super) fn in_place(&self) -> Option<Stored> {
        let Value::Stored(stored) = self.value else { return None };
        let plain = self.view == View::Plain
            && self.rows.is_identity(stored.height)
            && self.columns.is_identity(stored.width);
        plain.then_some(stored)
    }

    pub(super) fn padded(mut self, padding: Padding) -> Result<Self, PlanError> {
        if matches!(self.view, View::Enlarged(None))
            && let Padding::Fixed(mode, margins) = padding
            && margins == Margins::uniform(1)
        {
            return Ok(Self { view: View::Enlarged(Some(mode)), ..self });
        }
        if let View::Stacked { rows, columns, .. } = &mut self.view {
            (*rows, *columns) = axis::padded(rows, columns, padding)?;
            return Ok(self);
        }
        self = self.plain()?;
        (self.rows, self.columns) = axis::padded(&self.rows, &self.columns, padding)?;
        Ok(self)
    }

    pub(super) fn enlarged(self, factor: usize) -> Result<Self, PlanError> {
        if factor == 0 {
            return Err(unsupported("an enlargement by 0"));
        }
        if factor == 2 && self.in_place().is_some() {
            return Ok(Self { view: View::Enlarged(None), ..self });
        }
        let flow = self.plain()?;
        Ok(Self { rows: flow.rows.enlarged(factor), columns: flow.columns.enlarged(factor), ..flow })
    }

    pub(super) fn stacked(self, factor: usize) -> Result<Self, PlanError> {
        if self.value != Value::Picture || self.view != View::Plain || factor == 0 {
            return Err(unsupported("squares stacked after the first layer"));
        }
        let squares = |axis: &Axis| Axis::identity(axis.len() / factor);
        let view = View::Stacked { factor, rows: squares(&self.rows), columns: squares(&self.columns) };
        Ok(Self { view, ..self })
    }

    /// The same with any enlargement put into the axes.
    pub(super) fn plain(mut self) -> Result<Self, PlanError> {
        match self.view {
            View::Plain => Ok(self),
            View::Stacked { .. } => Err(unsupported("stacked squares here")),
            View::Enlarged(padding) => {
                (self.rows, self.columns) = (self.rows.enlarged(2), self.columns.enlarged(2));
                self.view = View::Plain;
                match padding {
                    Some(mode) => self.padded(Padding::Fixed(mode, Margins::uniform(1))),
                    None => Ok(self),
                }
            }
        }
    }
}
