//! One picture on its way: memory at both ends, and the work in between as a graph.
#![allow(unsafe_code)] // copies in the background

use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaGraph, CudaSlice, PinnedHostSlice,
    sys::{CUgraphInstantiate_flags, CUstreamCaptureMode},
};

use super::{CudaError, session::Session, ways::Workspace};
use crate::cuda::program::Launch;

/// The work on one picture, recorded once and started as a whole.
struct Graph(CudaGraph);

// SAFETY: a graph may be used by any thread, only not by two at once, and whoever has it needs it for himself to start it.
unsafe impl Send for Graph {}

/// One picture on its way.
pub(super) struct Slot {
    /// In main memory, where the card reaches it by itself.
    sent: PinnedHostSlice<u8>,
    fetched: PinnedHostSlice<u8>,
    /// On the card.
    _picture: CudaSlice<u8>,
    _painting: CudaSlice<u8>,
    /// Where those two are.
    pointers: (u64, u64),
    uploaded: CudaEvent,
    computed: CudaEvent,
    downloaded: CudaEvent,
    graph: Option<Graph>,
}

impl Slot {
    /// Makes room for a picture and a painting of so many bytes.
    pub(super) fn new(
        session: &Session,
        picture_bytes: usize,
        painting_bytes: usize,
    ) -> Result<Self, CudaError> {
        let context = session.compute.context();
        let failed = CudaError::driver("making room in main memory");
        // What the processor only writes need not be in its cache.
        // SAFETY: a picture is copied there before it is sent, and a painting is fetched before it is read.
        let (sent, fetched) = unsafe {
            (
                context.alloc_pinned(picture_bytes).map_err(&failed)?,
                context.alloc_pinned_with_flags(painting_bytes, 0).map_err(&failed)?,
            )
        };
        let event = || context.new_event(None).map_err(&failed);
        let (picture, painting) = (session.allocate(picture_bytes)?, session.allocate(painting_bytes)?);
        Ok(Self {
            sent,
            fetched,
            pointers: (session.pointer(&picture), session.pointer(&painting)),
            _picture: picture,
            _painting: painting,
            uploaded: event()?,
            computed: event()?,
            downloaded: event()?,
            graph: None,
        })
    }

    /// Where picture and painting are on the card.
    pub(super) const fn pointers(&self) -> (u64, u64) {
        self.pointers
    }

    /// Records the steps, which have all been run once.
    pub(super) fn record(
        &mut self,
        session: &Session,
        launches: &[Launch],
        workspace: Workspace,
    ) -> Result<(), CudaError> {
        let failed = CudaError::driver("recording the steps");
        // Nothing that is called here waits for the stream; what cuDNN asks of the driver besides is none of its business.
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        session.compute.begin_capture(mode).map_err(&failed)?;
        let started = launches.iter().try_for_each(|launch| session.start(launch, workspace));
        // The recording has to end even where a step failed.
        let graph = session.compute.end_capture(CUgraphInstantiate_flags(0));
        started?;
        self.graph = graph.map_err(&failed)?.map(Graph);
        Ok(())
    }

    /// Sends a picture, has it painted, and has the painting fetched: all in the background.
    pub(super) fn start(&mut self, session: &Session, pixels: &[u8]) -> Result<(), CudaError> {
        let failed = CudaError::driver("starting a picture");
        let (picture, painting) = self.pointers;
        self.sent.as_mut_slice().map_err(&failed)?.copy_from_slice(pixels);
        // SAFETY: the slot stays until its streams have come past (see `CudaPlan::release`), and both ends are as large.
        unsafe { session.send(self.sent.as_slice().map_err(&failed)?, picture)? };
        self.uploaded.record(&session.upload).map_err(&failed)?;
        session.compute.wait(&self.uploaded).map_err(&failed)?;
        let graph =
            self.graph.as_ref().ok_or(CudaError::OutOfTurn { what: "the steps were not recorded" })?;
        graph.0.launch().map_err(CudaError::driver("painting"))?;
        self.computed.record(&session.compute).map_err(&failed)?;
        session.download.wait(&self.computed).map_err(&failed)?;
        // SAFETY: as above.
        unsafe { session.fetch(painting, self.fetched.as_mut_slice().map_err(&failed)?)? };
        self.downloaded.record(&session.download).map_err(&failed)
    }

    /// Waits for the painting.
    pub(super) fn finish(&self) -> Result<&[u8], CudaError> {
        let failed = CudaError::driver("painting");
        self.downloaded.synchronize().map_err(&failed)?;
        self.fetched.as_slice().map_err(&failed)
    }
}
