//! Which instruction set runs.

use std::{env, fmt, str::FromStr, sync::OnceLock};

/// Shows that the processor has AVX2 and FMA: only [`Level::available`] makes one.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HasAvx2(());

/// Shows that the processor has AVX-512 F and VL: only [`Level::available`] makes one.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HasAvx512(());

/// Shows that the processor has AVX-512 F, VL and BF16: only [`Level::available`] makes one.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HasAvx512Bf16(());

/// An instruction set that the kernels are compiled for, in rising order of speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Whatever every processor of this kind has.
    Portable,
    /// Portable vectors as long as those of AVX-512.
    #[cfg(test)]
    Wide,
    /// AVX2 and FMA: 8 numbers at a time, 16 registers.
    #[cfg(target_arch = "x86_64")]
    Avx2(HasAvx2),
    /// AVX-512 F and VL: 16 numbers at a time, 32 registers.
    #[cfg(target_arch = "x86_64")]
    Avx512(HasAvx512),
    /// AVX-512 with BF16: as that, and bf16 products at twice the speed.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16(HasAvx512Bf16),
    /// NEON: 4 numbers at a time, used in pairs, 32 registers.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// A word that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("PASTICHE_CPU={0} names no instruction set; there are portable, avx2, avx512")]
pub struct UnknownLevel(String);

impl Level {
    /// All that this processor can run, the slowest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)] // some processors have no other
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 {
                levels.push(Self::Avx2(HasAvx2(())));
            }
            let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
            if avx2 && avx512 {
                levels.push(Self::Avx512(HasAvx512(())));
            }
            if avx2 && avx512 && is_x86_feature_detected!("avx512bf16") {
                levels.push(Self::Avx512Bf16(HasAvx512Bf16(())));
            }
        }
        #[cfg(target_arch = "aarch64")]
        levels.push(Self::Neon);
        levels
    }

    /// The fastest that this processor can run, but none above what the environment variable `PASTICHE_CPU` (portable,
    /// avx2 or avx512) allows. The variable is read once.
    ///
    /// # Errors
    /// The variable holds another word.
    pub fn best() -> Result<Self, UnknownLevel> {
        static BEST: OnceLock<Result<Level, UnknownLevel>> = OnceLock::new();
        BEST.get_or_init(|| {
            let word = env::var_os("PASTICHE_CPU").map(|word| word.to_string_lossy().into_owned());
            let cap = word.map(|word| word.parse()).transpose()?;
            Ok(Self::best_under(cap.unwrap_or(Cap::None)))
        })
        .clone()
    }

    fn best_under(cap: Cap) -> Self {
        let allowed = |level: &Self| level.rank() <= cap as usize;
        Self::available().into_iter().rfind(allowed).unwrap_or(Self::Portable)
    }

    fn rank(self) -> usize {
        match self {
            Self::Portable => Cap::Portable as usize,
            #[cfg(test)]
            Self::Wide => Cap::Portable as usize,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Cap::Avx2 as usize,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Cap::Avx512 as usize,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16(_) => Cap::None as usize,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => Cap::Avx2 as usize,
        }
    }

    /// Whether it multiplies bf16 faster than `f32`.
    pub fn has_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if matches!(self, Self::Avx512Bf16(_)) {
            return true;
        }
        false
    }

    /// Numbers in a vector.
    pub(crate) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) | Self::Avx512Bf16(_) => 16,
            #[cfg(test)]
            Self::Wide => 16,
            _ => 8,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            #[cfg(test)]
            Self::Wide => "wide",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16(_) => "avx512-bf16",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
        })
    }
}

/// What `PASTICHE_CPU` allows, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cap {
    Portable,
    Avx2,
    Avx512,
    None,
}

impl FromStr for Cap {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "" => Ok(Self::None),
            "portable" => Ok(Self::Portable),
            "avx2" => Ok(Self::Avx2),
            "avx512" => Ok(Self::Avx512),
            _ => Err(UnknownLevel(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_kept_and_the_portable_level_always_runs() {
        assert_eq!(Level::best_under(Cap::Portable), Level::Portable);
        for cap in [Cap::Avx2, Cap::Avx512, Cap::None] {
            assert!(Level::best_under(cap).rank() <= cap as usize);
        }
        assert_eq!(Some(Level::best_under(Cap::None)), Level::available().pop());
    }

    #[test]
    fn words_are_caps_and_others_are_refused_with_the_choice() {
        assert_eq!("avx2".parse(), Ok(Cap::Avx2));
        assert_eq!("".parse(), Ok(Cap::None));
        let error = "sse9".parse::<Cap>().unwrap_err().to_string();
        assert!(error.contains("PASTICHE_CPU=sse9") && error.contains("portable, avx2, avx512"), "{error}");
    }
}
