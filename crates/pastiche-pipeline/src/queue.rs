//! The hand-over between two threads of a file job.

use crossbeam_channel::{Receiver, Sender};

/// A blocking queue of limited length that loses nothing.
///
/// A full queue makes the sender wait, an empty one the receiver. When the last sender is dropped, the receiver still gets
/// what is queued and then `None`: flush and finish. When the receiver is dropped, sending fails at once, also for a
/// sender that is waiting, so that no stage outlives the one that it works for.
#[derive(Debug)]
pub struct BoundedQueue<T> {
    /// The end that puts items in.
    pub sender: QueueSender<T>,
    /// The end that takes items out.
    pub receiver: QueueReceiver<T>,
}

/// The end of a [`BoundedQueue`] that puts items in.
#[derive(Debug)]
pub struct QueueSender<T>(Sender<T>);

/// The end of a [`BoundedQueue`] that takes items out.
#[derive(Debug)]
pub struct QueueReceiver<T>(Receiver<T>);

/// The receiver of a queue is gone: nobody wants the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receiver of the queue is gone")]
pub struct QueueClosed;

impl<T> BoundedQueue<T> {
    /// A queue that holds `capacity` items; with 0, every item is handed over directly.
    pub fn new(capacity: usize) -> Self {
        let (sender, receiver) = crossbeam_channel::bounded(capacity);
        Self { sender: QueueSender(sender), receiver: QueueReceiver(receiver) }
    }
}

impl<T> QueueSender<T> {
    /// Puts an item at the end, waiting for room.
    ///
    /// # Errors
    /// The receiver is gone; the item is dropped.
    pub fn send(&self, item: T) -> Result<(), QueueClosed> {
        self.0.send(item).map_err(|_| QueueClosed)
    }
}

impl<T> QueueReceiver<T> {
    /// Takes the first item, waiting for one; `None` once every sender is gone and the queue is empty.
    pub fn receive(&self) -> Option<T> {
        self.0.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn what_is_queued_outlives_the_sender() {
        let BoundedQueue { sender, receiver } = BoundedQueue::new(3);
        for i in 0..3 {
            sender.send(i).unwrap();
        }
        drop(sender);
        let received: Vec<_> = std::iter::from_fn(|| receiver.receive()).collect();
        assert_eq!(received, [0, 1, 2]);
    }

    #[test]
    fn a_full_queue_makes_the_sender_wait() {
        let BoundedQueue { sender, receiver } = BoundedQueue::new(1);
        thread::scope(|scope| {
            let sending = scope.spawn(move || (0..100).all(|i| sender.send(i).is_ok()));
            thread::sleep(Duration::from_millis(20));
            assert!(!sending.is_finished());
            assert_eq!(
                std::iter::from_fn(|| receiver.receive()).collect::<Vec<_>>(),
                (0..100).collect::<Vec<_>>()
            );
            assert!(sending.join().unwrap());
        });
    }

    #[test]
    fn a_waiting_sender_is_freed_when_the_receiver_goes() {
        let BoundedQueue { sender, receiver } = BoundedQueue::new(1);
        sender.send(0).unwrap();
        thread::scope(|scope| {
            let sending = scope.spawn(move || sender.send(1));
            thread::sleep(Duration::from_millis(20));
            drop(receiver);
            assert_eq!(sending.join().unwrap(), Err(QueueClosed));
        });
    }
}
