//! Paints the demo clip.
use std::path::PathBuf;
mod boat;
mod camera;
mod church;
mod film;
mod fleet;
mod gulls;
mod hills;
mod house;
mod hull;
mod light;
mod noise;
mod quay;
mod sail;
mod scene;
mod shore;
mod sky;
mod smoke;
mod solid;
mod stroke;
mod town;
mod vector;
mod veil;
mod water;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let time: f32 = args[2].parse()?;
    let start = std::time::Instant::now();
    let picture = film::frame(&scene::Harbour::new(), 640, 480, time);
    eprintln!("{:?}", start.elapsed());
    image::save_buffer(PathBuf::from(&args[3]), &picture, 640, 480, image::ColorType::Rgb8)?;
    Ok(())
}
