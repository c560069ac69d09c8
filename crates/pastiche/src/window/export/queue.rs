//! The order of exports, and what may be done with each.

use super::{ExportEvent, ExportRequest, Exporter, Job, JobId, JobState};

/// Exports in the order in which they are made.
pub(crate) struct ExportQueue {
    jobs: Vec<Job>,
    next_id: u64,
    exporter: Box<dyn Exporter>,
}

impl ExportQueue {
    /// An empty queue.
    pub(crate) fn new(exporter: Box<dyn Exporter>) -> Self {
        Self { jobs: Vec::new(), next_id: 1, exporter }
    }

    /// What is in the queue, in order.
    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Puts an export at the end.
    pub(crate) fn add(&mut self, request: ExportRequest) {
        let id = JobId(self.next_id);
        self.next_id += 1;
        self.jobs.push(Job { id, request, state: JobState::Waiting });
        self.start_next();
    }

    /// Takes in what has happened.
    pub(crate) fn update(&mut self) {
        for event in self.exporter.drain_events() {
            match event {
                ExportEvent::Progress(id, now) => {
                    if let Some(JobState::Running { progress, .. }) = self.state_mut(id) {
                        *progress = Some(now);
                    }
                }
                ExportEvent::Done(id, outcome) => self.conclude(id, JobState::Done(outcome)),
                ExportEvent::Cancelled(id, kept) => self.conclude(id, JobState::Cancelled { kept }),
                ExportEvent::Failed(id, reason) => self.conclude(id, JobState::Failed(reason)),
            }
        }
        self.start_next();
    }

    /// Holds an export, or lets it go on.
    pub(crate) fn set_paused(&mut self, id: JobId, hold: bool) {
        if let Some(JobState::Running { paused, .. }) = self.state_mut(id) {
            *paused = hold;
            self.exporter.set_paused(hold);
        }
    }

    /// Stops an export; one that runs keeps what is done.
    pub(crate) fn cancel(&mut self, id: JobId) {
        match self.state_mut(id) {
            Some(state @ JobState::Waiting) => *state = JobState::Cancelled { kept: false },
            Some(JobState::Running { stopping, paused, .. }) => {
                (*stopping, *paused) = (true, false);
                self.exporter.cancel();
            }
            _ => {}
        }
    }

    /// Stops all that is not over.
    pub(crate) fn cancel_all(&mut self) {
        let open: Vec<JobId> =
            self.jobs.iter().filter(|job| !job.state.is_over()).map(|job| job.id).collect();
        // The waiting ones first, so that none of them is started by the end of another.
        for id in open.into_iter().rev() {
            self.cancel(id);
        }
    }

    /// Puts an export that did not work out back into the queue.
    pub(crate) fn retry(&mut self, id: JobId) {
        if let Some(state @ (JobState::Failed(_) | JobState::Cancelled { .. })) = self.state_mut(id) {
            *state = JobState::Waiting;
            self.start_next();
        }
    }

    /// Takes an export that is over off the list.
    pub(crate) fn remove(&mut self, id: JobId) {
        self.jobs.retain(|job| job.id != id || !job.state.is_over());
    }

    fn state_mut(&mut self, id: JobId) -> Option<&mut JobState> {
        self.jobs.iter_mut().find(|job| job.id == id).map(|job| &mut job.state)
    }

    fn conclude(&mut self, id: JobId, over: JobState) {
        if let Some(state) = self.state_mut(id) {
            *state = over;
        }
    }

    fn start_next(&mut self) {
        if self.jobs.iter().any(|job| matches!(job.state, JobState::Running { .. })) {
            return;
        }
        if let Some(job) = self.jobs.iter_mut().find(|job| job.state == JobState::Waiting) {
            job.state = JobState::Running { progress: None, paused: false, stopping: false };
            self.exporter.start(job.id, job.request.clone());
        }
    }
}
