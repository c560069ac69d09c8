// Instance norm: moments, what they come to, and the pass that applies it.
#pragma once

#include "joined.cuh"
#include "pictures.cuh"

constexpr int RUN = 8;                // channels that a thread has
constexpr int NORM_THREADS = 256;     // of a block
constexpr int APPLY_PIXELS = 4;       // that a thread writes

// Sums of differences from some number, and of their squares.
struct Totals {
    float sum;
    float squares;
};

// A block a part of the picture: (columns, rows). A thread has eight channels of every few pixels of each row.
template <class T> __device__ __forceinline__ void moments(const MomentsArguments& a) {
    __shared__ Totals totals[NORM_THREADS][RUN + 1];
    const int runs = a.source.channels / RUN;
    const int side_by_side = NORM_THREADS / runs;
    const int thread = threadIdx.x;
    const int channel = thread % runs * RUN;
    const int place = thread / runs;
    const int first_row = blockIdx.y * a.rows_per_part;
    const int first_column = blockIdx.x * a.columns_per_part;
    const int end_row = min(first_row + a.rows_per_part, a.height);
    const int end_column = min(first_column + a.columns_per_part, a.width);

    // Differences are from the part's first pixel, which keeps a large mean from swallowing the variance.
    const T* first_pixel = pixel_of<T>(a.source, first_row, first_column);
    const Run<float, RUN> origin = load_run<RUN>(first_pixel + channel);
    Run<float, RUN> sums = {}, squares = {};
    if (place < side_by_side) {
        for (int y = first_row; y < end_row; y++) {
#pragma unroll 4
            for (int x = first_column + place; x < end_column; x += side_by_side) {
                const Run<float, RUN> values = load_run<RUN>(pixel_of<T>(a.source, y, x) + channel);
#pragma unroll
                for (int i = 0; i < RUN; i++) {
                    const float difference = values.values[i] - origin.values[i];
                    sums.values[i] += difference;
                    squares.values[i] += difference * difference;
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < RUN; i++) totals[thread][i] = {sums.values[i], squares.values[i]};
    __syncthreads();
    for (int left = side_by_side; left > 1;) {
        const int half = (left + 1) / 2;
        if (place < left - half) {
#pragma unroll
            for (int i = 0; i < RUN; i++) {
                totals[thread][i].sum += totals[thread + half * runs][i].sum;
                totals[thread][i].squares += totals[thread + half * runs][i].squares;
            }
        }
        left = half;
        __syncthreads();
    }
    const Parts parts = {a.partials, a.source.channels, static_cast<int>(gridDim.x * gridDim.y)};
    const int part = blockIdx.y * gridDim.x + blockIdx.x;
    const float count = static_cast<float>((end_row - first_row) * (end_column - first_column));
    for (int each = thread; each < a.source.channels; each += NORM_THREADS) {
        const Totals& total = totals[each / RUN][each % RUN];
        const float mean = total.sum / count;
        const float about_mean = fmaxf(total.squares - total.sum * mean, 0.0f);
        parts.set(each, part, {count, to_float(first_pixel[each]) + mean, about_mean});
    }
}

// A block a channel.
__device__ __forceinline__ void affine(const AffineArguments& a) {
    __shared__ Joined joined[NORM_THREADS];
    const int channel = blockIdx.x;
    const int thread = threadIdx.x;
    const Parts parts = {a.partials, a.channels, a.parts};
    Joined sum = {0.0f, 0.0f, 0.0f};
    for (int part = thread; part < a.parts; part += NORM_THREADS) sum = join(sum, parts.get(channel, part));
    joined[thread] = sum;
    __syncthreads();
    for (int half = NORM_THREADS / 2; half > 0; half /= 2) {
        if (thread < half) joined[thread] = join(joined[thread], joined[thread + half]);
        __syncthreads();
    }
    if (thread == 0) {
        const float scale = a.gain[channel] / sqrtf(joined[0].squares / joined[0].count + a.eps);
        a.scale[channel] = scale;
        a.shift[channel] = a.offset[channel] - joined[0].mean * scale;
    }
}

// max(x * scale + shift, 0) + residual, padded or enlarged as the tables say. Blocks are (columns, rows) of the output; a thread
// has eight channels of four pixels.
template <class T> __device__ __forceinline__ void apply(const ApplyArguments& a) {
    const int runs = a.source.channels / RUN;
    const int side_by_side = NORM_THREADS / runs;
    const int place = threadIdx.x / runs;
    const int channel = static_cast<int>(threadIdx.x) % runs * RUN;
    if (place >= side_by_side) return;
    const int y = blockIdx.y;
    const int row = a.rows[y];
    const Run<float, RUN> scale = load_run<RUN>(a.scale + channel);
    const Run<float, RUN> shift = load_run<RUN>(a.shift + channel);
    T* to = static_cast<T*>(a.output) + static_cast<long long>(y) * a.output_width * a.source.channels + channel;
    const int first = static_cast<int>(blockIdx.x) * side_by_side * APPLY_PIXELS + place;
    // All is read before anything is written, which the compiler could not know to be allowed: so reads overlap.
    Run<T, RUN> values[APPLY_PIXELS] = {}, others[APPLY_PIXELS] = {};
    bool shown[APPLY_PIXELS];
#pragma unroll
    for (int i = 0; i < APPLY_PIXELS; i++) {
        const int x = first + i * side_by_side;
        const int column = row >= 0 && x < a.output_width ? a.columns[x] : -1;
        shown[i] = column >= 0;
        if (shown[i]) {
            values[i] = read_run<RUN>(pixel_of<T>(a.source, row, column) + channel);
            if (a.residual.data) others[i] = read_run<RUN>(pixel_of<T>(a.residual, row, column) + channel);
        }
    }
#pragma unroll
    for (int i = 0; i < APPLY_PIXELS; i++) {
        const int x = first + i * side_by_side;
        if (x >= a.output_width) return;
        Run<float, RUN> result = {};
        if (shown[i]) {
            const Run<float, RUN> value = floats_of(values[i]), other = floats_of(others[i]);
#pragma unroll
            for (int j = 0; j < RUN; j++) {
                const float normed = value.values[j] * scale.values[j] + shift.values[j];
                result.values[j] = (a.relu ? fmaxf(normed, 0.0f) : normed) + other.values[j];
            }
        }
        store_run<RUN>(to + static_cast<long long>(x) * a.source.channels, result);
    }
}
