// Adam over many tensors at once: the blocks are dealt out to them.
#pragma once
#include "losses.cuh"

// Tensors that one launch takes: its arguments stay below 4 KB, which every driver takes.
constexpr unsigned TENSORS = 64;
// Numbers that one block takes.
constexpr unsigned BLOCK_NUMBERS = 8192;

struct TensorList {
    float* weight[TENSORS];
    float* first[TENSORS];
    float* second[TENSORS];
    const float* gradient[TENSORS];
    unsigned length[TENSORS];
    // The first block of each, and after the last the number of all.
    unsigned first_block[TENSORS + 1];
    // Step size over the correction of the first moment.
    float rate[TENSORS];
    unsigned count;
};

DEVICE unsigned tensor_of_block(const TensorList& list) {
    unsigned tensor = 0;
    while (tensor + 1 < list.count && list.first_block[tensor + 1] <= blockIdx.x) ++tensor;
    return tensor;
}

// Calls `work` with the first number of this block's part of its tensor, and how many there are.
template <class Work>
DEVICE auto for_numbers(const TensorList& list, unsigned tensor, Work work) {
    const unsigned first = (blockIdx.x - list.first_block[tensor]) * BLOCK_NUMBERS;
    const unsigned left = list.length[tensor] - first;
    return work(first, left < BLOCK_NUMBERS ? left : BLOCK_NUMBERS);
}

struct GradientSquaresArguments {
    TensorList list;
    // A number a block.
    float* parts;
};

DEVICE void gradient_squares_block(const GradientSquaresArguments& a) {
    const unsigned tensor = tensor_of_block(a.list);
    const float* gradient = a.list.gradient[tensor];
    const auto sum = for_numbers(a.list, tensor, [&](unsigned first, unsigned number) {
        return block_sum<1>(number, [&](Sums<1>& sums, unsigned i) {
            sums.of[0] += gradient[first + i] * gradient[first + i];
        });
    });
    if (is_first_thread()) a.parts[blockIdx.x] = sum.of[0];
}

DEVICE bool is_finite(float value) { return value - value == 0.0f; }

// Whether training goes on: `verdict[0]` becomes 1 and stays so once loss or gradient is infinite or NaN; `verdict[1]` is the
// squared norm of the gradient.
struct JudgeArguments {
    const float* loss;
    const float* parts;
    float* verdict;
    unsigned count;
};

DEVICE void judge_block(const JudgeArguments& a) {
    const auto sum = block_sum<1>(a.count, [&](Sums<1>& sums, unsigned i) { sums.of[0] += a.parts[i]; });
    if (is_first_thread()) {
        if (!is_finite(*a.loss) || !is_finite(sum.of[0])) a.verdict[0] = 1.0f;
        a.verdict[1] = sum.of[0];
    }
}

struct AdamArguments {
    TensorList list;
    const float* verdict;
    // Parts of the moments that are kept, and those that the gradient gives.
    float kept_1, given_1, kept_2, given_2;
    float correction_2, epsilon;
};

DEVICE void adam_block(const AdamArguments& a) {
    if (a.verdict[0] != 0.0f) return;
    const unsigned tensor = tensor_of_block(a.list);
    for_numbers(a.list, tensor, [&](unsigned start, unsigned number) {
        float *weight = a.list.weight[tensor] + start, *first = a.list.first[tensor] + start;
        float* second = a.list.second[tensor] + start;
        const float* gradient = a.list.gradient[tensor] + start;
        block_each(number, [&](unsigned i) {
            const float g = gradient[i];
            first[i] = a.kept_1 * first[i] + a.given_1 * g;
            second[i] = a.kept_2 * second[i] + a.given_2 * g * g;
            const float deviation = sqrtf(second[i] / a.correction_2) + a.epsilon;
            weight[i] -= a.list.rate[tensor] * first[i] / deviation;
        });
    });
}
