//! Style files damaged over and over: each time they must be refused or read, and never be the end of the program.
//!
//! A run tries as many as a test has time for, the same ones every time; `PASTICHE_FUZZ_SECONDS` lets it go on for so long
//! instead, `PASTICHE_FUZZ_SEED` damages them otherwise. The file that is being tried is in the target's folder for temporary
//! files, and stays there when it is the end of the test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use candle_core::{DType, Device};
use pastiche_nn::{Network, NetworkDescription, WeightsFile, networks, weights};

/// About two seconds' worth.
const ROUNDS: u64 = 5000;
/// The header's length, as a number of 64 bits, comes first.
const LENGTH_BYTES: usize = 8;

/// Knuth's generator, a sequence for each seed and round.
struct Random(u64);

impl Random {
    fn new(seed: u64, round: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Small networks of two kinds as files, with and without the architecture's name; they stay in the folder, for other fuzzers
/// to begin with.
fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let named = |description: NetworkDescription, name: &str| {
        let network = Network::random(description, 7, &Device::Cpu).unwrap();
        let path = folder.join(name);
        let metadata = HashMap::from([("pastiche.name".to_owned(), "Small".to_owned())]);
        weights::save(&network, &metadata, DType::F16, &path).unwrap();
        fs::read(path).unwrap()
    };
    let nameless = {
        let network = Network::random(networks::transformer_net(1), 7, &Device::Cpu).unwrap();
        let tensors: BTreeMap<String, _> =
            network.parameters().iter().map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
        let bytes = safetensors::serialize(&tensors, None).unwrap();
        fs::write(folder.join("nameless.safetensors"), &bytes).unwrap();
        bytes
    };
    vec![
        named(networks::transformer_net(1), "transformer_net.safetensors"),
        named(networks::swift(networks::SwiftSize { width: 6, blocks: 1 }), "swift.safetensors"),
        nameless,
    ]
}

/// A file with its header, its data or its length spoilt in a few places.
fn damaged(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let header_len = u64::from_le_bytes(whole[..LENGTH_BYTES].try_into().unwrap()) as usize;
    let mut header = whole[LENGTH_BYTES..LENGTH_BYTES + header_len].to_vec();
    let mut data = whole[LENGTH_BYTES + header_len..].to_vec();
    // Half of them are spoilt only where they stay well-formed for longer.
    let kinds = if random.below(2) == 0 { 9 } else { 3 };
    for _ in 0..=random.below(4) {
        let at = random.below(header.len());
        match random.below(kinds) {
            // A digit more or less moves offsets and shapes.
            0 => {
                let digits = (0..header.len()).filter(|at| header[*at].is_ascii_digit());
                let digits: Vec<usize> = digits.collect();
                if !digits.is_empty() {
                    header[digits[random.below(digits.len())]] = b'0' + random.below(10) as u8;
                }
            }
            // A letter of a name or a type.
            1 => {
                let letters: Vec<usize> =
                    (0..header.len()).filter(|at| header[*at].is_ascii_alphabetic()).collect();
                if !letters.is_empty() {
                    header[letters[random.below(letters.len())]] = b"abFIU"[random.below(5)];
                }
            }
            2 if !data.is_empty() => {
                let at = random.below(data.len());
                data[at..].iter_mut().take(8).for_each(|byte| *byte = 0xff);
            }
            3 => header[at] = random.below(256) as u8,
            4 => header.insert(at, random.below(256) as u8),
            5 => {
                header.remove(at);
            }
            6 => {
                header.splice(at..at, *b"99999999999999999").for_each(drop);
            }
            // A piece of it twice.
            7 => {
                let piece = header[at..(at + random.below(200)).min(header.len())].to_vec();
                let to = random.below(header.len());
                header.splice(to..to, piece).for_each(drop);
            }
            _ if random.below(2) == 0 => data.truncate(random.below(data.len())),
            _ => data.extend([0; 2]),
        }
        if header.is_empty() {
            break;
        }
    }
    let claimed = match random.below(8) {
        0 => 1 << random.below(64),
        1 => header.len() as u64 + random.below(64) as u64,
        _ => header.len() as u64,
    };
    [&claimed.to_le_bytes()[..], &header, &data].concat()
}

#[test]
fn no_damage_to_a_style_file_is_fatal() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let limit = number("PASTICHE_FUZZ_SECONDS").map(Duration::from_secs);
    let seed = number("PASTICHE_FUZZ_SEED").unwrap_or(1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("damaged-styles-{seed}"));
    fs::create_dir_all(&folder).unwrap();
    let seeds = seeds(&folder);
    let tried = folder.join("tried.safetensors");
    let started = Instant::now();
    let (mut rounds, mut accepted) = (0, 0_u64);
    while limit.map_or(rounds < ROUNDS, |limit| started.elapsed() < limit) {
        let mut random = Random::new(seed, rounds);
        let whole = &seeds[random.below(seeds.len())];
        fs::write(&tried, damaged(whole, &mut random)).unwrap();
        let network = WeightsFile::open(&tried).and_then(|file| file.style_network(&Device::Cpu));
        accepted += u64::from(network.is_ok());
        rounds += 1;
    }
    println!("{rounds} damaged style files of seed {seed}, {accepted} of them accepted");
    assert!(accepted < rounds / 2, "the damage is no damage");
}
