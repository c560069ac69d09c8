// Sums over whole tensors, in two steps: every block writes a part, one block adds the parts up. So the order is always the
// same, and so is the result.
#pragma once
#include "block.cuh"

// The part of `count` indices that block `part` of `parts` takes: `work(first, number)`.
template <class Work>
DEVICE auto for_part(unsigned count, unsigned part, unsigned parts, Work work) {
    const unsigned length = (count + parts - 1) / parts, first = part * length < count ? part * length : count;
    return work(first, count - first < length ? count - first : length);
}

// Sums of squared differences, or of squares.
struct SquaresArguments {
    const float* a;
    // May be null, which is zeros.
    const float* b;
    float* parts;
    unsigned count, blocks;
};

DEVICE void squares_block(const SquaresArguments& a) {
    const auto sum = for_part(a.count, blockIdx.x, a.blocks, [&](unsigned first, unsigned number) {
        return block_sum<1>(number, [&](Sums<1>& sums, unsigned i) {
            const float difference = a.b ? a.a[first + i] - a.b[first + i] : a.a[first + i];
            sums.of[0] += difference * difference;
        });
    });
    if (is_first_thread()) a.parts[blockIdx.x] = sum.of[0];
}

// to = factor * the sum of all parts.
struct TotalArguments {
    const float* parts;
    float* to;
    unsigned count;
    float factor;
};

DEVICE void total_block(const TotalArguments& a) {
    const auto sum = block_sum<1>(a.count, [&](Sums<1>& sums, unsigned i) { sums.of[0] += a.parts[i]; });
    if (is_first_thread()) *a.to = a.factor * sum.of[0];
}

// Sums of channels over batch and plane: blocks (channels, parts).
struct ChannelSumArguments {
    const float* from;
    float* parts;
    unsigned batch, channels, plane, parts_each;
};

DEVICE void channel_sum_block(const ChannelSumArguments& a) {
    const unsigned channel = blockIdx.x / a.parts_each, part = blockIdx.x % a.parts_each;
    const auto sum = for_part(a.batch * a.plane, part, a.parts_each, [&](unsigned first, unsigned number) {
        return block_sum<1>(number, [&](Sums<1>& sums, unsigned i) {
            const unsigned image = (first + i) / a.plane, pixel = (first + i) % a.plane;
            sums.of[0] += a.from[(image * a.channels + channel) * a.plane + pixel];
        });
    });
    // As (parts, channels), which a sum over the batch takes.
    if (is_first_thread()) a.parts[part * a.channels + channel] = sum.of[0];
}

// Total variation: `across` times the squared differences in rows plus `down` times those in columns.
struct VariationArguments {
    const float* pictures;
    // Backwards only: of the term.
    const float* gradient;
    // Parts forwards, the gradient of the pictures backwards.
    float* to;
    unsigned count, blocks, height, width;
    float across, down;
};

DEVICE void variation_block(const VariationArguments& a) {
    const auto sum = for_part(a.count, blockIdx.x, a.blocks, [&](unsigned first, unsigned number) {
        return block_sum<1>(number, [&](Sums<1>& sums, unsigned offset) {
            const unsigned i = first + offset, x = i % a.width, y = i / a.width % a.height;
            const float right = x + 1 < a.width ? a.pictures[i + 1] - a.pictures[i] : 0.0f;
            const float below = y + 1 < a.height ? a.pictures[i + a.width] - a.pictures[i] : 0.0f;
            sums.of[0] += a.across * right * right + a.down * below * below;
        });
    });
    if (is_first_thread()) a.to[blockIdx.x] = sum.of[0];
}

DEVICE void variation_backward_at(const VariationArguments& a, unsigned i) {
    const unsigned x = i % a.width, y = i / a.width % a.height;
    const float here = a.pictures[i];
    float across = 0.0f, down = 0.0f;
    if (x > 0) across += here - a.pictures[i - 1];
    if (x + 1 < a.width) across += here - a.pictures[i + 1];
    if (y > 0) down += here - a.pictures[i - a.width];
    if (y + 1 < a.height) down += here - a.pictures[i + a.width];
    a.to[i] = 2.0f * *a.gradient * (a.across * across + a.down * down);
}
