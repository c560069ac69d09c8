// The kernels of training, in f32 and (N, C, H, W). Beside them the functions, a file a theme, that say what one thread does
// for one number (`_at`), or a block for its part (`_block`).
#include "adam.cuh"
#include "instance_norm.cuh"
#include "losses.cuh"
#include "pointwise.cuh"
#include "reshape.cuh"

#define EACH(NAME, ARGUMENTS) \
    KERNEL(NAME, ARGUMENTS, BLOCK_THREADS) { \
        grid_each(arguments.count, [&](unsigned i) { NAME##_at(arguments, i); }); \
    }
#define BLOCKS(NAME, ARGUMENTS) \
    KERNEL(NAME, ARGUMENTS, BLOCK_THREADS) { NAME##_block(arguments); }

EACH(pad_forward, PadArguments)
EACH(pad_backward, PadArguments)
EACH(upsample_forward, UpsampleArguments)
EACH(upsample_backward, UpsampleArguments)
EACH(pool_forward, PoolArguments)
EACH(pool_backward, PoolArguments)

EACH(bias, BiasArguments)
EACH(relu_forward, ReluArguments)
EACH(relu_backward, ReluArguments)
EACH(colour_forward, ColourArguments)
EACH(colour_backward, ColourArguments)
EACH(difference, DifferenceArguments)
EACH(symmetric, SymmetricArguments)
EACH(collect, CollectArguments)

BLOCKS(norm_forward, NormArguments)
BLOCKS(norm_backward, NormArguments)
EACH(batch_sum, BatchSumArguments)

BLOCKS(squares, SquaresArguments)
BLOCKS(total, TotalArguments)
BLOCKS(channel_sum, ChannelSumArguments)
BLOCKS(variation, VariationArguments)
EACH(variation_backward, VariationArguments)

BLOCKS(gradient_squares, GradientSquaresArguments)
BLOCKS(judge, JudgeArguments)
BLOCKS(adam, AdamArguments)
