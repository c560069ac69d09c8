//! Threads that join media and the engine: the file job.
mod cancel;
mod queue;
mod speed;
mod stages;
pub use cancel::Cancel;
pub use queue::{BoundedQueue, QueueClosed, QueueReceiver, QueueSender};
pub use stages::{Ending, Sink, StageError, StageNames, run_stages};
