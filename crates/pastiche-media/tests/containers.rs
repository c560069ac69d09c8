//! Every container in and every container out, with what they hold beside the pictures.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::{
    cli::ffmpeg,
    convert::convert,
    flashes::{flash_times, flashes},
    formats::{SOURCES, STILL_TARGETS, TARGETS},
    options, read_frames,
    sound::Sound,
};
use pastiche_frame::FramePool;
use pastiche_media::{
    AudioMode, AudioOutcome, AudioRequest, DecodeOptions, EncodeOptions, Extras, HardwareDecoding,
    IMAGE_ENDINGS, MediaError, VideoDecoder, VideoEncoder, probe,
};

/// What `ffprobe` says of a file: one line for each of these entries.
fn ffprobe(path: &Path, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", entries, "-of", "compact=p=0:nk=0"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The subtitles of a file as `ffmpeg` reads them.
fn subtitles(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:s:0", "-f", "srt", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Decodes and encodes with tags, chapters and subtitles.
fn convert_with_extras(source: &Path, output: &Path, part: &DecodeOptions) {
    let mut decoder = VideoDecoder::open(source, part).unwrap();
    let (width, height) = decoder.size();
    let audio = AudioRequest {
        source: source.to_owned(),
        mode: AudioMode::Copy,
        start: part.start,
        duration: part.duration,
    };
    let options = EncodeOptions {
        time_base: decoder.time_base(),
        frame_rate: decoder.info().frame_rate,
        crf: Some(30),
        audio: Some(audio),
        ..options(width, height)
    };
    let extras = Extras { source: source.to_owned(), start: part.start, duration: part.duration };
    let mut encoder = VideoEncoder::create_with(output, &options, Some(&extras)).unwrap();
    let pool = FramePool::new(2);
    while let Some(frame) = decoder.next_frame(&pool).unwrap() {
        encoder.write(&frame).unwrap();
    }
    encoder.finish().unwrap();
}

/// Within what the clocks of the containers round to, and a packet of sound for each turn: Matroska has no times before
/// zero, where a sound's first, silent packet belongs, and moves all that the file holds instead.
fn assert_span(actual: [f64; 2], expected: [f64; 2], what: &str) {
    for (actual, expected) in actual.iter().zip(expected) {
        assert!((actual - expected).abs() < 0.05, "{what}: {actual} s is not {expected} s");
    }
}

fn assert_chapter(line: &str, title: &str, span: [f64; 2]) {
    assert!(line.contains(title), "{line} is not {title}");
    let value = |key: &str| {
        let (_, after) = line.split_once(key).unwrap();
        after.split('|').next().unwrap().parse().unwrap()
    };
    assert_span([value("start_time="), value("end_time=")], span, line);
}

/// That these words are among the subtitles, with the times that stand above them.
fn assert_words(subtitles: &str, words: &str, span: [f64; 2]) {
    let lines: Vec<&str> = subtitles.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains(words))
        .unwrap_or_else(|| panic!("{words:?}: {subtitles}"));
    let seconds = |clock: &str| -> f64 {
        let fields = clock.trim().replace(',', ".");
        fields.split(':').fold(0.0, |sum, field| sum * 60.0 + field.parse::<f64>().unwrap())
    };
    let (from, to) = lines[at - 1].split_once("-->").unwrap();
    assert_span([seconds(from), seconds(to)], span, words);
}

const WHOLE: DecodeOptions = DecodeOptions {
    start: None,
    duration: None,
    size: None,
    max_frame_rate: None,
    hardware: HardwareDecoding::Auto,
};

#[test]
fn every_container_is_read_with_its_sound_in_step() {
    let folder = tempfile::tempdir().unwrap();
    for source in SOURCES {
        let (input, output) = (folder.path().join(source.file), folder.path().join("out.mp4"));
        flashes(folder.path(), source.file, 2, source.coding);
        let small = DecodeOptions { size: Some((96, 64)), ..WHOLE };
        let outcome = convert(&input, &output, AudioMode::Copy, &small);
        assert_eq!(read_frames(&output, &WHOLE).len(), 50, "{}", source.file);
        match (source.sound.as_ref().map(|sound| sound.is_copied), outcome) {
            (None, AudioOutcome::None)
            | (Some(true), AudioOutcome::Copied { .. })
            | (Some(false), AudioOutcome::Transcoded { to: "aac", .. }) => {}
            (_, outcome) => panic!("{}: {outcome:?}", source.file),
        }
        // What the ffmpeg program reads of the file, since its own writers do not keep all times; of animated WebP it reads
        // nothing.
        let plain = input.with_file_name("plain.mkv");
        let (from, to) = (input.display(), plain.display());
        let sound = if source.sound.is_some() { "-c:a pcm_f32le" } else { "-an" };
        let expected = if source.file.ends_with(".webp") {
            vec![0.0, 1.0]
        } else {
            ffmpeg(folder.path(), &format!("-i {from} -fps_mode passthrough -c:v ffv1 {sound} {to}"));
            flash_times(&plain)
        };
        let shown = flash_times(&output);
        assert!(shown.len() == 2 && shown[0] < 0.1, "{}: flashes at {shown:?}", source.file);
        let distance = (shown[1] - shown[0]) - (expected[1] - expected[0]);
        // Matroska counts milliseconds.
        assert!(distance.abs() < 2e-3, "{}: flashes at {shown:?}, not {expected:?}", source.file);
        if source.sound.is_some() {
            let sound = heard(&output);
            assert!((sound.seconds() - 2.0).abs() < 0.1, "{}: {} s", source.file, sound.seconds());
            let late: Vec<f64> =
                heard(&plain).clicks().iter().zip(&expected).map(|(beep, flash)| beep - flash).collect();
            assert!(late[0].abs() < 0.06, "{}: the fixture's beeps are late by {late:?} s", source.file);
            let expected: Vec<f64> = shown.iter().zip(&late).map(|(flash, late)| flash + late).collect();
            assert_in_step(&sound.clicks(), &expected, source.file);
        }
    }
}

/// The beeps are within 20 ms of the flashes.
fn assert_in_step(beeps: &[f64], flashes: &[f64], what: &str) {
    let apart = beeps.iter().zip(flashes).map(|(beep, flash)| (beep - flash).abs());
    assert!(
        beeps.len() == flashes.len() && apart.fold(0.0, f64::max) < 0.02,
        "{what}: beeps at {beeps:?}, flashes at {flashes:?}"
    );
}

#[test]
fn every_container_is_written_with_sound_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("in.mkv");
    for sound in ["aac", "libopus", "pcm_s16le"] {
        flashes(folder.path(), "in.mkv", 2, &format!("-c:v libx264 -c:a {sound}"));
        for ending in TARGETS.iter().flat_map(|(_, endings)| *endings) {
            for mode in [AudioMode::Copy, AudioMode::Aac] {
                let output = folder.path().join(format!("out.{ending}"));
                convert(&source, &output, mode, &WHOLE);
                let what = format!("{sound} in .{ending}, {mode:?}");
                let shown = flash_times(&output);
                assert_eq!((read_frames(&output, &WHOLE).len(), shown.len()), (50, 2), "{what}");
                assert_in_step(&heard(&output).clicks(), &shown, &what);
            }
        }
    }
}

/// A file's sound, as floating point numbers whatever it is coded in.
fn heard(path: &Path) -> Sound {
    let plain = path.with_extension("heard.wav");
    let (from, to) = (path.display(), plain.display());
    ffmpeg(
        path.parent().unwrap(),
        &format!("-i {from} -vn -af aresample=async=1:first_pts=0 -c:a pcm_f32le {to}"),
    );
    Sound::read(&plain)
}

#[test]
fn readme_names_what_is_read_and_written() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let dotted = |endings: &[&str]| {
        let dotted = endings.iter().map(|ending| format!("`.{ending}`"));
        dotted.collect::<Vec<_>>().join(", ")
    };
    let each_once = |names: Vec<&str>| {
        let mut once: Vec<&str> = Vec::new();
        for name in names {
            if !once.contains(&name) {
                once.push(name);
            }
        }
        once.join(", ")
    };
    let targets = TARGETS.map(|(name, endings)| format!("{name} ({})", dotted(endings)));
    let numbered = format!("numbered pictures ({})", dotted(&STILL_TARGETS));
    let sounds = SOURCES.iter().filter_map(|source| source.sound.as_ref());
    for (title, expected) in [
        ("videos in", each_once(SOURCES.iter().map(|source| source.container).collect())),
        ("coded as", each_once(SOURCES.iter().map(|source| source.pictures).collect())),
        ("with sound as", each_once(sounds.map(|sound| sound.codec).collect())),
        ("videos out", format!("{}, {numbered}", targets.join(", "))),
        ("pictures in", dotted(&IMAGE_ENDINGS)),
        ("pictures out", dotted(&STILL_TARGETS)),
    ] {
        let row = readme.lines().find_map(|line| line.strip_prefix(&format!("| {title} | ")));
        assert_eq!(row, Some(format!("{expected} |").as_str()), "the row of {title}");
    }
}

/// A film of 3 s with two sounds, two chapters, subtitles, a title and a date, in Matroska.
fn rich_film(folder: &Path) -> PathBuf {
    fs::write(
        folder.join("words.srt"),
        "1\n00:00:00,500 --> 00:00:01,200\n<i>Hello</i>, you\n\n2\n00:00:02,000 --> 00:00:02,800\nGood bye\n\n",
    )
    .unwrap();
    fs::write(
        folder.join("chapters.txt"),
        ";FFMETADATA1\ntitle=A film\ndate=1999\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=One\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=3000\ntitle=Two\n",
    )
    .unwrap();
    ffmpeg(
        folder,
        "-f lavfi -i testsrc=s=64x48:r=25:d=3 -f lavfi -i sine=400:d=3 -f lavfi -i sine=1000:d=3 -i words.srt -i chapters.txt \
         -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4 -c:v libx264 -c:a:0 aac -c:a:1 libmp3lame -c:s srt \
         -metadata:s:a:1 language=fre -metadata:s:s:0 language=eng -disposition:a:0 default film.mkv",
    );
    folder.join("film.mkv")
}

#[test]
fn every_container_is_written_with_subtitles_chapters_and_tags() {
    let folder = tempfile::tempdir().unwrap();
    let source = rich_film(folder.path());
    // A second turn starts from what was written, so that every container's subtitles are read too.
    for (name, ending) in
        TARGETS.iter().flat_map(|(name, endings)| endings.iter().map(move |ending| (name, ending)))
    {
        let (first, second) =
            (folder.path().join(format!("out.{ending}")), folder.path().join(format!("again-{ending}.mkv")));
        convert_with_extras(&source, &first, &WHOLE);
        convert_with_extras(&first, &second, &WHOLE);
        for path in [&first, &second] {
            let what = format!("{name}, {}", path.display());
            assert_eq!(read_frames(path, &WHOLE).len(), 75, "{what}");
            let info = probe(path).unwrap();
            assert_eq!(info.audio.len(), 1, "{what}");
            let tags = ffprobe(path, "format_tags=title,date").to_lowercase();
            assert!(tags.contains("a film") && tags.contains("1999"), "{what}: {tags}");
            let chapters = ffprobe(path, "chapter=start_time,end_time:chapter_tags=title");
            let lines: Vec<&str> = chapters.lines().collect();
            assert_eq!(lines.len(), 2, "{what}: {chapters}");
            assert_chapter(lines[0], "One", [0.0, 1.5]);
            assert_chapter(lines[1], "Two", [1.5, 3.0]);
            let words = subtitles(path);
            assert_words(&words, "Hello", [0.5, 1.2]);
            assert_words(&words, "Good bye", [2.0, 2.8]);
            let language = ffprobe(path, "stream=codec_type:stream_tags=language");
            assert!(
                language.lines().any(|line| line.contains("subtitle") && line.contains("eng")),
                "{what}: {language}"
            );
        }
        let codec = match *name {
            "WebM" => "opus",
            _ => "aac",
        };
        assert_eq!(probe(&first).unwrap().audio[0].codec, codec, "{name}");
    }
}

#[test]
fn a_part_takes_its_own_subtitles_and_chapters() {
    let folder = tempfile::tempdir().unwrap();
    let source = rich_film(folder.path());
    let output = folder.path().join("part.mp4");
    let part = DecodeOptions {
        start: Some(Duration::from_millis(1000)),
        duration: Some(Duration::from_millis(1500)),
        ..WHOLE
    };
    convert_with_extras(&source, &output, &part);
    let words = subtitles(&output);
    assert_words(&words, "Hello, you", [0.0, 0.2]);
    assert_words(&words, "Good bye", [1.0, 1.5]);
    let chapters = ffprobe(&output, "chapter=start_time,end_time:chapter_tags=title");
    let lines: Vec<&str> = chapters.lines().collect();
    assert_chapter(lines[0], "One", [0.0, 0.5]);
    assert_chapter(lines[1], "Two", [0.5, 1.5]);
}

#[test]
fn one_of_several_sounds_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let source = rich_film(folder.path());
    let output = folder.path().join("out.mp4");
    for (mode, codec) in
        [(AudioMode::Copy, "aac"), (AudioMode::Track(1), "aac"), (AudioMode::Track(2), "mp3")]
    {
        assert_eq!(convert(&source, &output, mode, &WHOLE), AudioOutcome::Copied { codec }, "{mode:?}");
    }
    assert!(ffprobe(&output, "stream_tags=language").contains("fre"));
    // Where none is asked for, the file says which is played.
    ffmpeg(
        folder.path(),
        "-i film.mkv -map 0:v -map 0:a -c copy -disposition:a:0 0 -disposition:a:1 default other.mkv",
    );
    let played = convert(&folder.path().join("other.mkv"), &output, AudioMode::Copy, &WHOLE);
    assert_eq!(played, AudioOutcome::Copied { codec: "mp3" });
    let request =
        AudioRequest { source: source.clone(), mode: AudioMode::Track(3), start: None, duration: None };
    let refused = VideoEncoder::create(&output, &EncodeOptions { audio: Some(request), ..options(64, 48) });
    assert!(matches!(refused, Err(MediaError::NoSuchSound { number: 3, count: 2, .. })));
}

/// For every channel of a file's sound, the fifth of a second in which it is loudest.
fn loudest_fifths(folder: &Path, file: &str, channels: usize) -> Vec<usize> {
    ffmpeg(folder, &format!("-i {file} -map 0:a -f s16le -c:a pcm_s16le -ar 48000 sound.raw"));
    let samples = fs::read(folder.join("sound.raw")).unwrap();
    let samples: Vec<f64> =
        samples.chunks_exact(2).map(|sample| f64::from(i16::from_le_bytes([sample[0], sample[1]]))).collect();
    let loudest = |channel: usize| {
        let energy = |fifth: &[f64]| fifth.iter().skip(channel).step_by(channels).map(|s| s * s).sum::<f64>();
        let energies: Vec<f64> = samples.chunks(9600 * channels).map(energy).collect();
        (0..energies.len()).max_by(|a, b| energies[*a].total_cmp(&energies[*b])).unwrap()
    };
    (0..channels).map(loudest).collect()
}

#[test]
fn many_channels_keep_their_places() {
    let folder = tempfile::tempdir().unwrap();
    for (layout, channels, in_aac, in_opus) in [
        ("mono", 1, "mono", "mono"),
        ("stereo", 2, "stereo", "stereo"),
        ("3.0", 3, "3.0", "3.0"),
        ("quad", 4, "quad", "quad"),
        ("5.1", 6, "5.1", "5.1"),
        ("5.1(side)", 6, "5.1", "5.1"),
        ("7.1", 8, "7.1", "7.1"),
        // Where one of the two has no such arrangement, there is one in which all the channels have a place.
        ("2.1", 3, "2.1", "5.1"),
        ("4.0", 4, "4.0", "5.1"),
        ("6.1", 7, "7.1", "6.1"),
    ] {
        // One channel after the other, low enough for that of low frequencies.
        let tone = |channel: usize| format!("0.5*sin(2*PI*80*t)*eq(floor(5*t)\\,{channel})");
        let tones = (0..channels).map(tone).collect::<Vec<_>>().join("|");
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=25:d=1.6 -f lavfi -i aevalsrc={tones}:c={layout}:s=48000:d=1.6 \
                 -c:v libx264 -c:a flac in.mkv"
            ),
        );
        for (name, to, kept) in [("out.mp4", "aac", in_aac), ("out.webm", "opus", in_opus)] {
            let output = folder.path().join(name);
            let outcome = convert(&folder.path().join("in.mkv"), &output, AudioMode::Copy, &WHOLE);
            assert_eq!(outcome, AudioOutcome::Transcoded { from: "flac", to });
            assert_eq!(probe(&output).unwrap().audio[0].channel_layout, kept, "{layout} in {name}");
            if layout.starts_with(kept) {
                let in_order: Vec<usize> = (0..channels).collect();
                assert_eq!(loudest_fifths(folder.path(), name, channels), in_order, "{layout} in {name}");
            }
        }
    }
}

#[test]
fn sound_that_changes_its_channels_goes_on_as_it_began() {
    let folder = tempfile::tempdir().unwrap();
    // A second each of a tone on all channels.
    let make = |layout: &str, channels: usize, rate_hz: u32, offset: usize| {
        let pan: Vec<String> = (0..channels).map(|channel| format!("c{channel}=c0")).collect();
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=25:d=1,format=yuv420p -f lavfi -i sine=1000:r={rate_hz}:d=1 \
                 -filter_complex [1:a]pan={layout}|{}[a] -map 0:v -map [a] -c:v mpeg2video -c:a ac3 \
                 -output_ts_offset {offset} piece.ts",
                pan.join("|")
            ),
        );
        fs::read(folder.path().join("piece.ts")).unwrap()
    };
    let pieces = [
        make("stereo", 2, 48_000, 0),
        make("5.1", 6, 48_000, 1),
        make("mono", 1, 44_100, 2),
        make("stereo", 2, 48_000, 3),
    ];
    let (source, output) = (folder.path().join("joined.ts"), folder.path().join("out.mp4"));
    fs::write(&source, pieces.concat()).unwrap();
    let outcome = convert(&source, &output, AudioMode::Aac, &WHOLE);
    assert_eq!(outcome, AudioOutcome::Transcoded { from: "ac3", to: "aac" });
    assert_eq!(probe(&output).unwrap().audio[0].channel_layout, "stereo");
    let sound = Sound::read(&output);
    assert!((sound.seconds() - 4.0).abs() < 0.15, "{} s", sound.seconds());
    for second in 0..4 {
        let loudness = sound.loudness(f64::from(second) + 0.3, f64::from(second) + 0.7);
        assert!(loudness > 0.02, "second {second} is silent: {loudness}");
    }
}

#[test]
fn sound_may_be_shorter_or_longer_than_the_pictures() {
    let folder = tempfile::tempdir().unwrap();
    for seconds in [0.6, 2.4] {
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=25:d=1.2 -f lavfi -i sine=1000:d={seconds} -c:v libx264 -c:a aac in.mp4"
            ),
        );
        let output = folder.path().join("out.mp4");
        for mode in [AudioMode::Copy, AudioMode::Aac] {
            convert(&folder.path().join("in.mp4"), &output, mode, &WHOLE);
            assert_eq!(read_frames(&output, &WHOLE).len(), 30);
            let heard = Sound::read(&output).seconds();
            assert!((heard - seconds).abs() < 0.05, "{mode:?}: {heard} s of {seconds} s");
        }
    }
}

#[test]
fn covers_and_data_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let make = |line: &str| ffmpeg(folder.path(), line);
    make("-f lavfi -i color=red:s=64x64 -frames:v 1 cover.png");
    make(
        "-f lavfi -i testsrc=s=64x48:r=25:d=1 -f lavfi -i sine=1000:d=1 -c:v libx264 -c:a aac -timecode 01:00:00:00 plain.mov",
    );
    make(
        "-i cover.png -i plain.mov -map 0 -map 1:v -map 1:a -c copy -disposition:v:0 attached_pic covered.mp4",
    );
    make(
        "-i cover.png -f lavfi -i sine=1000:d=1 -map 1 -map 0 -c:v copy -c:a aac -disposition:v:0 attached_pic song.m4a",
    );
    for name in ["plain.mov", "covered.mp4"] {
        let output = folder.path().join("out.mp4");
        convert_with_extras(&folder.path().join(name), &output, &WHOLE);
        let frames = read_frames(&output, &WHOLE);
        assert_eq!((frames.len(), frames[0].width(), frames[0].height()), (25, 64, 48), "{name}");
        let streams = ffprobe(&output, "stream=codec_type");
        assert_eq!(streams.lines().count(), 2, "{name}: {streams}");
    }
    let song = VideoDecoder::open(&folder.path().join("song.m4a"), &WHOLE);
    assert!(matches!(song, Err(MediaError::NoVideo { found, .. }) if found == "sound (aac)"));
}

#[test]
fn a_film_s_fonts_and_cover_are_passed_over_and_its_styled_subtitles_kept() {
    let folder = tempfile::tempdir().unwrap();
    rich_film(folder.path());
    fs::write(folder.path().join("font.ttf"), "not read by anybody").unwrap();
    ffmpeg(folder.path(), "-f lavfi -i color=red:s=64x64 -frames:v 1 cover.png");
    ffmpeg(
        folder.path(),
        "-i film.mkv -map 0:v -map 0:a:0 -map 0:s -c copy -c:s ass -attach font.ttf -attach cover.png \
         -metadata:s:t:0 mimetype=application/x-truetype-font -metadata:s:t:1 mimetype=image/png styled.mkv",
    );
    let source = folder.path().join("styled.mkv");
    assert!(ffprobe(&source, "stream=codec_name").contains("codec_name=ass"));
    for ending in TARGETS.iter().flat_map(|(_, endings)| *endings) {
        let output = folder.path().join(format!("out.{ending}"));
        convert_with_extras(&source, &output, &WHOLE);
        let streams = ffprobe(&output, "stream=codec_type");
        let kinds = streams.lines().map(|line| line.split('=').next_back().unwrap());
        // MP4 and MOV keep the names of chapters as a stream of data.
        let kinds: Vec<&str> = kinds.filter(|kind| *kind != "data").collect();
        assert_eq!(kinds, ["video", "audio", "subtitle"], ".{ending}");
        // Where styles are kept, the program writes them in its own way.
        let words = subtitles(&output);
        assert_words(&words, "Hello", [0.5, 1.2]);
        assert_words(&words, "Good bye", [2.0, 2.8]);
        assert!(!words.contains("Default") && !words.contains("{\\"), ".{ending}: {words}");
    }
}

#[test]
fn an_encoder_that_a_container_does_not_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = EncodeOptions { encoder: Some("mpeg4".to_owned()), ..options(64, 48) };
    let refused = VideoEncoder::create(&folder.path().join("out.webm"), &wrong).err().unwrap();
    assert!(refused.to_string().contains("do not go into WebM"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
