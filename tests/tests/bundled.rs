//! The styles that come with the program.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use pastiche_e2e::{BUNDLED_STYLES, ffmpeg, json, mean_difference, pastiche, run_in, write_photo};
use pastiche_media::read_image;

#[test]
fn they_are_listed_with_their_painters_and_terms() {
    let styles = json(&pastiche(["styles", "--json"]).done());
    for name in BUNDLED_STYLES {
        let found = styles.as_array().unwrap().iter().find(|style| style["name"] == name);
        let style = found.unwrap_or_else(|| panic!("no {name} in {styles}"));
        assert_eq!(style["bundled"], true);
        assert!(style["architectures"].as_array().unwrap().contains(&"swift".into()), "{style}");
        for key in ["title", "credit", "license"] {
            assert!(style[key].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {key}");
        }
    }
}

#[test]
fn each_paints_in_its_own_colours_and_keeps_the_scene() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_photo(&at("photo.png"), 96, 64);
    let photo = read_image(&at("photo.png")).unwrap();
    let mut paintings = Vec::new();
    for name in BUNDLED_STYLES {
        let out = at(&format!("{name}.png"));
        let (photo, out_text) = (at("photo.png"), out.to_str().unwrap());
        pastiche(["image", photo.to_str().unwrap(), "-o", out_text, "--style", name]).done();
        paintings.push(read_image(&out).unwrap());
    }
    for painting in &paintings {
        assert_eq!((painting.width(), painting.height()), (96, 64));
        assert!(mean_difference(painting.data(), photo.data()) > 10.0, "nothing was painted");
        let mean =
            painting.data().iter().map(|byte| f64::from(*byte)).sum::<f64>() / painting.data().len() as f64;
        assert!((40.0..215.0).contains(&mean), "the painting is all dark or all light: {mean}");
    }
    for (index, one) in paintings.iter().enumerate() {
        for other in &paintings[..index] {
            assert!(mean_difference(one.data(), other.data()) > 10.0, "two paint alike");
        }
    }
}

#[test]
fn the_network_that_enlarges_comes_nearer_to_the_scene_than_its_smooth_enlargement() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_photo(&at("large.png"), 192, 128);
    let large = read_image(&at("large.png")).unwrap();
    // The middle of each square of 4x4 pixels, blurred as the small pictures of its training are.
    ffmpeg(folder.path(), "-i large.png -vf gblur=sigma=1,scale=48:32:flags=area small.png");
    ffmpeg(folder.path(), "-i small.png -vf scale=192:128:flags=bicubic smooth.png");
    run_in(folder.path(), "image small.png -o sharp.png --upscale 4").done();
    let error = |name: &str| {
        let picture = read_image(&at(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (192, 128));
        let squares = picture.data().iter().zip(large.data());
        let sum: f64 = squares.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        (sum / large.data().len() as f64).sqrt()
    };
    let (sharp, smooth) = (error("sharp.png"), error("smooth.png"));
    assert!(sharp < 0.95 * smooth, "{sharp}, and {smooth} by bicubic enlargement");
}
