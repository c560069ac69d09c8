// Instance normalisation, a block a plane: a plane is read again from the second-level cache.
#pragma once
#include "pointwise.cuh"

struct NormArguments {
    const float* input;
    const float* scale;
    // Forwards only.
    const float* shift;
    // Backwards only.
    const float* gradient;
    float* to;
    // Backwards only: for every plane the sum of the gradient times the normalised input, then for every plane the sum of the
    // gradient.
    float* sums;
    unsigned planes, plane, channels, relu;
    float eps;
};

struct Moments {
    float mean, inverse_deviation;
};

DEVICE Moments moments_of(const float* plane, unsigned count, float eps) {
    const auto total = block_sum<1>(count, [&](Sums<1>& sums, unsigned i) { sums.of[0] += plane[i]; });
    const float mean = total.of[0] / count;
    const auto squares = block_sum<1>(count, [&](Sums<1>& sums, unsigned i) {
        const float centred = plane[i] - mean;
        sums.of[0] += centred * centred;
    });
    return {mean, 1.0f / sqrtf(squares.of[0] / count + eps)};
}

DEVICE void norm_forward_block(const NormArguments& a) {
    const unsigned index = blockIdx.x, channel = index % a.channels;
    const float* input = a.input + index * a.plane;
    float* to = a.to + index * a.plane;
    const Moments moments = moments_of(input, a.plane, a.eps);
    const float gain = moments.inverse_deviation * a.scale[channel], shift = a.shift[channel];
    block_each(a.plane, [&](unsigned i) {
        const float value = (input[i] - moments.mean) * gain + shift;
        to[i] = a.relu ? rectified(value) : value;
    });
}

// scale / deviation * (g - mean(g) - x_hat * mean(g * x_hat)).
DEVICE void norm_backward_block(const NormArguments& a) {
    const unsigned index = blockIdx.x;
    const float *input = a.input + index * a.plane, *gradient = a.gradient + index * a.plane;
    float* to = a.to + index * a.plane;
    const Moments moments = moments_of(input, a.plane, a.eps);
    const auto normalised = [&](unsigned i) { return (input[i] - moments.mean) * moments.inverse_deviation; };
    const auto totals = block_sum<2>(a.plane, [&](Sums<2>& sums, unsigned i) {
        sums.of[0] += gradient[i] * normalised(i);
        sums.of[1] += gradient[i];
    });
    const float mean_product = totals.of[0] / a.plane, mean_gradient = totals.of[1] / a.plane;
    const float gain = moments.inverse_deviation * a.scale[index % a.channels];
    block_each(a.plane,
               [&](unsigned i) { to[i] = gain * (gradient[i] - mean_gradient - normalised(i) * mean_product); });
    if (is_first_thread()) {
        a.sums[index] = totals.of[0];
        a.sums[a.planes + index] = totals.of[1];
    }
}

// Sums over the batch: from (groups, batch, channels) to (groups, channels).
struct BatchSumArguments {
    const float* from;
    float* to;
    unsigned count, batch, channels;
};

DEVICE void batch_sum_at(const BatchSumArguments& a, unsigned i) {
    const float* from = a.from + i / a.channels * a.batch * a.channels + i % a.channels;
    float sum = 0.0f;
    for (unsigned image = 0; image < a.batch; ++image) sum += from[image * a.channels];
    a.to[i] = sum;
}
