//! `pastiche image`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, path::Path, process::Command};

use pastiche_e2e::{Run, pastiche, program, shared, write_photo, write_style, write_upscaler};
use pastiche_frame::{Frame, PixelFormat};
use pastiche_media::read_image;

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_photo(&folder.path().join("a.png"), 61, 47);
    write_photo(&folder.path().join("b.jpg"), 40, 64);
    write_style(&folder.path().join("dots.safetensors"));
    folder
}

fn run(folder: &Path, line: &str) -> Run {
    Command::new(program()).args(line.split(' ')).current_dir(folder).output().unwrap().into()
}

fn size(path: &Path) -> (u32, u32) {
    let picture = read_image(path).unwrap();
    (picture.width(), picture.height())
}

#[test]
fn a_picture_keeps_its_size_or_takes_the_one_asked_for() {
    let folder = studio();
    let out = folder.path().join("out.png");
    for (options, expected) in [
        ("", (61, 47)),
        (" --size 33x19", (33, 19)),
        (" --scale 2", (122, 94)),
        (" --process-size 20x20", (61, 47)),
    ] {
        run(folder.path(), &format!("image a.png -o out.png --style dots.safetensors -y{options}")).done();
        assert_eq!(size(&out), expected, "{options}");
    }
}

#[test]
fn several_pictures_go_into_a_folder_under_their_names() {
    let folder = studio();
    let run = run(folder.path(), "image a.png b.jpg -o painted --style dots.safetensors").done();
    assert!(run.err.contains("2 images done"), "{}", run.err);
    assert_eq!(size(&folder.path().join("painted/a.png")), (61, 47));
    assert_eq!(size(&folder.path().join("painted/b.jpg")), (40, 64));
}

#[test]
fn bad_pictures_are_told_and_counted_and_the_others_are_done() {
    let folder = studio();
    fs::write(folder.path().join("broken.png"), "not a picture").unwrap();
    write_photo(&folder.path().join("tiny.png"), 8, 8);
    let line = "image missing.png broken.png a.png tiny.png b.jpg -o painted --style dots.safetensors";
    let partly = run(folder.path(), line);
    assert_eq!(partly.code, Some(3), "{}", partly.err);
    let errors: Vec<&str> = partly.err.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 3, "{}", partly.err);
    for name in ["missing.png", "broken.png", "tiny.png"] {
        assert_eq!(errors.iter().filter(|line| line.contains(name)).count(), 1, "{name}: {errors:?}");
    }
    assert!(partly.err.contains("2 images done") && partly.err.contains("3 failed"), "{}", partly.err);
    let mut made: Vec<_> = fs::read_dir(folder.path().join("painted"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    made.sort();
    assert_eq!(made, ["a.png", "b.jpg"]);

    // All of them are there now, or still bad: nothing is done, and that is a failure.
    assert_eq!(run(folder.path(), line).code, Some(1));
}

#[test]
fn no_picture_is_painted_over_another_one_that_is_to_be_read() {
    let folder = studio();
    for (name, side) in [("one", 40), ("two", 48)] {
        fs::create_dir(folder.path().join(name)).unwrap();
        write_photo(&folder.path().join(name).join("p.png"), side, side);
    }
    let before = fs::read(folder.path().join("two/p.png")).unwrap();
    for inputs in ["one/p.png two/p.png", "one two"] {
        let refused = run(folder.path(), &format!("image {inputs} -o two --style dots.safetensors -y"));
        assert_eq!(refused.code, Some(1), "{}", refused.err);
        assert!(refused.err.contains("the output is one of the inputs"), "{}", refused.err);
    }
    assert!(fs::read(folder.path().join("two/p.png")).unwrap() == before);
    run(folder.path(), "image one/p.png two/p.png -o three --style dots.safetensors").done();
}

#[test]
fn a_photograph_that_breaks_off_is_refused() {
    let folder = studio();
    let whole = fs::read(folder.path().join("b.jpg")).unwrap();
    fs::write(folder.path().join("part.jpg"), &whole[..whole.len() * 2 / 3]).unwrap();
    let refused = run(folder.path(), "image part.jpg -o out.png --style dots.safetensors");
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("breaks off before its end"), "{}", refused.err);
    assert!(!folder.path().join("out.png").exists());
}

#[test]
fn a_trained_style_paints_a_photograph() {
    let (Some(style), Some(photo)) =
        (shared("style_nets/starrynight.transformer_net.safetensors"), shared("photos/content/102062.jpg"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jpg");
    let arguments = ["image".as_ref(), photo.as_os_str(), "-o".as_ref(), out.as_os_str(), "--style".as_ref()];
    pastiche(arguments.into_iter().chain([style.as_os_str(), "--process-size".as_ref(), "96x64".as_ref()]))
        .done();
    let (source, painted) = (read_image(&photo).unwrap(), read_image(&out).unwrap());
    assert_eq!((painted.width(), painted.height()), (source.width(), source.height()));
    let total: u64 = source.data().iter().zip(painted.data()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(total / source.data().len() as u64 > 15, "the photograph is hardly changed");
}

#[test]
fn a_folder_s_tree_and_names_are_kept_and_bad_ones_are_counted() {
    let folder = studio();
    let album = folder.path().join("album");
    fs::create_dir_all(album.join("2024/summer")).unwrap();
    write_photo(&album.join("a.png"), 40, 30);
    write_photo(&album.join("2024/b.JPG"), 40, 30);
    write_photo(&album.join("2024/summer/\u{fc}ber.jpg"), 30, 40);
    fs::write(album.join("2024/broken.png"), "not a picture").unwrap();
    fs::write(album.join("2024/notes.txt"), "not meant").unwrap();
    let line = "image album -o album/painted --style dots.safetensors";
    let first = run(folder.path(), line);
    assert_eq!(first.code, Some(3), "{}", first.err);
    assert!(first.err.contains("3 images done") && first.err.contains("1 failed"), "{}", first.err);
    assert!(first.err.contains("broken.png"), "{}", first.err);
    let painted = album.join("painted");
    assert_eq!(size(&painted.join("a.png")), (40, 30));
    assert_eq!(size(&painted.join("2024/b.JPG")), (40, 30));
    assert_eq!(size(&painted.join("2024/summer/\u{fc}ber.jpg")), (30, 40));
    assert_eq!(fs::read_dir(painted.join("2024")).unwrap().count(), 2);

    // What was painted before is no source now, and is in the way.
    fs::remove_file(album.join("2024/broken.png")).unwrap();
    let again = run(folder.path(), line);
    assert!(again.err.contains("3 failed") && again.err.contains("-y"), "{}", again.err);
    run(folder.path(), &format!("{line} -y")).done();

    fs::create_dir(folder.path().join("empty")).unwrap();
    let empty = run(folder.path(), "image empty -o made --style dots.safetensors");
    assert!(empty.error(1).contains("no images in this folder"), "{}", empty.err);
    let itself = run(folder.path(), "image album -o album --style dots.safetensors -y");
    assert!(itself.error(1).contains("is the input itself"), "{}", itself.err);
}

#[test]
fn a_picture_is_enlarged_painted_or_as_it_is() {
    let folder = studio();
    write_upscaler(&folder.path().join("four.safetensors"));
    let out = folder.path().join("out.png");
    let enlarge = "image a.png -o out.png -y --upscale 4 --upscaler four.safetensors";
    let plain = run(folder.path(), enlarge).done();
    assert!(plain.err.contains("enlarging 4 times by four on cpu"), "{}", plain.err);
    assert_eq!(size(&out), (244, 188));
    let enlarged = read_image(&out).unwrap();
    run(folder.path(), &format!("{enlarge} --style dots.safetensors --size 40x30")).done();
    assert_eq!(size(&out), (160, 120));
    let source = read_image(&folder.path().join("a.png")).unwrap();
    let found = distance(&reduced(&enlarged, 4), &source);
    assert!(found < 10.0, "the enlargement is of the picture: {found}");
    run(folder.path(), &format!("{enlarge} --style dots.safetensors")).done();
    let painted = distance(&reduced(&read_image(&out).unwrap(), 4), &source);
    assert!(painted > 10.0, "the painting is enlarged: {painted}");
}

/// A picture whose pixels are the means of squares of `factor` pixels a side.
fn reduced(picture: &Frame, factor: usize) -> Frame {
    let (width, height) = (picture.width() as usize / factor, picture.height() as usize / factor);
    let mut means = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let at = |index: usize| {
                    let (x, y) = (x * factor + index % factor, y * factor + index / factor);
                    u32::from(picture.data()[(y * width * factor + x) * 3 + channel])
                };
                let sum: u32 = (0..factor * factor).map(at).sum();
                means.push((sum / (factor * factor) as u32) as u8);
            }
        }
    }
    Frame::from_data(width as u32, height as u32, PixelFormat::Rgb8, means)
}

/// Mean distance of two pictures of one size, on 0-255.
fn distance(one: &Frame, other: &Frame) -> f64 {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()));
    let apart = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b));
    one.data().iter().zip(other.data()).map(apart).sum::<f64>() / one.data().len() as f64
}

#[test]
fn what_cannot_be_enlarged_is_told() {
    let folder = studio();
    write_upscaler(&folder.path().join("four.safetensors"));
    let other = run(folder.path(), "image a.png -o out.png --upscale 8 --upscaler four.safetensors");
    assert!(other.error(1).contains("enlarges 4 times, not 8"), "{}", other.err);
    let style = run(folder.path(), "image a.png -o out.png --upscale 4 --upscaler dots.safetensors");
    assert!(style.error(1).contains("does not enlarge"), "{}", style.err);
    let painting = run(folder.path(), "image a.png -o out.png --style four.safetensors");
    assert!(painting.error(1).contains("give it to --upscaler"), "{}", painting.err);
    let three = run(folder.path(), "image a.png -o out.png --upscale 3");
    assert_eq!(three.code, Some(2), "{}", three.err);
    let nothing = run(folder.path(), "image a.png -o out.png");
    assert_eq!(nothing.code, Some(2), "{}", nothing.err);
    let useless =
        run(folder.path(), "image a.png -o out.png --upscale 4 --upscaler four.safetensors --strength 0.5");
    assert!(useless.error(2).contains("name its --style"), "{}", useless.err);
    // Where none is installed: neither in the folder of data nor beside the program.
    let alone = folder.path().join("pastiche");
    fs::copy(program(), &alone).unwrap();
    let none = Command::new(alone)
        .args(["image", "a.png", "-o", "out.png", "--upscale", "8"])
        .env("HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let none: Run = none.into();
    assert!(none.error(1).contains("no network that enlarges 8 times is installed"), "{}", none.err);
}

/// Every kind of picture, as the `ffmpeg` program writes it.
#[test]
fn every_kind_of_picture_in_a_folder_is_painted_under_a_name_of_its_own() {
    let folder = studio();
    let album = folder.path().join("album");
    fs::create_dir_all(album.join("deep")).unwrap();
    for (name, coding) in [
        ("x.png", ""),
        ("x.bmp", ""),
        ("x.tiff", ""),
        ("fine.png", "-pix_fmt rgb48be"),
        ("w.webp", "-c:v libwebp"),
        ("photo.jpeg", ""),
        ("deep/x.tif", ""),
    ] {
        let source = ["-v", "error", "-f", "lavfi", "-i", "testsrc=s=40x32:d=0.04", "-frames:v", "1"];
        let mut line = Command::new("ffmpeg");
        line.args(source).args(coding.split(' ').filter(|word| !word.is_empty()));
        assert!(line.arg(album.join(name)).status().unwrap().success(), "{name}");
    }
    fs::write(album.join("deep/broken.webp"), "not a picture").unwrap();
    let run = run(folder.path(), "image album -o painted --style dots.safetensors --progress json");
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(run.err.contains("2 images written under another name"), "{}", run.err);
    let summary = run.out.lines().last().unwrap();
    assert!(summary.contains(r#""done":7,"failed":1,"total":8"#), "{summary}");
    for name in ["x.png", "x.bmp.png", "x.tiff.png", "fine.png", "w.png", "photo.jpeg", "deep/x.png"] {
        assert_eq!(size(&folder.path().join("painted").join(name)), (40, 32), "{name}");
    }
}
