//! What the program says when it cannot do what it is asked: one line, and nothing left behind.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::fs;

use pastiche_e2e::{Clip, file_names, run_in, write_clip, write_photo, write_style};

/// A folder with a clip of one second, a photograph and a style; the program runs in it.
fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_clip(
        &folder.path().join("in.mp4"),
        Clip { width: 64, height: 48, frames: 25, frames_per_second: 25 },
    );
    write_photo(&folder.path().join("photo.png"), 64, 48);
    write_style(&folder.path().join("dots.safetensors"));
    folder
}

#[test]
fn errors_say_in_one_line_what_is_wrong() {
    let folder = studio();
    let here = folder.path();
    fs::write(here.join("notes.txt"), "not a video").unwrap();
    let style = fs::read(here.join("dots.safetensors")).unwrap();
    fs::write(here.join("half.safetensors"), &style[..style.len() / 2]).unwrap();
    fs::write(here.join("list.ffconcat"), "ffconcat version 1.0\nfile in.mp4\n").unwrap();
    fs::write(
        here.join("list.m3u8"),
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nin.mp4\n#EXT-X-ENDLIST\n",
    )
    .unwrap();
    fs::copy(here.join("list.ffconcat"), here.join("list.mp4")).unwrap();
    let before = file_names(here);
    for (line, code, words) in [
        ("video missing.mp4 -o out.mp4 --style dots.safetensors", 1, ["no such file", "missing.mp4"]),
        ("video notes.txt -o out.mp4 --style dots.safetensors", 1, ["not a video", "notes.txt"]),
        // Lists that open other files.
        ("video list.ffconcat -o out.mp4 --style dots.safetensors", 1, ["not a video", "list.ffconcat"]),
        ("video list.mp4 -o out.mp4 --style dots.safetensors", 1, ["not a video", "list.mp4"]),
        ("video list.m3u8 -o out.mp4 --style dots.safetensors", 1, ["not a video", "list.m3u8"]),
        ("video in.mp4 -o out.mp4 --style no_such_style", 1, ["no style is called", "no_such_style"]),
        ("video in.mp4 -o out.mp4 --style gone.safetensors", 1, ["cannot be read", "gone.safetensors"]),
        (
            "video in.mp4 -o out.mp4 --style half.safetensors",
            1,
            ["cannot use this style", "half.safetensors"],
        ),
        ("video in.mp4 -o missing/out.mp4 --style dots.safetensors", 1, ["folder does not exist", "missing"]),
        ("video in.mp4 -o out.wmv --style dots.safetensors", 2, [".mp4", "out.wmv"]),
        ("video in.mp4 -o in.mp4 --style dots.safetensors -y", 1, ["is the input itself", "in.mp4"]),
        ("video in.mp4 -o ./in.mp4 --style dots.safetensors -y", 1, ["is the input itself", "in.mp4"]),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --start 5", 1, ["past the end", "in.mp4"]),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --size 65x48", 2, ["even", "66x48"]),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --scale 0.1", 1, ["16", "6x4"]),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --size 8x8", 1, ["16 to 16384", "8x8"]),
        (
            "video in.mp4 -o out.mp4 --style dots.safetensors --size 640x20000",
            1,
            ["16 to 16384", "640x20000"],
        ),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --process-size 9x64", 1, ["16 to 16384", "9x64"]),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --encoder crayon", 1, ["crayon", "those that do"]),
        ("video in.mp4 -o out/ --style dots.safetensors --size 8x8", 1, ["16 to 16384", "8x8"]),
        ("video in.mp4 -o out/ --style dots.safetensors --process-size 8x8", 1, ["16 to 16384", "8x8"]),
        ("video in.mp4 -o out/ --style half.safetensors", 1, ["cannot use this style", "half.safetensors"]),
        ("video missing.mp4 -o out/ --style dots.safetensors", 1, ["no such file", "missing.mp4"]),
        (
            "video in.mp4 -o out.mp4 --style dots.safetensors --resume --encoder crayon",
            1,
            ["crayon", "those that do"],
        ),
        ("video in.mp4 -o in.mp4 --style dots.safetensors --resume -y", 1, ["is the input itself", "in.mp4"]),
        ("video in.mp4 -o out.mp4 --style dots.safetensors --preset sprint", 2, ["preset", "sprint"]),
        ("image missing.png -o out.png --style dots.safetensors", 1, ["no such file", "missing.png"]),
        ("image notes.txt -o out.png --style dots.safetensors", 1, ["cannot be read", "notes.txt"]),
        (
            "image photo.png -o missing/out.png --style dots.safetensors",
            1,
            ["folder does not exist", "missing"],
        ),
        ("image photo.png -o photo.png --style dots.safetensors -y", 1, ["is the input itself", "photo.png"]),
        ("image photo.png -o . --style dots.safetensors -y", 1, ["is the input itself", "photo.png"]),
        ("image photo.png -o out.png --style dots.safetensors --size 8x8", 1, ["16 to 16384", "8x8"]),
        (
            "image photo.png -o out.png --style dots.safetensors --size 20000x64",
            1,
            ["16 to 16384", "20000x64"],
        ),
        ("image photo.png -o made/ --style nope", 1, ["no style is called", "nope"]),
        (
            "image photo.png -o made/ --style half.safetensors",
            1,
            ["cannot use this style", "half.safetensors"],
        ),
        ("image photo.png -o out.png --style dots.safetensors --scale 0.1", 1, ["16", "photo.png"]),
        ("live photo.png --headless --seconds 1 --size 8x8", 1, ["16 to 16384", "8x8"]),
        ("bench --random-weights swift --size 8x8", 1, ["16 to 16384", "8x8"]),
        ("probe missing.mp4", 1, ["no such file", "missing.mp4"]),
        ("bench --style no_such_style --size 64x48", 1, ["no style is called", "no_such_style"]),
    ] {
        let run = run_in(here, line);
        let error = run.error(code);
        for word in words {
            assert!(error.contains(word), "{line}: {word:?} is not in {error:?}");
        }
        assert_eq!(file_names(here), before, "{line} left something behind");
    }
}

#[test]
fn hostile_style_files_are_refused_in_one_line() {
    let folder = studio();
    let here = folder.path();
    let whole = fs::read(here.join("dots.safetensors")).unwrap();
    let header_end = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header = str::from_utf8(&whole[8..header_end]).unwrap();
    let with_header = |from: &str, to: &str| {
        let changed = header.replacen(from, to, 1);
        assert_ne!(changed, header, "{from} is not there");
        [&(changed.len() as u64).to_le_bytes(), changed.as_bytes(), &whole[header_end..]].concat()
    };
    let with_data = |data: &[u8]| [&whole[..header_end], data].concat();
    let (mut not_a_number, data_end) = (whole[header_end..].to_vec(), whole.len() - header_end);
    not_a_number[data_end - 4..].fill(0xff);
    let end = format!(",{data_end}]");
    let from = header.find("\"in1.weight\"").unwrap();
    let again = &header[from..=from + header[from..].find('}').unwrap()];
    for (name, reason, bytes) in [
        ("endless_header", "header too large", [&(1_u64 << 62).to_le_bytes(), &whole[8..]].concat()),
        ("overlap", "invalid offset", with_header("\"data_offsets\":[0,", "\"data_offsets\":[4,")),
        ("out_of_range", "offset", with_header(&end, &format!(",{}]", "9".repeat(end.len() - 2)))),
        ("shape", "has shape [4, 9, 3, 9]", with_header("[4,3,9,9]", "[4,9,3,9]")),
        ("not_a_number", "not finite", with_data(&not_a_number)),
        ("twice", "`in1.weight` is there twice", with_header(again, &format!("{again},{again}"))),
        ("more", "not fully covered", with_data(&[&whole[header_end..], &[0; 4]].concat())),
    ] {
        let style = format!("{name}.safetensors");
        fs::write(here.join(&style), bytes).unwrap();
        let before = file_names(here);
        for line in ["image photo.png -o out.png", "video in.mp4 -o out.mp4"] {
            let run = run_in(here, &format!("{line} --style {style}"));
            let error = run.error(1);
            assert!(error.contains(&style) && error.contains(reason), "{name}: {error}");
            assert_eq!(file_names(here), before, "{name}: {line} left something behind");
        }
    }
}
