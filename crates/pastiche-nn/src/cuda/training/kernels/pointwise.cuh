// Number by number: bias, ReLU, colours, scaled differences.
#pragma once
#include "block.cuh"

// NaN stays, so that it shows instead of vanishing.
DEVICE float rectified(float value) { return value < 0.0f ? 0.0f : value; }

struct BiasArguments {
    const float* bias;
    // (N, C, plane), changed in place.
    float* values;
    unsigned count, channels, plane, relu;
};

DEVICE void bias_at(const BiasArguments& a, unsigned i) {
    const float value = a.values[i] + a.bias[i / a.plane % a.channels];
    a.values[i] = a.relu ? rectified(value) : value;
}

struct ReluArguments {
    // The input forwards; the output, and its gradient, backwards.
    const float* values;
    const float* gradient;
    float* to;
    unsigned count;
};

DEVICE void relu_forward_at(const ReluArguments& a, unsigned i) { a.to[i] = rectified(a.values[i]); }

DEVICE void relu_backward_at(const ReluArguments& a, unsigned i) {
    a.to[i] = a.values[i] > 0.0f ? a.gradient[i] : 0.0f;
}

// Channel c is channel order[c] of the picture, times scale[c], plus shift[c].
struct ColourArguments {
    const float* from;
    float* to;
    unsigned count, plane;
    unsigned order[3];
    float scale[3], shift[3];
};

// The number among (N, 3, plane) that number `i` is made of.
DEVICE unsigned colour_source(const ColourArguments& a, unsigned i, unsigned channel) {
    return i + a.order[channel] * a.plane - channel * a.plane;
}

DEVICE void colour_forward_at(const ColourArguments& a, unsigned i) {
    const unsigned channel = i / a.plane % 3;
    a.to[i] = a.from[colour_source(a, i, channel)] * a.scale[channel] + a.shift[channel];
}

// `order` gives every channel to one, so every number is written once.
DEVICE void colour_backward_at(const ColourArguments& a, unsigned i) {
    const unsigned channel = i / a.plane % 3;
    a.to[colour_source(a, i, channel)] = a.from[i] * a.scale[channel];
}

// to = factor * gradient * (a - b), with one gradient for all.
struct DifferenceArguments {
    const float* a;
    const float* b;
    const float* gradient;
    float* to;
    unsigned count;
    float factor;
};

DEVICE void difference_at(const DifferenceArguments& a, unsigned i) {
    a.to[i] = a.factor * *a.gradient * (a.a[i] - a.b[i]);
}

// to = factor * (g + g^T) for every square matrix g.
struct SymmetricArguments {
    const float* from;
    float* to;
    unsigned count, side;
    float factor;
};

DEVICE void symmetric_at(const SymmetricArguments& a, unsigned i) {
    const unsigned column = i % a.side, row = i / a.side % a.side, matrix = i - row * a.side - column;
    a.to[i] = a.factor * (a.from[i] + a.from[matrix + column * a.side + row]);
}

// Numbers from here and there, side by side.
constexpr unsigned SCALARS = 8;

struct CollectArguments {
    const float* from[SCALARS];
    float* to;
    unsigned count;
};

DEVICE void collect_at(const CollectArguments& a, unsigned i) { a.to[i] = *a.from[i]; }
