/* What the steps of a network compute, in C99 that is C++ as well. A header takes the definitions that it uses; an empty
   line parts each from the next. x is what a step reads, y what it writes: maps one after another, row by row. */

/* The windows of a convolution or a pool along one axis; a kernel of 0 divides the axis in as many parts as places. */
typedef struct {
    int size, places, kernel, stride, before, gap;
} cnnlab_axis;

typedef enum { CNNLAB_ZEROS, CNNLAB_REFLECT, CNNLAB_REPLICATE, CNNLAB_CIRCULAR } cnnlab_border;

static void cnnlab_input(const uint8_t *pixels, float *y, int channels, int plane, const float *factors,
                         const float *offsets)
{
    for (int channel = 0; channel < channels; channel++)
        for (int at = 0; at < plane; at++)
            *y++ = *pixels++ / 255.0f * factors[channel] + offsets[channel];
}

/* The pixel that stands at a place beside an axis; -1 for a zero. */
static int cnnlab_beside(int place, int size, cnnlab_border border)
{
    if (place >= 0 && place < size) return place;
    if (border == CNNLAB_REFLECT) return place < 0 ? -place : 2 * (size - 1) - place;
    if (border == CNNLAB_REPLICATE) return place < 0 ? 0 : size - 1;
    if (border == CNNLAB_CIRCULAR) return (place + size) % size;
    return -1;
}

/* Adds a weight times x, moved by `start_row` and `start_column` pixels, to y. */
static void cnnlab_add(const float *x, float *y, float weight, int start_row, int start_column, const cnnlab_axis *rows,
                       const cnnlab_axis *columns, cnnlab_border border)
{
    int stride = columns->stride, size = columns->size, places = columns->places;
    int first = start_column < 0 ? (stride - 1 - start_column) / stride : 0;
    int end = start_column < size ? (size - 1 - start_column) / stride + 1 : 0;
    if (end > places) end = places;
    if (first > end) first = end;
    for (int place = 0; place < rows->places; place++, y += places) {
        int row = cnnlab_beside(start_row + place * rows->stride, rows->size, border);
        if (row < 0) continue;
        const float *from = x + row * size;
        for (int at = first; at < end; at++) y[at] += weight * from[start_column + at * stride];
        if (border == CNNLAB_ZEROS) continue;
        for (int at = 0; at < places; at++) {
            int column = cnnlab_beside(start_column + at * stride, size, border);
            if (at < first || at >= end) y[at] += weight * from[column];
        }
    }
}

static void cnnlab_convolution(const float *x, float *y, const cnnlab_axis *rows, const cnnlab_axis *columns,
                               int channels, int filters, int groups, cnnlab_border border, const int8_t *weights,
                               const float *scales, const float *biases)
{
    int map = rows->size * columns->size, plane = rows->places * columns->places;
    for (int filter = 0; filter < filters; filter++, y += plane) {
        const float *from = x + filter / (filters / groups) * (channels / groups) * map;
        for (int at = 0; at < plane; at++) y[at] = 0;
        for (int channel = 0; channel < channels / groups; channel++, from += map)
            for (int down = 0; down < rows->kernel; down++)
                for (int across = 0; across < columns->kernel; across++)
                    cnnlab_add(from, y, *weights++, down * rows->gap - rows->before,
                               across * columns->gap - columns->before, rows, columns, border);
        for (int at = 0; at < plane; at++) y[at] = y[at] * scales[filter] + (biases ? biases[filter] : 0);
    }
}

static void cnnlab_linear(const float *x, float *y, int inputs, int outputs, const int8_t *weights,
                          const float *scales, const float *biases)
{
    for (int output = 0; output < outputs; output++) {
        float total = 0;
        for (int input = 0; input < inputs; input++) total += *weights++ * x[input];
        y[output] = total * scales[output] + (biases ? biases[output] : 0);
    }
}

static void cnnlab_scale(const float *x, float *y, int channels, int plane, const float *factors,
                         const float *offsets)
{
    for (int channel = 0; channel < channels; channel++)
        for (int at = 0; at < plane; at++) *y++ = *x++ * factors[channel] + offsets[channel];
}

/* Brings numbers, `gap` apart, to zero mean and unit variance; those of one `plane` share a factor and an offset. */
static void cnnlab_normalise(const float *x, float *y, int size, int gap, int plane, float eps, const float *factors,
                             const float *offsets)
{
    float mean = 0, variance = 0;
    for (int at = 0; at < size; at++) mean += x[at * gap];
    mean /= size;
    for (int at = 0; at < size; at++) variance += (x[at * gap] - mean) * (x[at * gap] - mean);
    float scale = 1 / sqrtf(variance / size + eps);
    for (int at = 0; at < size; at++) {
        float normal = (x[at * gap] - mean) * scale;
        y[at * gap] = normal * (factors ? factors[at / plane] : 1) + (offsets ? offsets[at / plane] : 0);
    }
}

/* Where a window of a pool begins and ends, and how many pixels its mean divides by. */
typedef struct {
    int begin, end, count;
} cnnlab_span;

static cnnlab_span cnnlab_window(const cnnlab_axis *axis, int place, int counts_padding)
{
    cnnlab_span span;
    int start = place * axis->stride - axis->before, whole = start + axis->gap * (axis->kernel - 1) + 1;
    if (axis->kernel == 0) {
        start = place * axis->size / axis->places;
        whole = ((place + 1) * axis->size + axis->places - 1) / axis->places;
    }
    span.begin = start < 0 ? start + (axis->gap - 1 - start) / axis->gap * axis->gap : start;
    span.end = whole < axis->size ? whole : axis->size;
    span.count = span.end - span.begin;
    if (counts_padding) span.count = (whole < axis->size + axis->before ? whole : axis->size + axis->before) - start;
    return span;
}

static void cnnlab_largest(const float *x, float *y, const cnnlab_axis *rows, const cnnlab_axis *columns, int channels)
{
    for (int channel = 0; channel < channels; channel++, x += rows->size * columns->size)
        for (int down = 0; down < rows->places; down++)
            for (int across = 0; across < columns->places; across++) {
                cnnlab_span high = cnnlab_window(rows, down, 0), wide = cnnlab_window(columns, across, 0);
                float largest = -INFINITY;
                for (int row = high.begin; row < high.end; row += rows->gap)
                    for (int column = wide.begin; column < wide.end; column += columns->gap)
                        if (x[row * columns->size + column] > largest) largest = x[row * columns->size + column];
                *y++ = largest;
            }
}

static void cnnlab_mean(const float *x, float *y, const cnnlab_axis *rows, const cnnlab_axis *columns, int channels,
                        int counts_padding)
{
    for (int channel = 0; channel < channels; channel++, x += rows->size * columns->size)
        for (int down = 0; down < rows->places; down++)
            for (int across = 0; across < columns->places; across++) {
                cnnlab_span high = cnnlab_window(rows, down, counts_padding);
                cnnlab_span wide = cnnlab_window(columns, across, counts_padding);
                float total = 0;
                for (int row = high.begin; row < high.end; row++)
                    for (int column = wide.begin; column < wide.end; column++) total += x[row * columns->size + column];
                *y++ = total / (high.count * wide.count);
            }
}

/* Interpolation along an axis: each new pixel takes `taps` old ones from the first on, each times its weight. */
typedef struct {
    int size, places, taps;
    const uint16_t *firsts;
    const float *weights;
} cnnlab_shares;

static void cnnlab_resize(const float *x, float *y, const cnnlab_shares *rows, const cnnlab_shares *columns,
                          int channels)
{
    for (int channel = 0; channel < channels; channel++, x += rows->size * columns->size)
        for (int down = 0; down < rows->places; down++)
            for (int across = 0; across < columns->places; across++) {
                const float *from = x + rows->firsts[down] * columns->size + columns->firsts[across];
                float total = 0;
                for (int row = 0; row < rows->taps; row++, from += columns->size) {
                    float sum = 0;
                    for (int column = 0; column < columns->taps; column++)
                        sum += columns->weights[across * columns->taps + column] * from[column];
                    total += rows->weights[down * rows->taps + row] * sum;
                }
                *y++ = total;
            }
}

/* Softmax of numbers that lie `gap` apart. */
static void cnnlab_softmax(const float *x, float *y, int size, int gap)
{
    float largest = x[0], total = 0;
    for (int at = 0; at < size; at++)
        if (x[at * gap] > largest) largest = x[at * gap];
    for (int at = 0; at < size; at++) total += y[at * gap] = expf(x[at * gap] - largest);
    for (int at = 0; at < size; at++) y[at * gap] /= total;
}

static void cnnlab_product(const float *x, const float *gate, float *y, int channels, int plane)
{
    for (int channel = 0; channel < channels; channel++)
        for (int at = 0; at < plane; at++) *y++ = *x++ * gate[channel];
}

static float cnnlab_relu(float x) { return x > 0 ? x : 0; }

static float cnnlab_relu6(float x) { return x > 0 ? (x < 6 ? x : 6) : 0; }

static float cnnlab_leaky_relu(float x) { return x > 0 ? x : 0.01f * x; }

static float cnnlab_gelu(float x) { return 0.5f * x * erfcf(-0.70710678f * x); }

static float cnnlab_silu(float x) { return x / (1 + expf(-x)); }

static float cnnlab_hard_swish(float x) { return x * cnnlab_relu6(x + 3) / 6; }

static float cnnlab_elu(float x) { return x > 0 ? x : expm1f(x); }

static float cnnlab_tanh(float x) { return tanhf(x); }

static float cnnlab_sigmoid(float x) { return 1 / (1 + expf(-x)); }

static float cnnlab_hard_sigmoid(float x) { return cnnlab_relu6(x + 3) / 6; }
