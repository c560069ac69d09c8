// What each kernel is started with. The same structures are in `arguments.rs`, field by field.
#pragma once

#include "portable.cuh"

// Where a picture's numbers lie: rows of pixels of channels, or the four phases of a picture twice as large. The pixel (y, x)
// of such a picture stands in the window ((y + 1) / 2, (x + 1) / 2), as the channels of phase (y % 2, x % 2).
struct Source {
    const void* data;
    int row;      // numbers from a row to the next
    int pixel;    // numbers from a pixel (or window) to the next
    int channels; // of a pixel, with those that fill up
    int phases;   // 1 where there are phases
};

// RGB8 into the input of the first convolution.
struct IngestArguments {
    const uint8_t* picture;
    void* output;
    const int* rows;    // `factor` for each row of the output: a row of the picture, or -1 for zeros
    const int* columns; // likewise
    int picture_width;
    int output_width;
    int channels; // of the output, a multiple of 4
    int factor;   // squares of this side are stacked as channels
};

// One pass of what is owed to a value on its way into the next convolution.
struct ApplyArguments {
    Source source;
    Source residual; // added at the end, where there is one
    const float* scale;
    const float* shift;
    void* output;
    const int* rows; // for each row of the output a row of the source, or -1 for zeros
    const int* columns;
    int output_width;
    int relu;
};

// Moments of parts of a picture: (columns, rows) of blocks.
struct MomentsArguments {
    Source source;
    float* partials; // (count, mean, squares) x channels x parts
    int height;
    int width;
    int rows_per_part;
    int columns_per_part;
};

// From the moments of all parts to a factor and a summand a channel.
struct AffineArguments {
    float* partials;
    const float* gain;
    const float* offset;
    float* scale;
    float* shift;
    int parts;
    int channels;
    float eps;
};

// A convolution without padding: (H, W, C) and weights (N, kernel height, kernel width, C) to (out height, out width, N).
struct ConvolutionArguments {
    const void* input;
    const void* weights;
    void* output;
    float* partials; // where a norm follows: (count, mean, squares) x channels x parts
    int input_row; // numbers from a row to the next
    int channels;
    int kernel_height;
    int kernel_width;
    int stride;
    int output_height;
    int output_width;
    int output_channels;
    int norm_channels; // of the norm that follows: an output pixel has this many for each of its parts
    int norm_width;    // pixels of a row that the norm sees, where the parts are pixels side by side
    int phases;        // 1 where the parts are the phases of a picture twice as large
};

// The last value into RGB.
struct EmitArguments {
    Source source;
    const float* scale;
    const float* shift;
    void* output;
    int height;
    int width;
    int tanh; // 1 where tanh(x) * gain + offset comes last
    float gain;
    float offset;
};
