// The card, played by one thread of the processor, for the tests: the same source of the kernels, compiled as C++.
//
// The threads of a block are fibers. They run one after another, each until it ends or waits for the others; whoever waits for
// a different thing than the others, or for one who has ended, ends the test. Blocks run one after another. A fiber begins with
// a context of its own and goes on by a jump, which unlike a change of context needs no system call.
#pragma once

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <ucontext.h>
#include <vector>

#define __device__
#define __forceinline__ inline
// A block's shared memory is the memory of the thread that plays it.
#define __shared__ static thread_local

struct Position {
    unsigned x, y, z;
};
inline thread_local Position threadIdx, blockIdx, blockDim, gridDim;

using std::max;
using std::min;

namespace emulated {

enum class Waits { for_nothing, for_the_block, for_the_warp, ended };

// What a lane gives to a product of its warp.
struct Product {
    float (*sums)[4];
    uint32_t a[4];
    uint32_t b[2];
};

struct Fiber {
    ucontext_t start;
    jmp_buf place;
    std::vector<char> stack;
    bool started;
    Waits waits;
    Product product;
};

struct Block {
    std::vector<Fiber> fibers;
    jmp_buf scheduler;
    unsigned running;
    void (*body)(const void* arguments);
    const void* arguments;
};
inline thread_local Block block;

inline void fail(const char* what) {
    std::fprintf(stderr, "emulated kernel: %s\n", what);
    std::abort();
}

inline void wait(Waits what) {
    Fiber& fiber = block.fibers[block.running];
    fiber.waits = what;
    if (_setjmp(fiber.place) == 0) _longjmp(block.scheduler, 1);
}

inline void run_fiber() {
    block.body(block.arguments);
    block.fibers[block.running].waits = Waits::ended;
    _longjmp(block.scheduler, 1);
}

// Lets a fiber run until it waits or ends.
inline void run(Fiber& fiber) {
    if (_setjmp(block.scheduler) != 0) return;
    if (fiber.started) _longjmp(fiber.place, 1);
    fiber.started = true;
    setcontext(&fiber.start);
}

inline float half_to_float(uint16_t bits) {
    const int exponent = bits >> 10 & 31;
    const float fraction = static_cast<float>(bits & 1023);
    float value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024.0f, exponent - 25);
    if (exponent == 31) value = fraction == 0.0f ? INFINITY : NAN;
    return bits >> 15 ? -value : value;
}

// To the nearest, ties to even.
inline uint16_t half_from_float(float value) {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const float size = std::fabs(value);
    if (std::isnan(value)) return sign | 0x7e00;
    if (size >= 65520.0f) return sign | 0x7c00;
    int exponent = 0;
    std::frexp(size, &exponent);
    // The last place of a half is 2^-10 of its leading one, and 2^-24 at least.
    const int place = std::max(exponent - 11, -24);
    const auto places = static_cast<int>(std::nearbyint(std::ldexp(size, -place)));
    if (places == 0) return sign;
    // Counted in last places, the numbers of an exponent follow those of the one before.
    return static_cast<uint16_t>(sign | (places + (place + 24) * 1024));
}

// Does what `mma.m16n8k16` does, for one warp.
inline void multiply(unsigned first) {
    float a[16][16], b[16][8];
    for (unsigned lane = 0; lane < 32; lane++) {
        const Product& product = block.fibers[first + lane].product;
        const unsigned group = lane / 4, pair = lane % 4 * 2;
        for (unsigned i = 0; i < 2; i++) {
            auto part = [i](uint32_t two) { return half_to_float(static_cast<uint16_t>(two >> 16 * i)); };
            for (unsigned j = 0; j < 4; j++) a[group + j % 2 * 8][pair + j / 2 * 8 + i] = part(product.a[j]);
            for (unsigned j = 0; j < 2; j++) b[pair + j * 8 + i][group] = part(product.b[j]);
        }
    }
    for (unsigned lane = 0; lane < 32; lane++) {
        float* sums = *block.fibers[first + lane].product.sums;
        for (unsigned i = 0; i < 4; i++) {
            const unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
            for (unsigned term = 0; term < 16; term++) sums[i] += a[row][term] * b[term][column];
        }
    }
}

// Lets those go on for whom all others have come; whether somebody can run.
inline bool release() {
    auto& fibers = block.fibers;
    const size_t count = blockDim.x;
    auto all = [&](size_t first, size_t end, Waits what) {
        for (size_t i = first; i < end; i++) {
            if (fibers[i].waits != what) return false;
        }
        return true;
    };
    if (all(0, count, Waits::ended)) return false;
    if (all(0, count, Waits::for_the_block)) {
        for (size_t i = 0; i < count; i++) fibers[i].waits = Waits::for_nothing;
        return true;
    }
    bool released = false;
    for (size_t first = 0; first < count; first += 32) {
        if (!all(first, first + 32, Waits::for_the_warp)) continue;
        multiply(static_cast<unsigned>(first));
        for (size_t i = first; i < first + 32; i++) fibers[i].waits = Waits::for_nothing;
        released = true;
    }
    if (!released) fail("threads of a block wait for different things");
    return true;
}

inline void run_block() {
    if (block.fibers.size() < blockDim.x) block.fibers.resize(blockDim.x);
    for (unsigned i = 0; i < blockDim.x; i++) {
        Fiber& fiber = block.fibers[i];
        fiber.stack.resize(64 << 10);
        fiber.waits = Waits::for_nothing;
        fiber.started = false;
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = fiber.stack.data();
        fiber.start.uc_stack.ss_size = fiber.stack.size();
        fiber.start.uc_link = nullptr;
        makecontext(&fiber.start, run_fiber, 0);
    }
    do {
        for (unsigned i = 0; i < blockDim.x; i++) {
            if (block.fibers[i].waits != Waits::for_nothing) continue;
            block.running = i;
            threadIdx = {i, 0, 0};
            run(block.fibers[i]);
        }
    } while (release());
}

struct Kernel {
    void (*body)(const void* arguments);
    unsigned threads;
};

inline std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

struct Registration {
    Registration(const char* name, Kernel kernel) { kernels()[name] = kernel; }
};

} // namespace emulated

#define KERNEL(NAME, ARGUMENTS, THREADS) \
    static void NAME(const ARGUMENTS& arguments); \
    static const emulated::Registration registered_##NAME( \
        #NAME, {[](const void* arguments) { NAME(*static_cast<const ARGUMENTS*>(arguments)); }, THREADS}); \
    static void NAME(const ARGUMENTS& arguments)

// Starts a kernel and waits for its end; 1 where there is none of that name, or it takes fewer threads.
extern "C" int launch(
    const char* name, unsigned blocks_x, unsigned blocks_y, unsigned threads, const void* arguments) {
    const auto found = emulated::kernels().find(name);
    if (found == emulated::kernels().end() || found->second.threads != threads) return 1;
    emulated::block.body = found->second.body;
    emulated::block.arguments = arguments;
    gridDim = {blocks_x, blocks_y, 1};
    blockDim = {threads, 1, 1};
    for (unsigned y = 0; y < blocks_y; y++) {
        for (unsigned x = 0; x < blocks_x; x++) {
            blockIdx = {x, y, 0};
            emulated::run_block();
        }
    }
    return 0;
}

extern "C" uint16_t half_from_float(float value) { return emulated::half_from_float(value); }
extern "C" float half_to_float(uint16_t bits) { return emulated::half_to_float(bits); }

inline void __syncthreads() { emulated::wait(emulated::Waits::for_the_block); }

struct half_t {
    uint16_t bits;
};
inline float to_float(half_t value) { return emulated::half_to_float(value.bits); }
inline half_t to_half(float value) { return {emulated::half_from_float(value)}; }

inline void copy_16_bytes(void* shared, const void* global, bool present) {
    if (present) {
        std::memcpy(shared, global, 16);
    } else {
        std::memset(shared, 0, 16);
    }
}
inline void end_copies() {}
template <int PENDING> void await_copies() {}

inline void multiply_16x8x16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    emulated::Product& product = emulated::block.fibers[emulated::block.running].product;
    product.sums = &sums;
    std::copy(a, a + 4, product.a);
    std::copy(b, b + 2, product.b);
    emulated::wait(emulated::Waits::for_the_warp);
}
