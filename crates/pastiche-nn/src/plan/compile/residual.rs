//! Residual blocks, and what must be in memory for them.

use super::{Compiler, Flow, PlanError, Value, unsupported};
use crate::{
    description::Layer,
    plan::{settle::Settle, step::Planes},
};

impl Compiler {
    pub(super) fn residual(&mut self, layers: &[Layer], flow: Flow) -> Result<Flow, PlanError> {
        if !flow.is_in_place() {
            return Err(unsupported("a residual of the picture, or of something padded"));
        }
        let flow = self.settled(flow)?;
        let Value::Planes(kept) = flow.value else { return Err(unsupported("a residual of the picture")) };
        self.kept.push(kept.buffer);
        let sum = self.layers(layers, flow.clone(), false)?;
        self.kept.pop();
        let Value::Planes(planes) = sum.value else { return Err(unsupported("a residual of nothing")) };
        let fits = sum.channels == flow.channels
            && planes.blocks == kept.blocks
            && sum.rows.is_identity(planes.height)
            && sum.columns.is_identity(planes.width)
            && sum.is_in_place();
        if !fits || sum.residual.is_some() || sum.relu || self.settle.is_some() {
            return Err(unsupported("a residual of another size, or of nothing"));
        }
        if (planes.height, planes.width) == (kept.height, kept.width) {
            return Ok(Flow { residual: Some(kept.buffer), ..sum });
        }
        // Readers would not find both numbers at the same place.
        let middle = flow.rows.middle(planes.height).zip(flow.columns.middle(planes.width));
        let (rows, columns) =
            middle.ok_or_else(|| unsupported("a residual that does not fit into the middle of its input"))?;
        let place = Flow { rows, columns, ..flow };
        self.settle(sum, planes, Some(kept), place)
    }

    /// The same numbers as they are in memory, which the next step sees to.
    fn settled(&mut self, flow: Flow) -> Result<Flow, PlanError> {
        let Value::Planes(planes) = flow.value else { return Err(unsupported("a residual of the picture")) };
        if flow.affine == self.identity && !flow.relu && flow.residual.is_none() {
            return Ok(flow);
        }
        let residual = flow.residual.map(|buffer| Planes { buffer, ..planes });
        let value = Value::Planes(residual.unwrap_or(planes));
        let place = Flow { value, affine: self.identity, relu: false, residual: None, ..flow.clone() };
        self.settle(flow, planes, residual, place)
    }

    /// Has the next step do what readers of `flow`, which lies in `planes`, would have to do: in place, or added to the
    /// middle of a residual. `place` is where the numbers then are.
    fn settle(
        &mut self,
        flow: Flow,
        planes: Planes,
        residual: Option<Planes>,
        place: Flow,
    ) -> Result<Flow, PlanError> {
        let written = residual.unwrap_or(planes).buffer;
        if self.kept.contains(&written) || self.settle.is_some() {
            return Err(unsupported("residuals of residuals"));
        }
        let index = self.steps.len();
        for buffer in [planes.buffer, flow.affine, written] {
            self.arena.used(buffer, index);
        }
        let floor = if flow.relu { 0.0 } else { f32::NEG_INFINITY };
        self.settle = Some(Settle { values: planes, affine: flow.affine, floor, residual });
        Ok(place)
    }
}
