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
KERNEL(convolve_f16_32, ConvolutionArguments, CONVOLUTION_THREADS) { convolve_by_tensor_cores<32, false>(arguments); }
KERNEL(convolve_f16_32_moments, ConvolutionArguments, CONVOLUTION_THREADS) {
    convolve_by_tensor_cores<32, true>(arguments);
}
KERNEL(convolve_f16_64, ConvolutionArguments, CONVOLUTION_THREADS) { convolve_by_tensor_cores<64, false>(arguments); }
KERNEL(convolve_f16_64_moments, ConvolutionArguments, CONVOLUTION_THREADS) {
    convolve_by_tensor_cores<64, true>(arguments);
}
KERNEL(convolve_f16_128, ConvolutionArguments, CONVOLUTION_THREADS) { convolve_by_tensor_cores<128, false>(arguments); }
KERNEL(convolve_f16_128_moments, ConvolutionArguments, CONVOLUTION_THREADS) {
    convolve_by_tensor_cores<128, true>(arguments);
}

KERNEL(emit_f32_f32, EmitArguments, 256) { emit<float, float>(arguments); }
KERNEL(emit_f32_u8, EmitArguments, 256) { emit<float, uint8_t>(arguments); }
KERNEL(emit_f16_f32, EmitArguments, 256) { emit<half_t, float>(arguments); }
KERNEL(emit_f16_u8, EmitArguments, 256) { emit<half_t, uint8_t>(arguments); }
