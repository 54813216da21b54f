//! The functions of a C file, as text. Formulas and their sources are those of the Rust file.

use super::Helper;

/// The text of a function.
pub(super) fn text(helper: Helper) -> &'static str {
    match helper {
        Helper::Split => SPLIT,
        Helper::Exp => EXP,
        Helper::ExpM1 => EXP_M1,
        Helper::Sigmoid => SIGMOID,
        Helper::Tanh => TANH,
        Helper::Relu => RELU,
        Helper::LeakyRelu => LEAKY_RELU,
        Helper::Elu => ELU,
        Helper::Gelu => GELU,
        Helper::Silu => SILU,
        Helper::Maxout => MAXOUT,
        Helper::Softmax => SOFTMAX,
        Helper::Dense => DENSE,
        Helper::DenseInt8 => DENSE_INT8,
        Helper::Number => NUMBER,
        Helper::Category => CATEGORY,
        Helper::Missing => MISSING,
    }
}

pub(super) const CLASS_OF: &str = "\
// The index of the most probable class, the first of equal ones.
int class_of(const float probabilities[OUTPUTS]) {
    int best = 0;
    for (int i = 1; i < OUTPUTS; i++) {
        if (probabilities[i] > probabilities[best]) best = i;
    }
    return best;
}
";

const SPLIT: &str = "\
// e^x = s + s * p, where s is a power of two, which is returned: e^x = 2^n * e^r with |r| at
// most ln(2) / 2, and p = e^r - 1 is Taylor's series. ln(2) is in two parts, of which the first
// has few bits, so that n times it is exact.
static float split(float x, float *p) {
    if (x != x) {
        *p = x;
        return 1.0f;
    }
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    int n = (int)(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
    float r = x - (float)n * 0.693359375f - (float)n * -2.12194440e-4f;
    float q = 1.0f / 120.0f + r * (1.0f / 720.0f + r * (1.0f / 5040.0f));
    *p = r + r * r * (0.5f + r * (1.0f / 6.0f + r * (1.0f / 24.0f + r * q)));
    union {
        uint32_t bits;
        float value;
    } power = {(uint32_t)(n + 127) << 23};
    return power.value;
}

";

const EXP: &str = "\
static float net_exp(float x) {
    float p, s = split(x, &p);
    return s + s * p;
}

";

const EXP_M1: &str = "\
// e^x - 1
static float net_exp_m1(float x) {
    float p, s = split(x, &p);
    return (s - 1.0f) + s * p;
}

";

const SIGMOID: &str = "\
// 1 / (1 + e^-x)
static float net_sigmoid(float x) {
    float e = net_exp(x < 0.0f ? x : -x);
    return x < 0.0f ? e / (1.0f + e) : 1.0f / (1.0f + e);
}

";

const TANH: &str = "\
static float net_tanh(float x) {
    float e = net_exp_m1(x < 0.0f ? 2.0f * x : -2.0f * x);
    float y = -e / (2.0f + e);
    return x < 0.0f ? -y : y;
}

";

const RELU: &str = "\
static float relu(float x) {
    return x > 0.0f ? x : 0.0f;
}

";

const LEAKY_RELU: &str = "\
static float leaky_relu(float x, float slope) {
    return x > 0.0f ? x : slope * x;
}

";

const ELU: &str = "\
static float elu(float x, float alpha) {
    return x > 0.0f ? x : alpha * net_exp_m1(x);
}

";

const GELU: &str = "\
// x times the distribution function of the normal distribution. With t = |x| / sqrt(2) it is
// erfc(t) / 2 below 0, by formula 7.1.26 of Abramowitz and Stegun (1964), whose error is at
// most 1.5e-7.
static float gelu(float x) {
    float t = (x < 0.0f ? -x : x) * 0.70710678f;
    float u = 1.0f / (1.0f + 0.3275911f * t);
    float p = 1.421413741f + u * (-1.453152027f + u * 1.061405429f);
    p = u * (0.254829592f + u * (-0.284496736f + u * p));
    float tail = 0.5f * p * net_exp(-t * t);
    return x * (x < 0.0f ? tail : 1.0f - tail);
}

";

const SILU: &str = "\
static float silu(float x) {
    return x * net_sigmoid(x);
}

";

const MAXOUT: &str = "\
// The largest piece of each unit; z has the first piece of all units, then the second.
static void maxout(const float *z, int units, int pieces, float *x) {
    for (int i = 0; i < units; i++) {
        x[i] = z[i];
        for (int k = 1; k < pieces; k++) {
            if (z[k * units + i] > x[i]) x[i] = z[k * units + i];
        }
    }
}

";

const SOFTMAX: &str = "\
static void softmax(const float *z, int n, float *p) {
    float largest = z[0], sum = 0.0f;
    for (int i = 1; i < n; i++) {
        if (z[i] > largest) largest = z[i];
    }
    for (int i = 0; i < n; i++) {
        p[i] = net_exp(z[i] - largest);
        sum += p[i];
    }
    for (int i = 0; i < n; i++) p[i] /= sum;
}

";

const DENSE: &str = "\
// W * x + b
static void dense(const float *x, int inputs, const float *w, const float *b, int rows, float *z) {
    for (int i = 0; i < rows; i++, w += inputs) {
        z[i] = b[i];
        for (int j = 0; j < inputs; j++) z[i] += w[j] * x[j];
    }
}

";

const DENSE_INT8: &str = "\
// W * x + b, where each row of W has a scale
static void dense(const float *x, int inputs, const int8_t *w, const float *scale, const float *b,
                  int rows, float *z) {
    for (int i = 0; i < rows; i++, w += inputs) {
        float sum = 0.0f;
        for (int j = 0; j < inputs; j++) sum += (float)w[j] * x[j];
        z[i] = b[i] + scale[i] * sum;
    }
}

";

const NUMBER: &str = "\
// A number, standardised; the mean where it is missing.
static float number(float cell, double mean, double deviation) {
    return cell == cell ? (float)(((double)cell - mean) / deviation) : 0.0f;
}

";

const CATEGORY: &str = "\
// 1 at the index of a category's value, 0 elsewhere.
static void category(float cell, int values, float *x) {
    for (int i = 0; i < values; i++) x[i] = cell == (float)i ? 1.0f : 0.0f;
}

";

const MISSING: &str = "\
static float missing(float cell) {
    return cell == cell ? 0.0f : 1.0f;
}

";
