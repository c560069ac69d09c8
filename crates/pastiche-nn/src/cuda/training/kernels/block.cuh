// What the training's kernels are made of: a block hands out indices to its threads, and adds up what they find. Numbers of
// elements fit into 31 bits, which the host sees to.
#pragma once
#include "portable.cuh"

#define DEVICE __device__ __forceinline__

// Threads of every block.
constexpr unsigned BLOCK_THREADS = 256;

// Calls `work` with every index below `count` once, over all blocks.
template <class Work> DEVICE void grid_each(unsigned count, Work work) {
    for (unsigned i = blockIdx.x * BLOCK_THREADS + threadIdx.x; i < count; i += gridDim.x * BLOCK_THREADS) work(i);
}

// Calls `work` with every index below `count` once, within this block.
template <class Work> DEVICE void block_each(unsigned count, Work work) {
    for (unsigned i = threadIdx.x; i < count; i += BLOCK_THREADS) work(i);
}

// Whether this is the thread that writes what the block found out.
DEVICE bool is_first_thread() { return threadIdx.x == 0; }

// Some sums that are made together.
template <int COUNT> struct Sums {
    float of[COUNT];

    DEVICE void add(const Sums& other) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) of[i] += other.of[i];
    }
};

// The sums of what `term` adds for every index below `count`; all threads get them. The order is fixed, and so is the result.
template <int COUNT, class Term> DEVICE Sums<COUNT> block_sum(unsigned count, Term term) {
    __shared__ Sums<COUNT> sums[BLOCK_THREADS];
    Sums<COUNT> own = {};
    block_each(count, [&](unsigned i) { term(own, i); });
    sums[threadIdx.x] = own;
    for (unsigned step = BLOCK_THREADS / 2; step > 0; step /= 2) {
        __syncthreads();
        if (threadIdx.x < step) sums[threadIdx.x].add(sums[threadIdx.x + step]);
    }
    __syncthreads();
    const Sums<COUNT> total = sums[0];
    // The next sum may use the same memory.
    __syncthreads();
    return total;
}
