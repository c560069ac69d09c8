//! Compiled networks, and each kernel, run by the processor and compared with plain loops and with the plan for it.

mod emulated;
mod kernels;
mod networks;

/// Numbers between -1 and 1, the same on every machine.
fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(next).collect()
}
