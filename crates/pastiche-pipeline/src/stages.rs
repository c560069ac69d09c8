//! Three stages at work at the same time: one reads, one transforms, one writes.
//!
//! The source and the sink have a thread each; the transform stays on the caller's thread, the one that owns the device.
//! Bounded queues join them, so a run takes as long as its slowest stage and holds a handful of items in memory. The first
//! failure ends the run: it is noted before the failed stage lets go of its queues, and the stages beside it end when
//! they find theirs closed, so none of them takes the end of a queue for a regular one.

use std::{
    any::Any,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{
    Cancel,
    queue::{BoundedQueue, QueueReceiver, QueueSender},
};

/// Items between two stages: enough to even out one slow item, few enough that a cancelled run ends soon.
const QUEUE_CAPACITY: usize = 2;

/// The stage in the middle of a run. It may hold a few items back, to work on them at the same time; a function from one
/// item to the next holds none.
pub trait Transform<A, B, E> {
    /// Takes the next item, and gives the oldest that is done, where one is.
    ///
    /// # Errors
    /// The run ends with this error.
    fn push(&mut self, item: A) -> Result<Option<B>, E>;

    /// After the last item: the oldest of those held back, `None` when there are no more.
    ///
    /// # Errors
    /// The run ends with this error.
    fn finish(&mut self) -> Result<Option<B>, E>;
}

impl<A, B, E, F: FnMut(A) -> Result<B, E>> Transform<A, B, E> for F {
    fn push(&mut self, item: A) -> Result<Option<B>, E> {
        self(item).map(Some)
    }

    fn finish(&mut self) -> Result<Option<B>, E> {
        Ok(None)
    }
}

/// The last stage of a run.
pub trait Sink<T, E> {
    /// What is left to tell when everything is written.
    type Output;

    /// Writes one item. With [`ControlFlow::Break`] the sink takes no more, and what it has is a result all the same: the run
    /// ends, and the sink is finished with [`Ending::Stopped`].
    ///
    /// # Errors
    /// The sink has failed; the run ends with this error, and the sink is dropped without [`Self::finish`].
    fn write(&mut self, item: T) -> Result<ControlFlow<()>, E>;

    /// Closes the sink after its last item.
    ///
    /// # Errors
    /// The output could not be completed.
    fn finish(self, ending: Ending) -> Result<Self::Output, E>;
}

/// Why no more items come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The source is exhausted.
    Complete,
    /// The run was cancelled; what has arrived is a gapless beginning.
    Cancelled,
    /// The sink takes no more.
    Stopped,
}

/// What the three stages are called: in thread names and in [`StageError`]s.
#[derive(Debug, Clone, Copy)]
pub struct StageNames {
    /// The stage that reads.
    pub source: &'static str,
    /// The stage in the middle.
    pub transform: &'static str,
    /// The stage that writes.
    pub sink: &'static str,
}

/// A stage ended in a way that none of its own errors describes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// A stage panicked: a defect in the program.
    #[error("the {stage} stage crashed, which is a defect in the program; please report it: {message}")]
    Panicked {
        /// The stage's name.
        stage: &'static str,
        /// What the panic said.
        message: String,
    },
    /// The system gave no thread.
    #[error("cannot start the thread of the {stage} stage; close other programs and try again: {source}")]
    NoThread {
        /// The stage's name.
        stage: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Sends every item of `source` through `transform` into `sink`, in order and without losing one, and returns what the
/// sink's [`Sink::finish`] returns.
///
/// `source` returns `None` after its last item. After [`Cancel::cancel`], nothing more is read or begun to be transformed;
/// what is begun is still written, and the sink is finished with [`Ending::Cancelled`].
///
/// # Errors
/// The first failure of any stage; panics become [`StageError::Panicked`]. The sink is then not finished.
pub fn run_stages<A, B, K, E>(
    names: StageNames,
    source: impl FnMut() -> Result<Option<A>, E> + Send,
    transform: impl Transform<A, B, E>,
    sink: K,
    cancel: &Cancel,
) -> Result<K::Output, E>
where
    A: Send,
    B: Send,
    K: Sink<B, E, Output: Send> + Send,
    E: From<StageError> + Send,
{
    let run = Run { cancel, cancelled: AtomicBool::new(false), failure: Failure::default() };
    let BoundedQueue { sender: read, receiver: to_transform } = BoundedQueue::new(QUEUE_CAPACITY);
    let BoundedQueue { sender: transformed, receiver: to_write } = BoundedQueue::new(QUEUE_CAPACITY);

    let output = thread::scope(|scope| {
        // Each body borrows its queues from the closure around it: they close only after a failure has been noted.
        let run = &run;
        start(scope, names.source, move || run.failure.catch(names.source, || run.read(source, &read)))?;
        let writing = start(scope, names.sink, move || {
            run.failure.catch(names.sink, || run.write(sink, &to_write)).flatten()
        })?;
        run.failure.catch(names.transform, || run.transform(transform, &to_transform, &transformed));
        drop((to_transform, transformed));
        Ok(writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    match (run.failure.into_first(), output) {
        (Some(error), _) => Err(error),
        (None, Err(no_thread)) => Err(StageError::into(no_thread)),
        (None, Ok(Some(output))) => Ok(output),
        (None, Ok(None)) => unreachable!("a sink goes unfinished only after a failure was noted"),
    }
}

fn start<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    stage: &'static str,
    body: impl FnOnce() -> T + Send + 'scope,
) -> Result<thread::ScopedJoinHandle<'scope, T>, StageError> {
    let thread = thread::Builder::new().name(stage.to_owned());
    thread.spawn_scoped(scope, body).map_err(|source| StageError::NoThread { stage, source })
}

/// What the stages of one run share.
struct Run<'a, E> {
    cancel: &'a Cancel,
    /// Whether a stage has stopped early because of `cancel`.
    cancelled: AtomicBool,
    failure: Failure<E>,
}

impl<E: From<StageError>> Run<'_, E> {
    fn read<A>(
        &self,
        mut source: impl FnMut() -> Result<Option<A>, E>,
        queue: &QueueSender<A>,
    ) -> Result<(), E> {
        while !self.stops_here()
            && let Some(item) = source()?
            && queue.send(item).is_ok()
        {}
        Ok(())
    }

    fn transform<A, B>(
        &self,
        mut transform: impl Transform<A, B, E>,
        from: &QueueReceiver<A>,
        to: &QueueSender<B>,
    ) -> Result<(), E> {
        while let Some(item) = from.receive() {
            if self.failure.is_noted() || self.stops_here() {
                break;
            }
            if let Some(item) = transform.push(item)?
                && to.send(item).is_err()
            {
                return Ok(());
            }
        }
        while !self.failure.is_noted()
            && let Some(item) = transform.finish()?
            && to.send(item).is_ok()
        {}
        Ok(())
    }

    fn write<B, K: Sink<B, E>>(&self, mut sink: K, queue: &QueueReceiver<B>) -> Result<Option<K::Output>, E> {
        let mut stopped = false;
        while let Some(item) = queue.receive() {
            if self.failure.is_noted() {
                break;
            }
            if sink.write(item)?.is_break() {
                stopped = true;
                break;
            }
        }
        if self.failure.is_noted() {
            return Ok(None);
        }
        let ending = match self.cancelled.load(Ordering::Acquire) {
            _ if stopped => Ending::Stopped,
            true => Ending::Cancelled,
            false => Ending::Complete,
        };
        sink.finish(ending).map(Some)
    }

    fn stops_here(&self) -> bool {
        let cancelled = self.cancel.is_cancelled();
        if cancelled {
            self.cancelled.store(true, Ordering::Release);
        }
        cancelled
    }
}

/// The first failure of a run.
struct Failure<E>(Mutex<Option<E>>);

impl<E> Default for Failure<E> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<E: From<StageError>> Failure<E> {
    /// Runs `body`; notes its error or panic, unless another came first.
    fn catch<T>(&self, stage: &'static str, body: impl FnOnce() -> Result<T, E>) -> Option<T> {
        let error = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error,
            Err(panic) => E::from(StageError::Panicked { stage, message: panic_message(panic.as_ref()) }),
        };
        self.lock().get_or_insert(error);
        None
    }

    fn is_noted(&self) -> bool {
        self.lock().is_some()
    }

    fn into_first(self) -> Option<E> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<E>> {
        // An `Option` is never half-written, so a poisoned one is still sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
