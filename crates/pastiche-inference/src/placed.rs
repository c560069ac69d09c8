//! Networks on their devices, apart from what paints with them.

use pastiche_nn::Network;

use crate::{
    ComputeDevice, InferenceError, Precision, Style,
    card::CardError,
    engine::{Engine, PlanOnCard},
    memory,
    resize::Size,
};

/// A style placed on a device: what takes time to get ready. A [`Stylizer`](crate::Stylizer) exchanges one for another
/// between two frames.
pub struct PlacedStyle {
    pub(crate) network: PlacedNetwork,
}

impl PlacedStyle {
    /// Places `style` on `device`, with the threads of the rayon pool that it is called in; on the processor where a card
    /// that `auto` chose cannot take it.
    ///
    /// # Errors
    /// The device lacks the precision or the memory.
    pub fn new(style: &Style, device: &ComputeDevice, precision: Precision) -> Result<Self, InferenceError> {
        Ok(Self { network: PlacedNetwork::new(&style.network, device, precision)? })
    }

    /// The device that it is on.
    pub const fn device(&self) -> &ComputeDevice {
        &self.network.device
    }

    /// The number type that it computes in.
    pub const fn precision(&self) -> &'static str {
        self.network.precision.name()
    }

    /// Bytes of memory, of the device's or the computer's, that its weights take.
    pub fn weight_bytes(&self) -> u64 {
        self.network.engine.weight_bytes()
    }
}

/// A network placed on a device. Where that is a card which nobody asked for by name, the processor takes its place when it
/// fails.
pub(crate) struct PlacedNetwork {
    pub(crate) device: ComputeDevice,
    pub(crate) engine: Engine,
    pub(crate) precision: Precision,
    wish: Precision,
    /// To be placed on the processor, should the card fail.
    spare: Option<Network>,
    /// Why the processor works where a card might, until it is told.
    warning: Option<String>,
}

impl PlacedNetwork {
    /// Places `network` on `device`, or on the processor where a replaceable card cannot take it.
    ///
    /// # Errors
    /// The device lacks the precision or the memory.
    pub(crate) fn new(
        network: &Network,
        device: &ComputeDevice,
        wish: Precision,
    ) -> Result<Self, InferenceError> {
        let replaceable = device.open_card().filter(|card| card.is_replaceable());
        if replaceable.is_some_and(|card| card.is_given_up()) {
            // Which was told when that happened.
            return Self::on_processor(network, None, wish);
        }
        match Self::on(network, device, wish) {
            Err(InferenceError::Card { source, .. }) if replaceable.is_some() => {
                Self::instead_of(device, network, wish, &source)
            }
            Err(error) => Err(error),
            Ok(placed) => Ok(Self { spare: replaceable.map(|_| network.clone()), ..placed }),
        }
    }

    fn on(network: &Network, device: &ComputeDevice, wish: Precision) -> Result<Self, InferenceError> {
        let precision = wish.resolve(device, &network.description().architecture)?;
        let engine = Engine::new(network, device, precision)?;
        Ok(Self {
            device: device.clone(),
            engine,
            precision,
            wish,
            spare: None,
            warning: device.take_warning(),
        })
    }

    /// On the processor: in the precision that is wished for, where that is one of the processor's too.
    fn on_processor(
        network: &Network,
        note: Option<String>,
        wish: Precision,
    ) -> Result<Self, InferenceError> {
        let processor = ComputeDevice::processor(note)?;
        let offered = processor.precisions().contains(&wish.name());
        Self::on(network, &processor, if offered { wish } else { Precision::Auto })
    }

    /// On the processor, since `card` has failed.
    fn instead_of(
        card: &ComputeDevice,
        network: &Network,
        wish: Precision,
        why: &CardError,
    ) -> Result<Self, InferenceError> {
        if let (CardError::Lost { .. }, Some(card)) = (why, card.open_card()) {
            card.give_up();
        }
        let reason = format!("{} ({}) is not used any more: {why}", card.id(), card.name());
        let placed = Self::on_processor(network, Some(reason.clone()), wish)?;
        Ok(Self { warning: Some(format!("{reason}; the processor goes on")), ..placed })
    }

    /// Paints as [`Engine::paint`] does, on the processor where a replaceable card fails.
    ///
    /// # Errors
    /// The device failed.
    pub(crate) fn paint(
        &mut self,
        pixels: &[u8],
        size: Size,
        painting: &mut [f32],
    ) -> Result<(), InferenceError> {
        match self.engine.paint(pixels, size, painting) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.recover(error)?;
                self.engine.paint(pixels, size, painting)
            }
        }
    }

    /// After an error: lets the processor take the place of a card that has failed, where it may; else gives the error back.
    pub(crate) fn recover(&mut self, error: InferenceError) -> Result<(), InferenceError> {
        match (error, self.spare.take()) {
            (InferenceError::Card { source, .. }, Some(network)) => {
                *self = Self::instead_of(&self.device, &network, self.wish, &source)?;
                Ok(())
            }
            (error, spare) => {
                self.spare = spare;
                Err(error)
            }
        }
    }

    /// Says which size would fit where a card's memory does not suffice for `size`.
    pub(crate) fn with_fitting_size(&mut self, error: InferenceError, size: Size) -> InferenceError {
        match error {
            InferenceError::Card { device, source: CardError::OutOfMemory { needed, free } } => {
                let plan: Option<&PlanOnCard> = self.engine.on_card().map(|plan| &*plan);
                let fits = plan.and_then(|plan| {
                    memory::largest_fitting(size, |size| Ok(plan.memory_bytes(size) <= free)).ok().flatten()
                });
                let fits = fits.map(|Size { width, height }| (width, height));
                let Size { width, height } = size;
                InferenceError::CardMemory { device, width, height, needed, available: free, fits }
            }
            other => other,
        }
    }

    /// Why the processor works where a card might, once.
    pub(crate) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }
}
