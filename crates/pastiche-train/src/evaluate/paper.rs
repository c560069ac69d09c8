//! What Johnson et al. 2016 print for super-resolution (figures 8 and 9), to stand beside what is measured.

use std::path::Path;

use serde::Serialize;

/// The rows that the paper prints for a set of pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PaperRows {
    /// The set: Set5, Set14 or BSD100.
    pub set: &'static str,
    /// A row a method.
    pub rows: Vec<PaperRow>,
    /// Why they compare with what is measured only in part.
    pub note: &'static str,
}

/// How near one of the paper's methods comes to the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PaperRow {
    /// Its name.
    pub method: &'static str,
    /// Peak signal-to-noise ratio of the luma, in decibels.
    pub psnr: f64,
    /// Structural similarity of the luma, where it is known here.
    pub ssim: Option<f64>,
}

const NOTE: &str = "the paper's networks saw pictures blurred by 1.0 before they were made small (--blur 1), but its \
                    bicubic row x4 was made without blur (--blur 0), and its bicubic row x8 in another way; so compare \
                    each network with the bicubic row of its own inputs";

type Row = (&'static str, f64, Option<f64>);
type Set = (&'static str, &'static [Row], &'static [Row]);

/// By set: the rows of factor 4, and those of factor 8.
const SETS: [Set; 3] = [
    (
        "Set5",
        &[
            ("bicubic", 28.43, Some(0.8114)),
            ("pixel", 28.40, Some(0.8205)),
            ("SRCNN", 30.48, Some(0.8628)),
            ("feature", 27.09, Some(0.768)),
        ],
        &[("bicubic", 23.80, Some(0.6455)), ("pixel", 24.77, None), ("feature", 23.26, None)],
    ),
    (
        "Set14",
        &[
            ("bicubic", 25.99, Some(0.7301)),
            ("pixel", 25.75, Some(0.6994)),
            ("SRCNN", 27.49, Some(0.7503)),
            ("feature", 24.99, Some(0.6731)),
        ],
        &[("bicubic", 22.37, Some(0.5518)), ("pixel", 23.02, None), ("feature", 21.64, None)],
    ),
    (
        "BSD100",
        &[
            ("bicubic", 25.96, Some(0.682)),
            ("pixel", 25.91, Some(0.668)),
            ("SRCNN", 26.90, Some(0.7101)),
            ("feature", 24.95, Some(0.6317)),
        ],
        &[("bicubic", 22.11, Some(0.5322)), ("pixel", 22.54, None), ("feature", 21.35, None)],
    ),
];

impl PaperRows {
    /// The rows for the pictures of a folder, which is known by its name; nothing for others, and for factors that the paper
    /// does not have.
    pub fn of(folder: &Path, factor: u32) -> Option<Self> {
        // A folder may be given as `.`.
        let folder = folder.canonicalize().ok()?;
        let name = folder.file_name()?.to_str()?;
        let (set, by_4, by_8) = SETS.iter().find(|(set, ..)| set.eq_ignore_ascii_case(name))?;
        let rows = match factor {
            4 => by_4,
            8 => by_8,
            _ => return None,
        };
        let rows = rows.iter().map(|&(method, psnr, ssim)| PaperRow { method, psnr, ssim }).collect();
        Some(Self { set, rows, note: NOTE })
    }
}
