//! The threads that answer, one request after the other. Previews have their own, since painting takes long; dialogs have
//! one each, for they stay open.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, SyncSender, TrySendError},
    thread,
};

use anyhow::{Context, Result, bail};
use pastiche_inference::{DeviceChoice, StyleEntry, StyleLibrary, Upscaler, compute_devices};
use pastiche_media::{
    IMAGE_ENDINGS, available_encoders, is_read_image, list_cameras, list_microphones, probe, read_image,
};

use super::{Pick, Reply, Request, Services, thumbnail::ThumbnailPainter};
use crate::{
    args::UPSCALE_FACTORS,
    failure::one_line,
    window::{
        settings::Settings,
        settings_file,
        state::{DeviceView, UpscalerView},
        text,
    },
};

/// Requests and replies that may wait.
const MAX_WAITING: usize = 256;

const VIDEO_EXTENSIONS: [&str; 9] = ["mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts"];
const STYLE_EXTENSION: &str = "safetensors";

/// The other end of the "services" and "previews" threads.
pub(crate) struct ServiceThread {
    requests: SyncSender<Request>,
    previews: SyncSender<Request>,
    replies: Receiver<Reply>,
    /// For dialogs.
    reply: Replier,
}

/// Hands answers over and wakes the window.
#[derive(Clone)]
struct Replier {
    replies: SyncSender<Reply>,
    wake: std::sync::Arc<dyn Fn() + Send + Sync>,
}

impl Replier {
    fn tell(&self, reply: Reply) {
        // Where nobody listens any more there is nobody to tell.
        let _ = self.replies.send(reply);
        (self.wake)();
    }

    /// For the window's own thread, which must not wait for itself.
    fn tell_now(&self, reply: Reply) {
        if let Err(TrySendError::Full(reply) | TrySendError::Disconnected(reply)) =
            self.replies.try_send(reply)
        {
            log::warn!("too many answers wait, so this one is lost: {reply:?}");
        }
        (self.wake)();
    }

    fn tell_result(&self, result: Result<Reply>) {
        self.tell(result.unwrap_or_else(|error| Reply::Failed(one_line(&error))));
    }
}

impl ServiceThread {
    /// Starts the threads. `demo` is what previews are painted from; `wake` is called when there is an answer.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        demo: Option<PathBuf>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (requests, requested) = mpsc::sync_channel(MAX_WAITING);
        let (sender, replies) = mpsc::sync_channel(MAX_WAITING);
        let reply = Replier { replies: sender, wake: std::sync::Arc::new(wake) };
        let replier = reply.clone();
        thread::Builder::new().name("services".to_owned()).spawn(move || {
            requested.into_iter().for_each(|request| answer(request, &replier));
        })?;
        let (previews, wanted) = mpsc::sync_channel(MAX_WAITING);
        let replier = reply.clone();
        thread::Builder::new().name("previews".to_owned()).spawn(move || {
            let mut painter = None;
            for request in wanted {
                if let Request::PaintThumbnail { name, path } = request {
                    paint_preview(name, &path, demo.as_deref(), &mut painter, &replier);
                }
            }
        })?;
        Ok(Self { requests, previews, replies, reply })
    }
}

impl Services for ServiceThread {
    fn request(&mut self, request: Request) {
        let refused = match request {
            Request::Pick(pick) => {
                let reply = self.reply.clone();
                let dialog = thread::Builder::new().name("dialog".to_owned());
                dialog.spawn(move || run_dialog(pick, &reply)).err().map(|error| error.to_string())
            }
            preview @ Request::PaintThumbnail { .. } => refusal(self.previews.try_send(preview)),
            other => refusal(self.requests.try_send(other)),
        };
        if let Some(reason) = refused {
            self.reply.tell_now(Reply::Failed(reason));
        }
    }

    fn drain_replies(&mut self) -> Vec<Reply> {
        self.replies.try_iter().collect()
    }

    fn new_file(&mut self, folder: &Path, stem: &str, extension: &str, taken: &[&Path]) -> PathBuf {
        // A folder that cannot be made shows when the file is written.
        let _ = fs::create_dir_all(folder);
        let candidates = (1u32..).map(|number| {
            let number = if number == 1 { String::new() } else { format!(" {number}") };
            folder.join(format!("{stem}{number}.{extension}"))
        });
        let mut free = candidates.filter(|path| !path.exists() && !taken.contains(&path.as_path()));
        free.next().unwrap_or_else(|| folder.join(format!("{stem}.{extension}")))
    }

    fn save_settings(&mut self, settings: &Settings) -> Result<(), String> {
        settings_file::save(settings).map_err(|error| one_line(&error))
    }
}

/// Why a request was not taken.
fn refusal(sent: Result<(), TrySendError<Request>>) -> Option<String> {
    sent.err().map(|error| match error {
        TrySendError::Full(_) => text::BUSY.to_owned(),
        TrySendError::Disconnected(_) => text::SERVICES_GONE.to_owned(),
    })
}

fn paint_preview(
    name: String,
    path: &Path,
    demo: Option<&Path>,
    painter: &mut Option<ThumbnailPainter>,
    reply: &Replier,
) {
    match thumbnail(path, demo, painter) {
        Ok(picture) => reply.tell(Reply::Thumbnail { name, picture }),
        // A style without a preview can be chosen all the same, and says what is wrong with it then.
        Err(error) => log::info!("no preview of {name}: {}", one_line(&error)),
    }
}

fn answer(request: Request, reply: &Replier) {
    match request {
        Request::ListCameras => match list_cameras() {
            Ok(cameras) => reply.tell(Reply::Cameras(cameras)),
            // Without cameras the program is as useful as with one; the list shows that there is none.
            Err(error) => {
                log::info!("{error}");
                reply.tell(Reply::Cameras(Vec::new()));
            }
        },
        Request::ListMicrophones => match list_microphones() {
            Ok(microphones) => reply.tell(Reply::Microphones(microphones)),
            // The system's own can be tried all the same.
            Err(error) => log::info!("{error}"),
        },
        Request::ListStyles(device) => {
            reply.tell(Reply::Styles(StyleLibrary::discover(device).styles().to_vec()));
        }
        Request::ListHardware => reply.tell(hardware()),
        Request::Inspect(path) => reply.tell(inspect(path)),
        Request::InstallStyle(path) => reply.tell_result(install_style(&path)),
        Request::Reveal(path) => {
            if let Err(error) = reveal(&path) {
                reply.tell(Reply::Failed(one_line(&error)));
            }
        }
        // These have threads of their own.
        Request::PaintThumbnail { .. } | Request::Pick(_) => {}
    }
}

fn hardware() -> Reply {
    let usable = compute_devices().into_iter().filter(|device| device.usable);
    Reply::Hardware {
        devices: usable.map(|device| DeviceView { id: device.id, name: device.name }).collect(),
        encoders: available_encoders().into_iter().map(|encoder| encoder.name.to_owned()).collect(),
        upscalers: UPSCALE_FACTORS.into_iter().filter_map(installed_upscaler).collect(),
    }
}

fn installed_upscaler(factor: u32) -> Option<UpscalerView> {
    // Where there is none, it is not offered.
    Upscaler::find(factor).ok().map(|path| UpscalerView { factor, path })
}

fn thumbnail(
    style: &Path,
    demo: Option<&Path>,
    painter: &mut Option<ThumbnailPainter>,
) -> Result<pastiche_frame::Frame> {
    let painter = match painter {
        Some(painter) => painter,
        None => painter.insert(ThumbnailPainter::new(demo.context("the demo clip is missing")?)?),
    };
    painter.paint(style)
}

/// What a file is, by its name first and its contents then.
fn inspect(path: PathBuf) -> Reply {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let extension = extension.as_deref().unwrap_or_default();
    if extension == STYLE_EXTENSION {
        return match StyleEntry::read(&path) {
            Ok(entry) => Reply::Style(entry),
            Err(error) => Reply::Failed(error.to_string()),
        };
    }
    if is_read_image(&path) {
        return match read_image(&path) {
            Ok(_) => Reply::Still(path),
            Err(error) => Reply::Failed(error.to_string()),
        };
    }
    match probe(&path) {
        Ok(info) if info.video.is_some() => Reply::Video { path, info: Box::new(info) },
        Err(error) if VIDEO_EXTENSIONS.contains(&extension) => Reply::Failed(error.to_string()),
        _ => Reply::Unknown(path),
    }
}

/// Copies a style to the user's folder; it appears there when it is whole.
fn install_style(path: &Path) -> Result<Reply> {
    let entry = StyleEntry::read(path)?;
    let folder = StyleLibrary::user_folder().context("there is no folder for styles on this system")?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let name = path.file_name().context("the style file has no name")?;
    let library = StyleLibrary::discover(DeviceChoice::Cpu);
    let has_name = |known: &&StyleEntry| {
        known.name == entry.name && entry.architectures.iter().any(|own| known.architectures.contains(own))
    };
    if let Some(known) = library.styles().iter().find(has_name) {
        bail!("a style called {} is there already; rename your file: {}", known.name, path.display());
    }
    let target = folder.join(name);
    if target.exists() && fs::canonicalize(&target).ok() != fs::canonicalize(path).ok() {
        bail!("a style file of that name is there already; rename yours: {}", target.display());
    }
    if !target.exists() {
        settings_file::write_whole(&target, &fs::read(path)?)
            .with_context(|| format!("cannot copy the style to {}", target.display()))?;
    }
    Ok(Reply::StyleInstalled { name: entry.name, title: entry.title })
}

/// Shows a file in the system's file manager, or its folder where that cannot point at files.
fn reveal(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut command = if cfg!(target_os = "macos") {
        let mut command = Command::new("open");
        command.arg("-R").arg(path);
        command
    } else if cfg!(windows) {
        let mut command = Command::new("explorer");
        command.arg(format!("/select,{}", path.display()));
        command
    } else {
        let mut command = Command::new("xdg-open");
        command.arg(folder);
        command
    };
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().with_context(|| format!("cannot open the folder; it is {}", folder.display()))?;
    Ok(())
}

/// The path with the ending that an export has; a dot elsewhere in the name stays.
fn named_mp4(path: PathBuf) -> PathBuf {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mp4")) {
        return path;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".mp4");
    path.with_file_name(name)
}

fn run_dialog(pick: Pick, reply: &Replier) {
    let media = [&VIDEO_EXTENSIONS[..], &IMAGE_ENDINGS[..], &[STYLE_EXTENSION]].concat();
    let dialog = rfd::FileDialog::new();
    let picked = match &pick {
        Pick::File => dialog.add_filter(text::OPENABLE_FILES, &media).pick_file(),
        Pick::Video => dialog.add_filter(text::VIDEOS, &VIDEO_EXTENSIONS).pick_file(),
        Pick::Style => dialog.add_filter(text::STYLES, &[STYLE_EXTENSION]).pick_file(),
        Pick::Folder => dialog.pick_folder(),
        Pick::Output(path) => {
            let dialog = dialog.add_filter("MP4", &["mp4"]).set_file_name(text::file_name(path));
            let dialog =
                path.parent().map_or_else(rfd::FileDialog::new, |folder| dialog.set_directory(folder));
            dialog.save_file().map(named_mp4)
        }
    };
    if let Some(path) = picked {
        reply.tell(Reply::Picked(pick, path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_keep_the_dots_of_their_names() {
        let named = |name: &str| named_mp4(Path::new("/videos").join(name));
        assert_eq!(named("Trip 12.05. to sea"), Path::new("/videos/Trip 12.05. to sea.mp4"));
        assert_eq!(named("a.b.MP4"), Path::new("/videos/a.b.MP4"));
    }

    #[test]
    fn every_kind_of_picture_is_known_for_one() {
        let folder = tempfile::tempdir().unwrap();
        for ending in ["webp", "TIFF", "bmp"] {
            let path = folder.path().join(format!("picture.{ending}"));
            fs::write(&path, "no picture").unwrap();
            let Reply::Failed(reason) = inspect(path) else { panic!("{ending} is no picture") };
            assert!(reason.contains("the picture cannot be read"), "{reason}");
        }
    }
}
