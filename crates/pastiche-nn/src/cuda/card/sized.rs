//! A plan at one size of picture: its memory on the card, and the pictures under way.

use candle_core::cuda_backend::cudarc::driver::CudaSlice;

use super::{CudaError, queue::PLACES, session::Session, slot::Slot, ways::WORKSPACE_BYTES};
use crate::cuda::{address::Bases, arguments::Output, program::Program};

/// What depends on the picture's size.
pub(super) struct Sized {
    program: Program,
    arena: CudaSlice<u8>,
    tables: CudaSlice<i32>,
    /// For cuDNN, where it is there.
    workspace: Option<CudaSlice<u8>>,
    parameters: u64,
    bytes: [Option<Slot>; PLACES],
    floats: Option<Slot>,
}

/// Bytes of the card's memory that a program takes, without its weights.
pub(super) fn memory_bytes(program: &Program) -> u64 {
    let ends = |output: Output| program.picture_len() + program.painting_len() * output.bytes();
    let slots = PLACES * ends(Output::Rgb8) + ends(Output::F32);
    (program.arena_bytes() + program.tables.len() * size_of::<i32>() + slots + WORKSPACE_BYTES) as u64
}

impl Sized {
    /// Makes room for a program whose weights are at `parameters`.
    pub(super) fn new(session: &Session, program: Program, parameters: u64) -> Result<Self, CudaError> {
        Ok(Self {
            arena: session.allocate(program.arena_bytes())?,
            tables: session.place(&program.tables)?,
            workspace: cfg!(feature = "cudnn").then(|| session.allocate(WORKSPACE_BYTES)).transpose()?,
            program,
            parameters,
            bytes: [const { None }; PLACES],
            floats: None,
        })
    }

    /// Height and width of the picture.
    pub(super) const fn size(&self) -> (usize, usize) {
        self.program.picture
    }

    /// Sends a picture off, to be fetched from the same place.
    pub(super) fn start(
        &mut self,
        session: &mut Session,
        output: Output,
        place: usize,
        pixels: &[u8],
    ) -> Result<(), CudaError> {
        if self.slot(output, place).is_none() {
            let slot = self.recorded(session, output)?;
            *self.slot(output, place) = Some(slot);
        }
        match self.slot(output, place) {
            Some(slot) => slot.start(session, pixels),
            None => Ok(()),
        }
    }

    /// Waits for the painting at a place; its bytes.
    pub(super) fn finish(&mut self, output: Output, place: usize) -> Result<&[u8], CudaError> {
        let slot = self.slot(output, place).as_ref();
        slot.ok_or(CudaError::OutOfTurn { what: "no picture was sent from there" })?.finish()
    }

    fn slot(&mut self, output: Output, place: usize) -> &mut Option<Slot> {
        match output {
            Output::Rgb8 => &mut self.bytes[place],
            Output::F32 => &mut self.floats,
        }
    }

    /// A new slot with its steps recorded.
    fn recorded(&self, session: &mut Session, output: Output) -> Result<Slot, CudaError> {
        let Self { program, arena, tables, workspace, .. } = self;
        let painting_bytes = program.painting_len() * output.bytes();
        let mut slot = Slot::new(session, program.picture_len(), painting_bytes)?;
        let (picture, painting) = slot.pointers();
        let bases = Bases {
            arena: session.pointer(arena),
            tables: session.pointer(tables),
            parameters: self.parameters,
            picture,
            painting,
        };
        let workspace = workspace.as_ref().map_or((0, 0), |memory| (session.pointer(memory), memory.len()));
        let launches = program.launches(&bases, output);
        session.choose(&launches, workspace)?;
        // What a kernel or cuDNN does when it runs first (loading code, say) cannot be recorded.
        for launch in &launches {
            session.start(launch, workspace)?;
        }
        session.compute.synchronize().map_err(CudaError::driver("painting"))?;
        slot.record(session, &launches, workspace)?;
        Ok(slot)
    }
}
