// Moments, and joining them.
#pragma once

#include "portable.cuh"

// Moments of some numbers.
struct Joined {
    float count;
    float mean;
    float squares; // of differences from the mean, summed
};

// The moments of two sets together (Chan, Golub and LeVeque 1979).
__device__ __forceinline__ Joined join(const Joined& a, const Joined& b) {
    const float count = a.count + b.count;
    if (count == 0.0f) return a;
    const float difference = b.mean - a.mean;
    const float share = b.count / count;
    return {count, a.mean + difference * share, a.squares + b.squares + difference * difference * a.count * share};
}

// The moments of the parts of a picture, in memory: counts, then means, then squares; of each all channels, and of each of
// those all parts.
struct Parts {
    float* partials;
    int channels;
    int parts;

    __device__ __forceinline__ float* at(int channel, int part) const {
        return partials + static_cast<long long>(channel) * parts + part;
    }

    __device__ __forceinline__ long long plane() const { return static_cast<long long>(channels) * parts; }

    __device__ __forceinline__ Joined get(int channel, int part) const {
        const float* from = at(channel, part);
        return {from[0], from[plane()], from[2 * plane()]};
    }

    __device__ __forceinline__ void set(int channel, int part, const Joined& joined) const {
        float* to = at(channel, part);
        to[0] = joined.count;
        to[plane()] = joined.mean;
        to[2 * plane()] = joined.squares;
    }
};
