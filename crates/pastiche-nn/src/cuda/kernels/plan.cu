// The kernels of a plan, each in single and half precision.
#include "convolution.cuh"
#include "norm.cuh"
#include "pictures.cuh"

KERNEL(ingest_f32, IngestArguments, 256) { ingest<float>(arguments); }
KERNEL(ingest_f16, IngestArguments, 256) { ingest<half_t>(arguments); }

KERNEL(moments_f32, MomentsArguments, NORM_THREADS) { moments<float>(arguments); }
KERNEL(moments_f16, MomentsArguments, NORM_THREADS) { moments<half_t>(arguments); }
KERNEL(affine_f32, AffineArguments, NORM_THREADS) { affine(arguments); }
KERNEL(apply_f32, ApplyArguments, NORM_THREADS) { apply<float>(arguments); }
KERNEL(apply_f16, ApplyArguments, NORM_THREADS) { apply<half_t>(arguments); }

KERNEL(convolve_f32, ConvolutionArguments, CONVOLUTION_THREADS) { convolve_singly(arguments); }
// Pixels x channels of a block, alone and with the moments of what it writes.
#define CONVOLVE_F16(PIXELS, CHANNELS) \
    KERNEL(convolve_f16_##PIXELS##x##CHANNELS, ConvolutionArguments, CONVOLUTION_THREADS) { \
        convolve_by_tensor_cores<PIXELS, CHANNELS, false>(arguments); \
    } \
    KERNEL(convolve_f16_##PIXELS##x##CHANNELS##_moments, ConvolutionArguments, CONVOLUTION_THREADS) { \
        convolve_by_tensor_cores<PIXELS, CHANNELS, true>(arguments); \
    }
CONVOLVE_F16(256, 32)
CONVOLVE_F16(128, 64)
CONVOLVE_F16(128, 128)

KERNEL(emit_f32_f32, EmitArguments, 256) { emit<float, float>(arguments); }
KERNEL(emit_f32_u8, EmitArguments, 256) { emit<float, uint8_t>(arguments); }
KERNEL(emit_f16_f32, EmitArguments, 256) { emit<half_t, float>(arguments); }
KERNEL(emit_f16_u8, EmitArguments, 256) { emit<half_t, uint8_t>(arguments); }
