//! One piece of memory for all that a plan needs while it runs: what lives at different times shares a place.

use std::ops::RangeInclusive;

/// Floats of a cache line: places begin on one.
const ALIGNMENT: usize = 16;

/// A buffer of a plan, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BufferId(usize);

/// What is known of a buffer before it has its place.
#[derive(Debug, Clone)]
struct Buffer {
    len: usize,
    /// The steps from the one that writes it to the last that reads it.
    life: RangeInclusive<usize>,
}

/// Collects buffers and lays them out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arena {
    buffers: Vec<Buffer>,
    places: Vec<usize>,
    len: usize,
}

impl Arena {
    /// A buffer of `len` floats that step `step` writes.
    pub(crate) fn add(&mut self, len: usize, step: usize) -> BufferId {
        self.buffers.push(Buffer { len, life: step..=step });
        BufferId(self.buffers.len() - 1)
    }

    /// Notes that step `step` reads the buffer.
    pub(crate) fn used(&mut self, BufferId(id): BufferId, step: usize) {
        let life = &mut self.buffers[id].life;
        *life = *life.start()..=step.max(*life.end());
    }

    /// Gives every buffer its place: the largest first, each as low as those allow that live at the same time.
    pub(crate) fn lay_out(&mut self) {
        let mut order: Vec<usize> = (0..self.buffers.len()).collect();
        order.sort_by_key(|&id| std::cmp::Reverse(self.buffers[id].len));
        self.places = vec![0; self.buffers.len()];
        let mut placed: Vec<usize> = Vec::new();
        for id in order {
            let buffer = &self.buffers[id];
            let mut neighbours: Vec<(usize, usize)> = placed
                .iter()
                .filter(|&&other| overlap(&self.buffers[other].life, &buffer.life))
                .map(|&other| (self.places[other], self.buffers[other].len))
                .collect();
            neighbours.sort_unstable();
            let mut place = 0;
            for (start, len) in neighbours {
                if place + buffer.len <= start {
                    break;
                }
                place = place.max((start + len).next_multiple_of(ALIGNMENT));
            }
            self.places[id] = place;
            self.len = self.len.max(place + buffer.len);
            placed.push(id);
        }
    }

    /// Where a buffer starts, after [`Self::lay_out`].
    pub(crate) fn place(&self, BufferId(id): BufferId) -> usize {
        self.places[id]
    }

    /// Floats of a buffer.
    pub(crate) fn len_of(&self, BufferId(id): BufferId) -> usize {
        self.buffers[id].len
    }

    /// Floats of all, after [`Self::lay_out`].
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

fn overlap(a: &RangeInclusive<usize>, b: &RangeInclusive<usize>) -> bool {
    a.start() <= b.end() && b.start() <= a.end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buffers_that_live_together_never_share_memory(
            wishes in proptest::collection::vec((1usize..5000, 0usize..12, 0usize..6), 1..40)
        ) {
            let mut arena = Arena::default();
            let ids: Vec<BufferId> = wishes
                .iter()
                .map(|&(len, step, more)| {
                    let id = arena.add(len, step);
                    arena.used(id, step + more);
                    id
                })
                .collect();
            arena.lay_out();
            for (i, &a) in ids.iter().enumerate() {
                prop_assert!(arena.place(a) + arena.len_of(a) <= arena.len());
                for &b in &ids[..i] {
                    let apart = arena.place(a) + arena.len_of(a) <= arena.place(b)
                        || arena.place(b) + arena.len_of(b) <= arena.place(a);
                    prop_assert!(apart || !overlap(&arena.buffers[a.0].life, &arena.buffers[b.0].life));
                }
            }
        }
    }

    #[test]
    fn a_place_is_used_again_when_its_buffer_is_dead() {
        let mut arena = Arena::default();
        let first = arena.add(1000, 0);
        arena.used(first, 1);
        let second = arena.add(1000, 1);
        arena.used(second, 2);
        let third = arena.add(1000, 2);
        arena.lay_out();
        assert_eq!(arena.place(first), arena.place(third));
        assert!(arena.len() < 2100, "{}", arena.len());
    }
}
