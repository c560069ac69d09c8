//! Pictures through the encoder and back: count, order, time, colour, size.

mod common;

use common::{options, read_numbered, steady_ticks, write_numbered};
use pastiche_media::DecodeOptions;

#[test]
fn every_frame_comes_back_in_order_and_at_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("steady.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(60));
    let read = read_numbered(&path, &DecodeOptions::default());
    assert_eq!(read.len(), 60);
    for (i, (number, seconds)) in read.into_iter().enumerate() {
        assert_eq!(number, i);
        assert!((seconds - i as f64 / 25.0).abs() < 1e-6, "frame {i} is at {seconds} s");
    }
}
