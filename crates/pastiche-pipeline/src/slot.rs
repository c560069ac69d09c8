//! The hand-over between two threads of a live session.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Room for one item, in which a newer one replaces an older: latency never grows, and what is lost is counted.
///
/// Clones are the same slot.
#[derive(Debug)]
pub struct LatestSlot<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
    dropped: Arc<AtomicU64>,
}

impl<T> LatestSlot<T> {
    /// An empty slot.
    pub fn new() -> Self {
        let (sender, receiver) = bounded(1);
        Self { sender, receiver, dropped: Arc::default() }
    }

    /// Puts an item in, in the place of one that nobody took.
    pub fn put(&self, item: T) {
        let mut item = item;
        loop {
            match self.sender.try_send(item) {
                Ok(()) => return,
                Err(refused) => item = refused.into_inner(),
            }
            if self.receiver.try_recv().is_ok() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Takes the item, if there is one.
    pub fn take(&self) -> Option<T> {
        self.receiver.try_recv().ok()
    }

    /// Takes the item, waiting for one as long as that.
    pub fn take_within(&self, limit: Duration) -> Option<T> {
        self.receiver.recv_timeout(limit).ok()
    }

    /// How many items were replaced before anybody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The end to wait at together with other channels.
    pub(crate) fn receiver(&self) -> &Receiver<T> {
        &self.receiver
    }
}

impl<T> Default for LatestSlot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for LatestSlot<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            receiver: self.receiver.clone(),
            dropped: Arc::clone(&self.dropped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_wins_and_the_others_are_counted() {
        let slot = LatestSlot::new();
        assert_eq!(slot.take(), None);
        for item in 0..5 {
            slot.put(item);
        }
        assert_eq!((slot.take(), slot.take(), slot.dropped()), (Some(4), None, 4));
        slot.clone().put(7);
        assert_eq!((slot.take_within(Duration::ZERO), slot.dropped()), (Some(7), 4));
    }

    #[test]
    fn nothing_is_lost_between_two_threads_but_what_is_counted() {
        const ITEMS: u64 = 20_000;
        let slot = LatestSlot::new();
        let putting = slot.clone();
        std::thread::scope(|scope| {
            let put = scope.spawn(move || (0..ITEMS).for_each(|item| putting.put(item)));
            let mut taken = Vec::new();
            while taken.last() != Some(&(ITEMS - 1)) {
                taken.extend(slot.take_within(Duration::from_millis(50)));
            }
            put.join().unwrap();
            assert!(taken.is_sorted());
            assert_eq!(taken.len() as u64 + slot.dropped(), ITEMS);
        });
    }
}
