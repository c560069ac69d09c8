//! A JPEG of printing inks, which few programs write: built bit by bit from ITU-T T.81.

/// An 8x8 picture of one colour, its four values as Adobe's programs store them: 255 less the ink.
pub(crate) fn cmyk_jpeg(stored: [u8; 4]) -> Vec<u8> {
    let mut jpeg = vec![0xff, 0xd8];
    segment(&mut jpeg, 0xee, b"Adobe\0\x64\0\0\0\0\0"); // transform 0: no Y'CbCr
    segment(&mut jpeg, 0xdb, &[&[0][..], &[8; 64]].concat()); // so that a block's mean is its value, less 128
    let components: Vec<u8> = (1..=4).flat_map(|id| [id, 0x11, 0]).collect();
    segment(&mut jpeg, 0xc0, &[&[8, 0, 8, 0, 8, 4][..], &components].concat());
    // Sizes 0 to 8 of a mean's difference as four bits each; the end of a block as one.
    let lengths = |at: usize, count: u8| -> Vec<u8> {
        (1..=16).map(|bits| if bits == at { count } else { 0 }).collect()
    };
    segment(&mut jpeg, 0xc4, &[&[0x00][..], &lengths(4, 9), &[0, 1, 2, 3, 4, 5, 6, 7, 8]].concat());
    segment(&mut jpeg, 0xc4, &[&[0x10][..], &lengths(1, 1), &[0]].concat());
    let scan: Vec<u8> = (1..=4).flat_map(|id| [id, 0]).collect();
    segment(&mut jpeg, 0xda, &[&[4][..], &scan, &[0, 63, 0]].concat());
    let mut bits = String::new();
    for value in stored {
        let mean = i32::from(value) - 128;
        let size = 32 - mean.unsigned_abs().leading_zeros();
        bits += &format!("{size:04b}");
        if size > 0 {
            let code = if mean < 0 { mean + (1 << size) - 1 } else { mean };
            bits += &format!("{code:0width$b}", width = size as usize);
        }
        bits += "0";
    }
    while !bits.len().is_multiple_of(8) {
        bits += "1";
    }
    for byte in bits.as_bytes().chunks(8) {
        let byte = byte.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == b'1'));
        jpeg.push(byte);
        if byte == 0xff {
            jpeg.push(0);
        }
    }
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

fn segment(jpeg: &mut Vec<u8>, marker: u8, contents: &[u8]) {
    jpeg.extend([0xff, marker]);
    jpeg.extend((contents.len() as u16 + 2).to_be_bytes());
    jpeg.extend(contents);
}
