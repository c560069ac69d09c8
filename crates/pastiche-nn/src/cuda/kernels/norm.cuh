// Instance norm: moments, what they come to, and the pass that applies it.
#pragma once

#include "joined.cuh"
#include "pictures.cuh"

constexpr int RUN = 8;                // channels that a thread has
constexpr int NORM_THREADS = 256;     // of a block
constexpr int APPLY_PIXELS = 4;       // that a thread writes

// A block a part of the picture: (columns, rows). A thread has eight channels of every few pixels of each row.
template <class T> __device__ __forceinline__ void moments(const MomentsArguments& a) {
    __shared__ Joined joined[NORM_THREADS][RUN + 1];
    const int runs = a.source.channels / RUN;
    const int side_by_side = NORM_THREADS / runs;
    const int thread = threadIdx.x;
    const int run = thread % runs;
    const int place = thread / runs;
    const int first_row = blockIdx.y * a.rows_per_part;
    const int first_column = blockIdx.x * a.columns_per_part;
    const int end_row = min(first_row + a.rows_per_part, a.height);
    const int end_column = min(first_column + a.columns_per_part, a.width);

    // Sums are of differences from the first number, which keeps a large mean from swallowing the variance.
    Run<float, RUN> origin = {}, sums = {}, squares = {};
    int count = 0;
    if (place < side_by_side) {
        for (int y = first_row; y < end_row; y++) {
            for (int x = first_column + place; x < end_column; x += side_by_side) {
                const Run<float, RUN> values = load_run<RUN>(pixel_of<T>(a.source, y, x) + run * RUN);
                if (count == 0) origin = values;
#pragma unroll
                for (int i = 0; i < RUN; i++) {
                    const float difference = values.values[i] - origin.values[i];
                    sums.values[i] += difference;
                    squares.values[i] += difference * difference;
                }
                count++;
            }
        }
    }
    const float number = static_cast<float>(count);
    const float share = count > 0 ? 1.0f / number : 0.0f;
#pragma unroll
    for (int i = 0; i < RUN; i++) {
        const float mean = sums.values[i] * share;
        joined[thread][i] = {number, origin.values[i] + mean, fmaxf(squares.values[i] - sums.values[i] * mean, 0.0f)};
    }
    __syncthreads();
    for (int left = side_by_side; left > 1;) {
        const int half = (left + 1) / 2;
        if (place < left - half) {
#pragma unroll
            for (int i = 0; i < RUN; i++) joined[thread][i] = join(joined[thread][i], joined[thread + half * runs][i]);
        }
        left = half;
        __syncthreads();
    }
    const Parts parts = {a.partials, a.source.channels, static_cast<int>(gridDim.x * gridDim.y)};
    const int part = blockIdx.y * gridDim.x + blockIdx.x;
    for (int channel = thread; channel < a.source.channels; channel += NORM_THREADS) {
        parts.set(channel, part, joined[channel / RUN][channel % RUN]);
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
#pragma unroll
    for (int i = 0; i < APPLY_PIXELS; i++) {
        const int x = first + i * side_by_side;
        if (x >= a.output_width) return;
        const int column = a.columns[x];
        Run<float, RUN> values = {};
        if (row >= 0 && column >= 0) {
            values = load_run<RUN>(pixel_of<T>(a.source, row, column) + channel);
#pragma unroll
            for (int j = 0; j < RUN; j++) {
                const float value = values.values[j] * scale.values[j] + shift.values[j];
                values.values[j] = a.relu ? fmaxf(value, 0.0f) : value;
            }
            if (a.residual.data) {
                const Run<float, RUN> other = load_run<RUN>(pixel_of<T>(a.residual, row, column) + channel);
#pragma unroll
                for (int j = 0; j < RUN; j++) values.values[j] += other.values[j];
            }
        }
        store_run<RUN>(to + static_cast<long long>(x) * a.source.channels, values);
    }
}
