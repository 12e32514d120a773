/* Exponential and logarithms that are the same on every platform, to about one unit in the last place.

   Series by Taylor, in Horner's order; division and square root are correctly rounded by the processor. */
#include "kernel.h"

typedef union {
    f64 number;
    unsigned long long bits;
} Bits;

/* ln 2 in two parts: the first has 32 bits, so that its product with an exponent is exact. */
#define LN2_FIRST 0x1.62e42feep-1
#define LN2_REST 0x1.a39ef35793c76p-33
#define LN2 0x1.62e42fefa39efp-1
#define DECADE 0x1.bcb7b1526e50ep-2 /* 1 / ln 10, in two parts too */
#define DECADE_REST 0x1.95355baaafad3p-57
#define ROOT_OF_HALF 0x1.6a09e667f3bcdp-1
#define MANTISSA_BITS 52
#define BIAS 1023

static f64 power_of_two(i64 exponent) { /* from -1022 to 1023 */
    Bits of = {.bits = (unsigned long long)(exponent + BIAS) << MANTISSA_BITS};
    return of.number;
}

f64 exponential(f64 x) {
    if (x != x) return x;
    if (x > 709.8) return INFINITE;
    if (x < -745.2) return 0.0;
    i64 twos = (i64)(x / LN2 + (x < 0 ? -0.5 : 0.5));
    f64 r = (x - (f64)twos * LN2_FIRST) - (f64)twos * LN2_REST; /* at most 0.35 */
    f64 series = 1.0 / 6227020800.0;
    series = series * r + 1.0 / 479001600.0;
    series = series * r + 1.0 / 39916800.0;
    series = series * r + 1.0 / 3628800.0;
    series = series * r + 1.0 / 362880.0;
    series = series * r + 1.0 / 40320.0;
    series = series * r + 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    f64 result = 1.0 + (r + r * r * series);
    i64 half = twos / 2; /* in two steps, since the exponent alone may be out of range */
    return result * power_of_two(half) * power_of_two(twos - half);
}

f64 logarithm(f64 x) {
    if (!(x > 0)) return x == 0 ? -INFINITE : MISSING;
    if (x == INFINITE) return x;
    i64 exponent = -BIAS;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        exponent -= 54;
    }
    Bits of = {.number = x};
    exponent += (i64)(of.bits >> MANTISSA_BITS);
    of.bits = (of.bits & ((1ull << MANTISSA_BITS) - 1)) | (unsigned long long)(BIAS - 1) << MANTISSA_BITS;
    if (of.number < ROOT_OF_HALF) of.number *= 2.0; /* from the root of a half to that of two */
    else exponent += 1;
    f64 f = of.number - 1.0;
    /* log(1 + f) = 2 artanh(s) = f - f²/2 + s (f²/2 + rest), where s = f / (2 + f): f is exact. */
    f64 s = f / (2.0 + f), z = s * s;
    f64 rest = 2.0 / 23.0;
    rest = rest * z + 2.0 / 21.0;
    rest = rest * z + 2.0 / 19.0;
    rest = rest * z + 2.0 / 17.0;
    rest = rest * z + 2.0 / 15.0;
    rest = rest * z + 2.0 / 13.0;
    rest = rest * z + 2.0 / 11.0;
    rest = rest * z + 2.0 / 9.0;
    rest = rest * z + 2.0 / 7.0;
    rest = rest * z + 2.0 / 5.0;
    rest = rest * z + 2.0 / 3.0;
    f64 half_square = 0.5 * f * f, twos = (f64)exponent;
    return twos * LN2_FIRST + (f - (half_square - (s * (half_square + rest * z) + twos * LN2_REST)));
}

f64 decimal_logarithm(f64 x) {
    f64 natural = logarithm(x);
    return size_of(natural) < INFINITE ? natural * DECADE + natural * DECADE_REST : natural;
}

f64 logarithm_of_one_plus(f64 x) {
    f64 sum = 1.0 + x;
    if (sum == 1.0) return x;
    if (sum == INFINITE) return sum;
    return logarithm(sum) + (x - (sum - 1.0)) / sum; /* what the sum has lost, made up for */
}

/* Return what is left after one row of what halves in `half_life` rows; all of it where that is 0. */
f64 kept_after_a_row(f64 half_life) { return half_life > 0 ? exponential(-LN2 / half_life) : 1.0; }

EXPORT void exponentials(const f64 *x, i64 count, f64 *out) {
    for (i64 at = 0; at < count; at++) out[at] = exponential(x[at]);
}

EXPORT void decimal_logarithms(const f64 *x, i64 count, f64 *out) {
    for (i64 at = 0; at < count; at++) out[at] = decimal_logarithm(x[at]);
}

/* Write the straight line between the points of a table, whose ends go on level; a point is (x, y). */
EXPORT void interpolate(const f64 *table, i64 points, const f64 *x, i64 count, f64 *out) {
    for (i64 at = 0; at < count; at++) {
        i64 next = 0;
        while (next < points && table[2 * next] <= x[at]) next++;
        if (x[at] != x[at]) out[at] = x[at];
        else if (next == 0) out[at] = table[1];
        else if (next == points) out[at] = table[2 * points - 1];
        else {
            const f64 *from = table + 2 * (next - 1), *to = table + 2 * next;
            out[at] = from[1] + (to[1] - from[1]) / (to[0] - from[0]) * (x[at] - from[0]);
        }
    }
}
