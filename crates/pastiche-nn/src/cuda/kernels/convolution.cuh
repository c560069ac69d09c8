// Convolution as a product of matrices that is never laid out: a row for each output pixel, a column for each output channel,
// and along the sum the taps with their channels.
#pragma once

#include "arguments.cuh"
#include "joined.cuh"

constexpr int CONVOLUTION_THREADS = 256;

// The place of a run of numbers in the sum: which tap of the kernel, and which channel there. A run never crosses taps.
struct Tap {
    int channel;
    int column;
    int row;

    __device__ __forceinline__ Tap(const ConvolutionArguments& a, int at)
        : channel(at % a.channels), column(at / a.channels % a.kernel_width), row(at / a.channels / a.kernel_width) {}

    __device__ __forceinline__ bool is_inside(const ConvolutionArguments& a) const { return row < a.kernel_height; }

    __device__ __forceinline__ int offset(const ConvolutionArguments& a) const {
        return row * a.input_row + column * a.channels + channel;
    }

    __device__ __forceinline__ void advance(const ConvolutionArguments& a, int by) {
        channel += by;
        while (channel >= a.channels) {
            channel -= a.channels;
            if (++column == a.kernel_width) {
                column = 0;
                row++;
            }
        }
    }
};

__device__ __forceinline__ long long output_pixels(const ConvolutionArguments& a) {
    return static_cast<long long>(a.output_height) * a.output_width;
}

// The first number that an output pixel sees; past the last pixel, that of the last.
template <class T> __device__ __forceinline__ const T* window_of(const ConvolutionArguments& a, long long pixel) {
    const long long last = output_pixels(a) - 1;
    pixel = pixel < last ? pixel : last;
    const long long y = pixel / a.output_width;
    const long long x = pixel % a.output_width;
    return static_cast<const T*>(a.input) + y * a.stride * a.input_row + x * a.stride * a.channels;
}

// The weights of an output channel; past the last channel, those of the last.
template <class T> __device__ __forceinline__ const T* weights_of(const ConvolutionArguments& a, int channel) {
    const long long terms = static_cast<long long>(a.kernel_height) * a.kernel_width * a.channels;
    return static_cast<const T*>(a.weights) + min(channel, a.output_channels - 1) * terms;
}

// Which parts of an output pixel a norm counts: a bit each. Of phases, the first and the last window of a row or column have
// but one that is a pixel; of pixels side by side, the last may reach past the edge.
__device__ __forceinline__ unsigned counted_parts(const ConvolutionArguments& a, long long pixel) {
    const int y = static_cast<int>(pixel / a.output_width);
    const int x = static_cast<int>(pixel % a.output_width);
    if (a.phases) {
        const unsigned rows = (y < a.output_height - 1 ? 3u : 0u) | (y > 0 ? 12u : 0u);
        const unsigned columns = (x < a.output_width - 1 ? 5u : 0u) | (x > 0 ? 10u : 0u);
        return rows & columns;
    }
    const int parts = a.output_channels / a.norm_channels;
    const int left = a.norm_width - x * parts;
    return left >= parts ? ~0u : (1u << left) - 1u;
}

// The moments of the output's channels, as they are gathered in shared memory: `rows` pixels x COLUMNS channels of a block, PITCH
// numbers apart. A few threads have a channel together. `spare` is shared memory for a Joined a thread and a byte a row.
template <int ROWS, int COLUMNS, int PITCH>
__device__ __forceinline__ void
moments_of_block(const ConvolutionArguments& a, const half_t* gathered, Joined* spare, long long first_pixel, int first_channel) {
    constexpr int SLICES = CONVOLUTION_THREADS / COLUMNS;
    uint8_t* counted = reinterpret_cast<uint8_t*>(spare + CONVOLUTION_THREADS);
    const int thread = threadIdx.x;
    if (thread < ROWS) {
        const long long pixel = first_pixel + thread;
        counted[thread] = pixel < output_pixels(a) ? static_cast<uint8_t>(counted_parts(a, pixel)) : 0;
    }
    __syncthreads();
    const int column = thread % COLUMNS, slice = thread / COLUMNS;
    const int part = (first_channel + column) / a.norm_channels;
    float origin = 0.0f, sum = 0.0f, squares = 0.0f;
    int count = 0;
    for (int row = slice; row < ROWS; row += SLICES) {
        if (!(counted[row] >> part & 1)) continue;
        const float value = to_float(gathered[row * PITCH + column]);
        if (count == 0) origin = value;
        const float difference = value - origin;
        sum += difference;
        squares += difference * difference;
        count++;
    }
    const float number = static_cast<float>(count);
    const float mean = count > 0 ? sum / number : 0.0f;
    spare[thread] = {number, origin + mean, fmaxf(squares - sum * mean, 0.0f)};
    __syncthreads();
    if (slice != 0 || first_channel + column >= a.output_channels) return;
    Joined whole = spare[thread];
    for (int other = 1; other < SLICES; other++) whole = join(whole, spare[thread + other * COLUMNS]);
    const int parts_of_pixel = a.output_channels / a.norm_channels;
    const Parts parts = {a.partials, a.norm_channels, static_cast<int>(gridDim.x) * parts_of_pixel};
    parts.set((first_channel + column) % a.norm_channels, blockIdx.x * parts_of_pixel + part, whole);
}

// In half precision by the tensor cores: a block ROWS pixels x COLUMNS channels, 32 terms at a time, of which the next are
// copied while these are multiplied. Blocks are (pixels, channels). With MOMENTS it leaves those of its channels, a part a block
// and part of a pixel.
template <int ROWS, int COLUMNS, bool MOMENTS>
__device__ __forceinline__ void convolve_by_tensor_cores(const ConvolutionArguments& a) {
    constexpr int TERMS = 32;
    // Rows of shared memory that are 80 bytes apart are read by the lanes of a warp without a conflict.
    constexpr int PITCH = TERMS + 8;
    constexpr int STAGE = (ROWS + COLUMNS) * PITCH;
    constexpr int WARPS_ACROSS = COLUMNS / 32, WARPS_DOWN = 8 / WARPS_ACROSS;
    // Tiles of 16 x 8 that a warp has.
    constexpr int TILES_DOWN = ROWS / WARPS_DOWN / 16, TILES_ACROSS = 4;
    constexpr int OUTPUT_PITCH = COLUMNS + 8;
    // Rows of each operand that a thread copies a run of.
    constexpr int PIXEL_COPIES = ROWS / 64, CHANNEL_COPIES = (COLUMNS + 63) / 64;
    constexpr int SPARE = CONVOLUTION_THREADS * sizeof(Joined) + ROWS;
    static_assert(ROWS * OUTPUT_PITCH * sizeof(half_t) + SPARE <= 2 * STAGE * sizeof(half_t),
                  "the output is gathered where the operands were");
    alignas(16) __shared__ half_t memory[2 * STAGE];

    const int thread = threadIdx.x;
    const int lane = thread % 32, group = lane / 4, pair = lane % 4;
    const int warp_row = thread / 32 / WARPS_ACROSS * (16 * TILES_DOWN);
    const int warp_column = thread / 32 % WARPS_ACROSS * (8 * TILES_ACROSS);
    const long long first_pixel = static_cast<long long>(blockIdx.x) * ROWS;
    const int first_channel = blockIdx.y * COLUMNS;

    const int copied_row = thread / 4, copied_part = thread % 4 * 8;
    const half_t* windows[PIXEL_COPIES];
    const half_t* weights[CHANNEL_COPIES];
#pragma unroll
    for (int i = 0; i < PIXEL_COPIES; i++) windows[i] = window_of<half_t>(a, first_pixel + copied_row + 64 * i);
#pragma unroll
    for (int i = 0; i < CHANNEL_COPIES; i++) weights[i] = weights_of<half_t>(a, first_channel + copied_row + 64 * i);
    const int terms = a.kernel_height * a.kernel_width * a.channels;
    Tap tap(a, copied_part);

    auto copy = [&](int start, half_t* stage) {
        const bool inside = tap.is_inside(a);
        const int offset = inside ? tap.offset(a) : 0;
        half_t* to = stage + copied_row * PITCH + copied_part;
#pragma unroll
        for (int i = 0; i < PIXEL_COPIES; i++) copy_16_bytes(to + 64 * i * PITCH, windows[i] + offset, inside);
        to += ROWS * PITCH;
        const int weight = inside ? start + copied_part : 0;
#pragma unroll
        for (int i = 0; i < CHANNEL_COPIES; i++) {
            if (copied_row + 64 * i < COLUMNS) copy_16_bytes(to + 64 * i * PITCH, weights[i] + weight, inside);
        }
        end_copies();
        tap.advance(a, TERMS);
    };

    float sums[TILES_DOWN][TILES_ACROSS][4] = {};
    copy(0, memory);
    int stage = 0;
    for (int start = 0; start < terms; start += TERMS, stage ^= 1) {
        if (start + TERMS < terms) {
            copy(start + TERMS, memory + (stage ^ 1) * STAGE);
            await_copies<1>();
        } else {
            await_copies<0>();
        }
        __syncthreads();
        const half_t* pixels = memory + stage * STAGE + (warp_row + group) * PITCH + 2 * pair;
        const half_t* channels = memory + stage * STAGE + (ROWS + warp_column + group) * PITCH + 2 * pair;
        auto two = [](const half_t* from) { return *reinterpret_cast<const uint32_t*>(from); };
#pragma unroll
        for (int term = 0; term < TERMS; term += 16) {
            uint32_t across[TILES_ACROSS][2];
#pragma unroll
            for (int j = 0; j < TILES_ACROSS; j++) {
                const half_t* from = channels + 8 * j * PITCH + term;
                across[j][0] = two(from);
                across[j][1] = two(from + 8);
            }
#pragma unroll
            for (int i = 0; i < TILES_DOWN; i++) {
                const half_t* from = pixels + 16 * i * PITCH + term;
                const uint32_t down[4] = {two(from), two(from + 8 * PITCH), two(from + 8), two(from + 8 * PITCH + 8)};
#pragma unroll
                for (int j = 0; j < TILES_ACROSS; j++) multiply_16x8x16(sums[i][j], down, across[j]);
            }
        }
        __syncthreads();
    }

    // Gathered in shared memory, so that whole runs of channels are written.
    half_t* gathered = memory + (warp_row + group) * OUTPUT_PITCH + warp_column + 2 * pair;
#pragma unroll
    for (int i = 0; i < TILES_DOWN; i++) {
#pragma unroll
        for (int j = 0; j < TILES_ACROSS; j++) {
#pragma unroll
            for (int k = 0; k < 4; k++) {
                gathered[(16 * i + k / 2 * 8) * OUTPUT_PITCH + 8 * j + k % 2] = to_half(sums[i][j][k]);
            }
        }
    }
    __syncthreads();
    const long long pixels_left = output_pixels(a) - first_pixel;
    const int channels_left = a.output_channels - first_channel;
    half_t* output = static_cast<half_t*>(a.output) + first_pixel * a.output_channels + first_channel;
    for (int at = thread; at < ROWS * COLUMNS / 8; at += CONVOLUTION_THREADS) {
        const int row = at / (COLUMNS / 8), column = at % (COLUMNS / 8) * 8;
        if (row < pixels_left && column < channels_left) {
            using Eight = Run<half_t, 8>;
            *reinterpret_cast<Eight*>(output + static_cast<long long>(row) * a.output_channels + column) =
                *reinterpret_cast<const Eight*>(memory + row * OUTPUT_PITCH + column);
        }
    }
    if (MOMENTS) {
        Joined* spare = reinterpret_cast<Joined*>(memory + ROWS * OUTPUT_PITCH);
        moments_of_block<ROWS, COLUMNS, OUTPUT_PITCH>(a, memory, spare, first_pixel, first_channel);
    }
}

// In single precision: a block 64 pixels x 64 channels, a thread 4 x 4 of them. Blocks are (pixels, channels).
__device__ __forceinline__ void convolve_singly(const ConvolutionArguments& a) {
    constexpr int SIDE = 64, TERMS = 16, EACH = 4;
    alignas(16) __shared__ float pixels[TERMS][SIDE + 4];
    alignas(16) __shared__ float channels[TERMS][SIDE + 4];
    const int thread = threadIdx.x;
    const long long first_pixel = static_cast<long long>(blockIdx.x) * SIDE;
    const int first_channel = blockIdx.y * SIDE;
    const int copied_row = thread / 4, copied_part = thread % 4 * 4;
    const float* window = window_of<float>(a, first_pixel + copied_row);
    const float* weights = weights_of<float>(a, first_channel + copied_row);
    const int terms = a.kernel_height * a.kernel_width * a.channels;
    const int row = thread / 16 * EACH, column = thread % 16 * EACH;
    Tap tap(a, copied_part);
    float sums[EACH][EACH] = {};
    for (int start = 0; start < terms; start += TERMS) {
        Run<float, 4> from_window = {}, from_weights = {};
        if (tap.is_inside(a)) {
            from_window = load_run<4>(window + tap.offset(a));
            from_weights = load_run<4>(weights + start + copied_part);
        }
        tap.advance(a, TERMS);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            pixels[copied_part + i][copied_row] = from_window.values[i];
            channels[copied_part + i][copied_row] = from_weights.values[i];
        }
        __syncthreads();
#pragma unroll
        for (int term = 0; term < TERMS; term++) {
            const Run<float, EACH> down = load_run<EACH>(&pixels[term][row]);
            const Run<float, EACH> across = load_run<EACH>(&channels[term][column]);
#pragma unroll
            for (int i = 0; i < EACH; i++) {
#pragma unroll
                for (int j = 0; j < EACH; j++) sums[i][j] += down.values[i] * across.values[j];
            }
        }
        __syncthreads();
    }
    if (first_channel + column >= a.output_channels) return;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const long long pixel = first_pixel + row + i;
        if (pixel >= output_pixels(a)) return;
        Run<float, EACH> run;
#pragma unroll
        for (int j = 0; j < EACH; j++) run.values[j] = sums[i][j];
        float* to = static_cast<float*>(a.output) + pixel * a.output_channels + first_channel + column;
        store_run<EACH>(to, run);
    }
}
