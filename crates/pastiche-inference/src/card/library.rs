//! The program's side of the border: cards by an engine in a library, loaded when the program runs.
#![allow(unsafe_code, reason = "a library's functions are beyond the compiler's sight")]

use std::{
    env,
    ffi::OsString,
    fmt::Display,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
    ptr,
    sync::{Arc, OnceLock},
};

use libloading::Library;
use pastiche_nn::{Network, weights};

use super::{
    Card, CardError, CardInfo, CardPlan, CardPrecision, Cards,
    abi::{Entry, Failure, Handle, RawInfo, SYMBOL, Table, VERSION, raw_precision},
};

/// Names the library to load, where it does not lie beside the program.
const VARIABLE: &str = "PASTICHE_CUDA_LIBRARY";
/// More cards than a machine has.
const MAX_CARDS: usize = 64;

/// The cards by the library that is installed: the one that `PASTICHE_CUDA_LIBRARY` names, else `libpastiche_cuda.so` (or what
/// libraries are called here) beside the program. It is looked for once, and stays for good.
///
/// # Errors
/// There is none, or it does not load here.
pub(super) fn installed() -> Result<&'static dyn Cards, CardError> {
    static INSTALLED: OnceLock<Result<LoadedCards, CardError>> = OnceLock::new();
    let found =
        INSTALLED.get_or_init(|| LoadedCards::load(&place(env::var_os(VARIABLE), env::current_exe().ok())?));
    found.as_ref().map(|cards| cards as &dyn Cards).map_err(Clone::clone)
}

/// Where the library is, if it is anywhere: where the user has `named` it, else beside the program.
fn place(named: Option<OsString>, program: Option<PathBuf>) -> Result<PathBuf, CardError> {
    if let Some(named) = named.map(PathBuf::from) {
        let there = named.is_file();
        let reason = format!("{VARIABLE} names no file: {}", named.display());
        return if there { Ok(named) } else { Err(CardError::Failed { reason }) };
    }
    let name = libloading::library_filename("pastiche_cuda");
    let beside = program.and_then(|program| Some(program.parent()?.join(&name)));
    beside.filter(|path| path.is_file()).ok_or_else(|| {
        let name = name.to_string_lossy();
        not_installed(format_args!("{name} is not beside the program, and {VARIABLE} names no other"))
    })
}

fn not_installed(why: impl Display) -> CardError {
    CardError::NotInstalled { reason: format!("no engine for CUDA cards is installed: {why}") }
}

/// The cards by a library.
#[derive(Debug)]
pub struct LoadedCards {
    table: &'static Table,
}

impl LoadedCards {
    /// Loads a library, which then stays for good, since drivers leave threads behind.
    ///
    /// # Errors
    /// It cannot be loaded here, holds no engine, or one for another version of the program.
    pub fn load(path: &Path) -> Result<Self, CardError> {
        let shown = path.display();
        // SAFETY: it is ours, by its place or by the user's word, and its initialisers are those of Rust and CUDA.
        let library = unsafe { Library::new(path) }.map_err(|error| CardError::Failed {
            reason: format!(
                "the engine for cards does not load ({}); it needs the NVIDIA driver, CUDA 13 and cuDNN 9: {shown}",
                one_line(&error)
            ),
        })?;
        let library = ManuallyDrop::new(library);
        // SAFETY: whatever has this name has this type.
        let entry = unsafe { library.get::<Entry>(SYMBOL) }.map_err(|_missing| {
            not_installed(format_args!("this library was built without CUDA, {shown}"))
        })?;
        // SAFETY: it takes nothing, and gives a pointer to a table that lives as long as the program; an engine of another
        // version has at least its version there.
        let version = unsafe { ptr::addr_of!((*entry()).version).read() };
        if version != VERSION {
            return Err(CardError::Failed {
                reason: format!(
                    "the engine for cards is of another version of the program ({version}, not {VERSION}); install the one \
                     that came with it: {shown}"
                ),
            });
        }
        // SAFETY: as above, and of this version it is whole.
        Ok(Self { table: unsafe { &*entry() } })
    }
}

/// What the system's loader says, which may be in several lines.
fn one_line(error: &libloading::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Calls a function that may fail.
fn call(function: impl FnOnce(*mut Failure) -> bool) -> Result<(), CardError> {
    let mut failure = Failure::EMPTY;
    if function(&raw mut failure) { Ok(()) } else { Err(CardError::from(&failure)) }
}

impl Cards for LoadedCards {
    fn list(&self) -> Result<Vec<CardInfo>, CardError> {
        let (mut cards, mut count) = ([RawInfo::EMPTY; MAX_CARDS], 0);
        // SAFETY: there is room for as many as are said, and the others can be written to.
        call(|failure| unsafe { (self.table.list)(cards.as_mut_ptr(), MAX_CARDS, &raw mut count, failure) })?;
        Ok(cards.iter().take(count).map(CardInfo::from).collect())
    }

    fn open(&self, number: usize) -> Result<Box<dyn Card>, CardError> {
        let mut handle = ptr::null_mut();
        // SAFETY: both can be written to.
        call(|failure| unsafe { (self.table.open)(number, &raw mut handle, failure) })?;
        Ok(Box::new(LoadedCard(Arc::new(OpenHandle { table: self.table, handle }))))
    }
}

/// A card that is given back when nothing on it is used any more.
#[derive(Debug)]
struct OpenHandle {
    table: &'static Table,
    handle: Handle,
}

// SAFETY: behind the handle is a `Card`, which is `Send` and `Sync`.
unsafe impl Send for OpenHandle {}
// SAFETY: as above.
unsafe impl Sync for OpenHandle {}

impl Drop for OpenHandle {
    fn drop(&mut self) {
        // SAFETY: `open` gave it, its plans are gone since they share this, and it is not used again.
        unsafe { (self.table.close)(self.handle) };
    }
}

#[derive(Debug)]
struct LoadedCard(Arc<OpenHandle>);

impl Card for LoadedCard {
    fn place(&self, network: &Network, precision: CardPrecision) -> Result<Box<dyn CardPlan>, CardError> {
        let bytes = weights::to_bytes(network).map_err(|error| CardError::Failed {
            reason: format!("the network cannot be handed to its engine: {error}"),
        })?;
        let OpenHandle { table, handle } = *self.0;
        let (precision, mut plan) = (raw_precision(precision), ptr::null_mut());
        // SAFETY: the card is open, the bytes are as many as is said, and the rest can be written to.
        call(|failure| unsafe {
            (table.place)(handle, bytes.as_ptr(), bytes.len(), precision, &raw mut plan, failure)
        })?;
        Ok(Box::new(LoadedPlan { table, handle: plan, _card: Arc::clone(&self.0) }))
    }
}

struct LoadedPlan {
    table: &'static Table,
    handle: Handle,
    /// It stays open as long.
    _card: Arc<OpenHandle>,
}

// SAFETY: behind the handle is a `CardPlan`, which is `Send`.
unsafe impl Send for LoadedPlan {}

impl LoadedPlan {
    fn check_picture(pixels: &[u8], (height, width): (usize, usize)) {
        assert_eq!(pixels.len(), 3 * height * width, "a picture has 3 bytes a pixel");
    }
}

impl CardPlan for LoadedPlan {
    fn weight_bytes(&self) -> u64 {
        // SAFETY: the plan is not given back yet.
        unsafe { (self.table.weight_bytes)(self.handle) }
    }

    fn memory_bytes(&self, (height, width): (usize, usize)) -> u64 {
        // SAFETY: the plan is not given back yet.
        unsafe { (self.table.memory_bytes)(self.handle, height, width) }
    }

    fn release(&mut self) {
        // SAFETY: the plan is not given back yet.
        unsafe { (self.table.release)(self.handle) };
    }

    fn paint(&mut self, pixels: &[u8], size: (usize, usize), painting: &mut [f32]) -> Result<(), CardError> {
        Self::check_picture(pixels, size);
        let (to, len) = (painting.as_mut_ptr(), painting.len());
        // SAFETY: the picture has 3 bytes a pixel, as was checked, and there is room for as much as is said.
        call(|failure| unsafe {
            (self.table.paint)(self.handle, pixels.as_ptr(), size.0, size.1, to, len, failure)
        })
    }

    fn submit(&mut self, pixels: &[u8], size: (usize, usize)) -> Result<(), CardError> {
        Self::check_picture(pixels, size);
        // SAFETY: the picture has 3 bytes a pixel, as was checked.
        call(|failure| unsafe { (self.table.submit)(self.handle, pixels.as_ptr(), size.0, size.1, failure) })
    }

    fn collect(&mut self, painting: &mut [u8]) -> Result<(), CardError> {
        // SAFETY: there is room for as much as is said.
        call(|failure| unsafe {
            (self.table.collect)(self.handle, painting.as_mut_ptr(), painting.len(), failure)
        })
    }
}

impl Drop for LoadedPlan {
    fn drop(&mut self) {
        // SAFETY: `place` gave it, and it is not used again.
        unsafe { (self.table.remove)(self.handle) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_that_is_not_there_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing.so");
        let error = place(Some(path.clone().into_os_string()), None).unwrap_err().to_string();
        assert!(error.contains(VARIABLE) && error.contains(&*path.to_string_lossy()), "{error}");

        let program = folder.path().join("program");
        let error = place(None, Some(program.clone())).unwrap_err();
        assert!(matches!(error, CardError::NotInstalled { .. }), "{error}");
        let beside = folder.path().join(libloading::library_filename("pastiche_cuda"));
        std::fs::write(&beside, "").unwrap();
        assert_eq!(place(None, Some(program)), Ok(beside));
    }

    #[test]
    fn what_is_no_library_is_refused_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.so");
        std::fs::write(&path, "not a library").unwrap();
        let error = LoadedCards::load(&path).unwrap_err().to_string();
        assert!(error.starts_with("the engine for cards does not load") && !error.contains('\n'), "{error}");
    }
}
