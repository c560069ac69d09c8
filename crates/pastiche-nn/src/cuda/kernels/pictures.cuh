// The way into the network and out of it.
#pragma once

#include "arguments.cuh"

// Where a source holds the channels of the pixel (y, x).
template <class T> __device__ __forceinline__ const T* pixel_of(const Source& source, int y, int x) {
    const T* data = static_cast<const T*>(source.data);
    if (source.phases) {
        const int phase = (y & 1) * 2 + (x & 1);
        y = (y + 1) >> 1;
        x = (x + 1) >> 1;
        data += phase * source.channels;
    }
    return data + static_cast<long long>(y) * source.row + static_cast<long long>(x) * source.pixel;
}

// A thread a pixel of the output; blocks are (columns, rows).
template <class T> __device__ __forceinline__ void ingest(const IngestArguments& a) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y;
    if (x >= a.output_width) return;
    T* to = static_cast<T*>(a.output) + (static_cast<long long>(y) * a.output_width + x) * a.channels;
    const int square = a.factor * a.factor;
    for (int first = 0; first < a.channels; first += 4) {
        Run<float, 4> run;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int channel = first + i;
            const int within = channel % square;
            float value = 0.0f;
            if (channel < 3 * square) {
                const int row = a.rows[y * a.factor + within / a.factor];
                const int column = a.columns[x * a.factor + within % a.factor];
                if (row >= 0 && column >= 0) {
                    value = a.picture[(static_cast<long long>(row) * a.picture_width + column) * 3 + channel / square];
                }
            }
            run.values[i] = value;
        }
        store_run<4>(to + first, run);
    }
}

// One number of the painting: `at` counts them, three a pixel.
template <class T> __device__ __forceinline__ float painted(const EmitArguments& a, long long at) {
    const long long pixel = at / 3;
    const int channel = static_cast<int>(at % 3);
    const int y = static_cast<int>(pixel / a.width);
    const int x = static_cast<int>(pixel % a.width);
    float value = to_float(pixel_of<T>(a.source, y, x)[channel]);
    value = value * a.scale[channel] + a.shift[channel];
    return a.tanh ? tanhf(value) * a.gain + a.offset : value;
}

__device__ __forceinline__ void put(float value, float* to) { *to = value; }

__device__ __forceinline__ void put(float value, uint8_t* to) {
    *to = static_cast<uint8_t>(fminf(fmaxf(value, 0.0f), 255.0f) + 0.5f);
}

// A thread four numbers, which are written together.
template <class T, class Out> __device__ __forceinline__ void emit(const EmitArguments& a) {
    const long long count = 3LL * a.height * a.width;
    const long long first = 4 * (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x);
    if (first >= count) return;
    Out* to = static_cast<Out*>(a.output) + first;
    if (first + 4 <= count) {
        Run<Out, 4> run;
#pragma unroll
        for (int i = 0; i < 4; i++) put(painted<T>(a, first + i), &run.values[i]);
        *reinterpret_cast<Run<Out, 4>*>(to) = run;
    } else {
        for (int i = 0; first + i < count; i++) put(painted<T>(a, first + i), to + i);
    }
}
