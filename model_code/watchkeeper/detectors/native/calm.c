/* That a series moves less than it ever did: a frozen sensor, noise that is gone. */
#include "kernel.h"

#define CALM_ROWS 24.0 /* half-life of the mean step */
#define FIRST_ROWS 72
#define FORGOTTEN 0x1.22b8d2756ae4cp-15 /* of its range in a row: a half in 20,000 */
#define LEARNING_ROWS 144               /* a calm that lasts as long is known */
#define MARGIN 0.5                      /* of the range, of logarithms: how far below it counts */
#define COMMON 0.8                      /* decades by which a calm is more usual than a record of the value */
#define SMALLEST_STEP 1e-5              /* of the range of the value: all below is frozen */
#define SMALLEST_WIDTH 0.2
#define LN2 0x1.62e42fefa39efp-1

/* Return the evidence that the last hours are calmer than any before; `step` is how far the value is from the
   one before it. */
f64 break_of_calm(State *s, const Settings *p, f64 step) {
    if (s->rows == 0) return 0.0;
    s->roughness += (step - s->roughness) * larger(LN2 / CALM_ROWS, 1.0 / (f64)s->rows);
    if (s->rows < FIRST_ROWS) return 0.0;
    f64 smallest = SMALLEST_STEP * (s->high[VALUE] - s->low[VALUE]) + larger(1e-12 * s->magnitude, 1e-300);
    f64 level = s->roughness + smallest;
    if (s->rows == FIRST_ROWS) s->calm_low = s->calm_high = level;
    f64 low = s->calm_low, high = s->calm_high;
    f64 excess = logarithm(low / level) / larger(logarithm(high / low), SMALLEST_WIDTH);
    if (excess <= 0) {
        s->calm_high = larger(level, high * exponential(FORGOTTEN * logarithm(level / high)));
        s->calm_low = low * exponential(FORGOTTEN * logarithm(level / low));
        return 0.0;
    }
    if (s->calm_since == 0 || s->rows - s->calm_since > 2 * LEARNING_ROWS) s->calm_since = s->rows;
    if (s->rows - s->calm_since >= LEARNING_ROWS) {
        s->calm_low = level;
        s->calm_since = 0;
    }
    if (excess <= MARGIN) return 0.0;
    return larger(evidence_of_break(s, p, CALM, s->rows, excess - MARGIN) - COMMON, 0.0);
}
