/* How much it tells that a series breaks a record of its own: -log10 of how rarely it does by as much. */
#include "kernel.h"

#define LARGEST_EXCESS 5.0
#define YOUNG_ROWS 300.0
#define HEAVY_TAIL 3.0
#define FREE_ROWS 30 /* until then the range follows any value */
#define CENTRE_ROWS 2000
#define FREE_BREAKS 1.0 /* breaks of a record that do not count as a habit */
#define SAME_BREAK_ROWS 10
#define LN2 0x1.62e42fefa39efp-1

/* Return the evidence of a record of so many rows, at least 1, that is broken by `excess`, a fraction of what
   was known, at least 0. */
f64 evidence_of_break(const State *s, const Settings *p, int channel, i64 rows, f64 excess) {
    /* Of n exchangeable rows the newest is a two-sided record with probability 2 / n. The first rows are not
       exchangeable: a slow swing breaks the record again and again, in several channels. Nor are those of a
       trend: there the series' own habit counts. */
    f64 record = (1.0 + YOUNG_ROWS / (f64)rows) * 2.0 / (f64)rows;
    f64 habit = p->of->own_rate * larger(s->breaks[channel] - FREE_BREAKS, 0.0) * LN2 / p->of->own_memory;
    f64 rarity = larger(-decimal_logarithm(p->rarity[channel] + record + habit), 0.0);
    f64 usual = decimal_logarithm(1.0 + smaller(excess, LARGEST_EXCESS) / p->of->resolution);
    /* A few rows do not tell how heavy the tail is: assume that of Student's t with 3 degrees of freedom, and
       never state more than a power of the rows that were seen. */
    f64 heavy = smaller(
        HEAVY_TAIL * decimal_logarithm(1.0 + 2.0 * excess),
        2.0 * decimal_logarithm(larger((f64)rows / 3.0, 1.0))
    );
    f64 known = smaller((f64)rows / YOUNG_ROWS, 1.0);
    return rarity + known * usual + (1.0 - known) * heavy;
}

/* Count a channel's breaks of its record; those of a few rows are one. */
void count_break(State *s, const Settings *p, int channel, f64 evidence) {
    s->breaks[channel] *= p->kept_of_breaks;
    if (!(evidence > 0)) return;
    if (s->rows - s->break_row[channel] > SAME_BREAK_ROWS) s->breaks[channel] += 1.0;
    s->break_row[channel] = (i32)s->rows;
}

typedef struct {
    f64 *known, *end, *peak;
    i32 *left_at;
    f64 side; /* 1 of the upper end, -1 of the lower one */
} End;

static void widen(End of, const Settings *p, i64 rows, f64 x, f64 width, f64 kept, f64 centre) {
    f64 side = of.side, value = side * x;
    f64 known = side * *of.known, end = side * *of.end, peak = side * *of.peak;
    int free = rows <= FREE_ROWS;
    f64 reach = known + (free ? 1.0 : p->of->known_reach) * width;
    if (value > known && (f64)(rows - *of.left_at) >= p->of->apart_rows) {
        if (*of.left_at > 0) known = larger(known, smaller(value, peak));
        *of.left_at = (i32)rows;
    }
    known = larger(known, smaller(value, reach));
    if (kept < 1.0) known -= (1.0 - kept) * (known - side * centre);
    f64 furthest = free ? INFINITE : known + p->of->stretch * width;
    end = larger(end, smaller(value, furthest));
    *of.known = side * known;
    *of.end = side * larger(known + p->kept_of_extreme * (end - known), known);
    *of.peak = side * larger(peak, end);
}

/* Return the evidence that x is outside a remembered range of so many rows, and widen the range by it.

   What was reached more than once, or is near to it, is known. An extreme that was reached once is part of the
   range too, but is soon forgotten: what comes after it would go unseen. When a value comes as far again, it is
   known. With no rows the range starts. `of` is VALUE, PROFILE or WEEK; `kept` is what is left of the known
   after a row. */
f64 break_of_range(State *s, const Settings *p, int channel, int of, i64 rows, f64 x, f64 kept) {
    if (rows == 0) {
        s->low[of] = s->high[of] = s->centre[of] = x;
        s->known_low[of] = s->known_high[of] = s->peak_low[of] = s->peak_high[of] = x;
        return 0.0;
    }
    f64 floor = larger(1e-12 * s->magnitude, 1e-300);
    f64 low = s->low[of], high = s->high[of], centre = s->centre[of];
    f64 excess = larger(x - high, low - x) / larger(high - low, floor);
    f64 width = larger(s->known_high[of] - s->known_low[of], floor);
    End upper = {&s->known_high[of], &s->high[of], &s->peak_high[of], &s->high_row[of], 1.0};
    End lower = {&s->known_low[of], &s->low[of], &s->peak_low[of], &s->low_row[of], -1.0};
    widen(upper, p, rows, x, width, kept, centre);
    widen(lower, p, rows, x, width, kept, centre);
    s->centre[of] = centre + (x - centre) / (f64)(rows + 1 < CENTRE_ROWS ? rows + 1 : CENTRE_ROWS);
    if (excess <= p->of->tolerance) return 0.0;
    return evidence_of_break(s, p, channel, rows, excess);
}
