// What the kernels need of the card, in words that mean the same where they run on the processor for the tests.
#pragma once

#ifdef __CUDACC__

#include <cstdint>
#include <cuda_fp16.h>

// A kernel with one argument, started with THREADS threads a block.
#define KERNEL(NAME, ARGUMENTS, THREADS) \
    extern "C" __global__ void __launch_bounds__(THREADS) NAME(ARGUMENTS arguments)

using half_t = __half;

__device__ __forceinline__ float to_float(half_t value) { return __half2float(value); }
__device__ __forceinline__ half_t to_half(float value) { return __float2half_rn(value); }

// Copies 16 bytes into shared memory in the background, or zeros where there is nothing to copy.
__device__ __forceinline__ void copy_16_bytes(void* shared, const void* global, bool present) {
#if __CUDA_ARCH__ >= 800
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    const int bytes = present ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(bytes) : "memory");
#else
    *static_cast<uint4*>(shared) = present ? *static_cast<const uint4*>(global) : make_uint4(0, 0, 0, 0);
#endif
}

// Ends a group of copies.
__device__ __forceinline__ void end_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until all groups of copies of this thread but the last PENDING are there.
template <int PENDING> __device__ __forceinline__ void await_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

// sums += a * b by the tensor cores, for a warp: a is 16x16, b 16x8, sums 16x8, spread over the lanes as PTX defines it for
// mma.m16n8k16: with g = lane / 4 and t = lane % 4, a holds rows g and g + 8 at columns 2t, 2t + 1 (a[0], a[1]) and the same
// at columns 2t + 8, 2t + 9 (a[2], a[3]); b holds column g at rows 2t, 2t + 1 (b[0]) and 2t + 8, 2t + 9 (b[1]); sums hold rows
// g (0, 1) and g + 8 (2, 3) at columns 2t, 2t + 1.
__device__ __forceinline__ void
multiply_16x8x16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
#pragma unroll
    for (int half = 0; half < 2; half++) {
        asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
            : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
            : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
    }
#endif
}

#else
#include "emulated.hpp"
#endif

__device__ __forceinline__ float to_float(float value) { return value; }

template <class T> __device__ __forceinline__ T from_float(float value);
template <> __device__ __forceinline__ float from_float<float>(float value) { return value; }
template <> __device__ __forceinline__ half_t from_float<half_t>(float value) { return to_half(value); }

// COUNT numbers that lie together and are read and written by as few instructions as there can be.
template <class T, int COUNT> struct alignas(COUNT * sizeof(T) < 16 ? COUNT * sizeof(T) : 16) Run {
    T values[COUNT];
};

template <int COUNT, class T> __device__ __forceinline__ Run<T, COUNT> read_run(const T* from) {
    return *reinterpret_cast<const Run<T, COUNT>*>(from);
}

template <class T, int COUNT> __device__ __forceinline__ Run<float, COUNT> floats_of(const Run<T, COUNT>& run) {
    Run<float, COUNT> floats;
#pragma unroll
    for (int i = 0; i < COUNT; i++) floats.values[i] = to_float(run.values[i]);
    return floats;
}

template <int COUNT, class T> __device__ __forceinline__ Run<float, COUNT> load_run(const T* from) {
    return floats_of(read_run<COUNT>(from));
}

template <int COUNT, class T> __device__ __forceinline__ void store_run(T* to, const Run<float, COUNT>& floats) {
    Run<T, COUNT> run;
#pragma unroll
    for (int i = 0; i < COUNT; i++) run.values[i] = from_float<T>(floats.values[i]);
    *reinterpret_cast<Run<T, COUNT>*>(to) = run;
}
