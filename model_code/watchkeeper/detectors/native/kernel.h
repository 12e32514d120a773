/* What the parts of the kernel share: the records, and what each part does.

   Every platform gives the same numbers: no part calls the platform's mathematics, sums have one order, and
   compiling may neither contract nor reorder (`compiling.py`). The records are those of `streaming.state` and
   `streaming.kernel`, field by field: `library.py` compares them when it loads the kernel.
*/
#ifndef WATCHKEEPER_KERNEL_H
#define WATCHKEEPER_KERNEL_H

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#elif defined(__ELF__) /* seen by others, but never replaced by a function of theirs with the same name */
#define EXPORT __attribute__((visibility("protected")))
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef long long i64;
typedef int i32;
typedef unsigned short u16;
typedef double f64;
typedef float f32;

enum { VALUE, PROFILE, PATTERN, CALM, CHANNELS };
enum { WEEK = 2, RANGES }; /* the third range: of the residual against the week's profile */
enum { DAY_HOURS = 24, WEEK_HOURS = 168, LARGEST_COUNT = 65535, SMOOTHED_ROWS = 6 };
enum { RECENT_ROWS = 1024, SHORT_ROWS = 2, BLOCK_ROWS = 4, BLOCKS = 1024, LONG_BLOCKS = 24 };

/* ONE(type, name) and MANY(type, name, count), in the order of `streaming.state.STATE`. */
#define STATE_FIELDS(ONE, MANY)                                                                            \
    ONE(i64, rows) ONE(i64, slots) ONE(f64, last_time) ONE(f64, origin) ONE(f64, magnitude)                \
    MANY(f64, low, RANGES) MANY(f64, high, RANGES) MANY(f64, centre, RANGES)                               \
    MANY(f64, known_low, RANGES) MANY(f64, known_high, RANGES)                                             \
    MANY(f64, peak_low, RANGES) MANY(f64, peak_high, RANGES)                                               \
    MANY(i32, low_row, RANGES) MANY(i32, high_row, RANGES)                                                 \
    MANY(f64, profile, DAY_HOURS) MANY(u16, profile_rows, DAY_HOURS) MANY(f64, residuals, SMOOTHED_ROWS)   \
    MANY(f64, week, WEEK_HOURS) MANY(u16, week_rows, WEEK_HOURS) MANY(f64, week_residuals, SMOOTHED_ROWS)  \
    ONE(i64, week_residuals_seen) ONE(i64, hour) ONE(i64, hour_is_known) ONE(i64, hour_rows)               \
    MANY(f64, hour_errors, 2) ONE(i64, rivalry_hours) MANY(f64, profile_errors, 2)                         \
    MANY(f32, recent, RECENT_ROWS) ONE(f64, record_distance)                                               \
    ONE(f64, block_sum) MANY(f32, blocks, BLOCKS) ONE(i64, blocks_closed)                                  \
    ONE(f64, long_distance) ONE(f64, mean_long_distance) ONE(i64, long_distances) ONE(f64, held_distance)  \
    ONE(f64, roughness) ONE(f64, calm_low) ONE(f64, calm_high) ONE(i64, calm_since)                        \
    MANY(f64, breaks, CHANNELS) MANY(i32, break_row, CHANNELS)                                             \
    ONE(i64, rows_of_quiet) ONE(f64, onset_level) ONE(i64, rows_since_onset) ONE(f64, aftermath)           \
    MANY(f64, forecast_errors, 4) ONE(f64, slow_mean) ONE(f64, last) ONE(f64, band)

/* In the order of `streaming.state.Parameters`. */
#define PARAMETER_FIELDS(ONE, MANY)                                                                        \
    ONE(f64, range_memory) ONE(f64, profile_memory) ONE(f64, pattern_memory) ONE(f64, extreme_memory)      \
    ONE(f64, known_reach) ONE(f64, apart_rows) ONE(f64, tolerance) ONE(f64, stretch) ONE(f64, resolution)  \
    ONE(f64, profile_rate) ONE(f64, week_margin) ONE(f64, refractory_rows)                                 \
    ONE(f64, longest_refractory_rows) ONE(f64, escalation) ONE(f64, own_rate) ONE(f64, own_memory)         \
    ONE(f64, aftermath_rows) ONE(f64, coverage) ONE(f64, value_weight) ONE(f64, profile_weight)            \
    ONE(f64, pattern_weight) ONE(f64, calm_weight) ONE(f64, level_weight)

/* In the order of `streaming.kernel.OUTPUT`. */
#define OUTPUT_FIELDS(ONE, MANY)                                                                           \
    ONE(f64, onset) ONE(f64, level) MANY(f64, channels, CHANNELS) ONE(f64, expected) ONE(f64, band)        \
    ONE(f64, varied) ONE(f64, confidence)

#define ONE_MEMBER(type, name) type name;
#define MANY_MEMBERS(type, name, count) type name[count];

typedef struct { STATE_FIELDS(ONE_MEMBER, MANY_MEMBERS) } State;
typedef struct { PARAMETER_FIELDS(ONE_MEMBER, MANY_MEMBERS) } Parameters;
typedef struct { OUTPUT_FIELDS(ONE_MEMBER, MANY_MEMBERS) } Output;

/* The parameters, and what follows from them: made once a call, since it takes exponentials. */
typedef struct {
    const Parameters *of;
    f64 rarity[CHANNELS], largest_rarity;
    f64 kept_of_range, kept_of_profile, kept_of_pattern, kept_of_extreme, kept_of_breaks, kept_of_aftermath,
        kept_of_held;
} Settings;

#define INFINITE __builtin_inf()
#define MISSING __builtin_nan("")

static inline f64 larger(f64 a, f64 b) { return b > a ? b : a; }
static inline f64 smaller(f64 a, f64 b) { return b < a ? b : a; }
static inline f64 size_of(f64 x) { return __builtin_fabs(x); }
static inline f64 root(f64 x) { return __builtin_elementwise_sqrt(x); } /* an instruction, correctly rounded */

/* numbers.c */
EXPORT f64 exponential(f64 x);
EXPORT f64 logarithm(f64 x);
EXPORT f64 decimal_logarithm(f64 x);
EXPORT f64 logarithm_of_one_plus(f64 x);
f64 kept_after_a_row(f64 half_life);

/* evidence.c */
f64 evidence_of_break(const State *s, const Settings *p, int channel, i64 rows, f64 excess);
void count_break(State *s, const Settings *p, int channel, f64 evidence);
f64 break_of_range(State *s, const Settings *p, int channel, int of, i64 rows, f64 x, f64 kept);

/* profiles.c */
void enter_hour(State *s, i64 hour_of_week);
void expected_by_profiles(const State *s, i64 hour_of_week, f64 *of_day, f64 *of_week);
f64 break_of_profile(State *s, const Settings *p, i64 hour_of_week, f64 x);

/* calm.c */
f64 break_of_calm(State *s, const Settings *p, f64 step);

/* patterns.c */
EXPORT f64 nearest_earlier_pattern(const f32 *ring, i64 size, i64 newest, i64 filled, i64 length);

#endif
