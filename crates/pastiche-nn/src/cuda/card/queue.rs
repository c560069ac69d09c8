//! Whose turn it is, of the pictures under way.

use super::CudaError;

/// Pictures that are under way at once: one is computed while another is sent or fetched.
pub(super) const PLACES: usize = 2;

/// Places that are taken and given back in turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Queue {
    oldest: usize,
    count: usize,
}

impl Queue {
    /// How many are under way.
    pub(super) const fn len(self) -> usize {
        self.count
    }

    /// The place for another one, which [`Self::push`] takes.
    pub(super) fn free(self) -> Result<usize, CudaError> {
        if self.count == PLACES {
            let what = "two pictures are under way already: collect one before another is sent";
            return Err(CudaError::OutOfTurn { what });
        }
        Ok((self.oldest + self.count) % PLACES)
    }

    /// Takes the place.
    pub(super) const fn push(&mut self) {
        self.count += 1;
    }

    /// The place of the oldest, which is given back.
    pub(super) fn pop(&mut self) -> Result<usize, CudaError> {
        if self.count == 0 {
            return Err(CudaError::OutOfTurn {
                what: "no picture is under way: send one before it is collected",
            });
        }
        let place = self.oldest;
        *self = Self { oldest: (place + 1) % PLACES, count: self.count - 1 };
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_in_turn_and_never_more_than_there_are() {
        let mut queue = Queue::default();
        let mut push = |queue: &mut Queue| {
            let place = queue.free()?;
            queue.push();
            Ok::<_, CudaError>(place)
        };
        assert_eq!(push(&mut queue).unwrap(), 0);
        assert_eq!(push(&mut queue).unwrap(), 1);
        assert!(push(&mut queue).unwrap_err().to_string().contains("collect one"));
        assert_eq!(queue.pop().unwrap(), 0);
        assert_eq!(push(&mut queue).unwrap(), 0);
        assert_eq!((queue.pop().unwrap(), queue.pop().unwrap(), queue.len()), (1, 0, 0));
        assert!(queue.pop().unwrap_err().to_string().contains("send one"));
    }
}
