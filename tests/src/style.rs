//! A style file, written from the format's description alone.

use std::{collections::HashMap, path::Path};

use safetensors::{Dtype, tensor::TensorView};

/// The styles that come with the program, as its lists have them.
pub const BUNDLED_STYLES: [&str; 8] = [
    "composition_vii",
    "great_wave",
    "mondrian",
    "scream",
    "shipwreck",
    "stained_glass",
    "starry_night",
    "udnie",
];

/// Channels of the first layer: few, so that tests are quick.
const WIDTH: usize = 4;

/// Writes a `transformer_net` style with fixed random weights, whose pictures are mid-grey with coloured texture.
pub fn write_style(path: &Path) {
    let mut tensors = Tensors::default();
    let w = WIDTH;
    tensors.conv("conv1", [w, 3, 9], 0.02, 0.0);
    tensors.norm("in1", w);
    tensors.conv("conv2", [2 * w, w, 3], 1.0, 0.0);
    tensors.norm("in2", 2 * w);
    tensors.conv("conv3", [4 * w, 2 * w, 3], 1.0, 0.0);
    tensors.norm("in3", 4 * w);
    for block in 1..=5 {
        for half in 1..=2 {
            tensors.conv(&format!("res{block}.conv{half}"), [4 * w, 4 * w, 3], 1.0, 0.0);
            tensors.norm(&format!("res{block}.in{half}"), 4 * w);
        }
    }
    tensors.conv("deconv1", [2 * w, 4 * w, 3], 1.0, 0.0);
    tensors.norm("in4", 2 * w);
    tensors.conv("deconv2", [w, 2 * w, 3], 1.0, 0.0);
    tensors.norm("in5", w);
    tensors.conv("deconv3", [3, w, 9], 60.0, 128.0);
    tensors.write(path, &[("pastiche.credit", "no painter")]);
}

/// Writes a network that enlarges four times, with fixed random weights that leave a faint texture.
pub fn write_upscaler(path: &Path) {
    let mut tensors = Tensors::default();
    let w = WIDTH;
    for (name, shape, gain) in [
        ("conv_in", [w, 3, 9], 1.0),
        ("res1.conv1", [w, w, 3], 1.0),
        ("res1.conv2", [w, w, 3], 1.0),
        ("up1", [w, w, 3], 1.0),
        ("up2", [w, w, 3], 1.0),
        ("conv_out", [3, w, 9], 0.2),
    ] {
        tensors.named_conv(&format!("{name}."), shape, gain, 0.0);
    }
    tensors.write(
        path,
        &[
            ("pastiche.architecture", "super_res_x4"),
            ("pastiche.super_res_x4.width", "4"),
            ("pastiche.super_res_x4.blocks", "1"),
        ],
    );
}

#[derive(Default)]
struct Tensors {
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
    random: u32,
}

impl Tensors {
    /// A convolution of `[outputs, inputs, kernel]` with weights that multiply the signal by about `gain`.
    fn conv(&mut self, name: &str, shape: [usize; 3], gain: f32, bias: f32) {
        self.named_conv(&format!("{name}.conv2d."), shape, gain, bias);
    }

    fn named_conv(&mut self, prefix: &str, [outputs, inputs, kernel]: [usize; 3], gain: f32, bias: f32) {
        let fan_in = inputs * kernel * kernel;
        let bound = gain * (3.0 / fan_in as f32).sqrt();
        let weights = (0..outputs * fan_in).map(|_| self.uniform() * bound).collect();
        self.push(format!("{prefix}weight"), vec![outputs, inputs, kernel, kernel], weights);
        self.push(format!("{prefix}bias"), vec![outputs], vec![bias; outputs]);
    }

    fn norm(&mut self, name: &str, channels: usize) {
        self.push(format!("{name}.weight"), vec![channels], vec![1.0; channels]);
        self.push(format!("{name}.bias"), vec![channels], vec![0.0; channels]);
    }

    fn push(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) {
        self.tensors.push((name, shape, values.into_iter().flat_map(f32::to_le_bytes).collect()));
    }

    /// From -1 to 1.
    fn uniform(&mut self) -> f32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn write(&self, path: &Path, metadata: &[(&str, &str)]) {
        let views = self.tensors.iter().map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        });
        let text = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let metadata: HashMap<String, String> = metadata.iter().map(text).collect();
        safetensors::serialize_to_file(views, Some(metadata), path).unwrap();
    }
}
