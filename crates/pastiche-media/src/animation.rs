//! Animated WebP. A library reads the pictures; they are put over each other here, as the format's specification says,
//! since the library clears too much or too little of those before.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use image_webp::{DecodingError, WebPDecoder};

use crate::{MAX_SIDE, geometry::Region};

/// Length of a chunk's name and length, and of what an animation's picture begins with.
const CHUNK_HEAD_BYTES: u64 = 8;
const PICTURE_HEAD_BYTES: u64 = 16;
/// How long a picture that is shown for no time is shown, as browsers do.
const LEAST_MILLISECONDS: u32 = 10;
const USUAL_MILLISECONDS: u32 = 100;

/// The pictures of a file, one after the other.
pub(crate) struct Animation {
    file: BufReader<File>,
    size: (u32, u32),
    pictures: Vec<Picture>,
    next: usize,
    /// What is shown, in RGBA.
    canvas: Vec<u8>,
    /// What the last picture is to be cleared of.
    to_clear: Option<Region>,
}

/// Where a picture is in the file, and how it goes onto the canvas.
struct Picture {
    at_byte: u64,
    bytes: u64,
    region: Region,
    milliseconds: u32,
    /// Replaces what is there, its opacity included.
    replaces: bool,
    /// Is gone when the next one comes.
    is_cleared: bool,
}

/// Whether a file is WebP, animated or not.
pub(crate) fn is_webp_at(path: &Path) -> bool {
    head::<12>(path).is_some_and(|head| is_webp(&head))
}

fn is_webp(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && &head[8..12] == b"WEBP"
}

/// The first bytes of a file; `None` where there are fewer.
fn head<const BYTES: usize>(path: &Path) -> Option<[u8; BYTES]> {
    let mut head = [0; BYTES];
    // Opening a pipe would wait for its other end.
    let read = path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    read.then_some(head)
}

impl Animation {
    /// Whether a file is one, by the flag in its first chunk.
    pub(crate) fn is_at(path: &Path) -> bool {
        const ANIMATED: u8 = 2;
        head::<21>(path)
            .is_some_and(|head| is_webp(&head) && &head[12..16] == b"VP8X" && head[20] & ANIMATED != 0)
    }

    /// Finds the pictures of a file for which [`Self::is_at`] holds. Where the file breaks off, they end.
    pub(crate) fn open(path: &Path) -> Result<Self, DecodingError> {
        let mut file = BufReader::new(File::open(path)?);
        let file_bytes = file.get_ref().metadata()?.len();
        file.seek(SeekFrom::Start(24))?;
        let size = (number(&mut file)? + 1, number(&mut file)? + 1);
        if size.0 > MAX_SIDE || size.1 > MAX_SIDE {
            return Err(DecodingError::ImageTooLarge);
        }
        let mut pictures = Vec::new();
        let mut at_byte = 30;
        while at_byte + CHUNK_HEAD_BYTES + PICTURE_HEAD_BYTES < file_bytes {
            file.seek(SeekFrom::Start(at_byte))?;
            let (mut name, mut bytes) = ([0; 4], [0; 4]);
            file.read_exact(&mut name)?;
            file.read_exact(&mut bytes)?;
            let bytes = u64::from(u32::from_le_bytes(bytes));
            if &name == b"ANMF" {
                pictures.push(Picture::read(&mut file, at_byte + CHUNK_HEAD_BYTES, bytes)?);
            }
            at_byte += CHUNK_HEAD_BYTES + bytes.next_multiple_of(2);
        }
        if pictures.is_empty() {
            return Err(DecodingError::NoMoreFrames);
        }
        let canvas = vec![0; size.0 as usize * size.1 as usize * 4];
        Ok(Self { file, size, pictures, next: 0, canvas, to_clear: None })
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// How many pictures there are.
    pub(crate) fn count(&self) -> usize {
        self.pictures.len()
    }

    /// How long it is, in milliseconds.
    pub(crate) fn milliseconds(&self) -> u64 {
        self.pictures.iter().map(|picture| u64::from(picture.milliseconds)).sum()
    }

    /// What is shown: rows of RGBA without gaps.
    pub(crate) fn canvas(&self) -> &[u8] {
        &self.canvas
    }

    /// Puts the next picture onto the canvas; for how many milliseconds it is shown, `None` after the last.
    pub(crate) fn advance(&mut self) -> Result<Option<u32>, DecodingError> {
        let Some(picture) = self.pictures.get(self.next) else { return Ok(None) };
        self.next += 1;
        let region = picture.region;
        if region.x + region.width > self.size.0 || region.y + region.height > self.size.1 {
            return Err(DecodingError::FrameOutsideImage);
        }
        let still = picture.as_still(&mut self.file)?;
        let mut decoder = WebPDecoder::new(Cursor::new(still))?;
        if decoder.dimensions() != (region.width, region.height) {
            return Err(DecodingError::InconsistentImageSizes);
        }
        let mut data = vec![0; decoder.output_buffer_size().ok_or(DecodingError::ImageTooLarge)?];
        decoder.read_image(&mut data)?;

        let stride_bytes = self.size.0 as usize * 4;
        if let Some(cleared) = self.to_clear.take() {
            rows_of(&mut self.canvas, stride_bytes, cleared).for_each(|row| row.fill(0));
        }
        let pixel_bytes = if decoder.has_alpha() { 4 } else { 3 };
        let rows = rows_of(&mut self.canvas, stride_bytes, region);
        for (under, over) in rows.zip(data.chunks_exact(region.width as usize * pixel_bytes)) {
            for (under, over) in under.chunks_exact_mut(4).zip(over.chunks_exact(pixel_bytes)) {
                match *over {
                    [red, green, blue, alpha] if picture.replaces => {
                        under.copy_from_slice(&[red, green, blue, alpha]);
                    }
                    [red, green, blue, alpha] => put_over(under, [red, green, blue], alpha),
                    _ => {
                        under[..3].copy_from_slice(over);
                        under[3] = u8::MAX;
                    }
                }
            }
        }
        self.to_clear = picture.is_cleared.then_some(region);
        Ok(Some(picture.milliseconds))
    }
}

impl Picture {
    /// Reads what stands before a picture, in a chunk whose contents are at this place.
    fn read(file: &mut impl Read, at_byte: u64, bytes: u64) -> Result<Self, DecodingError> {
        // Places are in steps of two pixels.
        let (x, y) = (number(file)? * 2, number(file)? * 2);
        let region = Region { x, y, width: number(file)? + 1, height: number(file)? + 1 };
        let milliseconds = Some(number(file)?).filter(|milliseconds| *milliseconds > LEAST_MILLISECONDS);
        let mut flags = [0];
        file.read_exact(&mut flags)?;
        Ok(Self {
            at_byte: at_byte + PICTURE_HEAD_BYTES,
            bytes: bytes.saturating_sub(PICTURE_HEAD_BYTES),
            region,
            milliseconds: milliseconds.unwrap_or(USUAL_MILLISECONDS),
            replaces: flags[0] & 2 != 0,
            is_cleared: flags[0] & 1 != 0,
        })
    }

    /// The picture as a file of its own.
    fn as_still(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.at_byte))?;
        let mut picture = Vec::new();
        // What claims to be longer than the file ends with it.
        file.take(self.bytes).read_to_end(&mut picture)?;
        let mut still = b"RIFF\0\0\0\0WEBP".to_vec();
        if picture.starts_with(b"ALPH") {
            const HAS_ALPHA: u8 = 0x10;
            still.extend(b"VP8X\x0a\0\0\0");
            still.extend([HAS_ALPHA, 0, 0, 0]);
            still.extend_from_slice(&(self.region.width - 1).to_le_bytes()[..3]);
            still.extend_from_slice(&(self.region.height - 1).to_le_bytes()[..3]);
        }
        still.append(&mut picture);
        let bytes = (still.len() as u64).saturating_sub(CHUNK_HEAD_BYTES) as u32;
        still[4..8].copy_from_slice(&bytes.to_le_bytes());
        Ok(still)
    }
}

/// A number of three bytes.
fn number(file: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes[..3])?;
    Ok(u32::from_le_bytes(bytes))
}

/// The part of a canvas of RGBA that is in this region, row by row.
fn rows_of(canvas: &mut [u8], stride_bytes: usize, region: Region) -> impl Iterator<Item = &mut [u8]> {
    let (start, end) = (region.x as usize * 4, (region.x + region.width) as usize * 4);
    let rows = canvas.chunks_exact_mut(stride_bytes).skip(region.y as usize).take(region.height as usize);
    rows.map(move |row| &mut row[start..end])
}

/// Colour over what is there, by the specification's formula.
fn put_over(under: &mut [u8], color: [u8; 3], alpha: u8) {
    let over = u32::from(alpha) * 255;
    let left = u32::from(under[3]) * (255 - u32::from(alpha));
    let sum = over + left;
    if sum == 0 {
        return;
    }
    for (under, color) in under.iter_mut().zip(color) {
        // A mean of two bytes.
        *under = ((u32::from(color) * over + u32::from(*under) * left + sum / 2) / sum) as u8;
    }
    under[3] = ((sum + 127) / 255) as u8;
}
