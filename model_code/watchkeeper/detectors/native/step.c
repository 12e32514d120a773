/* One step of the detector: what a value means, given only what came before it.

   Three channels each say how far the newest value breaks the record of its own past: the value itself, its
   smoothed deviation from the profile of the day or the week, and the distance of the last rows to the most
   similar earlier ones. A channel's evidence is -log10 of how rarely it breaks its record by that much; evidence
   adds up over the channels. A fourth one, which counts alone, says that the series moves less than it ever did:
   a frozen sensor, noise that is gone. A last measurement, the distance of the last hours to the most similar
   earlier hours, is the slow scale: the level. */
#include "kernel.h"

#define LARGEST 1e30
#define SLOW_MEAN_ROWS 300
#define MEAN_DISTANCES 1000
#define LARGEST_LEVEL 10.0
#define HELD_ROWS 30.0
#define SETTLED_ROWS 4000.0
#define ERROR_RATE 0.02
#define BAND_STEP 0.4 /* of the mean error */
#define FORECASTS 4

EXPORT const f64 warm_rows = 500.0; /* until then the channels count together only in part */
EXPORT const f64 aftermath_weight = 0.15;

/* -log10 of the fraction of rows on which an old series breaks each channel's record: 3.1, 2.4 and 3.4 on the
   development half of NAB. The pattern's is far lower than measured: a pattern alone has to break its record by
   more. */
static const f64 RARITY[CHANNELS] = {3.05, 2.30, 2.40, 3.05};

#define OFFSET_OF_ONE(type, name) __builtin_offsetof(Record, name),
#define OFFSET_OF_MANY(type, name, count) __builtin_offsetof(Record, name),
#define NAME_OF_ONE(type, name) #name " "
#define NAME_OF_MANY(type, name, count) #name " "
#define LAYOUT(record, fields)                                                                             \
    typedef record Record;                                                                                 \
    static const i64 all[] = {fields(OFFSET_OF_ONE, OFFSET_OF_MANY) sizeof(Record)};                       \
    *offsets = all;                                                                                        \
    return fields(NAME_OF_ONE, NAME_OF_MANY);

/* Return the names of a record's fields, and where they begin and its size at last: the loader compares them. */
EXPORT const char *layout_of_state(const i64 **offsets) { LAYOUT(State, STATE_FIELDS) }
EXPORT const char *layout_of_parameters(const i64 **offsets) { LAYOUT(Parameters, PARAMETER_FIELDS) }
EXPORT const char *layout_of_output(const i64 **offsets) { LAYOUT(Output, OUTPUT_FIELDS) }

static void settle(Settings *p, const Parameters *of) {
    p->of = of;
    p->largest_rarity = 0.0;
    for (int channel = 0; channel < CHANNELS; channel++) {
        p->largest_rarity = larger(p->largest_rarity, RARITY[channel]);
        p->rarity[channel] = exponential(-RARITY[channel] * logarithm(10.0));
    }
    p->kept_of_range = kept_after_a_row(of->range_memory);
    p->kept_of_profile = kept_after_a_row(of->profile_memory);
    p->kept_of_pattern = of->pattern_memory > 0 ? kept_after_a_row(of->pattern_memory) : 0.0;
    p->kept_of_extreme = kept_after_a_row(of->extreme_memory);
    p->kept_of_breaks = kept_after_a_row(of->own_memory);
    p->kept_of_aftermath = kept_after_a_row(of->aftermath_rows);
    p->kept_of_held = kept_after_a_row(HELD_ROWS);
}

/* Close the block of rows that the current slot completes, and measure the last hours. */
static void advance_block(State *s) {
    if (s->slots % BLOCK_ROWS != BLOCK_ROWS - 1) return;
    i64 newest = s->blocks_closed;
    s->blocks[newest % BLOCKS] = (f32)(s->block_sum / BLOCK_ROWS);
    s->block_sum = 0.0;
    s->blocks_closed = newest + 1;
    i64 filled = newest + 1 < BLOCKS ? newest + 1 : BLOCKS;
    if (filled < 3 * LONG_BLOCKS) return;
    f64 distance = nearest_earlier_pattern(s->blocks, BLOCKS, newest, filled, LONG_BLOCKS);
    s->long_distance = distance > 0 ? distance : 0.0;
    if (s->long_distance > 0) {
        s->long_distances += 1;
        f64 weight = 1.0 / (f64)(s->long_distances < MEAN_DISTANCES ? s->long_distances : MEAN_DISTANCES);
        s->mean_long_distance += (s->long_distance - s->mean_long_distance) * weight;
    }
}

static void skip(State *s) {
    s->recent[s->slots % RECENT_ROWS] = (f32)MISSING;
    s->block_sum = MISSING;
    advance_block(s);
    s->slots += 1;
}

static f64 confidence(const State *s, const Settings *p) {
    f64 evidence = decimal_logarithm((f64)(s->rows > 2 ? s->rows : 2) / 2.0) / p->largest_rarity;
    f64 blocks = (f64)s->blocks_closed / (3.0 * LONG_BLOCKS);
    return 0.5 * smaller(evidence, 1.0) + 0.5 * smaller(blocks, 1.0);
}

static f64 varied(const State *s) { return s->high[VALUE] > s->low[VALUE] ? 1.0 : 0.0; }

static void say_nothing(const State *s, Output *out) {
    out->onset = out->level = 0.0;
    for (int channel = 0; channel < CHANNELS; channel++) out->channels[channel] = 0.0;
    out->varied = varied(s);
    out->expected = s->rows > 0 ? s->origin + s->last : MISSING;
    out->band = s->rows > 0 ? s->band : MISSING;
}

/* Write the expected value and the band of the forecast that has erred least, and learn x into them. */
static void forecast(State *s, const Settings *p, i64 hour, f64 x, Output *out) {
    if (s->rows == 0) {
        s->slow_mean = s->last = x;
        out->expected = s->origin + x;
        out->band = 0.0;
        return;
    }
    f64 forecasts[FORECASTS] = {s->last, s->slow_mean};
    expected_by_profiles(s, hour, &forecasts[2], &forecasts[3]);
    int best = 0;
    for (int at = 1; at < FORECASTS; at++) {
        if (s->forecast_errors[at] < s->forecast_errors[best]) best = at;
    }
    f64 error = size_of(x - forecasts[best]);
    out->expected = s->origin + forecasts[best];
    out->band = s->band;
    f64 step = larger(ERROR_RATE, 1.0 / (f64)s->rows);
    for (int at = 0; at < FORECASTS; at++) {
        s->forecast_errors[at] += step * (size_of(x - forecasts[at]) - s->forecast_errors[at]);
    }
    /* Robbins-Monro: the band rises by coverage when missed and falls by the rest when not. */
    f64 move = error > s->band ? p->of->coverage : p->of->coverage - 1.0;
    s->band = larger(s->band + move * BAND_STEP * s->forecast_errors[best], 0.0);
    s->slow_mean += (x - s->slow_mean) * larger(1.0 / SLOW_MEAN_ROWS, 1.0 / ((f64)s->rows + 1.0));
    s->last = x;
}

/* Return the evidence that the last rows are unlike all that the ring remembers. */
static f64 break_of_pattern(State *s, const Settings *p, f64 x) {
    i64 newest = s->slots;
    s->recent[newest % RECENT_ROWS] = (f32)x;
    i64 filled = newest + 1 < RECENT_ROWS ? newest + 1 : RECENT_ROWS;
    f64 distance = nearest_earlier_pattern(s->recent, RECENT_ROWS, newest, filled, SHORT_ROWS);
    if (distance != distance) return 0.0;
    f64 record = s->record_distance;
    s->record_distance = larger(record * p->kept_of_pattern, distance);
    f64 floor = larger(1e-9 * s->magnitude, 1e-300);
    if (record <= floor || distance <= record || distance <= floor) return 0.0;
    return evidence_of_break(s, p, PATTERN, s->rows, logarithm(distance / record));
}

static f64 together(const State *s, const f64 *channels) {
    /* Early on all channels break records together, because all they have seen is a part of the first day: the
       strongest one counts, and the others by how much of the warm-up is over. */
    f64 strongest = larger(larger(channels[VALUE], channels[PROFILE]), channels[PATTERN]);
    f64 others = channels[VALUE] + channels[PROFILE] + channels[PATTERN] - strongest;
    return larger(strongest + others * smaller((f64)s->rows / warm_rows, 1.0), channels[CALM]);
}

/* Return the evidence if it is news: nothing as strong came shortly before. */
static f64 unless_suppressed(State *s, const Settings *p, f64 evidence) {
    s->rows_since_onset += 1;
    s->rows_of_quiet += 1;
    if (evidence <= 0) return 0.0;
    f64 since = (f64)s->rows_since_onset;
    /* What is rare and what is usual looks alike at first: a young series has to be quiet for longer. */
    f64 longest = p->of->longest_refractory_rows, shortest = p->of->refractory_rows;
    f64 young = larger(1.0 - (f64)s->rows / SETTLED_ROWS, 0.0);
    f64 refractory = shortest + young * (longest - shortest);
    int quiet = smaller(since, (f64)s->rows_of_quiet) >= refractory || since >= longest;
    s->rows_of_quiet = 0;
    if (!quiet && !(evidence > s->onset_level + p->of->escalation)) return 0.0;
    s->onset_level = evidence;
    s->rows_since_onset = 0;
    return evidence;
}

static f64 level(State *s, const Settings *p) {
    f64 relative = 0.0;
    if (s->mean_long_distance > 1e-9 * s->magnitude) {
        relative = smaller(s->long_distance / s->mean_long_distance, LARGEST_LEVEL);
    }
    s->held_distance = larger(s->held_distance * p->kept_of_held, relative);
    return root(s->held_distance) + aftermath_weight * s->aftermath;
}

/* Score one value and learn it; NaN is a missing interval. */
static void advance(State *s, const Settings *p, i64 hour, f64 value, Output *out) {
    out->confidence = confidence(s, p);
    if (!(size_of(value) < INFINITE)) {
        skip(s);
        say_nothing(s, out);
        return;
    }
    value = smaller(larger(value, -LARGEST), LARGEST);
    if (s->rows == 0) s->origin = value;
    f64 x = value - s->origin;
    s->magnitude = larger(s->magnitude, size_of(value));
    enter_hour(s, hour);
    f64 step = size_of(x - s->last);
    forecast(s, p, hour, x, out);
    out->channels[VALUE] =
        break_of_range(s, p, VALUE, VALUE, s->rows, x, p->kept_of_range) * p->of->value_weight;
    out->channels[PROFILE] = break_of_profile(s, p, hour, x) * p->of->profile_weight;
    out->channels[PATTERN] = break_of_pattern(s, p, x) * p->of->pattern_weight;
    out->channels[CALM] = break_of_calm(s, p, step) * p->of->calm_weight;
    for (int channel = 0; channel < CHANNELS; channel++) count_break(s, p, channel, out->channels[channel]);
    out->onset = unless_suppressed(s, p, together(s, out->channels));
    s->block_sum += x;
    advance_block(s);
    s->aftermath = larger(s->aftermath * p->kept_of_aftermath, out->onset);
    out->level = level(s, p) * p->of->level_weight;
    out->varied = varied(s);
    s->rows += 1;
    s->slots += 1;
}

static void advance_after(State *s, const Settings *p, i64 missing, i64 hour, f64 value, Output *out) {
    for (i64 interval = 0; interval < missing; interval++) skip(s);
    advance(s, p, hour, value, out);
}

/* Return the first number that is not below a limit, or `count`: nothing is read or written outside of a record. */
static i64 first_beyond(const i64 *numbers, i64 count, i64 limit) {
    for (i64 at = 0; at < count; at++) {
        if (numbers[at] < 0 || numbers[at] >= limit) return at;
    }
    return count;
}

/* Score and learn the values of one series in order; return how many, or none of them if an hour is of no week.

   `missing` is how many intervals without a row there are before each value; `hours` are those of the week. */
EXPORT i64 advance_all(
    State *state, const Parameters *parameters, i64 count, const i64 *hours, const i64 *missing,
    const f64 *values, Output *out
) {
    if (first_beyond(hours, count, WEEK_HOURS) < count) return -1;
    Settings settings;
    settle(&settings, parameters);
    for (i64 row = 0; row < count; row++) {
        advance_after(state, &settings, missing[row], hours[row], values[row], &out[row]);
    }
    return count;
}

/* Score and learn one value of each of many series; return how many, or none of them as `advance_all`.

   `places` says which of the states each value is for, none twice. */
EXPORT i64 advance_rows(
    State *states, i64 series, const i64 *places, const Parameters *parameters, i64 count, const i64 *hours,
    const i64 *missing, const f64 *values, Output *out
) {
    if (first_beyond(hours, count, WEEK_HOURS) < count || first_beyond(places, count, series) < count) return -1;
    Settings settings;
    settle(&settings, parameters);
    for (i64 row = 0; row < count; row++) {
        advance_after(&states[places[row]], &settings, missing[row], hours[row], values[row], &out[row]);
    }
    return count;
}

#ifdef _WIN32
int _fltused = 0; /* asked for by the linker where floating point is used */

int DllMainCRTStartup(void *module, unsigned reason, void *reserved) { return 1; }
#endif
