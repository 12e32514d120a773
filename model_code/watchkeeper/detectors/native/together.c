/* Several columns together: correlations that break, and small deviations of many columns at once.

   A column's innovation is its deviation from its mean by hour of the day, over its usual size. Innovations are
   made uncorrelated by the inverse root of their covariance (ZCA), which keeps each one with its column. How
   unusual a row is, is the sum of log(1 + y²) over them: the negative log-likelihood of heavy tails (Cauchy's),
   so that many small deviations count as much as a large one. It is compared with its own mean and spread.

   Source: Kessy, Lewin & Strimmer, "Optimal whitening and decorrelation", The American Statistician 2018. */
#include "kernel.h"

#define FIRST_ROWS 300        /* until then a row is not judged */
#define KNOWN_ROWS 12         /* rows of an hour from which its mean is expected */
#define MEMORY_ROWS 5000.0
#define PROFILE_RATE 0.005
#define CLIP 20.0             /* most usual sizes that an innovation counts */
#define LEARNED_CLIP 5.0      /* and that is learned of it */
#define SHRINKAGE 0.1         /* of the correlations towards none */
#define SMALLEST_VARIANCE 1e-9
#define WHITENED_ROWS 20      /* rows after which the whitening is made anew */
#define LEARNED_EXCESS 3.0    /* a row farther out than this many times its expected length is learned in part */
#define SURPRISE_CLIP 4.0
#define MEAN_TO_SIGMA 1.2533
#define ONSET 2.5             /* spreads from which a row can be news */
#define ONGOING 2.0           /* and from which something goes on */
#define ESCALATION 0.25
#define QUIET_ROWS 12
#define HABIT 0.5             /* spreads by which a doubled number of onsets of late lowers the next */
#define HABIT_ROWS 2000.0
#define FREE_ONSETS 3.0
#define LN2 0x1.62e42fefa39efp-1
#define MOST_SWEEPS 40

/* The record of `streaming.together.together_dtype`, whose size depends on the number of columns. */
typedef struct {
    i64 columns;
    i64 *rows;
    f64 *mean, *size;
    i64 *seen;
    f64 *profile;
    i64 *profile_rows;
    f64 *covariance, *whitening, *usual, *spread, *onsets, *held;
    i64 *quiet;
} Together;

/* Where a row is worked on: three rows of the columns, and two matrices. */
typedef struct {
    f64 *innovations, *whitened, *terms, *shrunk, *directions;
} Scratch;

static Together open(void *record, i64 columns) {
    f64 *at = record;
    Together s = {.columns = columns};
    s.rows = (i64 *)at, at += 1;
    s.mean = at, at += columns;
    s.size = at, at += columns;
    s.seen = (i64 *)at, at += columns;
    s.profile = at, at += DAY_HOURS * columns;
    s.profile_rows = (i64 *)at, at += DAY_HOURS * columns;
    s.covariance = at, at += columns * columns;
    s.whitening = at, at += columns * columns;
    s.usual = at, at += 1;
    s.spread = at, at += 1;
    s.onsets = at, at += 1;
    s.held = at, at += 1;
    s.quiet = (i64 *)at;
    return s;
}

static f64 clipped(f64 x, f64 limit) { return smaller(larger(x, -limit), limit); }
static int present(f64 x) { return size_of(x) < INFINITE; }

/* Turn columns p and q so that their element of a symmetric matrix becomes 0 (Jacobi). */
static void turn(f64 *matrix, f64 *directions, i64 n, i64 p, i64 q) {
    f64 off = matrix[p * n + q];
    if (off == 0) return;
    f64 ratio = (matrix[q * n + q] - matrix[p * n + p]) / (2.0 * off);
    f64 tangent = (ratio < 0 ? -1.0 : 1.0) / (size_of(ratio) + root(1.0 + ratio * ratio));
    f64 cosine = 1.0 / root(1.0 + tangent * tangent), sine = tangent * cosine;
    for (i64 k = 0; k < n; k++) {
        f64 at_p = matrix[k * n + p], at_q = matrix[k * n + q];
        matrix[k * n + p] = cosine * at_p - sine * at_q;
        matrix[k * n + q] = sine * at_p + cosine * at_q;
    }
    for (i64 k = 0; k < n; k++) {
        f64 at_p = matrix[p * n + k], at_q = matrix[q * n + k];
        matrix[p * n + k] = cosine * at_p - sine * at_q;
        matrix[q * n + k] = sine * at_p + cosine * at_q;
    }
    matrix[p * n + q] = matrix[q * n + p] = 0.0;
    for (i64 k = 0; k < n; k++) { /* a direction is a row here */
        f64 at_p = directions[p * n + k], at_q = directions[q * n + k];
        directions[p * n + k] = cosine * at_p - sine * at_q;
        directions[q * n + k] = sine * at_p + cosine * at_q;
    }
}

/* Leave the eigenvalues of a symmetric matrix on its diagonal, and write their directions, one a row. */
static void diagonalise(f64 *matrix, f64 *directions, i64 n) {
    for (i64 at = 0; at < n * n; at++) directions[at] = 0.0;
    for (i64 at = 0; at < n; at++) directions[at * n + at] = 1.0;
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        f64 off = 0.0, all = 0.0;
        for (i64 p = 0; p < n; p++) {
            all += matrix[p * n + p] * matrix[p * n + p];
            for (i64 q = p + 1; q < n; q++) off += matrix[p * n + q] * matrix[p * n + q];
        }
        if (off <= 1e-32 * all) return;
        for (i64 p = 0; p < n; p++) {
            for (i64 q = p + 1; q < n; q++) turn(matrix, directions, n, p, q);
        }
    }
}

/* Make the whitening the inverse root of the covariance, whose correlations are shrunk. */
static void whiten(const Together *s, Scratch at) {
    i64 n = s->columns;
    for (i64 p = 0; p < n; p++) {
        for (i64 q = 0; q < n; q++) {
            f64 here = s->covariance[p * n + q];
            at.shrunk[p * n + q] = p == q ? here + SMALLEST_VARIANCE : (1.0 - SHRINKAGE) * here;
        }
    }
    diagonalise(at.shrunk, at.directions, n);
    for (i64 k = 0; k < n; k++) at.terms[k] = root(larger(at.shrunk[k * n + k], SMALLEST_VARIANCE));
    for (i64 p = 0; p < n; p++) {
        for (i64 q = p; q < n; q++) {
            f64 total = 0.0;
            for (i64 k = 0; k < n; k++) {
                total += at.directions[k * n + p] * at.directions[k * n + q] / at.terms[k];
            }
            s->whitening[p * n + q] = s->whitening[q * n + p] = total;
        }
    }
}

static void multiply(const f64 *matrix, const f64 *by, i64 n, f64 *out) {
    for (i64 p = 0; p < n; p++) {
        f64 total = 0.0;
        for (i64 q = 0; q < n; q++) total += matrix[p * n + q] * by[q];
        out[p] = total;
    }
}

/* Return the innovation of a column, and learn its mean, size and profile. */
static f64 innovation(const Together *s, i64 column, i64 hour, f64 value) {
    f64 *mean = &s->mean[column], *size = &s->size[column];
    i64 *seen = &s->seen[column], *of_hour = &s->profile_rows[hour * s->columns + column];
    f64 *profile = &s->profile[hour * s->columns + column];
    if (!present(value)) return 0.0;
    if (*seen == 0) *mean = value;
    f64 deviation = value - (*of_hour >= KNOWN_ROWS ? *profile : *mean);
    f64 usual = larger(*size, 1e-12 * size_of(*mean));
    f64 weight = larger(1.0 / MEMORY_ROWS, 1.0 / (f64)(*seen + 1));
    f64 limit = *seen > 50 && usual > 0 ? LEARNED_CLIP * usual : INFINITE;
    *mean += weight * clipped(value - *mean, limit);
    *size += weight * (MEAN_TO_SIGMA * smaller(size_of(deviation), limit) - *size);
    *seen += 1;
    *of_hour += 1;
    *profile += larger(PROFILE_RATE, 1.0 / (f64)*of_hour) * (value - *profile);
    return usual > 0 ? clipped(deviation / usual, CLIP) : 0.0;
}

/* Whiten the innovations of a row, and learn how they go together. */
static void learn_covariance(const Together *s, Scratch at) {
    i64 n = s->columns, sized = 0;
    if (*s->rows % WHITENED_ROWS == 0) whiten(s, at);
    multiply(s->whitening, at.innovations, n, at.whitened);
    f64 length = 0.0;
    for (i64 column = 0; column < n; column++) {
        length += at.whitened[column] * at.whitened[column];
        sized += s->size[column] > 0;
    }
    f64 expected = LEARNED_EXCESS * (f64)(sized > 1 ? sized : 1);
    f64 share = length > 0 ? smaller(1.0, expected / length) : 1.0;
    f64 forgotten = larger(1.0 / MEMORY_ROWS, 1.0 / (f64)(*s->rows + WHITENED_ROWS));
    for (i64 p = 0; p < n; p++) {
        for (i64 q = 0; q < n; q++) {
            f64 learned = forgotten * share * (at.innovations[p] * at.innovations[q]);
            s->covariance[p * n + q] = (1.0 - forgotten) * s->covariance[p * n + q] + learned;
        }
    }
}

/* Return by how many spreads the sum is above its usual, and learn it. */
static f64 surprise_of(const Together *s, f64 total) {
    f64 level = logarithm(larger(total, 1e-6));
    i64 rows = *s->rows;
    if (rows == 0) *s->usual = level;
    f64 move = level - *s->usual, above = move / *s->spread;
    f64 weight = larger(1.0 / MEMORY_ROWS, 1.0 / (f64)(rows + 1));
    if (rows > 50) move = clipped(move, SURPRISE_CLIP * *s->spread);
    *s->usual += weight * move;
    if (rows > 10) {
        *s->spread = larger(*s->spread + weight * (MEAN_TO_SIGMA * size_of(move) - *s->spread), 1e-3);
    }
    return rows >= FIRST_ROWS ? larger(above, 0.0) : 0.0;
}

/* Return the surprise where something begins or gets stronger, else 0. */
static f64 news_of(const Together *s, f64 surprise) {
    *s->quiet = surprise >= ONGOING ? 0 : *s->quiet + 1;
    if (*s->quiet >= QUIET_ROWS) *s->held = 0.0;
    *s->onsets *= kept_after_a_row(HABIT_ROWS);
    f64 doubled = logarithm(1.0 + larger(*s->onsets - FREE_ONSETS, 0.0)) / LN2;
    f64 news = surprise - HABIT * doubled;
    if (news < ONSET || (*s->held > 0 && surprise <= *s->held + ESCALATION)) return 0.0;
    if (*s->held == 0) *s->onsets += 1.0;
    *s->held = surprise;
    return news;
}

/* Score and learn rows of `columns` values in order; `hours` of the week. A column that is missing is as
   expected.

   `parts` are the shares of the columns. `scratch` has room for 3 × columns + 2 × columns² numbers. */
EXPORT void advance_together(
    void *record, i64 columns, i64 count, const i64 *hours, const f64 *values, f64 *scratch, f64 *surprise,
    f64 *onset, f64 *parts
) {
    Together s = open(record, columns);
    f64 *matrices = scratch + 3 * columns;
    Scratch at = {scratch, scratch + columns, scratch + 2 * columns, matrices, matrices + columns * columns};
    for (i64 row = 0; row < count; row++) {
        const f64 *here = values + row * columns;
        i64 known = 0;
        for (i64 column = 0; column < columns; column++) known += present(here[column]);
        surprise[row] = onset[row] = 0.0;
        for (i64 column = 0; column < columns; column++) parts[row * columns + column] = 0.0;
        if (!known) continue;
        for (i64 column = 0; column < columns; column++) {
            at.innovations[column] = innovation(&s, column, hours[row] % DAY_HOURS, here[column]);
        }
        f64 total = 0.0;
        learn_covariance(&s, at);
        for (i64 column = 0; column < columns; column++) {
            at.terms[column] = logarithm_of_one_plus(at.whitened[column] * at.whitened[column]);
            total += at.terms[column];
        }
        surprise[row] = surprise_of(&s, total);
        onset[row] = news_of(&s, surprise[row]);
        if (total > 0) {
            for (i64 column = 0; column < columns; column++) {
                parts[row * columns + column] = at.terms[column] / total;
            }
        }
        *s.rows += 1;
    }
}
