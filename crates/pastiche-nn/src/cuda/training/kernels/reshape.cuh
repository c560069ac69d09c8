// Padding, enlargement and pooling of planes. Gradients gather, so that every number is written once and by one thread.
#pragma once
#include "block.cuh"

struct PadArguments {
    const float* from;
    // Where it is not positive nothing is passed back: the activations before the padding. May be null.
    const float* mask;
    float* to;
    unsigned count, height, width, padded_height, padded_width, top, left, reflect;
};

// The place along one side that a padded place reads from, or a negative number for a zero.
DEVICE int pad_source(int at, int before, int side, bool reflect) {
    const int place = at - before;
    if (place >= 0 && place < side) return place;
    if (!reflect) return -1;
    return place < 0 ? -place : 2 * (side - 1) - place;
}

// The padded places along one side that read from `at`; gives their number.
DEVICE int pad_readers(int at, int before, int side, int padded, bool reflect, int readers[3]) {
    int count = 0;
    readers[count++] = before + at;
    if (reflect && at >= 1 && at <= before) readers[count++] = before - at;
    const int behind = before + 2 * (side - 1) - at;
    if (reflect && at <= side - 2 && behind < padded) readers[count++] = behind;
    return count;
}

DEVICE void pad_forward_at(const PadArguments& a, unsigned i) {
    const unsigned x = i % a.padded_width, row = i / a.padded_width;
    const unsigned y = row % a.padded_height, plane = row / a.padded_height;
    const int from_x = pad_source(x, a.left, a.width, a.reflect), from_y = pad_source(y, a.top, a.height, a.reflect);
    const bool outside = from_x < 0 || from_y < 0;
    a.to[i] = outside ? 0.0f : a.from[(plane * a.height + from_y) * a.width + from_x];
}

DEVICE void pad_backward_at(const PadArguments& a, unsigned i) {
    if (a.mask && !(a.mask[i] > 0.0f)) {
        a.to[i] = 0.0f;
        return;
    }
    const unsigned x = i % a.width, row = i / a.width;
    const unsigned y = row % a.height, plane = row / a.height;
    int xs[3], ys[3];
    const int columns = pad_readers(x, a.left, a.width, a.padded_width, a.reflect, xs);
    const int rows = pad_readers(y, a.top, a.height, a.padded_height, a.reflect, ys);
    float sum = 0.0f;
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            sum += a.from[(plane * a.padded_height + ys[r]) * a.padded_width + xs[c]];
    a.to[i] = sum;
}

struct UpsampleArguments {
    const float* from;
    float* to;
    // Sides of the small picture.
    unsigned count, height, width, factor;
};

DEVICE void upsample_forward_at(const UpsampleArguments& a, unsigned i) {
    const unsigned large_width = a.width * a.factor, x = i % large_width, row = i / large_width;
    const unsigned large_height = a.height * a.factor, y = row % large_height, plane = row / large_height;
    a.to[i] = a.from[(plane * a.height + y / a.factor) * a.width + x / a.factor];
}

DEVICE void upsample_backward_at(const UpsampleArguments& a, unsigned i) {
    const unsigned x = i % a.width, row = i / a.width;
    const float* from = a.from + (row * a.factor * a.width + x) * a.factor;
    float sum = 0.0f;
    for (unsigned dy = 0; dy < a.factor; ++dy)
        for (unsigned dx = 0; dx < a.factor; ++dx) sum += from[dy * a.width * a.factor + dx];
    a.to[i] = sum;
}

struct PoolArguments {
    const float* input;
    const float* gradient;
    float* to;
    // Sides of the input; whether the input is the output of a ReLU whose gradient is taken too.
    unsigned count, height, width, masked;
};

DEVICE void pool_forward_at(const PoolArguments& a, unsigned i) {
    const unsigned pooled_width = a.width / 2, pooled_height = a.height / 2;
    const unsigned x = i % pooled_width, row = i / pooled_width, y = row % pooled_height, plane = row / pooled_height;
    const float* from = a.input + (plane * a.height + 2 * y) * a.width + 2 * x;
    const float above = fmaxf(from[0], from[1]), below = fmaxf(from[a.width], from[a.width + 1]);
    a.to[i] = fmaxf(above, below);
}

// The gradient goes to the first of the largest.
DEVICE void pool_backward_at(const PoolArguments& a, unsigned i) {
    const unsigned pooled_width = a.width / 2, pooled_height = a.height / 2;
    const unsigned x = i % a.width, row = i / a.width, y = row % a.height, plane = row / a.height;
    a.to[i] = 0.0f;
    if (x / 2 >= pooled_width || y / 2 >= pooled_height) return;
    const float* from = a.input + (plane * a.height + y / 2 * 2) * a.width + x / 2 * 2;
    unsigned largest = 0;
    for (unsigned place = 1; place < 4; ++place)
        if (from[place / 2 * a.width + place % 2] > from[largest / 2 * a.width + largest % 2]) largest = place;
    const bool passed = !a.masked || a.input[i] > 0.0f;
    if (largest == y % 2 * 2 + x % 2 && passed)
        a.to[i] = a.gradient[(plane * pooled_height + y / 2) * pooled_width + x / 2];
}
